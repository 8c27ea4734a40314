"""``run --remote``, end to end: machines that share nothing but a repository."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import unittest
import unittest.mock

from core.commands import run_elsewhere
from core.engines.hand_in import HandIn
from core.git import channel
from core.git.channel import Channel
from core.git.refs import KEPT
from core.model.errors import ExitCode, UserError
from core.process.signals import SignalReceived
from core.views.view import Views
from tests.support.commands import CommandResult, Running, wait_until
from tests.support.diamond import DIAMOND, diamond
from tests.support.elsewhere import RUN_ID, Elsewhere, ElsewhereTest
from tests.support.once import once
from tests.support.workspace import Json, feature

CHECK = [["sh", "-c", "test ! -f bad"]]


class DiamondTest(unittest.TestCase):
    """Four machines, two of them at the same time, looked at from all sides."""

    space: Elsewhere
    errors: str
    joined: Json

    @classmethod
    def setUpClass(cls) -> None:
        space = cls.space = Elsewhere()
        cls.addClassCleanup(space.close)
        space.features(*diamond(space), verify=CHECK, max_unreviewed=1)
        space.publish("the list")
        first = space.run_there("model")
        assert first.code == 0, first.err
        both = [space.begin("storage"), space.begin("search")]
        for done in [each.end() for each in both]:
            assert done.code == 0, done.err
        last = space.run_there("app", "--json")
        assert last.code == 0, last.err
        cls.errors = last.err
        cls.last_line = last.lines[-1]

    def test_the_last_branch_holds_the_work_of_all_four(self) -> None:
        listed = self.space.there("ls-tree", "--name-only", "feature/app").split()
        expected = {"model.py", "storage.py", "search.py", "app.py", "README.md", "config"}
        self.assertEqual(set(listed), expected)

    def test_each_branch_is_at_its_result_and_each_report_says_so(self) -> None:
        for id in DIAMOND:
            report = self.space.pushed_report(id)
            self.assertEqual(report, self.space.report_of(id))
            self.assertEqual((report["status"], report["attempt"]), ("completed", 1))
            self.assertEqual(report["commit"], self.space.tip_there(id))

    def test_a_commit_has_the_trailers_of_any_run(self) -> None:
        message = self.space.there("log", "-1", "--format=%B", "feature/app")
        self.assertIn("RoRchestrator-Feature: app\nRoRchestrator-Run: 2", message)

    def test_nothing_is_left_on_the_machines_but_the_report(self) -> None:
        self.assertEqual(os.listdir(self.space.temporary), [])
        self.assertEqual(os.listdir(self.space.beside("machine-1")), [])
        self.assertFalse(os.path.exists(os.path.join(self.space.home, ".local")))

    def test_the_output_is_that_of_a_run_and_says_what_was_pushed(self) -> None:
        self.assertEqual((self.last_line["event"], self.last_line["files"]), ("report", []))
        tip = self.space.tip_there("app")[:10]
        said = f"rorchestrator: feature/app is pushed at {tip}, with its report"
        self.assertEqual(self.errors.splitlines()[-1], said)

    def test_the_reports_join_into_one_run(self) -> None:
        done = self.space.merged("--json")
        self.assertEqual(done.code, 0, done.err)
        joined = done.json
        self.assertEqual(joined["run"], RUN_ID)
        self.assertEqual(joined["features"], ["model", "storage", "search", "app"])
        self.assertEqual(joined["waves"], [["model"], ["storage", "search"], ["app"]])
        self.assertEqual(joined["by_status"], {"completed": 4})
        self.assertEqual(joined["total_cost_usd"], 0.4)
        self.assertEqual([each["success"] for each in joined["results"]], [True] * 4)

    def test_a_feature_that_completed_is_not_run_again(self) -> None:
        before = self.space.refs_there()
        done = self.space.run_there("app", "--json")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("app already completed in run r1: attempt 1", done.err)
        self.assertEqual(done.lines[-1]["by_status"], {"completed": 1})
        self.assertEqual(self.space.refs_there(), before)


class AttemptTest(ElsewhereTest):
    @once
    def test_work_of_a_failed_attempt_is_kept_and_the_next_one_goes_on_from_it(self) -> None:
        fixed = self.use().touch("is not fixed")
        steps = ({"write": "auth.md"}, {"bash": f"if [ -e '{fixed}' ]; then touch bad; fi"})
        space = self.space
        space.features(feature("auth", *steps), feature("api", depends_on=["auth"]), verify=CHECK)
        space.change(verify_attempts=0)
        space.publish()
        done = space.run_there("auth")
        self.assert_code(done, 1)
        self.assertIn("the work that was kept, with its report", done.err)
        kept = space.tip_there("auth")
        self.assertEqual(space.file_there(kept, "auth.md"), "auth.md")
        refused = space.run_there("api")
        self.assert_code(refused, 1)
        self.assertIn("auth: it did not complete (failed)", refused.err)
        self.assertIn("next: run first, in the same run: auth", refused.err)
        os.unlink(fixed)
        again = space.run_there("auth")
        self.assert_code(again, 1)
        self.assertIn(
            "attempt 2 of auth: a new session, on the work that attempt 1 pushed", again.err
        )
        report = space.pushed_report("auth")
        self.assertEqual(report["attempt"], 2)
        numbers = [e["attempt"] for e in report["events"] if e["event"] == "attempt_started"]
        self.assertEqual(numbers, [1, 2])
        self.assertEqual(space.there("merge-base", kept, space.tip_there("auth")), kept)
        self.assertEqual(space.merged("--json").json["by_status"], {"failed": 1, "blocked": 1})

    def test_after_sigterm_the_work_is_pushed_before_the_machine_ends(self) -> None:
        running = self.use_held()
        space = self.space
        running.signal(signal.SIGTERM)
        done = running.end()
        self.assert_code(done, 143)
        self.assertEqual(space.pushed_report("auth")["status"], "cancelled")
        self.assertEqual(space.file_there("feature/auth", "auth.md"), "auth.md")
        space.touch("auth.go")
        self.assert_code(space.run_there("auth"), 0)
        self.assertEqual(space.merged().code, 0)

    @once
    def test_a_lost_machine_that_comes_back_can_push_neither_branch_nor_report(self) -> None:
        late = self.use_held()
        space = self.space
        os.unlink(space.beside("auth.began"))
        newer = space.at_work("auth")
        space.touch("auth.go")
        self.assert_code(newer.end(), 0)
        before = space.refs_there()
        done = late.end()
        self.assert_code(done, 1)
        self.assertIn("attempt 2 has started on another machine and replaces this one", done.err)
        self.assertEqual(space.refs_there(), before)
        (kept,) = re.findall("to look at it: git fetch '(.*)' feature/auth", done.err)
        self.assertIn("refs/heads/feature/auth", space.git("bundle", "list-heads", kept))

    @once
    def test_a_lost_machine_without_work_keeps_none(self) -> None:
        space = self.use()
        began, go = (
            {name: space.beside(f"auth.{end}")}
            for name, end in (("write", "began"), ("wait", "go"))
        )
        space.features(feature("auth", began, go, {"fail": "no"}))
        space.publish()
        late = space.at_work("auth")
        os.unlink(space.beside("auth.began"))
        newer = space.at_work("auth")
        space.touch("auth.go")
        self.assert_code(newer.end(), 1)
        done = late.end()
        self.assert_code(done, 1)
        self.assertIn("attempt 2 has started on another machine", done.err)
        self.assertNotIn("kept", done.err)
        left = os.listdir(os.path.dirname(space.report_path("auth")))
        self.assertEqual(left, ["auth.json"])

    @once
    def test_after_a_crash_the_next_attempt_starts_over_and_removes_what_was_left(self) -> None:
        running = self.use_held()
        space = self.space
        running.kill()
        self.assertEqual(len(os.listdir(space.temporary)), 1)
        said = space.merged()
        self.assertEqual(said.code, 1)
        self.assertIn("attempt 1 on ", said.out)
        space.touch("auth.go")
        done = space.run_there("auth")
        self.assert_code(done, 0)
        self.assertIn("attempt 2 of auth: starting over", done.err)

    @once
    def test_a_branch_that_an_earlier_run_pushed_is_replaced_and_kept(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth", run_id="r0"), 0)
        first = space.tip_there("auth")
        self.assert_code(space.run_there("auth"), 0)
        self.assertNotEqual(space.tip_there("auth"), first)
        self.assertEqual(space.refs_there()[f"{KEPT}auth/r1.1"], first)


class EndTest(ElsewhereTest):
    def test_a_run_that_can_not_begin_is_reported_with_its_reason(self) -> None:
        space = self.use()
        space.features(feature("auth"), claude={"command": ["no-such-claude"]})
        space.publish()
        done = space.run_there("auth", "-q", "--allow-bypass")
        self.assert_code(done, 2)
        self.assertIn("no-such-claude", done.err)
        report = space.pushed_report("auth")
        self.assertEqual((report["status"], report["commit"]), ("failed", None))
        self.assertIn("no-such-claude", report["reason"])

    @once
    def test_a_signal_before_the_feature_has_begun_is_reported_too(self) -> None:
        space = self.use(feature("auth"))
        killed = UserError("git was cancelled", exit_code=ExitCode.TERMINATED)
        for heard in (SignalReceived(signal.SIGTERM), killed):
            with unittest.mock.patch.object(run_elsewhere, "run_features", side_effect=heard):
                done = space.run_there("auth")
            self.assert_code(done, 143)
            report = space.pushed_report("auth")
            self.assertEqual((report["status"], report["reason"]), ("cancelled", "interrupted"))

    @once
    def test_a_signal_after_the_feature_has_ended_prevents_nothing(self) -> None:
        space = self.use(feature("auth"))

        def closed(views: Views) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        with unittest.mock.patch.object(Views, "close", closed):
            done = space.run_there("auth")
        self.assert_code(done, 0)
        self.assertEqual(space.pushed_report("auth")["status"], "completed")

    @once
    def test_a_signal_while_the_event_loop_ends_prevents_nothing(self) -> None:
        space = self.use(feature("auth"))
        close = asyncio.SelectorEventLoop.close

        def closed(loop: asyncio.SelectorEventLoop) -> None:
            close(loop)
            os.kill(os.getpid(), signal.SIGTERM)

        with unittest.mock.patch.object(asyncio.SelectorEventLoop, "close", closed):
            done = space.run_there("auth")
        self.assert_code(done, 0)
        self.assertEqual(space.pushed_report("auth")["status"], "completed")

    @once
    def test_a_signal_during_the_clone_leaves_nothing(self) -> None:
        space = self.use(feature("auth"))
        began = space.beside("clone.began")
        hold = space.script("hold", f"#!/bin/sh\ntouch {began}\nexec sleep 60\n")
        space.git("config", "--file", space.config, "uploadpack.packObjectsHook", hold)
        running = space.begin("auth")
        space.wait_for("clone.began")
        running.signal(signal.SIGTERM)
        done = running.end()
        self.assert_code(done, 143)
        self.assertIn("Stopped, and the temporary clone is removed.", done.err)
        self.assertEqual(space.refs_there("refs/rorchestrator"), {})

    @once
    def test_work_that_may_replace_no_branch_is_pushed_once_the_branch_is_deleted(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth", run_id="r0"), 0)
        space.there("config", "receive.denyNonFastForwards", "true")
        done = space.run_there("auth")
        self.assert_code(done, 1)
        self.assertIn("first delete feature/auth there", done.err)
        space.there("update-ref", "-d", "refs/heads/feature/auth")
        kept = f"{space.report_path('auth')}.bundle"
        self.assert_code(space.main("push", "--bundle", kept, "--remote", space.url), 0)
        self.assertEqual(space.tip_there("auth"), space.pushed_report("auth")["commit"])

    @once
    def test_work_outlives_a_push_that_never_ends_and_a_bundle_the_next_one(self) -> None:
        space = self.use(feature("auth"))
        began, go = space.beside("push.began"), space.beside("push.go")
        hook = space.script(
            os.path.join(space.remote, "hooks", "pre-receive"),
            f"#!/bin/sh\ngrep -q refs/heads/ || exit 0\ntouch '{began}'\n"
            f"while ! test -e '{go}'; do sleep 0.01; done\nexit 1\n",
        )
        running = space.begin("auth")
        space.wait_for("push.began")
        running.kill()
        space.touch("push.go")
        done = space.run_there("auth")
        self.assert_code(done, 1)
        first, second = (f"{space.report_path('auth')}.{end}bundle" for end in ("", "2."))
        self.assertIn(f"to push it: rorchestrator push --bundle '{second}' --remote URL", done.err)
        os.unlink(hook)
        said = space.main("push", "--bundle", first, "--remote", space.url)
        self.assert_code(said, 1)
        self.assertIn("attempt 2 has started on another machine", said.err)
        self.assert_code(space.main("push", "--bundle", second, "--remote", space.url), 0)
        self.assert_code(space.run_there("auth", run_id="r2"), 0)
        left = sorted(os.listdir(os.path.dirname(first)))
        self.assertEqual(left, ["auth.json", "auth.json.2.bundle", "auth.json.bundle"])

    @once
    def test_a_bundle_that_can_not_be_written_prevents_no_push(self) -> None:
        space = self.use(feature("auth"))
        full = UserError("no space left")
        with unittest.mock.patch.object(HandIn, "bundle", side_effect=full):
            self.assert_code(space.run_there("auth"), 0)
        path = space.report_path("auth")
        self.assertEqual(os.listdir(os.path.dirname(path)), ["auth.json"])

    @once
    def test_a_report_may_be_named_by_any_path(self) -> None:
        space = self.use(feature("auth"))
        done = space.run_there("auth", "--report", "no/../reports/auth.json")
        self.assert_code(done, 0)
        self.assertEqual(os.listdir(space.beside("machine-1", "reports")), ["auth.json"])

    @once
    def test_a_report_without_work_that_can_not_be_pushed_is_kept(self) -> None:
        space = self.use(feature("auth", {"fail": "no"}))
        hook = space.script(
            os.path.join(space.remote, "hooks", "update"),
            '#!/bin/sh\ntest "$2" = 0000000000000000000000000000000000000000\n',
        )
        done = space.run_there("auth")
        self.assert_code(done, 1)
        kept = f"{space.report_path('auth')}.bundle"
        command = f"rorchestrator push --bundle '{kept}' --remote URL"
        self.assertIn(f"the report is kept; to push it: {command}", done.err)
        os.unlink(hook)
        for _ in range(2):
            said = space.main("push", "--bundle", kept, "--remote", space.url)
            self.assertEqual((said.code, said.out), (0, "auth (failed): no work\n"))

    @once
    def test_if_the_remote_is_gone_the_work_is_kept_beside_the_report(self) -> None:
        space = self.use()
        move = {"bash": f"mv '{space.remote}' '{space.remote}.gone'"}
        space.features(feature("auth", {"write": "auth.md"}, move))
        space.publish()
        with unittest.mock.patch.object(channel, "WAITS_SECONDS", (0.001,)):
            done = space.run_there("auth")
        self.assert_code(done, 1)
        kept = f"{space.report_path('auth')}.bundle"
        self.assertIn(f"rorchestrator push --bundle '{kept}' --remote URL", done.err)
        os.rename(f"{space.remote}.gone", space.remote)
        pushed = space.main("push", "--bundle", kept, "--remote", space.url)
        self.assert_code(pushed, 0)
        self.assertEqual(space.pushed_report("auth")["status"], "completed")

    @once
    def test_if_nothing_at_all_can_be_written_the_clone_stays(self) -> None:
        space = self.use()
        folder = os.path.dirname(space.report_path("auth"))
        away = f"rm -r '{folder}' && touch '{folder}'"
        space.features(
            feature("auth", {"write": "auth.md"}, {"bash": away}),
            feature("api", {"write": "api.md"}, {"bash": f"{away}; rm -r '{space.remote}'"}),
        )
        space.publish()
        done = space.run_there("auth")
        self.assert_code(done, 1)
        self.assertIn("--report", done.err)
        self.assertEqual(space.pushed_report("auth")["status"], "completed")
        os.unlink(folder)
        with unittest.mock.patch.object(channel, "WAITS_SECONDS", ()):
            done = space.run_there("api")
        self.assert_code(done, 2)
        (kept,) = os.listdir(space.temporary)
        self.assertIn(f"the clone with all work is kept: {space.temporary}/{kept}", done.err)
        self.assertTrue(kept.startswith("rorchestrator-kept-"))
        shutil.rmtree(os.path.join(space.temporary, kept))


class ClaimTest(ElsewhereTest):
    """A signal while the remote holds the push of the claim."""

    def held(self, hook: str = "pre-receive", **env: str) -> Running:
        """A machine whose claim the remote holds, until the file ``claim.go`` is there."""
        space = self.space
        began, go = space.beside("claim.began"), space.beside("claim.go")
        space.script(
            os.path.join(space.remote, "hooks", hook),
            f"#!/bin/sh\ntest -e '{began}' && exit 0\ntouch '{began}'\n"
            f"while ! test -e '{go}'; do sleep 0.01; done\n",
        )
        running = space.begin("auth", env=env)
        space.wait_for("claim.began")
        return running

    def assert_interrupted(self, done: CommandResult) -> None:
        space = self.space
        self.assertIn(done.code, (130, 143), done.err)
        self.assertIn("interrupted: handing in the report", done.err)
        report = space.pushed_report("auth")
        self.assertEqual((report["status"], report["reason"]), ("cancelled", "interrupted"))
        self.assertEqual(space.merged("--json").json["by_status"], {"cancelled": 1})
        again = space.run_there("auth")
        self.assert_code(again, 0)
        self.assertIn("attempt 2 of auth: starting over", again.err)

    @once
    def test_a_signal_during_the_claim_is_reported(self) -> None:
        self.use(feature("auth"))
        running = self.held()
        running.signal(signal.SIGTERM)
        running.signal(signal.SIGINT)  # as timeout(1) and engines send several
        self.assert_interrupted(running.end())

    @once
    def test_the_work_of_the_attempt_before_an_interrupted_claim_is_continued(self) -> None:
        space = self.use(feature("auth", {"write": "auth.md"}, {"fail": "no"}))
        self.assert_code(space.run_there("auth"), 1)
        kept = space.tip_there("auth")
        running = self.held()
        running.signal(signal.SIGTERM)
        self.assert_code(running.end(), 143)
        self.assertEqual(space.merged("--json").json["by_status"], {"cancelled": 1})
        self.assertEqual(space.tip_there("auth"), kept)
        again = space.run_there("auth")
        self.assertIn("a new session, on the work that attempt 2 pushed", again.err)

    @once
    def test_a_claim_that_arrives_after_its_report_is_refused(self) -> None:
        space = self.use(feature("auth"))
        # What a server has begun goes on without the client.
        ssh = space.script("ssh", '#!/bin/sh\nexec setsid sh -c "$2"\n')
        space.url = f"ssh://localhost{space.remote}"
        running = self.held(GIT_SSH_COMMAND=ssh, GIT_SSH_VARIANT="simple")
        running.signal(signal.SIGTERM)
        done = running.end()
        space.touch("claim.go")
        wait_until(lambda: not space.processes(), "the remote has ended")
        space.url = space.remote
        self.assert_interrupted(done)

    @once
    def test_a_signal_after_the_claim_arrived_is_reported(self) -> None:
        self.use(feature("auth"))
        running = self.held("post-receive")
        running.signal(signal.SIGTERM)
        self.assert_interrupted(running.end())

    @once
    def test_a_signal_before_the_claim_is_written_leaves_nothing(self) -> None:
        space = self.use(feature("auth"))
        heard = SignalReceived(signal.SIGTERM)
        with unittest.mock.patch.object(Channel, "write", side_effect=heard):
            done = space.run_there("auth")
        self.assert_code(done, 143)
        self.assertIn("Stopped, and the temporary clone is removed.", done.err)
        self.assertEqual(space.refs_there("refs/rorchestrator"), {})


class RefusalTest(ElsewhereTest):
    def refused(self, *words: str, code: int = 2) -> str:
        done = self.space.main("run", *words)
        self.assert_code(done, code)
        return done.err

    def test_what_is_missing_or_makes_no_sense_is_said_before_anything_is_cloned(self) -> None:
        space = self.use(feature("auth"))
        own = ("--remote", space.url, "--run-id", "r1", "--report", space.report_path("auth"))
        self.assertIn("needs --only ID, --run-id R", self.refused("--remote", space.url))
        self.assertIn("--run-id needs --remote URL", self.refused("--run-id", "r1"))
        self.assertIn("--only names 2", self.refused("--only", "a,b", *own))
        self.assertIn("--merge can't be used", self.refused("--only", "a", "--merge", *own))
        said = self.refused("--only", "a", "--max-parallel", "2", *own)
        self.assertIn("--max-parallel can't be used", said)
        self.assertIn("path in the repository", self.refused("--only", "a", *own, "--config", "/x"))
        same = ("--only", "a", *own, "--bundle", space.report_path("auth"))
        self.assertIn("--report and --bundle name the same file", self.refused(*same))
        for option in ("--report", "--bundle"):
            said = self.refused("--only", "a", *own, option, "-")
            self.assertIn(f"{option} is written to a file", said)
        self.assertIn("is not the id of a run", self.refused("--remote", "x", "--run-id", "a/b"))
        self.assertIn("expected the URL", self.refused("--remote", ""))

    def test_what_the_remote_lacks_is_named(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        own = ("--run-id", "r1", "--report", space.report_path("auth"), "--remote")
        at = (*own, space.url)
        self.assertIn("has no branch, tag or", self.refused("--only", "auth", *at, "--base", "no"))
        self.assertIn(
            "has no feature list no.json",
            self.refused("--only", "auth", *at, "--config", "no.json"),
        )
        self.assertIn(
            "has no feature list ../x", self.refused("--only", "auth", *at, "--config", "../x")
        )
        self.assertIn("unknown feature 'auht'", self.refused("--only", "auht", *at))
        self.assertIn("could not be read", self.refused("--only", "auth", *own, space.beside("no")))
        said = self.refused("--only", "api", *at, code=1)
        self.assertIn("auth: there is no branch feature/auth", said)
        space.there("update-ref", "refs/heads/feature/api", "main")
        space.there(
            "update-ref", "refs/heads/feature/auth", space.commit({"theirs": "1"}, "x"), fails=True
        )

    @once
    def test_a_ref_that_would_prevent_the_push_is_named_before_anything_is_paid_for(self) -> None:
        space = self.use(feature("auth"))
        for other, hint in (
            ("refs/rorchestrator/runs/r1", "choose another --run-id, or delete it: git push URL"),
            ("refs/heads/feature", "rename or delete it there, or change project.branch_prefix"),
            ("refs/heads/feature/auth/x", "rename or delete it there"),
        ):
            with self.subTest(other):
                space.there("update-ref", other, "main")
                done = space.run_there("auth")
                self.assert_code(done, 2)
                self.assertIn(f"rorchestrator: {other} is in the way of refs/", done.err)
                self.assertIn(f"next: {hint}", done.err)
                self.assertNotIn("started", done.err)
                space.there("update-ref", "-d", other)
        self.assertEqual(space.refs_there("refs/rorchestrator"), {})

    def test_a_list_that_turns_off_permission_checks_needs_the_option(self) -> None:
        space = self.use()
        space.features(feature("auth"), claude={"permission_mode": "bypassPermissions"})
        space.publish()
        done = space.run_there("auth")
        self.assert_code(done, 2)
        self.assertIn("turns off or replaces Claude's permission checks", done.err)
        self.assertEqual(space.refs_there("refs/rorchestrator"), {})


if __name__ == "__main__":
    unittest.main()
