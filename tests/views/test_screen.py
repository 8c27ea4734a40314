"""Lines that scroll away above a block that is redrawn, on a pseudo-terminal."""

from __future__ import annotations

import errno
import os
import tempfile
import unittest
from unittest import mock

from core.views import screen as screens
from core.views.screen import MOST_WAITING, Screen
from tests.support.terminals import PseudoTerminal


class _OnATerminal(unittest.TestCase):
    def setUp(self) -> None:
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.__exit__)
        self.lost: list[OSError] = []
        self.screen = self.made()

    def made(self) -> Screen:
        made = Screen(self.terminal.theirs, lost=self.lost.append)
        self.addCleanup(lambda: made.is_gone or made.close(0))
        return made


class TheBlock(_OnATerminal):
    def test_lines_go_above_the_block_and_the_block_is_redrawn(self) -> None:
        self.screen.write("one\n")
        self.screen.show(["head 1", "row 1", "row 2"])
        self.assertEqual(self.terminal.lines, ["one", "head 1", "row 1", "row 2"])
        self.screen.write("t")
        self.screen.write("wo\nthr")
        self.assertEqual(self.terminal.lines, ["one", "two", "head 1", "row 1", "row 2"])
        self.screen.write("ee\n")
        self.screen.show(["head 2", "r"])
        self.assertEqual(self.terminal.lines, ["one", "two", "three", "head 2", "r"])
        self.screen.clear()
        self.assertEqual(self.terminal.lines, ["one", "two", "three"])
        self.screen.clear()
        self.screen.write("four\n")
        self.assertEqual(self.terminal.lines, ["one", "two", "three", "four"])

    def test_a_line_that_is_too_long_is_cut_in_the_block_and_whole_above_it(self) -> None:
        self.screen.show(["x" * 100, "row"])
        self.assertEqual(self.terminal.lines, ["x" * 80, "row"])
        self.screen.write("y" * 100 + "\n")
        self.assertEqual(self.terminal.lines[:2], ["y" * 80, "y" * 20])

    def test_nothing_is_written_if_nothing_has_changed(self) -> None:
        self.screen.show(["head"], "\x1b]2;title\x1b\\")
        self.terminal.read()
        self.screen.show(["head"], "\x1b]2;title\x1b\\")
        self.assertEqual(self.terminal.read(), "")
        self.screen.show(["HEAD"], "\x1b]2;title\x1b\\")
        self.assertNotIn("title", self.terminal.read())
        self.screen.control("\x1b[22;2t")
        self.screen.show(["HEAD"], "\x1b]2;title\x1b\\")
        self.assertIn("title", self.terminal.read())

    def test_each_draw_is_one_write(self) -> None:
        writes: list[bytes] = []
        real = os.write

        def counted(descriptor: int, data: bytes) -> int:
            writes.append(data)
            return real(descriptor, data)

        with mock.patch.object(os, "write", counted):
            self.screen.show(["head", "row"], "\x1b]2;title\x1b\\")
            self.screen.write("line\n")
        self.assertEqual(len(writes), 2)

    def test_a_block_stays_where_a_shell_has_written_below_it(self) -> None:
        self.screen.show(["head"])
        self.screen.forget()
        self.screen.write("line\n")
        self.assertEqual(self.terminal.lines, ["head", "line"])

    def test_a_narrower_terminal_has_wrapped_the_old_block(self) -> None:
        self.screen.show(["x" * 70, "row"])
        self.terminal.resize(40, 24)
        self.screen.show(["head"])
        self.assertIn("\r\x1b[3A", self.terminal.read())
        self.terminal.resize(40, 2)
        self.screen.show(["a", "b", "c"])
        self.screen.clear()
        self.assertIn("\r\x1b[1A", self.terminal.read(), "no higher than the terminal")

    def test_text_is_polished_and_encoded(self) -> None:
        made = Screen(self.terminal.theirs, polish=str.upper, encoding="ascii")
        made.write("é\n")
        made.show(["head …"])
        self.assertEqual(self.terminal.lines, ["\\xc9", "HEAD \\u2026"])
        made.close(0)


class TheTerminal(_OnATerminal):
    def test_its_size_is_asked_each_time(self) -> None:
        self.assertEqual(self.screen.size, (80, 24))
        self.terminal.resize(120, 40)
        self.assertEqual(self.screen.size, (120, 40))
        self.terminal.resize(0, 0)
        self.assertEqual(self.screen.size, (80, 24))
        with tempfile.TemporaryFile() as file:
            self.assertEqual(Screen(file.fileno()).size, (80, 24))

    def test_one_without_job_control_is_ours(self) -> None:
        self.assertTrue(self.screen.is_ours)
        with mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + 1):
            self.assertFalse(self.screen.is_ours)

    def test_one_that_takes_no_more_blocks_nothing(self) -> None:
        text = "x" * 79 + "\n"
        self.screen.show(["head"])
        for _ in range(400):
            self.screen.write(text)  # far more than the terminal's buffer
        self.assertFalse(self.screen.flush())
        self.screen.show(["later"])
        for _ in range(40):
            self.screen.write(text * 1000)
        self.assertLess(len(self.screen._waiting), MOST_WAITING + 100_000)
        while not self.screen.flush():
            os.read(self.terminal.ours, 65536)
        while self.terminal.read():
            pass
        self.screen.show(["later"])
        self.assertEqual(self.terminal.lines[-1], "later")

    def test_the_end_waits_only_so_long(self) -> None:
        for _ in range(400):
            self.screen.write("x" * 79 + "\n")
        self.screen.close(0.01)
        self.assertTrue(self.screen.is_gone)
        self.screen.write("ignored\n")

    def test_a_terminal_that_is_closed_is_gone_without_a_word(self) -> None:
        os.close(self.terminal.ours)
        self.screen.write("one\n")
        self.assertTrue(self.screen.is_gone)
        self.screen.show(["two"])
        self.assertEqual(self.lost, [])

    def test_another_fault_is_reported(self) -> None:
        def full(descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "full")

        with mock.patch.object(os, "write", full):
            self.screen.write("one\n")
        self.assertEqual([error.errno for error in self.lost], [errno.ENOSPC])

    def test_a_terminal_that_cannot_be_opened_again_is_used_as_it_is(self) -> None:
        with mock.patch.object(os, "ttyname", mock.Mock(side_effect=OSError)):
            made = Screen(self.terminal.theirs)
        made.write("one\n")
        with mock.patch.object(screens, "_takes_more", lambda descriptor: False):
            made.write("two\n")
            self.assertFalse(made.flush())
        made.close(0)
        self.assertEqual(self.terminal.lines, ["one", "two"])
        os.fstat(self.terminal.theirs)
