"""The lines of `plan`: waves, decisions, predicted time and cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dag.prediction import Prediction, Source
from ..dag.schedule import Plan
from ..model.decision import Action, Decision
from ..model.excerpt import excerpt
from ..model.feature import Invocation, Purpose
from ..model.terminal_text import one_line, quoted
from ..model.translate import N_, _, shown
from ..model.words import counted, decimal, duration, headed, limit, money, percent, tokens
from .style import Style

CAUGHT_SHOWN = 5
"""How many of the files that match a pattern are shown."""


def plan_lines(
    plan: Plan, style: Style, *, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The waves, then the totals: time, cost, commands, warnings.

    ``verbose`` adds details of each feature; ``quiet`` omits the waves.
    """
    yield style.paint(_("PLAN {project}").format(project=one_line(plan.project)), "bold")
    if plan.description:
        yield style.paint(one_line(excerpt(plan.description)), "dim")
    for number, wave in enumerate(() if quiet else plan.waves, 1):
        yield ""
        title = _("WAVE {number} [PARALLEL]") if len(wave) > 1 else _("WAVE {number}")
        yield style.paint(title.format(number=number), "bold")
        for id in wave:
            yield _plan_feature(plan, id, style)
            if verbose:
                yield from _plan_details(plan, id, style)
    yield ""
    yield from _plan_totals(plan, style)
    for command in plan.commands:
        yield from command_lines(command, style, verbose=verbose)
    if plan.setup_cache:
        yield _("Setup is skipped where cached folders can be used: {patterns}").format(
            patterns=one_line(", ".join(plan.setup_cache))
        )
    for warning in plan.warnings:
        yield style.paint(
            _("Warning: {warning}").format(warning=one_line(shown(warning))), "yellow"
        )


def _plan_details(plan: Plan, id: str, style: Style) -> Iterator[str]:
    feature = plan.features[id]
    details = {
        _("branch"): plan.branches[id],
        _("prompt"): feature.prompt_file or _("in the list"),
        _("tags"): ", ".join(feature.tags),
        "creates": ", ".join(feature.creates),
        "uses": ", ".join(feature.uses),
    }
    for name, value in details.items():
        if value:
            yield style.paint(
                f"  {style.pick('│', '|')}     {headed(name, one_line(value))}", "dim"
            )


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
    name = style.paint(id, "cyan")
    if feature.name != id:
        name = headed(name, one_line(feature.name))
    line = f"  {style.pick('│', '|')} {name}{needs} ({expected})"
    return f"{line} {_decision(plan.decisions[id], style, selected=id in plan.selected)}"


SOURCES = {
    Source.FEATURE: "",
    Source.TAGS: N_(" with its tags"),
    Source.ALL: N_(" of all features"),
}


def prediction_words(known: Prediction) -> str:
    """A measured prediction in words: cost, time, and what they are made from."""
    runs = f"{counted(known.count, 'run')}{_(SOURCES[known.source])}"
    more = f", P90 {money(known.cost_p90_usd)}" if known.cost_p90_usd > known.cost_usd else ""
    return _("~{cost} from {runs}{more}; {time}").format(
        cost=money(known.cost_usd), runs=runs, more=more, time=duration(known.seconds)
    )


def _decision(decision: Decision, style: Style, *, selected: bool) -> str:
    if decision.action is Action.SKIP:
        return style.paint(f"[{shown(decision.reason)}]", "green")
    if decision.action is Action.LEAVE:
        return style.paint(f"[{shown(decision.reason)}]", "dim")
    if not selected:
        return style.paint(
            _("[{reason}, not selected]").format(reason=shown(decision.reason)), "dim"
        )
    verb = _("resumes: ") if decision.action is Action.RESUME else ""
    return style.paint(f"[{verb}{shown(decision.reason)}]", "yellow")


