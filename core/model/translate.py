"""The language of what a user is shown: English, or another one by a catalogue.

A room that shows something marks its sentences with :func:`_`. A room below has its sentences
recorded, or printed as JSON: it marks them with :func:`N_`, so that they stay English, and the
room that shows them calls :func:`shown`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Catalogue(Protocol):
        """The sentences of a language, as gettext keeps them."""

        language: str

        def gettext(self, message: str, /) -> str:
            """A sentence; as it is if it is not in the catalogue."""

        def ngettext(self, one: str, many: str, count: int, /) -> str:
            """A sentence with a number."""

        def shown(self, text: str, /) -> str:
            """A finished English sentence; as it is if no sentence of the catalogue fits."""


_catalogue: Catalogue | None = None


def use(catalogue: Catalogue | None) -> None:
    """Use a catalogue from now on; ``None`` for English."""
    global _catalogue
    _catalogue = catalogue


def language() -> str:
    """The language in use: ``en``, ``fr``."""
    return "en" if _catalogue is None else _catalogue.language


def _(text: str) -> str:
    """A sentence in the language of the user; its fields are filled afterwards."""
    # gettext has its own header under the empty text.
    return text if _catalogue is None or not text else _catalogue.gettext(text)


def N_(text: str) -> str:
    """Mark a sentence for the catalogue; it stays English."""
    return text


def ngettext(one: str, many: str, count: int) -> str:
    """The sentence for one thing or for many, in the language of the user."""
    if _catalogue is None:
        return one if count == 1 else many
    return _catalogue.ngettext(one, many, count)


def shown(text: str) -> str:
    """A sentence that was made in English, such as the reason of a failure, as a user reads it."""
    return text if _catalogue is None else _catalogue.shown(text)
