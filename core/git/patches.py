"""What differs between two commits or trees: files, lines and patches, bounded; `git diff` itself.

The bounded form runs no program of the user's. :func:`show` does what their own `git diff` would,
with their pager, and runs nothing that the repository names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from ..model.frozen import dataclass, replace
from ..model.translate import N_
from ..process.environment import without_git
from ..process.terminal import run_in_terminal
from .ahead import EXPLICIT, NO_HOOKS
from .door import Git

PATCH_BYTES = 256 * 1024
"""The default for the patches of one feature."""

LARGEST_FILE_BYTES = 512 * 1024
"""git compares no larger file line by line; it counts as binary."""

MOST_LINES = 50_000
MOST_FILES = 500
"""The most files that get patches."""

PLAIN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--no-color")
SETTINGS = ("-c", f"core.bigFileThreshold={LARGEST_FILE_BYTES}")


@dataclass(frozen=True)
class FileDiff:
    """What changed in a file. Names and patch are as git has them: neither masked nor cleaned."""

    path: str
    old_path: str = ""
    """Its name before a rename."""
    insertions: int | None = 0
    """Lines; ``None`` for a binary or very large file."""
    deletions: int | None = 0
    patch: str = ""
    """git's patch with its heading; undecodable bytes are U+FFFD."""
    is_cut: bool = False
    """Whether the patch is not whole, or left out."""


async def file_diffs(
    git: Git, old: str, new: str, *, limit_bytes: int = PATCH_BYTES
) -> tuple[FileDiff, ...]:
    """Every file that differs, with patches up to ``limit_bytes`` in all, cut at a line's end."""
    words = ("diff-tree", "-r", "-M", *PLAIN, "--numstat", "-z", old, new)
    finished = await git.run(N_("compare commits"), *words, settings=SETTINGS)
    files = list(numbers(os.fsdecode(finished.stdout)))
    shown = _worth_showing(files)
    patches = await _patches(git, old, new, shown, are_all=len(shown) == len(files))
    if len(patches) != len(shown):
        patches = [b""] * len(shown)  # A rename that git pairs differently among fewer files.
    found, left = [], limit_bytes
    for file, patch in zip(shown, patches):
        kept = patch if len(patch) <= left else patch[: patch.rfind(b"\n", 0, max(left, 0)) + 1]
        left -= len(kept)
        text = kept.decode("utf-8", "replace")
        found.append(replace(file, patch=text, is_cut=len(kept) < len(patch) or not patch))
    return (*found, *(replace(file, is_cut=True) for file in files[len(shown) :]))


def numbers(text: str) -> Iterator[FileDiff]:
    """The files of ``--numstat -z``; format: git-diff(1), "Other diff formats"."""
    words = iter(text.split("\0"))
    for entry in words:
        if entry:
            added, deleted, path = entry.split("\t", 2)
            old = "" if path else next(words)
            yield FileDiff(path or next(words), old, _count(added), _count(deleted))


def _count(number: str) -> int | None:
    return None if number == "-" else int(number)


def _worth_showing(files: Sequence[FileDiff]) -> list[FileDiff]:
    """The first files, as many as are worth a patch."""
    lines = 0
    for number, file in enumerate(files):
        lines += (file.insertions or 0) + (file.deletions or 0)
        if lines > MOST_LINES or number == MOST_FILES:
            return list(files[:number])
    return list(files)


async def _patches(
    git: Git, old: str, new: str, files: Sequence[FileDiff], *, are_all: bool
) -> list[bytes]:
    """The patch of each file, in git's order."""
    names = [name for file in files for name in (file.old_path, file.path) if name]
    if not names:
        return []
    paths = () if are_all else ("--", *names)
    words = ("diff-tree", "-r", "-M", *PLAIN, "-p", old, new, *paths)
    literally = {**git.environ, "GIT_LITERAL_PATHSPECS": "1"}
    finished = await git.run(N_("compare commits"), *words, env=literally, settings=SETTINGS)
    return each_file(finished.stdout)


def each_file(patch: bytes) -> list[bytes]:
    """The parts of a patch, one for each file."""
    # In a patch, every line of a file begins with a sign or a blank.
    return re.split(rb"^(?=diff --git )", patch, flags=re.MULTILINE)[1:]


async def plain_diff(git: Git, old: str, new: str, *options: str) -> bytes:
    """What ``git diff`` prints without settings of anybody's; no program is started."""
    words = ("diff-tree", "-r", "-M", *PLAIN, *(options or ("-p",)), old, new)
    return (await git.run(N_("compare commits"), *words, settings=SETTINGS)).stdout


async def programs_of_repository(git: Git) -> tuple[str, ...]:
    """The repository's own settings that name a program which ``git diff`` would start."""
    found: dict[str, None] = {}
    own = os.path.join(git.repository.common_dir, "config.worktree")
    for where in (("--local",), *([("--file", own)] if os.path.exists(own) else [])):
        words = ("config", *where, "--includes", "--list", "--name-only", "-z")
        names = os.fsdecode((await git.try_run(*words)).stdout).split("\0")
        found.update(dict.fromkeys(filter(_PROGRAM.fullmatch, names)))
    return tuple(found)


_PROGRAM = re.compile(
    r"core\.pager|pager\.diff|diff\.external|diff\..*\.(command|textconv)", re.DOTALL
)
_PAGER = ("core.pager", "pager.diff")


async def show(git: Git, old: str, new: str, *options: str, without: Sequence[str] = ()) -> int:
    """Run ``git diff`` with our streams, as the user would; its exit code.

    What it prints is up to their settings: colours, pager, textconv and external diff programs. The
    settings ``without`` which it runs are those of :func:`programs_of_repository`: an agent or the
    author of the repository may have made them. Then only the user's own pager is asked.
    """
    settings = [*NO_HOOKS, "-c", "core.fsmonitor=false", "-c", "gc.auto=0"]
    settings += EXPLICIT if git.repository.bare else ()
    words = list(options)
    if set(without).intersection(_PAGER):
        settings += await _own_pager(git)
    if set(without).difference(_PAGER):
        words += ["--no-ext-diff", "--no-textconv"]
    if (await git.try_run("config", "--get", "diff.submodule")).text == "diff":
        words.append("--submodule=log")  # It would start git with the submodule's settings.
    env = {**without_git(os.environ), **git.restrictions(), "GIT_OPTIONAL_LOCKS": "0"}
    argv = ["git", "-C", git.repository.top, *settings, "diff", *words, old, new, "--"]
    return run_in_terminal(argv, env)


def in_this_order(git: Git, paths: Sequence[str]) -> tuple[str, ...]:
    """The option of ``git diff`` that shows these files first; see git-diff(1), ``-O``."""
    lines = [re.sub(r"([\\*?\[#])", r"\\\1", path) for path in paths if "\n" not in path]
    if not lines:
        return ()
    content = os.fsencode("".join(f"{line}\n" for line in lines))
    return (f"-O{git.scratch.write('order', content)}",)


async def _own_pager(git: Git) -> list[str]:
    """The pager without the repository's settings; see git-var(1), GIT_PAGER."""
    found = {"core.pager": git.environ.get("PAGER") or "less", "pager.diff": "true"}
    for scope in ("--system", "--global"):
        for key in found:
            value = (await git.try_run("config", scope, "--includes", "--get", key)).text
            found[key] = value or found[key]
    return [word for key, value in found.items() for word in ("-c", f"{key}={value}")]
