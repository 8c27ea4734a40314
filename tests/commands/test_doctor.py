"""`doctor`: with a list, with a faulty one, without one, and outside of a repository."""

from __future__ import annotations

import os

from core.model.mask import Mask
from core.start.examining.doctor import examine
from tests.support.commands import CommandResult, standing_in
from tests.support.machines import PLAIN, claude, programs
from tests.support.workspace import Workspace, WorkspaceTest, feature


class DoctorTest(WorkspaceTest):
    def setUp(self) -> None:
        space = Workspace([feature("auth")], claude=PLAIN)
        space.write({".claude.json": "{}"}, at=space.home)
        self.use(space)

    def doctor(self, *words: str, at: str = "") -> CommandResult:
        env = programs(self.workspace, claude=claude())
        return self.workspace.main("doctor", *words, env=env, at=at)

    def levels(self, *words: str, at: str = "") -> dict[str, str]:
        found = self.doctor("--json", *words, at=at).json["lines"]
        return {line["topic"]: line["level"] for line in found}

    def test_a_machine_that_is_ready_has_no_fault_and_nothing_is_changed(self) -> None:
        before = self.workspace.git("status", "--porcelain", "--ignored")
        files = sorted(os.listdir(self.workspace.git_folder))
        said = self.doctor()
        self.assertEqual((said.code, said.err), (0, ""), said.out)
        self.assertIn("ok       sign-in      signed in (claude.ai)\n", said.out)
        self.assertTrue(said.out.endswith("0 faults, 0 warnings.\n"), said.out)
        self.assertEqual(self.doctor("--quiet").out, "0 faults, 0 warnings.\n")
        self.assertEqual(self.workspace.git("status", "--porcelain", "--ignored"), before)
        self.assertEqual(sorted(os.listdir(self.workspace.git_folder)), files)

    def test_a_faulty_list_is_one_fault_among_the_other_lines(self) -> None:
        self.workspace.change([{"id": "a", "prompt": "x", "depends_on": ["b"]}])
        said = self.doctor("--json")
        self.assertEqual((said.code, said.json["faults"]), (1, 1))
        found = self.levels()
        self.assertEqual(
            (found["list"], found["base branch"], found["disk"]), ("fault", "ok", "ok")
        )

    def test_it_works_without_a_list_and_outside_of_a_repository(self) -> None:
        self.workspace.commit({"config/feature_list.json": None}, "no list")
        found = self.levels()
        self.assertEqual((found["list"], found["sign-in"], found["hooks"]), ("warning", "ok", "ok"))
        outside = self.workspace.beside("tmp")
        self.assertEqual(self.levels(at=outside)["repository"], "fault")
        said = self.doctor(at=outside)
        self.assertEqual(said.code, 1)
        self.assertIn("is not in a git repository", said.out)

    def test_a_folder_that_was_deleted_is_a_fault(self) -> None:
        folder = self.workspace.beside("gone")
        os.mkdir(folder)
        with standing_in(folder, self.workspace.environ):
            os.rmdir(folder)
            found = [line.said for line in examine("", "", Mask({}))]
        self.assertIn("the current folder was deleted", found)

    def test_a_base_that_does_not_exist_and_a_damaged_journal_are_faults(self) -> None:
        found = self.levels("--base", "nowhere")
        self.assertEqual(found["base branch"], "fault")
        self.assertNotIn("disk", found)
        self.workspace.write({"rorchestrator/journal.jsonl": "x\n"}, at=self.workspace.git_folder)
        found = self.levels()
        self.assertEqual((found["state"], found["usage limit"]), ("fault", "ok"))
