"""Events as JSON: nothing is lost on the way, and nothing that isn't ours is believed."""

from __future__ import annotations

import json
import unittest

from core.model import event_json, events, outcome_json
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.outcome import Fault, Outcome, Status, Usage, Work
from core.model.outcome_json import outcome_of

AT = 1_700_000_000.125
OUTCOME = Outcome(
    status=Status.FAILED,
    reason="it said “no” ✋",
    fault=Fault.LIMIT,
    cost_usd=0.25,
    usage=Usage(1, 2, 3, 4),
    duration_ms=1500,
    num_turns=7,
    session_id="5e55",
    result="line\nline \u0085 \ud800",
    denied_tools=("Bash(rm)", "Write"),
)
WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4, held_back=(".env",))
DECISION = Decision("auth", Action.RESUME, "interrupted", "key", {"prompt": "abc"})

EVERY = {
    "run_started": events.run_started(
        AT,
        "r1",
        pid=42,
        base_branch="main",
        base_commit="ba5e",
        features=("auth", "api"),
        max_parallel=3,
    ),
    "run_ended": events.run_ended(AT, "r1", exit_code=1),
    "preparing": events.preparing(
        AT, "r1", DECISION, branch="feature/auth", worktree="/w/auth", name="Sign-in"
    ),
    "based": events.based(AT, "r1", DECISION, start_commit="57a7", base_commit="ba5e"),
    "attempt_started": events.attempt_started(
        AT, "r1", "auth", attempt=2, session_id="5e55", resumed=True, log="logs/auth.2.jsonl"
    ),
    "attempt_ended": events.attempt_ended(AT, "r1", "auth", OUTCOME),
    "verifying": events.verifying(AT, "r1", "auth"),
    "committing": events.committing(AT, "r1", "auth"),
    "ended": events.ended(AT, "r1", "auth", Outcome(Status.COMPLETED, work=WORK)),
    "cleaned": events.cleaned(
        AT, "auth", merged_into="main", kept_ref="refs/kept", discarded=False, detail="ancestor"
    ),
    "clash": events.clash(AT, "r1", "api", other="auth", files=("a.py", "é")),
    "merge_started": events.merge_started(AT, "merge-1", into="main"),
    "merge_ended": events.merge_ended(AT, "merge-1"),
    "landing": events.landing(
        AT,
        "merge-1",
        "auth",
        into="main",
        commit="c0ffee",
        result="57a7",
        strategy="squash",
        tip="71b",
    ),
    "merged": events.merged(AT, "merge-1", "auth", into="main", commit="c0ffee", strategy="squash"),
    "resolution_started": events.of_resolution(
        events.attempt_started(
            AT,
            "merge-1",
            "api",
            attempt=1,
            session_id="5e55",
            resumed=False,
            log="logs/api.1.jsonl",
        )
    ),
    "resolution_ended": events.of_resolution(events.attempt_ended(AT, "merge-1", "api", OUTCOME)),
    "resolved": events.resolved(
        AT, "merge-1", "api", files=("a.py", "é"), commit="c0ffee", reason=""
    ),
    "note": events.of_resolution(events.note(AT, "r1", "disk nearly full")),
}


class RoundTrip(unittest.TestCase):
    def test_each_kind_comes_back_from_json_as_it_was(self) -> None:
        for kind, event in EVERY.items():
            with self.subTest(kind=kind):
                self.assertEqual(event.kind, kind)
                text = json.dumps(event_json.to_json(event))
                self.assertTrue(text.isascii())
                self.assertNotIn("\n", text)
                self.assertEqual(event_json.from_json(json.loads(text)), event)

    def test_the_json_form_is_flat_and_names_version_kind_and_time(self) -> None:
        self.assertEqual(
            event_json.to_json(EVERY["based"]),
            {
                "v": 1,
                "event": "based",
                "at": "2023-11-14T22:13:20.125+00:00",
                "run": "r1",
                "feature": "auth",
                "start_commit": "57a7",
                "base_commit": "ba5e",
                "key": "key",
                "inputs": {"prompt": "abc"},
            },
        )
        self.assertNotIn("run", event_json.to_json(EVERY["cleaned"]))
        self.assertNotIn("feature", event_json.to_json(EVERY["note"]))

    def test_a_kind_of_a_later_version_is_read_as_it_is(self) -> None:
        value = {"v": 1, "event": "paused", "at": "2024-01-01T00:00:00+00:00", "until": 5}
        self.assertEqual(
            event_json.from_json(value), Event("paused", 1704067200.0, "", "", {"until": 5})
        )


