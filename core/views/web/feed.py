"""`Feed`: one thread that follows the journal and tells all pages that listen what is new.

While no page listens, it sleeps. A page that is slow or gone costs nothing and delays nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ...model.json_values import Json
from ...model.mask import Mask
from ...model.phase import Phase
from ...model.state import FeatureState
from ..activity import Activity, ActivityLog
from .board import Board
from .claude_text import ClaudeText, as_json
from .listeners import BEAT, Listener, message

MOST_LISTENERS = 64

POLL_SECONDS = 0.25
"""Between two looks at the journal."""

LOOK_SECONDS = 1.0
"""Between two looks at what Claude does, and at pages that are gone."""

BEAT_SECONDS = 15.0
"""A line at least this often, so that both sides notice a lost connection."""

GOODBYE_SECONDS = 1.0
"""How long pages may read the last state at the end."""

Followed = tuple[str, int]
"""A feature and the number of an attempt, 0 for the last one."""


class Feed(threading.Thread):
    """Tells the listeners of a board. ``fail`` gets an error of ours, which ends the thread."""

    def __init__(
        self, board: Board, mask: Callable[[], Mask], fail: Callable[[BaseException], None]
    ) -> None:
        super().__init__(daemon=True)
        self.board = board
        self.lock = threading.Lock()
        """Held while the board is used."""
        self._mask = mask
        self._fail = fail
        self._new: list[Listener] = []
        self._listeners: list[Listener] = []
        self._wake = threading.Event()
        self._is_ending = False
        self._look_at = self._beat_at = 0.0
        self._logs: dict[str, ActivityLog] = {}
        self._activities: dict[str, Json] = {}
        self._claude: dict[Followed, tuple[str, ClaudeText]] = {}
        """What pages read of Claude, and the attempt with its log."""

    @property
    def is_full(self) -> bool:
        """Whether no further page may listen."""
        return len(self._listeners) + len(self._new) >= MOST_LISTENERS

    def connect(self, listener: Listener) -> None:
        """A page listens from now on."""
        self._new.append(listener)
        self._wake.set()

    def end(self) -> None:
        """Tell the pages that this is the end; the thread ends."""
        self._is_ending = True
        self._wake.set()
        self.join()

    def run(self) -> None:
        """Go on until :meth:`end`."""
        try:
            while not self._is_ending:
                self._wake.wait(POLL_SECONDS if self._listeners else None)
                self._wake.clear()
                if self._listeners or self._new:  # Else the end has waked us.
                    self.step(time.monotonic())
            self._say_goodbye(time.monotonic())
        except Exception as error:
            self._fail(error)

    def step(self, now: float) -> None:
        """One look at everything."""
        new, self._new = self._new, []
        looks = now >= self._look_at
        with self.lock:
            self.board.refresh(now)
            changed = self.board.news()
            caught_up = {each: self.board.since(each.since) for each in new}
            activities = self._new_activities() if looks else {}
        if activities:
            changed.append(message("activity", activities))
        if now >= self._beat_at:
            self._beat_at = now + BEAT_SECONDS
            changed.append(BEAT)
        self._tell(b"".join(changed), now)
        for each, missed in caught_up.items():
            each.send([message("hello", {}), *missed, *self._activity_messages()], now)
        if looks:
            self._look_at = now + LOOK_SECONDS
            for each in self._listeners:
                each.look()
        self._show_claude(new, now)
        self._listeners = [each for each in (*self._listeners, *new) if not each.is_gone]

    def _tell(self, said: bytes, now: float) -> None:
        """Send the same to all, with one system call each."""
        for each in self._listeners:
            each.send([said] if said else [], now)

    def _say_goodbye(self, now: float) -> None:
        pages = (*self._listeners, *self._new)
        if not pages:
            return  # Rendering for nobody would only delay the end.
        with self.lock:
            self.board.refresh(float("inf"))
            changed = self.board.news()
        for each in pages:
            each.send([*changed, message("end", {})], now)
        deadline = time.monotonic() + GOODBYE_SECONDS
        while any(each.is_behind for each in pages) and time.monotonic() < deadline:
            time.sleep(0.01)
            for each in pages:
                each.flush(now)
        for each in pages:
            each.close()

    # -- what Claude does -------------------------------------------------------------------

    def _new_activities(self) -> dict[str, Json]:
        """What Claude does, by feature, as far as it changed."""
        active = {known.id: known for known in self.board.active if _has_claude(known)}
        now = {id: _activity(self._activity_log(known).read()) for id, known in active.items()}
        changed = {id: said for id, said in now.items() if self._activities.get(id) != said}
        changed.update(dict.fromkeys(self._activities.keys() - now.keys()))
        self._activities = now
        self._logs = {id: log for id, log in self._logs.items() if id in now}
        return changed

    def _activity_log(self, known: FeatureState) -> ActivityLog:
        path = known.attempts[-1].log
        log = self._logs.get(known.id)
        if log is None or log.path != path:
            log = self._logs[known.id] = ActivityLog(path, self._mask())
        return log

    def _activity_messages(self) -> list[bytes]:
        return [message("activity", dict(self._activities))] if self._activities else []

    # -- what Claude said -------------------------------------------------------------------

    def _show_claude(self, new: list[Listener], now: float) -> None:
        wanted: dict[Followed, list[Listener]] = {}
        for each in (*self._listeners, *new):
            if each.follow:
                wanted.setdefault((each.follow, each.attempt), []).append(each)
        self._claude = {key: text for key, text in self._claude.items() if key in wanted}
        for key, readers in wanted.items():
            self._show(key, readers, new, now)

    def _show(
        self, key: Followed, readers: list[Listener], new: list[Listener], now: float
    ) -> None:
        """What Claude said in one attempt: all of it to new readers, the rest to the others."""
        with self.lock:
            known = self.board.feature(key[0])
        attempts = (*known.earlier, *known.attempts) if known else ()
        chosen = [each for each in attempts if each.number == key[1]] or attempts[-1:]
        if not chosen:
            return
        attempt = chosen[-1]
        path, text = self._claude.get(key) or ("", None)
        is_other = text is None or path != attempt.log
        if text is None or is_other:
            text = ClaudeText(attempt.log, self._mask())
            self._claude[key] = (attempt.log, text)
        lines = text.read()
        about: dict[str, Json] = {
            "feature": key[0],
            "attempt": attempt.number,
            "attempts": [each.number for each in attempts],
        }
        whole = message(
            "claude",
            {**about, "anew": True, "cut": text.is_cut, "lines": as_json(list(text.lines))},
        )
        added = message("claude", {**about, "lines": as_json(lines)}) if lines else None
        for reader in readers:
            if is_other or reader in new:
                reader.send([whole], now)
            elif added:
                reader.send([added], now)


def _activity(activity: Activity) -> Json:
    return {
        "action": activity.action,
        "turns": activity.turns,
        "tokens": activity.tokens,
        "at": activity.changed_at,
    }


def _has_claude(known: FeatureState) -> bool:
    """Whether Claude runs at a feature."""
    return known.phase is Phase.CLAUDE and bool(known.attempts)
