"""Finds the sentence of which an English text was made, and says it in another language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import Formatter

from .frozen import dataclass
from .words import figure, whole

KEPT = 500
"""How many texts are remembered: a live view shows the same ones again and again."""

LEAST = 6
"""The fewest letters of a sentence outside of its fields: less of them fits too much."""


@dataclass(frozen=True)
class Template:
    """A marked sentence: its literal parts, and the names of the fields between them."""

    text: str
    literals: tuple[str, ...]
    fields: tuple[str, ...]

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
        return dict(zip(self.fields, found)) if start <= end else None


def template(text: str) -> Template | None:
    """A sentence with fields, ready to be found; ``None`` if it has hardly anything else."""
    literals, fields = [""], []
    for literal, field, _, _ in Formatter().parse(text):
        literals[-1] += literal
        if field is not None:
            fields.append(field)
            literals.append("")
    letters = sum(character.isalpha() for literal in literals for character in literal)
    if not fields or letters < LEAST:
        return None
    return Template(text, tuple(literals), tuple(fields))


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
        if text in self._texts:
            return self._say(text)
        if not self._templates:
            self._templates = _templates(self._texts)
        for each in self._templates:
            values = each.values(text)
            if values is not None:
                said = {name: self._value(value) for name, value in values.items()}
                return _filled(self._say(each.text), said)
        first, line_end, rest = text.partition("\n")
        return self.shown(first) + line_end + rest if line_end else self._counted(text)

    def _value(self, text: str) -> str:
        """What stands in a field: a word is a name, and stays; a sentence or a figure does not."""
        return self.shown(text) if " " in text else figure(text)

    def _counted(self, text: str) -> str:
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
