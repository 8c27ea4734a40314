"""Files that can be computed again, and the past runs of a journal."""

from __future__ import annotations

import gc
import json
import os
import random
import stat
import tempfile
import unittest
import zlib
from unittest import mock

from core.journal import history
from core.journal.history import DerivedFile, past_runs
from core.journal.journal import Journal
from core.model import events
from core.model import fold as fold_module
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.event_json import to_json
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from core.model.state import RunState
from tests.support.every_event import EVERY
from tests.support.workspace import Json


class FileTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = os.path.join(folder.name, "cache")
        self.file = self.open()

    def open(self, key: str = "k") -> DerivedFile:
        return DerivedFile("/r/.git", ".kind", {"XDG_CACHE_HOME": self.cache}, key)

    def test_a_value_is_there_again_and_readable_by_its_owner_only(self) -> None:
        self.file.write({"a": [1]})
        self.assertEqual(self.open().read(), {"a": [1]})
        self.assertEqual(stat.S_IMODE(os.stat(self.file.path).st_mode), 0o600)
        folder = os.path.dirname(self.file.path)
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        self.assertEqual(os.listdir(folder), [os.path.basename(self.file.path)])

    def test_with_another_key_or_form_there_is_none(self) -> None:
        self.file.write(1)
        self.assertIsNone(self.open("other").read())
        with mock.patch.object(history, "FORM", 99):
            self.assertIsNone(self.open().read())

    def test_a_damaged_file_has_none(self) -> None:
        self.file.write({"a": "2"})
        with open(self.file.path, encoding="utf-8") as file:
            whole = file.read()
        head = {"form": history.FORM, "key": "k", "sum": zlib.crc32(b"[" * 10_000)}
        deep = json.dumps(head) + "\n" + "[" * 10_000
        odd: list[Json] = ["", "{", whole.replace('"2"', '"3"'), whole[:-1], deep]
        for text in odd:
            with open(self.file.path, "w", encoding="utf-8") as file:
                file.write(text)
            self.assertIsNone(self.open().read())
        os.unlink(self.file.path)
        os.symlink("/dev/zero", self.file.path)
        self.assertIsNone(self.open().read())

    def test_a_file_of_somebody_else_is_not_believed(self) -> None:
        self.file.write(1)
        with mock.patch.object(os, "geteuid", lambda: os.getuid() + 1):
            self.assertIsNone(self.open().read())

    def test_what_is_too_large_or_cannot_be_written_is_computed_again(self) -> None:
        with mock.patch.object(history, "LARGEST_BYTES", 2):
            self.file.write("long")
        self.assertFalse(os.path.exists(self.cache))
        with open(self.cache, "w", encoding="utf-8"):
            pass
        self.file.write(1)
        self.assertIsNone(self.open().read())

    def test_a_write_that_fails_leaves_no_part_of_the_file(self) -> None:
        self.file.write(1)
        with mock.patch.object(os, "replace", side_effect=OSError(28, "No space left")):
            self.file.write(2)
        self.assertEqual(
            os.listdir(os.path.dirname(self.file.path)), [os.path.basename(self.file.path)]
        )
        self.assertEqual(self.open().read(), 1)

    def test_without_a_home_there_is_none(self) -> None:
        for environ in ({}, {"HOME": ""}, {"HOME": "here", "XDG_CACHE_HOME": "there"}):
            self.assertEqual(history.cache_folder(environ), "")
        nowhere = DerivedFile("/r/.git", "", {})
        nowhere.write(1)
        self.assertIsNone(nowhere.read())
        self.assertEqual(history.cache_folder({"HOME": "/h"}), "/h/.cache/rorchestrator")


def story(run: str, at: float, *ids: str, ends: bool = True, **outcome: object) -> list[Event]:
    """A run in which each feature takes ten seconds, one after the other."""
    found = [
        events.run_started(
            at, run, pid=1, base_branch="main", base_commit="b", features=ids, max_parallel=2
        )
    ]
    for id in ids:
        decision = Decision(id, Action.START, "new", "key")
        given = AttemptOutcome(Status.COMPLETED, **{"cost_usd": 0.5, **outcome})  # type: ignore[arg-type]
        found += [
            events.preparing(at, run, decision, branch=f"feature/{id}", worktree="/w", name=id),
            events.attempt_started(at, run, id, attempt=1, session_id="s", resumed=False, log="l"),
            events.attempt_ended(at + 9, run, id, given),
            events.ended(at + 10, run, id, FeatureOutcome(Status.COMPLETED)),
        ]
        at += 10
    return [*found, events.run_ended(at, run, exit_code=0)] if ends else found


class JournalTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "state")
        self.environ = {"XDG_CACHE_HOME": os.path.join(folder.name, "cache")}
        self.journal = Journal(self.folder)

    def record(self, *given: Event) -> None:
        self.journal.open()
        for event in given:
            self.journal.append(event)
        self.journal.close()


