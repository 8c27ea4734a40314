"""Claude's program, and the version that it tells."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest

from core.model.errors import UserError
from core.model.feature import ClaudeOptions, Config, Project
from core.project.claude_program import query_version, with_program
from tests.support.workspace import Workspace, feature


class ItsVersion(unittest.TestCase):
    def test_a_claude_that_the_list_names_is_not_started(self) -> None:
        with Workspace([feature("auth")]) as space:
            for command, said in (
                (["no-such-program"], "not found: install it, or set claude.command in the list"),
                ([sys.executable, "-c", "1/0"], "unknown; the list sets the command: "),
            ):
                space.document["claude"] = {"command": command}
                space.change()
                self.assertIn(f"Claude: {said}", space.main("status").out)
            self.assertIn(sys.executable, space.main("status", "--json").json["claude"])

    def test_the_one_on_path_is_asked(self) -> None:
        with Workspace([feature("auth")]) as space:
            del space.document["claude"]["command"]
            space.change()
            space.write({"claude": "#!/bin/sh\nprintf '\\033[31mbroken'; exit 1\n"}, at=space.root)
            os.chmod(os.path.join(space.root, "claude"), 0o755)
            path = os.pathsep.join([space.root, space.environ["PATH"]])
            said = space.main("status", env={"PATH": path})
            self.assertIn("Claude: installed, but claude --version failed: ", said.out)
            self.assertNotIn("\x1b", said.out)

    def test_the_version_of_claude_or_the_reason_for_none_is_shown(self) -> None:
        folder, name = os.path.split(sys.executable)
        with Workspace() as space:
            path = os.path.join(space.root, "claude")
            space.write({"claude": "\x7fELF nonsense"}, at=space.root)
            os.chmod(path, 0o755)
            for command, env, said in (
                ([name], {"PATH": folder}, "Python 3."),
                ([sys.executable, "-c", ""], {}, "claude --version failed: no answer"),
                ([path], {}, "could not be started"),
                (["no-such-program"], {}, "None"),
            ):
                options = ClaudeOptions(command=tuple(command), env=env)
                self.assertIn(said, str(query_version(options)))


class ItsPath(unittest.TestCase):
    def with_command(self, *command: str, env: dict[str, str] | None = None) -> Config:
        claude = ClaudeOptions(command=command, env=env or {})
        return with_program(Config("list.json", "/", Project("", ""), (), claude))

    def test_the_program_is_found_once_and_its_arguments_are_kept(self) -> None:
        folder, name = os.path.split(sys.executable)
        config = self.with_command(name, "-c", "", env={"PATH": folder})
        self.assertEqual(config.claude.command, (sys.executable, "-c", ""))

    def test_a_claude_that_cannot_be_started_is_refused_with_a_hint(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            plain = os.path.join(folder, "my claude")
            with open(plain, "w", encoding="utf-8"):
                pass
            for command, message, hint in (
                ("no-such-program", "no-such-program was not found on PATH", "install Claude Code"),
                (plain, f"{plain} is not executable", f"chmod +x '{plain}'"),
                (folder, f"{folder} is not a program", "correct claude.command in the list"),
                (f"{folder}/no", f"{folder}/no does not exist", "correct claude.command"),
            ):
                with self.subTest(message), self.assertRaises(UserError) as caught:
                    self.with_command(command)
                self.assertEqual(caught.exception.message, message)
                self.assertIn(hint, caught.exception.hint)


if __name__ == "__main__":
    unittest.main()
