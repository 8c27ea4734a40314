"""``prove``: the recorded checks in clean checkouts, compared with the journal."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import unittest
from unittest import mock

from core.journal.lock import Holder, RunLock
from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status, Work
from core.process.supervisor import Killed
from core.review.proof import ProvedFeature
from core.review.prove import Prove, provable
from tests.support.commands import CommandResult, wait_until
from tests.support.lives import RUN
from tests.support.once import once
from tests.support.workspace import Workspace, WorkspaceTest, feature

AT = 1_000_000.0
GOOD, BAD = "ended with exit 0", "ended with exit 1"


def verdict(
    check: str, kind: Verdict = Verdict.PROVED, scope: Scope = Scope.OWN, after: str = GOOD
) -> CheckVerdict:
    return CheckVerdict(check, scope, kind, before=BAD, after=after)


class ProveTest(WorkspaceTest):
    def open(self, *features: dict[str, object], **project: object) -> Workspace:
        self.use(Workspace(list(features) or [feature("a"), feature("b")], project=project))
        return self.workspace

    def judged(self, id: str, *verdicts: CheckVerdict, tip: str = "") -> str:
        """As a run leaves a completed feature with these verdicts; its result."""
        commit = tip or self.workspace.finish(id)
        self.workspace.record(
            *(
                events_review.judged(AT, RUN, id, verdict=replace(each, commit=commit))
                for each in verdicts
            )
        )
        return commit

    def prove(self, *words: str, code: int = 0, yes: bool = True) -> CommandResult:
        said = self.workspace.main("prove", *words, *(["--yes"] if yes else []))
        self.assertEqual(said.code, code, said)
        return said

    def checks(self, *words: str, code: int = 0) -> dict[str, tuple[object, ...]]:
        """By check: whether it passed, how it ended, whether it was flaky, whether it differs."""
        found = json.loads(self.prove("--json", *words, code=code).out)
        self.assertEqual((found["event"], found["differs"]), ("prove", code == 1))
        return {
            each["check"]: (each["passes"], each["now"], each["flaky"], each["differs"])
            for one in found["features"]
            for each in one["checks"]
        }


@once
class Compared(ProveTest):
    def test_what_is_as_recorded_is_proved(self) -> None:
        shop = self.open(
            feature("a", creates=["path:a.txt"], setup=["echo own > own.made"]),
            feature("b"),
            setup=["cp .env made"],
            copy=[".env"],
            verify=["test -f made"],
        )
        shop.write({".git/info/exclude": ".env\nmade\n*.made\n", ".env": "x"})
        given = (
            verdict("test -f made", Verdict.KEPT, Scope.PROJECT),
            verdict("test -f own.made && test -f a.txt"),
            verdict("path:a.txt", after="passed"),
            verdict("symbol:Never", Verdict.MISSING, after="no line of code defines it"),
            verdict("command:grep a a.txt"),
            verdict("false", Verdict.NOT_YOURS, Scope.PROJECT, BAD),
        )
        tip = self.judged("a", *given)
        before = shop.seen_by_user()
        self.assertEqual(
            self.checks(),
            {
                "test -f made": (True, GOOD, False, False),
                "test -f own.made && test -f a.txt": (True, GOOD, False, False),
                "path:a.txt": (True, "passed", False, False),
                "symbol:Never": (False, "no line of code defines it", False, False),
                "command:grep a a.txt": (True, GOOD, False, False),
                "false": (False, BAD, False, False),
            },
        )
        self.assertEqual(shop.seen_by_user(), before)
        self.assertEqual(os.listdir(shop.worktrees), ["a"])
        said = self.prove()
        self.assertIn(f"a        {tip[:10]}  as recorded  proved", said.out)
        self.assertIn("6 recorded checks: all as recorded", said.out)
        self.assertIn("a: command:grep a a.txt\n", said.err)

    def test_the_recorded_commit_counts_and_not_the_branch_or_the_journal_s_word(self) -> None:
        shop = self.open()
        self.judged("a", verdict("grep -q good a.txt"), verdict("test -f a.txt"))
        shop.commit({"a.txt": "good\n"}, at=shop.worktree("a"))
        found = self.checks(code=1)
        self.assertEqual(found["grep -q good a.txt"], (False, BAD, False, True))
        self.assertEqual(found["test -f a.txt"], (True, GOOD, False, False))
        said = self.prove(code=1)
        self.assertIn("a: its branch has moved on to ", said.out)
        self.assertIn("2 recorded checks: 1 not as recorded", said.out)
        self.assertIn("_clean_a.verify.log", said.out)
        self.assertNotIn("as recorded", self.prove("--quiet", code=1).out)

    def test_what_failed_and_passes_now_differs_too(self) -> None:
        self.open()
        self.judged("a", verdict("true", Verdict.NOT_YOURS, Scope.PROJECT, BAD))
        self.assertEqual(self.checks(code=1), {"true": (True, GOOD, False, True)})

    def test_a_failure_is_repeated_once(self) -> None:
        shop = self.open()
        once = f"test -f {shop.beside('seen')} || {{ touch {shop.beside('seen')}; false; }}"
        self.judged("a", verdict(once))
        self.assertEqual(self.checks(), {once: (True, GOOD, True, False)})
        os.unlink(shop.beside("seen"))
        self.assertIn("flaky   proved", self.prove().out)

    def test_a_check_that_changes_the_commit_did_not_check_it(self) -> None:
        self.open()
        self.judged("a", verdict("echo > README.md"), verdict("grep -q hello README.md"))
        found = self.checks(code=1)
        self.assertIn("changed README.md", str(found["echo > README.md"][1]))
        self.assertEqual(found["grep -q hello README.md"], (True, GOOD, False, False))

    def test_where_the_setup_fails_nothing_is_proved(self) -> None:
        self.open(setup=["false"])
        self.judged("a", verdict("true"), verdict("path:a.txt"))
        found = self.checks(code=1)
        self.assertEqual(found["true"], (None, "setup: `false` ended with exit 1", False, True))
        self.assertEqual(found["path:a.txt"], (True, "passed", False, False))

    def test_where_git_cannot_make_the_checkout_nothing_is_proved(self) -> None:
        shop = self.open()
        tip = self.judged("a", verdict("true"))
        tree = shop.commit_of(tip) and shop.git("rev-parse", f"{tip}:a.txt")
        os.unlink(os.path.join(shop.git_folder, "objects", tree[:2], tree[2:]))
        ((passes, now, *_),) = self.checks(code=1).values()
        self.assertIsNone(passes)
        self.assertIn("git could not", str(now))

    def test_a_secret_that_is_nowhere_any_more_is_not_guessed(self) -> None:
        self.open()
        self.judged("a", verdict("curl [masked TOKEN]"))
        self.assertEqual(
            self.checks(code=1),
            {"curl [masked TOKEN]": (None, "its command is masked in the journal", False, True)},
        )

    def test_a_teardown_that_fails_is_said(self) -> None:
        self.open(teardown=["false"])
        self.judged("a", verdict("true"))
        self.assertIn("teardown: `false` ended with exit 1", self.prove().err)


@once
class AfterARun(ProveTest):
    """The verdicts of a real run, wherever they are shown, and then proved."""

    TESTS = f"{shlex.quote(sys.executable)} -m unittest"
    RED = "test -e mended.md"
    SECRET = "SHOP_TOKEN=s3cr3t-t0k3n test -e a.md"

    @classmethod
    def setUpClass(cls) -> None:
        cls.run_once = Workspace(apart=True)
        cls.addClassCleanup(cls.run_once.close)
        vain = "import unittest\nclass T(unittest.TestCase):\n    def test(self): pass\n"
        cls.run_once.features(
            feature(
                "a",
                {"write": "a.md"},
                {"write": "test_a.py", "content": vain},
                verify=[cls.SECRET],
                creates=["path:a.md"],
            ),
            verify=[cls.TESTS, cls.RED],
            verify_base=False,
        )
        cls.junit = cls.run_once.beside("junit.xml")
        cls.done = cls.run_once.run("--junit", cls.junit)

    def setUp(self) -> None:
        self.workspace = self.run_once
        self.addCleanup(self._assert_clean, self.workspace)

    def test_the_end_of_the_run_counts_them_and_shows_what_needs_a_look(self) -> None:
        self.assertIn("Checks: 1 not yours, 1 not looked at, 2 proved\n", self.done.out)
        self.assertIn(f"a        not yours      {self.RED} (project)", self.done.out)
        self.assertIn("test_a.py proves nothing: it passes without the change", self.done.out)

    def test_every_report_has_them(self) -> None:
        verdicts = {each["check"]: each for each in self.workspace.results()["a"]["verdicts"]}
        self.assertEqual(verdicts["path:a.md"]["verdict"], "proved")
        self.assertEqual(verdicts[self.TESTS]["proves_nothing"], ["test_a.py"])
        with open(self.junit, encoding="utf-8") as file:
            self.assertIn(f'<testcase name="a: {self.RED} (project)"', file.read())
        for options in ((), ("--markdown",), ("--html", "-")):
            said = self.workspace.main("report", *options).out
            self.assertRegex(said, r"path:a\.md")
            self.assertIn("test_a.py", said)
            self.assertNotIn("s3cr3t", said)

    def test_they_are_proved_whatever_the_list_says_by_now(self) -> None:
        self.assertIn("4 recorded checks: all as recorded", self.prove().out)
        self.workspace.change(verify=["false"])
        self.assertIn("4 recorded checks: all as recorded", self.prove().out)
        self.workspace.change([feature("a")])
        found = self.checks(code=1)
        ((masked, ended),) = ((name, end) for name, end in found.items() if "[masked" in name)
        self.assertNotIn("s3cr3t", masked)
        self.assertEqual(ended, (None, "its command is masked in the journal", False, True))


@once
class Chosen(ProveTest):
    def test_all_completed_features_that_have_not_landed_are_proved(self) -> None:
        shop = self.open(feature("a"), feature("b"), feature("c"))
        for id in ("a", "b", "c"):
            self.judged(id, verdict(f"test -f {id}.txt"))
        shop.agree("merge")
        self.assertEqual(shop.main("merge", "b").code, 0)
        self.assertEqual(list(self.checks()), ["test -f a.txt", "test -f c.txt"])
        self.assertEqual(list(self.checks("b", "b")), ["test -f b.txt"])
        self.assertEqual(shop.main("merge").code, 0)
        self.assertIn("Nothing to prove: every completed feature has landed.", self.prove().out)

    def test_what_was_cleaned_up_has_landed(self) -> None:
        story = (
            events.cleaned(AT, "a", merged_into="main", kept_ref="", discarded=False, detail=""),
        )
        self.assertEqual(provable(fold(story), []), [])

    def test_a_feature_without_a_result_or_its_commit_or_verdicts_is_not_proved(self) -> None:
        shop = self.open()
        self.assertIn("a: nothing could be proved: it has no result", self.prove("a", code=1).out)
        self.judged("a", tip=shop.finish("a"))
        self.assertIn("a: no check is recorded", self.prove("a").out)
        self.assertEqual(self.prove("a", "--quiet").out, "")
        checked = events.checked(AT, RUN, "a", key="k", command="make", passed=True, ending=GOOD)
        shop.record(checked)
        said = self.prove("a", code=1).out
        self.assertIn("the version that checked it recorded no verdicts", said)
        self.assertIn(
            "0 recorded checks: all as recorded, but not everything could be proved", said
        )
        done = events.ended(AT, RUN, "a", self.lost())
        shop.record(done)
        self.assertIn("does not have its commit 00000000", self.prove("a", code=1).out)

    @staticmethod
    def lost() -> FeatureOutcome:
        return FeatureOutcome(Status.COMPLETED, work=Work("0" * 40, 1, 1))

    def test_an_empty_journal_proves_nothing(self) -> None:
        self.open()
        said = self.prove(code=2)
        self.assertIn("the journal has no completed feature of this list", said.err)
        self.assertIn("unknown feature 'x'", self.prove("x", code=2).err)


class Careful(ProveTest):
    def test_commands_that_are_new_need_consent(self) -> None:
        shop = self.open(verify=["true"])
        self.judged("a", verdict("touch ../ran"), verdict("true", Verdict.KEPT, Scope.PROJECT))
        said = self.prove(code=2, yes=False)
        self.assertIn("this list has commands that need your consent", said.err)
        self.assertIn("touch ../ran", said.err)
        self.assertFalse(os.path.exists(os.path.join(shop.worktrees, "ran")))
        self.prove()
        self.prove(yes=False)

    def test_a_run_in_progress_keeps_the_lock(self) -> None:
        shop = self.open()
        self.judged("a", verdict("true"))
        lock = RunLock(shop.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "run"))
        self.addCleanup(lock.release)
        self.assertIn("rorchestrator run is running in this repository", self.prove(code=2).err)

    def test_a_killed_prove_leaves_a_checkout_that_the_next_one_removes(self) -> None:
        shop = self.open()
        self.judged("a", verdict("test -e ../go || { touch ../begun; sleep 60; }"))
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("prove", "--yes")
        wait_until(lambda: os.path.exists(begun), "the check")
        running.signal(signal.SIGKILL)
        running.end()
        self.assertTrue(os.path.exists(shop.scratch_path("_clean_a")))
        wait_until(lambda: not shop.processes(), "the end of all that it started")
        shop.write({"go": ""}, at=shop.worktrees)
        self.prove()
        self.assertEqual(sorted(os.listdir(shop.worktrees)), ["a", "begun", "go"])

    def test_a_signal_ends_the_check_and_leaves_nothing(self) -> None:
        shop = self.open()
        self.judged("a", verdict("touch ../begun; sleep 60"))
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("prove", "--yes")
        wait_until(lambda: os.path.exists(begun), "the check")
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 130, done)
        self.assertIn("Stopped: nothing was changed.", done.err)
        self.assertEqual(sorted(os.listdir(shop.worktrees)), ["a", "begun"])
        self.assertEqual(shop.processes(), [])

    def test_what_is_stopped_between_two_commands_proves_nothing(self) -> None:
        self.open()
        self.judged("a", verdict("path:a.txt"))

        async def killed(*_: object) -> ProvedFeature:
            raise Killed("git was ended")

        async def stopped(prove: Prove, *_: object) -> ProvedFeature:
            prove.stop.set()
            return ProvedFeature("a", "")

        for ends in (killed, stopped):
            with mock.patch.object(Prove, "_feature", ends):
                said = self.prove(code=1)
            self.assertEqual((said.out, said.err), ("", "Stopped: nothing was changed.\n"))

    def test_a_signal_during_the_setup_ends_it(self) -> None:
        shop = self.open(setup=["touch ../begun; sleep 60"])
        self.judged("a", verdict("true"))
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("prove", "--yes")
        wait_until(lambda: os.path.exists(begun), "the setup")
        running.signal(signal.SIGTERM)
        self.assertEqual(running.end().code, 143)
        self.assertEqual(sorted(os.listdir(shop.worktrees)), ["a", "begun"])


if __name__ == "__main__":
    unittest.main()
