"""What users write: encodings, and JSON that is none."""

from __future__ import annotations

import json
import unittest

from core.project.source_text import MARGIN, decoded, not_json


class Encodings(unittest.TestCase):
    def test_text_is_decoded_by_its_byte_order_mark_and_is_utf_8_without_one(self) -> None:
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
            with self.subTest(encoding):
                self.assertEqual(decoded("Prix : 5 €\n".encode(encoding)), "Prix : 5 €\n")
        for mark, encoding in (
            (b"\xff\xfe", "utf-16-le"),
            (b"\xfe\xff", "utf-16-be"),
            (b"\xff\xfe\0\0", "utf-32-le"),
            (b"\0\0\xfe\xff", "utf-32-be"),
        ):
            with self.subTest(encoding):
                self.assertEqual(decoded(mark + "é".encode(encoding)), "é")

    def test_a_byte_that_is_no_utf_8_is_a_fault_with_its_position(self) -> None:
        cases = {
            "Été\nça".encode("latin-1"): "not UTF-8 at line 1, column 1 (byte 0xc9)",
            "ok\nün ça".encode() + b" \xe9": "not UTF-8 at line 2, column 7 (byte 0xe9)",
            b"\xef\xbb\xbfa\xff": "not UTF-8 at line 1, column 2 (byte 0xff)",
            "hi".encode("utf-16-le"): "not text at line 1, column 2 (NUL byte)",
            b"\xff\xfea\0b": "not UTF-16 at line 1, column 2 (byte 0x62)",
            b"\xff\xfea\0\x00\xd8": "not UTF-16 at line 1, column 2 (byte 0x00)",
        }
        for content, fault in cases.items():
            with self.subTest(content), self.assertRaises(ValueError) as caught:
                decoded(content)
            self.assertEqual(str(caught.exception), f"{fault}: save it as UTF-8")


TRAILING = "trailing comma before a closing bracket"
COMMENT = "JSON has no comments (use a key that begins with _ for notes)"
QUOTES = "strings and keys are written in double quotes"


class JsonThatIsNone(unittest.TestCase):
    def _fault(self, text: str) -> tuple[str, tuple[str, ...]]:
        with self.assertRaises(json.JSONDecodeError) as caught:
            json.loads(text)
        error = not_json("list.json", caught.exception)
        return error.message[len("list.json is not JSON at ") :], error.details

    def test_each_common_mistake_has_its_own_words_and_a_caret_below_it(self) -> None:
        cases = {
            '{"a": 1,}': ("line 1, column 8", TRAILING),
            '{"a": [1,\n2,  \n\n]\n}': ("line 2, column 2", TRAILING),
            "{,}": ("line 1, column 2", TRAILING),
            "// x\n{}": ("line 1, column 1", COMMENT),
            '{"a": # x\n 1}': ("line 1, column 7", COMMENT),
            '{"a": 1, /* x */ "b": 2}': ("line 1, column 10", COMMENT),
            "{'a': 1}": ("line 1, column 2", f"{QUOTES} (\"), not in '"),
            "{“a”: 1}": ("line 1, column 2", f'{QUOTES} ("), not in “'),
            '{"a":\tTrue}': ("line 1, column 7", "True is written true"),
            '{"a": None}': ("line 1, column 7", "None is written null"),
            "{a: 1}": ("line 1, column 2", "expected a key in double quotes"),
            '{"a": nope}': ("line 1, column 7", "expected a value here"),
            " \n": ("line 2, column 1", "the file is empty"),
            '{"a": [1': (
                "line 1, column 9",
                "the file ends too early: a closing bracket is missing",
            ),
            '{"a": 1,': (
                "line 1, column 9",
                "the file ends too early: a closing bracket is missing",
            ),
            '{"a": "x': ("line 1, column 7", "the string that begins here has no closing quote"),
            '{"a": "x\r\ny"}': (
                "line 1, column 9",
                "a string contains a line break: write \\n, or a list of lines",
            ),
            '{"a": "x\ty"}': ("line 1, column 9", "U+0009 in a string is written \\u0009"),
            '{\u00a0"a": 1}': (
                "line 1, column 2",
                "U+00A0 is not JSON whitespace: replace it with a space",
            ),
            '{"a": "\\d"}': ("line 1, column 8", "a backslash in a string is written twice: \\\\"),
            '{"a": 1 "b": 2}': (
                "line 1, column 9",
                "a comma is missing before this, or the string before it ended too early",
            ),
            '{"a" 1}': ("line 1, column 6", "a colon is missing after the key"),
            "{} {}": ("line 1, column 4", "unexpected text after the end of the list"),
        }
        for text, (place, words) in cases.items():
            with self.subTest(text):
                said, shown = self._fault(text)
                self.assertEqual(said, f"{place}: {words}")
                number, column = (int(word.split()[1]) for word in place.split(", "))
                line = text.split("\n")[number - 1].strip("\r").replace("\t", " ")
                expected = (line, " " * (column - 1) + "^") if line else ()
                self.assertEqual(shown, expected)

    def test_the_part_around_the_fault_of_a_long_line_is_shown(self) -> None:
        _, (line, caret) = self._fault('{"a": [' + "1, " * 500 + "x" + ", 1" * 500 + "]}")
        self.assertEqual(line, ("1, " * 20 + "x" + ", 1" * 20)[: 2 * MARGIN])
        self.assertEqual(caret, " " * MARGIN + "^")


if __name__ == "__main__":
    unittest.main()
