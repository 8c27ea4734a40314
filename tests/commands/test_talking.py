"""`decompose --talk`: Claude in a terminal with the plugin."""

from __future__ import annotations

import io
import os

from core import cli
from core.start.plugin_folder import plugin_folder
from tests.support.commands import CommandResult, Terminal, standing_in, streams, terminal
from tests.support.runs import read_until
from tests.support.workspace import Workspace, WorkspaceTest, feature

CLAUDE = """#!/bin/sh
pwd
printf '%s\\n' "$@"
echo "in $CLAUDECODE: $(stty size)"
"""


class TalkTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth")]))
        os.mkdir(self.workspace.beside("bin"))
        self.program = self.workspace.script("claude", CLAUDE)
        self.workspace.write({"SPEC.md": "Build a shop.\n"})

    def lists(self, **claude: object) -> None:
        self.workspace.document["claude"] = {"command": [self.program], **claude}
        self.workspace.change()

    def on_a_terminal(self, *words: str) -> str:
        path = f"{os.path.dirname(self.program)}:{self.workspace.environ['PATH']}"
        with terminal() as (ours, theirs):
            running = self.workspace.start(
                *("decompose", "--talk", *words),
                terminal=theirs,
                env={"PATH": path, "CLAUDECODE": "1"},
            )
            os.close(theirs)
            shown = read_until(ours, "")
            self.assertEqual(running.end().code, 0, shown)
        return shown

    def without(self, *words: str) -> CommandResult:
        """Type it where there is no terminal."""
        return self.workspace.main("decompose", *words)

    def refused(self, *words: str) -> str:
        """Type it on a terminal in this process, with a Claude that does not start; the error."""
        program = self.workspace.script("bin/claude", "\0 is no program")
        before = self.workspace.environ["PATH"]
        env = {**self.workspace.environ, "PATH": f"{os.path.dirname(program)}:{before}"}
        err = io.StringIO()
        err.isatty = lambda: True  # type: ignore[method-assign]
        given = Terminal(io.BytesIO())
        with standing_in(self.workspace.path, env), streams(io.StringIO(), err, given):
            code = cli.main(("decompose", "--talk", *words))
        self.assertEqual(code, 2)
        return err.getvalue()

    def test_claude_gets_the_terminal_the_plugin_and_the_specification(self) -> None:
        self.lists(model="opus", extra_args=["--betas=x"])
        path = os.path.join(self.workspace.path, "SPEC.md")
        shown = self.on_a_terminal("SPEC.md", "--yes", "--config", self.workspace.list_file)
        lines = shown.splitlines()
        self.assertEqual(os.path.realpath(lines[0]), os.path.realpath(self.workspace.path))
        self.assertIn(f"--plugin-dir={plugin_folder()}", lines)
        self.assertIn("--model=opus", lines)
        self.assertNotIn("--betas=x", lines)
        self.assertIn(f"The feature list is {self.workspace.list_file}: give it to each", shown)
        self.assertIn(f"/rorchestrator:plan-features {path}", lines)
        self.assertRegex(lines[-1], r"^in : \d+ \d+$")

    def test_without_a_list_the_users_own_claude_is_opened(self) -> None:
        os.remove(self.workspace.list_file)
        self.assertIn("bin/claude could not be started: Exec format error", self.refused())
        os.mkdir(os.path.join(self.workspace.path, "empty"))
        self.assertIn("no feature list in empty", self.refused("--config", "empty"))

    def test_a_list_needs_consent_and_no_bypass(self) -> None:
        self.lists(env={"BASH_ENV": "/x"})
        self.assertIn("you did not consent", self.refused())
        self.assertIn("rorchestrator decompose --talk --yes --allow-bypass", self.refused("--yes"))
        self.lists(command=["claude"])
        self.assertIn("Exec format error", self.refused("--allow-bypass", "SPEC.md"))

    def test_what_does_not_go_with_it_is_refused(self) -> None:
        for words, message in (
            (("--talk",), "--talk needs a terminal\n  next: rorchestrator decompose SPEC.md --yes"),
            (("--talk", "--add"), "--talk takes no --add"),
            (("--talk", "--max-cost", "3"), "--talk takes no --max-cost"),
            (("--talk", "-"), "--talk reads no standard input"),
        ):
            said = self.without(*words)
            self.assertEqual(said.code, 2)
            self.assertIn(message, said.err)
        self.lists()
        self.assertIn("none.md does not exist", self.refused("none.md", "--yes"))
