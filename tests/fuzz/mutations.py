"""Strategies that damage good bytes and good JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

Json = Any

HUGE_INT = int("9" * 4000)

ODD: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**64, -(2**63), HUGE_INT),
    *(0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "\0",
        "\n",
        "\x1b[2J",
        "\x9b31m",
        "\u202etxt",
        "\ud800",
        "\udfff",
        "\ufeff",
        "\u2028",
    ),
    *(
        "--help",
        "-x",
        "HEAD",
        "@",
        "refs/heads/x",
        "../..",
        "/etc/passwd",
        "a.lock",
        "a/b",
        "K",
        "é",
    ),
    *("x" * 5000, [], {}, [[]], [None], {"": None}, {"type": 1}, [1, "a"], {"a": {"b": [{}]}}),
    *(
        "success",
        "completed",
        "failed",
        "result",
        "auth",
        "AUTH",
        "text",
        "{",
        "9999-12-31T23:59:59",
    ),
)
"""What stands in no good document, or not where it is put."""

TOKENS = (
    *(b"NaN", b"Infinity", b"1e999", b"-1e999", b"9" * 5000, b"[" * 3000, b'{"a":' * 3000),
    *(b"\0", b"\n", b"\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\\ud800"),
    *(b"\x1b]0;x\x07", b"\xc2\x9b", b"\xe2\x80\xae", b"null", b"true", b"{}", b"[]", b'""', b"//"),
    *(b'"sum":"00000000"', b'"status":"completed"', b"x" * 100_000, b" " * 1000, b"\n" * 50),
)

places = st.integers(0, 2**32)
"""Where something happens, modulo what there is."""


def values() -> st.SearchStrategy[Json]:
    """Any JSON value, and some that Python's parser takes for one."""
    leaves = st.one_of(
        st.sampled_from(ODD), st.integers(), st.floats(), st.text(max_size=20), st.booleans()
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=12,
    )


def dumped(value: Json) -> bytes:
    """A document as JSON; halves of surrogate pairs are escaped."""
    return json.dumps(value).encode()


def spots(value: Json) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each key in it."""
    keys: Sequence[Any] = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from spots(value[key])


@st.composite
def documents(draw: st.DrawFn, bases: Sequence[Json], most: int = 3) -> Json:
    """A good document in which some values are replaced, renamed, taken out or doubled."""
    document = copy.deepcopy(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(0, most))):
        there = list(spots(document))
        if not there:
            break
        holder, key = there[draw(places) % len(there)]
        how = draw(st.integers(0, 4))
        if how == 0 and isinstance(holder, dict):
            holder[draw(st.one_of(st.text(max_size=10), st.sampled_from(["_x", "id", "type"])))] = (
                holder.pop(key)
            )
        elif how == 1:
            del holder[key]
        elif how == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            # A copy: what is put in may be changed by the next round.
            holder[key] = copy.deepcopy(draw(st.one_of(st.sampled_from(ODD), values())))
    return document


@st.composite
def damaged(
    draw: st.DrawFn, bases: st.SearchStrategy[bytes], least: int = 1, most: int = 4
) -> bytes:
    """Good bytes with flipped bits, cuts, garbage, and lines doubled, moved or merged."""
    content = draw(bases)
    for _ in range(draw(st.integers(least, most))):
        content = draw(_damage(content, bases))
    return content


@st.composite
def _damage(draw: st.DrawFn, content: bytes, bases: st.SearchStrategy[bytes]) -> bytes:
    how = draw(st.sampled_from(_KINDS))
    place = draw(places) % (len(content) + 1)
    if how == "flip" and content:
        place = min(place, len(content) - 1)
        flipped = bytes([content[place] ^ 1 << draw(st.integers(0, 7))])
        return content[:place] + flipped + content[place + 1 :]
    if how == "cut":
        return content[:place]
    if how == "hole":
        end = draw(places) % (len(content) + 1)
        return content[: min(place, end)] + content[max(place, end) :]
    if how == "insert":
        garbage = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=20)))
        return content[:place] + garbage + content[place:]
    if how == "merge":
        other = draw(bases)
        return content[:place] + other[draw(places) % (len(other) + 1) :]
    lines = content.splitlines(keepends=True) or [b""]
    line = lines.pop(draw(places) % len(lines))
    copies = {"move": 1, "double": 2, "lose": 0}.get(how, 1)
    for _ in range(copies):
        lines.insert(draw(places) % (len(lines) + 1), line)
    return b"".join(lines)


_KINDS = (
    "flip",
    "flip",
    "flip",
    "cut",
    "hole",
    "insert",
    "insert",
    "merge",
    "move",
    "double",
    "lose",
)
