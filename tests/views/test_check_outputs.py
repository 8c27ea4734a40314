"""The output of checks, out of the log that has them one after another."""

from __future__ import annotations

import os

from core.views import check_outputs as module
from core.views.check_outputs import check_outputs
from tests.support.in_a_folder import InAFolder


class CheckOutputsTest(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.folder)
        self.log = os.path.join(self.folder, "auth.verify.log")

    def outputs(self, text: str, *commands: str, lines: int = 40) -> list[tuple[str, ...]]:
        with open(self.log, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return check_outputs(self.log, commands, lambda t: t.replace("hunter2", "***"), lines)

    def test_each_check_has_its_last_lines(self) -> None:
        text = "$ lint\nok\n$ test\n1\n2  \n\x1b[31m3 hunter2\x1b[0m\r\n\n$ test\nagain"
        self.assertEqual(
            self.outputs(text, "lint", "test", "test", lines=2),
            [("ok",), ("2", "3 ***"), ("again",)],
        )

    def test_a_long_line_is_cut(self) -> None:
        (found,) = self.outputs(f"$ a\n{'x' * 100_000}  \n", "a")
        self.assertEqual(found, ("x" * 1_000 + "…",))

    def test_what_looks_like_a_command_is_output(self) -> None:
        self.assertEqual(self.outputs("$ a\n$ b\n$ a b\n", "a"), [("$ b", "$ a b")])

    def test_a_command_of_several_lines_is_found_by_the_first(self) -> None:
        self.assertEqual(self.outputs("$ sh -c 'a\nb'\nx\n", "sh -c 'a\nb'"), [("b'", "x")])

    def test_a_check_that_the_log_does_not_have_has_no_lines(self) -> None:
        self.assertEqual(self.outputs("$ b\nx\n", "a", "b", "c"), [(), ("x",), ()])
        os.unlink(self.log)
        self.assertEqual(check_outputs(self.log, ["a"], str), [()])

    def test_of_a_long_log_the_end_is_read(self) -> None:
        text = f"$ a\n{'x' * module.READ_BYTES}hunter\n$ b\nx\n"
        self.assertEqual(self.outputs(text, "a", "b"), [(), ("x",)])
