"""``status``: what is known of each feature, from a new process, at any time."""

from __future__ import annotations

import os
import shutil
import sys
import time
import unittest

from core.model import events
from core.model.feature import ClaudeOptions
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from core.project.claude_program import ask_version
from tests.support.scratch import RUN, SIMULATED, Workspace, attempt, feature
from tests.support.statuses import row_of, said_of


class AfterARun(unittest.TestCase):
    maxDiff = None
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace(
            [
                feature("auth", {"write": "auth.txt"}, {"cost": 0.5}, name="Sign-in"),
                feature("api", depends_on=["auth"]),
                feature("broken", {"fail": "\x1b[31mno\x1b[0m \u202eluck", "status": 400}),
                feature("app", depends_on=["broken"]),
                feature("silent", {"stderr": "lost\nits way"}, {"exit": 3}),
                feature("idle"),
            ]
        )
        cls.addClassCleanup(cls.space.close)
        cls.space.run("--only", "api,app,silent")
        cls.space.write({"half done.txt": "", "b.txt": ""}, at=cls.space.worktree("api"))

    def test_it_tells_of_the_project_and_of_each_feature(self) -> None:
        space = self.space
        document, features = said_of(space.main("status", "--json"))
        last = document.pop("last_run")
        assert isinstance(last, dict)
        self.assertEqual(last["exit_code"], 1)
        self.assertLess(str(last["started_at"]), str(last["finished_at"]))
        self.assertEqual(
            document,
            {
                "project_name": "Shop",
                "repository": space.path,
                "base_branch": "main",
                "base_commit": space.commit_of("main"),
                "config": space.list_file,
                "list": "config/feature_list.json",
                "list_fault": None,
                "other_lists": [],
                "claude": f"not asked, the list names it: {sys.executable} {SIMULATED}",
                "running": None,
                "paused": False,
                "strays": [],
            },
        )
        auth = features["auth"]
        self.assertGreater(float(str(auth.pop("duration_seconds"))), 0)
        for key in ("fault", "set_up", "last_check"):
            self.assertFalse(auth.pop(key), key)
        for key in ("started_at", "finished_at", "session_id"):
            self.assertTrue(auth.pop(key), key)
        self.assertEqual(
            auth,
            {
                "id": "auth",
                "name": "Sign-in",
                "in_list": True,
                "list": "config/feature_list.json",
                "status": "completed",
                "active": False,
                "reason": "",
                "cost_usd": 0.5,
                "resolution_cost_usd": 0.0,
                "cost_is_complete": True,
                "attempts": 1,
                "branch": "feature/auth",
                "commit": space.commit_of("feature/auth"),
                "ahead": 1,
                "merged": None,
                "by_hand": None,
                "worktree": space.worktree("auth"),
                "unknown": None,
                "uncommitted": [],
                "maybe_changed": [],
                "clashes": [],
                "problem": None,
            },
        )
        self.assertEqual(features["api"]["ahead"], 2)
        self.assertEqual(features["api"]["uncommitted"], ["b.txt", "half done.txt"])
        self.assertEqual(features["idle"]["status"], "pending")
        self.assertIsNone(features["idle"]["branch"])

    def test_it_is_a_table_with_the_reasons_below(self) -> None:
        said = self.space.main("status")
        lines = said.out.splitlines()
        base = self.space.commit_of("main")[:10]
        self.assertEqual(
            lines[:5],
            [
                "Shop",
                f"Repository: {self.space.path}, base main ({base})",
                f"Claude: not asked, the list names it: {sys.executable} {SIMULATED}",
                "Run: no run in progress",
                "",
            ],
        )
        self.assertEqual(
            lines[5].split(),
            ["FEATURE", "STATUS", "COST", "TIME", "AHEAD", "MERGED", "BRANCH", "WORKTREE"],
        )
        near = os.path.join("..", "worktrees", "auth")
        auth = row_of(said, "auth")
        self.assertEqual(
            (auth[:3], auth[4:]),
            (["auth", "completed", "$0.50"], ["1", "no", "feature/auth", near]),
        )
        self.assertTrue(row_of(said, "api")[-1].endswith("api (2 uncommitted files)"))
        self.assertEqual(row_of(said, "silent")[2], "unknown")
        self.assertEqual(row_of(said, "app")[1:5], ["blocked", "-", "-", "0"])
        self.assertEqual(row_of(said, "idle")[1:], ["pending", "-", "-", "0", "-", "-", "-"])
        self.assertIn("\nbroken: no �luck\n", said.out)
        self.assertIn("\n    its way\n", said.out)
        self.assertIn("app: broken did not complete (failed)", said.out)

    def test_a_path_is_shown_from_here_where_that_is_shorter(self) -> None:
        at_root = self.space.main("status", "--config", self.space.list_file, at="/")
        self.assertTrue(row_of(at_root, "auth")[-1].endswith(self.space.worktree("auth")[1:]))

    def test_verbose_adds_the_sessions_and_quiet_leaves_the_heading_out(self) -> None:
        _, features = said_of(self.space.main("status", "--json"))
        session = features["auth"]["session_id"]
        self.assertIn(f"    auth: session {session}", self.space.main("status", "-v").out)
        self.assertTrue(self.space.main("status", "-q").out.startswith("FEATURE  STATUS"))

    def test_a_terminal_gets_its_headings_bold_and_ascii_where_needed(self) -> None:
        said = self.space.main("status", terminal=True, encoding="ascii").out
        self.assertIn("\x1b[1mShop\x1b[0m", said)
        self.assertTrue(said.isascii())

    def test_a_worktree_that_is_gone_or_moved_is_looked_up_in_git(self) -> None:
        away = os.path.join(self.space.root, "elsewhere")
        self.space.git("worktree", "move", self.space.worktree("api"), away)
        try:
            _, features = said_of(self.space.main("status", "--json"))
            self.assertEqual(features["api"]["worktree"], away)
            self.assertEqual(len(features["api"]["uncommitted"]), 2)  # type: ignore[arg-type]
            os.rename(away, f"{away}-by-hand")
            _, features = said_of(self.space.main("status", "--json"))
            self.assertIsNone(features["api"]["worktree"])
            self.assertEqual(features["api"]["branch"], "feature/api")
        finally:
            os.rename(f"{away}-by-hand", away)
            self.space.git("worktree", "move", away, self.space.worktree("api"))

    def test_a_worktree_whose_folder_is_gone_is_told_until_git_forgets_it(self) -> None:
        at, away = self.space.worktree("broken"), os.path.join(self.space.root, "set aside")
        os.rename(at, away)
        _, features = said_of(self.space.main("status", "--json"))
        gone = f"the worktree {at} is gone: moved or deleted by hand"
        self.assertEqual(
            (features["broken"]["worktree"], features["broken"]["problem"]), (None, gone)
        )
        self.space.git("worktree", "prune")
        _, features = said_of(self.space.main("status", "--json"))
        self.assertEqual(
            [features["broken"][key] for key in ("worktree", "problem", "branch")],
            [None, None, "feature/broken"],
        )
        os.rename(away, self.space.worktree("broken"))

    def test_one_broken_worktree_is_told_in_its_row_and_the_others_as_ever(self) -> None:
        at = self.space.worktree("auth")
        gitfile, index = f"{at}/.git", f"{self.space.path}/.git/worktrees/auth/index"
        for file, fault in ((gitfile, "no worktree of this repository"), (index, "index")):
            with self.subTest(file), open(file, "rb") as opened:
                content = opened.read()
                os.unlink(file)
                if file == index:
                    self.space.write({file: "garbage"})
                try:
                    said = self.space.main("status")
                    document = self.space.main("status", "--json")
                finally:
                    self.space.write({file: content})
                self.assertEqual((said.code, document.code), (0, 0))
                self.assertTrue(row_of(said, "auth")[-1].endswith("auth (problem: see below)"))
                _, features = said_of(document)
                problem = str(features["auth"]["problem"])
                self.assertIn(fault, problem)
                self.assertIn(f"\nauth: {problem.splitlines()[0]}\n", said.out)
                self.assertEqual((features["auth"]["ahead"], features["auth"]["worktree"]), (1, at))
                self.assertEqual(features["api"]["uncommitted"], ["b.txt", "half done.txt"])

    def test_nobody_waits_at_a_pipe_that_an_agent_left(self) -> None:
        at = self.space.worktree("auth")
        built = os.path.join(at, "node_modules")
        os.mkdir(built)
        pipes = [os.path.join(folder, ".gitignore") for folder in (built, at)]
        for pipe in pipes:
            os.mkfifo(pipe)
        try:
            _, features = said_of(self.space.main("status", "--json"))
        finally:
            shutil.rmtree(built)
            os.unlink(pipes[-1])
        problem = f"{at}: .gitignore is a pipe, at which git would wait for ever"
        self.assertEqual(features["auth"]["problem"], problem)

    def test_a_feature_is_looked_for_where_it_was_made(self) -> None:
        before = said_of(self.space.main("status", "--json"))[1]
        self.space.change(branch_prefix="work/", worktrees_path="../others")
        try:
            after = said_of(self.space.main("status", "--json"))[1]
        finally:
            self.space.change(branch_prefix="feature/", worktrees_path="../worktrees")
        self.assertEqual(after["auth"]["branch"], "feature/auth")
        self.assertEqual(after, before)

    def test_a_feature_that_left_the_list_but_not_the_disk_is_still_shown(self) -> None:
        before = self.space.document["features"]
        assert isinstance(before, list)
        try:
            self.space.change([feature("idle")])
            _, features = said_of(self.space.main("status", "--json"))
            self.assertEqual(next(iter(features)), "idle")
            self.assertEqual(set(features), {"idle", "auth", "api", "broken", "silent"})
            self.assertEqual(features["auth"]["in_list"], False)
            self.assertEqual(features["auth"]["name"], "Sign-in")
        finally:
            self.space.change(before)


