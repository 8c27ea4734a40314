"""Which language a user reads, and its catalogue: ``core/locale/fr/LC_MESSAGES``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .catalogue import Catalogue

LANGUAGES = ("en", "fr")
OPTION = "--lang"

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where gettext looks for languages; the first that is set decides."""

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "locale")
DOMAIN = "rorchestrator"


def language_of(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """The language of a command line, else of the environment."""
    for number, word in enumerate(words):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name == OPTION:
            value = value if equals else "".join(words[number + 1 : number + 2])
            if value in LANGUAGES:
                return value
    return _of_environment(environ)


def _of_environment(environ: Mapping[str, str]) -> str:
    """The first language that there is, as gettext decides; ``LC_ALL=C`` is what scripts set."""
    if _code(environ.get("LC_ALL", "")) in ("C", "POSIX"):
        return "en"
    named = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    codes = map(_code, named.split(":"))
    return next((code if code in LANGUAGES else "en" for code in codes if _is_known(code)), "en")


def _is_known(code: str) -> bool:
    return code in (*LANGUAGES, "C", "POSIX")


def _code(locale: str) -> str:
    """``fr`` of ``fr_FR.UTF-8``, ``C`` of ``C.UTF-8``."""
    return locale.partition("_")[0].partition(".")[0].partition("@")[0]


def catalogue(language: str) -> Catalogue | None:
    """The catalogue of a language; ``None`` for English, or if its file is not there."""
    if language == "en":
        return None
    from .catalogue import Catalogue

    path = os.path.join(FOLDER, language, "LC_MESSAGES", f"{DOMAIN}.mo")
    try:
        with open(path, "rb") as file:
            return Catalogue(language, file.read())
    except OSError:
        return None