class Outcomes(unittest.TestCase):
    def test_an_attempts_outcome_comes_back_whole(self) -> None:
        self.assertEqual(outcome_json.outcome_of(EVERY["attempt_ended"].data), OUTCOME)

    def test_what_models_were_paid_is_read_where_it_is_a_cost_and_a_count(self) -> None:
        paid = Outcome(Status.COMPLETED, paid={"a": Paid(0.5, 7)}, tokens={"b": 3})
        event = events.attempt_ended(1, "r", "f", paid)
        self.assertEqual(outcome_of(event.data), paid)
        odd: dict[str, object] = {"a": [0.5, 7], "b": [0.5, 0], "c": [-1, 7], "d": [1], "e": 7}
        for given, expected in ((odd, {"a": Paid(0.5, 7)}), ([], {})):
            data = {**event.data, "paid": given, "tokens": given}
            self.assertEqual(outcome_of(data).paid, expected)

    def test_an_unknown_cost_stays_unknown(self) -> None:
        event = events.attempt_ended(AT, "r", "a", Outcome(Status.FAILED, "gone"))
        self.assertIsNone(outcome_json.outcome_of(event.data).cost_usd)

    def test_a_features_end_tells_status_reason_fault_and_work(self) -> None:
        cases = [
            Outcome(Status.COMPLETED, work=WORK),
            Outcome(Status.CONFLICT, "a.txt"),
            Outcome(Status.FAILED, "hook", Fault.COMMIT),
        ]
        for outcome in cases:
            with self.subTest(outcome=outcome):
                event = events.ended(AT, "r1", "auth", outcome)
                self.assertEqual(outcome_json.outcome_of(event.data), outcome)

    def test_fields_of_another_type_are_as_good_as_missing(self) -> None:
        data = {
            "status": "failed",
            "cost_usd": "much",
            "usage": {"input_tokens": "many", "output_tokens": 5, "later": 1},
            "num_turns": None,
            "denied_tools": "Bash",
        }
        found = outcome_json.outcome_of(data)
        self.assertEqual(found, Outcome(Status.FAILED, usage=Usage(output_tokens=5)))

    def test_what_is_no_sum_of_money_is_unknown_and_what_is_no_count_is_nothing(self) -> None:
        for odd in (True, -1, -0.5, float("nan"), float("inf"), 10**400, 2**53 + 1):
            data = {"status": "failed", "cost_usd": odd, "num_turns": odd}
            with self.subTest(odd=str(odd)[:20]):
                found = outcome_json.outcome_of(data)
                self.assertEqual(found, Outcome(Status.FAILED))


class Strangers(unittest.TestCase):
    def test_what_we_did_not_write_is_refused_with_the_reason(self) -> None:
        good = {"v": 1, "event": "ended", "at": "2024-01-01T00:00:00+00:00", "status": "failed"}
        cases: list[tuple[object, str]] = [
            ([], "not a JSON object"),
            (None, "not a JSON object"),
            ({}, "written in form None; this version reads 1"),
            ({**good, "v": 2}, "written in form 2; this version reads 1"),
            ({**good, "at": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
            ({"v": 1, "event": "note"}, "'at' is missing"),
            ({"v": 1, "at": good["at"]}, "'event' is missing"),
            ({**good, "status": "splendid"}, "'splendid' is not a valid Status"),
            ({**good, "status": []}, "[] is not a valid Status"),
            ({**good, "feature": "a\x1b[2J"}, "an id holds a control character"),
            ({**good, "run": "\u202e"}, "an id holds a control character"),
            (good, "'feature' is missing"),
            ({**good, "status": "pending"}, "nothing ends as pending"),
            ({**good, "event": "attempt_ended", "status": "running"}, "nothing ends as running"),
            ({**good, "fault": "own"}, "'own' is not a valid Fault"),
            (
                {**good, "at": "1969-12-31T23:59:59+00:00"},
                "'1969-12-31T23:59:59+00:00' is no time of a run",
            ),
            (
                {**good, "at": "9999-12-31T23:59:59+00:00"},
                "'9999-12-31T23:59:59+00:00' is no time of a run",
            ),
            ({k: good[k] for k in ("v", "event", "at")}, "'status' is missing"),
        ]
        for value, reason in cases:
            with self.subTest(value=str(value)[:80]):
                with self.assertRaises(ValueError) as caught:
                    event_json.from_json(value)
                self.assertEqual(str(caught.exception), reason)


class Masking(unittest.TestCase):
    def test_what_is_told_is_masked_and_what_the_next_run_works_with_is_not(self) -> None:
        work = Work("secret-commit", held_back=(".env.secret",))
        outcome = Outcome(
            Status.FAILED, "a secret", result="secret!", denied_tools=("secret",), work=work
        )
        for made in (
            events.ended(1.0, "secret-run", "secret-id", outcome),
            events.attempt_ended(1.0, "secret-run", "secret-id", outcome),
            events.note(1.0, "run", "secret"),
            events.checked(
                1.0, "run", "a", key="secret", command="secret", passed=True, ending="secret"
            ),
            Event("of a later version", 1.0, "run", data={"changed": {"from": ["secret"]}}),
        ):
            masked = event_json.masked(made, lambda text: text.replace("secret", "***"))
            self.assertEqual((masked.run, masked.feature), (made.run, made.feature))
            for key, value in masked.data.items():
                with self.subTest(kind=made.kind, key=key):
                    told = key not in events.EXACT
                    self.assertEqual("***" in str(value), told and "secret" in str(made.data[key]))
        start = events.based(
            1.0,
            "run",
            Decision("a", Action.START, "new", "secret"),
            start_commit="secret",
            base_commit="secret",
        )
        self.assertEqual(event_json.masked(start, lambda text: "***"), start)

    def test_a_damaged_text_is_left_as_it_is(self) -> None:
        odd = Event("note", 1.0, "run", data={"text": 5})
        self.assertEqual(event_json.masked(odd, lambda text: "***"), odd)


if __name__ == "__main__":
    unittest.main()
