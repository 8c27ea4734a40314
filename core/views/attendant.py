"""`Attendant`: keeps a live view going in an event loop, with its keys and signals.

SIGUSR1 prints what everything does. Ctrl-Z leaves a clean terminal before the process stops.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from ..model.events import Event
from ..model.state import RunState
from .live_view import LiveView

IDLE_SECONDS = 3600.0
"""Without a view there is nothing to do but to wait for signals."""


class Attendant:
    """Attends the view that ``make`` makes, or only SIGUSR1 if it makes none.

    ``tell`` prints what everything does. A view that breaks is closed, and ``broke`` is told once.
    """

    def __init__(
        self,
        make: Callable[[], LiveView | None],
        tell: Callable[[RunState], None],
        broke: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.view: LiveView | None = None
        self._make, self._tell, self._broke = make, tell, broke
        self._state = RunState()
        self._wake: asyncio.Event | None = None
        """Created in the event loop, to which it belongs up to Python 3.9."""
        self._reading = self._was_suspended = False

    def on_event(self, state: RunState, event: Event) -> None:
        """An event was recorded; ``state`` is the state after it."""
        self._state = state
        if self.view is not None:
            self.view.on_event(state)
            self._rouse()

    def _rouse(self) -> None:
        assert self._wake is not None
        self._wake.set()

    async def watch(self) -> None:
        """Draw, and act on keys and signals, until cancelled."""
        loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, self._guarded, self._tell_all)
        handled = [signal.SIGUSR1]
        self._guarded(self._begin)
        if self.view is not None and signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGTSTP, self._suspend)
            loop.add_signal_handler(signal.SIGCONT, self._guarded, self._continue)
            handled += [signal.SIGTSTP, signal.SIGCONT]
        try:
            while True:
                await self._wait(self._step())
        finally:
            for number in handled:
                loop.remove_signal_handler(number)
            # By default, it would kill a run that is just writing its report.
            signal.signal(signal.SIGUSR1, lambda *_: None)
            self._guarded(self.close)

    def _begin(self) -> None:
        self.view = self._make()
        if self.view is not None:
            self.view.on_event(self._state)

    def _tell_all(self) -> None:
        self._tell(self._state)

    def close(self) -> None:
        """Leave the terminal."""
        if self.view is not None:
            self._read(False)
            self.view.close()
            self.view = None

    def _step(self) -> float:
        """Draw if it is time to; seconds until the next step, if no event comes before."""
        seconds = None if self.view is None else self._guarded(self.view.tick)
        self._read(self.view is not None and self.view.reads_keys)
        return IDLE_SECONDS if seconds is None else seconds

    async def _wait(self, seconds: float) -> None:
        assert self._wake is not None
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    def _read(self, reads: bool) -> None:
        """Hear the keyboard, or no longer."""
        if reads == self._reading or self.view is None or self.view.keyboard is None:
            return
        self._reading = reads
        loop, descriptor = asyncio.get_running_loop(), self.view.keyboard.descriptor
        if reads:
            loop.add_reader(descriptor, self._guarded, self._on_key)
        else:
            loop.remove_reader(descriptor)

    def _on_key(self) -> None:
        view = self.view
        if view is not None and view.keyboard is not None:
            view.press(view.keyboard.read())
            self._rouse()

    def _suspend(self) -> None:
        if self.view is not None:
            self._read(False)
            self._guarded(self.view.suspend)
        self._was_suspended = True
        os.kill(os.getpid(), signal.SIGSTOP)
        self._rouse()

    def _continue(self) -> None:
        """After SIGCONT: somebody may have stopped this process without Ctrl-Z."""
        was_suspended, self._was_suspended = self._was_suspended, False
        if self.view is not None and not was_suspended:
            self.view.renew()
        self._rouse()

    def _guarded(self, act: Callable[[], float | None]) -> float | None:
        """Act for the view; one that breaks is dropped, and the run goes on."""
        try:
            return act()
        except Exception as error:
            view, self.view = self.view, None
            if view is not None:
                self._drop(view)
            self._broke(error)
            return None

    def _drop(self, view: LiveView) -> None:
        if self._reading and view.keyboard is not None:
            asyncio.get_running_loop().remove_reader(view.keyboard.descriptor)
            self._reading = False
        try:
            view.close()
        except Exception:
            view.screen.is_gone = True
