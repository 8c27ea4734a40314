"""What the repository and past runs tell the assistant."""

from __future__ import annotations

from unittest import mock

from core.model import events
from core.model.errors import UserError
from core.start.assisting import evidence
from core.start.assisting.evidence import Gathered, gather
from tests.support.commands import standing_in
from tests.support.lives import RUN
from tests.support.projects import place_of
from tests.support.workspace import Workspace, WorkspaceTest

LIST = [
    {"id": "auth", "prompt": "x", "creates": ["symbol:Auth", "symbol:Made"]},
    {"id": "api", "prompt": "It calls `Auth` and `Made`.", "uses": ["symbol:valid?", "symbol:+"]},
    {"id": "web", "prompt": "x", "creates": ["symbol:models.valid?", "symbol:+"]},
    {"id": "docs", "prompt": "x"},
]


class EvidenceTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace(LIST))

    def gathered(self) -> Gathered:
        project = place_of(self.workspace)
        with standing_in(self.workspace.path, self.workspace.environ):
            return gather(project, project.state())

    def test_the_base_tells_its_paths_and_what_its_code_defines(self) -> None:
        long = "class Made: pass  # " + "x" * evidence.LONGEST_LINE
        code = f"class Auth:\n    pass\n{long}\n# class Made\n"
        self.workspace.commit({"src/a/auth.py": code, "README.md": "class Made\n"}, "code")
        known = self.gathered().knowledge
        self.assertTrue(known.has_base)
        self.assertLessEqual({"src", "src/a", "src/a/auth.py", "README.md"}, set(known.paths))
        self.assertEqual(known.defined, {"Auth"})

    def test_the_latest_commits_tell_what_changes_together(self) -> None:
        self.workspace.commit({"a": "1", "b": "1"})
        with mock.patch.object(evidence, "COMMITS", 1):
            self.assertEqual(self.gathered().knowledge.commits, ({"a", "b"},))

    def test_past_runs_tell_what_is_done_touched_and_in_conflict(self) -> None:
        self.workspace.finish("auth", {"src/auth.py": "x\n"})
        story = events.clash(9.0, RUN, "auth", other="docs", files=["src/auth.py"])
        self.workspace.record(story)
        known = self.gathered().knowledge
        self.assertEqual(known.touched, {"auth": {"src/auth.py"}})
        self.assertEqual(set(known.clashes.values()), {("src/auth.py",)})
        self.assertEqual((known.slots, set(known.seconds)), (3, {f["id"] for f in LIST}))

    def test_work_that_is_gone_tells_nothing(self) -> None:
        self.workspace.finish("auth", {"src/auth.py": "x\n"})
        with mock.patch("core.git.commits.existing", return_value=set()) as asked:
            asked.side_effect = _nothing
            self.assertEqual(self.gathered().knowledge.touched, {})

    def test_what_git_cannot_read_is_left_out_and_named(self) -> None:
        with (
            mock.patch("core.git.commits.files_of", side_effect=UserError("no files")),
            mock.patch("core.git.commits.lines_with", side_effect=UserError("no lines")),
        ):
            gathered = self.gathered()
        self.assertEqual(gathered.unknown, ("no files", "no lines"))
        self.assertFalse(gathered.knowledge.has_base)
        self.assertEqual(gathered.knowledge.defined, frozenset())


async def _nothing(*_: object) -> set[str]:
    return set()
