"""A test in a temporary folder, and an event for its journal."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.journal.journal import Journal
from core.model import events
from core.model.events import Event


def note(number: int, length: int = 0) -> Event:
    return events.note(1_700_000_000.0 + number, "r1", f"note {number} ✅" + "x" * length)


class InAFolder(unittest.TestCase):
    """A folder of its own for each test, with a journal in a subfolder that isn't there yet."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.join(temporary.name, "state")
        self.journal = Journal(self.folder)

    def written(self, *story: Event) -> bytes:
        """Append events; everything that the journal then holds."""
        self.journal.open()
        for event in story:
            self.journal.append(event)
        self.journal.close()
        return self.content()

    def content(self) -> bytes:
        with open(self.journal.path, "rb") as file:
            return file.read()

    def put(self, content: bytes) -> None:
        os.makedirs(self.folder, exist_ok=True)
        with open(self.journal.path, "wb") as file:
            file.write(content)
