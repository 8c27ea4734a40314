"""The live view in an event loop: draws, keys, signals, and a view that breaks."""

from __future__ import annotations

import asyncio
import os
import signal
import unittest
from collections.abc import Callable, Coroutine
from unittest import mock

from core.model import events
from core.model.state import RunState
from core.reporter.style import Style
from core.views.attendant import Attendant
from core.views.keyboard import Keyboard
from core.views.live_view import LiveView
from core.views.screen import Screen
from tests.support.commands import CONDITION_SECONDS
from tests.support.live_runs import NOW, RUN, busy, first
from tests.support.terminals import PseudoTerminal

EVENT = events.note(NOW, RUN, "x")


class Attending(unittest.TestCase):
    def setUp(self) -> None:
        for patch in (
            mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp()),
            mock.patch.dict(os.environ, {"TERM": "linux"}),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.__exit__)
        self.told: list[RunState] = []
        self.broke: list[Exception] = []
        self.attendant = Attendant(self.made, self.told.append, self.broke.append)

    def made(self) -> LiveView | None:
        descriptor = self.terminal.theirs
        return LiveView(Screen(descriptor), Style(), keyboard=Keyboard(descriptor))

    def attend(self, during: Callable[[], Coroutine[object, object, None]]) -> None:
        """Watch while ``during`` runs."""

        async def both() -> None:
            watching = asyncio.create_task(self.attendant.watch())
            await asyncio.sleep(0)
            try:
                await during()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

        asyncio.run(both())

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for a condition."""
        deadline = asyncio.get_running_loop().time() + CONDITION_SECONDS
        while not holds():
            assert asyncio.get_running_loop().time() < deadline, self.terminal.written
            await asyncio.sleep(0.01)

    def shows(self, text: str) -> Callable[[], bool]:
        return lambda: text in "\n".join(self.terminal.lines)

    def test_it_draws_after_events_and_acts_on_keys(self) -> None:
        async def during() -> None:
            await self.until(self.shows("0/2 done"))
            self.attendant.on_event(busy()[0], EVENT)
            await self.until(self.shows("1/6 done"))
            os.write(self.terminal.ours, b"?")
            await self.until(self.shows("Ctrl-Z"))

        self.attendant.on_event(first()[0], EVENT)
        self.attend(during)
        self.assertEqual((self.broke, self.told), ([], []))
        self.assertFalse(self.shows("done")())

    def test_a_terminal_that_closes_ends_the_keys(self) -> None:
        async def during() -> None:
            view = self.attendant.view
            assert view is not None
            await self.until(lambda: view.reads_keys)
            os.close(self.terminal.ours)
            await self.until(lambda: not view.reads_keys)
            await asyncio.sleep(0)

        self.attend(during)
        self.assertEqual(self.broke, [])

    def test_sigusr1_tells_what_everything_does_with_or_without_a_view(self) -> None:
        async def during() -> None:
            os.kill(os.getpid(), signal.SIGUSR1)
            await self.until(lambda: self.told)

        state = busy()[0]
        with mock.patch.object(self.attendant, "_make", lambda: None):
            self.attendant.on_event(state, EVENT)
            self.attend(during)
        self.assertEqual(self.told, [state])
        os.kill(os.getpid(), signal.SIGUSR1)  # a late one does nothing

    def test_ctrl_z_leaves_a_clean_terminal_before_the_process_stops(self) -> None:
        stopped: list[list[str]] = []
        real = os.kill

        def kill(pid: int, number: signal.Signals) -> None:
            if number == signal.SIGSTOP:
                stopped.append(self.terminal.lines)
                real(pid, signal.SIGCONT)
            else:
                real(pid, number)

        async def during() -> None:
            await self.until(self.shows("1/6 done"))
            with mock.patch.object(os, "kill", kill):
                os.kill(os.getpid(), signal.SIGTSTP)
                await self.until(lambda: stopped)
            await self.until(self.shows("1/6 done"))
            self.assertEqual(self.shown_heads(), 1)
            real(os.getpid(), signal.SIGCONT)  # as after a stop from outside
            await self.until(lambda: self.shown_heads() == 2)

        self.attendant.on_event(busy()[0], EVENT)
        self.attend(during)
        ((line,),) = stopped
        self.assertIn("Suspended", line)

    def shown_heads(self) -> int:
        return sum("1/6 done" in line for line in self.terminal.lines)

    def test_where_ctrl_z_is_ignored_it_stays_so(self) -> None:
        async def during() -> None:
            self.assertIs(signal.getsignal(signal.SIGTSTP), signal.SIG_IGN)

        before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGTSTP, before)
        self.attend(during)

    def test_a_view_that_breaks_is_dropped_and_said_once(self) -> None:
        async def during() -> None:
            view = self.attendant.view
            assert view is not None
            await self.until(lambda: view.reads_keys)
            with mock.patch.object(view, "tick", broken):
                self.attendant.on_event(busy()[0], EVENT)
                await self.until(lambda: self.broke)
            self.assertIsNone(self.attendant.view)
            self.assertTrue(view.screen.is_gone)
            self.attendant.on_event(first()[0], EVENT)
            os.kill(os.getpid(), signal.SIGTSTP)
            await asyncio.sleep(0)

        def broken() -> float:
            raise ValueError("no")

        kills: list[int] = []
        with mock.patch.object(os, "kill", lambda pid, number: kills.append(number)):
            self.attend(during)
        self.assertEqual([str(error) for error in self.broke], ["no"])

    def test_one_that_cannot_be_made_or_closed_does_not_matter_either(self) -> None:
        async def during() -> None:
            await self.until(lambda: self.broke)
            self.attendant._on_key()
            self.attendant._suspend()
            self.attendant._continue()

        def broken() -> LiveView | None:
            raise ValueError("no")

        with mock.patch.object(self.attendant, "_make", broken), mock.patch.object(os, "kill"):
            self.attend(during)
        view = self.made()
        assert view is not None
        with mock.patch.object(view, "close", broken):
            self.attendant.view = view
            self.attendant._guarded(broken)  # type: ignore[arg-type]
        self.assertTrue(view.screen.is_gone)
