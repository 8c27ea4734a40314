"""`Board`: the parts of the page, kept up to date from the journal, and the messages with them."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...journal.lock import Holder
from ...model.json_values import Json
from ...model.state import FeatureState
from ...model.translate import _, shown
from ..run_view import FeatureView, RunView
from . import pages
from .listeners import message
from .run_story import Known, RunStory

SHORTEST_SECONDS = 0.4
"""Between two renderings."""

CLOCK_SECONDS = 5.0
"""A page of a current run is rendered again after this time, even if nothing happened."""

SHARE = 150
"""Rendering what changed costs at most this part of the time: with many features, it is later."""

WHOLE_SHARE = 400
"""The same for everything, with the pictures and tables."""

LOAD_SHARE = 10
"""The same where somebody loads the page."""

ARRANGEMENT = "-arrangement"

Message = tuple[str, Json]
"""Kind and data of a message."""

QUICK = (pages.BAR, ARRANGEMENT, "-head")
"""The parts that are rendered with each change, beside the features that changed."""


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
        self._story = RunStory(journal, know, holder, clock)
        self._complete = complete
        self._is_late = self._is_late_whole = True
        """Whether something happened since what changed, or everything, was rendered."""
        self._ready = self._whole_ready = self._load_ready = 0.0
        """When the next of these renderings may be."""
        self._clock_at = 0.0
        """When there is one even if nothing happened."""
        self._view: RunView | None = None
        self._situation = pages.Situation()
        self._data: dict[str, Message] = {}
        """The parts as they were rendered last, by their names."""
        self._changed: dict[str, int] = {}
        """Up to where the journal was read when a part changed."""
        self._unsent: set[str] = set()
        """The parts that changed and were not sent yet."""
        self._shown: dict[str, tuple[FeatureView, pages.Situation]] = {}
        """From what the part of each feature was made."""
        self.position = ""
        """The place in the journal up to which everything was rendered."""

    @property
    def title(self) -> str:
        """The title of the page."""
        assert self._view is not None
        return pages.title_of(self._view, self._story.known.name)

    @property
    def takes_requests(self) -> bool:
        """Whether the run is in progress."""
        return self._story.is_current

    def feature(self, id: str) -> FeatureState | None:
        """A feature of the run; ``None`` for any other id."""
        return next((known for known in self._story.features if known.id == id), None)

    @property
    def active(self) -> list[FeatureState]:
        """The features that run."""
        features = self._story.features if self._story.is_current else []
        return [known for known in features if known.status.active]

    # -- following --------------------------------------------------------------------------

    def follow(self) -> None:
        """Read what is new in the journal, without rendering it."""
        if self._story.follow():
            self._is_late = self._is_late_whole = True

    def refresh(self, now: float) -> None:
        """Follow the journal; render what changed, and now and then everything.

        ``now`` is monotonic.
        """
        self.follow()
        if self._story.is_current and now >= self._clock_at:
            self._is_late = self._is_late_whole = True
        if self._is_other() or (self._is_late_whole and now >= self._whole_ready):
            self._render_whole(now)
        elif self._is_late and now >= self._ready:
            self._render_changes(now)

    def load(self, now: float) -> None:
        """Follow the journal; render everything for somebody who loads the page, if it is old."""
        self.follow()
        if self._is_other() or (self._is_late_whole and now >= self._load_ready):
            self._render_whole(now)

    def news(self) -> list[bytes]:
        """The messages of the parts that changed since the last call."""
        names = self._unsent & self._data.keys()
        self._unsent.clear()
        return self._messages(names)

    def since(self, position: str) -> list[bytes]:
        """The messages for a page that has seen everything up to a position."""
        offset = self._story.offset_of(position)
        return self._messages(
            {name for name in self._data if offset is None or self._changed[name] > offset}
        )

    def _messages(self, names: set[str]) -> list[bytes]:
        # A feature that is new has no place in the page before the arrangement.
        ordered = sorted(names, key=lambda name: name != ARRANGEMENT)
        # A page that gets only some of them has to get them all again.
        positions = [*[""] * (len(ordered) - 1), self.position]
        return [message(*self._data[name], at) for name, at in zip(ordered, positions)]

    def page(self, csrf: str) -> str:
        """The whole page."""
        html: dict[str, str] = {}
        for name, (kind, data) in self._data.items():
            if kind == "part" and isinstance(data, dict):
                html[name] = str(data["html"])
        assert self._view is not None
        lists = pages.arrangement(self._view)
        return pages.page(self.title, html, lists, self.position, csrf)

    # -- rendering --------------------------------------------------------------------------

    def _is_other(self) -> bool:
        """Whether another run is shown, or this one has begun or ended or has other features."""
        view, story = self._view, self._story
        if view is None or view.id != story.run_id or self._situation != self._situation_now():
            return True
        ids = [known.id for known in story.features]
        return bool(ids) and ids != [each.id for each in view.features]

    def _render_whole(self, now: float) -> None:
        begun = time.perf_counter()
        view = self._view = self._story.view()
        self._situation = self._situation_now()
        known = self._data
        self._data = {}
        self._take(
            {
                **{name: self._made(name) for name in (*QUICK, *pages.MAIN)},
                **{each.id: self._feature(each, known) for each in view.features},
            },
            known,
        )
        self.position = self._story.position
        self._is_late = self._is_late_whole = False
        cost = time.perf_counter() - begun
        self._clock_at = now + CLOCK_SECONDS
        self._ready = now + SHORTEST_SECONDS
        self._whole_ready = now + max(SHORTEST_SECONDS, WHOLE_SHARE * cost)
        self._load_ready = now + LOAD_SHARE * cost

    def _render_changes(self, now: float) -> None:
        assert self._view is not None
        begun = time.perf_counter()
        self._view, changed = self._story.changed_view(self._view)
        known = self._data
        self._take(
            {
                **{name: self._made(name) for name in QUICK},
                **{
                    each.id: self._feature(each, known)
                    for each in self._view.features
                    if each.id in changed
                },
            },
            known,
        )
        self._is_late = False
        self._clock_at = now + CLOCK_SECONDS
        self._ready = now + max(SHORTEST_SECONDS, SHARE * (time.perf_counter() - begun))

    def _take(self, made: dict[str, Message], known: dict[str, Message]) -> None:
        """Take in parts that were rendered; those that differ are news."""
        changed = [name for name, said in made.items() if known.get(name) != said]
        self._data = {**self._data, **made}
        self._changed.update(dict.fromkeys(changed, self._story.offset))
        self._unsent.update(changed)

    def _made(self, name: str) -> Message:
        """A part about the whole run."""
        view = self._view
        assert view is not None
        if name == pages.BAR:
            return _part(name, pages.bar(view, self._situation))
        if name == ARRANGEMENT:
            return "arrange", {**pages.arrangement(view), "title": self.title}
        return _part(name, pages.part(view, name))

    def _feature(self, feature: FeatureView, known: dict[str, Message]) -> Message:
        sources = (feature, self._situation)
        if self._shown.get(feature.id) == sources:
            return known[feature.id]
        self._shown[feature.id] = sources
        return _part(feature.id, pages.feature_part(feature, self._situation))

    def _situation_now(self) -> pages.Situation:
        story = self._story
        faults = tuple(filter(None, (_of_list(story.known.fault), story.fault)))
        return pages.Situation(story.is_current, story.was_killed, faults, self._complete)


def _of_list(fault: str) -> str:
    return _("The feature list cannot be used: {fault}").format(fault=shown(fault)) if fault else ""


def _part(name: str, html: str) -> Message:
    return "part", {"id": name, "html": html}