class PastRuns(JournalTest):
    def found(self) -> list[tuple[str, float, int | None, float | None]]:
        """The past runs: id, duration, exit code, cost; the same with the index and without."""
        runs = past_runs(self.folder, self.environ)
        self.assertEqual(past_runs(self.folder, self.environ), runs)
        self.assertEqual(past_runs(self.folder, {}), runs)
        return [(run.id, run.seconds, run.exit_code, run.cost_usd) for run in runs]

    def test_without_a_journal_there_are_none(self) -> None:
        self.assertEqual(self.found(), [])
        self.assertFalse(os.path.exists(self.environ["XDG_CACHE_HOME"]))

    def test_runs_are_found_again_as_the_journal_grows(self) -> None:
        self.record(*story("r1", 100, "a", "b"))
        one = ("r1", 20.0, 0, 1.0)
        self.assertEqual(self.found(), [one])
        self.record(events.note(130, "merge-1", "between"), *story("r2", 200, "a", ends=False))
        self.assertEqual(self.found(), [one, ("r2", 9.0, None, 0.5)])
        self.record(events.run_ended(260, "r2", exit_code=1))
        two = ("r2", 60.0, 1, 0.5)
        self.assertEqual(self.found(), [one, two])
        killed = story("r3", 300, "a", ends=False)
        self.record(*killed, *story("r4", 400, "b"))
        self.assertEqual([run[0] for run in self.found()], ["r1", "r2", "r3", "r4"])

    def test_a_run_that_was_killed_lasts_until_it_was_last_alive(self) -> None:
        *killed, _, ended = story("r1", 100, "a", ends=False)
        self.record(*killed, replace(ended, at=90_000.0), *story("r2", 90_001, "a"))
        self.assertEqual(self.found(), [("r1", 0.0, None, None), ("r2", 10.0, 0, 0.5)])
        [ran] = past_runs(self.folder, {})[0].features
        self.assertEqual((ran.status, ran.seconds), ("completed", 0.0))

    def test_only_what_is_new_is_read(self) -> None:
        self.record(*story("r1", 100, "a"), *story("r2", 200, "a"))
        self.found()
        self.record(*story("r3", 300, "a"))
        with mock.patch.object(history._Index, "take", autospec=True) as take:
            past_runs(self.folder, self.environ)
        self.assertEqual(len(take.mock_calls), len(story("r3", 300, "a")))

    def test_a_journal_that_was_changed_is_read_again(self) -> None:
        self.record(*story("r1", 100, "a"), *story("r2", 200, "a"))
        self.found()
        os.unlink(self.journal.path)
        self.assertEqual(self.found(), [])
        self.record(*story("r9", 100, "a"))
        self.assertEqual([run[0] for run in self.found()], ["r9"])
        file = DerivedFile(self.folder, ".history", self.environ)
        known = file.read()
        assert isinstance(known, dict)
        file.write({**known, "offset": 1 << 40, "before": -1, "runs": []})
        self.assertEqual([run[0] for run in self.found()], ["r9"])

    def test_the_rates_of_earlier_runs_estimate_an_unknown_cost(self) -> None:
        self.record(*story("r1", 100, "a", paid={"opus": Paid(0.5, 100)}))
        self.found()
        self.record(*story("r2", 200, "b", cost_usd=None, tokens={"opus": 50}))
        self.assertEqual([run[3] for run in self.found()], [0.5, 0.25])


