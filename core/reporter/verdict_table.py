"""The verdict table: what the checks of a feature proved, for terminals, Markdown and JSON.

Every view and every pull request shows this table. It is empty for journals of versions that gave
no verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model.check_verdict import CheckVerdict, Scope, Verdict
from ..model.json_values import Json
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import counted
from .markdown_text import code, escaped
from .style import Style, columns, fitted, shorten, table_lines

MEANINGS = {
    Verdict.MISSING: N_("the feature's own check fails"),
    Verdict.BROKEN: N_("passed at the start commit, fails at the result"),
    Verdict.FLAKY: N_("failed, then passed on the same tree"),
    Verdict.NOT_YOURS: N_("failed at the start commit, too"),
    Verdict.NOT_LOOKED_AT: N_("not run at the start commit"),
    Verdict.PROVED: N_("failed at the start commit, passes now"),
    Verdict.KEPT: N_("passed at the start commit, and passes now"),
}
"""What each verdict says, in the order of the rows: what needs a look comes first."""

FAILING = frozenset(verdict for verdict in Verdict if not verdict.passes)
"""The verdicts on checks that fail at the result."""

SOUND = frozenset({Verdict.PROVED, Verdict.KEPT})
"""The verdicts that need no further look."""

COLOURS = {
    **dict.fromkeys(FAILING, "red"),
    Verdict.NOT_YOURS: "yellow",
    Verdict.FLAKY: "yellow",
    Verdict.NOT_LOOKED_AT: "dim",
    **dict.fromkeys(SOUND, "green"),
}

MARKS = {
    **dict.fromkeys(FAILING, "❌"),
    Verdict.NOT_YOURS: "➖",
    Verdict.FLAKY: "⚠️",
    Verdict.NOT_LOOKED_AT: "➖",
    **dict.fromkeys(SOUND, "✅"),
}

HEADING = (N_("feature"), N_("verdict"), N_("check"), N_("at the start"), N_("now"))

PASSED = (N_("passed"), N_("ended with exit {code}").format(code=0))
"""The endings of a check that passed, as they are recorded."""

STYLE = Style()
"""Of Markdown."""

LEAST = {2: 16, 3: 20, 4: 20}
"""How many columns a check and its endings keep, however narrow the terminal is."""

CHECK_CHARACTERS = 100
ENDING_CHARACTERS = 60
FILES = 10
ROWS = 50
"""The most that a table shows; JSON has all."""

MARKDOWN_CHARACTERS = 20_000
"""The most of a table as Markdown: GitHub takes 65,536 characters for all of a pull request."""


def in_order(verdicts: Iterable[CheckVerdict]) -> list[CheckVerdict]:
    """The rows: what needs a look comes first, and a feature's own checks before the project's."""
    return sorted(verdicts, key=place)


def place(row: CheckVerdict) -> tuple[int, bool]:
    """Where its row is."""
    return list(MEANINGS).index(row.verdict), row.scope is Scope.PROJECT


def ending_words(ending: str, style: Style) -> str:
    """How a check ended, in the language of the user; a dash if it did not run."""
    if ending in PASSED:
        return _("passed")
    words = one_line(shown(ending))
    return shorten(words, ENDING_CHARACTERS, style) or style.pick("–", "-")


# -- for a terminal -----------------------------------------------------------------------------


def verdict_lines(verdicts: Iterable[CheckVerdict], style: Style) -> Iterator[str]:
    """The table of one feature, with the added tests that prove nothing below it."""
    rows = in_order(verdicts)
    yield from _table([("", each) for each in rows], style, named=False)
    yield from _notes(rows, style)


def run_verdict_lines(
    features: Iterable[tuple[str, Iterable[CheckVerdict]]], style: Style, *, is_whole: bool
) -> Iterator[str]:
    """One table for all features of a run, by their ids.

    What is proved or kept is left out unless it ``is_whole``, and if the table would be long.
    """
    given = [(id, each) for id, verdicts in features for each in in_order(verdicts)]
    rows = given
    if not is_whole or len(rows) > ROWS:
        rows = [row for row in given if row[1].verdict not in SOUND][:ROWS]
    yield from _table(rows, style, named=True)
    if is_whole and len(rows) < len(given):
        more = counted(len(given) - len(rows), "more check")
        yield _("and {more}: --json has all").format(more=more)
    yield from _notes([each for __, each in given], style)


def verdict_counts(verdicts: Iterable[CheckVerdict]) -> str:
    """How many checks have each verdict: ``2 proved, 1 kept``; empty without verdicts."""
    counts: dict[str, int] = {}
    for row in in_order(verdicts):
        name = _(row.verdict.value)
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(
        _("{count} {status}").format(count=count, status=name) for name, count in counts.items()
    )


def _table(rows: Sequence[tuple[str, CheckVerdict]], style: Style, *, named: bool) -> Iterator[str]:
    if not rows:
        return
    cells = [list(HEADING), *([one_line(id), *_cells(each, style)] for id, each in rows)]
    first = 0 if named else 1

    def paint(number: int, column: int, cell: str) -> str:
        if number == 0:
            return style.paint(cell, "bold")
        verdict = rows[number - 1][1].verdict
        return style.paint(cell, COLOURS[verdict]) if column == 1 - first else cell

    least = {at - first: width for at, width in LEAST.items()}
    yield from table_lines(fitted([row[first:] for row in cells], style, least, shorter), paint)


def shorter(cell: str, width: int, style: Style) -> str:
    """A cell of the table, cut; the name of a check still says that it is the project's."""
    tail = _("{check} (project)").format(check="")
    if columns(cell) <= width or not cell.endswith(tail):
        return shorten(cell, width, style)
    return shorten(cell[: -len(tail)], width - columns(tail), style) + tail


