"""`Gauge`: records how full the windows of usage limits are; holds new attempts above a share."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import events
from ..model.translate import N_
from ..model.window import Window
from .context import RunContext
from .usage_limit import UsageLimitGate


class Gauge:
    """The windows of one run. Above ``hold_at`` (1 is full) no attempt starts before the reset."""

    def __init__(
        self, context: RunContext, gate: UsageLimitGate, hold_at: float | None = None
    ) -> None:
        self._context = context
        self._gate = gate
        self._hold_at = hold_at
        self._known: dict[str, tuple[int, float | None]] = {}

    def hear(self, windows: Mapping[str, Window]) -> None:
        """What an attempt was told. Each per cent is recorded once."""
        for window in windows.values():
            facts = (window.percent, window.resets_at)
            if self._known.get(window.type) == facts:
                continue
            self._known[window.type] = facts
            self._context.record(events.window, seen=window)
            if self._hold_at is not None and window.utilization > self._hold_at:
                self._hold(window, self._hold_at)

    def _hold(self, window: Window, hold_at: float) -> None:
        if self._gate.hold(window.resets_at):
            text = N_(
                "{window} is above project.hold_at_utilization ({limit:g} %): "
                "nothing starts before its reset"
            )
            self._context.note(text.format(window=window, limit=hold_at * 100))
