"""``status``: its JSON and its text, from a new process, at any time."""

from __future__ import annotations

import os
import time
import unittest

from core.model.moments import minute, minute_of
from tests.support.lives import attempt
from tests.support.paths import AGENT
from tests.support.statuses import row_of, said_of
from tests.support.workspace import Workspace, feature


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

    def test_status_describes_the_project_and_each_feature(self) -> None:
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
                "windows": [],
                "list_fault": None,
                "other_lists": [],
                "claude": f"unknown; the list sets the command: {' '.join(AGENT)}",
                "running": None,
                "paused": False,
                "unreviewed": 0,
                "strays": [],
                "setup_cache": [],
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
                "review": {"answer": None, "open_comments": 0},
                "setup_cached": [],
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
                "out_of_date": None,
                "pull_request": None,
            },
        )
        self.assertEqual(features["api"]["ahead"], 2)
        self.assertEqual(features["api"]["uncommitted"], ["b.txt", "half done.txt"])
        self.assertEqual(features["idle"]["status"], "pending")
        self.assertIsNone(features["idle"]["branch"])

    def test_status_is_a_table_with_the_reasons_below(self) -> None:
        said = self.space.main("status")
        lines = said.out.splitlines()
        base = self.space.commit_of("main")[:10]
        run = self.space.state().run
        assert run is not None and run.ended_at is not None
        ended_at = run.ended_at
        self.assertEqual(
            lines[:5],
            [
                "Shop",
                f"Repository: {self.space.path}, base main ({base})",
                f"Claude: unknown; the list sets the command: {' '.join(AGENT)}",
                f"In progress: nothing; the last run ended {minute(ended_at)}, exit code 1",
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

    def test_the_table_fits_a_terminal_and_what_watch_says_is_the_width(self) -> None:
        for columns, terminal in (({}, True), ({"COLUMNS": "60"}, False)):
            said = self.space.main("status", "--color", "never", env=columns, terminal=terminal)
            (heading,) = [line for line in said.out.splitlines() if line.startswith("FEATURE")]
            self.assertNotIn("WORKTREE", heading)
            self.assertIn("\napi: 2 uncommitted files\n", said.out)
        for columns in ("", "0", "wide"):
            said = self.space.main("status", "-q", env={"COLUMNS": columns})
            self.assertTrue(said.out.splitlines()[0].endswith("WORKTREE"))
        said = self.space.main("status", "-v", terminal=True)
        self.assertIn("WORKTREE", said.out)

    def test_a_terminal_gets_its_headings_bold_and_ascii_where_needed(self) -> None:
        said = self.space.main("status", terminal=True, encoding="ascii").out
        self.assertIn("\x1b[1mShop\x1b[0m", said)
        self.assertTrue(said.isascii())


class WhileARunIsInProgress(unittest.TestCase):
    def test_status_names_the_running_process_and_its_duration(self) -> None:
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
            since = f"since {minute_of('2026-01-02T14:30:15+00:00')}"
            self.assertIn(f"In progress: run, pid {os.getpid()}, {since}", said.out)
            row = row_of(said, "auth")
            self.assertEqual((row[1:3], row[3][:2]), (["running", "-"], "1m"))


if __name__ == "__main__":
    unittest.main()
