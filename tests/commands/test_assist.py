"""`assist`: on a terminal, in CI, as a patch, during a run."""

from __future__ import annotations

import io
import json
import os
from unittest import mock

from core import cli
from core.start import list_edit
from tests.support.answering_claude import AnsweringClaude
from tests.support.commands import CommandResult, Terminal, standing_in, streams
from tests.support.workspace import Workspace, WorkspaceTest

LIST = [
    {"id": "auth", "prompt": "Add `src/auth.py`.", "creates": ["symbol:Auth"]},
    {"id": "api", "prompt": "Add `src/api.py`.", "uses": ["symbol:Auth"]},
    {
        "id": "web",
        "prompt": "Add `src/web.py`, and extend `src/app.py`.",
        "depends_on": ["api", "auth"],
    },
    {"id": "mail", "prompt": "Extend `src/app.py`."},
]


def opinion(kind: str, feature: str, other: str) -> dict[str, str]:
    return {"kind": kind, "feature": feature, "other": other, "reason": "Claude says so."}


class AssistTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace(LIST))

    def assist(self, *words: str) -> CommandResult:
        return self.workspace.main("assist", *words)

    def answered(self, answers: str, *words: str) -> CommandResult:
        """The command on a terminal on which somebody answers."""
        out, err, given = (
            Terminal(io.BytesIO(content), encoding="utf-8")
            for content in (b"", b"", answers.encode())
        )
        with standing_in(self.workspace.path, self.workspace.environ), streams(out, err, given):
            code = cli.main(["assist", *words])
        texts = []
        for stream in (out, err):
            stream.flush()
            assert isinstance(stream.buffer, io.BytesIO)
            texts.append(stream.buffer.getvalue().decode())
        return CommandResult(code, *texts)

    def needed(self) -> dict[str, list[str]]:
        """The dependencies in the list as it is now."""
        with open(self.workspace.list_file, encoding="utf-8") as file:
            return {
                f["id"]: f["depends_on"] for f in json.load(file)["features"] if "depends_on" in f
            }

    def test_findings_are_shown_with_their_evidence_and_change_nothing(self) -> None:
        said = self.assist()
        self.assertEqual(said.code, 0)
        self.assertEqual(
            said.out.splitlines()[:3],
            [
                "missing   api needs auth, but does not depend on it",
                "          `uses` names symbol:Auth, which auth creates",
                "          → add auth to depends_on of api",
            ],
        )
        self.assertEqual(
            said.err, "2 findings, 1 of them safe: rorchestrator assist --yes accepts these.\n"
        )
        self.assertEqual(self.assist("-q").err, "")
        self.assertEqual(self.workspace.git("status", "--porcelain"), "")

    def test_a_check_fails_on_findings_for_ci(self) -> None:
        said = self.assist("--check", "--json")
        self.assertEqual((said.code, len(said.json["findings"])), (1, 2))
        self.workspace.change([LIST[0]])
        said = self.assist("--check")
        self.assertEqual((said.code, said.out, said.err), (0, "", "No findings.\n"))

    def test_yes_accepts_what_is_safe_and_nothing_else(self) -> None:
        said = self.assist("--yes", "--json")
        self.assertEqual((said.code, said.json["written"]), (0, True))
        self.assertEqual(said.json["changes"], {"api": ["auth"], "web": ["api"]})
        self.assertEqual([each["feature"] for each in said.json["findings"]], ["web"])
        self.assertEqual(self.needed(), {"api": ["auth"], "web": ["api"]})
        again = self.assist("--yes")
        self.assertEqual((again.code, again.err), (0, "1 finding.\n"))

    def test_at_a_terminal_each_finding_is_a_question(self) -> None:
        said = self.answered("n\ne\ny\n")
        self.assertEqual((said.code, said.out), (0, ""))
        self.assertIn("web starts when mail is completed", said.err)
        self.assertIn("Changed depends_on of web in ", said.err)
        self.assertEqual(self.needed(), {"web": ["api", "auth", "mail"]})
        self.assertIn("Nothing was accepted", self.answered("q\n").err)
        self.assertIn("No findings", self._without_findings().err)

    def _without_findings(self) -> CommandResult:
        self.workspace.change([LIST[0]])
        return self.answered("")

    def test_a_patch_is_what_git_applies(self) -> None:
        before = self.needed()
        said = self.assist("--yes", "--patch")
        self.assertEqual((said.code, self.needed()), (0, before))
        self.workspace.write({"x.patch": said.out})
        self.workspace.git("apply", "x.patch")
        self.assertEqual(self.needed(), {"api": ["auth"], "web": ["api"]})
        self.assertEqual(self.assist("--yes", "--patch").out, "")
        asked = self.answered("y\n", "--patch")
        self.assertTrue(asked.out.startswith("diff --git a/config/feature_list.json "), asked)

    def test_wrong_usage_is_refused(self) -> None:
        for words, what in (
            (["--patch"], "there is no terminal to ask on"),
            (["--patch", "--check"], "takes --check or --patch"),
            (["--yes", "--check"], "not allowed with"),
            (["--json", "--patch"], "not allowed with"),
            (["--max-cost", "1"], "limits what --claude costs"),
        ):
            said = self.assist(*words)
            self.assertEqual(said.code, 2, words)
            self.assertIn(what, said.err)

    def test_a_list_that_changes_meanwhile_is_left_alone(self) -> None:
        read = list_edit.read

        def read_and_edit(path: str) -> list_edit.ListFile:
            file = read(path)
            self.workspace.change([*LIST, {"id": "new", "prompt": "x"}])
            return file

        with mock.patch.object(list_edit, "read", read_and_edit):
            said = self.assist("--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("changed meanwhile", said.err)
        self.assertNotIn("api", self.needed())

    def test_it_works_during_a_run_and_says_that_the_run_keeps_its_list(self) -> None:
        with self.workspace.at_work():
            said = self.assist("--yes")
        self.assertEqual(said.code, 0)
        self.assertIn("A run is in progress: it keeps the list that it began with.", said.err)
        self.assertEqual(self.needed()["api"], ["auth"])

    def test_completed_features_are_left_alone(self) -> None:
        listed = [
            {"id": "auth", "prompt": "Build auth."},
            {"id": "api", "prompt": "Build api.", "depends_on": ["auth"]},
            {"id": "web", "prompt": "Build web.", "depends_on": ["api", "auth"]},
        ]
        self.workspace.change(listed)
        self.workspace.git("commit", "--quiet", "--all", "--message", "another list")
        self.assertEqual(self.assist("--check").code, 1)
        self.workspace.run()
        self.assertEqual(self.assist("--check").err, "No findings.\n")

    def test_claude_has_an_opinion_that_is_evidence_of_its_own(self) -> None:
        self._with_claude({"opinions": [opinion("missing", "mail", "web"), opinion("x", "y", "z")]})
        said = self.assist("--claude", "--max-cost", "0.2", "--check")
        self.assertEqual(said.code, 1)
        self.assertIn("          Claude says so.\n", said.out)
        self.assertIn("Claude gave 1 opinion, and 1 that can't be right ($0.03).\n", said.err)
        self.assertIn("--max-budget-usd=0.2", self.claude.words(1))
        self.assertEqual(self.workspace.git("status", "--porcelain"), "")

    def test_a_claude_that_fails_leaves_the_other_evidence(self) -> None:
        self._with_claude(None)
        said = self.assist("--claude", "--json")
        self.assertEqual((said.code, len(said.json["findings"])), (1, 2))
        self.assertIn("does not have the form", said.json["claude"]["fault"])
        self.claude.does(2, f"kill -INT {os.getpid()}; exec sleep 60")
        said = self.assist("--claude", "--yes")
        self.assertEqual((said.code, said.err), (130, "Stopped, and nothing was written.\n"))

    def test_the_lists_own_claude_needs_consent_and_no_bypass(self) -> None:
        self._with_claude({"opinions": []})
        self.workspace.document["claude"]["command"] = [self.claude.program]
        self.workspace.change()
        said = self.assist("--claude", "--check")
        self.assertEqual(said.code, 2)
        self.assertIn("next: read them, then: rorchestrator assist --claude --yes", said.err)
        command = [self.claude.program, "--dangerously-skip-permissions"]
        self.workspace.document["claude"]["command"] = command
        self.workspace.change()
        said = self.assist("--claude", "--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("rorchestrator assist --claude --yes --allow-bypass", said.err)
        self.assertEqual(self.claude.calls, 0)
        self.assertEqual(self.assist("--claude", "--yes", "--allow-bypass").code, 0)

    def _with_claude(self, answer: object) -> None:
        self.claude = AnsweringClaude(self.workspace.beside("bin"))
        self.claude.answers(answer)
        path = f"{self.claude.folder}{os.pathsep}{self.workspace.environ['PATH']}"
        self.workspace.environ["PATH"] = path
        del self.workspace.document["claude"]["command"]
        self.workspace.change()
        self.workspace.git("commit", "--quiet", "--all", "--message", "plain claude")

    def test_a_list_with_faults_is_refused_with_all_of_them(self) -> None:
        self.workspace.change([{"id": "a", "prompt": "x", "depends_on": ["b"]}])
        said = self.assist()
        self.assertEqual(said.code, 2)
        self.assertIn("unknown feature 'b'", said.err)
        os.remove(self.workspace.list_file)
        self.assertIn("no feature list", self.assist().err)