class Checkpoints(JournalTest):
    """The fold of a large journal goes on where the last command ended."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("LARGE_BYTES", "NEWS_BYTES"):
            patched = mock.patch.object(history, name, 1)
            patched.start()
            self.addCleanup(patched.stop)

    def read(self) -> int:
        """How many events are folded; the state is that of all of them."""
        with mock.patch.object(fold_module, "fold", side_effect=fold) as folding:
            state = history.folded(self.folder, self.environ)
        self.assertEqual(state, fold(self.journal.read()))
        given = Journal(self.folder).read()
        return len(given) if folding.call_args.args[1] == RunState() else 0

    def test_every_kind_of_event_survives_it(self) -> None:
        for event in (*EVERY.values(), *story("r2", 100, "a")):
            self.record(event)
            self.assertEqual(
                history.folded(self.folder, self.environ), fold(self.journal.read()), event.kind
            )

    def test_only_what_is_new_is_folded(self) -> None:
        self.record(*story("r1", 100, "a", "b"))
        self.assertGreater(self.read(), 0)
        self.assertEqual(self.read(), 0)
        self.record(*story("r2", 200, "a"))
        self.assertEqual(self.read(), 0)

    def test_another_journal_and_another_version_are_folded_anew(self) -> None:
        self.record(*story("r1", 100, "a"))
        self.read()
        with mock.patch.object(history, "_version", return_value="other"):
            self.assertGreater(self.read(), 0)
        os.unlink(self.journal.path)
        self.record(*story("r9", 100, "b"))
        self.assertGreater(self.read(), 0)

    def test_a_state_of_other_classes_is_folded_anew(self) -> None:
        self.record(*story("r1", 100, "a"))
        self.read()
        file = DerivedFile(self.folder, ".state", self.environ, history._version())
        known = file.read()
        assert isinstance(known, dict)
        file.write({**known, "state": ["v", "RunState", {"gone": 1}]})
        self.assertGreater(self.read(), 0)

    def test_it_goes_on_from_any_line(self) -> None:
        unknown = Event("of_a_later_version", 5.0, "r1", "a", {"odd": [None, {"x": 1}]})
        given = [*EVERY.values(), unknown, *story("r2", 100, "a", "b"), unknown]
        self.record(*given)
        with open(self.journal.path, "rb") as file:
            lines = file.readlines()
        whole = fold(self.journal.read())
        for cut in range(len(lines)):
            for part in (lines[:cut], lines):
                with open(self.journal.path, "wb") as file:
                    file.writelines(part)
                state = history.folded(self.folder, self.environ)
            self.assertEqual(state, whole, given[cut].kind)

    def test_a_line_after_it_is_named_by_its_number(self) -> None:
        self.record(*story("r1", 100, "a"))
        self.read()
        with open(self.journal.path, "a", encoding="utf-8") as file:
            file.write("{}\n")
        with self.assertRaisesRegex(UserError, f":{len(story('r1', 100, 'a')) + 1} is damaged"):
            history.folded(self.folder, self.environ)

    def test_a_journal_that_changed_anywhere_is_folded_anew(self) -> None:
        line = json.dumps(to_json(story("r1", 100, "a")[0])).encode() + b"\n"  # as 1.0.0 wrote it
        changes = (lambda old: old.replace(b'"a"', b'"b"'), lambda old: old[:-1], lambda _: b"")
        for change in changes:
            self.record()
            with open(self.journal.path, "wb") as file:
                file.write(line)
            self.record(*story("r2", 200, *"cdefghijklmnopq"))
            self.read()
            with open(self.journal.path, "rb") as file:
                known = file.read()
            with open(self.journal.path, "wb") as file:
                file.write(change(line) + known[len(line) :])
            if change(line).endswith(b"}"):
                with self.assertRaisesRegex(UserError, ":1 is damaged"):
                    history.folded(self.folder, self.environ)
            else:
                self.assertGreater(self.read(), 0)

    def test_a_damaged_one_is_ignored_and_made_anew(self) -> None:
        self.record(*story("r1", 100, "a", "b"))
        self.read()
        [name] = os.listdir(os.path.join(self.environ["XDG_CACHE_HOME"], "rorchestrator"))
        path = os.path.join(self.environ["XDG_CACHE_HOME"], "rorchestrator", name)
        with open(path, "rb") as file:
            whole = file.read()
        chance = random.Random(1)
        for _ in range(100):
            at, cut = chance.randrange(len(whole)), chance.random() < 0.3
            rest = b"" if cut else bytes([whole[at] ^ chance.randint(1, 255)]) + whole[at + 1 :]
            with open(path, "wb") as file:
                file.write(whole[:at] + rest)
            self.assertGreater(self.read(), 0)
            self.assertEqual(self.read(), 0)

    def test_one_with_other_content_is_ignored(self) -> None:
        self.record(*story("r1", 100, "a"))
        self.read()
        file = DerivedFile(self.folder, ".state", self.environ, history._version())
        known = file.read()
        assert isinstance(known, dict)
        deep: list[Json] = []
        for _ in range(900):
            deep = [deep]
        states: list[Json] = [7, [], ["v"], ["v", "Run", 5], ["t", 1], ["d", 3], deep]
        odd: list[Json] = [7, [], {}, *({**known, "state": state} for state in states)]
        odd += [{**known, "offset": offset} for offset in ("x", None, -1, 1 << 40)]
        odd.append({**known, "offset": 1 << 40, "before": -1})
        for value in odd:
            file.write(value)
            self.assertGreater(self.read(), 0, value)

    def test_the_collector_is_as_before(self) -> None:
        self.record(*story("r1", 100, "a"))
        for switch in (gc.disable, gc.enable):
            switch()
            before = gc.isenabled()
            history.folded(self.folder, self.environ)
            self.assertEqual(gc.isenabled(), before)

    def test_a_small_journal_needs_none(self) -> None:
        with mock.patch.object(history, "LARGE_BYTES", 1 << 20):
            self.assertEqual(history.folded(self.folder, self.environ), RunState())
            self.record(*story("r1", 100, "a"))
            state = history.folded(self.folder, self.environ)
        self.assertEqual(state, fold(self.journal.read()))
        self.assertFalse(os.path.exists(self.environ["XDG_CACHE_HOME"]))

    def test_a_journal_that_goes_meanwhile_is_empty(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        os.symlink("nowhere", self.journal.path)  # as one that was there a moment ago
        self.assertEqual(history.folded(self.folder, self.environ), RunState())

    def test_what_is_not_much_is_not_written(self) -> None:
        self.record(*story("r1", 100, "a"))
        with mock.patch.object(history, "NEWS_BYTES", 1 << 20):
            history.folded(self.folder, self.environ)
        self.assertFalse(os.path.exists(self.environ["XDG_CACHE_HOME"]))


if __name__ == "__main__":
    unittest.main()
