"""How `decompose` shows what Claude does, where no line can be redrawn."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tempfile
import types
import unittest
from typing import Any
from unittest import mock

from core.commands import decomposing
from core.commands.decomposing import LINE_SECONDS, Look, Progress
from core.commands.options import Display
from core.reporter.style import Style
from core.views.activity import Activity
from tests.support.commands import streams


class Lines(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.claude: Any = types.SimpleNamespace(log=os.path.join(folder.name, "log"), number=1)
        self.now = 0.0
        self.err = io.StringIO()

    def progress(self, *, quiet: bool = False) -> Progress:
        return Progress(Display(quiet=quiet), Style(), str, clock=lambda: self.now)

    def reads(self, path: str) -> None:
        use = {"type": "tool_use", "id": path, "name": "Read", "input": {"file_path": path}}
        message = {"id": path, "content": [use], "usage": {"input_tokens": 4200}}
        with open(self.claude.log, "a", encoding="utf-8") as file:
            print(json.dumps({"type": "assistant", "message": message}), file=file)

    def test_a_line_from_time_to_time_says_what_is_new(self) -> None:
        with streams(io.StringIO(), self.err):
            progress = self.progress()
            for seconds, path in ((1.0, "a.py"), (LINE_SECONDS, ""), (2 * LINE_SECONDS, "")):
                if path:
                    self.reads(path)
                self.now = seconds
                progress.show(self.claude)
            self.reads("b.py")
            self.now = 3 * LINE_SECONDS
            progress.show(self.claude)
        lines = self.err.getvalue().splitlines()
        self.assertEqual(
            lines, ["Read a.py, 1 turn, 14s, ~4k tokens", "Read b.py, 2 turns, 44s, ~8k tokens"]
        )

    def test_quiet_says_nothing(self) -> None:
        with streams(io.StringIO(), self.err):
            self.progress(quiet=True).say("x")
            self.progress().say("a\nb")
        self.assertEqual(self.err.getvalue(), "a b\n")

    def test_a_further_call_is_numbered(self) -> None:
        self.assertEqual(Look(2, Activity(), 61.0).words(), "[2]  starts  1m01s")

    def test_it_watches_until_it_is_cancelled(self) -> None:
        shown: list[Any] = []

        async def main() -> None:
            progress = self.progress()
            progress.show = shown.append  # type: ignore[method-assign]
            watching = asyncio.create_task(progress.watch(self.claude))
            while not shown:
                await asyncio.sleep(0.01)
            watching.cancel()

        with streams(io.StringIO(), self.err), mock.patch.object(decomposing, "LOOK_SECONDS", 0.01):
            asyncio.run(main())
        self.assertEqual(shown[0], self.claude)


if __name__ == "__main__":
    unittest.main()
