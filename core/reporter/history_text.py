"""The lines of `history`: past runs, sums by feature or tag, the accuracy of estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.moments import minute
from ..model.past_runs import Accuracy, PastFeature, PastRun, Total, total
from ..model.state import Move
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from ..model.words import counted, decimal, duration, money, percent
from .style import Style, columns, shorten, table_lines, table_width

SHORTEST = 8

DISPENSABLE = ("SLOTS", "SPEEDUP", "RUN", "RAN", N_("MEDIAN TIME"))
"""The columns that are left out where there is no room, in this order."""


def run_rows(runs: Sequence[PastRun], feature: str = "") -> list[list[str]]:
    """A row for each run, the newest at the bottom; of one ``feature`` only, if there is one."""
    rows = [
        [
            N_("STARTED"),
            N_("RUN"),
            N_("COMPLETED"),
            N_("TIME"),
            N_("COST"),
            N_("SPEEDUP"),
            N_("SLOTS"),
        ]
    ]
    for run in runs:
        completed = f"{run.completed}/{len(run.features)}"
        speedup, seconds, usd = (
            _("{speedup}x").format(speedup=decimal(str(run.speedup))),
            run.seconds,
            run.cost_usd,
        )
        if feature:
            [only] = (each for each in run.features if each.id == feature)
            completed, seconds, usd = _(only.status.replace("_", " ")), only.seconds, only.cost_usd
            speedup = ""
        elif run.exit_code is None:
            completed += _(" (no end)")
        rows.append(
            [
                minute(run.started_at),
                run.id,
                completed,
                duration(seconds),
                _cost(usd),
                speedup,
                str(run.slots),
            ]
        )
    return rows


def history_lines(runs: Sequence[PastRun], totals: Sequence[Total], style: Style) -> Iterator[str]:
    """The runs, their sum, and the medians by feature and by tag."""
    yield from table(run_rows(runs), style)
    yield ""
    yield summary(runs)
    if totals:
        yield ""
        yield from table(total_rows(totals, N_("FEATURE OR TAG")), style)


def summary(runs: Sequence[PastRun]) -> str:
    """All runs in a sentence."""
    features = [feature for run in runs for feature in run.features]
    count = total("", features)
    share = percent(count.completed / count.runs) if count.runs else _("none")
    return _("{runs}: {features} ran, {share} completed, {sum}").format(
        runs=counted(len(runs), "run"),
        features=counted(count.runs, "feature"),
        share=share,
        sum=_sum(count),
    )


def feature_lines(runs: Sequence[PastRun], feature: str, style: Style) -> Iterator[str]:
    """The runs of one feature, and its medians."""
    yield from table(run_rows(runs, feature), style)
    yield ""
    found = [each for run in runs for each in run.features if each.id == feature]
    yield from table(total_rows([total(feature, found)], N_("FEATURE")), style)


def landing_lines(moves: Sequence[Move], style: Style) -> Iterator[str]:
    """What was landed, and what of it was undone."""
    if not moves:
        return
    rows = [[N_("FEATURES"), N_("INTO"), N_("LANDED"), N_("UNDONE"), N_("MERGE")]]
    for move in moves:
        undone = "-" if move.undone_at is None else minute(move.undone_at)
        features = one_line(", ".join(move.landings))
        rows.append([features, one_line(move.into), minute(move.at), undone, move.merge])
    yield ""
    yield from table(rows, style)


def total_rows(totals: Sequence[Total], heading: str) -> list[list[str]]:
    """A row for each sum."""
    rows = [[heading, N_("RAN"), "COMPLETED", N_("MEDIAN TIME"), N_("MEDIAN COST"), "COST"]]
    for each in totals:
        seconds, usd = each.median_seconds, each.median_usd
        rows.append(
            [
                one_line(each.name),
                str(each.runs),
                percent(each.completed / each.runs) if each.runs else "-",
                "-" if seconds is None else duration(seconds),
                "-" if usd is None else money(usd),
                _sum(each),
            ]
        )
    return rows


def accuracy_lines(accuracies: Sequence[Accuracy], style: Style) -> Iterator[str]:
    """How far past estimates were off."""
    rows = [[N_("ESTIMATE"), N_("MEDIAN ERROR"), N_("FROM")]]
    nouns = {each.of: "run" if each.of.endswith("run") else "feature" for each in accuracies}
    for each in accuracies:
        error = "-" if each.error is None else percent(each.error)
        rows.append([_(each.of), error, counted(each.count, nouns[each.of])])
    yield from table(rows, style)


def table(rows: list[list[str]], style: Style) -> Iterator[str]:
    """A table that fits the width: without dispensable columns, with shorter names."""
    for name in DISPENSABLE:
        if table_width(rows) > style.width and name in rows[0]:
            left = rows[0].index(name)
            rows = [[cell for at, cell in enumerate(row) if at != left] for row in rows]
    excess = table_width(rows) - style.width
    if excess > 0:
        room = max(SHORTEST, max(columns(row[0]) for row in rows) - excess)
        rows = [[shorten(row[0], room, style), *row[1:]] for row in rows]
    heading, *rest = table_lines(rows)
    yield style.paint(heading, "bold")
    yield from rest


def _cost(usd: float | None) -> str:
    return "?" if usd is None else money(usd)


def _sum(given: Total) -> str:
    more = _(" and {unknown} unknown").format(unknown=given.unknown) if given.unknown else ""
    return money(given.cost_usd) + more


def by_run(run: PastRun, feature: PastFeature) -> list[str]:
    """The name of a run for sums."""
    return [f"{minute(run.started_at)}  {run.id}"]
