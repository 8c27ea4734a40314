"""Text in HTML: whatever comes from outside is cleaned and escaped here."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

from ..model.json_values import Json
from ..model.terminal_text import clean, one_line


def text(value: str) -> str:
    """A text from outside, on one line, for an element or a quoted attribute."""
    return html.escape(one_line(value))


def lines(value: str) -> str:
    """A text from outside whose lines are kept, for a ``pre``."""
    return html.escape(clean(value))


def address(id: str) -> str:
    """The address of an element of the page, for ``href``."""
    return html.escape("#" + quote(id, safe=""))


def data(value: Json) -> str:
    """A value as JSON inside of a ``script``, which no text in it can end."""
    said = json.dumps(value, separators=(",", ":"))
    return said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
