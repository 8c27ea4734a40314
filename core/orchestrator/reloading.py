"""`Reloading`: a run takes up a changed feature list, when it is asked to or by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from ..dag import incremental
from ..dag.list_change import ListChange, Where, later_keys
from ..dag.resolver import DAGResolver
from ..git.refs import SEEN
from ..journal.control import Request
from ..model.decision import Decision
from ..model.errors import UserError
from ..model.events_reload import Reloaded, reloaded
from ..model.feature import Config, Feature
from ..model.frozen import dataclass, replace
from ..model.list_outline import outline_of
from ..model.provenance import Provenance
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project import feature_list, running_list
from ..project.decisions import decide
from ..project.list_reload import Reload, as_the_run_reads, reload_of
from ..project.open import OpenProject, commands
from ..project.past import Forecast, forecast_of
from ..project.running_list import RunningList
from ..project.selection import Selection, left_out
from ..runner.budget import Budget
from ..runner.claude_runner import ClaudeRunner
from . import parts
from .conflict_probe import ConflictProbe
from .loop import Orchestrator, Standing
from .steering import Answer, Decided, Steering

AGAIN = "rorchestrator reload"

WITH_CONSENT = "rorchestrator reload --yes"

SHOWN = 10
"""How many features or faults a sentence names."""

KEPT = (Where.RUNNING, Where.DONE)
"""Where a feature stays as it began."""

_PLACES = {
    Standing.WAITING: Where.WAITING,
    Standing.WORKING: Where.RUNNING,
    Standing.ENDING: Where.RUNNING,
    Standing.DONE: Where.DONE,
}


@dataclass(frozen=True)
class Followers:
    """The parts of a run that follow a changed list."""

    orchestrator: Orchestrator
    steering: Steering
    runner: ClaudeRunner
    budget: Budget
    probe: ConflictProbe


@dataclass(frozen=True)
class Standpoint:
    """What a run goes by: its list, decisions and expectations."""

    project: OpenProject
    running: RunningList
    forecast: Forecast
    decisions: Mapping[str, Decision]
    selected: tuple[str, ...]
    """The features of the run."""
    left: tuple[str, ...]
    """Selected features that do not run because of a skip."""


@dataclass(frozen=True)
class NextList:
    """A changed list that a run can take up, and what it goes by then."""

    found: Reload
    where: Mapping[str, Where]
    """Where the features of the run are now."""
    after: Standpoint
    graph: DAGResolver

    @property
    def change(self) -> ListChange:
        """What changes in the run."""
        return self.found.change


class Reloading:
    """Takes up changes of the list in one run, whose parts are ``followers``.

    ``now`` is what the run goes by: at first what it began with, then what it took up last.
    """

    def __init__(self, now: Standpoint, followers: Followers, *, sequential: bool) -> None:
        self.now = now
        self.followers = followers
        self.orchestrator = followers.orchestrator
        self.sequential = sequential

    def remember(self) -> None:
        """Write for `rorchestrator reload` what the run follows. If that fails, it can't ask."""
        folder = self.now.project.journal.folder
        try:
            running_list.write(folder, self.now.running)
        except OSError as error:
            text = N_("rorchestrator reload will not work in this run: {path}: {strerror}")
            said = text.format(path=error.filename or folder, strerror=error.strerror)
            self.orchestrator.context.note(said)

    def decide(self, request: Request) -> Decided:
        """The reply to a request, and the act once the reply is in the journal."""
        closed = self.orchestrator.slots.closed
        if closed:
            text = N_("the run starts nothing more: {closed}").format(closed=closed)
            return Answer(False, text), _nothing
        try:
            coming = self.changed()
        except UserError as error:
            return Answer(False, words_of(error), error.hint), _nothing
        if request.listed != coming.found.digest:
            return Answer(False, N_("the list changed since it was shown"), AGAIN), _nothing
        asked = [each.command for each in coming.change.widenings]
        if coming.found.project.consents.missing(asked):
            text = N_("something new in the list needs your consent")
            return Answer(False, text, WITH_CONSENT), _nothing
        act = _nothing if coming.change.is_empty else partial(self.take_up, coming)
        return Answer(True, summary(coming.change)), act

    # -- what changed -------------------------------------------------------------------------

    def changed(self) -> NextList:
        """What the list changes now. Raises :class:`UserError` if that can't be taken up."""
        found, where = self._found(), self._where()
        after = self._standpoint(found, where)
        return NextList(found, where, after, DAGResolver(self._graph(after, where)))

    def _found(self) -> Reload:
        project, running, run = self.now.project, self.now.running, self.orchestrator.state.run
        given = feature_list.load(project.config.path)
        option = run.base_option if run is not None else ""
        new = as_the_run_reads(given, running.outline, option)
        config = _with_features_of(new, project.config)
        feature_list.check_together(config)
        for command in commands(config):
            project.mask.learn_named(" ".join(command.brief))
        seen = replace(
            project,
            config=config,
            dag=DAGResolver(config.features),
            refs=run_sync(project.git.refs(*SEEN)),
        )
        found = reload_of(seen, self.orchestrator.state, running, self._where(), self._merged())
        later = later_keys(running.outline, outline_of(new, project.mask))
        return replace(found, change=replace(found.change, later=later))

    def _merged(self) -> dict[str, str]:
        return {id: made.merged for id, made in self.now.decisions.items()}

    def _where(self) -> dict[str, Where]:
        return {id: self._place(id) for id in self.orchestrator.dag.features}

    def _place(self, id: str) -> Where:
        place = _PLACES.get(self.orchestrator.standing(id))
        if place is not None:
            return place
        known = self.orchestrator.state.feature(id)
        began = known.run == self.orchestrator.context.run_id and known.started_at is not None
        return Where.ENDED if began and known.in_slot else Where.OUT

    # -- the act ------------------------------------------------------------------------------

    def take_up(self, coming: NextList, *, automatic: bool = False) -> None:
        """Record the change, and let every part of the run follow it."""
        context, change = self.orchestrator.context, coming.change
        self._take_over(coming.found)
        self.now = coming.after
        made = Reloaded(
            features=self.now.selected,
            joined=change.joins,
            changed=tuple(change.follows),
            gone=tuple(change.goes),
            out_of_date={**change.still_out_of_date, **change.out_of_date},
            provenance=self._expectations(coming),
        )
        context.record(reloaded, made, text=summary(change), automatic=automatic)
        for id, reason in change.out_of_date.items():
            if coming.where.get(id) is Where.RUNNING:
                text = N_("{reason} in the list while it runs: its result will be out of date")
                context.note(text.format(reason=reason), id)
        self._follow(coming)
        self.remember()

    def _take_over(self, found: Reload) -> None:
        """Record whose ids the new features were, and know what is left of the others' work."""
        recorder, project = self.orchestrator.recorder, found.project
        for event in found.story:
            recorder.emit(event)
        if found.story:
            whole = project.seen(project.whole_state()).features
            known = {id: whole[id] for id in found.change.joins if id in whole}
            recorder.state = replace(recorder.state, features={**recorder.state.features, **known})

    def _standpoint(self, found: Reload, where: Mapping[str, Where]) -> Standpoint:
        before, project, change = self.now, found.project, found.change
        ids = frozenset((*where, *change.joins)).difference(change.goes, change.stays)
        decisions = self._decisions(found, where, [id for id in ids if where.get(id) not in KEPT])
        gone = {id: before.decisions[id] for id in change.stays}
        left: Collection[str] = ()
        if found.selection is not None:
            left = left_out(found.selection, project.dag, decisions)
        forecast = forecast_of(project)
        expected = {**before.forecast.predictions, **forecast.predictions}
        return Standpoint(
            # The refs stay: at its end, a run tells which branches moved since it began.
            replace(project, refs=before.project.refs),
            replace(before.running, outline=found.outline),
            replace(forecast, predictions=expected),
            {**gone, **decisions},
            (*(id for id in project.dag.features if id in ids), *change.stays),
            tuple(left),
        )

    def _decisions(
        self, found: Reload, where: Mapping[str, Where], due: Collection[str]
    ) -> dict[str, Decision]:
        """The decisions about the features of the changed list, with the keys of what has begun.

        What builds on a feature that began with an older entry is out of date together with it.
        """
        project, state, before = found.project, self.orchestrator.state, self.now.decisions
        kept = [id for id, place in where.items() if place in KEPT and id in project.dag.features]
        decisions = decide(
            project,
            state,
            found.selection or Selection(),
            run=self.now.running.run,
            merged=self._merged(),
            made={id: before[id] for id in kept},
        )
        return incremental.with_current_keys(decisions, project.dag, state, due)

    def _graph(self, after: Standpoint, where: Mapping[str, Where]) -> Iterator[Feature]:
        """The features of the run: those that began as they began, the others as listed now."""
        listed, old = after.project.dag.features, self.orchestrator.dag.features
        for id in after.selected:
            is_kept = where.get(id) in KEPT or id not in listed
            yield old[id] if is_kept else listed[id]

    def _expectations(self, coming: NextList) -> Provenance:
        run, context = self.orchestrator.state.run, self.orchestrator.context
        past = context.clock() - run.started_at if run is not None else 0.0
        over = (Where.DONE, Where.ENDED, Where.OUT)
        rest = [id for id in coming.graph.features if coming.where.get(id) not in over]
        slots = self.orchestrator.slots.count
        return parts.expectations(coming.graph, coming.after.forecast, slots, rest, past)

    def _follow(self, coming: NextList) -> None:
        now, followers = coming.after, self.followers
        kept = [id for id, place in coming.where.items() if place in KEPT]
        followers.runner.take_up(now.project.config, kept)
        estimates = parts.budget_estimates(now.project, now.forecast, followers.budget.cap_usd)
        followers.budget.estimates = {**followers.budget.estimates, **estimates}
        decided = now.decisions.items()
        followers.probe.watch_over([id for id, made in decided if not made.merged])
        followers.steering.take_up(coming.found.listed, coming.change.stays)
        rank = parts.rank_of(now.forecast.seconds, sequential=self.sequential)
        self.orchestrator.take_up(
            coming.graph, now.decisions, rank(coming.graph), coming.found.results
        )


