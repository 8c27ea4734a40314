"""Where a feature's branch belongs: on the base, on a dependency's branch, on a merge of several.

A pull request shows what its branch has since the merge base with its own base. So it shows the
feature's own work only if the commit that the feature started from is in that base. If a
dependency landed by a squash merge, or was redone, it is not: then the own commits are copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..git import history, replay
from ..model.excerpt import some
from ..model.frozen import dataclass
from ..model.state import RunState
from ..model.translate import N_
from ..project.open import OpenProject
from ..project.remote import Remote
from ..worktree import dependencies
from ..worktree.merge_proof import how_merged
from .work import Held, Landed, Work

JOINED = "+base"
"""The end of the branch that merges several dependencies. No id of a feature has a ``+``."""


@dataclass(frozen=True)
class Place:
    """A branch's commit, and the branch that it is built on."""

    base: str
    commit: str
    onto: str
    """The commit of the base that it is built on."""
    joined: str = ""
    """The merge of several dependencies, which has to be pushed as ``base``."""
    was_copied: bool = False

    @property
    def words(self) -> str:
        """What a reviewer should know of a copy."""
        if not self.was_copied:
            return ""
        return N_("its commits were put on {base} ({commit})").format(
            base=self.base, commit=self.onto[:10]
        )


class Places:
    """Finds the place of each feature; ``below`` are the commits of the branches handed over."""

    def __init__(
        self, project: OpenProject, state: RunState, remote: Remote, below: Mapping[str, str]
    ) -> None:
        self.project = project
        self.git = project.git
        self.state = state
        self.remote = remote
        self.below = below
        """The commits on the remote of the features that are not landed, by id."""

    def needs_of(self, id: str) -> list[str]:
        """The dependencies that a feature is built on: no one's that another one is built on."""
        dag = self.project.dag
        direct = [need for need in dag.features[id].depends_on if need in self.below]
        deeper = {below for need in direct for below in dag.ancestors([need]) if below != need}
        return [need for need in direct if need not in deeper]

    async def place_of(self, work: Work) -> Place | Held | Landed:
        """Where the branch of a feature belongs."""
        needs = self.needs_of(work.id)
        if not needs:
            return await self._on_base(work)
        if len(needs) == 1:
            branch = self.state.feature(needs[0]).branch
            return await self._on(work, branch, self.below[needs[0]])
        joined = await self._joined(work, needs)
        if isinstance(joined, Held):
            return joined
        return await self._on(work, work.branch + JOINED, joined, joined=joined)

    async def _on(
        self, work: Work, base: str, onto: str, *, joined: str = ""
    ) -> Place | Held | Landed:
        if await self.git.is_ancestor(onto, work.tip):
            return Place(base, work.tip, onto, joined)
        put = await self._copied(work, onto, base)
        if not isinstance(put, str):
            return put
        return Place(base, put, onto, joined, was_copied=True)

    async def _on_base(self, work: Work) -> Place | Held | Landed:
        base, target = self.remote.base, self.remote.base_commit
        if await self.git.is_ancestor(work.start, target):
            return Place(base, work.tip, await self.git.merge_base(target, work.tip))
        why = await self._why_unpublished(work, target)
        if why:
            return Held(why)
        # As it was put before, although the base moved on since.
        there = self.remote.branches.get(work.branch, "")
        earlier = await self.git.merge_base(there, target) if there else ""
        if earlier and await self._copied(work, earlier, base) == there:
            return Place(base, there, earlier, was_copied=True)
        put = await self._copied(work, target, base)
        return Place(base, put, target, was_copied=True) if isinstance(put, str) else put

    async def _why_unpublished(self, work: Work, target: str) -> str:
        """Why the base that a feature started from has commits that the remote lacks."""
        began = work.known.base_commit
        if not began or await how_merged(self.project.worktrees, began, target):
            return ""
        return N_(
            "it started from {commit} of {base}, which {remote} does not have: "
            "git push {remote} {base}"
        ).format(commit=began[:10], base=self.remote.base, remote=self.remote.name)

    async def is_whole(self, work: Work, pushed: str) -> bool:
        """Whether a commit that was pushed is all of the feature's work, as it is or as a copy."""
        if pushed == work.tip:
            return True
        began = await self.git.merge_base(pushed, self.remote.base_commit)
        return bool(began) and await self._copied(work, began, self.remote.base) == pushed

    # -- commits -------------------------------------------------------------------------------

    async def _joined(self, work: Work, needs: Sequence[str]) -> str | Held:
        """The merge of the dependencies; the feature's own start, if that is one of just them."""
        commits = [self.below[need] for need in needs]
        inside = [await self.git.is_ancestor(commit, work.start) for commit in commits]
        if all(inside) and not await self._has_more(work.start, commits):
            return work.start
        joined, names = commits[0], [needs[0]]
        for need, commit in zip(needs[1:], commits[1:]):
            tree, files = await dependencies.merge(self.project.worktrees, joined, commit)
            if not tree:
                return Held(
                    N_("{one} and {other}, which it depends on, conflict in {files}").format(
                        one=", ".join(names), other=need, files=some(files)
                    )
                )
            names.append(need)
            message = f"merge {' and '.join(names)}\n\nThe base of {work.id}, which needs them.\n"
            joined = await replay.joined(self.git, tree, (joined, commit), message)
        return joined

    async def _has_more(self, start: str, commits: Sequence[str]) -> bool:
        """Whether the start has more than the dependencies and merges of them."""
        own = await history.own_commits(self.git, start, (*commits, self.remote.base_commit))
        return any(len(parents) < 2 for _, parents in own)

    async def _copied(self, work: Work, onto: str, base: str) -> str | Held | Landed:
        """The feature's own commits on another one."""
        put = onto
        commits = await history.own_commits(self.git, work.tip, (work.start, onto))
        for commit, parents in commits:
            if len(parents) != 1:
                continue
            side = await self._as_child(put, parents[0])
            tree, files = await dependencies.merge(self.project.worktrees, side, commit)
            if not tree:
                return Held(
                    N_("its commits conflict with {base} in {files}").format(
                        base=base, files=some(files)
                    )
                )
            if tree != await self.git.tree_of(put):
                put = await replay.copied(self.git, commit, tree, put)
        if put == onto:
            return Landed(N_("{base} has all of its changes already").format(base=base))
        if any(len(parents) > 1 for _, parents in commits):
            return await self._if_whole(work, onto, put)
        return put

    async def _if_whole(self, work: Work, onto: str, put: str) -> str | Held:
        """The copy, if it has everything that the merge commits of the feature brought in."""
        side = await self._as_child(onto, work.start)
        tree, _ = await dependencies.merge(self.project.worktrees, side, work.tip)
        if tree == await self.git.tree_of(put):
            return put
        return Held(
            N_("one of its merge commits has changes of its own, which a copy of it would lose")
        )

    async def _as_child(self, commit: str, parent: str) -> str:
        """A commit with the same tree on ``parent``, which becomes the merge base."""
        tree = await self.git.tree_of(commit)
        return await self.git.commit_tree(tree, (parent,), "a side of a merge")
