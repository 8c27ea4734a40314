"""The lines of `status`, from typed values."""

from __future__ import annotations

import os
import unittest

from core.model.attempt import Attempt
from core.model.cached_setup import CachedSetup
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.costs import Cost
from core.model.frozen import replace
from core.model.handover import PullRequest
from core.model.moments import minute, minute_of, moment
from core.model.outcome import AttemptOutcome, Status, Stray, Work
from core.model.review import Answer, Comment, Review
from core.model.state import Check, FeatureState, Run
from core.model.window import Window
from core.reporter.project_status import Checkout, FeatureStatus, PredictedConflict
from core.reporter.status_text import STRAYS_SHOWN, status_lines, stray_lines
from core.reporter.style import Style, columns
from tests.support.statuses import FEATURE, HOLDER, PROJECT
from tests.support.story import ASCII, AT, COLOUR, HOSTILE, PLAIN, RUN, is_safe

RUNNING = Run(RUN, AT, pid=HOLDER.pid)


def attempt(number: int = 1, usd: float | None = None, *, is_over: bool = True) -> Attempt:
    outcome = AttemptOutcome(Status.FAILED, cost_usd=usd) if is_over else None
    return Attempt(RUN, number, "s1", AT, outcome=outcome)


class TheVerdicts(unittest.TestCase):
    def test_checks_that_counted_as_passed_are_named_once(self) -> None:
        red = CheckVerdict("make lint", Scope.PROJECT, Verdict.NOT_YOURS)
        flaky = CheckVerdict("make e2e", Scope.PROJECT, Verdict.FLAKY)
        kept = CheckVerdict("make test", Scope.PROJECT, Verdict.KEPT)
        made = {f"project {each.check}": each for each in (red, flaky, kept)}
        feature = replace(FEATURE, state=replace(FEATURE.state, verdicts=made))
        status = replace(PROJECT, features=(feature, feature))
        lines = list(status_lines(status, PLAIN))
        for expected in (
            "1 check failed at the start commit, too: not yours (`make lint`)",
            "1 check is flaky: `make e2e`",
        ):
            self.assertEqual(lines.count(expected), 1, lines)
        self.assertNotIn("not yours", "\n".join(status_lines(status, PLAIN, quiet=True)))


class TheHeading(unittest.TestCase):
    def test_it_tells_how_full_the_windows_are(self) -> None:
        windows = (Window("five_hour", 0.62, AT + 60), Window("seven_day", 0.1))
        lines = list(status_lines(replace(PROJECT, windows=windows), PLAIN))
        expected = [
            f"Usage: 5-hour window 62 %, reset {minute(AT + 60)}",
            "Usage: 7-day window 10 %",
        ]
        self.assertEqual(lines[4:6], expected)

    def test_it_tells_what_the_setup_cache_takes(self) -> None:
        setups = tuple(CachedSetup(key, ("m",), 1_500_000, 9, AT) for key in ("a", "b"))
        lines = list(status_lines(replace(PROJECT, setups=setups), PLAIN))
        self.assertEqual(lines[4], "Setup cache: 2 entries, 3.0 MB")

    def test_it_names_the_project_and_what_is_in_progress(self) -> None:
        status = replace(PROJECT, base_commit="0123456789abcdef")
        self.assertEqual(
            list(status_lines(status, PLAIN))[:5],
            [
                "Shop",
                "Repository: /shop, base main (0123456789)",
                "Claude: not found: install it, or set claude.command in the list",
                "In progress: nothing",
                "",
            ],
        )
        status = replace(PROJECT, claude="2.1.0", other_lists=("a.json", "b.json"))
        self.assertEqual(
            list(status_lines(status, PLAIN))[2:6],
            [
                "Claude: 2.1.0",
                "In progress: nothing",
                "Other lists: a.json, b.json (--all-lists shows their features)",
                "",
            ],
        )

    def test_a_run_in_progress_is_described(self) -> None:
        begin = f"In progress: run, pid 7, since {minute_of(HOLDER.started_at)}"
        until = "2026-01-02T15:00:00+00:00"
        local = minute_of(until)
        for run, end in (
            (None, ""),
            (RUNNING, ""),
            (replace(RUNNING, owner="list.json"), ""),
            (replace(RUNNING, owner="b.json"), ", of b.json"),
            (replace(RUNNING, paused_until=until), f", waiting for a usage limit until {local}"),
            (replace(RUNNING, paused_until=until, ended_at=AT), ""),
            (replace(RUNNING, is_paused=True), "; paused (to continue: rorchestrator resume)"),
            (
                replace(RUNNING, unreviewed=1),
                "; waits for your review of 1 feature (to continue: rorchestrator review)",
            ),
        ):
            with self.subTest(end):
                status = replace(PROJECT, holder=HOLDER, run=run)
                self.assertEqual(list(status_lines(status, PLAIN))[3], begin + end)

    def test_the_last_run_is_named_if_none_is_in_progress(self) -> None:
        for run, end in (
            (RUNNING, f"; the last run was killed, it began {minute(AT)}"),
            (
                replace(RUNNING, ended_at=AT + 60, exit_code=1),
                f"; the last run ended {minute(AT + 60)}, exit code 1",
            ),
        ):
            lines = list(status_lines(replace(PROJECT, run=run), PLAIN))
            self.assertEqual(lines[3], f"In progress: nothing{end}")

    def test_quiet_omits_it(self) -> None:
        (line,) = status_lines(PROJECT, PLAIN, quiet=True)
        self.assertEqual(line, "FEATURE  STATUS  COST  TIME  AHEAD  MERGED  BRANCH  WORKTREE")

    def test_it_is_bold_where_there_are_colours(self) -> None:
        lines = list(status_lines(PROJECT, COLOUR))
        self.assertEqual(lines[0], "\x1b[1mShop\x1b[0m")
        self.assertTrue(lines[-1].startswith("\x1b[1mFEATURE"))


