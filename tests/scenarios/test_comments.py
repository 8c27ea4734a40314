"""Comments on a completed feature go into its session; its dependents are not paid again."""

from __future__ import annotations

import json
import os
import shutil
import time
import unittest

from core.model import events, events_review
from core.model.outcome import FeatureOutcome, Status, Work
from core.model.review import Answer, Comment
from tests.support.commands import wait_until
from tests.support.lives import RUN
from tests.support.once import once
from tests.support.workspace import Workspace, WorkspaceTest, feature


def write(name: str, content: str = "x\n") -> str:
    """A comment that makes the simulated agent write a file."""
    return f"simulate: {json.dumps({'write': name, 'content': content})}"


class CommentsTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace())

    def runs(self, *features: dict[str, object], **project: object) -> None:
        """The features are completed."""
        self.workspace.features(*features, **project)
        done = self.workspace.main("run", "--yes")
        self.assertEqual(done.code, 0, done.err)
        self.old = self.workspace.commit_of("feature/auth")
        self.session = self.workspace.attempts("auth")[-1][1]

    def comment(self, text: str, id: str = "c1", of: str = "auth") -> None:
        comment = Comment(id, text, "auth.md", 1)
        self.workspace.record(events_review.commented(time.time(), of, comment=comment))

    def answer(self, id: str, answer: Answer) -> None:
        tip = self.workspace.commit_of(f"feature/{id}")
        self.workspace.record(events_review.reviewed(time.time(), id, answer=answer, commit=tip))

    def retry(self, code: int, *words: str, id: str = "auth") -> str:
        done = self.workspace.main("retry", id, "--yes", *words)
        self.assertEqual(done.code, code, done.err)
        return done.out + done.err

    def prompt(self, id: str = "auth") -> str:
        log = self.workspace.last(id, "attempt_started")["log"]
        with open(log.replace(".jsonl", ".prompt")) as file:
            return file.read()

    def plan(self) -> dict[str, str]:
        done = self.workspace.main("plan", "--json")
        return {each["id"]: each["reason"] for each in json.loads(done.out)["features"]}