class WhatChanges(unittest.TestCase):
    def test_merged_work_is_told_with_its_proof(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")
            space.git("merge", "--quiet", "--squash", "feature/api")
            space.commit({}, "squashed")
            said = space.main("status")
            self.assertEqual(row_of(said, "auth")[4:6], ["0", "ancestor"])
            self.assertEqual(row_of(said, "api")[5], "merge adds nothing")
            space.main("cleanup", "--merged")
            _, features = said_of(space.main("status", "--json"))
            for id in ("auth", "api"):
                self.assertEqual(features[id]["merged"], "cleaned up")
                self.assertIsNone(features[id]["branch"])
                self.assertIsNone(features[id]["worktree"])

    def test_before_the_first_run_everything_is_pending(self) -> None:
        with Workspace([feature("auth")]) as space:
            document, features = said_of(space.main("status", "--json"))
            self.assertIsNone(document["last_run"])
            self.assertEqual(features["auth"]["status"], "pending")
            self.assertFalse(os.path.exists(space.state_folder))


class WhileARunIsAtWork(unittest.TestCase):
    def test_it_tells_who_and_for_how_long(self) -> None:
        started = attempt("auth", at=time.time() - 100)
        with Workspace([feature("auth")]) as space, space.at_work(*started):
            document, features = said_of(space.command("status", "--json"))
            self.assertEqual(
                document["running"],
                {"pid": os.getpid(), "started_at": "2026-01-02T14:30:15+00:00", "command": "run"},
            )
            self.assertEqual(features["auth"]["status"], "running")
            self.assertGreater(float(str(features["auth"]["duration_seconds"])), 99)
            said = space.main("status")
            since = "since 2026-01-02T14:30:15+00:00"
            self.assertIn(f"Run: run in progress: pid {os.getpid()}, {since}", said.out)
            row = row_of(said, "auth")
            self.assertEqual((row[1:3], row[3][:2]), (["running", "-"], "1m"))

    def test_it_tells_of_a_usage_limit_and_until_when_it_is_waited_for(self) -> None:
        for until, said in ((1767364215.0, True), (0.0, False)):
            with (
                Workspace([feature("auth")]) as space,
                space.at_work(RAN, events.paused(2.0, RUN, until=until)),
            ):
                words = "waiting for a usage limit until 2026-01-02T14:30:15"
                self.assertEqual(words in space.main("status").out, said)
                document, _ = said_of(space.command("status", "--json"))
                assert isinstance(document["last_run"], dict)
                self.assertEqual(bool(document["last_run"]["paused_until"]), said)

    def test_it_tells_that_a_user_paused_it(self) -> None:
        paused = events.steered(
            2.0, RUN, "", action="pause", request="r", done=True, text="nothing new starts"
        )
        ours = replace(RAN, data={**RAN.data, "pid": os.getpid()})
        for run, said in (ours, True), (RAN, False):  # the other one is no run in progress
            with Workspace([feature("auth")]) as space, space.at_work(run, paused):
                words = "; paused: rorchestrator resume lets it go on"
                self.assertEqual(words in space.main("status").out, said)

    def test_what_a_killed_run_left_is_interrupted_and_costs_at_least(self) -> None:
        first, begun = attempt("auth", at=1000.0)
        spent = AttemptOutcome(Status.TIMED_OUT, "late", cost_usd=0.25)
        story = [first, begun, events.attempt_ended(1100.0, RUN, "auth", spent), begun]
        with Workspace([feature("auth")]) as space:
            space.record(*story)
            row = row_of(space.main("status"), "auth")
            self.assertEqual(row[1:4], ["interrupted", "≥ $0.25", "-"])
            ascii = row_of(space.main("status", encoding="ascii"), "auth")
            self.assertEqual(ascii[2], ">= $0.25")


RAN = events.run_started(
    1.0, RUN, pid=1, base_branch="main", base_commit="", features=(), max_parallel=1
)


class OddWords(unittest.TestCase):
    def test_a_reason_of_nothing_but_control_characters_upsets_nothing(self) -> None:
        with Workspace([feature("auth")]) as space:
            ended = events.ended(1.0, RUN, "auth", FeatureOutcome(Status.FAILED, "\x1b[0m\x1b[2J"))
            space.record(*attempt("auth"), ended)
            said = space.main("status")
            self.assertEqual((said.code, said.err), (0, ""))
            self.assertIn("\nauth: \n", said.out)

    def test_who_holds_the_lock_does_not_steer_the_terminal(self) -> None:
        with Workspace([feature("auth")]) as space, space.at_work():
            with open(os.path.join(space.state_folder, "lock"), "w", encoding="utf-8") as file:
                file.write(
                    '{"pid": 1, "started_at": "\x1b[2J\u202e", "command": "run"}'.replace(
                        "\x1b", "\\u001b"
                    )
                )
            self.assertIn("Run: run in progress: pid 1, since \ufffd", space.main("status").out)

    def test_a_session_does_not_steer_the_terminal(self) -> None:
        with Workspace([feature("auth")]) as space:
            prepared, begun = attempt("auth")
            space.record(
                prepared, replace(begun, data={**begun.data, "session_id": "s\x1b[2J\x9b"})
            )
            self.assertIn("auth: session s\ufffd\n", space.main("status", "-v").out)


class ClaudeItself(unittest.TestCase):
    def test_one_that_the_list_names_is_not_started(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.record(RAN)
            for command, said in (
                (["no-such-program"], "not found: install it, or set claude.command in the list"),
                ([sys.executable, "-c", "1/0"], "not asked, the list names it: "),
            ):
                space.document["claude"] = {"command": command}
                space.change()
                self.assertIn(f"Claude: {said}", space.main("status").out)
            self.assertIn(sys.executable, space.main("status", "--json").json["claude"])

    def test_the_one_on_path_is_asked(self) -> None:
        with Workspace([feature("auth")], claude={}) as space:
            space.write({"claude": "#!/bin/sh\nprintf '\\033[31mbroken'; exit 1\n"}, at=space.root)
            os.chmod(os.path.join(space.root, "claude"), 0o755)
            path = os.pathsep.join([space.root, space.environ["PATH"]])
            said = space.main("status", env={"PATH": path})
            self.assertIn("Claude: there, but it does not tell its version: ", said.out)
            self.assertNotIn("\x1b", said.out)

    def test_its_version_is_told_or_why_there_is_none(self) -> None:
        folder, name = os.path.split(sys.executable)
        with Workspace() as space:
            path = os.path.join(space.root, "claude")
            space.write({"claude": "\x7fELF nonsense"}, at=space.root)
            os.chmod(path, 0o755)
            for command, env, said in (
                ([name], {"PATH": folder}, "Python 3."),
                ([sys.executable, "-c", ""], {}, "does not tell its version: no answer"),
                ([path], {}, "could not be started"),
                (["no-such-program"], {}, "None"),
            ):
                options = ClaudeOptions(command=tuple(command), env=env)
                self.assertIn(said, str(ask_version(options)))


if __name__ == "__main__":
    unittest.main()