class TheWidth(unittest.TestCase):
    def table(self, width: int, id: str = "auth", *, wide: bool = False) -> list[str]:
        checkout = Checkout(
            branch=f"feature/{id}", worktree=f"/worktrees/{id}", uncommitted=("a", "b")
        )
        state = FeatureState(id, status=Status.COMPLETED, attempts=(attempt(1, 1.5),))
        feature = replace(FEATURE, state=state, checkout=checkout)
        status = replace(PROJECT, features=(feature,))
        return list(status_lines(status, Style(width), quiet=True, wide=wide))

    def test_columns_are_left_out_where_there_is_no_room(self) -> None:
        headings = {
            120: "FEATURE STATUS COST TIME AHEAD MERGED BRANCH WORKTREE",
            80: "FEATURE STATUS COST TIME AHEAD MERGED BRANCH",
            60: "FEATURE STATUS COST TIME AHEAD MERGED BRANCH",
            50: "FEATURE STATUS COST TIME AHEAD MERGED",
            40: "FEATURE STATUS COST TIME MERGED",
            34: "FEATURE STATUS COST TIME",
            20: "FEATURE STATUS",
        }
        for width, heading in headings.items():
            with self.subTest(width):
                head, row, *rest = self.table(width)
                self.assertEqual(head.split(), heading.split())
                self.assertLessEqual(max(columns(head), columns(row)), width)
                said = [] if "WORKTREE" in heading else ["", "auth: 2 uncommitted files"]
                self.assertEqual(rest, said)

    def test_a_long_id_is_cut_where_nothing_else_helps(self) -> None:
        long = "a-feature-with-a-very-long-id-that-says-all"
        self.assertTrue(self.table(40, long)[1].startswith("a-feature-with-a-very-long"))
        self.assertEqual(columns(self.table(40, long)[1]), 40)
        self.assertEqual(self.table(10, long)[1], "a-featu…  completed")
        self.assertEqual(len(self.table(40, long, wide=True)[0].split()), 8)


class TheTotal(unittest.TestCase):
    def total(self, *features: FeatureStatus) -> str:
        lines = list(status_lines(replace(PROJECT, features=features), PLAIN))
        return next((line for line in lines if line.startswith("Total")), "")

    def test_it_sums_the_costs_of_all_runs(self) -> None:
        paid = FeatureState("auth", status=Status.COMPLETED, past=Cost(0.5, 1))
        resolved = FeatureState(
            "api", attempts=(attempt(1, 0.25),), resolutions=(attempt(1, 0.05),)
        )
        both = [replace(FEATURE, state=state) for state in (paid, resolved)]
        self.assertEqual(
            self.total(*both), "Total: $0.75 + $0.05 for conflicts over all runs, 1 of 2 completed"
        )
        self.assertEqual(self.total(both[0]), "")
        killed = replace(FEATURE, state=FeatureState("api", attempts=(attempt(is_over=False),)))
        self.assertEqual(
            self.total(both[0], killed), "Total: ≥ $0.50 over all runs, 1 of 2 completed"
        )
        running = replace(killed, is_active=True)
        self.assertEqual(
            self.total(both[0], running), "Total: $0.50 so far over all runs, 1 of 2 completed"
        )


