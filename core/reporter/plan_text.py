"""The lines of `plan`: waves, decisions, predicted time and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dag.prediction import Prediction, Source
from ..dag.schedule import Plan
from ..model.decision import Action, Decision
from ..model.excerpt import excerpt
from ..model.feature import Invocation, Purpose
from ..model.terminal_text import one_line
from ..model.words import counted, duration, money, tokens
from .style import Style

CAUGHT_SHOWN = 5
"""How many of the files that match a pattern are shown."""


def plan_lines(
    plan: Plan, style: Style, *, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The waves, then the totals: time, cost, commands, warnings.

    ``verbose`` adds details of each feature; ``quiet`` omits the waves.
    """
    yield style.paint(f"PLAN {one_line(plan.project)}", "bold")
    if plan.description:
        yield style.paint(one_line(excerpt(plan.description)), "dim")
    for number, wave in enumerate(() if quiet else plan.waves, 1):
        yield ""
        parallel = " [PARALLEL]" if len(wave) > 1 else ""
        yield style.paint(f"WAVE {number}{parallel}", "bold")
        for id in wave:
            yield _plan_feature(plan, id, style)
            if verbose:
                yield from _plan_details(plan, id, style)
    yield ""
    yield from _plan_totals(plan, style)
    for command in plan.commands:
        yield from command_lines(command, style, verbose=verbose)
    for warning in plan.warnings:
        yield style.paint(f"Warning: {one_line(warning)}", "yellow")


def _plan_details(plan: Plan, id: str, style: Style) -> Iterator[str]:
    feature = plan.features[id]
    details = {
        "branch": plan.branches[id],
        "prompt": feature.prompt_file or "in the list",
        "tags": ", ".join(feature.tags),
        "creates": ", ".join(feature.creates),
        "uses": ", ".join(feature.uses),
    }
    for name, value in details.items():
        if value:
            yield style.paint(f"  {style.pick('│', '|')}     {name}: {one_line(value)}", "dim")


def _plan_feature(plan: Plan, id: str, style: Style) -> str:
    feature = plan.features[id]
    needs = ""
    if feature.depends_on:
        needs = style.pick(" ← ", " <- ") + ", ".join(feature.depends_on)
    count = feature.estimated_tokens
    cost = f", {money(plan.cost_usd(count))}" if count is not None else ""
    known = plan.predictions.get(id)
    expected = f"{tokens(count)}{cost}"
    if known is not None and known.is_measured:
        expected = prediction_words(known)
    name = f": {one_line(feature.name)}" if feature.name != id else ""
    line = f"  {style.pick('│', '|')} {style.paint(id, 'cyan')}{name}{needs} ({expected})"
    return f"{line} {_decision(plan.decisions[id], style, selected=id in plan.selected)}"


SOURCES = {
    Source.FEATURE: "",
    Source.TAGS: " with its tags",
    Source.ALL: " of all features",
}


def prediction_words(known: Prediction) -> str:
    """A measured prediction in words: cost, time, and what they are made from."""
    runs = f"{counted(known.count, 'run')}{SOURCES[known.source]}"
    more = f", P90 {money(known.cost_p90_usd)}" if known.cost_p90_usd > known.cost_usd else ""
    return f"~{money(known.cost_usd)} from {runs}{more}; {duration(known.seconds)}"


def _decision(decision: Decision, style: Style, *, selected: bool) -> str:
    if decision.action is Action.SKIP:
        return style.paint(f"[{decision.reason}]", "green")
    if decision.action is Action.LEAVE:
        return style.paint(f"[{decision.reason}]", "dim")
    if not selected:
        return style.paint(f"[{decision.reason}, not selected]", "dim")
    verb = "resumes: " if decision.action is Action.RESUME else ""
    return style.paint(f"[{verb}{decision.reason}]", "yellow")


