"""Stacks completed features on a branch's commit; bisection finds those that make checks fail.

The result is a stack of commits. No ref is moved and no checkout is touched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from ..git import history
from ..git.door import GitError, Unknown
from ..model.excerpt import some
from ..model.frozen import dataclass, replace
from ..model.strategy import Strategy
from ..model.translate import N_
from ..worktree import dependencies
from ..worktree.committing import commit_message
from ..worktree.manager import WorktreeManager
from .built_on import BuiltOn, built_on
from .choice import Choice
from .layers import SESSION, Candidate, Held, Layer, Put, Resolution, Stack, conflict_between

LOSSY = N_("one of its merge commits has changes of its own, which rebase would lose")


@dataclass(frozen=True)
class Conflict:
    """A conflict: ``ours`` and the candidate's tip are the sides of the merge.

    ``ours`` has the tree of ``onto``, the top of the stack, but may have another parent.
    """

    candidate: Candidate
    onto: str
    ours: str
    below: tuple[Candidate, ...]
    files: tuple[str, ...]


Resolve = Callable[[Conflict], Awaitable[Resolution]]


class Stacker:
    """Stacks features on a commit of the branch ``into``.

    ``candidates`` are in topological order. ``check`` returns why a commit fails, or nothing.
    ``resolve`` can resolve a conflict; it is called only on top of a passing stack.
    """

    def __init__(
        self,
        worktrees: WorktreeManager,
        into: str,
        base: str,
        candidates: Sequence[Candidate],
        *,
        strategy: Strategy,
        check: Callable[[str], Awaitable[str]],
        resolve: Resolve | None = None,
    ) -> None:
        self.worktrees = worktrees
        self.git = worktrees.git
        self.into = into
        self.base = base
        self.candidates = candidates
        self.strategy = strategy
        self.check = check
        self.resolve = resolve
        tried = partial(self.put, is_trial=True)
        self.choice = Choice(worktrees.git, into, base, candidates, self.put, tried)
        self._seen: dict[str, str] = {}
        """Results of the check, by tree."""
        self._puts: dict[tuple[str, str], Put] = {}
        """By commit and id: the same stack is tried several times."""
        self._trials: dict[tuple[str, str], Put] = {}
        self.reused: dict[str, Resolution] = {}
        """By the commit on the stack: the resolutions of a run that were used again."""
        self._on: dict[str, frozenset[str]] = {base: frozenset()}
        """The ids of what a commit of a stack holds."""
        self._built: list[BuiltOn] | None = None

    # -- which features pass together ---------------------------------------------------------

    async def passing(self, held: Mapping[str, Held]) -> Stack:
        """A passing stack of all candidates except those ``held`` and those that make it fail.

        Bisection finds one culprit at a time, which is left out with its dependents. At the end
        each culprit is tried again without the others, so no single one could be added back.
        A larger stack with other culprits may exist.
        """
        out = dict(held)
        culprits: list[str] = []
        while True:
            stack = await self.stack(out)
            fails = stack.is_cut_short or bool(stack.layers and await self._failure(stack.tip))
            if not fails:
                return await self._second_chance(stack, out, culprits)
            failure = await self._failure(self.base)
            if failure:
                why = Held(
                    N_("the checks already fail on {name}: {failure}").format(
                        name=self.into, failure=failure
                    )
                )
                return Stack(self.base, (), {**out, **{c.id: why for c in self.candidates}})
            number = await self._first_failing(stack)
            culprit = stack.layers[number - 1].candidate.id
            failure = await self._failure(stack.commit(number))
            out[culprit] = Held(N_("the checks fail with it: {failure}").format(failure=failure))
            culprits.append(culprit)

    async def _first_failing(self, stack: Stack) -> int:
        """The lowest number of layers that fails: zero layers pass, all of them fail."""
        passing, failing = 0, len(stack.layers)
        while failing - passing > 1:
            middle = (passing + failing) // 2
            if await self._failure(stack.commit(middle)):
                failing = middle
            else:
                passing = middle
        return failing

    async def _second_chance(
        self, stack: Stack, out: Mapping[str, Held], culprits: Sequence[str]
    ) -> Stack:
        """Retry each culprit: a later feature may have fixed it, or have been the real culprit."""
        for culprit in culprits:
            fewer = {id: held for id, held in out.items() if id != culprit}
            again = await self.stack(fewer)
            if len(again.layers) > len(stack.layers) and not await self._failure(again.tip):
                stack, out = again, fewer
        return stack

    async def _failure(self, commit: str) -> str:
        tree = await self.git.tree_of(commit)
        if tree not in self._seen:
            self._seen[tree] = await self.check(commit)
        return self._seen[tree]

    # -- stacking -------------------------------------------------------------------------------

    async def stack(self, held: Mapping[str, Held]) -> Stack:
        """The largest stack without conflicts of the candidates that are not ``held``.

        With ``resolve``, the others follow on top of it, so that the least is resolved.
        """
        whole = await self._tried(self.candidates, held)
        if not whole.collided:
            return whole
        if any(why.is_unknown for why in whole.held.values()):
            return await self._tried(self.candidates, held, self.resolve)
        largest = await self._largest(held)
        if self.resolve is None:
            return largest
        return await self._tried(self._first(largest), held, self.resolve)

    def _first(self, stack: Stack) -> list[Candidate]:
        """The candidates, those of the stack first: it has what they need."""
        landed = {layer.candidate.id for layer in stack.layers}
        return sorted(self.candidates, key=lambda each: each.id not in landed)

    async def _largest(self, held: Mapping[str, Held]) -> Stack:
        """The largest stack by conflicts of two; where three collide, the later is left out."""
        out, later = dict(held), list[str]()
        while True:
            left_out = await self.choice.left_out(out)
            stack = await self._tried(self.candidates, {**out, **left_out})
            if not stack.collided:
                return await self._with_what_fits(stack, later)
            later.append(stack.collided[0])
            out[later[-1]] = stack.held[later[-1]]

    async def _with_what_fits(self, stack: Stack, left_out: Sequence[str]) -> Stack:
        """Try each of these again with its dependents: what it collided with may be out as well."""
        for id in left_out:
            again = await self._tried(self._first(stack), self._without(stack.held, id))
            stack = again if len(again.layers) > len(stack.layers) else stack
        return stack

    def _without(self, held: Mapping[str, Held], id: str) -> dict[str, Held]:
        """What is held for another reason than a feature and its dependents."""
        free = {id}
        for candidate in self.candidates:
            if candidate.id in held and free.intersection(candidate.needs):
                free.add(candidate.id)
        return {other: why for other, why in held.items() if other not in free}

    async def _tried(
        self,
        candidates: Sequence[Candidate],
        held: Mapping[str, Held],
        resolve: Resolve | None = None,
    ) -> Stack:
        """The candidates in this order, except those ``held``, dependents, and conflicts."""
        out = dict(held)
        layers: list[Layer] = []
        collided: list[str] = []
        tip = self.base
        unknown = next((id for id, why in held.items() if why.is_unknown), "")
        for candidate in candidates:
            id, missing = candidate.id, [need for need in candidate.needs if need in out]
            if id in out:
                continue
            if unknown:
                # Whether it merges depends on what lands before it.
                out[id] = Held(
                    N_("unknown because {other} is unknown").format(other=unknown),
                    is_unknown=True,
                )
            elif missing:
                out[id] = Held(
                    N_("it depends on {missing}, also held").format(missing=", ".join(missing))
                )
            else:
                put = await self._stacked(tip, candidate, layers)
                if isinstance(put, Held) and put.conflict_with and resolve is not None:
                    if await self._failure(tip):
                        return Stack(self.base, tuple(layers), out, is_cut_short=True)
                    put = await self._resolved(resolve, tip, candidate, layers, put)
                if isinstance(put, Held):
                    out[id] = put
                    collided.append(id)
                    unknown = id if put.is_unknown else ""
                else:
                    layers.append(Layer(candidate, put, await self._strategy_of(candidate, put)))
                    tip = put
        return Stack(self.base, tuple(layers), out, collided=tuple(collided))

    async def _stacked(self, onto: str, candidate: Candidate, below: Sequence[Layer]) -> str | Held:
        """The commit with the feature on top, or why it is held."""
        put = await self.put(onto, candidate)
        if isinstance(put, (str, Held)):
            return put
        needs_none = all(layer.candidate.id not in candidate.needs for layer in below)
        if needs_none and not isinstance(await self.put(self.base, candidate, is_trial=True), str):
            # A layer may hold what it meets, too: a dependency that landed before.
            return conflict_between(candidate.id, self.into, put)
        other = await self._other_side(candidate, below)
        if other:
            return conflict_between(candidate.id, other, put)
        return await self._conflict_of_several(candidate, below, put)

    async def put(self, onto: str, candidate: Candidate, *, is_trial: bool = False) -> Put:
        """The commit with the feature on top, the files in conflict, or why it is held.

        ``is_trial``: a feature that merges gives some commit, which may lack the feature.
        """
        key = (onto, candidate.id)
        known = self._trials if is_trial and key not in self._puts else self._puts
        if key not in known:
            try:
                put = await self._put(onto, candidate, is_trial)
                if isinstance(put, tuple):
                    put = await self._put_as_built_on(onto, candidate) or put
                if isinstance(put, str) and not is_trial:
                    on = self._on.get(put, frozenset()) | self._on.get(onto, frozenset())
                    self._on[put] = on | {candidate.id}
                known[key] = put
            except Unknown as error:
                known[key] = Held(error.message, is_unknown=True)
            except GitError as error:
                known[key] = Held(error.message)
        return known[key]

    async def _resolved(
        self,
        resolve: Resolve,
        onto: str,
        candidate: Candidate,
        below: Sequence[Layer],
        held: Held,
    ) -> str | Held:
        """The commit with the feature on top, its conflict resolved; else why it is held.

        If a single commit conflicts when copied, but the feature as a whole does not, it lands
        as one commit, without a resolution.
        """
        try:
            ours = await self._ours(onto, candidate)
            tree, files = await self._merge(ours, candidate.tip)
            is_whole = await self._is_whole(onto, candidate)
            if tree:
                return await self._commit(onto, candidate, tree, is_whole)
            others = tuple(layer.candidate for layer in below)
            made = await resolve(Conflict(candidate, onto, ours, others, tuple(files)))
            if not made.commit:
                return replace(held, reason=f"{held.reason}; {made.reason}")
            tree = await self.git.tree_of(made.commit)
            return await self._commit(onto, candidate, tree, is_whole, made)
        except GitError as error:
            return replace(held, reason=f"{held.reason}; {error.message}")

    async def _other_side(self, candidate: Candidate, below: Sequence[Layer]) -> str:
        """The feature of the stack that conflicts, if one does alone."""
        for layer in below:
            with suppress(Unknown):
                tree, _ = await self._merge(layer.candidate.tip, candidate.tip)
                if not tree:
                    return layer.candidate.id
        return ""

    async def _conflict_of_several(
        self, candidate: Candidate, below: Sequence[Layer], files: tuple[str, ...]
    ) -> Held:
        """The conflict with the branch, or with the first layer that conflicts with it together."""
        commits = [self.base, *(layer.commit for layer in below)]
        needed = (n for n, layer in enumerate(below, 1) if layer.candidate.id in candidate.needs)
        merging, colliding = max(needed, default=0), len(below)
        if not isinstance(await self.put(commits[merging], candidate, is_trial=True), str):
            return conflict_between(candidate.id, self.into, files)
        while colliding - merging > 1:
            middle = (merging + colliding) // 2
            if isinstance(await self.put(commits[middle], candidate, is_trial=True), str):
                merging = middle
            else:
                colliding = middle
        other = below[colliding - 1].candidate.id
        return conflict_between(candidate.id, other, files, together=True)

    async def _put(self, onto: str, candidate: Candidate, is_trial: bool) -> Put:
        if await self.git.is_ancestor(candidate.tip, onto):
            return onto
        if self.strategy is Strategy.REBASE:
            return await self._replay(onto, candidate)
        is_whole = await self._is_whole(onto, candidate)
        if self.strategy is Strategy.MERGE and not is_whole:
            replayed = await self._replay(onto, candidate)
            if isinstance(replayed, str):
                return replayed
        tree, files = await self._merge(await self._ours(onto, candidate), candidate.tip)
        if not tree or is_trial:
            return onto if tree else tuple(files)
        return await self._commit(onto, candidate, tree, is_whole)

    # -- resolutions that a run made for a feature that depends on both sides ----------------------

    async def _put_as_built_on(self, onto: str, candidate: Candidate) -> str:
        """The commit with the feature on top, as another candidate has it; empty if none has.

        The other candidate started from a merge of it that Claude resolved. What this merge added
        to the other side, which the stack holds, is what comes on top.
        """
        if self._built is None:
            self._built = await built_on(self.git, self.base, self.candidates)
        for made in self._built:
            if made.tip != candidate.tip or not made.others <= self._on.get(onto, frozenset()):
                continue
            tree, _ = await self._merge(await self._as_child(onto, made.ours), made.commit)
            if tree:
                whole = replace(candidate, tip=made.commit)
                is_whole = await self._is_whole(onto, candidate)
                known = replace(made.resolution, files=tuple(sorted(await self._conflicting(made))))
                put = await self._commit(onto, whole, tree, is_whole, known)
                self.reused[put] = known
                return put
        return ""

    async def _conflicting(self, made: BuiltOn) -> list[str]:
        """The files of the conflict."""
        _, files = await self._merge(made.ours, made.tip)
        return files

    async def _is_whole(self, onto: str, candidate: Candidate) -> bool:
        """Whether the feature can land as a merge commit: that brings in only its own commits.

        Else its history contains foreign commits that the branch lacks: amended or reset away,
        of another branch, or of a dependency that has not landed. A second parent would claim
        that they were merged.
        """
        if self.strategy is not Strategy.MERGE:
            return False
        start = candidate.start_commit
        if not start or await self.git.is_ancestor(start, self.base):
            return True  # As most are: nothing is asked of git for each stack.
        missing = await history.own_commits(self.git, start, [onto])
        return all([await self._joins(commit, parents) for commit, parents in missing])

    async def _joins(self, commit: str, parents: Sequence[str]) -> bool:
        """Whether a commit is a clean merge, like the start of a feature with two dependencies."""
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
        """Commit the feature on top; as a merge only if ``is_whole``."""
        message = _merge_message(candidate) if is_whole else self._message(candidate)
        message = _resolved_message(message, made) if made else message
        if is_whole:
            return await self.git.commit_tree(tree, (onto, candidate.tip), message)
        if tree == await self.git.tree_of(onto):
            return onto
        return await self.git.commit_tree(tree, (onto,), message)

    def _message(self, candidate: Candidate) -> str:
        return commit_message(candidate.feature, candidate.run, self.worktrees.commit_subject)

    async def _strategy_of(self, candidate: Candidate, put: str) -> Strategy:
        is_merge = self.strategy is not Strategy.MERGE or await self.git.is_ancestor(
            candidate.tip, put
        )
        return self.strategy if is_merge else Strategy.REBASE

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
        """Whether the copied commits lost nothing that a merge commit of the feature brought in."""
        tree, _ = await self._merge(await self._ours(below, candidate), candidate.tip)
        return tree == await self.git.tree_of(replayed)

    async def _ours(self, onto: str, candidate: Candidate) -> str:
        """The commit to merge the feature with, such that only its own work comes in.

        If its dependencies landed as other commits, git's merge base is too old: their work
        would count as the feature's and undo later changes.
        """
        start, shared = candidate.start_commit, await self.git.merge_base(onto, candidate.tip)
        if not (start and shared) or await self.git.is_ancestor(start, shared):
            return onto
        # Unless newer commits of the branch were merged into the feature by hand.
        own = await self.git.is_ancestor(shared, start)
        return await self._as_child(onto, start) if own else onto

    async def _as_child(self, commit: str, parent: str) -> str:
        """A commit with the same tree on top of ``parent``, which becomes the merge base."""
        tree = await self.git.tree_of(commit)
        return await self.git.commit_tree(tree, (parent,), "a side of a merge")

    async def _merge(self, ours: str, theirs: str) -> tuple[str, list[str]]:
        """The tree of a merge (empty in a conflict) and the files in conflict."""
        return await dependencies.merge(self.worktrees, ours, theirs)


def _merge_message(candidate: Candidate) -> str:
    name = " ".join(candidate.feature.name.split())
    return (
        f"merge {candidate.id}: {name}\n\n"
        f"RoRchestrator-Feature: {candidate.id}\nRoRchestrator-Run: {candidate.run}\n"
    )


def _resolved_message(message: str, made: Resolution) -> str:
    """The message of a merge resolved by Claude; the trailers stay the last paragraph."""
    subject, _, trailers = message.partition("\n\n")
    said = " ".join(f"Claude resolved the conflict in {some(made.files)}.".split())
    session = f"{SESSION}: {made.session_id}\n" if made.session_id else ""
    return f"{subject}\n\n{said}\n\n{trailers}{session}"
