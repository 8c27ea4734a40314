"""Single keys from a terminal, whose settings are restored."""

from __future__ import annotations

import os
import termios
import unittest
from unittest import mock

from core.views.keyboard import Keyboard
from tests.support.terminals import PseudoTerminal


class Keys(unittest.TestCase):
    def setUp(self) -> None:
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.__exit__)
        self.before = termios.tcgetattr(self.terminal.theirs)
        patch = mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp())
        patch.start()
        self.addCleanup(patch.stop)
        self.keyboard = Keyboard(self.terminal.theirs)

    def settings(self) -> object:
        return termios.tcgetattr(self.terminal.theirs)

    def test_a_key_needs_no_enter_and_is_not_printed(self) -> None:
        self.assertTrue(self.keyboard.open())
        self.assertTrue(self.keyboard.open(), "a second time changes nothing")
        self.assertEqual(self.keyboard.before, self.before)
        os.write(self.terminal.ours, b"s?\xff")
        self.assertEqual(self.keyboard.read(), "s?\ufffd")
        self.assertEqual(self.terminal.read(), "")
        self.keyboard.close()
        self.assertEqual(self.settings(), self.before)
        self.keyboard.close()

    def test_settings_that_another_program_has_changed_stay(self) -> None:
        self.keyboard.open()
        changed = termios.tcgetattr(self.terminal.theirs)
        changed[3] |= termios.ECHO
        termios.tcsetattr(self.terminal.theirs, termios.TCSANOW, changed)
        self.keyboard.close()
        self.assertEqual(self.settings(), changed)

    def test_from_the_background_nothing_is_touched(self) -> None:
        with mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + 1):
            self.assertFalse(self.keyboard.open())
        self.assertEqual(self.settings(), self.before)

    def test_without_a_terminal_there_are_no_keys(self) -> None:
        with open(os.devnull) as nothing:
            self.assertFalse(Keyboard(nothing.fileno()).open())

    def test_a_terminal_that_closes_ends_the_keys(self) -> None:
        self.keyboard.open()
        os.close(self.terminal.ours)
        self.assertEqual(self.keyboard.read(), "")
        self.assertIsNone(self.keyboard.before)
        os.close(self.terminal.theirs)
        self.assertEqual(self.keyboard.read(), "")
