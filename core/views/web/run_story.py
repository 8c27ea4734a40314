"""`RunStory`: the last run in a journal that grows, and its view, whole or of what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ...journal.follow import Follower
from ...journal.lock import Holder
from ...model.errors import UserError
from ...model.events import Event
from ...model.frozen import dataclass, replace
from ...model.provenance import Provenance
from ...model.state import FeatureState, Run, RunState
from ...reporter.documents import RunReport
from ..recorded_run import as_killed
from ..run_view import NO_EXTRAS, Extras, OwnDiff, RunView, feature_view, run_view

CHANGES_EXTRAS = ("checked", "ended")
"""The kinds of events after which a feature may have other outputs of checks, or a diff."""


@dataclass(frozen=True)
class Known:
    """What the page needs to know of a feature list and its repository."""

    name: str
    features: Mapping[str, tuple[str, tuple[str, ...]]]
    """Name and dependencies of each of its features, by id."""
    base_branch: str
    base_commit: str
    fault: str = ""
    """Why the list can't be used."""
    seen: Callable[[RunState], RunState] = lambda state: state
    """A state with the features of the list only."""
    extras: Callable[[RunReport, Sequence[Event]], Extras] = lambda report, events: NO_EXTRAS
    """Diffs and outputs of checks of the features of a report, and the events about them."""


class RunStory:
    """Follows the last run. ``holder`` tells who holds the lock, ``know`` reads the list again."""

    def __init__(
        self,
        journal: str,
        know: Callable[[], Known],
        holder: Callable[[], Holder | None],
        clock: Callable[[], float],
    ) -> None:
        self.known = know()
        self.is_current = False
        """Whether the run is in progress."""
        self.was_killed = False
        self.fault = ""
        """What is wrong with the journal."""
        self._know = know
        self._holder = holder
        self._clock = clock
        self._follower = Follower(journal)
        self._restarts = 0
        self._events: list[Event] = []
        """Of the last run."""
        self._by_feature: dict[str, list[Event]] = {}
        self._blank: dict[str, FeatureState] = {}
        """The features of the run as they are before they begin, made once."""
        self._touched: set[str] = set()
        """The features with events since the last view."""
        self._stale: set[str] = set()
        """The features whose extras may have changed."""
        self._checks: dict[str, Sequence[tuple[str, ...]]] = {}
        self._diffs: dict[str, OwnDiff] = {}

    @property
    def position(self) -> str:
        """The place in the journal up to which it was read."""
        return self._follower.position

    @property
    def offset(self) -> int:
        """How many bytes of the journal were read."""
        return self._follower.offset

    def offset_of(self, position: str) -> int | None:
        """How many bytes are before a place, ``None`` unless it is one of this journal."""
        return self._follower.offset_of(position)

    @property
    def run_id(self) -> str:
        """The id of the run; empty before the first one."""
        run = self._follower.state.run
        return "" if run is None else run.id

    @property
    def features(self) -> list[FeatureState]:
        """The features of the run."""
        state, run = self._follower.state, self._follower.state.run
        return [] if run is None else [state.feature(id) for id in run.features]

    def follow(self) -> bool:
        """Read what is new; whether anything changed."""
        before = (self.is_current, self.was_killed, self.fault, self._restarts)
        events: list[Event] = []
        try:
            events = self._follower.catch_up()
            self.fault = ""
        except UserError as error:
            self.fault = f"{error.message} ({error.hint})" if error.hint else error.message
        if self._follower.restarts != self._restarts:
            self._restarts = self._follower.restarts
            self._forget()
        if events:
            self._take(events)
        holder, run = self._holder(), self._follower.state.run
        is_open = run is not None and run.ended_at is None
        self.is_current = bool(is_open and holder and run and holder.pid == run.pid)
        self.was_killed = is_open and not self.is_current
        now = (self.is_current, self.was_killed, self.fault, self._restarts)
        return bool(events) or now != before

    def _forget(self) -> None:
        for each in (self._events, self._by_feature, self._blank, self._checks, self._diffs):
            each.clear()

    def _take(self, events: Sequence[Event]) -> None:
        starts = [number for number, event in enumerate(events) if event.kind == "run_started"]
        if starts:
            events = events[starts[-1] :]
            self._forget()
            self.known = self._know()
        if any(event.kind == "reloaded" for event in events):
            self.known = self._know()
            self._blank.clear()
        self._events += events
        for event in events:
            self._by_feature.setdefault(event.feature, []).append(event)
            self._touched.add(event.feature)
            if event.kind in CHANGES_EXTRAS:
                self._stale.add(event.feature)
        run = self._follower.state.run
        if run is not None and run.ended_at is not None:
            # What did not complete has a diff from now on.
            self._stale.update(each.id for each in self.features if each.status.unsuccessful)

    # -- views ------------------------------------------------------------------------------

    def view(self) -> RunView:
        """The whole view."""
        report, now = self._report()
        self._touched.clear()
        return run_view(report, self._events, now, self._extras(report))

    def changed_view(self, before: RunView) -> tuple[RunView, list[str]]:
        """A view of which only the features that may have changed are made anew; their ids.

        The rest is as ``before``, which is a view of the same run.
        """
        report, now = self._report()
        extras = self._extras(report)
        features, changed = [], []
        for each in before.features:
            if each.id in self._touched or each.status.active:
                story = self._by_feature.get(each.id, ())
                made = feature_view(report, each.id, story, now, extras)
                each = replace(made, is_critical=each.is_critical)
                changed.append(each.id)
            features.append(each)
        self._touched.clear()
        return replace(before, report=report, features=tuple(features), now=now), changed

    def _report(self) -> tuple[RunReport, float]:
        """The report of the run so far, and the time until which it is shown."""
        known, now = self.known, self._clock()
        state, run = known.seen(self._follower.state), self._follower.state.run
        if run is None:
            run = _never_ran(known, now)
        elif run.ended_at is not None:
            now = run.ended_at
        elif self.was_killed:
            state, run, now = as_killed(state, run, self._events)
        if not self._blank:
            self._blank = {id: FeatureState(id) for id in run.features}
        report = RunReport(
            replace(state, run=run, features={**self._blank, **state.features}),
            run,
            project_name=run.provenance.project or known.name,
            waves=(),
            branches=(),
            up_to_date=None,
            max_cost_usd=run.provenance.max_cost_usd,
        )
        return report, now

    def _extras(self, report: RunReport) -> Extras:
        """The extras of all features; those that may have changed are asked for again."""
        ids = tuple(id for id in report.run.features if id in self._stale)
        if ids:
            part = replace(report, run=replace(report.run, features=ids))
            about = [event for event in self._events if event.feature in self._stale]
            new = self.known.extras(part, about)
            self._checks.update(new.checks)
            self._diffs.update(new.diffs)
        self._stale.clear()
        names = {id: name for id, (name, _) in self.known.features.items()}
        return Extras(self._checks, self._diffs, names)


def _never_ran(known: Known, at: float) -> Run:
    """Stands for the run of a list that has not run yet."""
    return Run(
        "",
        at,
        base_branch=known.base_branch,
        base_commit=known.base_commit,
        features=tuple(known.features),
        ended_at=at,
        provenance=Provenance(depends_on={id: on for id, (_, on) in known.features.items()}),
    )