def _plan_totals(plan: Plan, style: Style) -> Iterator[str]:
    total = plan.estimated_tokens if plan.unestimated < len(plan.features) else None
    missing = (
        _(" ({unestimated} without an estimate)").format(unestimated=plan.unestimated)
        if plan.unestimated
        else ""
    )
    dash = style.pick("–", "-")
    yield f"{counted(len(plan.features), 'feature')}, {counted(len(plan.waves), 'wave')}"
    if not plan.selected:
        yield _nothing_to_run(plan, style)
        return
    cost = "" if total is None else f", {money(plan.cost_usd(total))}"
    yield _("Estimated: {tokens}{cost}{missing}").format(
        tokens=tokens(total), cost=cost, missing=missing
    )
    if plan.max_cost_usd is not None:
        yield _("Budget: {cost}").format(cost=money(plan.max_cost_usd))
    given = ((_("Copied"), plan.copied), (_("Linked"), plan.linked))
    for how, all in given:
        if all:
            names = (_pattern(each, plan.caught.get(each, (each,))) for each in all)
            yield one_line(headed(how, ", ".join(names)))
    arrow = style.pick(" → ", " -> ")
    yield _("Critical path: {critical_path}").format(critical_path=arrow.join(plan.critical_path))
    timeline = plan.timeline
    slots = counted(plan.max_parallel, "slot")
    speedup = _("speedup {factor}x").format(factor=decimal(f"{timeline.speedup:.2f}"))
    if total is None and not plan.is_measured:
        yield _(
            "Predicted: {speedup} on {slots} (without estimates all features count the same)"
        ).format(speedup=speedup, slots=slots)
    else:
        yield (
            _(
                "Predicted: {time} on {slots}, {sequential} one after the other {dash} {speedup}"
            ).format(
                time=duration(timeline.makespan_seconds),
                slots=slots,
                sequential=duration(timeline.sequential_seconds),
                dash=dash,
                speedup=speedup,
            )
        )
    if plan.is_measured:
        p90 = f"P90 {money(plan.predicted_cost_p90_usd)}, {duration(plan.predicted_p90_seconds)}"
        error = plan.past_error
        said = (
            ""
            if error is None
            else _("; past predictions were off by {share}").format(share=percent(error))
        )
        yield _("From past runs: ~{cost} ({p90}{said})").format(
            cost=money(plan.predicted_cost_usd), p90=p90, said=said
        )
    count = tokens_to_run(plan)
    if len(plan.selected) < len(plan.features):
        chosen = _("{count} of {features}").format(
            count=len(plan.selected), features=counted(len(plan.features), "feature")
        )
        cost = "" if count is None else f", {money(plan.cost_usd(count))}"
        yield _("To run: {chosen}, {tokens}{cost}").format(
            chosen=chosen, tokens=tokens(count), cost=cost
        )
    cap, usd = plan.max_cost_usd, expected_usd(plan)
    if cap is not None and usd is not None and usd > cap:
        text = _(
            "Warning: the estimate of {cost} exceeds the budget of {budget}: "
            "not every feature may run"
        )
        yield style.paint(text.format(cost=money(usd), budget=money(cap)), "yellow")


def _pattern(pattern: str, names: Sequence[str]) -> str:
    """A pattern of ``copy`` or ``link``, with the files that match it."""
    if list(names) in ([pattern], []):
        return pattern
    more = (
        _(" and {count} more").format(count=len(names) - CAUGHT_SHOWN)
        if len(names) > CAUGHT_SHOWN
        else ""
    )
    return f"{pattern} ({', '.join(names[:CAUGHT_SHOWN])}{more})"


def run_question(plan: Plan, repository: str, base: str) -> str:
    """The question before a run: where, from which commit, at what cost."""
    usd = expected_usd(plan)
    about = _("cost unknown") if usd is None else _("about {cost}").format(cost=money(usd))
    cap = _("no budget (--max-cost)")
    if plan.max_cost_usd is not None:
        cap = _("at most {cost}").format(cost=limit(plan.max_cost_usd))
    features = counted(len(plan.selected), "feature")
    return _("Run {features} in {repository} from {base}: {about}, {budget}?").format(
        features=features, repository=repository, base=base, about=about, budget=cap
    )


def _nothing_to_run(plan: Plan, style: Style) -> str:
    actions = {decision.action for decision in plan.decisions.values()}
    if Action.LEAVE in actions:
        what = _(
            "Only skipped features, and what depends on them, are left: rorchestrator retry ID"
        )
        return style.paint(what, "yellow")
    what = _("The selection is up to date: run would do nothing.")
    if actions == {Action.SKIP}:
        what = _("Everything is up to date: run would do nothing.")
    return style.paint(what, "green")


def command_lines(command: Invocation, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """A command of the list; ``verbose`` shows Claude's arguments that every list has."""
    if command.purpose is Purpose.CLAUDE:
        name, words = _("Runs"), command.argv if verbose else command.brief
        line = " ".join(map(quoted, words))
    else:
        name, line = _("Runs {purpose}").format(purpose=command.purpose.value), command.brief[0]
    what = f" ({one_line(', '.join(command.features))})" if command.features else ""
    yield _("{what}: {line}").format(what=f"{name}{what}", line=one_line(line))
    for name, value in command.env.items():
        yield _("  with {value}").format(value=one_line(f"{name}={quoted(value)}"))
    if command.bypass:
        places = one_line(", ".join(command.bypass))
        sign = style.pick("⚠", "[!]")
        yield style.paint(
            _("  {sign} its permission checks are off ({places}): --allow-bypass").format(
                sign=sign, places=places
            ),
            "red",
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
