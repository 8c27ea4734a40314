"""Edits of a feature list: what is meant changes, and no other byte."""

from __future__ import annotations

import codecs
import json
import os
import stat
import tempfile
import unittest
from collections.abc import Mapping, Sequence
from unittest import mock

from core.model.errors import UserError
from core.start import list_edit
from core.start.json_style import Style
from core.start.list_edit import Change, ListFile

WRAPPED = """\
{
  "_comment": "mine",   "x-team": {"b":1,"a":2},
  "project": {"name": "Shop"},
  "features": [
    {"id": "auth", "prompt": "x", "estimated_tokens": 30000},
    {"id": "api", "prompt": "y", "priority": 1,
     "depends_on": ["auth"]}
  ]
}
"""

SPREAD = json.dumps(
    {
        "features": [
            {"id": "auth", "prompt": "x"},
            {"id": "api", "depends_on": ["auth"], "prompt": "y"},
        ],
        "$schema": "s",
    },
    indent=4,
)


def edited(text: str, *changes: Change, added: Sequence[Mapping[str, object]] = ()) -> str:
    return list_edit.edited(ListFile("list.json", b"", text), changes, added)


class Changes(unittest.TestCase):
    def assert_replaced(self, text: str, change: Change, *pairs: tuple[str, str]) -> None:
        """The change replaces these parts of a text, each of which is there once."""
        expected = text
        for old, new in pairs:
            self.assertEqual(text.count(old), 1, old)
            expected = expected.replace(old, new)
        self.assertEqual(edited(text, change), expected)

    def test_a_value_is_replaced_in_its_place(self) -> None:
        put = {"depends_on": ["auth", "é"], "priority": 2}
        pairs = (('["auth"]', '["auth", "é"]'), ('"priority": 1', '"priority": 2'))
        self.assert_replaced(WRAPPED, Change("api", put), *pairs)

    def test_an_equal_value_keeps_its_bytes(self) -> None:
        text = WRAPPED.replace('["auth"]', '[ "\\u0061uth" ]')
        self.assertEqual(edited(text, Change("api", {"depends_on": ["auth"]})), text)
        self.assertEqual(edited(text), text)

    def test_a_spread_array_stays_spread(self) -> None:
        change = Change("api", {"depends_on": ["auth", "web"]})
        new = '"auth",\n                "web"\n'
        self.assert_replaced(SPREAD, change, ('"auth"\n', new))
        self.assert_replaced(
            SPREAD.replace('"y"', "[]"),
            Change("api", {"prompt": ["y"]}),
            ("[]", '[\n                "y"\n            ]'),
        )

    def test_a_new_key_comes_last_and_is_put_like_the_one_before(self) -> None:
        self.assert_replaced(
            WRAPPED,
            Change("api", {"tags": ["a", "b"], "x-n": None}),
            ('["auth"]', '["auth"],\n     "tags": ["a", "b"],\n     "x-n": null'),
        )
        self.assert_replaced(
            WRAPPED, Change("auth", {"depends_on": []}), ("30000", '30000, "depends_on": []')
        )
        lines = '"x",\n            "tags": [\n                "a"\n            ]'
        self.assert_replaced(SPREAD, Change("auth", {"tags": ["a"]}), ('"x"', lines))
        one = '{"features": [{"id": "a"}, {\n"id": "b"}]}'
        self.assert_replaced(one, Change("a", {"x-a": 1}), ('"a"', '"a", "x-a": 1'))
        self.assert_replaced(one, Change("b", {"x-a": 1}), ('"b"', '"b",\n"x-a": 1'))

    def test_keys_are_removed_with_one_comma_each(self) -> None:
        text = '{"features": [{"a": 1, "b": 2, "id": "f", "c": 3, "d": 4, "e": 5}]}'
        for keys, rest in (
            ("a", '"b": 2, "id": "f", "c": 3, "d": 4, "e": 5'),
            ("ab", '"id": "f", "c": 3, "d": 4, "e": 5'),
            ("bce", '"a": 1, "id": "f", "d": 4'),
            ("abcde", '"id": "f"'),
            ("de", '"a": 1, "b": 2, "id": "f", "c": 3'),
            ("xyz", '"a": 1, "b": 2, "id": "f", "c": 3, "d": 4, "e": 5'),
        ):
            with self.subTest(keys):
                new = edited(text, Change("f", drop=tuple(keys)))
                self.assertEqual(new, f'{{"features": [{{{rest}}}]}}')
        both = edited(text, Change("f", {"c": 7, "g": 8}, drop=("a", "e")))
        self.assertIn('{"b": 2, "id": "f", "c": 7, "d": 4, "g": 8}', both)

    def test_line_ends_and_escapes_are_those_of_the_list(self) -> None:
        text = SPREAD.replace("\n", "\r\n").replace('"s"', '"\\u00e9"')
        new = edited(text, Change("auth", {"tags": ["é"]}), added=[{"id": "web", "prompt": "ü"}])
        self.assertEqual(new.count("\n"), new.count("\r\n"))
        self.assertTrue(new.isascii())
        self.assertIn('"\\u00e9"', new)

    def test_what_can_not_be_changed_is_said(self) -> None:
        for text, change, why in (
            ("[]", Change("a"), "list.json can't be edited: it has no list of features"),
            ("{}", Change("a"), "it has no list of features"),
            ('{"features": {}}', Change("a"), "it has no list of features"),
            ('{"features": [{"id": "b"}]}', Change("a"), "it has no feature 'a'"),
            ('{"features": [{"id": "a"}, {"id": "a"}]}', Change("a"), "two features 'a'"),
            ('{"features": [{"id": "a", "id": "a"}]}', Change("a"), "the key 'id' twice"),
            ('{"features": [{"id": "a"}]}', Change("a", drop=("id",)), "'a' can't lose a key"),
            ('{"features": [{"id": "a"}]}', Change("a", {"b": 1}, ("b",)), "can't lose a key"),
            ('{"features": [],}', Change("a"), "list.json is not JSON at line 1, column 16: trai"),
            ("[" * 100_000, Change("a"), "can't be edited: "),
        ):
            with self.subTest(why), self.assertRaises(UserError) as raised:
                edited(text, change)
            self.assertIn(why, raised.exception.message)
        with self.assertRaisesRegex(UserError, "two changes of one feature"):
            edited(WRAPPED, Change("api"), Change("api"))

    def test_a_result_with_another_meaning_is_refused(self) -> None:
        with (
            mock.patch.object(Style, "value", return_value="0"),
            self.assertRaisesRegex(UserError, "would not be what was intended"),
        ):
            edited(WRAPPED, Change("api", {"priority": 2}))

    def test_elements_that_are_not_features_are_left_alone(self) -> None:
        text = '{"features": [1, {"id": 5}, {"id": ["a"]}, {}, {"id": "a"}]}'
        new = edited(text, Change("a", {"b": 1}), added=[{"id": "c"}])
        self.assertEqual(new, text.replace('"a"}]', '"a", "b": 1}, {"id": "c"}]'))
        none = edited('{"features": [1]}', added=[{"id": "c", "d": 1}])
        self.assertEqual(none, '{"features": [1, {"id": "c", "d": 1}]}')


