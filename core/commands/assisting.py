"""The questions of ``assist``: one finding after the other, to accept, skip or explain."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..model.feature import Feature
from ..model.frozen import dataclass
from ..model.terminal_text import one_line
from ..model.translate import _
from ..reporter.style import Style
from ..start.assisting.assistant import accept, findings
from ..start.assisting.finding import Finding, Knowledge
from ..start.assisting.text import explanation, finding_lines
from .options import YES

NO = ("n", "no", "non")
EXPLAIN = ("e", "explain", "?")
QUIT = ("q", "quit")


@dataclass(frozen=True)
class Decided:
    """The features with what was accepted, the accepted findings, and what is left."""

    features: Sequence[Feature]
    accepted: Sequence[Finding]
    left: Sequence[Finding]
    was_asked: bool = False


def ask_each(features: Sequence[Feature], knowledge: Knowledge, style: Style) -> Decided:
    """Ask about each finding. After an accepted one, the findings are computed again.

    What was accepted before the user quits stays accepted.
    """
    seen: list[Finding] = []
    accepted: list[Finding] = []
    found = findings(features, knowledge)
    while True:
        waiting = [finding for finding in found if not _is_among(finding, seen)]
        if not waiting:
            break
        finding = waiting[0]
        seen.append(finding)
        answer = _answer(finding, len(waiting) - 1, style)
        if answer in QUIT:
            break
        changed = accept(features, finding) if answer in YES else None
        if changed is not None:
            features = changed
            accepted.append(finding)
            found = findings(features, knowledge)
    return Decided(features, accepted, found, was_asked=True)


def _is_among(finding: Finding, seen: Sequence[Finding]) -> bool:
    """Whether a finding was shown; its evidence may have changed since."""
    return any(
        (each.kind, each.feature, each.others, each.adds, each.removes)
        == (finding.kind, finding.feature, finding.others, finding.adds, finding.removes)
        for each in seen
    )


def _answer(finding: Finding, more: int, style: Style) -> str:
    """The user's answer; ``n`` without a question if there is nothing to accept."""
    _print("", *finding_lines(finding, style))
    if not finding.is_a_change:
        return NO[0]
    question = _("Accept? [y]es, [n]o, [e]xplain, [q]uit ({more} more)").format(more=more)
    while True:
        print(f"{question} ", end="", file=sys.stderr, flush=True)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            line = ""
        word = line.strip().lower()
        if not line:
            _print("")
            return QUIT[0]
        if word in (*YES, *NO, *QUIT):
            return word
        if word in EXPLAIN:
            _print(*map(one_line, explanation(finding)))


def _print(*lines: str) -> None:
    print("\n".join(lines), file=sys.stderr, flush=True)