@once
class ACompletedFeature(CommentsTest):
    def test_a_comment_goes_into_its_session_and_the_result_is_a_new_one(self) -> None:
        self.runs(feature("auth"), feature("api", depends_on=["auth"]))
        self.assertIn("nothing to retry", self.retry(1))
        self.comment(write("more.txt"))
        self.retry(0)
        self.assertIn('Comment c1 on "auth.md:1":\n> simulate: ', self.prompt())
        self.assertEqual(self.workspace.attempts("auth")[-1][1:], (self.session, True))
        new = self.workspace.commit_of("feature/auth")
        self.assertEqual(self.workspace.commit_of(f"{new}^"), self.old)
        self.assertCountEqual(self.workspace.ref("auth"), [self.old, new])
        known = self.workspace.state().feature("auth")
        self.assertEqual((known.work.commit, known.older, known.again), (new, (self.old,), None))
        self.assertEqual(known.review.open_comments, ())
        self.assertEqual(self.plan()["api"], "up to date, built on an older auth")
        self.assertIn("nothing to retry", self.retry(1))
        self.assertEqual(self.workspace.main("run", "--yes").code, 0)
        self.assertEqual(len(self.workspace.attempts("api")), 1)

    def test_commits_of_its_user_stay_below_those_of_its_session(self) -> None:
        self.runs(feature("auth"))
        place = self.workspace.worktree("auth")
        mine = self.workspace.commit({"mine": "x"}, "by its user", at=place)
        shutil.rmtree(self.workspace.sessions)
        os.mkdir(self.workspace.sessions)
        self.workspace.git("worktree", "remove", place)
        self.comment(write("more.txt"))
        self.retry(0)
        new = self.workspace.commit_of("feature/auth")
        self.assertEqual(self.workspace.commit_of(f"{new}^"), mine)
        self.assertEqual(self.workspace.last("auth")["files_changed"], 3)
        # The session is gone: a new one works on what is there.
        self.assertIn("## What is here already", self.prompt())
        self.assertIn("Continue: the work on the feature", self.prompt())
        self.assertEqual(self.workspace.state().feature("auth").review.open_comments, ())

    def test_a_comment_that_changes_nothing_is_said(self) -> None:
        self.runs(feature("auth"))
        self.comment('simulate: {"say": "It does that already."}')
        self.assertIn("the comments changed nothing", self.retry(0))
        known = self.workspace.state().feature("auth")
        self.assertEqual((known.work.commit, known.older), (self.old, ()))
        self.assertEqual(self.workspace.ref("auth"), [self.old, self.old])

    def test_a_comment_that_an_attempt_did_not_end_with_success_stays_open(self) -> None:
        self.runs(feature("auth"))
        self.comment('simulate: {"exit": 3}')
        self.retry(1)
        known = self.workspace.state().feature("auth")
        self.assertEqual([each.id for each in known.review.open_comments], ["c1"])

    def test_a_retry_that_fails_leaves_no_result_and_goes_on_with_the_next_run(self) -> None:
        self.runs(feature("auth"), verify=["test ! -e bad"], verify_attempts=1)
        self.retry(1, "-m", write("bad"))
        self.assertEqual(len(self.workspace.attempts("auth")), 3)
        known = self.workspace.state().feature("auth")
        self.assertEqual(
            (known.work, known.older, known.review.open_comments), (None, (self.old,), ())
        )
        self.assertEqual(self.plan()["auth"], "failed before")
        self.assertIn("its status is failed", self.workspace.main("merge", "auth").out)
        fixed = self.retry(0, "-m", 'simulate: {"bash": "git rm -q bad"}', "--attempts", "2")
        self.assertIn("resumes: comments", fixed)
        self.assertEqual(self.workspace.attempts("auth")[-1][1:], (self.session, True))

    def test_more_attempts_send_a_failing_check_back_as_often(self) -> None:
        self.workspace.features(feature("auth"), verify=["test ! -e auth.md"], verify_attempts=0)
        self.assertEqual(self.workspace.main("run", "--yes").code, 1)
        self.assertIn("resumes: more attempts", self.retry(1, "--attempts", "2"))
        self.assertEqual(
            [resumed for _, _, resumed in self.workspace.attempts("auth")], [False, True, True]
        )
        for words in (("-m", " "), ("--attempts", "0"), ("--attempts", "x")):
            self.retry(2, *words)
        done = self.workspace.main("retry", "auth", "--yes", "-m", "-", stdin=b"x" * 50_001)
        self.assertEqual(done.code, 2)
        self.assertIn("50,001 characters", done.err)
        done = self.workspace.main("retry", "auth", "--yes", "-m", "-", stdin=b"Say more.\n")
        self.assertEqual(done.code, 1, done.err)
        self.assertEqual(self.workspace.last("auth", "commented")["text"], "Say more.")


@once
class ARejectedFeature(CommentsTest):
    def test_it_starts_over_with_all_comments_and_its_dependents_are_made_anew(self) -> None:
        self.runs(feature("auth"), feature("api", depends_on=["auth"]))
        self.comment(write("more.txt"))
        self.retry(0)
        self.comment("Start with the tests.", "c2")
        self.answer("auth", Answer.REJECTED)
        tip = self.workspace.commit_of("feature/auth")
        self.assertEqual(self.plan(), {"auth": "rejected", "api": "dependency auth changed"})
        for words in (("merge",), ("merge", "--stale")):
            said = self.workspace.main(*words).out
            self.assertIn("held auth (feature/auth): it was rejected", said)
            self.assertIn("held api (feature/api): it ", said)
        done = self.workspace.main("run", "--yes")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("This feature starts over.", self.prompt())
        self.assertIn("Comment c1", self.prompt())
        self.assertIn("Comment c2", self.prompt())
        self.assertEqual(self.workspace.ref("auth", "kept"), [tip])
        known = self.workspace.state().feature("auth")
        self.assertEqual((known.review.answer, known.review.open_comments), (None, ()))
        self.assertEqual(len(self.workspace.attempts("api")), 2)
        self.assertNotIn("Comment", self.prompt("api"))


