"""The runs in a journal, and the events that one of them needs."""

from __future__ import annotations

import json
import os
import tempfile
import time
import unittest
from collections.abc import Sequence
from unittest import mock

from core.journal.journal import Journal
from core.journal.reader import Reader, summed
from core.journal.runs import events_of, runs_of
from core.model import event_json, events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status

KILLED = FeatureOutcome(Status.CANCELLED, "the run was killed", Fault.INTERRUPTED)


def a_run(run: str, at: float, ids: Sequence[str], *, ends: bool = True) -> list[Event]:
    """A run of features that complete."""
    story = [
        events.run_started(
            at, run, pid=1, base_branch="main", base_commit="b", features=ids, max_parallel=1
        )
    ]
    for id in ids:
        decision = Decision(id, Action.START, "new", "key")
        story += [
            events.preparing(at, run, decision, branch=id, worktree=f"/{id}", name=id),
            events.attempt_started(
                at + 1, run, id, attempt=1, session_id="s", resumed=False, log=""
            ),
            events.attempt_ended(at + 2, run, id, AttemptOutcome(Status.COMPLETED, cost_usd=0.5)),
        ]
        if ends:
            story.append(events.ended(at + 3, run, id, FeatureOutcome(Status.COMPLETED)))
    return [*story, events.run_ended(at + 4, run, exit_code=0)] if ends else story


class InAJournal(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.journal = Journal(os.path.join(folder.name, "state"))
        self.path = self.journal.path

    def write(self, *story: Event) -> None:
        self.journal.open()
        for event in story:
            self.journal.append(event)
        self.journal.close()

    def told(self, number: int) -> list[Event]:
        return events_of(self.path, runs_of(self.path)[number])

    def test_every_run_is_found_oldest_first(self) -> None:
        self.assertEqual(runs_of(self.path), [])
        self.write(*a_run("r1", 1.0, ["a"]), *a_run("r2", 10.0, ["b"]))
        self.assertEqual([event.run for event in runs_of(self.path)], ["r1", "r2"])

    def test_a_run_is_folded_up_to_its_end(self) -> None:
        later = events.cleaned(8.0, "a", merged_into="", kept_ref="", discarded=True, detail="")
        self.write(*a_run("r1", 1.0, ["a"]), later, *a_run("r2", 10.0, ["a"]))
        state = fold(self.told(0))
        assert state.run is not None
        self.assertEqual((state.run.id, state.run.ended_at), ("r1", 5.0))
        known = state.feature("a")
        self.assertEqual((known.status, known.run), (Status.COMPLETED, "r1"))
        self.assertEqual(fold(self.told(1)).feature("a").run, "r2")

    def test_only_its_features_are_told_but_what_every_attempt_cost(self) -> None:
        self.write(*a_run("r1", 1.0, ["a", "b"]), *a_run("r2", 10.0, ["b", "é\\"]))
        kinds = [(event.kind, event.feature) for event in self.told(1) if event.run == "r1"]
        self.assertIn(("attempt_ended", "a"), kinds)
        self.assertNotIn(("preparing", "a"), kinds)
        self.assertIn(("preparing", "b"), kinds)
        self.assertIn("é\\", fold(self.told(1)).features)

    def test_a_killed_run_ends_with_how_the_next_one_ended_its_features(self) -> None:
        self.write(
            *a_run("r1", 1.0, ["a"], ends=False),
            events.merge_started(50.0, "merge-1", into="main"),
            events.ended(90.0, "r1", "a", KILLED),
            *a_run("r2", 91.0, ["a"]),
        )
        story = self.told(0)
        self.assertEqual((story[-1].kind, story[-1].at), ("ended", 90.0))
        self.assertEqual({event.run for event in story}, {"r1"})

    def test_other_lines_are_not_parsed(self) -> None:
        self.write(*a_run("r1", 1.0, ["a"]), *a_run("r2", 10.0, ["b"]))
        with mock.patch.object(event_json, "from_json", side_effect=event_json.from_json) as parsed:
            runs_of(self.path)
        self.assertEqual(parsed.call_count, 2)

    def test_a_damaged_line_is_named(self) -> None:
        self.write(*a_run("r1", 1.0, ["a"]))
        with open(self.path, "r+b") as file:
            content = file.read()
            file.seek(content.index(b"\n") + 1)
            file.write(b"xx")
        with self.assertRaises(UserError) as raised:
            self.told(0)
        self.assertIn("journal.jsonl:2 is damaged", raised.exception.message)

    def test_a_line_that_is_not_wanted_is_skipped_for_good(self) -> None:
        self.write(*a_run("r1", 1.0, ["a"]))
        reader = Reader(self.path, want=lambda line: b'"ended"' in line)
        self.assertEqual([event.kind for event in reader.new_events()], ["ended"])
        self.assertEqual(list(reader.new_events()), [])

    def test_the_last_of_many_runs_is_found_quickly(self) -> None:
        begin = Event("run_started", 1.0, "r0", data={"features": ["a"]})
        lines = [
            Event("preparing", 1.0, f"r{number}", f"f{number}", {"why": "x" * 200})
            for number in range(1, 20_000)
        ]
        self.write(begin)
        with open(self.path, "ab") as file:
            for event in lines:
                file.write(event_json_line(event))
        started = time.process_time()
        self.assertEqual(len(events_of(self.path, begin)), 1)
        runs_of(self.path)
        # It takes 0.2 seconds.
        self.assertLess(time.process_time() - started, 1.5)


def event_json_line(event: Event) -> bytes:
    body = json.dumps(event_json.to_json(event), separators=(",", ":")).encode()
    return summed(body)