class TheColours(unittest.TestCase):
    def test_each_status_has_its_colour(self) -> None:
        for status, is_active, code in (
            (Status.COMPLETED, False, "32"),
            (Status.FAILED, False, "31"),
            (Status.RUNNING, True, "36"),
            (Status.RUNNING, False, "33"),
        ):
            with self.subTest(status, is_active=is_active):
                state = FeatureState("auth", status=status)
                feature = replace(FEATURE, state=state, is_active=is_active)
                row = list(status_lines(replace(PROJECT, features=(feature,)), COLOUR))[-1]
                self.assertIn(f"auth     \x1b[{code}m{feature.status}\x1b[0m  ", row)
        pending = list(status_lines(replace(PROJECT, features=(FEATURE,)), COLOUR))[-1]
        self.assertNotIn("\x1b", pending)


class ARow(unittest.TestCase):
    def cells(self, feature: FeatureStatus = FEATURE, *, ascii: bool = False) -> list[str]:
        status = replace(PROJECT, features=(feature,))
        _, row = status_lines(status, ASCII if ascii else PLAIN, quiet=True)
        return [cell.strip() for cell in row.split("  ") if cell.strip()]

    def cell(self, column: int, checkout: Checkout, status: Status = Status.COMPLETED) -> str:
        state = FeatureState("auth", status=status)
        # Without a blank line and details: those have tests of their own.
        feature = replace(FEATURE, state=state, checkout=checkout)
        status_of = replace(PROJECT, features=(feature,))
        row = list(status_lines(status_of, PLAIN, quiet=True, wide=True))[1]
        return [cell.strip() for cell in row.split("  ") if cell.strip()][column]

    def test_a_pending_feature_has_dashes(self) -> None:
        self.assertEqual(self.cells(), ["auth", "pending", "-", "-", "0", "-", "-", "-"])

    def test_a_feature_of_another_list_has_the_name_of_that_list(self) -> None:
        for in_list, owner, expected in (
            (True, "b.json", "auth"),
            (False, "b.json", "auth (b.json)"),
            (False, "list.json", "auth"),
            (False, "", "auth"),
        ):
            with self.subTest(in_list=in_list, owner=owner):
                state = FeatureState("auth", owner)
                self.assertEqual(
                    self.cells(replace(FEATURE, state=state, in_list=in_list))[0], expected
                )

    def test_the_status_of_a_completed_feature_has_the_answer_or_open_comments(self) -> None:
        comments = (Comment("1", "Why?"), Comment("2", "x", is_sent=True))
        for review, expected in (
            (Review(), "completed"),
            (Review(Answer.ACCEPTED, "c0ffee", comments), "completed (accepted)"),
            (Review(Answer.ACCEPTED, "other", comments), "completed (1 comment)"),
            (Review(Answer.REJECTED), "completed (rejected)"),
        ):
            work = Work("c0ffee")
            state = FeatureState("auth", status=Status.COMPLETED, work=work, review=review)
            self.assertEqual(self.cells(replace(FEATURE, state=state))[1], expected)
        pending = FeatureState("auth", review=Review(comments=comments))
        self.assertEqual(self.cells(replace(FEATURE, state=pending))[1], "pending")

    def test_a_pull_request_is_shown_until_its_work_has_landed(self) -> None:
        request = PullRequest("github", 11, "https://github.com/acme/shop/pull/11", "main", "open")
        state = FeatureState("auth", status=Status.COMPLETED, pull_request=request)
        for merged, expected in (
            ("", ["auth: https://github.com/acme/shop/pull/11 (open)"]),
            ("squashed", []),
        ):
            feature = replace(FEATURE, state=state, checkout=Checkout(merged=merged))
            self.assertEqual(feature.to_json()["pull_request"], vars(request))
            said = status_lines(replace(PROJECT, features=(feature,)), PLAIN, quiet=True)
            self.assertEqual([line for line in said if "pull" in line], expected)

    def test_the_status_has_spaces_and_the_time_is_short(self) -> None:
        state = FeatureState("auth", status=Status.TIMED_OUT, started_at=AT, ended_at=AT + 150)
        cells = self.cells(replace(FEATURE, state=state))
        self.assertEqual((cells[1], cells[3]), ("timed out", "2m30s"))

    def test_the_cost_is_exact_or_says_how_inexact_it_is(self) -> None:
        one, killed = attempt(1, 0.25), attempt(2, is_over=False)
        for attempts, is_active, expected in (
            ((), False, "-"),
            ((one,), False, "$0.25"),
            ((one, killed), False, "≥ $0.25"),
            ((one, killed), True, "$0.25"),
            ((killed,), True, "-"),
            ((killed,), False, "unknown"),
            ((one, replace(killed, about_usd=0.5)), False, "about $0.75"),
            ((replace(killed, about_usd=0.5),), False, "about $0.50"),
        ):
            with self.subTest(expected):
                state = FeatureState("auth", status=Status.RUNNING, attempts=attempts)
                feature = replace(FEATURE, state=state, is_active=is_active)
                self.assertEqual(self.cells(feature)[2], expected)
        state = FeatureState("auth", attempts=(one, killed))
        self.assertEqual(self.cells(replace(FEATURE, state=state), ascii=True)[2], ">= $0.25")

    def test_the_cost_of_earlier_runs_counts(self) -> None:
        state = FeatureState("auth", past=Cost(0.5, 1))
        self.assertEqual(self.cells(replace(FEATURE, state=state))[2], "$0.50")

    def test_the_cost_of_resolutions_is_apart(self) -> None:
        for usd, expected in ((0.05, "$0.25 + $0.05"), (None, "$0.25"), (0.0, "$0.25")):
            with self.subTest(usd):
                state = FeatureState(
                    "auth", attempts=(attempt(1, 0.25),), resolutions=(attempt(1, usd),)
                )
                self.assertEqual(self.cells(replace(FEATURE, state=state))[2], expected)

    def test_merged_is_a_proof_or_no_or_unknown(self) -> None:
        self.assertEqual(self.cell(5, Checkout()), "no")
        self.assertEqual(self.cell(5, Checkout(merged="ancestor")), "ancestor")
        self.assertEqual(self.cell(5, Checkout(unknown="a filter decides")), "unknown")
        self.assertEqual(self.cell(5, Checkout(problem="gone")), "unknown")
        self.assertEqual(self.cell(5, Checkout(), Status.FAILED), "-")

    def test_the_worktree_has_its_changes_and_its_problem(self) -> None:
        for checkout, expected in (
            (Checkout(worktree="/w"), "/w"),
            (Checkout(worktree="/w", uncommitted=("a",)), "/w (1 uncommitted file)"),
            (
                Checkout(worktree="/w", maybe_changed=(("a", "x"), ("b", "y"), ("c", "x"))),
                "/w (3 files maybe changed (filter x, filter y))",
            ),
            (Checkout(worktree="/w", problem="broken"), "/w (problem: see below)"),
        ):
            with self.subTest(expected):
                self.assertEqual(self.cell(7, checkout), expected)

    def test_a_path_is_shown_from_here_where_that_is_shorter(self) -> None:
        here = os.path.join(os.getcwd(), "w")
        self.assertEqual(self.cell(7, Checkout(worktree=here)), "w")


