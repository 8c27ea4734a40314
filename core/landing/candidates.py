"""Selects the features that `merge` can land, in topological order; reasons why others are held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from ..dag.incremental import out_of_date
from ..git import checkouts, commits
from ..git.door import Unknown
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..project.built_on import built_on_older
from ..project.landed import content_now, how_landed
from ..project.open import OpenProject
from ..project.reviewed import is_required, why_held
from ..project.selection import check_known
from ..worktree.branch_content import BranchContent, Change, start_of
from ..worktree.merge_proof import how_merged
from .layers import Candidate, Held
from .report import Ending, LandingState, MergeOptions
from .target_branch import TargetBranch

OwnCheck = Callable[[Feature, str], Awaitable[str]]
"""Runs the checks of a feature whose branch the user changed; returns what fails."""

UNPUBLISHED = N_("it pins submodule commits that are not published; publish them:")


class Candidates:
    """Selects the features of a ``merge``; adds those already on the target to ``present``."""

    def __init__(
        self,
        project: OpenProject,
        options: MergeOptions,
        state: RunState,
        target: TargetBranch,
        present: list[Candidate],
        own_check: OwnCheck,
    ) -> None:
        self.project = project
        self.options = options
        self.state = state
        self.target = target
        self.present = present
        self.own_check = own_check
        self.endings: dict[str, Ending] = {}
        self.tips: dict[str, str] = {}
        """The tip of each feature's branch, for features that can land."""
        self.only_accepted = is_required(project.config, options.accepted)
        self.older: dict[str, tuple[str, ...]] = {}
        """By feature: the dependencies that have a newer result than the one it started from."""
        self.stale: dict[str, str] = {}
        """Why features are out of date, by id."""
        if not options.stale:
            self.stale = out_of_date(project.config, project.dag, state)

    async def touched(self, candidates: Iterable[Candidate]) -> set[str]:
        """All files changed by the features."""
        git, target = self.project.git, self.target.commit
        bases = [(await git.merge_base(target, each.tip), each.tip) for each in candidates]
        pairs = [(base or target, tip) for base, tip in bases]
        return set().union(*await commits.changed_files(git, pairs))

    async def find(self) -> tuple[list[Candidate], dict[str, Held]]:
        """Features that can land, in topological order; why other requested ones are held."""
        dag = self.project.dag
        check_known("", self.options.ids, dag.features)
        completed = [id for id in dag.features if self._status(id) is Status.COMPLETED]
        asked = set(dag.ancestors(self.options.ids or completed))
        candidates: list[Candidate] = []
        held: dict[str, Held] = {}
        for id in dag.order():
            if id in asked:
                candidate = await self._candidate(self.state.feature(id))
                if isinstance(candidate, Held):
                    held[id] = candidate
                elif candidate is not None:
                    candidates.append(candidate)
        present = [each.id for each in self.present]
        self.older = await built_on_older(self.project, self.state, present)
        for candidate in candidates:
            if candidate.id in self.older:
                ending = self.endings[candidate.id]
                ending.by_hand = "; ".join(
                    filter(None, (ending.by_hand, self._newly(candidate.id)))
                )
        return candidates, held

    def _newly(self, id: str) -> str:
        """How a feature lands whose dependency has a newer result."""
        return N_("built on an older {ids}; its own commits land on the newer one").format(
            ids=some(self.older[id])
        )

    def _status(self, id: str) -> Status:
        return self.state.feature(id).status

    async def _candidate(self, known: FeatureState) -> Candidate | Held | None:
        """The candidate, or why it is held; ``None`` if it is on the target already."""
        id = known.id
        ending = self.endings[id] = Ending(id, known.branch or self.project.worktrees.branch(id))
        content = BranchContent("")
        if known.work is not None:
            content = await content_now(self.project, known, self.target.commit)
        result = known.work.commit if known.work else ""
        tip = content.tip or result
        is_there = bool(await self.project.git.commit_of(tip))
        if known.merged_into == self.target.name:
            ending.merged = N_("cleaned up")
        elif is_there:
            try:
                ending.merged = await self._merged(known, tip)
            except Unknown as error:
                return Held(error.message, is_unknown=True)
            self.tips[id] = tip
        candidate = Candidate(self.project.dag.features[id], known.run, tip, known.work_start)
        if ending.merged:
            ending.state = LandingState.ALREADY
            if is_there and known.start_commit:
                self.present.append(candidate)
            return None
        why_not = self._why_not(known, content, is_there=is_there)
        if why_not:
            return Held(why_not)
        pushes = await self.project.worktrees.unpublished(
            known.worktree, known.start_commit, tip, ending.branch
        )
        if pushes:
            return Held("\n".join((UNPUBLISHED, *pushes)))
        ending.by_hand = content.words
        return await self._current(candidate, content)

    def _why_not(self, known: FeatureState, content: BranchContent, *, is_there: bool) -> str:
        """Why the feature is held without trying to merge it; empty if it is not."""
        if known.status is not Status.COMPLETED or known.work is None:
            return N_("its status is {status}, not completed").format(status=known.status.words)
        if not is_there:
            return N_("its result {commit} no longer exists").format(commit=known.work.commit[:10])
        if not content.tip:
            return f"{content.words}; {content.hint}"
        held = why_held(known, content.tip, only_accepted=self.only_accepted)
        if held:
            return held
        rebased = checkouts.rebase_in_progress(self.project.git, self.endings[known.id].branch)
        if rebased:
            return N_(
                "a rebase of its branch is in progress ({rebased}): finish or abort it first"
            ).format(rebased=rebased)
        if known.id in self.stale:
            return N_(
                "it is out of date ({why}): rorchestrator run reruns it, merge --stale lands it "
                "as it is"
            ).format(why=self.stale[known.id])
        if known.base_option and not self.options.into:
            return N_("it started from {base} (--base): land it with --into BRANCH").format(
                base=known.base_option
            )
        return ""

    async def _current(self, candidate: Candidate, content: BranchContent) -> Candidate | Held:
        """The candidate at its current tip; held if checks fail on what the user changed."""
        feature, tip = candidate.feature, candidate.tip
        if content.change is not Change.NONE:
            failure = await self.own_check(feature, tip)
            if failure:
                return Held(
                    N_("{change}, and its checks fail now: {failure}").format(
                        change=content.words, failure=failure
                    )
                )
        below = [self.tips[id] for id in feature.depends_on if id in self.tips]
        if content.change is not Change.NONE:
            below += await self._undone(feature.id)
        start = await start_of(
            self.project.git, candidate.start_commit, below, tip, self.target.commit
        )
        return replace(candidate, start_commit=start, needs=feature.depends_on)

    async def _undone(self, id: str) -> list[str]:
        """Where the target was before its landings without this feature were undone.

        A branch that was put on one of them must not bring back what was undone.
        """
        tips = [
            move.tip
            for move in self.state.moves.values()
            if move.into == self.target.name and move.undone_at and id not in move.landings
        ]
        return [tip for tip in tips if await self.project.git.commit_of(tip)]

    async def _merged(self, known: FeatureState, tip: str) -> str:
        target = self.target
        how = await how_landed(self.project.git, known, tip, target.commit, target.name)
        return how or await how_merged(self.project.worktrees, tip, target.commit)
