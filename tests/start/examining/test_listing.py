"""`doctor` on feature lists: faults, prompts, commands without a rule, copied folders."""

from __future__ import annotations

import os
import unittest

from core.model.feature import ClaudeOptions, Command, Config, Feature, Project
from core.model.frozen import replace
from core.model.mask import Mask
from core.project.open import open_project
from core.start.examining import listing
from core.start.examining.diagnosis import Level, Line
from tests.support.commands import standing_in
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

LINE = "npm run check | sort -u"
CHECK = Command(("/bin/sh", "-c", LINE), LINE)


class Rules(unittest.TestCase):
    def config(self, **settings: object) -> Config:
        own = Feature("api", "API", "Run `make all`.", verify=(CHECK,), allowed_tools=("Bash",))
        given = Feature("auth", "Auth", "Run `make all`.", verify=(CHECK,))
        claude = ClaudeOptions(**settings)  # type: ignore[arg-type]
        project = Project("Shop", "/x", verify=(CHECK,))
        return Config("/x/list.json", "/x", project, (own, given), claude, context="`tox`")

    def test_a_command_that_no_rule_allows_is_named_once_with_its_places(self) -> None:
        check, sort, tox, make = listing.permission_lines(self.config())
        said = "no rule lets Claude run 'npm run check' (project.verify, verify of auth)"
        self.assertEqual((check.level, check.said), (Level.WARNING, said))
        self.assertEqual(check.command, "add to claude.allowed_tools_add: Bash(npm run check:*)")
        self.assertIn("'sort -u'", sort.said)
        self.assertIn("(prompts.context)", tox.said)
        self.assertIn("(prompt of auth)", make.said)
        twice = replace(self.config(), features=(Feature("auth", "A", "`tox 1` `tox 1`"),))
        self.assertIn("(prompt of auth)", list(listing.permission_lines(twice))[-1].said)

    def test_a_command_that_a_rule_forbids_gets_no_rule(self) -> None:
        config = self.config(allowed_tools=("Bash",), disallowed_tools=("Bash(tox:*)",))
        (tox,) = listing.permission_lines(config)
        self.assertEqual(tox.said, "a rule of disallowed_tools forbids 'tox' (prompts.context)")
        self.assertNotIn("allowed_tools_add", tox.command)

    def test_a_check_that_is_one_simple_command_has_a_rule_of_its_own(self) -> None:
        check = Command(("/bin/sh", "-c", "bin/check -q"), "bin/check -q")
        plain = replace(self.config(), context="", features=(Feature("a", "A", verify=(check,)),))
        plain = replace(plain, project=Project("Shop", "/x"))
        self.assertEqual([x.level for x in listing.permission_lines(plain)], [Level.OK])

    def test_nothing_is_missing_where_everything_is_allowed(self) -> None:
        for config in (
            self.config(permission_mode="bypassPermissions"),
            self.config(allowed_tools=("Bash",)),
        ):
            self.assertEqual([x.level for x in listing.permission_lines(config)], [Level.OK])


class Lists(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)

    def read(self, given: str = "") -> listing.Listing:
        with standing_in(self.space.path, self.space.environ):
            return listing.read(given, Mask({}))

    def topics(self) -> dict[str, Line]:
        with standing_in(self.space.path, self.space.environ):
            project = open_project("", "", Mask({}))
            return {line.topic: line for line in listing.project_lines(project, [])}

    def test_a_list_is_read_as_far_as_that_is_possible(self) -> None:
        whole = self.read()
        self.assertEqual([line.level for line in whole.lines], [Level.OK] * 3)
        self.assertEqual(os.path.realpath(whole.folder), self.space.path)
        self.assertIn("Bash(git add:*)", whole.words)
        self.space.document["features"] = [{"id": "a", "prompt": "x", "depends_on": ["b"]}]
        self.space.change()
        faulty = self.read()
        self.assertIn("depends_on", faulty.lines[0].said)
        self.assertEqual(faulty.claude.command, tuple(self.space.document["claude"]["command"]))
        self.assertEqual((faulty.features, faulty.words), ((), []))
        self.assertEqual(faulty.folder, os.path.dirname(faulty.path))
        with open(self.space.list_file, "w", encoding="utf-8") as file:
            file.write("{")
        self.assertEqual(self.read().claude, ClaudeOptions())

    def test_a_list_that_is_not_there_is_a_fault_only_if_it_was_named(self) -> None:
        self.assertIs(self.read("nowhere/list.json").lines[0].level, Level.FAULT)
        self.assertEqual(self.read("nowhere/list.json").folder, os.curdir)
        os.mkdir(self.space.beside("shop", "empty"))
        self.assertIs(self.read("empty").lines[0].level, Level.FAULT)
        os.unlink(self.space.list_file)
        missing = self.read()
        self.assertEqual((missing.path, missing.folder), ("", os.curdir))
        self.assertIs(missing.lines[0].level, Level.WARNING)

    def test_what_plan_warns_of_is_shown_once(self) -> None:
        self.space.hook("pre-commit", "exit 0")
        os.chmod(os.path.join(self.space.git_folder, "hooks", "pre-commit"), 0o644)
        with standing_in(self.space.path, self.space.environ):
            project = open_project("", "", Mask({}))
            found = list(listing.project_lines(project, []))
            self.assertIn("not executable", found[0].said)
            again = list(listing.project_lines(project, found[:1]))
        self.assertEqual(found[1:], again)
        self.assertIn("worktrees go to", again[0].said)

    def test_a_warning_of_plan_has_the_command_that_mends_it(self) -> None:
        def command(said: str) -> str:
            with standing_in(self.space.path, self.space.environ):
                lines = list(listing.project_lines(open_project("", "", Mask({})), []))
            return next(line.command for line in lines if said in line.said)

        self.space.write({"README.md": "changed\n", "new file": "x"})
        self.assertEqual(command("uncommitted"), "git add README.md 'new file' && git commit")
        self.space.write({f"{number}.txt": "x" for number in range(4)})
        self.assertEqual(command("uncommitted"), "git status")
        for key, value in (("remote", "."), ("merge", "refs/heads/ahead")):
            self.space.git("config", f"branch.main.{key}", value)
        self.space.git("checkout", "-q", "-b", "ahead")
        self.space.git("commit", "-q", "--allow-empty", "-m", "ahead")
        self.assertEqual(command("behind"), "git pull")

    def test_a_copied_virtual_environment_is_a_warning_and_a_tracked_file_a_fault(self) -> None:
        self.space.commit({".gitignore": ".venv\n.env\n"}, "ignored")
        self.space.write({".env": "A=b\n", ".venv/pyvenv.cfg": "home = /usr/bin\n"})
        self.space.change(copy=[".env", ".venv"])
        self.assertEqual(self.topics()["copy, link"].said, ".env, .venv")
        self.space.write({".venv/bin/pip": f"#!{self.space.path}/.venv/bin/python3\n"})
        found = self.topics()["copy, link"]
        self.assertIn(".venv has absolute paths", found.said)
        self.assertEqual(found.command, "create .venv in project.setup instead")
        self.space.change(copy=["*.none"])
        self.assertIs(self.topics()["copy, link"].level, Level.FAULT)
        self.space.change(copy=[], worktrees_path="/etc/x")
        self.assertIs(self.topics()["project"].level, Level.FAULT)
        self.assertEqual(self.topics()["copy, link"].said, "nothing")


if __name__ == "__main__":
    unittest.main()
