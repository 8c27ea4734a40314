"""The whole command: prepared worktrees, checks that gate "done", and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from core.worktree.names import SPARE
from tests.support.checks import without_places
from tests.support.commands import wait_until
from tests.support.once import once
from tests.support.workspace import Json, WorkspaceTest, feature

HOSTILE = "printf '\\033[2Jgone\\033]0;t\\007\\342\\200\\256 end\\n'"


class CheckTest(WorkspaceTest):
    def lists(self, *features: Mapping[str, object], **project: object) -> None:
        self.workspace.features(*(features or [feature("a")]), **project)

    def read(self, *parts: str) -> str:
        with open(self.workspace.beside(*parts), encoding="utf-8") as file:
            return file.read()

    def exists(self, *parts: str) -> bool:
        return os.path.lexists(self.workspace.beside(*parts))

    def notes(self) -> list[str]:
        return [event["text"] for event in self.workspace.journal() if event["event"] == "note"]

    def wait_for(self, *parts: str) -> None:
        wait_until(lambda: self.exists(*parts), os.path.join(*parts))

    def status_of(self, id: str) -> Json:
        document = json.loads(self.workspace.command("status", "--json").out)
        return {each["id"]: each for each in document["features"]}[id]


@once
class TheBase(CheckTest):
    def test_a_failing_base_is_reported_once_and_no_claude_is_started(self) -> None:
        verify = [f"seq 30; {HOSTILE}; test $RORCHESTRATOR_BRANCH = nothing"]
        self.lists(feature("a"), feature("b"), verify=verify)
        done = self.workspace.command("run", "--yes")
        self.assertEqual(done.code, 2, done)
        self.assert_statuses(a="cancelled", b="cancelled")
        self.assertEqual(self.workspace.attempts("a"), [])
        self.assertEqual(done.err.count("\n30\n"), 1, done.err)
        self.assertIn("rorchestrator logs _base --checks", done.err)
        for character in "\x1b\x07\u202e":
            self.assertNotIn(character, done.err + done.out)
        self.assertIn("or set project.verify_base to false", self.workspace.last("a")["reason"])
        logged = self.workspace.command("logs", "_base", "--checks")
        self.assertEqual((logged.code, logged.out.count("\n1\n")), (0, 2), logged)
        self.assertNotIn("\x1b", logged.out)

    def test_its_worktree_becomes_that_of_the_first_feature_with_the_commit_and_nothing_more(
        self,
    ) -> None:
        seen = self.workspace.beside("seen")
        look = f"ls -i README.md >> {seen}; touch made"
        agent = f"ls -i README.md >> {seen}; ls > files.txt; touch {seen}-made"
        self.lists(feature("a", {"bash": agent}), verify=[look], teardown=["test ! -e .gone"])
        self.assertEqual(self.workspace.command("run", "--yes").code, 0)
        base, agents, _ = self.read("seen").splitlines()
        self.assertEqual(base, agents)
        self.assertNotIn("made", self.workspace.git("show", "feature/a:files.txt").splitlines())
        self.assertEqual(os.listdir(self.workspace.beside("worktrees")), ["a"])

    def test_a_base_whose_check_fails_once_is_flaky_and_the_run_starts(self) -> None:
        once = self.workspace.beside("once")
        self.lists(verify=[f"test -e {once} || {{ touch {once}; exit 1; }}"])
        self.assertEqual(self.workspace.run().code, 0)
        self.assertTrue(any(note.startswith("flaky: `test -e") for note in self.notes()))

    def test_a_list_can_do_without(self) -> None:
        self.lists(verify=["test -f a.md"], verify_base=False)
        self.assertEqual(self.workspace.run().code, 0)

    def test_a_passing_base_is_checked_once(self) -> None:
        looks = self.workspace.beside("looks")
        self.lists(feature("a"), feature("b"), verify=[f"echo $RORCHESTRATOR_FEATURE >> {looks}"])
        self.assertEqual(self.workspace.run("--only", "a").code, 0)
        self.assertEqual(self.workspace.run("--only", "b").code, 0)
        self.assertEqual(self.read("looks"), "_base\na\nb\n")
        self.assertEqual(sorted(os.listdir(self.workspace.beside("worktrees"))), ["a", "b"])
        self.assertNotIn("_base", self.workspace.git("worktree", "list"))

    def test_setup_and_teardown_run_for_the_base_too(self) -> None:
        gone = self.workspace.beside("gone")
        self.lists(
            setup=["echo it hurts; exit 3"], verify=["true"], teardown=[f"pwd > {gone}; exit 4"]
        )
        done = self.workspace.command("run", "--yes")
        self.assertEqual(done.code, 2)
        self.assertIn(
            "the checks already fail on main: setup: `echo it hurts; exit 3` ended", done.err
        )
        self.assertIn("rorchestrator logs _base --setup", done.err)
        self.assertEqual(self.read("gone").strip(), self.workspace.scratch_path("_base"))
        self.assertIn("teardown: ", "".join(self.notes()))
        self.assertIn("it hurts", self.workspace.command("logs", "_base", "--setup").out)

    def test_a_run_ends_with_a_message_if_the_base_cannot_be_checked(self) -> None:
        os.makedirs(self.workspace.beside("worktrees"), exist_ok=True)
        with open(self.workspace.scratch_path("_base"), "x", encoding="utf-8"):
            pass
        self.lists(verify=["true"])
        done = self.workspace.command("run", "--yes")
        self.assertEqual(done.code, 2)
        self.assertIn("main could not be checked: git could not add the worktree", done.err)
        self.assertEqual(self.workspace.journal()[-1]["event"], "run_ended")
        for misleading in ("red already", "verify_base", "rorchestrator logs"):
            self.assertNotIn(misleading, done.out + done.err)

    def test_an_interruption_is_no_failing_base(self) -> None:
        on = self.workspace.beside("on")
        self.lists(verify=[f"touch {on}; sleep 300"])
        running = self.workspace.start("run", "--yes")
        self.wait_for("on")
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 130, done)
        self.assertNotIn("is red", done.err + done.out)
        self.assert_statuses(a="cancelled")
        self.assertFalse(os.path.exists(self.workspace.scratch_path("_base")))


class Interrupted(CheckTest):
    def test_a_feature_starts_over_after_ctrl_c_during_its_setup(self) -> None:
        on = self.workspace.beside("on")
        self.lists(setup=[f"test -e {on} || {{ touch {on}; sleep 300; }}"])
        running = self.workspace.start("run", "--yes")
        self.wait_for("on")
        running.signal(signal.SIGINT)
        self.assertEqual(running.end().code, 130)
        self.assert_statuses(a="cancelled")
        self.assertEqual(self.workspace.run().code, 0)
        self.assert_statuses(a="completed")

    def test_ctrl_c_during_a_check_leaves_work_that_is_only_checked_again(self) -> None:
        on = self.workspace.beside("on")
        self.lists(
            verify=["echo x >> ../looks", f"test -e {on} || {{ touch {on}; sleep 300; }}"],
            verify_base=False,
        )
        running = self.workspace.start("run", "--yes")
        self.wait_for("on")
        running.signal(signal.SIGTERM)
        self.assertEqual(running.end().code, 143)
        self.assert_statuses(a="cancelled")
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        # What was green before the interruption is not looked at again.
        self.assertEqual(self.read("worktrees", "looks"), "x\n")

    def test_a_second_signal_does_not_wait_for_a_check(self) -> None:
        on = self.workspace.beside("on")
        self.lists(verify=[f"trap '' TERM INT; touch {on}; while :; do sleep 0.1; done"])
        running = self.workspace.start("run", "--yes")
        self.wait_for("on")
        running.signal(signal.SIGINT)
        wait_until(lambda: "Stopping" in running.err, "the answer to the signal")
        running.signal(signal.SIGINT)
        self.assertEqual(running.end().code, 130)


class Killed(CheckTest):
    def kills(self, on: str) -> None:
        """Run until a file is there, and end the run as a crash of the machine would."""
        running = self.workspace.start("run", "--yes")
        self.wait_for(on)
        running.kill()
        wait_until(lambda: not self.workspace.processes(), "the guard's work")

    def test_the_next_run_takes_away_what_the_look_at_the_base_left(self) -> None:
        on, gone = self.workspace.beside("on"), self.workspace.beside("gone")
        self.lists(verify=[f"touch {on}; sleep 300"], teardown=[f"{SHOW} >> {gone}; pwd >> {gone}"])
        self.kills("on")
        scratch = self.workspace.scratch_path("_base")
        self.assertTrue(os.path.isdir(scratch))
        self.workspace.git("worktree", "lock", scratch)
        released = self.workspace.scratch_path(SPARE)  # which was torn down before
        os.mkdir(released)
        self.lists(verify_base=False, teardown=[f"{SHOW} >> {gone}; pwd >> {gone}"])
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(os.listdir(os.path.dirname(scratch)), ["a"])
        self.assertNotIn("_base", self.workspace.git("worktree", "list"))
        self.assertEqual(self.read("gone"), f"_base _base\n{scratch}\n")

    def test_the_next_run_takes_away_what_a_clean_checkout_left_and_looks_again(self) -> None:
        on = self.workspace.beside("on")
        wait = f"case $PWD in *_clean_*) test -e {on} || {{ touch {on}; sleep 300; }};; esac"
        self.lists(verify=[wait], verify_clean=True)
        self.kills("on")
        self.assertTrue(os.path.exists(self.workspace.scratch_path("_clean_a")))
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assertEqual(os.listdir(self.workspace.beside("worktrees")), ["a"])

    def test_a_killed_setup_is_repeated_in_a_new_worktree(self) -> None:
        self.workspace.commit({".gitignore": "*.made\n.env\n"})
        self.workspace.write({".env": "secret\n"})
        on = self.workspace.beside("on")
        setup = (
            f"test ! -e half.made; touch half.made; test -e {on} || {{ touch {on}; sleep 300; }}"
        )
        self.lists(setup=[f"set -e; {setup}"], copy=[".env"])
        self.kills("on")
        self.assertEqual(self.status_of("a")["set_up"], False)
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(self.workspace.ref("a", "kept"), [])
        self.assertEqual(self.status_of("a")["set_up"], True)

    def test_a_check_that_was_killed_is_run_again_without_claude(self) -> None:
        on = self.workspace.beside("on")
        verify = [f"touch report.xml; test -e {on} || {{ touch {on}; sleep 300; }}"]
        self.lists(verify=verify, verify_base=False)
        self.kills("on")
        files = self.workspace.added("feature/a")
        guest = os.path.join(self.workspace.worktree("a"), "guest.txt")
        Path(guest).touch()
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        # Neither what the check left nor what somebody put there is work; both are named.
        self.assertEqual(self.workspace.added("feature/a"), files)
        self.assertTrue(self.exists("worktrees", "a", "report.xml"))
        self.assertIn("that are in no commit: guest.txt, report.xml", "\n".join(self.notes()))
        self.assertTrue(os.path.exists(guest))


SHOW = "echo $RORCHESTRATOR_FEATURE $RORCHESTRATOR_BRANCH$RORCHESTRATOR_SLOT$RORCHESTRATOR_PORT"


@once
class Gates(CheckTest):
    def test_no_dependent_starts_before_the_checks_pass(self) -> None:
        self.lists(
            feature("a", {"write": "bad"}),
            feature("b", depends_on=["a"]),
            feature("c"),
            verify=["test ! -f bad"],
            verify_attempts=1,
        )
        done = self.workspace.run()
        self.assertEqual(done.code, 1, done)
        self.assert_statuses(a="failed", b="blocked", c="completed")
        result = self.workspace.results()["a"]
        self.assertEqual((result["fault"], len(result["attempts"])), ("check", 2))
        self.assertEqual(result["last_check"]["command"], "test ! -f bad")
        self.assertEqual(result["last_check"]["passed"], False)
        self.assertIsNone(self.workspace.results()["c"]["fault"])
        errors = {each["feature_id"]: each["fault"] for each in self.workspace.report()["errors"]}
        self.assertEqual(errors, {"a": "check", "b": "none"})
        self.assertIn("rorchestrator logs a --checks", done.out)
        self.assertEqual(self.workspace.added("feature/a"), {"bad"})

    def test_a_failing_setup_is_reported_with_the_command_for_its_log(self) -> None:
        self.lists(setup=["echo it hurts; exit 3"])
        done = self.workspace.run()
        self.assertEqual(done.code, 1)
        self.assertIn("it hurts", done.out)
        self.assertIn("rorchestrator logs a --setup", done.out)
        self.assertEqual(self.workspace.results()["a"]["fault"], "setup")
        self.assertEqual(self.workspace.results()["a"]["last_check"], None)
        said = self.workspace.command("logs", "a")
        self.assertIn("rorchestrator logs a --setup", said.err)
        logged = self.workspace.command("logs", "a", "--setup").out
        self.assertTrue(logged.startswith("a: setup, run "), logged)
        self.assertIn(f"\n[in {os.path.realpath(self.workspace.worktree('a'))}, ", logged)
        self.assertIn("\nit hurts\n[ended with exit 3 after ", logged)

    def test_slots_and_ports_are_unique_among_those_at_work(self) -> None:
        seen, both = self.workspace.beside("seen"), self.workspace.beside("both")
        note = f"echo $RORCHESTRATOR_SLOT $RORCHESTRATOR_PORT >> {seen}"
        meet = f"{note}; until [ $(wc -l < {seen}) -ge 3 ]; do sleep 0.01; done; touch {both}"
        self.lists(*(feature(id) for id in "abc"), setup=[meet], max_parallel=3)
        self.assertEqual(self.workspace.run().code, 0)
        slots, blocks = zip(*(line.split() for line in self.read("seen").splitlines()))
        self.assertEqual(sorted(slots), ["0", "1", "2"])
        self.assertEqual(len(set(blocks)), 3)

    def test_with_one_slot_it_is_always_the_same(self) -> None:
        seen = self.workspace.beside("seen")
        self.lists(*(feature(id) for id in "ab"), setup=[f"echo $RORCHESTRATOR_SLOT >> {seen}"])
        self.assertEqual(self.workspace.run("--sequential").code, 0)
        self.assertEqual(self.read("seen"), "0\n0\n")

    def test_other_checks_make_a_feature_out_of_date(self) -> None:
        self.lists(verify=["true"])
        self.assertEqual(self.workspace.run().code, 0)
        self.lists(verify=["true"], verify_timeout_seconds=7, verify_base=False)
        self.assertIn("Everything is up to date", self.workspace.command("plan").out)
        self.lists(verify=["true", "test -f a.md"])
        self.assertIn("checks changed", self.workspace.command("plan").out)

    def test_verbose_shows_each_step_and_status_the_last_check(self) -> None:
        self.lists(setup=["true"], verify=[f"{HOSTILE}; true"])
        said = self.workspace.run("--verbose").err
        for step in ("a: setting up", "a: committing", "a: checking"):
            self.assertIn(step, said)
        shown = self.workspace.command("status", "--verbose").out
        self.assertIn("a: last check printf", shown)
        self.assertIn("; true: ended with exit 0", shown)
        feature = self.status_of("a")
        self.assertEqual((feature["set_up"], feature["fault"]), (True, None))
        self.assertEqual(feature["last_check"]["passed"], True)

    def test_plan_shows_every_command_that_the_list_would_run(self) -> None:
        self.lists(
            feature("a", setup=[["make", "a b"]], verify=["test a"], creates=["command:./a"]),
            feature("b", uses=["command:./b", "path:b"]),
            setup=["npm ci"],
            verify=["npm test"],
            teardown=["rm x\ny"],
        )
        said = self.workspace.command("plan").out
        expected = [
            "Runs setup: npm ci",
            "Runs verify: npm test",
            "Runs teardown: rm x y",
            "Runs setup (a): make 'a b'",
            "Runs verify (a): test a",
            "Runs creates (a): ./a",
            "Runs uses (b): ./b",
        ]
        self.assertEqual(said.splitlines()[-7:], expected)
        done = self.workspace.command("run", "--yes", "--only", "a")
        self.assertIn("\nRuns setup: npm ci\n", done.err)
        listed = json.loads(self.workspace.command("plan", "--json").out)["commands"]
        found = {key: listed[5][key] for key in ("purpose", "argv", "features")}
        self.assertEqual(found, {"purpose": "setup", "argv": ["make", "a b"], "features": ["a"]})

    def test_a_feature_whose_checks_pass_only_with_an_uncommitted_file_does_not_land(self) -> None:
        self.lists(
            feature("a", {"write": "a.txt"}, {"write": ".env"}),
            verify=["test ! -e a.txt || test -e .env"],
        )
        done = self.workspace.run("--merge")
        self.assertEqual(done.code, 1, done.err)
        self.assert_statuses(a="completed")
        self.assertIn("held a (feature/a): the checks fail with it", done.out)
        self.assertEqual(self.workspace.added("main"), set())


@once
class Logs(CheckTest):
    def test_setup_and_checks_are_shown_as_they_were_printed_the_last_time(self) -> None:
        self.lists(setup=["echo '{\"a\": 1}'"], verify=[f"{HOSTILE}; printf 'no end'"])
        self.assertEqual(self.workspace.run().code, 0)
        shown = self.workspace.command("logs", "a", "--setup", "-q")
        self.assertEqual(without_places(shown.out), '$ echo \'{"a": 1}\'\n{"a": 1}\n')
        shown = self.workspace.command("logs", "a", "--checks", "--follow")
        self.assertEqual(shown.code, 0)
        self.assertTrue(without_places(shown.out).endswith("\nno end\n"), shown.out)
        self.assertNotIn("\x1b", shown.out)
        self.assertIn("\x1b", self.workspace.command("logs", "a", "--checks", "--raw").out)

    def test_a_missing_log_is_reported(self) -> None:
        self.lists()
        for option, what in (("--setup", "setup"), ("--checks", "check")):
            said = self.workspace.command("logs", "a", option)
            self.assertEqual(said.code, 2)
            self.assertIn(f"no {what} of a has run yet", said.err)
        said = self.workspace.command("logs", "auht", "--checks")
        self.assertIn("unknown feature 'auht'", said.err)
        self.assertEqual(self.workspace.command("logs", "a", "--setup", "--checks").code, 2)

    def test_logs_can_be_followed_while_they_grow(self) -> None:
        on = self.workspace.beside("on")
        self.lists(setup=[f"echo begun; until [ -e {on} ]; do sleep 0.01; done; echo over"])
        running = self.workspace.start("run", "--yes")
        log = self.workspace.beside("shop/.git/rorchestrator/logs")
        wait_until(lambda: any("a.setup.log" in names for *_, names in os.walk(log)), "the log")
        following = self.workspace.start("logs", "a", "--setup", "--follow")
        wait_until(lambda: "begun" in following.out, "the first line")
        self.workspace.touch("on")
        self.assertTrue(without_places(following.end().out).endswith("begun\nover\n"))
        self.assertEqual(running.end().code, 0)


@once
class Teardown(CheckTest):
    def test_cleanup_runs_it_before_a_worktree_goes(self) -> None:
        gone = self.workspace.beside("gone")
        self.lists(teardown=[f"{SHOW} > {gone}; pwd >> {gone}"])
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(self.workspace.command("cleanup", "a", "--dry-run", "--discard").code, 0)
        self.assertFalse(self.exists("gone"))
        self.assertEqual(self.workspace.command("cleanup", "a", "--discard").code, 0)
        self.assertEqual(self.read("gone"), f"a feature/a\n{self.workspace.worktree('a')}\n")

    def test_a_failing_teardown_keeps_the_worktree_unless_it_is_discarded(self) -> None:
        self.lists(teardown=["echo it hurts; exit 3"])
        self.assertEqual(self.workspace.run().code, 0)
        self.workspace.git("merge", "--quiet", "feature/a")
        done = self.workspace.command("cleanup", "--merged")
        self.assertEqual(done.code, 1, done)
        self.assertIn("teardown: `echo it hurts; exit 3` ended with exit 3 it hurts", done.out)
        self.assertIn("rorchestrator cleanup a --discard", done.out)
        self.assertTrue(self.exists("worktrees", "a"))
        done = self.workspace.command("cleanup", "--merged", "--discard")
        self.assertEqual(done.code, 0, done)
        self.assertFalse(self.exists("worktrees", "a"))

    def test_without_a_worktree_there_is_nothing_to_tear_down(self) -> None:
        self.lists(teardown=["exit 3"])
        self.assertEqual(self.workspace.run().code, 0)
        self.workspace.git("worktree", "remove", self.workspace.worktree("a"))
        self.workspace.git("merge", "--quiet", "feature/a")
        self.assertEqual(self.workspace.command("cleanup", "--merged").code, 0)

    def test_copies_and_what_the_setup_made_hold_up_no_cleanup_but_an_edited_copy_does(
        self,
    ) -> None:
        self.workspace.commit({".gitignore": ".env\nstorage/\nnode_modules\n"})
        self.workspace.write({".env": "secret\n", "node_modules/m.js": "m"})
        setup = ["mkdir storage; touch storage/db"]
        self.lists(
            feature("a"),
            feature("b", {"bash": "echo mine >> .env"}, {"write": "b.md"}),
            setup=setup,
            copy=[".env"],
            link=["node_modules"],
        )
        self.assertEqual(self.workspace.run().code, 0)
        for id in "ab":
            self.workspace.git("merge", "--quiet", f"feature/{id}")
        done = self.workspace.command("cleanup", "--merged")
        self.assertEqual(done.code, 1, done)
        self.assertIn("removed a", done.out)
        self.assertIn("kept b (feature/b): 1 uncommitted file: .env", done.out)
        self.assertEqual(self.read("shop", "node_modules", "m.js"), "m")
        self.assertEqual(self.read("shop", ".env"), "secret\n")
