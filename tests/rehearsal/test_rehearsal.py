"""``run --rehearse``: what it meets, what it leaves alone, and that nothing of it is left."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import unittest
from collections.abc import Mapping
from typing import Any
from unittest import mock

from core.process.signals import SignalReceived, Signals
from core.process.temporary_folder import PREFIX, find, remove_tree
from core.rehearsal import rehearsal
from tests.support.commands import CommandResult, terminal, wait_until
from tests.support.once import once
from tests.support.paths import SIMULATED
from tests.support.repository import Repository
from tests.support.runs import read_until
from tests.support.workspace import Workspace, WorkspaceTest, feature

CLAUDE = "#!/bin/sh\necho '2.1.197 (Claude Code)'\n"

OLD_CLAUDE = "#!/bin/sh\necho '2.1.1 (Claude Code)'\n"

SIGNALLING_CLAUDE = "#!/bin/sh\nkill -TERM $PPID\nsleep 60\n"


def everything_in(folder: str) -> dict[str, tuple[int, int, str]]:
    """Mode, time of change and contents of all files and folders but the temporary ones."""
    found = {}
    for root, folders, files in os.walk(folder):
        if root == folder:
            folders.remove("tmp")
            folders.remove("home")  # There the user's yes is kept.
        for name in (*folders, *files):
            path = os.path.join(root, name)
            info = os.lstat(path)
            content = ""
            if name in files and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            # git notes at an object, borrowed or not, that it was of use again.
            is_object = f"{os.sep}objects{os.sep}" in path and name in files
            time = 0 if is_object else info.st_mtime_ns
            found[os.path.relpath(path, folder)] = (info.st_mode, time, content)
    return found


class RehearsalTest(unittest.TestCase):
    """Rehearsals in this process, in a workspace of their own."""

    def assert_untouched(self, before: Mapping[str, object]) -> None:
        """Nothing was written to since, neither to the repository nor beside it."""
        now = everything_in(self.place.root)
        names = sorted({*now, *before})
        self.assertEqual([name for name in names if now.get(name) != before.get(name)], [])

    def lists(
        self, *features: Mapping[str, object], claude: str = CLAUDE, **project: object
    ) -> Workspace:
        place = Workspace(features or [feature("a")], project=project)
        self.addCleanup(place.close)
        self.addCleanup(self.assert_nothing_left, place)
        program = os.path.join(place.root, "claude")
        with open(program, "w", encoding="utf-8") as file:
            file.write(claude)
        os.chmod(program, 0o755)
        place.document["claude"] = {"command": [program]}
        place.change()
        place.commit({}, "with a claude")
        self.place = place
        return place

    def rehearse(self, *words: str, **more: Any) -> CommandResult:
        with mock.patch.object(tempfile, "tempdir", None):
            return self.place.main("run", "--rehearse", "--yes", *words, **more)

    def found(self, *words: str) -> dict[str, list[dict[str, Any]]]:
        """What a rehearsal meets, by kind."""
        document = self.document(*words)
        kinds: dict[str, list[dict[str, Any]]] = {}
        for finding in document["findings"]:
            kinds.setdefault(finding["kind"], []).append(finding)
        self.assertEqual(document["exit_code"], 1 if kinds else 0)
        return kinds

    def document(self, *words: str) -> Any:
        said = self.rehearse("--json", *words)
        self.said = said
        document = json.loads(said.out.splitlines()[-1])
        self.assertEqual(document["event"], "rehearsal", said)
        self.assertEqual(document["exit_code"], said.code)
        return document

    def assert_nothing_left(self, place: Workspace) -> None:
        self.assertEqual(os.listdir(place.environ["TMPDIR"]), [])


class AGoodList(RehearsalTest):
    def setUp(self) -> None:
        self.lists(
            feature("a", creates=["path:never.py"], verify=["touch left.pyc; test -f never.py"]),
            feature("b", depends_on=["a"], uses=["path:never.py"], max_cost_usd=0.001),
            feature("c"),
            copy=[".env"],
            link=["tools"],
            setup=[
                "test $RORCHESTRATOR_PORT -ge 20000 && grep -q hello .env",
                "for each in tools/*; do echo harm >> $each; done",
                "git push --quiet origin HEAD:refs/heads/pushed",
            ],
            verify=["test -f README.md"],
            teardown=["rm .env"],
            max_cost_usd=0.001,
        )
        self.place.commit({".gitignore": ".env\ntools\n*.txt\n"}, "ignore")
        self.place.write({".env": "hello\n", "tools/tool": "a tool\n", "../shared": "data\n"})
        os.symlink("../../shared", os.path.join(self.place.path, "tools", "shared"))
        self.place.git("init", "--quiet", "--bare", "../origin.git")
        self.place.git("remote", "add", "origin", os.path.join(self.place.root, "origin.git"))
        self.place.git("config", "branch.main.remote", "../origin.git")

    def test_a_rehearsal_goes_through_the_whole_run_and_changes_nothing(self) -> None:
        place = self.place
        os.mkdir(place.worktrees)
        before = everything_in(place.root)
        said = self.rehearse("--json", "--max-cost=0.001", "--max-time=0")
        self.assertEqual(said.code, 0, said)
        self.assert_untouched(before)
        *happened, document = [json.loads(line) for line in said.out.splitlines()]
        ended = {e["feature"]: e for e in happened if e["event"] == "ended"}
        self.assertEqual([e["status"] for e in ended.values()], ["completed"] * 3, ended)
        self.assertEqual([e["files_changed"] for e in ended.values()], [1] * 3)
        costs = [e["cost_usd"] for e in happened if e["event"] == "attempt_ended"]
        self.assertEqual(costs, [0, 0, 0])
        self.assertEqual(document["findings"], [])
        # Nobody did the work that this check looks for.
        expected = [(each["what"], each["features"]) for each in document["expected"]]
        self.assertEqual(
            expected, [("`touch left.pyc; test -f never.py` ended with exit 1", ["a"])]
        )
        parts = ("worktree", "copy", "setup", "checks", "commit", "cleanup")
        for id in ("a", "b", "c"):
            self.assertTrue(all(document["seconds"][id][part] > 0 for part in parts), document)
        self.assertGreater(document["seconds"]["the merge"]["merge"], 0)
        self.assertEqual(document["critical_path"], ["the base", "a", "b", "the merge"])
        sums = [sum(parts.values()) for parts in document["seconds"].values()]
        self.assertLess(document["overhead_seconds"], sum(sums))
        self.assertIn("Nothing is paid for", said.err)


@once
class ARepositoryWithASubmodule(RehearsalTest):
    def setUp(self) -> None:
        library = Repository("library")
        self.addCleanup(library.close)
        library.commit({"lib.py": "lib = 1\n"})
        place = self.lists(feature("a"), verify=["test -f vendor/lib/lib.py"])
        allowed = ("-c", "protocol.file.allow=always")
        place.git(*allowed, "submodule", "--quiet", "add", library.path, "vendor/lib")
        place.commit({}, "a submodule")

    def test_a_submodule_is_checked_out_as_in_a_run(self) -> None:
        before = everything_in(self.place.root)
        self.assertEqual(self.found(), {})
        self.assert_untouched(before)

    def test_a_submodule_that_was_never_fetched_fails_the_features_that_need_it(self) -> None:
        shutil.rmtree(os.path.join(self.place.path, ".git", "modules"))
        found = self.found()
        self.assertEqual(list(found), ["base"])
        self.assertIn("test -f vendor/lib/lib.py", found["base"][0]["what"])


@once
class ABadList(RehearsalTest):
    def test_a_rehearsal_reports_all_problems_of_the_run_at_once(self) -> None:
        place = self.lists(
            feature("good"),
            feature("hurts", setup=["echo it hurts; exit 3"]),
            feature("after", depends_on=["hurts"]),
            feature("typo", verify=["nosuchprogram"]),
            feature("taken"),
            feature("refused"),
            claude=OLD_CLAUDE,
            copy=["*.key"],
            verify=["echo red; test -f nowhere"],
            teardown=["test $RORCHESTRATOR_FEATURE != good"],
        )
        place.branch("feature/taken/by/me")
        place.branch("feature/good")
        place.write({"README.md": "changed\n", "../worktrees/typo/mine": "mine\n"})
        place.document["claude"]["permission_mode"] = "bypassPermissions"
        place.change()
        hook = os.path.join(place.path, ".git", "hooks", "pre-commit")
        place.write({hook: "#!/bin/sh\n! git symbolic-ref HEAD | grep refused\n"})
        os.chmod(hook, 0o755)
        before = everything_in(place.root)
        with mock.patch("core.runner.ports.free_block", return_value=0):
            found = self.found("--merge")
        self.assert_untouched(before)
        kinds = ["names", "permissions", "merge", "claude", "files", "base", "ports", "setup"]
        self.assertEqual(set(found), {*kinds, "commit", "checks", "cleanup"})
        names = [finding["what"] for finding in found["names"]]
        self.assertEqual(len(names), 3, names)
        self.assertIn("README.md", found["merge"][0]["what"])
        self.assertIn("2.1.1 is old", found["claude"][0]["what"])
        self.assertIn("*.key matches nothing", found["files"][0]["what"])
        self.assertEqual(found["base"][0]["output"], "red")
        self.assertEqual(found["setup"][0]["features"], ["hurts"])
        self.assertEqual(found["setup"][0]["output"], "it hurts")
        self.assertIn("`nosuchprogram` ended with exit 127", found["checks"][0]["what"])
        # What is red on the base is not told again of each feature.
        self.assertEqual(len(found["checks"]), 1)
        self.assertEqual(found["cleanup"][0]["features"], ["good"])
        self.assertTrue(all(each["next"] for kind in found.values() for each in kind), found)
        self.assertEqual(found["commit"][0]["features"], ["refused"])
        self.assertIn("refs/heads/feature/refused", found["commit"][0]["what"])
        self.assertIn("after: blocked", self.said.err)

    def test_a_base_that_the_features_leave_no_room_for_ends_it_at_once(self) -> None:
        self.lists(base_branch="feature")
        self.place.branch("feature")
        found = self.found()
        self.assertIn("prevents branches", found["names"][0]["what"])
        self.assertNotIn('"event": "run_started"', self.said.out)

    def test_a_problem_of_every_feature_is_reported_once(self) -> None:
        leaves = "touch $RORCHESTRATOR_FEATURE.me"  # another file than in a clean checkout
        place = self.lists(
            *(feature("a"), feature("b"), feature("c")),
            feature("last", depends_on=["a", "b", "c"], setup=["git config alias.x y"]),
            verify=["case $RORCHESTRATOR_FEATURE in a|b|_clean_c) exit 1; esac", leaves],
            verify_clean=True,
        )
        place.commit({".gitignore": "*.me\n"}, "ignore")
        found = self.found("--allow-bypass")
        told = {each["what"].split(",")[0]: each["features"] for each in found["checks"]}
        self.assertEqual(list(map(set, told.values())), [{"a", "b"}, {"c"}])
        self.assertEqual(list(told)[1], "in a clean checkout")
        kept = {each["what"].rpartition(" ")[2]: each["features"] for each in found["cleanup"]}
        self.assertEqual(kept, {"a.me": ["a"], "b.me": ["b"], "c.me": ["c"]})
        (run,) = found["run"]
        self.assertIn("alias.x in repository.git/config changed, which git executes", run["what"])
        self.assertEqual(run["features"], ["last"])

    def test_a_setup_that_fails_only_in_a_clean_checkout_is_met(self) -> None:
        setup = ["case $RORCHESTRATOR_FEATURE in _clean_*) exit 1; esac"]
        self.lists(feature("a"), setup=setup, verify=["true"], verify_clean=True)
        (finding,) = self.found()["setup"]
        self.assertEqual(
            (finding["what"], finding["features"]), (f"`{setup[0]}` ended with exit 1", ["a"])
        )

    def test_a_merge_that_can_not_be_tried_is_met(self) -> None:
        key = "import sys, zlib; print('k%08x' % zlib.crc32(sys.stdin.buffer.read()))"
        common = f'printf %s "$(git rev-parse --git-common-dir)" | {sys.executable} -c "{key}"'
        setup = [f"touch ../~merge~$({common})~scratch"]
        self.lists(feature("a"), feature("b"), setup=setup, verify=["true"])
        (finding,) = self.found()["merge"]
        self.assertIn("git could not add the worktree", finding["what"])

    def test_a_link_that_git_would_take_in_is_met_though_nothing_is_linked(self) -> None:
        self.lists(link=["tools"], claude="#!/bin/sh\nexit 3\n")
        self.place.commit({".gitignore": "tools/\n"}, "ignore")
        self.place.write({"tools/tool": "a tool\n"})
        found = self.found()
        self.assertIn("git does not ignore tools", found["files"][0]["what"])
        self.assertIn("claude --version failed", found["claude"][0]["what"])

    def test_a_bare_repository_has_nothing_to_copy_and_no_claude_is_needed(self) -> None:
        place = self.lists()
        place.git("clone", "-q", "--bare", place.path, os.path.join(place.root, "bare"))
        place.document["claude"] = {"command": ["no-such-claude"]}
        place.change(repo_path="../bare", copy=[".env"])
        found = self.found()
        self.assertIn("a bare repository has no files", found["files"][0]["what"])
        self.assertIn("was not found on PATH", found["claude"][0]["what"])


@once
class WhatIsThereAlready(RehearsalTest):
    def test_a_rehearsal_starts_from_the_results_of_earlier_runs(self) -> None:
        built = feature("b", depends_on=["a"], setup=["grep -q more a.txt"])
        place = self.lists(feature("a"), built)
        place.document["claude"] = {"command": [sys.executable, SIMULATED]}
        place.change()
        self.assertEqual(place.run("--only", "a").code, 0)
        place.commit({"a.txt": "and more\n"}, "by hand", at=place.worktree("a"))
        before = everything_in(place.root)
        document = self.document()
        self.assertEqual(document["features"], ["b"])
        self.assertEqual(document["findings"], [])
        self.assertEqual(self.document("--fresh", "--sequential")["features"], ["a", "b"])
        nothing = self.document("--only", "a")
        self.assertEqual((nothing["features"], nothing["exit_code"]), ([], 0))
        self.assertIn("Nothing to rehearse.", self.rehearse("--only", "a").err)
        self.assert_untouched(before)

    def test_results_that_do_not_merge_are_met(self) -> None:
        both = feature("c", depends_on=["a", "b"])
        place = self.lists(feature("a"), feature("b"), both, feature("d", depends_on=["a"]))
        place.document["claude"] = {"command": [sys.executable, SIMULATED]}
        place.change()
        self.assertEqual(place.run("--only", "a,b").code, 0)
        for id in ("a", "b"):
            place.commit({"same": id}, "by hand", at=place.worktree(id))
        place.commit({"same": "base"}, "on the base")
        found = self.found()["merge"]
        told = {each["what"]: each["features"] for each in found}
        self.assertEqual(told["a and b conflict in same"], ["c"])
        self.assertEqual(told["a and main conflict in same"], ["a"])

    def test_a_rehearsal_copies_a_base_that_is_no_branch_and_tools_beside_the_worktrees(
        self,
    ) -> None:
        setup = ["grep -q tool ../node_modules/tool && echo x > ../node_modules/y"]
        place = self.lists(base_branch="v1", setup=setup)
        place.git("tag", "v1")
        place.write({"../worktrees/node_modules/tool": "a tool\n", "../worktrees/other": "x"})
        before = everything_in(place.root)
        self.assertEqual(self.found(), {})
        self.assert_untouched(before)

    def test_tools_that_can_not_be_copied_end_it(self) -> None:
        place = self.lists()
        os.makedirs(place.worktrees)
        os.symlink("nowhere", os.path.join(place.worktrees, "node_modules"))
        said = self.rehearse()
        self.assertEqual(said.code, 2)
        self.assertIn("could not be copied", said.err)

    def test_a_temporary_copy_that_cannot_be_removed_is_reported(self) -> None:
        self.lists(base_branch="feature")
        self.place.branch("feature")
        with mock.patch("core.process.temporary_folder.remove_tree"):
            said = self.rehearse()
        self.assertIn("could not be removed", said.err)
        for left in find(self.place.environ["TMPDIR"]):
            os.rmdir(left)

    def test_without_room_it_does_not_begin(self) -> None:
        place = self.lists()
        with mock.patch.object(rehearsal, "free_bytes", return_value=(place.root, 1)):
            said = self.rehearse()
        self.assertEqual(said.code, 2)
        self.assertIn("set TMPDIR to a folder with more room", said.err)


class Questions(WorkspaceTest):
    def answer(self, words: str) -> tuple[int, str]:
        """Rehearse on a terminal and type ``words`` at the question; the end, and what it shows."""
        self.workspace.features(feature("a"))
        with terminal() as (ours, theirs):
            running = self.workspace.start("run", "--rehearse", terminal=theirs)
            os.close(theirs)
            shown = read_until(ours, "[y/N]")
            running.wait_for_its_question()
            os.write(ours, words.encode())
            shown += read_until(ours, "")
            return running.end().code, shown

    def test_no_starts_nothing(self) -> None:
        code, shown = self.answer("n\n")
        self.assertEqual(code, 2, shown)
        self.assertIn("Rehearse 1 feature now?", shown)
        self.assertNotIn("Run 1 feature", shown)
        self.assertIn("Nothing was started.", shown)

    def test_yes_starts_it(self) -> None:
        code, shown = self.answer("y\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("No", shown)

    def test_ctrl_c_at_the_question_is_answered(self) -> None:
        code, shown = self.answer("\x03")
        self.assertEqual(code, 130, shown)
        self.assertIn("Stopped, and the temporary copy is removed.", shown)

    def test_without_a_terminal_it_needs_a_yes(self) -> None:
        with Workspace([feature("a")]) as place:
            said = place.main("run", "--rehearse")
        self.assertEqual(said.code, 2)
        self.assertIn("there is no terminal to ask on", said.err)

    def test_where_nothing_is_found_the_run_of_the_same_features_comes_next(self) -> None:
        with Workspace([feature("a"), feature("b")]) as place:
            said = place.main("run", "--rehearse", "--only", "a", "--yes")
        self.assertEqual(said.code, 0, said)
        self.assertTrue(said.out.endswith("→ rorchestrator run --only a\n"), said.out)


class Stopped(RehearsalTest):
    def test_a_signal_at_any_point_leaves_nothing(self) -> None:
        stop = f"kill -TERM {os.getpid()}; sleep 60"
        for where in ("a", "_clean_a", "~merge"):
            with self.subTest(where):
                check = f'if test "$RORCHESTRATOR_FEATURE" = "{where}"; then {stop}; fi'
                # One feature alone is nothing that could be merged, and is not checked again.
                others = [feature("b")] if where == "~merge" else []
                self.lists(feature("a"), *others, verify=[check], verify_clean=True)
                said = self.rehearse("--quiet")
                self.assertEqual(said.code, 143, said)
                self.assertIn("Stopped before everything was tried.", said.out)
                self.assertNotIn("would meet", said.out)

    def test_a_signal_before_the_run_leaves_nothing(self) -> None:
        self.lists(claude=SIGNALLING_CLAUDE)
        said = self.rehearse()
        self.assertEqual(said.code, 143, said)
        self.assertIn("Stopped, and the temporary copy is removed.", said.err)

    def test_a_signal_during_the_teardown_leaves_nothing(self) -> None:
        self.lists(teardown=[f"kill -INT {os.getpid()}; sleep 60"])
        self.assertEqual(self.rehearse().code, 130)

    def test_signals_are_ignored_while_everything_is_removed(self) -> None:
        def remove(path: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            remove_tree(path)

        self.lists(base_branch="feature")
        self.place.branch("feature")
        with mock.patch("core.process.temporary_folder.remove_tree", remove):
            self.assertEqual(self.rehearse().code, 1)

    def test_an_ignored_hangup_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            with self.assertRaises(SignalReceived):
                os.kill(os.getpid(), signal.SIGTERM)
            signals.ignore()
            os.kill(os.getpid(), signal.SIGTERM)
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)


class Killed(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace(apart=True))
        self.temporary = self.workspace.environ["TMPDIR"]

    def test_a_rehearsal_removes_the_leftovers_of_a_killed_one(self) -> None:
        on = self.workspace.beside("on")
        self.workspace.features(
            feature("a"), setup=[f"test -e {on} || {{ touch {on}; sleep 300; }}"]
        )
        running = self.workspace.start("run", "--rehearse", "--yes")
        wait_until(lambda: os.path.exists(on), "the setup")
        running.kill()
        (left,) = os.listdir(self.temporary)
        self.assertTrue(left.startswith(PREFIX))
        wait_until(lambda: not self.workspace.processes(), "the end of all that was started")
        done = self.workspace.command("run", "--rehearse", "--yes")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertFalse(os.path.exists(self.workspace.state_folder))
        self.assertEqual(os.listdir(self.workspace.folder), ["config"])


if __name__ == "__main__":
    unittest.main()
