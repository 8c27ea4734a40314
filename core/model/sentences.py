"""Finds the sentence of which an English text was made, and says it in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from string import Formatter

from .frozen import dataclass
from .words import figure, whole

KEPT = 500
"""How many texts are remembered: a live view shows the same ones again and again."""

LEAST = 6
"""A sentence with fewer letters outside of its fields fits too much: it is meant only if another
sentence is in a field."""

DISTINCT = 8
"""A part of so many characters is enough, whatever they are."""

LIGHTEST = 2
"""The fewest letters outside of its fields."""

OWN_WORDS = ("how", "status")
"""Fields that have a word of ours. A single word in other fields is a name, and stays."""

COUNT = "count"
"""The field that only fits a number, or a number of things."""

BETWEEN = "; "
"""What stands between the sentences of one text."""

SHARE = re.compile(r"(.*[^\d ]) (\d+) %")
"""How full a usage window is."""

MOST = 9
"""How many sentences are told apart in one text."""

LONGEST = 400
"""A longer field is output of a program, and stays as it is."""


@dataclass(frozen=True)
class Template:
    """A marked sentence: its literal parts, and the names of the fields between them."""

    text: str
    literals: tuple[str, ...]
    fields: tuple[str, ...]
    is_light: bool = False
    """Whether it has so few letters that it would fit texts of others."""

    @property
    def weight(self) -> int:
        """How much of it is literal: the heaviest that fits is meant."""
        return sum(map(len, self.literals))

    def values(self, text: str) -> Mapping[str, str] | None:
        """What stands in the fields if ``text`` was made from this; else ``None``."""
        first, *between, last = self.literals
        if not (text.startswith(first) and text.endswith(last)):
            return None
        start, end = len(first), len(text) - len(last)
        found = []
        for literal in between:
            stop = text.find(literal, start, end)
            if stop < 0:
                return None
            found.append(text[start:stop])
            start = stop + len(literal)
        found.append(text[start:end])
        values = dict(zip(self.fields, found))
        is_number = values.get(COUNT, "0")[:1].isdecimal()
        if start > end or not is_number or any("`" in value for value in self._quoted(found)):
            return None
        return values

    def _quoted(self, values: Sequence[str]) -> Iterator[str]:
        """The values that stand in backticks."""
        return (value for before, value in zip(self.literals, values) if before.endswith("`"))

    def swallows(self, values: Mapping[str, str]) -> bool:
        """Whether a field would hold another sentence that stands before this one or behind it."""
        if not self.literals[0] and BETWEEN in values[self.fields[0]]:
            return True
        return any(value.startswith(BETWEEN) for value in values.values())


def template(text: str) -> Template | None:
    """A sentence with fields, ready to be found; ``None`` if it has hardly anything else."""
    literals, fields = [""], []
    for literal, field, _, _ in Formatter().parse(text):
        literals[-1] += literal
        if field is not None:
            fields.append(field)
            literals.append("")
    letters = sum(character.isalpha() for literal in literals for character in literal)
    if not fields or letters < LIGHTEST:
        return None
    return Template(
        text, tuple(literals), tuple(fields), letters < LEAST and max(map(len, literals)) < DISTINCT
    )


class Sentences:
    """All marked sentences of a catalogue."""

    def __init__(
        self,
        texts: Iterable[str],
        say: Callable[[str], str],
        say_counted: Callable[[str, str, int], str],
    ) -> None:
        self._say = say
        self._say_counted = say_counted
        self._texts = frozenset(texts)
        self._templates: list[Template] = []
        self._known: dict[str, str] = {}

    def shown(self, text: str) -> str:
        """An English text in the other language; as it is if it was made from no sentence."""
        if text not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[text] = self._shown(text)
        return self._known[text]

    def _shown(self, text: str) -> str:
        if "\n" in text:
            return self._lines(text)
        ways: tuple[Callable[[str], str], ...] = (self._alone, self._in_a_row, self._made)
        return next(filter(None, (way(text) for way in ways)), "") or self._counted(text)

    def _lines(self, text: str) -> str:
        """A text of several lines: a sentence, perhaps a hint, then what a program printed."""
        if text in self._texts:
            return self._say(text)
        first, _, rest = text.partition("\n")
        second, line_end, rest = rest.partition("\n")
        said = f"{self.shown(first)}\n{self._next_step(second)}{line_end}{rest}"
        return self._made(text, has="\n") or (said if said != text else self._made(text)) or text

    def _alone(self, text: str) -> str:
        """One sentence, or one with a word before it or with details behind it; else empty."""
        if text in self._texts:
            return self._say(text)
        return self._made(text, is_alone=True) or self._headed(text)

    def _made(self, text: str, *, is_alone: bool = False, least: int = 0, has: str = "") -> str:
        """The sentence with fields of which the text was made; else empty.

        ``is_alone``: without other sentences before it. ``least``: beginning with so many letters.
        """
        if not self._templates:
            self._templates = _templates(self._texts)
        for each in self._templates:
            if has in each.text and len(each.literals[0]) >= least:
                values = each.values(text)
                if values is not None and not (is_alone and self._swallows(each, values)):
                    said = {name: self._value(name, value) for name, value in values.items()}
                    if not each.is_light or said != values:
                        return _filled(self._say(each.text), said)
        return ""

    def _swallows(self, made: Template, values: Mapping[str, str]) -> bool:
        """Whether a field would hold another sentence, or the word before this one."""
        before = "" if made.literals[0] else values[made.fields[0]]
        word, colon, _ = before.partition(": ")
        is_place = " " not in word or word in self._texts
        return made.swallows(values) or (bool(colon) and is_place)

    def _headed(self, text: str) -> str:
        """``setup: ...``, ``the budget is reached (...)``, ``features[0].id: ...``; else empty."""
        head, colon, rest = text.partition(": ")
        if colon and rest.count(": ") < MOST:
            said = self.shown(rest)
            if head in self._texts or (said != rest and " " not in head):
                return f"{self._word(head)}\u00a0: {said}"
        head, bracket, rest = text.partition(" (")
        if bracket and head in self._texts and rest.endswith(")"):
            return f"{self._say(head)} ({self.shown(rest[:-1])})"
        return ""

    def _word(self, text: str) -> str:
        return self._say(text) if text in self._texts else text

    def _in_a_row(self, text: str) -> str:
        """Several sentences in one line, the longest first; empty if none is known."""
        if text.count(BETWEEN) > 2 * MOST:
            return ""  # nothing of ours has so many
        parts = text.split(BETWEEN, MOST)
        for count in range(len(parts) - 1, 0, -1):
            said = self._alone(BETWEEN.join(parts[:count]))
            if said:
                return f"{said}\u00a0; {self.shown(BETWEEN.join(parts[count:]))}"
        rest = BETWEEN.join(parts[1:])
        said = self.shown(rest) if rest else ""
        return f"{parts[0]}\u00a0; {said}" if said != rest else ""

    def _next_step(self, line: str) -> str:
        """The second line of a text: a hint of ours, or what a program printed, which stays."""
        if line in self._texts:
            return self._say(line)
        return self._made(line, least=LEAST) or line

    def _value(self, name: str, text: str) -> str:
        """What stands in a field: a word is a name, and stays; a sentence or a figure does not."""
        is_ours = (" " in text and len(text) <= LONGEST) or (
            name in OWN_WORDS and text in self._texts
        )
        return self.shown(text) if is_ours else figure(text)

    def _counted(self, text: str) -> str:
        share = SHARE.fullmatch(text)
        if share is not None:
            return f"{self.shown(share[1])} {share[2]}\u00a0%"
        number, _, noun = text.partition(" ")
        if not number.isdecimal() or len(number) > 9:
            return text
        one = noun if number == "1" else noun[:-1]
        texts = f"{{count}} {one}", f"{{count}} {one}s"
        if texts[0] not in self._texts:
            return text
        return self._say_counted(*texts, int(number)).format(count=whole(int(number)))


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A sentence with its fields filled as they are: what ``!r`` quotes was quoted before."""
    parts = ((literal, field) for literal, field, _, _ in Formatter().parse(text))
    return "".join(literal + ("" if field is None else values[field]) for literal, field in parts)


def _templates(texts: Iterable[str]) -> list[Template]:
    """The sentences with fields, heaviest first."""
    found = filter(None, map(template, texts))
    return sorted(found, key=lambda each: (-each.weight, each.text))
