"""`doctor` on Python, git, Claude, forges and the wrapper."""

from __future__ import annotations

import os
import unittest

from core.claude.command_line import UNATTENDED
from core.model.feature import ClaudeOptions, Feature
from core.start.examining import machine
from core.start.examining.diagnosis import Level, Line, attempted
from tests.support.commands import read_text
from tests.support.machines import claude, programs
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace

setUpModule = skip_if_run_elsewhere

HERE = ClaudeOptions()


class Versions(unittest.TestCase):
    def test_an_old_python_is_a_fault_and_an_old_git_a_warning(self) -> None:
        self.assertIs(machine.python_line((3, 8, 1), "p").level, Level.FAULT)
        self.assertEqual(machine.python_line((3, 9, 1, "final"), "p").said, "3.9.1 (p)")
        self.assertIs(machine.git_line((2, 30)).level, Level.WARNING)
        self.assertIs(machine.git_line((2, 38)).level, Level.OK)

    def test_a_missing_git_is_said(self) -> None:
        found = attempted("git", lambda: machine.git_version_lines({"PATH": "/nowhere"}))
        self.assertEqual([line.said for line in found], ["git was not found"])

    def test_only_options_that_the_list_needs_are_asked_of_claude(self) -> None:
        plain = machine.needed_options(HERE, ())
        self.assertIn("--resume", plain)
        self.assertIn(UNATTENDED[1].partition("=")[0], plain)
        self.assertNotIn("--model", plain)
        options = ClaudeOptions(max_turns=5, extra_args=("--odd",))
        more = machine.needed_options(options, [Feature("a", "a", model="opus")])
        self.assertEqual(more - plain, {"--model"})

    def test_what_claude_says_of_its_sign_in_is_believed_and_nothing_is_guessed(self) -> None:
        for said, level in (
            ('{"loggedIn": true, "authMethod": "api_key"}', Level.OK),
            ('{"loggedIn": false}', Level.FAULT),
            ('{"loggedIn": "yes"}', Level.WARNING),
            ("[]", Level.WARNING),
            ("Not logged in", Level.WARNING),
        ):
            self.assertIs(machine.sign_in_line(said).level, level, said)


class Programs(unittest.TestCase):
    space: Workspace

    def setUp(self) -> None:
        self.space = Workspace(apart=True)
        self.addCleanup(self.space.close)

    def claude(self, options: ClaudeOptions = HERE, **scripts: str) -> list[Line]:
        environ = {"HOME": self.space.home, **programs(self.space, **scripts)}
        return list(machine.claude_lines(options, (), environ))

    def test_claude_is_found_or_not_and_a_command_of_the_list_is_not_started(self) -> None:
        self.assertIn("claude was not found", self.claude()[0].said)
        started = self.space.beside("started")
        found = self.claude(ClaudeOptions(command=("own",)), own=f": >{started}")
        self.assertEqual([line.level for line in found], [Level.WARNING])
        self.assertFalse(os.path.exists(started))
        self.assertEqual(len(self.claude(ClaudeOptions(env={"A": "b"}), claude="exit 1")), 1)

    def test_claude_that_fails_or_does_not_start_is_a_fault(self) -> None:
        self.assertIn("fails: no answer", self.claude(claude="exit 1")[0].said)
        broken = self.claude(claude='[ "$1" = --version ] || { echo broken; exit 1; }')
        self.assertIn("fails: broken", broken[0].said)
        self.space.script(self.space.beside("programs", "claude"), "#!/nowhere/sh\n")
        said = list(machine.claude_lines(HERE, (), programs(self.space)))
        self.assertIn("could not be started", said[0].said)

    def test_an_option_that_claude_lacks_is_named(self) -> None:
        found = self.claude(claude=claude(lacks="--session-id"))[0]
        self.assertEqual(found.said, "2.1.330 (Claude Code) lacks --session-id")
        self.assertEqual(found.command, "claude update")

    def test_nothing_is_asked_of_a_claude_that_would_take_it_for_a_prompt(self) -> None:
        self.space.write({".claude.json": "{}"}, at=self.space.home)
        log = self.space.beside("asked")
        found = self.claude(claude=f"echo $* >>{log}\n" + claude(auth=""))
        self.assertIn("without a paid answer", found[1].said)
        self.assertEqual(read_text(log), "--version\n--help\n")

    def test_a_claude_that_was_never_started_is_not_asked_because_it_would_write(self) -> None:
        found = self.claude(claude=claude())
        self.assertIn("never started here", found[1].said)
        self.space.write({".claude.json": "{}"}, at=self.space.home)
        self.assertEqual(self.claude(claude=claude())[1].said, "signed in (claude.ai)")

    def test_programs_of_forges_are_looked_at_only_where_they_are_used(self) -> None:
        def lines(words: list[str], urls: list[str], **scripts: str) -> list[Line]:
            return list(machine.forge_lines(words, urls, programs(self.space, **scripts)))

        self.assertEqual(lines(["agh x"], ["https://example.org/x"]), [])
        missing = lines(["Bash(gh pr view:*)"], [])[0]
        self.assertEqual((missing.level, missing.command), (Level.WARNING, "install gh"))
        remote = lines([], ["git@gitlab.com:x/y"])[0]
        self.assertEqual((remote.topic, remote.level), ("glab", Level.OK))
        self.assertIn("was not tried", lines(["gh pr list "], [], gh="exit 1")[0].said)

    def test_the_wrapper_is_compared_with_what_is_installed(self) -> None:
        def line(home: str, **scripts: str) -> Line:
            environ = programs(self.space, **scripts)
            return machine.wrapper_line(environ, self.space.beside("versions", home))

        self.assertIn("not used", line("v1.9.0").said)
        script = "ror_version=v1.9.0"
        own = {
            "v1.9.0/install/wrapper.sh": f"#!/bin/sh\n{script}\n",
            "head-1/x": "",
            "v1.2.0/x": "",
        }
        self.space.write(own, at=self.space.beside("versions"))
        self.assertIs(line("v1.9.0", rorchestrator=script).level, Level.OK)
        self.assertIs(line("head-1").level, Level.OK)
        other = line("v1.9.0", rorchestrator="ror_version=v1.2.0")
        self.assertTrue(other.command.startswith("cp "))
        self.space.write({"v1.10.0/x": ""}, at=self.space.beside("versions"))
        newer = line("v1.9.0")
        self.assertEqual(newer.command, "rorchestrator self-update v1.10.0")


if __name__ == "__main__":
    unittest.main()