class TheDetails(unittest.TestCase):
    def lines(self, feature: FeatureStatus, *, verbose: bool = False) -> list[str]:
        status = replace(PROJECT, features=(feature,))
        return list(status_lines(status, PLAIN, quiet=True, verbose=verbose))[2:]

    def test_each_reason_has_a_paragraph(self) -> None:
        checkout = Checkout(
            by_hand="moved by hand",
            problem="the worktree is gone",
            unknown="a filter decides",
            conflicts=(
                PredictedConflict("api", ("a.py", "b.py")),
                PredictedConflict("app", ("c.py",), "a merge driver decides"),
            ),
        )
        state = FeatureState("auth", reason="no\n\nluck")
        self.assertEqual(
            self.lines(
                replace(FEATURE, state=state, checkout=checkout, out_of_date="prompt changed")
            ),
            [
                *("", "auth: no", "    ", "    luck"),
                *("", "auth: out of date once it is completed: prompt changed"),
                *("", "auth: moved by hand"),
                *("", "auth: the worktree is gone"),
                *("", "auth: merged: a filter decides"),
                *("", "auth: will not merge with api: a.py, b.py"),
                *("", "auth: may not merge with app: c.py (a merge driver decides)"),
            ],
        )

    def test_a_reason_of_nothing_but_control_characters_is_an_empty_one(self) -> None:
        state = FeatureState("auth", reason="\x1b[0m\x1b[2J")
        self.assertEqual(self.lines(replace(FEATURE, state=state)), ["", "auth: "])

    def test_verbose_adds_the_session_and_the_last_check(self) -> None:
        check = Check("make\ntest", False, "exit 2", AT)
        state = FeatureState("auth", attempts=(attempt(1, 0.25),), last_check=check)
        feature = replace(FEATURE, state=state)
        self.assertEqual(self.lines(feature), [])
        self.assertEqual(
            self.lines(feature, verbose=True),
            ["    auth: session s1", "    auth: last check make test: exit 2"],
        )
        self.assertEqual(self.lines(FEATURE, verbose=True), [])

    def test_verbose_adds_when_it_started_and_ended(self) -> None:
        for ended_at, ended in ((None, ""), (AT + 60, f", ended {moment(AT + 60)}")):
            state = FeatureState("auth", started_at=AT, ended_at=ended_at)
            self.assertEqual(
                self.lines(replace(FEATURE, state=state), verbose=True),
                [f"    auth: started {moment(AT)}{ended}"],
            )


