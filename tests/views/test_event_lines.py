"""Events as lines of JSON, in a file or a pipe."""

from __future__ import annotations

import fcntl
import json
import os

from core.model import event_json
from core.model.errors import UserError
from core.views.event_lines import EventFile, EventLines
from tests.support.commands import read_text
from tests.support.every_event import EVERY
from tests.support.in_a_folder import InAFolder


class EventLinesTest(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "new", "events.jsonl")

    def test_each_event_is_a_line_without_secrets(self) -> None:
        view = EventLines(EventFile(self.path), lambda text: text.replace("c0ffee", "[masked X]"))
        for number, event in enumerate(EVERY.values(), 1):
            view.on_append(event)
            lines = read_text(self.path).split("\n")
            self.assertEqual(len(lines), number + 1)
            masked = json.dumps(event_json.to_json(event)).replace("c0ffee", "[masked X]")
            self.assertEqual(json.loads(lines[-2]), json.loads(masked))

    def test_an_old_content_is_removed(self) -> None:
        for line in ("a long line\n", "line\n"):
            EventFile(self.path)(line)
        self.assertEqual(read_text(self.path), "line\n")

    def test_what_cannot_be_written_is_refused(self) -> None:
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)  # that nobody reads
        for path in (self.folder, pipe):
            with self.assertRaisesRegex(UserError, "--events .* can't be written: "):
                EventFile(path)

    def test_a_reader_that_is_too_slow_does_not_stop_the_run(self) -> None:
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            file = EventFile(pipe)
            file("first\n")
            self.assertEqual(os.read(reader, 100), b"first\n")
            with self.assertRaisesRegex(UserError, "its reader is too slow"):
                file("x" * 10_000_000)
            fcntl.fcntl(reader, fcntl.F_SETFL, 0)
        finally:
            os.close(reader)
        with self.assertRaisesRegex(UserError, "can't be written: Broken pipe"):
            file("gone\n")
