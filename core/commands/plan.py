"""``plan``: shows what a run would do and why, its time and its cost; changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ..model.errors import ExitCode
from ..model.frozen import replace
from ..model.translate import N_, _
from ..model.words import thousands
from ..project import lists
from ..project.decisions import answer_file, apply_skips, decide, make_plan
from ..project.selection import select
from ..project.warnings import check_supplies
from .options import (
    add_common_options,
    add_selection_options,
    dollars,
    file_path,
    opened,
    selection_of,
    until,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ..dag.deadline import Reachable
    from ..dag.prediction import Prediction
    from ..dag.schedule import Plan
    from ..dag.what_if import Choice
    from ..model.feature import Invocation
    from ..project.open import OpenProject

EXAMPLES = N_("""\
examples:
  rorchestrator plan
  rorchestrator plan --json | python3 -m json.tool
  rorchestrator plan --dot | dot -Tsvg > plan.svg
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _("Show what run would do. Starts nothing and changes nothing.")
    parser.epilog = _(EXAMPLES)
    add_selection_options(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("print the plan as one JSON object"))
    form.add_argument(
        "--mermaid", action="store_true", help=_("print the graph of the features for Mermaid")
    )
    form.add_argument(
        "--dot", action="store_true", help=_("print the graph of the features for Graphviz (DOT)")
    )
    form.add_argument(
        "--svg",
        type=file_path,
        metavar=_("FILE"),
        help=_("write the graph of the features as a picture; - is stdout"),
    )
    parser.add_argument(
        "--what-if",
        action="store_true",
        help=_("compare the predicted time and cost with other numbers of slots"),
    )
    parser.add_argument(
        "--by",
        type=until,
        metavar=_("TIME"),
        help=_("show what will be done by then, such as 18:00 or 3h, and with what confidence"),
    )
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("budget of the run, instead of project.max_cost_usd"),
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show the plan."""
    from ..reporter.plan_text import plan_lines
    from ..reporter.style import style_of

    project = opened(arguments)
    whole = project.whole_state()
    state = project.seen(whole)
    project = apply_skips(project, state)
    answers = answer_file(project, state) if state.features else None
    selection = selection_of(arguments)
    decisions = decide(project, state, selection, hashed=bool(state.features))
    if answers is not None:
        answers.write(project.git.answers)
    selected = select(selection, project.dag, decisions)
    lists.check(project, whole, decisions, selected)
    if selected:
        check_supplies(project)
    slots = arguments.max_parallel or project.config.project.max_parallel
    plan = make_plan(project, decisions, slots, selected, state=state)
    plan = replace(plan, max_cost_usd=arguments.max_cost or plan.max_cost_usd)
    if arguments.json:
        print(json.dumps(document(plan, what_if=arguments.what_if, by=arguments.by), indent=2))
        return ExitCode.UP_TO_DATE
    if arguments.mermaid or arguments.dot or arguments.svg:
        skipped = {id for id, known in state.features.items() if known.skip}
        _draw(project, plan, skipped, arguments)
        return ExitCode.UP_TO_DATE
    style = style_of(sys.stdout, arguments.color)
    if not plan.selected and (arguments.what_if or arguments.by is not None):
        print(_("Nothing would run. With --fresh, all features count."))
        return ExitCode.UP_TO_DATE
    if arguments.by is not None:
        from ..reporter.deadline_text import deadline_lines

        found, at = _reachable(plan, arguments.by), time.time() + arguments.by
        print("\n".join(deadline_lines(plan, found, at, arguments.by, style)))
        return ExitCode.UP_TO_DATE
    if arguments.what_if:
        from ..reporter.what_if_text import what_if_lines

        print("\n".join(what_if_lines(plan, _choices(plan), style)))
        return ExitCode.UP_TO_DATE
    lines = plan_lines(plan, style, verbose=arguments.verbose, quiet=arguments.quiet)
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.UP_TO_DATE


def _draw(
    project: OpenProject, plan: Plan, skipped: Collection[str], arguments: argparse.Namespace
) -> None:
    """Draw the graph of the features, as a picture or as text for another tool."""
    from ..views import plan_graph

    nodes = plan_graph.nodes_of_plan(plan, skipped, project.mask)
    if arguments.svg:
        from ..project.output_path import check_output_path
        from ..views.output_file import print_or_write
        from ..views.plan_svg import plan_svg

        check_output_path(project, "--svg", arguments.svg)
        print_or_write("--svg", arguments.svg, plan_svg(nodes))
        return
    text = plan_graph.mermaid(nodes) if arguments.mermaid else plan_graph.dot(nodes)
    sys.stdout.write(text)
    if arguments.mermaid and not plan_graph.is_drawn_by_mermaid(nodes, text):
        print(
            _(
                "Mermaid draws at most {most_edges} edges and {most_characters} "
                "characters; this graph has more. --dot has no limit."
            ).format(
                most_edges=plan_graph.MOST_EDGES,
                most_characters=thousands(plan_graph.MOST_CHARACTERS),
            ),
            file=sys.stderr,
        )


def _reachable(plan: Plan, seconds: float) -> Reachable:
    """Which of the features that would run are done in so many seconds."""
    from ..dag.deadline import reachable
    from ..dag.resolver import DAGResolver

    dag = DAGResolver(feature for id, feature in plan.features.items() if id in plan.selected)
    return reachable(dag, plan.predictions, plan.max_parallel, seconds, plan.max_cost_usd)


def _choices(plan: Plan) -> list[Choice]:
    """The predicted times with other numbers of slots; of the whole list if nothing would run."""
    from ..dag.resolver import DAGResolver
    from ..dag.what_if import choices

    chosen = plan.selected or plan.features.keys()
    dag = DAGResolver(feature for id, feature in plan.features.items() if id in chosen)
    return choices(dag, {id: each.seconds for id, each in plan.predictions.items()})


def _what_if(plan: Plan) -> dict[str, object]:
    from ..dag.what_if import enough

    found = _choices(plan)
    return {"choices": [vars(each).copy() for each in found], "enough": enough(found).slots}


def _by(plan: Plan, seconds: float) -> dict[str, object] | None:
    if not plan.selected:
        return None
    return {"seconds": seconds, **vars(_reachable(plan, seconds))}


def document(plan: Plan, *, what_if: bool = False, by: float | None = None) -> dict[str, object]:
    """The plan as JSON: costs in USD, times in seconds."""
    from ..reporter.plan_text import tokens_to_run

    timeline, to_run = plan.timeline, tokens_to_run(plan)
    return {
        "project_name": plan.project,
        "description": plan.description,
        "total_features": len(plan.features),
        "total_waves": len(plan.waves),
        "max_parallel": plan.max_parallel,
        "estimated_tokens": plan.estimated_tokens,
        "features_without_estimate": plan.unestimated,
        "estimated_cost_usd": plan.cost_usd(plan.estimated_tokens),
        "usd_per_million_tokens": plan.usd_per_million_tokens,
        "max_cost_usd": plan.max_cost_usd,
        "features_to_run": [id for wave in plan.waves for id in wave if id in plan.selected],
        "estimated_tokens_to_run": to_run,
        "estimated_cost_to_run_usd": None if to_run is None else plan.cost_usd(to_run),
        "critical_path": list(plan.critical_path),
        "predicted_seconds": timeline.makespan_seconds,
        "predicted_p90_seconds": plan.predicted_p90_seconds if plan.is_measured else None,
        "predicted_cost_usd": plan.predicted_cost_usd if plan.is_measured else None,
        "predicted_cost_p90_usd": plan.predicted_cost_p90_usd if plan.is_measured else None,
        "past_prediction_error": plan.past_error,
        "predicted_sequential_seconds": timeline.sequential_seconds,
        "predicted_speedup": timeline.speedup,
        "waves": [list(wave) for wave in plan.waves],
        "copy": list(plan.copied),
        "link": list(plan.linked),
        "setup_cache": list(plan.setup_cache),
        "caught": {pattern: list(names) for pattern, names in plan.caught.items()},
        "warnings": list(plan.warnings),
        "commands": [_command(command) for command in plan.commands],
        "features": [_feature(plan, id) for wave in plan.waves for id in wave],
        **({"what_if": _what_if(plan)} if what_if else {}),
        **({"by": _by(plan, by)} if by is not None else {}),
    }


def _command(command: Invocation) -> dict[str, object]:
    return {
        "purpose": command.purpose.value,
        "argv": list(command.argv),
        "env": dict(command.env),
        "features": list(command.features) or "all",
        "bypass": list(command.bypass),
    }


def _feature(plan: Plan, id: str) -> dict[str, object]:
    feature, decision = plan.features[id], plan.decisions[id]
    tokens = feature.estimated_tokens
    return {
        "id": id,
        "name": feature.name,
        "depends_on": list(feature.depends_on),
        "tags": list(feature.tags),
        "branch": plan.branches[id],
        "estimated_tokens": tokens,
        "estimated_cost_usd": None if tokens is None else plan.cost_usd(tokens),
        "max_cost_usd": feature.max_cost_usd,
        "creates": list(feature.creates),
        "uses": list(feature.uses),
        "action": decision.action.value,
        "reason": decision.reason,
        "selected": id in plan.selected,
        "predicted_start_seconds": plan.timeline.starts.get(id),
        "prediction": _prediction(plan.predictions[id]),
    }


def _prediction(made: Prediction) -> dict[str, object]:
    return {
        "seconds": made.seconds,
        "seconds_p90": made.seconds_p90,
        "cost_usd": made.cost_usd,
        "cost_p90_usd": made.cost_p90_usd,
        "from": made.source.value,
        "runs": made.count,
    }
