"""A process goes on in the background."""

from __future__ import annotations

import os
import signal
import tempfile
import unittest
from collections.abc import Callable

from core.process.detach import Background, Foreground, detach
from tests.support.commands import wait_until
from tests.support.signals import raising


class DetachTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-detach-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.output = os.open(self.path("output"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        self.addCleanup(os.close, self.output)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def background(self, body: Callable[[Foreground], object]) -> Background:
        """Detach; the child runs ``body`` and ends with what it returns."""
        got = detach(self.output)
        if isinstance(got, Foreground):
            code = 70
            try:
                result = body(got)
                code = result if isinstance(result, int) else 0
            finally:
                os._exit(code)
        return got

    def printed(self) -> str:
        return os.pread(self.output, 4096, 0).decode()

    def test_it_has_a_session_of_its_own_and_prints_into_the_file(self) -> None:
        def body(foreground: Foreground) -> None:
            ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            os.write(1, f"{os.getsid(0) == os.getpid()} {ignored} {os.read(0, 1)!r}\n".encode())
            os.write(2, b"more\n")
            foreground.started()
            foreground.started()

        got = self.background(body)
        self.assertIsNone(got.code)
        os.waitpid(got.pid, 0)
        self.assertEqual(self.printed(), "True True b''\nmore\n")

    def test_an_early_end_gives_its_exit_code(self) -> None:
        self.assertEqual(self.background(lambda _: 7).code, 7)
        killed = self.background(lambda _: os.kill(os.getpid(), signal.SIGKILL))
        self.assertEqual(killed.code, 128 + signal.SIGKILL)

    def test_a_foreground_that_is_gone_disturbs_nothing(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        Foreground(writing).started()

    def test_an_interruption_ends_it(self) -> None:
        parent = os.getpid()

        def body(_: Foreground) -> None:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(self.note("ended")))
            os.kill(parent, signal.SIGTERM)
            signal.pause()

        with raising(SystemExit), self.assertRaises(SystemExit):
            self.background(body)
        self.assertTrue(os.path.exists(self.path("ended")))

    def test_a_second_interruption_kills_it(self) -> None:
        parent = os.getpid()

        def again(*_: object) -> None:
            self.note(str(os.getpid()))
            os.kill(parent, signal.SIGTERM)

        def body(_: Foreground) -> None:
            signal.signal(signal.SIGTERM, again)
            os.kill(parent, signal.SIGTERM)
            while True:
                signal.pause()

        with raising(SystemExit), self.assertRaises(SystemExit):
            self.background(body)
        (pid,) = (int(name) for name in os.listdir(self.folder) if name.isdecimal())
        wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0], "it is killed")

    def note(self, name: str) -> int:
        open(self.path(name), "w").close()
        return 0


if __name__ == "__main__":
    unittest.main()
