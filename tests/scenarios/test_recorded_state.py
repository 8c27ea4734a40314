"""A run that an earlier version left half done is read and resumed.

``tests/fixtures/state/interrupted-1.1.json`` holds every file of a repository, its worktrees, its
state folder and its list, as 1.1.0 of 2026-11-29 left them: ``done`` is completed, ``bad`` changed
nothing, and the orchestrator was killed while Claude worked on ``half``, which ``later`` needs.
``@ROOT@``, ``@PYTHON@`` and ``@SIMULATED@`` stand for paths.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import unittest
from binascii import crc32

from tests.support.paths import ROOT, SIMULATED
from tests.support.workspace import WorkspaceTest

RECORDED = os.path.join(ROOT, "tests", "fixtures", "state", "interrupted-1.1.json")
SUM = re.compile(rb',"sum":"[0-9a-f]{8}"\}$')


class Recorded(WorkspaceTest):
    def setUp(self) -> None:
        super().setUp()
        with open(RECORDED, encoding="utf-8") as file:
            recorded = json.load(file)
        for folder in recorded["folders"]:
            os.makedirs(self.workspace.beside(folder), exist_ok=True)
        for name, content in recorded["files"].items():
            self._restore(name, content)

    def _restore(self, name: str, content: dict[str, str]) -> None:
        path = self.workspace.beside(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if "text" in content:
            text = content["text"].replace("@ROOT@", self.workspace.root)
            text = text.replace("@PYTHON@", sys.executable).replace("@SIMULATED@", SIMULATED)
            data = text.encode()
        else:
            data = base64.b64decode(content["base64"])
        if name.endswith("journal.jsonl"):
            data = b"".join(map(_summed, data.splitlines()))
        if os.path.lexists(path):
            os.chmod(path, 0o600)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, int(content["mode"], 8))

    def test_a_recorded_half_done_run_is_shown_and_resumed(self) -> None:
        before = {row["id"]: row for row in self._status()}
        statuses = {id: row["status"] for id, row in before.items()}
        expected = {"done": "completed", "half": "interrupted", "bad": "empty", "later": "pending"}
        self.assertEqual(statuses, expected)
        self.assertEqual(before["half"]["uncommitted"], ["half.txt"])
        plan = json.loads(self.workspace.command("plan", "--json").out)
        actions = {each["id"]: each["action"] for each in plan["features"]}
        expected = {"done": "skip", "half": "resume", "bad": "start", "later": "start"}
        self.assertEqual(actions, expected)
        self.workspace.touch("go")
        done = self.workspace.run("--only", "later")
        self.assertEqual(done.code, 0, done.err)
        after = {row["id"]: row for row in self._status()}
        for id in ("done", "half", "later"):
            self.assertEqual(after[id]["status"], "completed")
        self.assertEqual(after["half"]["session_id"], before["half"]["session_id"])
        self.assertEqual(after["done"]["commit"], before["done"]["commit"])
        self.assertIn("half.txt", self.workspace.added("feature/later"))
        self.assertEqual(len(self.workspace.attempts("done")), 1)
        (*_, (_, session, resumed)) = self.workspace.attempts("half")
        self.assertEqual((session, resumed), (before["half"]["session_id"], True))

    def _status(self) -> list[dict[str, object]]:
        document = json.loads(self.workspace.command("status", "--json").out)
        features: list[dict[str, object]] = document["features"]
        return features


def _summed(line: bytes) -> bytes:
    """A line of the journal, with the checksum of what it says by now."""
    content = SUM.sub(b"", line)
    return b'%b,"sum":"%08x"}\n' % (content, crc32(content))


if __name__ == "__main__":
    unittest.main()