class Additions(unittest.TestCase):
    def test_features_are_added_in_the_style_of_the_last_one(self) -> None:
        new = [{"id": "web", "depends_on": ["api"]}, {"id": "b"}]
        for text, end, expected in (
            (
                WRAPPED,
                '["auth"]}',
                '["auth"]},\n    {"id": "web", "depends_on": ["api"]},\n    {"id": "b"}',
            ),
            (
                '{"features":[{"id":"a"}]}',
                '"a"}',
                '"a"},{"id":"web","depends_on":["api"]},{"id":"b"}',
            ),
            (
                '{"features": [{ "id": "a" }]}',
                "}]",
                '}, { "id": "web", "depends_on": ["api"] }, { "id": "b" }]',
            ),
            (
                '{"features": [{\n\t"id": "a"\n}, {\n\t"id": "c"\n}]}',
                "}]",
                '}, {\n\t"id": "web",\n\t"depends_on": ["api"]\n}, {\n\t"id": "b"\n}]',
            ),
        ):
            with self.subTest(text):
                self.assertEqual(edited(text, added=new), text.replace(end, expected))

    def test_they_are_added_as_json_would_write_them(self) -> None:
        new = {"id": "web", "depends_on": ["api", "auth"], "x-origin": {"kind": "k"}}
        for text in (SPREAD, SPREAD.replace("    ", "\t"), SPREAD + "\n"):
            data = json.loads(text)
            data["features"].append(new)
            indent = "\t" if "\t" in text else 4
            expected = json.dumps(data, indent=indent) + text[len(text.rstrip()) :]
            self.assertEqual(edited(text, added=[new]), expected)

    def test_the_first_features_are_indented_like_the_rest(self) -> None:
        new = [{"id": "a", "tags": ["x"]}, {"id": "b"}]
        text = '{\n  "features": [ ],\n  "x": 1\n}\n'
        lines = (
            '[\n    {\n      "id": "a",\n      "tags": ["x"]\n    },\n'
            '    {\n      "id": "b"\n    }\n  ]'
        )
        self.assertEqual(edited(text, added=new), text.replace("[ ]", lines))
        self.assertEqual(
            edited('{"features": []}', added=new),
            '{"features": [{"id": "a", "tags": ["x"]}, {"id": "b"}]}',
        )


