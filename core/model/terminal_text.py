"""Cleans text for a terminal: no control characters and no escape sequences but our colours."""

from __future__ import annotations

from collections.abc import Iterator

from .patterns import pattern

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

# A control sequence (ECMA-48, 5.4), or the first half of a line end as in DOS.
_SEQUENCE = pattern(r"\x1b\[[0-?]*[ -/]*[@-~]|\r(?=\n)")


def clean(text: str) -> str:
    """``text`` without control and format characters and lone surrogates.

    Escape sequences are removed, other such characters become U+FFFD, tabs become spaces. Lines
    stay lines.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(map(_clean_character, _SEQUENCE.sub("", text)))


def _clean_character(character: str) -> str:
    # U+200D joins emoji; other format characters can reverse the text.
    if character.isprintable() or character in "\n\u200d":
        return character
    if character == "\t":
        return "    "
    is_blank = character.isspace() and ord(character) >= 0xA0 and character not in "\u2028\u2029"
    return " " if is_blank else "\ufffd"


def one_line(text: str) -> str:
    """``text``, cleaned and on one line."""
    return " ".join(clean(text).split())


def painted(text: str, code: str) -> str:
    """``text`` in a colour of :data:`CODES`."""
    return f"\x1b[{CODES[code]}m{text}\x1b[0m"


_PAINTED = pattern(rf"(\x1b\[(?:{'|'.join(CODES.values())})m)([^\x1b]*)(\x1b\[0m)")


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text with our colours: the name of the colour, or nothing, and the part."""
    names = {f"\x1b[{code}m": name for name, code in CODES.items()}
    # plain, code, painted, end, plain, …
    parts = _PAINTED.split(text)
    for start in range(0, len(parts), 4):
        if parts[start]:
            yield "", parts[start]
        if start + 2 < len(parts):
            yield names[parts[start + 1]], parts[start + 2]


def harmless(text: str) -> str:
    """``text``, cleaned, but with our own colours."""
    if "\x1b" not in text:
        return clean(text)
    # plain, code, painted, end, plain, …
    parts = _PAINTED.split(text)
    parts[::2] = map(clean, parts[::2])
    return "".join(parts)


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_")


def quoted(word: str) -> str:
    """A word as ``shlex`` quotes it, which is imported for one that needs quotes."""
    if word and _PLAIN.issuperset(word):
        return word
    import shlex

    return shlex.quote(word)


def shell_word(word: str) -> str:
    """A word, quoted for a shell; with ``$'…'`` if it has unprintable characters."""
    if word.isprintable():
        return quoted(word)
    escaped = (
        chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"\\x{byte:02x}"
        for byte in word.encode("utf-8", "surrogateescape")
    )
    return f"$'{''.join(escaped)}'"
