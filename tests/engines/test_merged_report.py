"""Reports of machines, joined: one run with its times, costs and what never reported."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.engines.earlier import Earlier
from core.engines.feature_report import Claim, FeatureReport, Listed, encoded
from core.engines.merged_report import gather, joined, read_files
from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.events import Event
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from core.views.html_report import html
from core.views.run_markdown import markdown
from core.views.run_view import RunView

LIST = (
    Listed("auth", "Auth"),
    Listed("api", "API", ("auth",)),
    Listed("web", "Web", ("api",)),
    Listed("docs", "Docs"),
)


def report(
    id: str, at: float, status: Status = Status.COMPLETED, *, attempt: int = 1, usd: float = 0.5
) -> FeatureReport:
    """The report of a machine whose run began at ``at`` and took ten seconds."""
    run, decision = f"own-{id}-{attempt}", Decision(id, Action.START, "new", "key")
    work = Work("a" * 40, 1, 2) if status is Status.COMPLETED else None
    why = "" if work else "the check `make` fails"
    story = (
        events.run_started(
            at, run, pid=1, base_branch="main", base_commit="b" * 40, features=[id], max_parallel=1
        ),
        events.preparing(at, run, decision, branch=f"feature/{id}", worktree="/gone", name=id),
        events.based(at, run, decision, start_commit="b" * 40, base_commit="b" * 40),
        events.attempt_started(
            at + 1, run, id, attempt=attempt, session_id="s", resumed=False, log="/gone/log"
        ),
        events.attempt_ended(at + 9, run, id, AttemptOutcome(Status.COMPLETED, cost_usd=usd)),
        events.note(at + 9, run, "of the machine"),
        events.note(at + 9, run, "of another feature", "other"),
        events.replaced(at + 9, "another list", ["docs"]),
        events.ended(at + 10, run, id, FeatureOutcome(status, why, work=work)),
        events.run_ended(at + 10, run, exit_code=0),
    )
    return FeatureReport(
        *("r1", id, attempt, status, why, f"feature/{id}", "a" * 40),
        base_branch="main",
        base_commit="b" * 40,
        listed=LIST,
        project="Shop",
        max_parallel=2,
        events=story,
    )


def view(*reports: FeatureReport, only: tuple[str, ...] = ()) -> RunView:
    return joined(gather(reports, None, ""), only, 0.0)


class JoinedTest(unittest.TestCase):
    def test_times_costs_and_waves_are_those_of_one_run(self) -> None:
        made = view(*(report(each.id, 100.0 + 10 * n) for n, each in enumerate(LIST)))
        document = made.report.to_json()
        self.assertEqual((document["run"], document["exit_code"]), ("r1", 0))
        self.assertEqual((document["successful"], document["total_cost_usd"]), (4, 2.0))
        self.assertEqual((document["wall_ms"], document["max_parallel"]), (40_000, 2))
        self.assertEqual(document["waves"], [["auth", "docs"], ["api"], ["web"]])
        self.assertEqual(document["project_name"], "Shop")
        self.assertEqual([each.name for each in made.features], ["auth", "api", "web", "docs"])
        self.assertEqual(made.next_steps, [])

    def test_features_without_a_report_and_their_dependents_are_named(self) -> None:
        made = view(report("auth", 100.0, Status.FAILED), report("docs", 100.0))
        said = {each.id: (each.status, each.known.reason) for each in made.features}
        self.assertEqual(said["api"], (Status.BLOCKED, "not reported; it needs auth"))
        self.assertEqual(said["web"], (Status.BLOCKED, "not reported; it needs api"))
        self.assertEqual(said["docs"][0], Status.COMPLETED)
        self.assertEqual(made.run.exit_code, 1)
        self.assertEqual(made.features[0].next_commands, [])
        self.assertNotIn("retry", markdown(made) + html(made))
        alone = view(report("auth", 100.0))
        self.assertEqual(alone.features[3].known.reason, "not reported")

    def test_only_names_the_features_of_the_run(self) -> None:
        made = view(report("auth", 100.0), only=("auth", "new"))
        self.assertEqual([each.id for each in made.features], ["auth", "new"])
        self.assertEqual(view(report("auth", 100.0), only=("auth",)).run.exit_code, 0)

    def test_the_newest_attempt_counts_and_an_open_claim_is_newer_than_a_report(self) -> None:
        old, new = report("docs", 100.0, Status.FAILED), report("docs", 200.0, attempt=2)
        whole = replace(new, events=old.events + new.events)
        made = view(whole, old, only=("docs",))
        self.assertEqual(made.run.exit_code, 0)
        self.assertEqual(len(made.features[0].attempts), 2)
        self.assertEqual(made.report.cost.usd, 1.0)
        claim = Earlier("c" * 40, Claim(3, "node7"), whole)
        again = joined(gather([old], {"docs": claim}, "r1"), ("docs",), 0.0)
        self.assertEqual(again.features[0].known.reason, "attempt 3 on node7 has not reported")
        self.assertEqual(again.run.exit_code, 1)
        done = Earlier("c" * 40, Claim(2), whole)
        self.assertEqual(gather([], {"docs": done}, "").open_claims, {})

    def test_an_attempt_on_a_machine_whose_clock_is_late_follows_the_earlier_one(self) -> None:
        old, new = report("docs", 5000.0, Status.FAILED), report("docs", 100.0, attempt=2)
        made = view(replace(new, events=old.events + new.events), only=("docs",))
        self.assertEqual(made.features[0].status, Status.COMPLETED)
        self.assertEqual(made.report.to_json()["wall_ms"], 20_000)
        attempts = made.features[0].attempts
        self.assertEqual([each.started_at for each in attempts], [5001.0, 5011.0])

    def test_a_feature_on_a_machine_whose_clock_is_late_follows_those_that_it_needs(self) -> None:
        made = view(*(report(id, at) for id, at in (("web", 7.0), ("api", 5.0), ("auth", 5000.0))))
        begun = {each.id: each.known.started_at for each in made.features}
        self.assertEqual(begun, {"auth": 5001.0, "api": 5011.0, "web": 5021.0, "docs": None})
        self.assertEqual(made.report.to_json()["wall_ms"], 30_000)

    def test_a_feature_completed_only_if_the_remote_that_is_asked_says_so(self) -> None:
        """Any job can write a file about any feature."""
        pushed = Earlier("c" * 40, Claim(1), report("auth", 100.0))
        forged = [report("auth", 100.0, Status.FAILED, attempt=9), report("api", 200.0)]
        made = joined(gather(forged, {"auth": pushed}, "r1"), ("auth", "api"), 0.0)
        self.assertEqual(made.features[0].status, Status.COMPLETED)
        self.assertEqual(made.features[1].status, Status.CANCELLED)
        said = "it completed on its machine, but was not pushed"
        self.assertEqual(made.features[1].known.reason, said)
        self.assertEqual((made.report.branches, made.run.exit_code), (("feature/auth",), 1))

    def test_values_of_any_kind_in_events_are_shown(self) -> None:
        whole = report("auth", 100.0)
        odd = Event("judged", 105.0, "r", "auth", {"verdict": ["red"], "checks": 7})
        made = view(replace(whole, events=(*whole.events[:-2], odd, *whole.events[-2:])))
        self.assertIn("auth", markdown(made) + html(made))

    def test_a_machine_that_never_began_tells_why(self) -> None:
        failed = FeatureReport("r1", "docs", 1, Status.FAILED, "claude was not found", listed=LIST)
        made = view(failed, only=("docs",))
        self.assertEqual(made.features[0].known.reason, "claude was not found")
        self.assertEqual(made.features[0].status, Status.FAILED)

    def test_an_attempt_that_never_began_is_not_shown_as_the_one_before(self) -> None:
        failed = report("docs", 100.0, Status.FAILED)
        stopped = replace(failed, attempt=2, status=Status.CANCELLED, reason="interrupted")
        made = view(failed, stopped, only=("docs",))
        shown = made.features[0]
        self.assertEqual((shown.status, shown.known.reason), (Status.CANCELLED, "interrupted"))

    def test_a_report_counts_where_its_events_tell_less(self) -> None:
        made = view(replace(report("docs", 100.0), events=()), only=("docs",))
        self.assertEqual((made.features[0].status, made.run.exit_code), (Status.COMPLETED, 0))
        self.assertIn("docs", markdown(made) + html(made))

    def test_reports_of_lists_that_contradict_each_other_are_shown_without_edges(self) -> None:
        other = replace(report("api", 100.0), listed=(Listed("auth", "Auth", ("api",)),))
        made = view(report("auth", 100.0), other)
        self.assertTrue(all(not each.depends_on for each in made.features))

    def test_there_must_be_reports_of_one_run(self) -> None:
        with self.assertRaisesRegex(UserError, "there is no report"):
            gather([], {}, "")
        with self.assertRaisesRegex(UserError, "to several runs: r1, r2"):
            gather([report("auth", 1.0)], {}, "r2")
        with self.assertRaisesRegex(UserError, "no machine has started a feature of run r1"):
            joined(gather([], {}, "r1"), (), 7.0)
        empty = joined(gather([], {}, "r1"), ("auth",), 7.0)
        self.assertEqual((empty.run.started_at, empty.run.exit_code), (7.0, 1))


class FilesTest(unittest.TestCase):
    def test_files_are_read_and_a_missing_one_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.json")
            with open(path, "wb") as file:
                file.write(encoded(report("auth", 1.0).to_json()))
            self.assertEqual([each.feature for each in read_files([path])[0]], ["auth"])
            others = (os.path.join(folder, "no.json"), folder, os.devnull)
            found, faults = read_files([*others, path])
            self.assertEqual([each.feature for each in found], ["auth"])
            self.assertIn("no.json can't be read: No such file", faults[0].message)
            said = [each.message.rpartition(": ")[2] for each in faults[1:]]
            self.assertEqual(said, ["it is not a regular file"] * 2)
            self.assertEqual(len(read_files([path], "r1")[0]), 1)
            found, faults = read_files([path], "r2")
            self.assertEqual(found, [])
            self.assertIn("a.json is a report of run r1", faults[0].message)


if __name__ == "__main__":
    unittest.main()
