"""A catalogue of a language, read with gettext, which English needs no start-up time for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from gettext import GNUTranslations
from io import BytesIO

from ..model.sentences import Sentences


class Catalogue(GNUTranslations):
    """The sentences of one language, from the bytes of a ``.mo`` file."""

    def __init__(self, language: str, content: bytes) -> None:
        super().__init__(BytesIO(content))
        self.language = language
        self._content = content
        self._sentences: Sentences | None = None

    def shown(self, text: str) -> str:
        """A finished English sentence; as it is if no sentence of the catalogue fits."""
        if self._sentences is None:
            texts = _texts(self._content)
            self._sentences = Sentences(texts, self.gettext, self.ngettext)
        return self._sentences.shown(text)


def _texts(content: bytes) -> Iterator[str]:
    """The English sentences of a ``.mo`` file; of those with a number, the one for one thing."""
    order = "<" if content[:4] == b"\xde\x12\x04\x95" else ">"
    count, table = struct.unpack(f"{order}2I", content[8:16])
    for number in range(count):
        length, start = struct.unpack_from(f"{order}2I", content, table + 8 * number)
        text = content[start : start + length].split(b"\0")[0].decode()
        if text:
            yield text
