"""Sample output in the pages, and what of it stays the same from run to run."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.paths import ROOT

DOCS = Path(ROOT, "docs")

VARIES = re.compile(r"\b[0-9a-f]{10}\b|\d+(?:\.\d+)?")
"""Commits, times and costs."""

NAMED_ANEW = (
    (r"/home/you/shop|/[\w/.-]+/shop\b", "the repository"),
    (r"/bin/sh: .*", "what the shell says"),
    (r"merge-\d{8}T\d{6}-[0-9a-f]{6}", "the merge"),
    (r"prove-\d{8}T\d{6}-[0-9a-f]{6}", "the proof"),
    (r"the base → .* → the merge", "the longest path"),
    (r"(?m)^(Speedup|Accélération)\s?: .*\n", ""),
)
"""What depends on the machine. A speedup is said only where there is one."""


def samples(page: str) -> list[str]:
    """The blocks of sample output of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def lasting(text: str) -> list[str]:
    """The lines of an output without what differs from run to run."""
    for pattern, word in NAMED_ANEW:
        text = re.sub(pattern, word, text)
    lines = (re.sub(r" {2,}", "  ", VARIES.sub("0", line)) for line in text.splitlines())
    return list(filter(None, lines))
