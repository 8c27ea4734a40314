"""Control requests: files in the state folder."""

from __future__ import annotations

import json
import os
import stat
import unittest

from core.journal.control import LARGEST_BYTES, Requests
from core.model.control_action import ControlAction
from core.model.errors import StateError


class Scratch(unittest.TestCase):
    def setUp(self) -> None:
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.requests = Requests(self.folder)

    def put(self, name: str, content: str | bytes) -> None:
        os.makedirs(self.requests.folder, exist_ok=True)
        with open(os.path.join(self.requests.folder, name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def left(self) -> list[str]:
        return sorted(os.listdir(self.requests.folder))


class RequestsTest(Scratch):
    def test_requests_are_taken_once_and_in_the_order_in_which_they_were_left(self) -> None:
        self.assertEqual(list(self.requests.take("r1")), [])
        asked = [
            self.requests.leave("r1", ControlAction.PAUSE),
            self.requests.leave("r1", ControlAction.SKIP, "auth", force=True),
            self.requests.leave("r1", ControlAction.STOP, "auth"),
        ]
        path = os.path.join(self.requests.folder, f"{asked[0].id}.json")
        modes = [stat.S_IMODE(os.stat(each).st_mode) for each in (self.requests.folder, path)]
        self.assertEqual(modes, [0o700, 0o600])
        self.assertEqual(list(self.requests.take("r1")), asked)
        self.assertEqual((asked[1].feature, asked[1].force), ("auth", True))
        self.assertEqual((self.left(), list(self.requests.take("r1"))), ([], []))

    def test_requests_for_another_run_are_removed_and_never_executed(self) -> None:
        self.requests.leave("dead", ControlAction.STOP)
        self.put(".half.tmp", "{")
        self.assertEqual(list(self.requests.take("r2")), [])
        self.assertEqual(self.left(), [".half.tmp"])  # somebody may be writing it
        self.requests.leave("dead", ControlAction.STOP)
        self.requests.clear()
        self.assertEqual(self.left(), [])

    def test_a_request_is_withdrawn_unless_it_was_taken(self) -> None:
        asked = self.requests.leave("r1", ControlAction.PAUSE)
        self.assertTrue(self.requests.withdraw(asked))
        self.assertEqual(list(self.requests.take("r1")), [])
        taken = self.requests.leave("r1", ControlAction.PAUSE)
        self.assertEqual(list(self.requests.take("r1")), [taken])
        self.assertFalse(self.requests.withdraw(taken))

    def test_files_that_are_no_requests_are_removed_and_harm_nobody(self) -> None:
        good = {"id": "a", "run": "r1", "action": "pause", "feature": ""}
        hostile: dict[str, str | bytes] = {
            "garbled": "{",
            "binary": b"\xff\x00\xfe",
            "deep": "[" * LARGEST_BYTES,
            "list": "[]",
            "huge": json.dumps({**good, "id": "huge", "more": "x" * LARGEST_BYTES}),
            "unknown": json.dumps({**good, "id": "unknown", "action": "rm"}),
            "unhashable": json.dumps({**good, "id": "unhashable", "action": []}),
            "renamed": json.dumps(good),
            "control": json.dumps({**good, "id": "control", "feature": "a\x1b[2J"}),
            "number": json.dumps({**good, "id": "number", "run": 7}),
        }
        for name, content in hostile.items():
            self.put(f"{name}.json", content)
        outside = os.path.join(self.folder, "outside")
        with open(outside, "w", encoding="utf-8") as file:
            json.dump({**good, "id": "link"}, file)
        os.symlink(outside, os.path.join(self.requests.folder, "link.json"))
        os.mkfifo(os.path.join(self.requests.folder, "pipe.json"))
        os.mkdir(os.path.join(self.requests.folder, "folder.json"))
        before = len(os.listdir("/dev/fd"))
        for _ in range(2):
            self.assertEqual(list(self.requests.take("r1")), [])
        self.assertEqual(len(os.listdir("/dev/fd")), before)
        self.assertEqual(self.left(), ["folder.json"])
        self.assertTrue(os.path.exists(outside))

    def test_a_request_that_cannot_be_written_is_an_error(self) -> None:
        self.put("x", "")
        nowhere = Requests(os.path.join(self.requests.folder, "x"))
        with self.assertRaises(StateError):
            nowhere.leave("r1", ControlAction.PAUSE)


class Retries(Scratch):
    def test_a_retry_tells_how_many_attempts_it_allows(self) -> None:
        asked = self.requests.leave("r1", ControlAction.RETRY, "auth", attempts=3)
        self.assertEqual(list(self.requests.take("r1")), [asked])
        self.assertEqual(asked.attempts, 3)
