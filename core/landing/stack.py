"""What can land on a branch: finished features on top of each other, and the checks green.

Nothing here moves a ref or touches a checkout: the result is a stack of commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from enum import Enum

from ..git import history
from ..git.door import GitError, Unknown
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import dataclass, replace
from ..worktree import dependencies
from ..worktree.committing import commit_message
from ..worktree.manager import WorktreeManager

STRATEGIES = ("merge", "squash", "rebase")

SESSION = "RoRchestrator-Session"
"""The trailer that names Claude's session, where it made the merge."""

LOSSY = "a merge among its commits holds changes of its own, which rebase would leave out"


@dataclass(frozen=True)
class Candidate:
    """A finished feature; ``start_commit`` is where its own work begins, empty if unknown."""

    feature: Feature
    run: str
    tip: str
    start_commit: str
    needs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Of the feature."""
        return self.feature.id


@dataclass(frozen=True)
class Held:
    """Why a feature does not land; where it is a conflict, with what, and in which files."""

    reason: str
    conflict_with: str = ""
    files: tuple[str, ...] = ()
    is_unknown: bool = False
    """Whether it may land: a look can't tell."""


@dataclass(frozen=True)
class Clash:
    """A feature that does not merge: ``ours`` and its tip are the sides of the merge.

    ``ours`` has the tree of ``onto``, the stack's commit so far, and may have another parent.
    """

    candidate: Candidate
    onto: str
    ours: str
    below: tuple[Candidate, ...]
    files: tuple[str, ...]


class Resolved(Enum):
    """What became of a conflict that Claude was, or would be, given."""

    RESOLVED = "resolved"
    KNOWN = "known"
    """Resolved by an earlier command."""
    FAILED = "failed"
    NOT_ASKED = "not asked"
    WOULD_ASK = "would ask"


@dataclass(frozen=True)
class Resolution:
    """The resolution of a conflict, and its cost."""

    ending: Resolved
    commit: str = ""
    """Whose tree is the merge; empty where nothing may land."""
    reason: str = ""
    files: tuple[str, ...] = ()
    attempts: int = 0
    """Of this command, for the feature, as the cost is."""
    cost_usd: float | None = 0.0
    session_id: str = ""

    def to_json(self) -> dict[str, object]:
        """As ``merge --json`` prints it."""
        return {**vars(self), "ending": self.ending.value}


Resolve = Callable[[Clash], Awaitable[Resolution]]


@dataclass(frozen=True)
class Layer:
    """A feature on a stack, and the stack's commit with it."""

    candidate: Candidate
    commit: str
    strategy: str
    """How its work was put there: ``rebase`` also where a merge would have brought more along."""


@dataclass(frozen=True)
class Stack:
    """Features on top of ``base``, and why others are not among them."""

    base: str
    layers: tuple[Layer, ...]
    held: Mapping[str, Held]
    is_cut_short: bool = False
    """Whether it ends below a conflict, being red: no resolution on top of that could be green."""

    @property
    def tip(self) -> str:
        """The commit that holds them all."""
        return self.commit(len(self.layers))

    def commit(self, count: int) -> str:
        """The commit that holds the lowest ``count`` features."""
        return self.layers[count - 1].commit if count else self.base


