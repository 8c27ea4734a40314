"""Lines out of bytes, however the bytes are cut."""

from __future__ import annotations

import random
import unittest

from core.model.lines import MAX_LINE_BYTES, LineSplitter


def _fed(splitter: LineSplitter, chunks: list[bytes]) -> list[bytes]:
    return [line for chunk in chunks for line in splitter.feed(chunk)]


class Splitting(unittest.TestCase):
    def test_lines_are_given_once_their_end_is_there(self) -> None:
        cases: list[tuple[list[bytes], list[bytes], list[bytes]]] = [
            ([], [], []),
            ([b""], [], []),
            ([b"a"], [], [b"a"]),
            ([b"a\n"], [b"a"], []),
            ([b"a", b"b\n"], [b"ab"], []),
            ([b"a\nb"], [b"a"], [b"b"]),
            ([b"\n\n"], [b"", b""], []),
            ([b"a\nb\nc\n", b"\n"], [b"a", b"b", b"c", b""], []),
            ([b"a\r\nb\xc2\x85c\xe2\x80\xa8d\n"], [b"a\r", b"b\xc2\x85c\xe2\x80\xa8d"], []),
        ]
        for chunks, lines, rest in cases:
            with self.subTest(chunks=chunks):
                splitter = LineSplitter()
                self.assertEqual(_fed(splitter, chunks), lines)
                self.assertEqual(splitter.rest(), rest)
                self.assertEqual(splitter.rest(), [])

    def test_the_cuts_between_chunks_do_not_show(self) -> None:
        text = "eins\n\nzwei ✅ \x85\nlast".encode()
        for size in range(1, len(text) + 1):
            with self.subTest(size=size):
                splitter = LineSplitter()
                chunks = [text[at : at + size] for at in range(0, len(text), size)]
                self.assertEqual(_fed(splitter, chunks) + splitter.rest(), text.split(b"\n"))


class Limits(unittest.TestCase):
    def test_a_line_that_is_too_long_is_skipped_and_counted(self) -> None:
        cases = [
            ([b"12345\n"], [b"12345"], [], 0),
            ([b"123456\nab\n"], [b"ab"], [], 1),
            ([b"ab\n123456\nab\n"], [b"ab", b"ab"], [], 1),
            ([b"123", b"456", b"789\nab\n"], [b"ab"], [], 1),
            ([b"123456", b"\n", b"12345", b"6\n"], [], [], 2),
            ([b"ab\n123456"], [b"ab"], [], 1),
            ([b"123456\n123"], [], [b"123"], 1),
        ]
        for chunks, lines, rest, skipped in cases:
            with self.subTest(chunks=chunks):
                splitter = LineSplitter(limit=5)
                self.assertEqual(_fed(splitter, chunks), lines)
                self.assertEqual(splitter.rest(), rest)
                self.assertEqual(splitter.skipped, skipped)

    def test_any_cutting_skips_the_same_lines(self) -> None:
        generator = random.Random(7)
        for round_ in range(300):
            lines = [b"x" * generator.randrange(9) for _ in range(generator.randrange(1, 9))]
            text = b"\n".join(lines)
            limit = generator.randrange(9)
            splitter = LineSplitter(limit)
            found = []
            while text:
                size = generator.randrange(1, 12)
                found += splitter.feed(text[:size])
                text = text[size:]
            found += splitter.rest()
            kept = [line for line in lines if len(line) <= limit]
            with self.subTest(round=round_):
                # What stands after the last line end is a line only where there is something.
                self.assertEqual(found, kept[:-1] if lines[-1] == b"" else kept)
                self.assertEqual(splitter.skipped, len(lines) - len(kept))

    def test_the_limit_is_far_above_what_claude_was_seen_to_write(self) -> None:
        line = b"x" * 6_000_000
        splitter = LineSplitter()
        chunks = [line[at : at + 65536] for at in range(0, len(line), 65536)]
        self.assertEqual(_fed(splitter, [*chunks, b"\n"]), [line])
        self.assertGreaterEqual(MAX_LINE_BYTES, 10 * len(line))


if __name__ == "__main__":
    unittest.main()