def _plan_totals(plan: Plan, style: Style) -> Iterator[str]:
    total = plan.estimated_tokens if plan.unestimated < len(plan.features) else None
    missing = f" ({plan.unestimated} without an estimate)" if plan.unestimated else ""
    dash = style.pick("–", "-")
    yield f"{counted(len(plan.features), 'feature')}, {counted(len(plan.waves), 'wave')}"
    if not plan.selected:
        yield _nothing_to_run(plan, style)
        return
    cost = "" if total is None else f", {money(plan.cost_usd(total))}"
    yield f"Estimated: {tokens(total)}{cost}{missing}"
    if plan.max_cost_usd is not None:
        yield f"Budget: {money(plan.max_cost_usd)}"
    given = (("Copied", plan.copied), ("Linked", plan.linked))
    for how, all in given:
        if all:
            shown = (_pattern(each, plan.caught.get(each, (each,))) for each in all)
            yield one_line(f"{how}: {', '.join(shown)}")
    arrow = style.pick(" → ", " -> ")
    yield f"Critical path: {arrow.join(plan.critical_path)}"
    timeline = plan.timeline
    slots = counted(plan.max_parallel, "slot")
    speedup = f"speedup {timeline.speedup:.2f}x"
    if total is None and not plan.is_measured:
        yield f"Predicted: {speedup} on {slots} (without estimates all features count the same)"
    else:
        yield (
            f"Predicted: {duration(timeline.makespan_seconds)} on {slots}, "
            f"{duration(timeline.sequential_seconds)} one after the other {dash} {speedup}"
        )
    if plan.is_measured:
        p90 = f"P90 {money(plan.predicted_cost_p90_usd)}, {duration(plan.predicted_p90_seconds)}"
        error = plan.past_error
        said = "" if error is None else f"; past predictions were off by {100 * error:.0f} %"
        yield f"From past runs: ~{money(plan.predicted_cost_usd)} ({p90}{said})"
    count = tokens_to_run(plan)
    if len(plan.selected) < len(plan.features):
        chosen = f"{len(plan.selected)} of {counted(len(plan.features), 'feature')}"
        cost = "" if count is None else f", {money(plan.cost_usd(count))}"
        yield f"To run: {chosen}, {tokens(count)}{cost}"
    cap, usd = plan.max_cost_usd, expected_usd(plan)
    if cap is not None and usd is not None and usd > cap:
        text = f"the estimate of {money(usd)} exceeds the budget of {money(cap)}"
        yield style.paint(f"Warning: {text}: not every feature may run", "yellow")


def _pattern(pattern: str, names: Sequence[str]) -> str:
    """A pattern of ``copy`` or ``link``, with the files that match it."""
    if list(names) in ([pattern], []):
        return pattern
    more = f" and {len(names) - CAUGHT_SHOWN} more" if len(names) > CAUGHT_SHOWN else ""
    return f"{pattern} ({', '.join(names[:CAUGHT_SHOWN])}{more})"


def run_question(plan: Plan, repository: str, base: str) -> str:
    """The question before a run: where, from which commit, at what cost."""
    usd = expected_usd(plan)
    about = "cost unknown" if usd is None else f"about {money(usd)}"
    cap = "no budget (--max-cost)"
    if plan.max_cost_usd is not None:
        cap = f"at most {money(plan.max_cost_usd)}"
    features = counted(len(plan.selected), "feature")
    return f"Run {features} in {repository} from {base}: {about}, {cap}?"


def _nothing_to_run(plan: Plan, style: Style) -> str:
    actions = {decision.action for decision in plan.decisions.values()}
    if Action.LEAVE in actions:
        what = "Only skipped features, and what depends on them, are left: rorchestrator retry ID"
        return style.paint(what, "yellow")
    what = "Everything" if actions == {Action.SKIP} else "The selection"
    return style.paint(f"{what} is up to date: run would do nothing.", "green")


def command_lines(command: Invocation, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """A command of the list; ``verbose`` shows Claude's arguments that every list has."""
    import shlex

    if command.purpose is Purpose.CLAUDE:
        name, words = "Runs", command.argv if verbose else command.brief
        line = " ".join(map(shlex.quote, words))
    else:
        name, line = f"Runs {command.purpose.value}", command.brief[0]
    what = f" ({one_line(', '.join(command.features))})" if command.features else ""
    yield f"{name}{what}: {one_line(line)}"
    for name, value in command.env.items():
        yield f"  with {one_line(f'{name}={shlex.quote(value)}')}"
    if command.bypass:
        places = one_line(", ".join(command.bypass))
        sign = style.pick("⚠", "[!]")
        yield style.paint(
            f"  {sign} its permission checks are off ({places}): --allow-bypass", "red"
        )


def expected_usd(plan: Plan) -> float | None:
    """What the selected features will cost: measured, else estimated; ``None`` if unknown."""
    if plan.is_measured:
        return plan.predicted_cost_usd
    count = tokens_to_run(plan)
    return None if count is None else plan.cost_usd(count)


def tokens_to_run(plan: Plan) -> int | None:
    """Sum of the estimates of the features that would run; ``None`` if there are none."""
    estimates = [plan.features[id].estimated_tokens for id in plan.selected]
    known = [count for count in estimates if count is not None]
    return sum(known) if known else None
