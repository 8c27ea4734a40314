"""Lines of any length, cut anywhere: what ``bytes.split`` gives, less those over the limit."""

from __future__ import annotations

from hypothesis import strategies as st

from core.model.lines import MAX_LINE_BYTES, LineSplitter
from tests.fuzz.harness import Target

SMALL = st.tuples(
    st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=12).map(tuple),
    st.lists(st.integers(0, 400), max_size=20).map(tuple),
    st.integers(1, 200),
)
MIDDLE = st.tuples(
    st.lists(st.tuples(st.integers(0, 200_000), st.booleans()), max_size=4).map(tuple),
    st.lists(st.integers(64, 70_000), max_size=4).map(tuple),
    st.integers(60_000, 140_000),
)
LARGE = st.tuples(
    st.lists(
        st.tuples(
            st.sampled_from(
                [0, 1, MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 100_000_000]
            ),
            st.just(True),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    st.lists(st.integers(1 << 20, 1 << 26), min_size=1, max_size=3).map(tuple),
    st.just(MAX_LINE_BYTES),
)
CASES = st.integers(0, 199).flatmap(
    lambda draw: LARGE if draw == 7 else MIDDLE if draw % 10 == 5 else SMALL
)
"""Lines by length and whether they have an end, sizes of chunks, and the limit."""

LETTERS = "aé漢\u0085\u2028\r".encode()


def _content(lines: tuple[tuple[int, bool], ...]) -> bytes:
    """Lines of text whose characters take one to three bytes, so that a cut tears some."""
    return b"".join(
        (LETTERS * (length // len(LETTERS) + 1))[:length] + b"\n" * ended for length, ended in lines
    )


def check(case: tuple[tuple[tuple[int, bool], ...], tuple[int, ...], int]) -> None:
    """Feed the chunks, the last size again and again."""
    lines, sizes, limit = case
    content = _content(lines)
    *ended, rest = content.split(b"\n")
    expected = [line for line in ended if len(line) <= limit]
    last = [rest] if 0 < len(rest) <= limit else []
    splitter = LineSplitter(limit)
    found: list[bytes] = []
    start, index = 0, 0
    while start < len(content):
        size = max(1, sizes[min(index, len(sizes) - 1)] if sizes else len(content))
        found += splitter.feed(content[start : start + size])
        assert splitter._skipping or len(splitter._line) <= limit
        start, index = start + size, index + 1
    assert found == expected
    assert splitter.rest() == last
    assert splitter.skipped == sum(len(line) > limit for line in (*ended, rest))


TARGET = Target("line splitter", CASES, check)
