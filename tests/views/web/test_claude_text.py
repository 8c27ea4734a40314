"""What Claude printed, as lines that grow with the log of its attempt."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from unittest import mock

from core.model.mask import Mask
from core.views.web import claude_text
from core.views.web.claude_text import MOST_LINES, ClaudeText, as_json
from tests.support.boards import says
from tests.support.story import HOSTILE, is_safe

SECRET = "a-secret-of-mine"


class ClaudeTextTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = os.path.join(temporary.name, "auth.1.jsonl")
        self.text = ClaudeText(self.path, Mask({"MY_TOKEN": SECRET}))

    def write(self, said: bytes) -> None:
        with open(self.path, "ab") as file:
            file.write(said)

    def read(self) -> list[str]:
        return ["".join(part for _, part in line) for line in self.text.read()]

    def test_lines_come_once_and_half_a_line_comes_when_it_is_whole(self) -> None:
        self.assertEqual(self.read(), [])
        whole = says("first\nsecond")
        self.write(whole[:20])
        self.assertEqual(self.read(), [])
        self.write(whole[20:])
        self.assertEqual(self.read(), ["first", "second"])
        self.assertEqual(self.read(), [])
        self.write(says("third"))
        self.assertEqual(self.read(), ["third"])
        self.assertEqual(len(self.text.lines), 3)
        self.assertFalse(self.text.is_cut)

    def test_tools_and_results_have_their_colours(self) -> None:
        tool = {"type": "tool_use", "name": "Edit", "input": {"file_path": "a.py"}}
        message = {"type": "assistant", "message": {"content": [tool]}}
        self.write(json.dumps(message).encode() + b"\n")
        self.assertEqual(self.text.read(), [(("cyan", "▸ Edit(file_path=a.py)"),)])
        self.assertEqual(as_json([(("", "a"), ("red", "b"))]), [[["", "a"], ["red", "b"]]])

    def test_what_is_no_message_is_shown_as_it_is(self) -> None:
        self.write(b"sh: claude: not found\n\n \n")
        self.assertEqual(self.read(), ["sh: claude: not found"])

    def test_secrets_and_control_characters_are_not_shown(self) -> None:
        self.write(says(f"{HOSTILE} {SECRET}") + f"{SECRET} \x1b[2J {SECRET}\n".encode())
        found = self.read()
        self.assertNotIn(SECRET, "".join(found))
        self.assertEqual([line for line in found if not is_safe(line)], [])

    def test_of_a_long_log_the_end_is_shown(self) -> None:
        with mock.patch.object(claude_text, "LAST_BYTES", 200):
            self.write(says("early") * 10 + says("late"))
            found = self.read()
        self.assertEqual((found[-1], self.text.is_cut), ("late", True))
        self.assertLess(len(found), 5)

    def test_of_many_lines_the_last_are_kept(self) -> None:
        self.write(says("\n".join(map(str, range(MOST_LINES + 10)))))
        self.assertEqual(self.read()[-1], str(MOST_LINES + 9))
        self.assertEqual((len(self.text.lines), self.text.is_cut), (MOST_LINES, True))

    def test_a_log_that_is_no_file_is_empty(self) -> None:
        os.mkfifo(self.path)
        self.assertEqual(self.read(), [])


if __name__ == "__main__":
    unittest.main()
