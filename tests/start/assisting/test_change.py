"""The change of a list: valid, only depends_on, or a patch."""

from __future__ import annotations

import codecs

from core.model.errors import UserError
from core.start import list_edit
from core.start.assisting.change import changed_text, patch_of
from core.start.list_edit import ListFile
from tests.support.feature_lists import InAWorkspace

TEXT = (
    '{"project": {"name": "shop"}, "_note": 1,\r\n "features": [\r\n'
    '\t{"id": "a",  "prompt": "x"},\r\n\t{"id": "b", "depends_on": [ ], "prompt": "y"}]}'
)


class ChangeTest(InAWorkspace):
    def file(self, content: bytes) -> ListFile:
        return list_edit.read(self.write("config/feature_list.json", content))

    def test_only_the_bytes_of_depends_on_change(self) -> None:
        for mark in (b"", codecs.BOM_UTF8):
            file = self.file(mark + TEXT.encode())
            text = changed_text(file, {"b": ("a",)})
            self.assertEqual(text, TEXT.replace('"depends_on": [ ]', '"depends_on": ["a"]'))
            list_edit.write(file, text)
            with open(self.path, "rb") as written:
                self.assertEqual(written.read(), mark + text.encode())

    def test_a_list_that_would_have_a_fault_is_not_written(self) -> None:
        file = self.file(TEXT.encode())
        with self.assertRaises(UserError) as caught:
            changed_text(file, {"b": ("a",), "a": ("b",)})
        self.assertIn("dependency cycle", caught.exception.details[0])
        with self.assertRaises(UserError):
            changed_text(file, {"gone": ("a",)})

    def test_the_patch_names_the_list_below_its_repository(self) -> None:
        file = self.file(TEXT.encode())
        made = patch_of(file, changed_text(file, {"b": ("a",)}))
        self.assertTrue(made.startswith(b"diff --git a/feature_list.json b/feature_list.json\n"))
        self.write(".git", b"")
        made = patch_of(file, changed_text(file, {"b": ("a",)}))
        self.assertTrue(made.startswith(b"diff --git a/config/feature_list.json b/config/"))
        self.assertIn(b'+\t{"id": "b", "depends_on": ["a"], "prompt": "y"}]}\n\\ No newline', made)

    def test_a_list_that_git_takes_for_binary_has_no_patch(self) -> None:
        file = self.file(TEXT.encode("utf-16"))
        with self.assertRaises(UserError) as caught:
            patch_of(file, changed_text(file, {"b": ("a",)}))
        self.assertIn("not UTF-8", caught.exception.message)