@once
class ItsDependents(CommentsTest):
    def test_their_own_commits_land_on_the_new_result_or_they_are_held(self) -> None:
        needs = {"depends_on": ["auth"]}
        self.runs(
            feature("auth", {"write": "auth.py", "content": "1\n"}),
            feature("api", {"write": "api.py"}, **needs),
            feature("docs", {"write": "docs.md", "content": "about 1\n"}, **needs),
            feature("web", {"write": "auth.py", "content": "web\n"}, **needs),
            verify=["test ! -e docs.md || grep -q 1 auth.py"],
        )
        place = self.workspace.worktree("api")
        self.workspace.commit({"mine.py": "x"}, "by its user", at=place)
        self.retry(0, "-m", write("auth.py", "2\n"))
        older = "up to date, built on an older auth"
        self.assertEqual(
            self.plan(), {"auth": "up to date", "api": older, "docs": older, "web": older}
        )
        for words in (("status",), ("why", "api")):
            self.assertIn("built on an older auth", self.workspace.main(*words).out)
        self.answer("api", Answer.ACCEPTED)
        done = self.workspace.main("merge", "--accepted", "--dry-run")
        self.assertIn("held api (feature/api): it depends on auth, also held\n", done.out)
        self.assertNotIn("--fresh", done.out, "what nobody tried need not be paid again")
        done = self.workspace.main("merge", "--keep-going")
        self.assertEqual(done.code, 1, done.err)
        again = "it is built on an older auth: rorchestrator run --fresh="
        for held in ("held docs (feature/docs): the checks fail with it", f"{again}docs"):
            self.assertIn(held, done.out)
        for held in ("held web (feature/web): web and ", f"{again}web"):
            self.assertIn(held, done.out)
        self.assertIn("its own commits land on the newer one", done.out)
        self.assertEqual(
            set(self.workspace.files("main")) & {"auth.py", "api.py", "mine.py", "docs.md"},
            {"auth.py", "api.py", "mine.py"},
        )


@once
class ARewrittenDependency(CommentsTest):
    def test_only_the_own_commits_of_a_dependent_land_on_what_its_user_made_of_it(self) -> None:
        self.workspace.features(feature("auth"), feature("api", depends_on=["auth"]))
        base = self.workspace.commit_of("main")
        self.workspace.finish("auth", {"auth.py": "1\n", "gone.py": "1\n"})
        self.workspace.finish("api", {"api.py": "1\n"}, start="feature/auth")
        place = self.workspace.worktree("auth")
        self.workspace.git("rm", "-q", "gone.py", at=place)
        self.workspace.git("commit", "-q", "--amend", "-m", "by its user", at=place)
        mine = self.workspace.commit_of("feature/auth")
        tip = self.workspace.commit({"auth.py": "2\n"}, "by the session", at=place)
        work = FeatureOutcome(Status.COMPLETED, work=Work(tip, 1))
        self.workspace.record(
            events.reopened(time.time(), RUN, "auth", start_commit=base, tip=mine),
            events.ended(time.time(), RUN, "auth", work),
        )
        self.assertIn("built on an older auth", self.workspace.main("status").out)
        done = self.workspace.main("merge", "--stale")
        self.assertEqual(done.code, 0, done.out + done.err)
        files = self.workspace.files("main")
        self.assertEqual((files["auth.py"], files["api.py"]), (b"2\n", b"1\n"))
        self.assertNotIn("gone.py", files)