def _nothing() -> None:
    """The act of a reply that changes nothing."""


def _with_features_of(new: Config, old: Config) -> Config:
    """The settings of the run with the features and prompts of the changed list."""
    return replace(
        old,
        features=new.features,
        context=new.context,
        quality_rules=new.quality_rules,
        files=new.files,
    )


def words_of(error: UserError) -> str:
    """A fault with its details, in one line."""
    more = len(error.details) - SHOWN
    details = [*error.details[:SHOWN], *([f"… (+{more})"] if more > 0 else [])]
    return "; ".join((error.message, *details))


def summary(change: ListChange) -> str:
    """What changes, in one line."""
    said = [
        *_named(N_("joins the run: {ids}"), change.joins),
        *_named(N_("follows its new entry: {ids}"), [*change.everywhere, *change.follows]),
        *_named(N_("leaves the run: {ids}"), change.goes),
        *_named(N_("left alone: {ids}"), change.stays),
        *_named(N_("out of date: {ids}"), change.out_of_date),
        *_named(N_("up to date again: {ids}"), change.up_to_date),
        *_named(N_("does not join the run: {ids}"), change.left_out),
        *_named(N_("only in the next run: {ids}"), change.later),
    ]
    if change.is_empty:
        said = [N_("the run already follows this list"), *said]
    return "; ".join(said)


def _named(text: str, ids: Collection[str]) -> list[str]:
    given = list(ids)
    more = [f"… (+{len(given) - SHOWN})"] if len(given) > SHOWN else []
    return [text.format(ids=", ".join([*given[:SHOWN], *more]))] if given else []
