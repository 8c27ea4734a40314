"""`Choice`: which stacks of a repository the list is for: those of its root, or of folders."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.excerpt import some
from ...model.frozen import dataclass
from ...model.translate import N_
from . import generic, go, node, python, ruby, rust
from .stack import Stack, moved
from .tree import Tree

DETECTORS = (ruby.detect, python.detect, node.detect, go.detect, rust.detect)

MANIFESTS = (
    *(ruby.MANIFEST, node.MANIFEST, go.MANIFEST, rust.MANIFEST, *python.MANIFESTS),
    "requirements.txt",
)
"""Files that begin a stack."""

LOCKFILES = (ruby.LOCKFILE, *node.LOCKFILES, *python.LOCKFILES, go.LOCKFILE, rust.LOCKFILE)

DEPTH = 2
"""How deep folders with stacks of their own are looked for."""

MOST = 4
"""Folders that the list takes care of."""

NOT_OWN = frozenset(
    (
        *("node_modules", "vendor", "third_party", "examples", "example", "fixtures", "test"),
        *("tests", "spec", "docs", "doc", "templates", "template", "benchmarks", "testdata"),
    )
)
"""Folders with projects that are not what is developed here."""


@dataclass(frozen=True)
class Choice:
    """The stacks that the list is for, and what to say about the choice."""

    stacks: tuple[Stack, ...] = ()
    notes: tuple[str, ...] = ()


def choose(tree: Tree) -> Choice:
    """The stacks of the root, if it can be checked; else those of its folders."""
    stacks = _at(tree)
    inner = dict(_inner(tree, stacks))
    if any(stack.verify for stack in stacks):
        more = (
            [
                N_("the list does not check {inner}: add commands for that if you want").format(
                    inner=some(list(inner))
                )
            ]
            if inner
            else []
        )
        return Choice(stacks, tuple(more))
    chosen = dict(list(inner.items())[:MOST])
    found = [moved(stack, folder) for folder, each in chosen.items() for stack in each]
    notes = []
    if len(found) > 1:
        notes.append(
            N_("the checks of {chosen} run for every feature").format(chosen=some(list(chosen)))
        )
    if len(inner) > len(chosen):
        left = [folder for folder in inner if folder not in chosen]
        notes.append(
            N_("the list does not check {left}: add commands for that if you want").format(
                left=some(left)
            )
        )
    if not found:
        notes.append(
            N_("no tests were found: without checks, completed only means that Claude says so")
        )
    return Choice((*stacks, *found), tuple(notes))


def _at(tree: Tree) -> tuple[Stack, ...]:
    """The stacks of one folder; something generic where none of them can check it."""
    found = [stack for detect in DETECTORS for stack in [detect(tree)] if stack]
    if not any(stack.verify for stack in found):
        other = generic.detect(tree)
        found += [other] if other else []
    return tuple(found)


def _inner(tree: Tree, stacks: tuple[Stack, ...]) -> Iterator[tuple[str, tuple[Stack, ...]]]:
    """The folders that can be checked on their own, without those below another one."""
    taken = set(node.members_of(tree))
    if any(stack.name == "Rust" for stack in stacks):
        taken.update(path.rpartition("/")[0] for path in tree.matching(r"/Cargo\.toml$"))
    seen: list[str] = []
    for folder in tree.folders(DEPTH):
        parts = folder.split("/")
        is_ours = NOT_OWN.isdisjoint(parts) and not any(part.startswith(".") for part in parts)
        if folder in taken or not is_ours or any(folder.startswith(f"{s}/") for s in seen):
            continue
        # First, because a tree of each folder would take long in a large repository.
        if not tree.has(*(f"{folder}/{name}" for name in (*MANIFESTS, *LOCKFILES))):
            continue
        inner = tree.below(folder)
        found = [each for detect in DETECTORS for each in [detect(inner)] if each and each.verify]
        if found:
            seen.append(folder)
            yield folder, tuple(found)
