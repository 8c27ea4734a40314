"""Writing a draft: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
import unittest
from unittest import mock

from core.model.errors import UserError
from core.start.decomposing import write as decompose_write
from core.start.decomposing.list import Draft, check_answer
from core.start.decomposing.target import existing_target, new_target
from core.start.decomposing.write import check_places, write_draft
from tests.support.answering_claude import proposed
from tests.support.commands import read_text

LIST = '{"project": {"name": "x"}, "features": [{"id": "z", "prompt": "Z"}]}'


class Writing(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = os.path.realpath(folder.name)
        self.path = os.path.join(self.top, "config", "feature_list.json")

    def draft(self, *, is_new: bool = True) -> Draft:
        if not is_new:
            os.makedirs(os.path.dirname(self.path))
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(LIST)
        target = new_target(self.path, self.top) if is_new else existing_target(self.path)
        features = [proposed("auth"), proposed("api")]
        draft = check_answer(target, 9, {"features": features}).draft
        assert draft is not None
        return draft

    def files(self) -> set[str]:
        return {
            os.path.relpath(os.path.join(folder, name), self.top)
            for folder, _, names in os.walk(self.top)
            for name in names
        }

    def test_a_new_list_and_its_prompts_are_written(self) -> None:
        draft = self.draft()
        names = ("config/feature_list.json", "prompts/auth.md", "prompts/api.md")
        written = write_draft(draft)
        self.assertEqual(written, [os.path.join(self.top, name) for name in names])
        self.assertEqual(self.files(), set(names))
        self.assertEqual(read_text(self.path), draft.text)
        self.assertEqual(read_text(written[1]), draft.prompts["auth.md"])

    def test_an_existing_list_is_rewritten_in_place(self) -> None:
        draft = self.draft(is_new=False)
        write_draft(draft)
        self.assertEqual(read_text(self.path), draft.text)

    def test_nothing_stays_where_something_is_in_the_way(self) -> None:
        draft = self.draft()
        other = os.path.join(self.top, "prompts", "api.md")
        os.mkdir(os.path.dirname(other))
        for blocking in (other, self.path):
            os.makedirs(os.path.dirname(blocking), exist_ok=True)
            with open(blocking, "w", encoding="utf-8") as file:
                file.write("mine")
            before = self.files()
            with self.assertRaisesRegex(UserError, "exists already"):
                write_draft(draft)
            self.assertEqual(self.files(), before)
            self.assertEqual(read_text(blocking), "mine")
            os.unlink(blocking)

    def test_a_list_that_changed_meanwhile_stays_as_it_is(self) -> None:
        draft = self.draft(is_new=False)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("\n")
        with self.assertRaisesRegex(UserError, "changed meanwhile"):
            write_draft(draft)
        self.assertEqual(self.files(), {"config/feature_list.json"})

    def test_half_a_list_is_removed(self) -> None:
        draft = self.draft()
        full = mock.patch.object(decompose_write.os, "fsync", side_effect=OSError(28, "No space"))
        with full, self.assertRaisesRegex(UserError, "can't be written: No space"):
            write_draft(draft)
        self.assertEqual(self.files(), set())

    def test_a_folder_that_is_a_file_is_named(self) -> None:
        draft = self.draft()
        with open(os.path.dirname(self.path), "w", encoding="utf-8"):
            pass
        with self.assertRaisesRegex(UserError, "config is not a folder"):
            write_draft(draft)
        with self.assertRaisesRegex(UserError, "config is not a folder"):
            check_places(draft.target)

    def test_a_link_out_of_the_workspace_is_not_followed_to_a_new_list(self) -> None:
        draft = self.draft()
        os.symlink(tempfile.gettempdir(), os.path.join(self.top, "config"))
        with self.assertRaisesRegex(UserError, "config leads out of"):
            write_draft(draft)
        self.assertFalse(os.path.lexists(os.path.join(self.top, "prompts")))

    def test_places_are_checked_before_anything_is_paid_for(self) -> None:
        target = new_target(self.path, self.top)
        check_places(target)
        refused = mock.patch.object(decompose_write.os, "access", return_value=False)
        with refused, self.assertRaisesRegex(UserError, "is not writable"):
            check_places(target)
        os.symlink(tempfile.gettempdir(), os.path.join(self.top, "prompts"))
        with self.assertRaisesRegex(UserError, "leads out of"):
            check_places(target)


if __name__ == "__main__":
    unittest.main()
