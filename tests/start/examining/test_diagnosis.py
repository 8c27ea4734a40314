"""Lines of `doctor`: text, JSON, and topics that cannot be examined."""

from __future__ import annotations

import unittest
from collections.abc import Iterator

from core.model.errors import UserError
from core.reporter.style import Style
from core.start.examining.diagnosis import Line, attempted, document, fault, ok, text_lines, warning

FOUND = [ok("git", "2.39"), warning("base branch", "odd\x1b[2J"), fault("list", "bad", "mend it")]


class Lines(unittest.TestCase):
    def test_each_line_has_its_level_and_what_mends_it(self) -> None:
        self.assertEqual(
            list(text_lines(FOUND, Style(unicode=False), quiet=False)),
            [
                "ok       git          2.39",
                "warning  base branch  odd",
                "fault    list         bad",
                "         -> mend it",
                "1 fault, 1 warning.",
            ],
        )

    def test_only_what_is_not_ok_is_shown_on_request_and_nothing_may_be_found(self) -> None:
        quiet = list(text_lines(FOUND, Style(colour=True), quiet=True))
        self.assertEqual(len(quiet), 4)
        self.assertIn("\x1b[33mwarning\x1b[0m  base branch", quiet[0])
        self.assertEqual(list(text_lines([], Style(), quiet=True)), ["0 faults, 0 warnings."])

    def test_the_json_has_all_lines_and_their_sums(self) -> None:
        found = document(FOUND)
        self.assertEqual((found["faults"], found["warnings"]), (1, 1))
        self.assertEqual(
            FOUND[2].to_json(),
            {"topic": "list", "level": "fault", "message": "bad", "command": "mend it"},
        )

    def test_a_topic_that_cannot_be_examined_is_a_fault_of_its_own(self) -> None:
        def refused() -> Iterator[Line]:
            yield ok("lfs", "not used")
            raise UserError("no", "do", details=("a", "b"))

        def unreadable() -> Iterator[Line]:
            raise PermissionError(13, "Permission denied", "/x")

        self.assertEqual(attempted("git", refused), [fault("git", "no; a; b", "do")])
        self.assertIn("Permission denied: '/x'", attempted("git", unreadable)[0].said)
        self.assertEqual(attempted("git", lambda: FOUND), FOUND)


if __name__ == "__main__":
    unittest.main()
