"""A stream whose lines go above the block of a view."""

from __future__ import annotations

import tempfile
import unittest

from core.views.above import Above
from core.views.screen import Screen
from tests.support.terminals import PseudoTerminal


class Streams(unittest.TestCase):
    def test_lines_go_above_the_block_while_there_is_one_and_then_to_the_stream(self) -> None:
        with PseudoTerminal() as terminal, tempfile.TemporaryFile("w+") as file:
            stream = Above(file)
            stream.write("first\n")
            screen = stream.screen = Screen(terminal.theirs)
            screen.show(["head"])
            self.assertEqual(stream.write("line\n"), 5)
            stream.flush()
            self.assertEqual(terminal.lines, ["line", "head"])
            screen.close(0)
            stream.write("last\n")
            stream.flush()
            self.assertEqual(terminal.lines, ["line"])
            file.seek(0)
            self.assertEqual(file.read(), "first\nlast\n")
            self.assertEqual(stream.fileno(), file.fileno())