class Stacker:
    """Puts features on a commit of the branch ``into``.

    ``candidates`` are in topological order. ``check`` says why a commit is red; nothing where
    it is green. Without ``keep_going`` nothing is tried that comes after a conflict. ``resolve``
    may make a merge of one; it is asked only on top of a green stack.
    """

    def __init__(
        self,
        worktrees: WorktreeManager,
        into: str,
        base: str,
        candidates: Sequence[Candidate],
        *,
        strategy: str,
        keep_going: bool,
        check: Callable[[str], Awaitable[str]],
        resolve: Resolve | None = None,
    ) -> None:
        self.worktrees = worktrees
        self.git = worktrees.git
        self.into = into
        self.base = base
        self.candidates = candidates
        self.strategy = strategy
        self.keep_going = keep_going
        self.check = check
        self.resolve = resolve
        self._seen: dict[str, str] = {}
        """What the check said, by tree."""

    # -- which of them ----------------------------------------------------------------------

    async def green(self, held: Mapping[str, Held]) -> Stack:
        """A green stack of all candidates but those ``held``, less what keeps it red.

        Each culprit is found by bisection and left out with its dependents; in the end it is
        tried again without the other culprits. So no feature that was left out can be put back
        alone; that no other choice of culprits would hold more is not promised.
        """
        out = dict(held)
        culprits: list[str] = []
        while True:
            stack = await self.stack(out)
            is_red = stack.is_cut_short or bool(stack.layers and await self._red(stack.tip))
            if not is_red:
                return await self._second_chance(stack, out, culprits)
            red = await self._red(self.base)
            if red:
                why = Held(f"{self.into} itself is red, without any of them: {red}")
                return Stack(self.base, (), {**out, **{c.id: why for c in self.candidates}})
            number = await self._first_red(stack)
            culprit = stack.layers[number - 1].candidate.id
            out[culprit] = Held(f"the checks fail with it: {await self._red(stack.commit(number))}")
            culprits.append(culprit)

    async def _first_red(self, stack: Stack) -> int:
        """The lowest number of layers that is red: none is green, all are red."""
        green, red = 0, len(stack.layers)
        while red - green > 1:
            middle = (green + red) // 2
            if await self._red(stack.commit(middle)):
                red = middle
            else:
                green = middle
        return red

    async def _second_chance(
        self, stack: Stack, out: Mapping[str, Held], culprits: Sequence[str]
    ) -> Stack:
        """A later feature may have mended what an earlier one broke, or be the one to blame."""
        for culprit in culprits:
            fewer = {id: held for id, held in out.items() if id != culprit}
            again = await self.stack(fewer)
            if len(again.layers) > len(stack.layers) and not await self._red(again.tip):
                stack, out = again, fewer
        return stack

    async def _red(self, commit: str) -> str:
        tree = await self.git.tree_of(commit)
        if tree not in self._seen:
            self._seen[tree] = await self.check(commit)
        return self._seen[tree]

    # -- on top of each other ---------------------------------------------------------------

    async def stack(self, held: Mapping[str, Held]) -> Stack:
        """All candidates but those ``held``, what needs them, and what does not merge."""
        out = dict(held)
        layers: list[Layer] = []
        tip, stopped = self.base, ""
        unknown = next((id for id, why in held.items() if why.is_unknown), "")
        for candidate in self.candidates:
            id, missing = candidate.id, [need for need in candidate.needs if need in out]
            if id in out:
                continue
            if unknown:
                # What lands before it decides what this one meets.
                out[id] = Held(f"unknown, because {unknown} is", is_unknown=True)
            elif missing:
                out[id] = Held(f"it needs {', '.join(missing)}, held as well")
            elif stopped:
                out[id] = Held(f"not tried after the conflict of {stopped}: --keep-going tries it")
            else:
                put = await self._try(tip, candidate, layers)
                if isinstance(put, Held) and put.conflict_with and self.resolve is not None:
                    if await self._red(tip):
                        return Stack(self.base, tuple(layers), out, is_cut_short=True)
                    put = await self._resolved(self.resolve, tip, candidate, layers, put)
                if isinstance(put, Held):
                    out[id], stopped = put, "" if self.keep_going else id
                    unknown = id if put.is_unknown else ""
                else:
                    layers.append(Layer(candidate, put, await self._strategy_of(candidate, put)))
                    tip = put
        return Stack(self.base, tuple(layers), out)

    async def _try(self, onto: str, candidate: Candidate, below: Sequence[Layer]) -> str | Held:
        """The commit with the feature on top, or what it does not merge with."""
        try:
            put = await self._put(onto, candidate)
        except Unknown as error:
            return Held(error.message, is_unknown=True)
        except GitError as error:
            return Held(error.message)
        if isinstance(put, (str, Held)):
            return put
        other = await self._other_side(candidate, below)
        where = f": {some(put)}" if put else ""
        return Held(f"{candidate.id} and {other} do not merge{where}", other, put)

    async def _resolved(
        self,
        resolve: Resolve,
        onto: str,
        candidate: Candidate,
        below: Sequence[Layer],
        held: Held,
    ) -> str | Held:
        """The commit with a feature on top that does not merge, where its conflict is resolved.

        Where its commits are made anew one by one, only one of them may not merge: then the whole
        of them lands as one commit, and nobody is asked.
        """
        try:
            ours = await self._ours(onto, candidate)
            tree, files = await self._merge(ours, candidate.tip)
            is_whole = await self._is_whole(onto, candidate)
            if tree:
                return await self._commit(onto, candidate, tree, is_whole)
            others = tuple(layer.candidate for layer in below)
            made = await resolve(Clash(candidate, onto, ours, others, tuple(files)))
            if not made.commit:
                return replace(held, reason=f"{held.reason}; {made.reason}")
            tree = await self.git.tree_of(made.commit)
            return await self._commit(onto, candidate, tree, is_whole, made)
        except GitError as error:
            return replace(held, reason=f"{held.reason}; {error.message}")

    async def _other_side(self, candidate: Candidate, below: Sequence[Layer]) -> str:
        """Which feature of the stack a conflict is with; the branch where it is none of them."""
        for layer in below:
            with suppress(Unknown):
                tree, _ = await self._merge(layer.candidate.tip, candidate.tip)
                if not tree:
                    return layer.candidate.id
        return self.into

    async def _put(self, onto: str, candidate: Candidate) -> str | tuple[str, ...] | Held:
        """The commit with the feature on top, the files in conflict, or why it can't be put."""
        if await self.git.is_ancestor(candidate.tip, onto):
            return onto
        if self.strategy == "rebase":
            return await self._replay(onto, candidate)
        is_whole = await self._is_whole(onto, candidate)
        if self.strategy == "merge" and not is_whole:
            replayed = await self._replay(onto, candidate)
            if isinstance(replayed, str):
                return replayed
        tree, files = await self._merge(await self._ours(onto, candidate), candidate.tip)
        return await self._commit(onto, candidate, tree, is_whole) if tree else tuple(files)

    async def _is_whole(self, onto: str, candidate: Candidate) -> bool:
        """Whether the feature lands as a merge, because that brings in only its own commits.

        Else its history holds what the branch does not have, or no longer has: a commit that was
        amended or reset away, the rest of another branch, a dependency that is not there. A
        second parent would claim that all of it was merged.
        """
        if self.strategy != "merge":
            return False
        start = candidate.start_commit
        missing = await history.own_commits(self.git, start, [onto]) if start else []
        return all([await self._joins(commit, parents) for commit, parents in missing])

    async def _joins(self, commit: str, parents: Sequence[str]) -> bool:
        """Whether a commit only joins two others, as the start of a feature that needs both."""
        if len(parents) != 2:
            return False
        tree, _ = await self._merge(*parents)
        return tree == await self.git.tree_of(commit)

    async def _commit(
        self,
        onto: str,
        candidate: Candidate,
        tree: str,
        is_whole: bool,
        made: Resolution | None = None,
    ) -> str:
        """The commit with the feature on top; a merge only where the whole of its history is in."""
        message = _merge_message(candidate) if is_whole else self._message(candidate)
        message = _resolved_message(message, made) if made else message
        if is_whole:
            return await self.git.commit_tree(tree, (onto, candidate.tip), message)
        if tree == await self.git.tree_of(onto):
            return onto
        return await self.git.commit_tree(tree, (onto,), message)

    def _message(self, candidate: Candidate) -> str:
        return commit_message(candidate.feature, candidate.run, self.worktrees.commit_subject)

    async def _strategy_of(self, candidate: Candidate, put: str) -> str:
        is_merge = self.strategy != "merge" or await self.git.is_ancestor(candidate.tip, put)
        return self.strategy if is_merge else "rebase"

    async def _replay(self, below: str, candidate: Candidate) -> str | tuple[str, ...] | Held:
        onto, known = below, [candidate.start_commit] if candidate.start_commit else []
        commits = await history.own_commits(self.git, candidate.tip, (*known, below))
        linear = [(commit, parents[0]) for commit, parents in commits if len(parents) == 1]
        for commit, parent in linear:
            tree, files = await self._merge(await self._as_child(onto, parent), commit)
            if not tree:
                return tuple(files)
            if tree != await self.git.tree_of(onto):
                onto = await history.recreate_commit(self.git, commit, tree, onto)
        if len(linear) < len(commits) and not await self._is_all(onto, below, candidate):
            return Held(LOSSY)
        return onto

    async def _is_all(self, replayed: str, below: str, candidate: Candidate) -> bool:
        """Whether nothing is missing that a merge among the feature's commits brought in."""
        tree, _ = await self._merge(await self._ours(below, candidate), candidate.tip)
        return tree == await self.git.tree_of(replayed)

    async def _ours(self, onto: str, candidate: Candidate) -> str:
        """What to merge a feature with, so that only its own work comes along.

        Where its dependencies landed as other commits, git's own merge base is too old: it
        would take their work for the feature's, and bring back what was changed since.
        """
        start, shared = candidate.start_commit, await self.git.merge_base(onto, candidate.tip)
        if not (start and shared) or await self.git.is_ancestor(start, shared):
            return onto
        # Unless newer work of the branch was merged into the feature by hand.
        own = await self.git.is_ancestor(shared, start)
        return await self._as_child(onto, start) if own else onto

    async def _as_child(self, commit: str, parent: str) -> str:
        """The same tree as the only step after ``parent``, which is the merge base from then on."""
        tree = await self.git.tree_of(commit)
        return await self.git.commit_tree(tree, (parent,), "a side of a merge")

    async def _merge(self, ours: str, theirs: str) -> tuple[str, list[str]]:
        """The tree of a merge, empty where there is a conflict, and the files in conflict."""
        return await dependencies.merge(self.worktrees, ours, theirs)


def _merge_message(candidate: Candidate) -> str:
    name = " ".join(candidate.feature.name.split())
    return (
        f"merge {candidate.id}: {name}\n\n"
        f"RoRchestrator-Feature: {candidate.id}\nRoRchestrator-Run: {candidate.run}\n"
    )


def _resolved_message(message: str, made: Resolution) -> str:
    """The message of a merge that Claude made; the trailers stay the last paragraph."""
    subject, _, trailers = message.partition("\n\n")
    said = " ".join(f"Claude resolved the conflict in {some(made.files)}.".split())
    session = f"{SESSION}: {made.session_id}\n" if made.session_id else ""
    return f"{subject}\n\n{said}\n\n{trailers}{session}"
