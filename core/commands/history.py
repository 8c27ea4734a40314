"""``history``: past runs, what they took and cost, and how good the estimates were."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ..model import past_runs as model
from ..model.errors import ExitCode, UserError
from ..model.past_runs import PastFeature, PastRun, Total
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..process.spawner import run_sync
from ..project.landings import document as landings_document
from ..project.landings import landings_of
from ..project.past import runs_of
from ..reporter import history_text
from ..reporter.style import Style, style_of
from .options import NO_LIST, add_common_options, opened_or_recorded, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model.state import Move

EXAMPLES = N_("""\
examples:
  rorchestrator history --since 30d
  rorchestrator history --feature api
  rorchestrator history --by tag
  rorchestrator history --accuracy
""")

UNTAGGED = N_("(no tag)")

MEDIANS_SHOWN = 20
"""How many features have their medians shown; --by feature shows all."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _("Show past runs: what completed, how long it took, what it cost.")
    parser.epilog = _(EXAMPLES)
    parser.add_argument("--feature", metavar="ID", help=_("only this feature"))
    parser.add_argument(
        "--since",
        type=seconds,
        metavar=_("TIME"),
        help=_("only runs since this long ago, such as 30d"),
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--by", choices=("feature", "run", "tag"), help=_("show sums by this instead")
    )
    chosen.add_argument(
        "--accuracy", action="store_true", help=_("show how far past estimates were off")
    )
    parser.add_argument(
        "--all-lists", action="store_true", help=_("include the repository's other lists")
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show the past runs."""
    project, fault = opened_or_recorded(arguments)
    runs = runs_of(project, all_lists=arguments.all_lists)
    runs = _chosen(runs, arguments.feature or "", arguments.since)
    moves = run_sync(landings_of(project, all_lists=arguments.all_lists))
    moves = _landed(moves, arguments.feature or "", arguments.since)
    if arguments.json:
        landings = landings_document(moves)
        print(json.dumps({**_document(runs, arguments.by), "landings": landings}, indent=2))
        return ExitCode.UP_TO_DATE
    if fault:
        print(one_line(_(NO_LIST).format(fault=shown(fault))), file=sys.stderr)
    style = style_of(sys.stdout, arguments.color)
    if not runs:
        print(_("No run has started yet.") if arguments.since is None else _("No run since then."))
    elif arguments.accuracy:
        print("\n".join(history_text.accuracy_lines(model.accuracies(runs), style)))
    elif arguments.by:
        rows = history_text.total_rows(_totals(runs, arguments.by), arguments.by.upper())
        print("\n".join(history_text.table(rows, style)))
    elif arguments.feature:
        lines = history_text.feature_lines(runs, arguments.feature, style)
        print("\n".join((*lines, *history_text.landing_lines(moves, style))))
    else:
        print("\n".join((*overview(runs, style), *history_text.landing_lines(moves, style))))
    return ExitCode.UP_TO_DATE


def overview(runs: list[PastRun], style: Style) -> Iterator[str]:
    """The lines of all runs: when nothing else was asked for."""
    medians = _totals(runs, "feature")[-MEDIANS_SHOWN:] + [
        total for total in _totals(runs, "tag") if total.name != _(UNTAGGED)
    ]
    return history_text.history_lines(runs, medians, style)


def _chosen(runs: list[PastRun], feature: str, since: float | None) -> list[PastRun]:
    """The runs of a feature, if one is named, and of the last ``since`` seconds."""
    if since is not None:
        runs = [run for run in runs if run.started_at >= time.time() - since]
    if not feature:
        return runs
    found = [run for run in runs if any(each.id == feature for each in run.features)]
    if not found:
        raise UserError(
            _("no run had a feature {feature!r}").format(feature=feature),
            hint="rorchestrator history",
        )
    return found


def _landed(moves: list[Move], feature: str, since: float | None) -> list[Move]:
    """The landings of a feature, if one is named, and of the last ``since`` seconds."""
    start = 0.0 if since is None else time.time() - since
    recent = (move for move in moves if max(move.at, move.undone_at or 0.0) >= start)
    return [move for move in recent if not feature or feature in move.landings]


def _totals(runs: list[PastRun], by: str) -> list[Total]:
    names = {
        "feature": lambda run, feature: [feature.id],
        "run": history_text.by_run,
        "tag": _tags,
    }
    return model.totals(runs, names[by])


def _tags(run: PastRun, feature: PastFeature) -> tuple[str, ...]:
    return feature.tags or (_(UNTAGGED),)


def _document(runs: list[PastRun], by: str | None) -> dict[str, object]:
    return {
        "runs": model.document(runs),
        "by": {
            name: [total.to_json() for total in _totals(runs, name)]
            for name in ([by] if by else ["feature", "tag"])
        },
        "accuracy": [each.to_json() for each in model.accuracies(runs)],
    }
