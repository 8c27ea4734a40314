"""A feature list that came with a clone: where it may reach, and what it may start."""

from __future__ import annotations

import json
import os
import random
import string
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from core.git.door import Repository
from core.model import did_you_mean
from core.model.errors import UserError
from core.project import feature_list as config
from core.project import list_reader
from core.project.obstructions import WORKTREES, check_worktrees_path
from core.project.value_checks import Id
from tests.support.commands import CommandResult
from tests.support.workspace import Workspace, feature


class WhereWorktreesGo(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = os.path.realpath(temporary.name)
        self.top = os.path.join(self.root, "code", "shop")
        self.repository = Repository(
            self.top, os.path.join(self.top, ".git"), bare=False, shallow=False, version=(2, 39)
        )
        os.makedirs(self.repository.common_dir)
        os.makedirs(os.path.join(self.root, "mine"))
        os.symlink(os.path.join(self.root, "mine"), os.path.join(self.top, "link"))
        os.symlink(self.repository.common_dir, os.path.join(self.root, "code", "link"))

    def fault(self, path: str, allowed: str = "") -> str:
        """What is wrong with a folder, as seen from the repository; empty where it is good."""
        folder = os.path.normpath(os.path.join(self.top, path))
        try:
            check_worktrees_path(self.repository, folder, allowed)
        except UserError as error:
            self.assertIn(f"export {WORKTREES}=", error.hint)
            return error.message.rsplit(": ", 1)[1]
        return ""

    def test_beside_the_repository_or_in_a_folder_in_it_and_nowhere_else(self) -> None:
        leads = "a link in the repository leads to"
        mine = os.path.join(self.root, "mine")
        elsewhere = f"it is not in {os.path.dirname(self.top)}"
        holds, git = "it contains the repository", "it is git's own folder"
        hidden = "it is a hidden folder outside the repository"
        cases = {
            "../worktrees": "",
            "../deep/er": "",
            "../shop2": "",
            "trees": "",
            ".worktrees": "",
            os.path.join(self.root, "code", "trees"): "",
            ".": holds,
            "..": holds,
            "../..": holds,
            "/": holds,
            ".git": git,
            ".git/worktrees": git,
            "../link": git,
            "../link/x": git,
            "../../mine": elsewhere,
            "../../code2": elsewhere,
            "/etc": elsewhere,
            "/etc/cron.d": elsewhere,
            "link": f"{leads} {mine}",
            "link/x": f"{leads} {os.path.join(mine, 'x')}",
            "../.config": hidden,
            "../a/.ssh/b": hidden,
        }
        for path, expected in cases.items():
            with self.subTest(path=path):
                self.assertEqual(self.fault(path), expected)

    def test_a_folder_of_the_users_own_choice_is_allowed(self) -> None:
        mine = os.path.join(self.root, "mine")
        for path in (mine, os.path.join(mine, "x"), "link", "link/x"):
            self.assertEqual(self.fault(path, allowed=mine), "")
        self.assertTrue(self.fault(mine + "2", allowed=mine))

    def test_plan_and_run_refuse_and_make_nothing_while_the_others_still_answer(self) -> None:
        folder = os.path.join(self.root, "trees")
        with Workspace([feature("auth")], project={"worktrees_path": folder}) as space:
            for words in (("plan",), ("run", "--yes")):
                said = space.main(*words)
                self.assertEqual(said.code, 2)
                self.assertIn(f"{folder} can't be used for worktrees: it is not in", said.err)
            self.assertFalse(os.path.exists(folder))
            for words in (("status",), ("cleanup", "--all")):
                self.assertEqual(space.main(*words).code, 0)
            allowed = {WORKTREES: self.root}
            self.assertEqual(space.command("run", "--yes", env=allowed).code, 0)
            self.assertEqual(os.listdir(folder), ["auth"])
            self.assertEqual(space.main("cleanup", "auth", "--discard").code, 0)


class WhatIsRead(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.workspace = os.path.realpath(temporary.name)
        self.path = os.path.join(self.workspace, "list.json")
        os.mkdir(os.path.join(self.workspace, "prompts"))

    def faults(self, *features: Mapping[str, object], **sections: object) -> tuple[str, ...]:
        """What is said of a list."""
        listed = {"project": {"name": "shop"}, "features": features, **sections}
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(listed, file)
        try:
            config.load(self.path)
        except UserError as error:
            return error.details
        return ()

    def test_two_gigabytes_are_refused_without_being_read(self) -> None:
        before = time.process_time()
        with open(os.path.join(self.workspace, "prompts", "huge.md"), "wb") as file:
            file.truncate(2 << 30)
        self.assertEqual(
            self.faults({"id": "a", "prompt_file": "huge.md"}, prompts={"context_file": "huge.md"}),
            (
                "features[0].prompt_file: huge.md is larger than 8 MiB",
                "prompts.context_file: huge.md is larger than 8 MiB",
            ),
        )
        os.truncate(self.path, 2 << 30)
        with self.assertRaisesRegex(UserError, "larger than 32 MiB"):
            config.load(self.path)
        self.assertLess(time.process_time() - before, 1.0)

    def test_a_file_of_many_names_is_read_once(self) -> None:
        with open(os.path.join(self.workspace, "prompts", "p.md"), "wb") as file:
            file.write(b"x" * (1 << 20))
        names = ("./" * times + "p.md" for times in range(1000))
        self.assertEqual(
            self.faults(*({"id": f"f{n}", "prompt_file": f} for n, f in enumerate(names))), ()
        )

    def test_many_files_do_not_fill_the_memory(self) -> None:
        for name in ("a", "b", "c"):
            with open(os.path.join(self.workspace, "prompts", name), "w") as file:
                file.write("xxxx")
        reader = list_reader.Reader(self.workspace, room=10)
        for name in ("a", "b", "c"):
            reader.text_file("features[0].prompt_file", name)
        self.assertEqual(
            reader.faults,
            ["features[0].prompt_file: c is too much: all prompt files together exceed 256 MiB"],
        )

    def test_a_hundred_thousand_unknown_words_do_not_take_for_ever(self) -> None:
        before = time.process_time()
        odd = {f"nam{number}": 1 for number in range(50_000)}
        rules = [f"bash{number}" for number in range(50_000)]
        faults = self.faults(
            {"id": "a", "prompt": "x", "allowed_tools": rules, **odd}, **{"featurs" * 100_000: 1}
        )
        self.assertGreater(len(faults), 100_000)
        self.assertEqual(sum("did you mean" in fault for fault in faults), list_reader.HINTED)
        self.assertLess(time.process_time() - before, 5.0)

    def test_a_very_long_word_is_not_looked_up(self) -> None:
        for length, hint in ((100, " (did you mean 'xxx"), (101, "")):
            near = did_you_mean.did_you_mean("x" * length, ["x" * 100])
            self.assertEqual(near[: len(hint) or None], hint)

    def test_words_that_no_command_line_or_file_system_takes_are_faults(self) -> None:
        long, word = "x" * 5000, "y" * 150
        cases: list[tuple[dict[str, object], str]] = [
            ({"project": {"name": "s", "repo_path": long}}, "is longer than 4096 characters"),
            ({"project": {"name": "s", "worktrees_path": long}}, "is longer than 4096 characters"),
            ({"prompts": {"context_file": long}}, "is longer than 4096 characters"),
            ({"project": {"name": "s", "base_branch": long}}, "is longer than 250 bytes"),
            ({"project": {"name": "s", "branch_prefix": "é" * 126}}, "is longer than 250 bytes"),
            (
                {"project": {"name": "s", "branch_prefix": word + "é" * 30}},
                "is too long for a branch name",
            ),
            ({"claude": {"append_system_prompt": "é" * 50_001}}, "options together are too long"),
            ({"claude": {"env": {"A": long * 20}}}, "options together are too long"),
            (
                {"claude": {"allowed_tools": [f"Read({word})"] * 700}},
                "options together are too long",
            ),
        ]
        for sections, said in cases:
            with self.subTest(said=said, sections=str(sections)[:50]):
                faults = self.faults({"id": "a" * 100, "prompt": "x"}, **sections)
                self.assertEqual(len(faults), 1, faults)
                self.assertTrue(faults[0].endswith(said), faults)
        good = {"project": {"name": "s", "branch_prefix": word}}
        self.assertEqual(self.faults({"id": "a" * 100, "prompt": "x"}, **good), ())

    def test_a_name_that_git_would_read_as_an_option_is_a_fault(self) -> None:
        for odd in (
            "-x",
            "--upload-pack=touch x",
            "--detach",
            "-",
            "@",
            "a..b",
            "a@{1}",
            "x^",
            "a b",
        ):
            with self.subTest(odd=odd):
                project = {"name": "s", "base_branch": odd, "branch_prefix": odd}
                faults = self.faults({"id": odd, "prompt": "x"}, project=project)
                places = {fault.split(":")[0] for fault in faults}
                expected = {"project.base_branch", "project.branch_prefix", "features[0].id"}
                self.assertEqual(
                    places - {"project.branch_prefix"}, expected - {"project.branch_prefix"}
                )
                self.assertTrue(odd in ("@",) or "project.branch_prefix" in places)

    def test_a_name_of_several_lines_or_with_a_control_character_is_a_fault(self) -> None:
        for odd in ("\u2028", "\u2029", "\x85", "\x9b", "\x1b", "\n"):
            faults = self.faults({"id": "a", "prompt": "x", "name": f"a{odd}b"})
            self.assertEqual(
                faults, ("features[0].name: contains a control character or a line break",)
            )
        self.assertEqual(self.faults({"id": "a", "prompt": "x", "name": "👩‍💻 עברית"}), ())


class Ids(unittest.TestCase):
    def test_each_of_10_000_odd_ids_is_refused_or_makes_a_branch_and_a_folder_of_its_own(
        self,
    ) -> None:
        chance, odd = (
            random.Random(16),
            string.ascii_letters + string.digits + "._-" * 8 + "@~^:/\\ é\n",
        )
        words = ("HEAD", "@", ".lock", "..", "--detach", "refs/heads/", "-", "a")
        accepted: dict[str, str] = {}
        refused = 0
        for _ in range(10_000):
            id = "".join(chance.choices(odd, k=chance.choice((1, 2, 3, 5, 8, 99, 101))))
            if chance.random() < 0.2:
                id = (
                    chance.choice(words) + id
                    if chance.random() < 0.5
                    else id + chance.choice(words)
                )
            reader = list_reader.Reader("/nowhere")
            if Id().check(reader, "id", id) is None:
                self.assertEqual(len(reader.faults), 1)
                refused += 1
            else:
                accepted[id.casefold()] = id
        self.assertGreater(min(len(accepted), refused), 2000)
        with Workspace([feature("auth")]) as space:
            head = space.commit_of("main")
            refs = [f"refs/heads/feature/{id}" for id in accepted.values()]
            made = "".join(f"create {ref} {head}\n" for ref in refs)
            # One transaction, in which git checks every name and that none is in another's way.
            space.git("update-ref", "--stdin", stdin=made.encode())
            listed = space.git("for-each-ref", "--format=%(refname)", "refs/heads/feature")
            self.assertEqual(sorted(listed.split("\n")), sorted(refs))
        for id in accepted.values():
            self.assertEqual(os.path.split(os.path.normpath(f"/trees/{id}")), ("/trees", id))
            self.assertFalse(id.startswith("-"))


class WhoseListItIs(unittest.TestCase):
    def test_a_list_above_that_belongs_to_another_user_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            top = os.path.realpath(folder)
            path = os.path.join(top, ".rorchestrator", "config", "feature_list.json")
            here = os.path.join(top, "mine")
            os.makedirs(os.path.dirname(path))
            os.mkdir(here)
            with open(path, "w", encoding="utf-8") as file:
                file.write("{}")
            me, root, other, third = os.geteuid(), 0, 12345, 54321
            for of_list, of_here, good in (
                (me, me, True),
                (root, me, True),
                (other, other, True),
                (other, me, False),
                (other, root, False),
                (other, third, False),
            ):
                owners = {path: of_list, here: of_here}
                with self.subTest(of_list=of_list, of_here=of_here):
                    if good:
                        self.assertEqual(config.find(here, owners.__getitem__), path)
                        continue
                    with self.assertRaises(UserError) as caught:
                        config.find(here, owners.__getitem__)
                    self.assertEqual(caught.exception.message, f"{path} belongs to another user")
                    self.assertIn(f"--config {path}", caught.exception.hint)
            self.assertEqual(config.find(here), path)


COMMANDS = (
    *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass"),
    *("diff.external", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver"),
    *("gpg.program", "gpg.ssh.program", "credential.helper", "sequence.editor", "pager.status"),
    *("alias.status", "alias.for-each-ref", "uploadpack.packObjectsHook", "web.evil.cmd"),
)
"""What a ``.git/config`` may say that git then starts."""

HOOKS = (
    *("post-checkout", "pre-commit", "post-commit", "post-index-change", "reference-transaction"),
    *("commit-msg", "prepare-commit-msg", "post-rewrite", "post-merge", "fsmonitor-watchman"),
)


class WhatIsStarted(unittest.TestCase):
    """Neither ``plan`` nor ``status`` starts what a hostile repository names."""

    @contextmanager
    def hostile(self) -> Iterator[tuple[Workspace, str]]:
        with Workspace([feature("auth"), feature("api", depends_on=["auth"])]) as space:
            space.commit({".gitattributes": "* diff=evil merge=evil text\n", "code.txt": "1\n"})
            space.finished("auth")
            space.commit({"code.txt": "2\n"}, "the base moved on")
            space.write({"new.txt": ""}, at=space.worktree("auth"))
            canary = os.path.join(space.root, "canary")
            evil = os.path.join(space.path, "evil.sh")
            space.write({"evil.sh": f'#!/bin/sh\necho "$0 $*" >> {canary}\n'})
            os.chmod(evil, 0o755)
            hooks = os.path.join(space.path, ".git", "evil-hooks")
            os.mkdir(hooks)
            for name in HOOKS:
                os.symlink(evil, os.path.join(hooks, name))
            for key in COMMANDS:
                space.git("config", key, evil)
            space.git("config", "core.hooksPath", hooks)
            space.git("config", "commit.gpgSign", "true")
            yield space, canary

    def assert_silent(self, canary: str, said: CommandResult) -> None:
        self.assertEqual(said.code, 0, said)
        started = ""
        if os.path.exists(canary):
            with open(canary, encoding="utf-8") as file:
                started = file.read()
        self.assertEqual(started, "")

    def test_no_program_that_a_repository_configures_is_started(self) -> None:
        with self.hostile() as (space, canary):
            for words in (("plan",), ("plan", "--json"), ("status",), ("status", "--verbose")):
                with self.subTest(words=words):
                    self.assert_silent(canary, space.main(*words))
            self.assert_silent(canary, space.main("cleanup", "--merged", "--dry-run"))
            # The canary sings where it is asked to.
            space.git("commit", "--allow-empty", "-m", "x", fails=True)
            self.assertTrue(os.path.exists(canary))

    def test_no_program_that_a_list_names_is_started_before_the_first_run(self) -> None:
        with Workspace([feature("auth")]) as space:
            canary = os.path.join(space.root, "canary")
            space.write({"bin/claude": f'#!/bin/sh\necho "$0 $*" >> {canary}\necho 1.0\n'})
            evil = os.path.join(space.path, "bin", "claude")
            os.chmod(evil, 0o755)
            path = os.path.dirname(evil) + os.pathsep + space.environ["PATH"]
            for claude in (
                {"command": ["bin/claude"]},
                {"command": [sys.executable, "-c", f"open({canary!r}, 'w')"]},
                {"command": ["claude"], "env": {"PATH": path}},
                {"env": {"LD_PRELOAD": evil, "NODE_OPTIONS": f"--require {evil}"}},
            ):
                space.document["claude"] = claude
                space.change()
                for words in (("plan",), ("status",), ("status", "--json")):
                    with self.subTest(claude=str(claude)[:60], words=words):
                        said = space.main(*words)
                        self.assert_silent(canary, said)
                self.assertRegex(
                    str(said.json["claude"]), "^(None|unknown; the list sets the command: )"
                )

    def test_the_users_own_claude_is_asked(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.write({"bin/claude": "#!/bin/sh\necho 2.1.330\n"}, at=space.home)
            folder = os.path.join(space.home, "bin")
            os.chmod(os.path.join(folder, "claude"), 0o755)
            space.document["claude"] = {}
            space.change()
            env = {"PATH": folder + os.pathsep + space.environ["PATH"]}
            self.assertEqual(space.main("status", "--json", env=env).json["claude"], "2.1.330")


class WhereTheRepositoryIs(unittest.TestCase):
    def test_a_path_that_is_no_repository_is_reported(self) -> None:
        with Workspace([feature("auth")]) as space:
            os.mkfifo(os.path.join(space.root, "fifo"))
            for odd in (
                "../fifo",
                "/dev/zero",
                "-x",
                "--help",
                "config/feature_list.json",
                "/",
                ".git/x",
            ):
                with self.subTest(repo_path=odd):
                    space.change(repo_path=odd)
                    for words in (("plan",), ("status",), ("run", "--yes")):
                        said = space.main(*words)
                        self.assertEqual(said.code, 2, said)
                        self.assertRegex(said.err, r"does not exist|is not in a git repository")


if __name__ == "__main__":
    unittest.main()