def _cells(row: CheckVerdict, style: Style) -> list[str]:
    check = shorten(one_line(row.check), CHECK_CHARACTERS, style)
    endings = (ending_words(each, style) for each in (row.before, row.after))
    return [_(row.verdict.value), whose(row, check), *endings]


def whose(row: CheckVerdict, check: str) -> str:
    """The name of a check as it is shown, with a word if it is the project's."""
    return check if row.scope is Scope.OWN else _("{check} (project)").format(check=check)


def _notes(rows: Iterable[CheckVerdict], style: Style) -> Iterator[str]:
    for note in proving_nothing(rows):
        yield style.paint(one_line(note), "yellow")


def proving_nothing(rows: Iterable[CheckVerdict]) -> list[str]:
    """A sentence for each added test file that passes at the start commit, too."""
    files = files_in(rows)
    said = [
        _("{file} proves nothing: it passes without the change, too").format(file=file)
        for file in files[:FILES]
    ]
    more = len(files) - len(said)
    if more:
        said.append(_("and {more}").format(more=counted(more, "more file")))
    return said


def files_in(rows: Iterable[CheckVerdict]) -> list[str]:
    """The added tests that prove nothing."""
    return list(dict.fromkeys(file for row in rows for file in row.proves_nothing))


# -- for Markdown -------------------------------------------------------------------------------


def verdict_markdown(
    verdicts: Iterable[CheckVerdict], *, characters: int = MARKDOWN_CHARACTERS
) -> Iterator[str]:
    """The table of one feature as GitHub-flavoured Markdown, which hostile names can't break.

    It is not much longer than ``characters``.
    """
    rows = in_order(verdicts)
    if not rows:
        return
    yield _("| verdict | check | at the start | now |")
    yield "|---|---|---|---|"
    lines = [f"| {' | '.join(_markdown_cells(row))} |" for row in rows]
    shown_rows = _fitting(lines, characters)
    yield from lines[:shown_rows]
    if shown_rows < len(lines):
        yield f"| {counted(len(lines) - shown_rows, 'more check')} | | | |"
    yield from _markdown_notes(rows)


def run_verdict_markdown(
    features: Iterable[tuple[str, Iterable[CheckVerdict]]], *, characters: int
) -> Iterator[str]:
    """One table for all features of a run, by their ids; not much longer than ``characters``.

    If there is no room for all, what is proved or kept goes first.
    """
    given = [(id, each) for id, verdicts in features for each in in_order(verdicts)]
    if not given:
        return
    yield _("| feature | verdict | check | at the start | now |")
    yield "|---|---|---|---|---|"
    lines = [f"| {code(id)} | {' | '.join(_markdown_cells(row))} |" for id, row in given]
    if _fitting(lines, characters) < len(lines):
        lines = [line for line, (__, row) in zip(lines, given) if row.verdict not in SOUND]
    lines = lines[: _fitting(lines, characters)]
    yield from lines
    if len(lines) < len(given):
        yield f"| {counted(len(given) - len(lines), 'more check')} | | | | |"
    yield from _markdown_notes([row for __, row in given])


def _fitting(lines: Sequence[str], characters: int) -> int:
    """How many of the lines fit, at most :data:`ROWS`."""
    room = characters
    for number, line in enumerate(lines[:ROWS]):
        room -= len(line)
        if room < 0:
            return number
    return min(len(lines), ROWS)


def _markdown_notes(rows: Iterable[CheckVerdict]) -> Iterator[str]:
    files = files_in(rows)
    if not files:
        return
    yield ""
    yield _("These added tests prove nothing: they pass without the change, too.")
    yield ""
    yield from (
        f"- {code(shorten(one_line(file), CHECK_CHARACTERS, STYLE))}" for file in files[:FILES]
    )
    if len(files) > FILES:
        yield f"- {counted(len(files) - FILES, 'more file')}"


def _markdown_cells(row: CheckVerdict) -> list[str]:
    check = code(shorten(one_line(row.check), CHECK_CHARACTERS, STYLE))
    endings = (escaped(ending_words(each, STYLE)) for each in (row.before, row.after))
    return [f"{MARKS[row.verdict]} {_(row.verdict.value)}", whose(row, check), *endings]


# -- for JSON -----------------------------------------------------------------------------------


def verdict_document(verdicts: Iterable[CheckVerdict]) -> list[Json]:
    """The rows of one feature for a JSON report."""
    return [
        {
            "check": row.check,
            "scope": row.scope.value,
            "verdict": row.verdict.value,
            "commit": row.commit,
            "before": row.before,
            "after": row.after,
            "proves_nothing": list(row.proves_nothing),
        }
        for row in in_order(verdicts)
    ]
