"""Comments and failed checks of a pull request on GitHub."""

from __future__ import annotations

from typing import Any

from core.handover.forge.client import ForgeError
from core.handover.forge.github import GitHub
from core.handover.forge.github_remarks import GitHubReaders
from core.handover.forge.remark import Kind, Remark
from core.process.spawner import run_sync
from tests.support.forge_tests import ForgeTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


def said(number: int, body: str, by: str = "ada", **more: Any) -> dict[str, Any]:
    """A comment or a review."""
    return {"databaseId": number, "body": body, "author": {"login": by}, **more}


class GitHubRemarksTest(ForgeTest):
    def setUp(self) -> None:
        super().setUp()
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.there.know(people={"ada": "write", "max": "maintain", "tri": "triage", "eve": "read"})

    def remarks(self, commit: str = "", **pull: object) -> list[Remark]:
        """What is open, once the pull request has these."""
        self.there.change("feature/auth", **pull)
        assert isinstance(self.forge, GitHub)
        return run_sync(GitHubReaders(self.forge).remarks(11, commit))

    def test_open_threads_are_read_page_by_page_with_their_place(self) -> None:
        one = [said(n, f"text {n}", url=f"https://x/#r{n}") for n in range(1, 6)]
        threads = [
            {"id": "T1", "path": "src/a.py", "line": 7, "comments": one},
            {"id": "T2", "path": "b.py", "line": 1, "isResolved": True, "comments": [said(6, "x")]},
            {
                "id": "T3",
                "path": "b.py",
                "line": None,
                "isOutdated": True,
                "comments": [said(7, "x")],
            },
            {"id": "T4", "path": "b.py", "line": None, "comments": [said(8, "of the whole file")]},
            {
                "id": "T5",
                "path": "c.py",
                "line": 2,
                "comments": [said(9, "draft", state="PENDING")],
            },
            {
                "id": "T6",
                "path": "c.py",
                "line": 2,
                "comments": [said(10, "spam", isMinimized=True)],
            },
        ]
        found = self.remarks(threads=threads)
        self.assertEqual([each.id for each in found], ["r1", "r2", "r3", "r4", "r5", "r8"])
        first = Remark("r1", Kind.THREAD, "text 1", "ada", True, "src/a.py", 7, "https://x/#r1")
        self.assertEqual(found[0], first)
        self.assertEqual((found[-1].path, found[-1].line), ("b.py", 0))

    def test_only_people_who_may_push_count_unasked(self) -> None:
        people = {"ada": True, "max": True, "tri": False, "eve": False, "nobody": False}
        given = [said(n, "do it", by=name) for n, name in enumerate(people)]
        given += [said(8, "do it", author={"login": "app", "__typename": "Bot"})]
        given += [said(9, "do it", author=None), said(10, "spam", isMinimized=True)]
        found = self.remarks(comments=given)
        self.assertEqual(
            {each.author: each.may_write for each in found}, {**people, "app": False, "": False}
        )
        asked = [call for call in self.there.calls() if call[-1].endswith("/permission")]
        self.assertEqual(len(asked), 5)
        # Who is not told who may write gives nobody that right.
        self.there.know(hides_people=403)
        self.assertFalse(any(each.may_write for each in self.remarks()))
        self.there.know(hides_people=500)
        with self.assertRaises(ForgeError):
            self.remarks()

    def test_a_review_that_approves_settles_what_its_author_said_before(self) -> None:
        reviews = [
            said(1, "change it", state="CHANGES_REQUESTED"),
            said(2, "and this", by="max", state="COMMENTED"),
            said(3, "fine", state="APPROVED"),
            said(4, "no", state="DISMISSED"),
            said(5, "", by="max", state="CHANGES_REQUESTED"),
            said(6, "", by="max", state="COMMENTED"),
        ]
        found = self.remarks(reviews=reviews)
        shown = [(each.id, each.kind, each.text, each.asks_for_changes) for each in found]
        expected = [("v2", Kind.REVIEW, "and this", False), ("v5", Kind.REVIEW, "", True)]
        self.assertEqual(shown, expected)

    def test_the_failed_checks_of_the_commit_have_the_end_of_their_logs(self) -> None:
        checks = [
            {"databaseId": 1, "name": "lint", "conclusion": "SUCCESS", "app": "github-actions"},
            {
                **{"databaseId": 2, "name": "test", "conclusion": "FAILURE", "workflow": "CI"},
                **{"app": "github-actions", "url": "https://x/2"},
            },
            {"databaseId": 3, "name": "gone", "conclusion": "TIMED_OUT", "app": "github-actions"},
            {"databaseId": 4, "name": "other", "conclusion": "FAILURE", "app": "strange"},
            {"id": "S_5", "context": "ci/old", "state": "ERROR", "targetUrl": "https://x/5"},
            {"id": "S_6", "context": "ci/new", "state": "PENDING", "targetUrl": None},
        ]
        self.there.know(logs={"2": "\n".join(f"line {n}\x1b[31m!" for n in range(100)), "4": "x"})
        self.assertEqual(self.remarks("c1", checks=checks, checked="c0"), [])
        test, gone, other, status = self.remarks("c1", checked="c1")
        self.assertEqual((test.id, test.kind, test.may_write), ("k2", Kind.CHECK, True))
        self.assertIn("The check CI / test of the pull request ended with: failure.", test.text)
        self.assertTrue(test.text.endswith("\nline 98!\nline 99!"), test.text)
        self.assertIn("\nline 40!\n", test.text)
        self.assertNotIn("line 39!", test.text)
        self.assertEqual((test.url, gone.text.count("\n")), ("https://x/2", 0))
        self.assertIn("timed out", gone.text)
        self.assertNotIn("log", other.text)
        self.assertEqual((status.id, status.url), ("sS_5", "https://x/5"))

    def test_an_answer_of_another_shape_and_a_refusal_are_told_apart(self) -> None:
        assert isinstance(self.forge, GitHub)
        with self.assertRaisesRegex(ForgeError, "Could not resolve to a PullRequest"):
            run_sync(GitHubReaders(self.forge).remarks(99, ""))
