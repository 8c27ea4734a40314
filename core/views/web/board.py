"""`Board`: what the page shows of the last run, part by part, kept up to date from the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from ...journal.follow import Follower
from ...journal.lock import Holder
from ...model.errors import UserError
from ...model.events import Event
from ...model.frozen import dataclass, replace
from ...model.json_values import Json
from ...model.outcome import Status
from ...model.provenance import Provenance
from ...model.state import FeatureState, Run, RunState
from ...reporter.documents import RunReport
from ..run_view import NO_EXTRAS, Extras, FeatureView, OwnDiff, RunView, run_view
from . import pages
from .listeners import message

SHORTEST_SECONDS = 0.4
"""Between two renderings."""

SHARE = 40
"""A rendering costs at most this part of the time: with many features, the page is later."""

CLOCK_SECONDS = 5.0
"""A page of a current run is rendered again after this time, even if nothing happened."""

CHANGES_EXTRAS = ("checked", "ended")
"""The kinds of events after which a feature may have other outputs of checks, or a diff."""

ARRANGEMENT = "-arrangement"


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


class Board:
    """The parts of the page. Not safe for threads: see :class:`~.feed.Feed`.

    ``holder`` tells who holds the lock, ``know`` reads the list again, ``complete`` completes a
    command with the options of this one.
    """

    def __init__(
        self,
        journal: str,
        know: Callable[[], Known],
        holder: Callable[[], Holder | None],
        complete: Callable[[str], str] = str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._follower = Follower(journal)
        self._know = know
        self._known = know()
        self._holder = holder
        self._complete = complete
        self._clock = clock
        self._events: list[Event] = []
        """Of the last run."""
        self._restarts = 0
        self._fault = ""
        self._is_dirty = True
        self._due = self._clock_due = 0.0
        self._stale: set[str] = set()
        """The features whose extras may have changed."""
        self._checks: dict[str, Sequence[tuple[str, ...]]] = {}
        self._diffs: dict[str, OwnDiff] = {}
        self._data: dict[str, tuple[str, Json]] = {}
        """What was sent last: kind and data of each message, by the name of the part."""
        self._changed: dict[str, int] = {}
        """Up to where the journal was read when a part changed."""
        self._unsent: set[str] = set()
        """The parts that changed and were not sent yet."""
        self._shown: dict[str, tuple[FeatureView, pages.Situation]] = {}
        """From what the part of each feature was made."""
        self.view: RunView | None = None
        """What is shown; ``None`` before the first :meth:`refresh`."""
        self.situation = pages.Situation()

    @property
    def position(self) -> str:
        """The place in the journal up to which the page is."""
        return self._follower.position

    @property
    def title(self) -> str:
        """The title of the page."""
        assert self.view is not None
        return pages.title_of(self.view, self._known.name)

    def refresh(self, now: float, *, at_once: bool = False) -> None:
        """Follow the journal, and render what changed: now and then only, unless ``at_once``.

        ``now`` is monotonic.
        """
        self._catch_up()
        is_late = self.situation.takes_requests and now >= self._clock_due
        if not at_once and (now < self._due or not (self._is_dirty or is_late)):
            return
        begun = time.perf_counter()
        self._render()
        cost = time.perf_counter() - begun
        self._is_dirty = False
        self._due = now + max(SHORTEST_SECONDS, SHARE * cost)
        self._clock_due = now + max(CLOCK_SECONDS, SHARE * cost)

    def news(self) -> list[bytes]:
        """The messages of the parts that changed since the last call."""
        # A feature that is new has no place in the page before the arrangement.
        names = sorted(self._unsent & self._data.keys(), key=lambda name: name != ARRANGEMENT)
        self._unsent.clear()
        return [self._message(name) for name in names]

    def since(self, position: str) -> list[bytes]:
        """The messages that a page needs which has seen everything up to a position."""
        offset = self._follower.offset_of(position)
        return [
            self._message(name)
            for name in self._data
            if offset is None or self._changed[name] > offset
        ]

    def page(self, csrf: str) -> str:
        """The whole page."""
        html = {name: str(data["html"]) for name, data in self._parts()}
        lists = self._data[ARRANGEMENT][1]
        assert isinstance(lists, dict)
        shown = {key: ids for key, ids in lists.items() if isinstance(ids, list)}
        return pages.page(self.title, html, shown, self.position, csrf)

    def feature(self, id: str) -> FeatureState | None:
        """A feature that is shown; ``None`` for any other id."""
        features = self.view.features if self.view else ()
        return next((each.known for each in features if each.id == id), None)

    @property
    def active(self) -> list[FeatureState]:
        """The features that run."""
        features = self.view.features if self.view and self.situation.takes_requests else ()
        return [each.known for each in features if each.status.active]

    def _parts(self) -> list[tuple[str, Mapping[str, Json]]]:
        return [
            (name, data)
            for name, (kind, data) in self._data.items()
            if kind == "part" and isinstance(data, dict)
        ]

    def _message(self, name: str) -> bytes:
        return message(*self._data[name], position=self.position)

    def _catch_up(self) -> None:
        fault = ""
        try:
            events = self._follower.catch_up()
        except UserError as error:
            events, fault = [], f"{error.message} ({error.hint})" if error.hint else error.message
        if self._follower.restarts != self._restarts:
            self._restarts = self._follower.restarts
            self._events.clear()
            self._is_dirty = True
        holder = self._holder()
        situation = self._situation(holder, fault)
        if events:
            self._take(events)
            situation = self._situation(holder, fault)
        self._is_dirty = self._is_dirty or bool(events) or situation != self.situation
        self.situation = situation

    def _take(self, events: list[Event]) -> None:
        starts = [number for number, event in enumerate(events) if event.kind == "run_started"]
        if starts:
            events = events[starts[-1] :]
            self._events.clear()
            self._checks.clear()
            self._diffs.clear()
            self._known = self._know()
        self._events += events
        self._stale.update(event.feature for event in events if event.kind in CHANGES_EXTRAS)
        run = self._follower.state.run
        if run is not None and run.ended_at is not None:
            # What did not complete has a diff from now on.
            self._stale.update(run.features)

    def _situation(self, holder: Holder | None, fault: str) -> pages.Situation:
        run = self._follower.state.run
        is_open = run is not None and run.ended_at is None
        runs = is_open and holder is not None and run is not None and holder.pid == run.pid
        faults = tuple(filter(None, (_of_list(self._known.fault), fault)))
        was_killed = is_open and not runs
        return pages.Situation(runs, was_killed, faults, self._complete)

    def _render(self) -> None:
        """Render what may have changed."""
        view = self.view = self._view()
        made: dict[str, tuple[str, Json]] = {
            pages.BAR: _part(pages.BAR, pages.bar(view, self.situation)),
            ARRANGEMENT: ("arrange", {**pages.arrangement(view), "title": self.title}),
        }
        for name in pages.MAIN:
            made[name] = _part(name, pages.part(view, name))
        for each in view.features:
            sources = (each, self.situation)
            if self._shown.get(each.id) == sources:
                made[each.id] = self._data[each.id]
            else:
                self._shown[each.id] = sources
                made[each.id] = _part(each.id, pages.feature_part(each, self.situation))
        changed = [name for name, data in made.items() if self._data.get(name) != data]
        self._data = made
        self._changed.update(dict.fromkeys(changed, self._follower.offset))
        self._unsent.update(changed)

    def _view(self) -> RunView:
        state, known = self._known.seen(self._follower.state), self._known
        run = self._follower.state.run
        if run is None:
            run = _never_ran(known, self._clock())
            state = replace(state, run=run)
        report = RunReport(
            state,
            run,
            project_name=known.name,
            waves=(),
            branches=(),
            up_to_date=None,
            max_cost_usd=run.provenance.max_cost_usd,
        )
        extras = self._extras(report) if run.id else NO_EXTRAS
        extras = replace(extras, names={id: name for id, (name, _) in known.features.items()})
        killed = self.situation.was_killed and self._events
        now = self._events[-1].at if killed else self._clock()
        return run_view(report, self._events, now, extras)

    def _extras(self, report: RunReport) -> Extras:
        """The extras of all features; those that may have changed are asked for again."""
        ids = tuple(id for id in report.run.features if id in self._stale)
        if ids:
            part = replace(report, run=replace(report.run, features=ids))
            about = [event for event in self._events if event.feature in self._stale]
            new = self._known.extras(part, about)
            self._checks.update(new.checks)
            self._diffs.update(new.diffs)
        self._stale.clear()
        return Extras(self._checks, self._diffs)


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


def _of_list(fault: str) -> str:
    return f"The feature list cannot be used: {fault}" if fault else ""


def _part(name: str, html: str) -> tuple[str, Json]:
    return "part", {"id": name, "html": html}


def has_claude(known: FeatureState) -> bool:
    """Whether Claude runs at a feature."""
    return known.status is Status.RUNNING and bool(known.attempts)