@once
class WhatIsAccepted(CommentsTest):
    def test_only_that_lands_if_the_list_or_an_option_says_so(self) -> None:
        self.runs(feature("auth"), feature("api", depends_on=["auth"]), feature("docs"))
        self.answer("docs", Answer.ACCEPTED)
        for id in ("auth", "api"):
            self.answer(id, Answer.ACCEPTED)
        place = self.workspace.worktree("auth")
        self.workspace.commit({"mine": "x"}, "by its user", at=place)
        self.workspace.change(require_review=True)
        for words in (("merge", "--accepted", "--dry-run"), ("merge",)):
            done = self.workspace.main(*words)
            self.assertEqual(done.code, 1, done.err)
            self.assertIn("held auth (feature/auth): it changed since it was accepted", done.out)
            self.assertIn("held api (feature/api): it depends on auth, also held", done.out)
        self.assertIn("docs.md", self.workspace.files("main"))
        self.assertNotIn("api.md", self.workspace.files("main"))
        self.assertIn("rorchestrator review auth", done.out)

    def test_nothing_new_starts_while_too_much_waits_for_a_review(self) -> None:
        self.workspace.features(feature("auth"), feature("api"), max_unreviewed=1, max_parallel=1)
        done = self.workspace.main("run", "--yes")
        self.assertEqual(done.code, 1, done.err)
        self.assertIn("waits for your review of 1 feature, so nothing new starts", done.err)
        self.assert_statuses(auth="completed", api="cancelled")
        self.assertEqual(self.workspace.main("run", "--yes").code, 1)
        self.assertEqual(self.workspace.attempts("api"), [])
        waits = "completed features that wait for your review: 1 (project.max_unreviewed is 1)"
        self.assertIn(waits, self.workspace.main("plan").out)
        self.answer("auth", Answer.ACCEPTED)
        self.assertNotIn(waits, self.workspace.main("plan").out)
        self.workspace.change(require_review=True)
        done = self.workspace.main("run", "--yes", "--merge")
        self.assertEqual(done.code, 1, done.err)
        self.assertIn("held api (feature/api): it was not accepted", done.out)
        self.assertIn("→ rorchestrator review ", done.out + done.err)
        self.assertIn("auth.md", self.workspace.files("main"))
        self.assert_statuses(auth="completed", api="completed")

    def test_a_feature_whose_setup_is_over_does_not_begin_its_first_attempt_either(self) -> None:
        ref = "refs/rorchestrator/results/auth"
        waits = f'until test -n "$(git for-each-ref {ref})"; do sleep 0.05; done; sleep 0.2'
        self.workspace.features(
            feature("auth"), feature("api", setup=[waits]), max_unreviewed=1, max_parallel=2
        )
        done = self.workspace.main("run", "--yes")
        self.assertEqual(done.code, 1, done.err)
        self.assertIn("waits for your review of 1 feature, so nothing new starts", done.err)
        self.assert_statuses(auth="completed", api="cancelled")
        self.assertEqual(self.workspace.attempts("api"), [])
        self.answer("auth", Answer.ACCEPTED)
        self.assertEqual(self.workspace.main("run", "--yes").code, 0)
        self.assert_statuses(auth="completed", api="completed")


@once
class DuringARun(CommentsTest):
    def test_a_run_gives_a_second_result_and_who_starts_later_is_built_on_it(self) -> None:
        go = self.workspace.beside("go")
        self.workspace.features(
            feature("auth"),
            feature("slow", {"wait": go}, {"write": "slow.md"}),
            feature("api", depends_on=["auth", "slow"]),
            max_parallel=2,
        )
        running = self.workspace.start("run", "--yes")
        wait_until(lambda: "auth" in self.workspace.statuses(), "auth")
        first = self.workspace.commit_of("feature/auth")
        done = self.workspace.main("retry", "auth", "-m", write("more.txt"))
        self.assertEqual((done.code, done.out), (0, "auth is queued again\n"), done.err)
        wait_until(lambda: len(self.workspace.ref("auth")) == 2, "a second result")
        self.workspace.touch("go")
        done = running.end()
        self.assertEqual(done.code, 0, done.err)
        run = self.workspace.state().feature("auth").run
        refs = [f"refs/rorchestrator/results/auth/{name}" for name in (run, f"{run}.2")]
        tip = self.workspace.commit_of("feature/auth")
        self.assertEqual([self.workspace.commit_of(ref) for ref in refs], [first, tip])
        self.assertIn("more.txt", self.workspace.files("feature/api"))
        self.assertEqual(self.plan()["api"], "up to date")

    def test_an_answer_from_another_terminal_lets_the_run_go_on(self) -> None:
        self.workspace.features(feature("auth"), feature("api"), max_unreviewed=1, max_parallel=1)
        running = self.workspace.start("run", "--yes", "--max-time", "60s")
        wait_until(lambda: bool(self.workspace.events("unreviewed")), "the run waits")
        said = self.workspace.main("status").out
        self.assertIn("waits for your review of 1 feature (to continue:", said)
        self.assertIn("review of 1 feature", self.workspace.main("why", "api").out)
        done = self.workspace.main("review", "auth", "--accept")
        self.assertEqual(done.code, 0, done.err)
        done = running.end()
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("reviewed: continuing", done.err)
        self.assert_statuses(auth="completed", api="completed")


if __name__ == "__main__":
    unittest.main()