class Strays(unittest.TestCase):
    def test_each_has_the_commands_that_remove_it(self) -> None:
        both, branch = Stray("/w/my x", "x", "c0ffee"), Stray("", "y", "c0ffee")
        there = Stray("/w/z", "", "c0ffee")
        stays = "belongs to no feature and is left alone. To remove it: "
        expected = [
            f"auth: the worktree /w/my x (branch x) {stays}"
            "git -C '/my shop/.git' worktree remove '/w/my x' && "
            "git -C '/my shop/.git' branch -d x",
            f"the branch y (c0ffee) {stays}git -C '/my shop/.git' branch -d y",
            f"the worktree /w/z (at c0ffee) {stays}git -C '/my shop/.git' worktree remove /w/z",
        ]
        strays = (("auth", both), ("", branch), ("", there))
        self.assertEqual(list(stray_lines(strays, "/my shop/.git")), expected)
        status = replace(PROJECT, strays=strays, git_folder="/my shop/.git")
        self.assertEqual(list(status_lines(status, PLAIN, quiet=True))[1:], ["", *expected])

    def test_the_first_of_many_strays_are_shown(self) -> None:
        strays = [("", Stray("", f"b{number}")) for number in range(STRAYS_SHOWN + 1)]
        lines = list(stray_lines(strays, "/shop/.git"))
        self.assertEqual(len(lines), STRAYS_SHOWN + 1)
        self.assertTrue(lines[-1].startswith("… and more: git worktree list"))
        self.assertNotIn("more", "".join(stray_lines(strays[1:], "/shop/.git")))


class HostileText(unittest.TestCase):
    def test_no_text_steers_the_terminal(self) -> None:
        text = HOSTILE.replace("\x00", "")
        state = FeatureState(
            "auth",
            text,
            status=Status.FAILED,
            reason=text,
            attempts=(replace(attempt(), session_id=text),),
            last_check=Check(text, False, text, AT),
        )
        checkout = Checkout(
            branch=text,
            merged=text,
            unknown=text,
            by_hand=text,
            worktree=text,
            maybe_changed=((text, text),),
            conflicts=(PredictedConflict(text, (text,), text),),
            problem=text,
        )
        status = replace(
            PROJECT,
            project_name=text,
            repository=text,
            base_branch=text,
            base_commit=text,
            other_lists=(text,),
            claude=text,
            holder=replace(HOLDER, started_at=text, command=text),
            run=replace(RUNNING, owner=text, paused_until=text),
            features=(replace(FEATURE, state=state, in_list=False, checkout=checkout),),
            strays=((text, Stray(text, text, text)),),
        )
        for line in status_lines(status, PLAIN, verbose=True):
            self.assertTrue(is_safe(line), repr(line))


if __name__ == "__main__":
    unittest.main()
