"""The user's yes to the commands that a list brings along: asked for once, kept outside."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import sys
import unittest
from collections.abc import Mapping
from unittest import mock

from core import cli
from core.model.feature import Invocation, Purpose
from core.project.consent import Consents, state_folder
from core.project.list_path import in_main_checkout
from core.worktree.names import MARK
from tests.support.commands import CommandResult, Terminal, standing_in, streams
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

ONE = Invocation(Purpose.VERIFY, ("make", "check"), ("make check",))
OTHER = Invocation(Purpose.SETUP, ("make", "deps"), ("make deps",))


def answered(space: Workspace, *words: str, answer: str = "y\n") -> CommandResult:
    """Run a command on a terminal on which somebody answers."""
    with standing_in(space.path, space.environ):
        out, err = (Terminal(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with streams(out, err, Terminal(io.BytesIO(answer.encode()), encoding="utf-8")):
            code = cli.main(words)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return CommandResult(code, *texts)


class TheFile(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Repository()
        self.addCleanup(self.space.close)
        self.environ = {"HOME": self.space.home}

    def consents(self, repository: str = "/shop/.git") -> Consents:
        return Consents(repository, self.environ)

    def test_a_yes_is_for_one_command_in_one_repository_whatever_it_is_for(self) -> None:
        self.assertEqual(self.consents().missing([ONE, OTHER, ONE]), [ONE, OTHER])
        self.assertEqual(self.consents().give([ONE]), "")
        self.assertEqual(self.consents().missing([ONE, OTHER]), [OTHER])
        same = Invocation(Purpose.TEARDOWN, ONE.argv, ONE.brief, ("auth",))
        self.assertEqual(self.consents().missing([same]), [])
        changed = Invocation(Purpose.VERIFY, ONE.argv, ONE.brief, env={"PATH": "."})
        self.assertEqual(self.consents().missing([changed]), [changed])
        self.assertEqual(self.consents("/clone/.git").missing([ONE]), [ONE])

    def test_the_consent_file_is_private_and_names_no_command(self) -> None:
        folder = os.path.join(self.space.home, ".local", "state", "rorchestrator")
        os.makedirs(folder, 0o755)
        self.consents().give([ONE, OTHER])
        self.consents().give([ONE])
        path = os.path.join(folder, "consents")
        modes = [stat.S_IMODE(os.stat(each).st_mode) for each in (folder, path)]
        self.assertEqual(modes, [0o700, 0o600])
        with open(path, encoding="ascii") as file:
            self.assertRegex(file.read(), r"\A([0-9a-f]{64}\n){2}\Z")

    def test_a_consent_file_writable_by_others_is_ignored(self) -> None:
        self.consents().give([ONE])
        path = self.consents().path
        os.chmod(path, 0o620)
        self.assertEqual(self.consents().missing([ONE]), [ONE])
        os.unlink(path)
        os.symlink("/dev/zero", path)
        self.assertEqual(self.consents().missing([ONE]), [ONE])
        self.assertIn(f"{path}: ", self.consents().give([ONE]))
        os.unlink(path)
        os.mkfifo(path)  # nobody waits for who reads it
        self.assertIn(f"{path}: ", self.consents().give([ONE]))
        os.unlink(path)
        os.mkdir(path)
        self.assertIn(f"{path}: ", self.consents().give([ONE]))

    def test_consent_holds_for_this_command_only_if_it_cannot_be_written(self) -> None:
        self.space.write({"state": "no folder"}, at=self.space.root)
        self.environ = {"XDG_STATE_HOME": os.path.join(self.space.root, "state")}
        consents = self.consents()
        self.assertIn(": Not a directory", consents.give([ONE]))
        self.assertEqual(consents.missing([ONE]), [])
        self.assertEqual(self.consents().missing([ONE]), [ONE])

    def test_the_consent_file_is_in_the_users_state_folder(self) -> None:
        home = os.path.join("/home/me", ".local", "state", "rorchestrator")
        self.assertEqual(state_folder({"XDG_STATE_HOME": "/x"}), "/x/rorchestrator")
        for environ in ({"HOME": "/home/me"}, {"HOME": "/home/me", "XDG_STATE_HOME": "x"}):
            self.assertEqual(state_folder(environ), home)
        with mock.patch("pwd.getpwuid", return_value=mock.Mock(pw_dir="/home/me")):
            self.assertEqual(state_folder({"HOME": ""}), home)
        with mock.patch("pwd.getpwuid", side_effect=KeyError):
            self.assertEqual(state_folder({}), "")
            nowhere = Consents("/shop/.git", {})
            self.assertEqual(nowhere.missing([ONE]), [ONE])
            self.assertIn("no home folder", nowhere.give([ONE]))
            self.assertEqual(nowhere.missing([ONE]), [])


class Asking(unittest.TestCase):
    """One list with checks and a teardown; a feature is finished, and nobody agreed to anything."""

    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.space.agrees = False
        self.canary = os.path.join(self.space.root, "canary")
        self.sings = f"echo x >> {self.canary}"
        self.space.change(verify=[self.sings], teardown=[f"{self.sings}; :"])
        self.space.commit({}, "checks")
        self.space.finished("auth")

    def sang(self) -> bool:
        if not os.path.exists(self.canary):
            return False
        os.unlink(self.canary)
        return True

    def everything(self) -> dict[str, float]:
        """What a command may not change before it is agreed to."""
        found = {}
        for folder in (self.space.path, self.space.worktrees, self.space.home):
            for root, folders, files in os.walk(folder):
                if os.path.basename(root) == ".git":
                    folders.remove("objects")
                for name in (*folders, *files):
                    path = os.path.join(root, name)
                    found[path] = os.lstat(path).st_mtime
        return found

    def test_without_a_terminal_nothing_is_changed_and_the_commands_are_named(self) -> None:
        before = self.everything()
        for words, named in (
            (("merge", "auth"), f"Runs verify: {self.sings}"),
            (("cleanup", "auth", "--discard"), f"Runs teardown: {self.sings}; :"),
            (("run",), f"Runs verify: {self.sings}"),
        ):
            said = self.space.main(*words)
            self.assertEqual((said.code, said.out), (2, ""), said)
            self.assertIn(f"  {named}\n", said.err)
            self.assertIn(f"rorchestrator {' '.join(words)} --yes\n", said.err)
        self.assertEqual(self.everything(), before)
        self.assertFalse(self.sang())

    def test_looking_neither_asks_nor_starts_anything(self) -> None:
        for words in (
            ("plan",),
            ("status",),
            ("logs", "auth"),
            ("merge", "--dry-run"),
            ("cleanup", "--all", "--discard", "--dry-run"),
        ):
            self.assertNotIn("agreed", self.space.main(*words).err)
        self.assertFalse(self.sang())

    def test_no_consent_is_asked_for_a_list_without_commands(self) -> None:
        self.assertEqual(self.space.main("cleanup", "--merged").code, 0)
        self.space.change([feature("other")])
        said = self.space.main("merge")
        self.assertEqual((said.code, said.out), (0, "Nothing to land on main.\n"), said)

    def test_a_yes_is_asked_for_once_and_a_changed_command_is_shown(self) -> None:
        said = answered(self.space, "merge", answer="n\n")
        self.assertEqual(said.code, 2)
        self.assertIn(f"  Runs verify: {self.sings}\n", said.err)
        self.assertIn(
            "you did not consent to the commands of the list; nothing was changed", said.err
        )
        self.assertFalse(self.sang())
        said = answered(self.space, "merge")
        self.assertEqual(said.code, 0, said)
        self.assertTrue(self.sang())
        self.assertEqual(self.space.main("cleanup", "auth", "--dry-run").code, 0)
        self.space.change(teardown=[f"{self.sings}; :", f"{self.sings} # new"])
        said = answered(self.space, "cleanup", "auth", answer="n\n")
        self.assertIn("# new", said.err)
        self.assertNotIn("; :", said.err)
        said = answered(self.space, "cleanup", "auth")
        self.assertEqual((said.code, self.sang()), (0, True), said)

    def test_yes_is_that_yes_and_is_kept(self) -> None:
        self.assertEqual(self.space.main("merge", "--yes").code, 0)
        self.assertTrue(self.sang())
        self.assertEqual(self.space.main("cleanup", "auth").code, 0)
        self.assertTrue(self.sang())

    def test_a_consent_that_cannot_be_kept_is_reported(self) -> None:
        self.space.write({"state": "no folder"}, at=self.space.root)
        env = {"XDG_STATE_HOME": os.path.join(self.space.root, "state")}
        said = self.space.main("merge", "--yes", env=env)
        self.assertEqual(said.code, 0)
        self.assertIn("Your consent could not be saved; you will be asked again: ", said.err)
        self.assertEqual(self.space.main("cleanup", "auth", env=env).code, 2)

    def test_run_shows_what_is_new_before_its_question(self) -> None:
        self.space.change([feature("auth", verify=["true"])])
        self.space.commit({}, "a check of its own")
        said = answered(self.space, "run", "--fresh", answer="n\n")
        self.assertNotIn("need your consent", said.err)  # the plan has just shown all of it
        said = answered(self.space, "run", "--fresh", "--quiet", answer="n\n")
        self.assertIn(f"need your consent:\n  Runs: {sys.executable}", said.err)
        self.assertEqual(self.space.main("merge", "--yes").code, 0)
        said = answered(self.space, "run", "--fresh", "--rehearse", answer="n\n")
        self.assertIn("Runs verify (auth): true\n", said.err.partition("need your consent:")[2])
        self.assertEqual(self.space.main("run", "--fresh", "--yes").code, 0)
        self.assertEqual(self.space.main("cleanup", "auth", "--discard").code, 0)

    def test_run_merge_asks_where_the_run_itself_had_nothing_to_do(self) -> None:
        self.assertEqual(self.space.main("run", "--yes").code, 0)
        self.space.change(verify=[f"{self.sings} # changed"])
        said = answered(self.space, "run", "--merge", answer="n\n")
        self.assertEqual(said.code, 2)
        self.assertIn("# changed", said.err.partition("need your consent:")[2])

    def test_attach_asks_for_the_claude_of_the_list_and_only_for_that(self) -> None:
        self.space.change([feature("auth", {"write": "a"})])
        self.assertEqual(self.space.main("run", "--yes", "--fresh").code, 0)
        self.assertTrue(self.sang())
        evil = os.path.join(self.space.root, "evil")
        self.space.document["claude"] = {"command": [evil], "env": {"A_KEY": "topsecret", "B": "c"}}
        self.space.write({"evil": f"#!/bin/sh\n{self.sings}\n"}, at=self.space.root)
        os.chmod(evil, 0o755)
        self.space.change()
        self.assertEqual(self.space.main("attach", "auth", "--print").code, 0)
        said = answered(self.space, "attach", "auth", answer="n\n")
        self.assertIn(f"Runs: {evil}\n    with A_KEY='[masked]'\n    with B=c\nAllow", said.err)
        self.assertFalse(self.sang())

    def test_the_plain_claude_of_the_user_needs_no_yes(self) -> None:
        from core.claude.command_line import own_command
        from core.model.feature import ClaudeOptions

        self.assertEqual(own_command(ClaudeOptions(model="opus", allowed_tools=("Read",))), ())
        (extra,) = own_command(ClaudeOptions(extra_args=("--mcp-config", "x")))
        self.assertEqual(extra.argv, ("claude", "--mcp-config", "x"))


class InAWorktree(unittest.TestCase):
    """An agent has edited the list in its worktree; the user types in there."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("auth")])
        cls.addClassCleanup(cls.space.close)
        cls.canary = os.path.join(cls.space.root, "canary")
        cls.space.finished("auth")
        cls.there = cls.space.worktree("auth")
        evil = {
            **cls.space.document,
            "project": {"name": "Evil", "teardown": [f"touch {cls.canary}"], "repo_path": "."},
            "claude": {"command": ["sh", "-c", f"touch {cls.canary}"]},
        }
        cls.space.write({"config/feature_list.json": json.dumps(evil)}, at=cls.there)
        os.mkdir(os.path.join(cls.there, "src"))

    def status(self, *words: str, at: str, env: Mapping[str, str] | None = None) -> CommandResult:
        return self.space.main("status", "--json", *words, at=at, env=env)

    def test_the_list_of_the_main_checkout_is_meant(self) -> None:
        inner = os.path.join(self.there, "config")
        for at, words in (
            (self.there, ()),
            (os.path.join(self.there, "src"), ()),
            (self.there, ("--config", "config/feature_list.json")),
            (self.space.path, ("--config", os.path.join(inner, "feature_list.json"))),
        ):
            said = self.status(*words, at=at)
            self.assertEqual(said.json["config"], self.space.list_file)
            self.assertEqual(said.json["project_name"], "Shop")
        self.assertEqual(self.space.main("plan", at=self.there).code, 0)
        said = self.space.main("cleanup", "auth", "--discard", "--yes", at=self.there)
        self.assertIn("the current folder is in its worktree", said.out)
        self.assertFalse(os.path.exists(self.canary))

    def test_also_where_the_worktree_was_moved_and_in_a_repository_that_the_agent_made(
        self,
    ) -> None:
        with Workspace([feature("auth")]) as space:
            space.finished("auth")
            moved = os.path.join(space.root, "moved")
            space.git("worktree", "move", space.worktree("auth"), moved)
            nested = os.path.join(moved, "nested")
            shutil.copytree(Repository._with_one_commit(), nested)
            for at in (moved, nested):
                self.assertEqual(
                    space.main("status", "--json", at=at).json["config"], space.list_file
                )

    def test_an_unmarked_worktree_of_1_0_uses_the_list_above_and_the_users_worktree_does_not(
        self,
    ) -> None:
        with Workspace([feature("auth")]) as space:
            space.finished("auth")
            os.unlink(os.path.join(space.path, ".git", "worktrees", "auth", MARK))
            space.git("worktree", "add", "--detach", space.worktree("hotfix"))
            for name, main in (("auth", True), ("hotfix", False)):
                path = space.worktree(name)
                config = space.main("status", "--json", at=path).json["config"]
                self.assertEqual(config == space.list_file, main)

    def test_a_folder_that_only_the_worktree_has_and_one_that_is_gone(self) -> None:
        self.assertEqual(
            self.status(at=os.path.join(self.there, "src")).json["config"], self.space.list_file
        )
        gone = os.path.join(self.space.root, "gone")
        os.mkdir(gone)
        with standing_in(gone, self.space.environ):
            os.rmdir(gone)
            self.assertEqual(in_main_checkout(os.curdir), os.curdir)

    def test_a_list_that_only_the_worktree_has_is_refused(self) -> None:
        self.space.write({"new.json": "{}"}, at=self.there)
        said = self.status("--config", "new.json", at=self.there)
        self.assertEqual(said.code, 2)
        self.assertIn("new.json is in the worktree of a feature, and ", said.err)


if __name__ == "__main__":
    unittest.main()