class Files(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.path = os.path.join(self.folder, "list.json")
        self.put(WRAPPED.encode())

    def put(self, content: bytes) -> None:
        with open(self.path, "wb") as file:
            file.write(content)

    def content(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()

    def test_encoding_mark_and_mode_are_kept(self) -> None:
        os.chmod(self.path, 0o640)
        for mark, encoding in (
            (b"", "utf-8"),
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
            (codecs.BOM_UTF32_LE, "utf-32-le"),
            (codecs.BOM_UTF32_BE, "utf-32-be"),
        ):
            with self.subTest(mark):
                self.put(mark + WRAPPED.encode(encoding))
                file = list_edit.read(self.path)
                self.assertEqual(file.text, WRAPPED)
                list_edit.write(file, list_edit.edited(file, [Change("api", {"name": "é"})]))
                new = WRAPPED.replace('["auth"]', '["auth"],\n     "name": "é"')
                self.assertEqual(self.content(), mark + new.encode(encoding))
                self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)
        self.assertEqual(os.listdir(self.folder), ["list.json"])

    def test_a_link_is_written_through(self) -> None:
        link = os.path.join(self.folder, "link.json")
        os.symlink("list.json", link)
        list_edit.write(list_edit.read(link), "{}")
        self.assertTrue(os.path.islink(link))
        self.assertEqual(self.content(), b"{}")

    def test_a_file_that_changed_or_went_is_left_as_it_is(self) -> None:
        file = list_edit.read(self.path)
        self.put(b"{ }")
        with self.assertRaisesRegex(UserError, "changed meanwhile; it was left as it is"):
            list_edit.write(file, "{}")
        self.assertEqual(self.content(), b"{ }")
        os.remove(self.path)
        with self.assertRaisesRegex(UserError, "can't be written: No such file"):
            list_edit.write(file, "{}")
        os.mkdir(self.path)
        with self.assertRaisesRegex(UserError, "is now not a regular file; it was left"):
            list_edit.write(file, "{}")

    def test_what_can_not_be_read_is_said(self) -> None:
        self.put(b"\xff")
        with self.assertRaisesRegex(
            UserError, "list.json can't be read: it is not UTF-8 at line 1, column 1"
        ):
            list_edit.read(self.path)
        with self.assertRaisesRegex(UserError, "none can't be read: No such file"):
            list_edit.read(os.path.join(self.folder, "none"))
