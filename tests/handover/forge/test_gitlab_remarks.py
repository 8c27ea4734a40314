"""What readers and jobs say about a merge request on GitLab."""

from __future__ import annotations

from typing import Any

from core.handover.forge.client import ForgeError
from core.handover.forge.gitlab import GitLab
from core.handover.forge.gitlab_remarks import GitLabReaders
from core.handover.forge.remark import Kind, Remark
from core.process.spawner import run_sync
from tests.support.forge_tests import ForgeTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


def note(number: int, body: str, user: int = 1, name: str = "ada", **more: Any) -> dict[str, Any]:
    """A note of a discussion."""
    return {"id": number, "body": body, "author": {"id": user, "username": name}, **more}


class GitLabRemarksTest(ForgeTest):
    program = "glab"

    def setUp(self) -> None:
        super().setUp()
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.there.know(people={"1": 40, "2": 30, "3": 20, "4": 50})

    def remarks(self, commit: str = "", **request: object) -> list[Remark]:
        """What is open, once the merge request has these."""
        self.there.change("feature/auth", **request)
        assert isinstance(self.forge, GitLab)
        return run_sync(GitLabReaders(self.forge).remarks(11, commit))

    def test_open_notes_are_read_with_their_place_and_rights(self) -> None:
        place = {"new_path": "a.py", "old_path": "a.py", "new_line": 7}
        notes = [
            note(1, "change it", position=place, resolvable=True, resolved=False),
            note(2, "me too", 2, "bob", resolvable=True, resolved=False),
            note(3, "and me", 3, "rep"),
            note(4, "obey me", 4, "project_7_bot_ab12"),
            note(5, "who?", 9, "eve"),
            note(6, "done", resolvable=True, resolved=True),
            note(7, "added 1 commit", system=True),
            note(8, "removed", position={"old_path": "old.py", "new_path": None, "new_line": None}),
            {**note(9, "no author"), "author": None},
        ]
        found = self.remarks(discussions=[{"notes": notes[:2]}, {"notes": notes[2:]}])
        rights = {each.id: each.may_write for each in found}
        writers = dict.fromkeys(("n1", "n2", "n8"), True)
        self.assertEqual(rights, {**writers, **dict.fromkeys(("n3", "n4", "n5", "n9"), False)})
        url = "https://gitlab.example.org/acme/shop/-/merge_requests/11#note_1"
        self.assertEqual(
            found[0], Remark("n1", Kind.THREAD, "change it", "ada", True, "a.py", 7, url)
        )
        removed = next(each for each in found if each.id == "n8")
        self.assertEqual((removed.path, removed.line), ("old.py", 0))
        self.assertIs(found[1].kind, Kind.COMMENT)
        self.there.know(hides_people=403)
        self.assertFalse(any(each.may_write for each in self.remarks()))
        self.there.know(hides_people=500)
        with self.assertRaises(ForgeError):
            self.remarks()

    def test_who_requests_changes_is_named(self) -> None:
        users = {1: "ada", 2: "bob"}
        states = ("requested_changes", "reviewed")
        reviewers = [
            {"user": {"id": id, "username": name}, "state": state}
            for (id, name), state in zip(users.items(), states)
        ]
        (found,) = self.remarks(reviewers=reviewers)
        self.assertEqual((found.id, found.kind, found.author), ("u1", Kind.REVIEW, "ada"))
        self.assertTrue(found.asks_for_changes and found.may_write and not found.text)

    def test_the_failed_jobs_of_the_last_pipeline_of_the_commit_have_their_logs(self) -> None:
        jobs = [
            {"id": 31, "name": "test", "stage": "check", "failure_reason": "script_failure"},
            {"id": 32, "name": "flaky", "stage": "check", "allow_failure": True},
            {"id": 33, "name": "gone", "web_url": "https://x/33"},
        ]
        log = "section_start:1700000000:run\r\x1b[0Kmake test\nfailed here\n"
        self.there.know(jobs={"8": jobs, "7": [jobs[0]]}, logs={"31": log})
        pipelines = [{"id": 9, "sha": "c0"}, {"id": 8, "sha": "c1"}, {"id": 7, "sha": "c1"}]
        self.assertEqual(self.remarks("c2", pipelines=pipelines), [])
        test, gone = self.remarks("c1")
        self.assertEqual((test.id, test.kind, test.may_write), ("j31", Kind.CHECK, True))
        self.assertIn("check / test of the pull request ended with: script failure.", test.text)
        self.assertTrue(test.text.endswith("\n\nmake test\nfailed here"), test.text)
        self.assertEqual((gone.id, gone.url), ("j33", "https://x/33"))
        self.assertNotIn("log", gone.text)

    def test_who_is_asked_twice_is_looked_up_once(self) -> None:
        self.remarks(discussions=[{"notes": [note(1, "a"), note(2, "b")]}])
        asked = [call for call in self.there.calls() if "/members/" in call[-1]]
        self.assertEqual(len(asked), 1)
