"""The lines of ``prove``: a row for each check, what could not be proved, and the result."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..reporter.style import Style, fitted, shorten, table_lines
from ..reporter.verdict_table import CHECK_CHARACTERS, ending_words, place, shorter, whose
from .proof import Proof, ProvedCheck, ProvedFeature

HEADING = (
    *(N_("feature"), N_("commit"), N_("result"), N_("verdict"), N_("check")),
    *(N_("recorded"), N_("now")),
)

LEAST = {4: 40, 5: 20, 6: 20}
"""How many columns a check and its endings keep, however narrow the terminal is."""


def proof_lines(proof: Proof, style: Style, *, quiet: bool = False) -> Iterator[str]:
    """The result for a terminal; with ``quiet`` only what differs."""
    rows = [
        (feature, check)
        for feature in proof.features
        for check in sorted(feature.checks, key=lambda each: place(each.recorded))
        if check.differs or not quiet
    ]
    if rows:
        yield from _table(rows, style)
    for feature in proof.features:
        yield from _notes(feature, style, quiet=quiet)
    if not quiet:
        is_proved = any(feature.checks for feature in proof.features)
        colour = "red" if proof.differs else "green" if is_proved else ""
        yield style.paint(_summary(proof), colour) if colour else _summary(proof)


def _table(rows: list[tuple[ProvedFeature, ProvedCheck]], style: Style) -> Iterator[str]:
    cells = [list(HEADING), *(_cells(feature, check, style) for feature, check in rows)]

    def paint(number: int, column: int, cell: str) -> str:
        if number == 0:
            return style.paint(cell, "bold")
        check = rows[number - 1][1]
        colour = "red" if check.differs else "yellow" if check.is_flaky else "green"
        return style.paint(cell, colour) if column == 2 else cell

    yield from table_lines(fitted(cells, style, LEAST, shorter), paint)


def _cells(feature: ProvedFeature, check: ProvedCheck, style: Style) -> list[str]:
    recorded = check.recorded
    return [
        one_line(feature.id),
        feature.commit[:10],
        _result(check),
        _(recorded.verdict.value),
        whose(recorded, shorten(one_line(recorded.check), CHECK_CHARACTERS, style)),
        ending_words(recorded.after, style),
        ending_words(check.ending, style),
    ]


def _result(check: ProvedCheck) -> str:
    if check.differs:
        return _("differs")
    return _("flaky") if check.is_flaky else _("as recorded")


def _notes(feature: ProvedFeature, style: Style, *, quiet: bool) -> Iterator[str]:
    if feature.fault:
        words = _("nothing could be proved: {fault}").format(fault=shown(feature.fault))
        yield style.paint(headed(one_line(feature.id), one_line(words)), "red")
    elif not (feature.checks or quiet):
        yield headed(one_line(feature.id), _("no check is recorded"))
    if feature.moved_to and not quiet:
        words = _("its branch has moved on to {tip}, which was not proved").format(
            tip=feature.moved_to[:10]
        )
        yield style.paint(headed(one_line(feature.id), words), "yellow")
    if feature.log and any(check.differs for check in feature.checks):
        words = _("the output is in {path}").format(path=feature.log)
        yield headed(one_line(feature.id), one_line(words))


def _summary(proof: Proof) -> str:
    if not proof.features:
        return _("Nothing to prove: every completed feature has landed.")
    checks = [check for feature in proof.features for check in feature.checks]
    differing = sum(check.differs for check in checks)
    if not (checks or proof.differs):
        return _("Nothing is proved: there are no recorded checks.")
    said = counted(len(checks), "recorded check")
    if differing:
        return _("{checks}: {count} not as recorded").format(checks=said, count=differing)
    if proof.differs:
        return _("{checks}: all as recorded, but not everything could be proved").format(
            checks=said
        )
    return _("{checks}: all as recorded").format(checks=said)
