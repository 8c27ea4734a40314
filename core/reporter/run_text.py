"""Everything that a terminal shows, as lines: of a plan, an event, a run, a stream.

Text that comes from outside – names, prompts, what Claude or git said – goes through
:func:`~core.terminal.clean`, so that no control character of theirs reaches the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ..dag.schedule import Plan
from ..model.costs import SHARE, dollars
from ..model.events import Event
from ..model.excerpt import excerpt, some
from ..model.feature import Action, Decision, Fault, Invocation, Status
from ..model.frozen import dataclass
from ..model.state import FeatureState, RunState, cost_of
from ..model.terminal_text import clean, one_line, painted


@dataclass(frozen=True)
class Style:
    """What the stream that the lines go to can show."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    def paint(self, text: str, code: str) -> str:
        """``text`` in a colour of :data:`CODES`, where there are colours."""
        return painted(text, code) if self.colour and text else text

    def pick(self, glyph: str, ascii: str) -> str:
        """The glyph, or its ASCII form where the stream can't encode it."""
        return glyph if self.unicode else ascii


_GLYPHS = {
    Status.COMPLETED: ("✅", "[ok]", "green"),
    Status.FAILED: ("❌", "[failed]", "red"),
    Status.TIMED_OUT: ("⏰", "[timed out]", "red"),
    Status.EMPTY: ("⭕", "[empty]", "yellow"),
    Status.CONFLICT: ("⚡", "[conflict]", "red"),
    Status.BLOCKED: ("⛔", "[blocked]", "yellow"),
    Status.CANCELLED: ("🛑", "[cancelled]", "yellow"),
    Status.SKIPPED: ("⏭", "[skipped]", "yellow"),
}


CAUGHT_SHOWN = 5
"""How much of what a pattern catches is shown."""


def columns(text: str) -> int:
    """How wide a terminal shows ``text``: CJK and emoji take two columns, accents none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    import unicodedata

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def shorten(text: str, width: int, style: Style) -> str:
    """``text`` cut to ``width`` columns, with a mark where it was cut."""
    mark = style.pick("…", "...")
    room, fitting = width, 0
    for length, character in enumerate(text, 1):
        room -= columns(character)
        if room < 0:
            return text[:fitting] + mark
        if room >= len(mark):
            fitting = length
    return text


def money(usd: float | None) -> str:
    """Dollars and cents; more digits where the cents would say nothing."""
    if usd is None:
        return "cost unknown"
    return dollars(usd)


def spent(usd: float | None, about_usd: float | None, style: Style, *, complete: bool) -> str:
    """A cost that is known whole, as an estimate, in part, or not at all."""
    if not complete and about_usd is not None:
        return f"about {money(about_usd)}"
    if complete or usd is None:
        return money(usd)
    return style.pick("≥ ", ">= ") + money(usd)


def duration(seconds: float) -> str:
    """``0.8s``, ``45s``, ``2m30s``, ``1h05m``."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"


def tokens(count: int | None) -> str:
    """``~40k tokens``; a question mark where there is no estimate."""
    if count is None:
        return "? tokens"
    return f"~{count / 1000:g}k tokens" if count >= 1000 else f"~{count} tokens"


def counted(count: int, noun: str) -> str:
    """``1 feature``, ``2 features``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# -- plan -----------------------------------------------------------------------------------


def plan_lines(
    plan: Plan, style: Style, *, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """The waves, and below them what the list will take.

    ``verbose`` adds what each feature is made of; ``quiet`` leaves the waves out.
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
    name = f": {one_line(feature.name)}" if feature.name != id else ""
    line = (
        f"  {style.pick('│', '|')} {style.paint(id, 'cyan')}{name}{needs} ({tokens(count)}{cost})"
    )
    return f"{line} {_decision(plan.decisions[id], style, selected=id in plan.selected)}"


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
    if total is None:
        yield f"Predicted: {speedup} on {slots} (without estimates all features count the same)"
    else:
        yield (
            f"Predicted: {duration(timeline.makespan_seconds)} on {slots}, "
            f"{duration(timeline.sequential_seconds)} one after the other {dash} {speedup}"
        )
    count = tokens_to_run(plan)
    if len(plan.selected) < len(plan.features):
        chosen = f"{len(plan.selected)} of {counted(len(plan.features), 'feature')}"
        cost = "" if count is None else f", {money(plan.cost_usd(count))}"
        yield f"To run: {chosen}, {tokens(count)}{cost}"
    cap = plan.max_cost_usd
    if cap is not None and count is not None and plan.cost_usd(count) > cap:
        text = f"the estimate of {money(plan.cost_usd(count))} is above the cap of {money(cap)}"
        yield style.paint(f"Warning: {text}: not every feature may run", "yellow")


def _pattern(pattern: str, names: Sequence[str]) -> str:
    """A pattern, with what it catches where that is not itself."""
    if list(names) in ([pattern], []):
        return pattern
    more = f" and {len(names) - CAUGHT_SHOWN} more" if len(names) > CAUGHT_SHOWN else ""
    return f"{pattern} ({', '.join(names[:CAUGHT_SHOWN])}{more})"


def run_question(plan: Plan, repository: str, base: str) -> str:
    """What the user is asked before a run: where, from which commit, for how much."""
    count = tokens_to_run(plan)
    about = "cost unknown" if count is None else f"about {money(plan.cost_usd(count))}"
    cap = "no cap (--max-cost)"
    if plan.max_cost_usd is not None:
        cap = f"at most {money(plan.max_cost_usd)}"
    features = counted(len(plan.selected), "feature")
    return f"Run {features} in {repository} from {base}: {about}, {cap}?"


def _nothing_to_run(plan: Plan, style: Style) -> str:
    actions = {decision.action for decision in plan.decisions.values()}
    if Action.LEAVE in actions:
        what = "Nothing is left to run but what is skipped, or needs it: rorchestrator retry ID"
        return style.paint(what, "yellow")
    what = "Everything" if actions == {Action.SKIP} else "What was chosen"
    return style.paint(f"{what} is up to date: run would do nothing.", "green")


def command_lines(command: Invocation, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """A command that the list brings along; ``verbose`` shows what is the same with every list."""
    import shlex

    if command.purpose == "claude":
        name, words = "Runs", command.argv if verbose else command.brief
        line = " ".join(map(shlex.quote, words))
    else:
        name, line = f"Runs {command.purpose}", command.brief[0]
    what = f" ({one_line(', '.join(command.features))})" if command.features else ""
    yield f"{name}{what}: {one_line(line)}"
    for name, value in command.env.items():
        yield f"  with {one_line(f'{name}={shlex.quote(value)}')}"
    if command.bypass:
        places = one_line(", ".join(command.bypass))
        sign = style.pick("⚠", "[!]")
        yield style.paint(f"  {sign} it may do anything unasked ({places}): --allow-bypass", "red")


def tokens_to_run(plan: Plan) -> int | None:
    """Sum of the estimates of the features that would run; ``None`` where none has one."""
    estimates = [plan.features[id].estimated_tokens for id in plan.selected]
    known = [count for count in estimates if count is not None]
    return sum(known) if known else None


# -- a run, as it happens -------------------------------------------------------------------


STEPS_BETWEEN = ("preparing", "setting_up", "verifying", "committing", "checking")


def event_line(state: RunState, event: Event, style: Style, *, verbose: bool = False) -> str:
    """One line for a change of state that a user wants to see; empty for the others.

    ``verbose`` shows the steps between start and end as well.
    """
    said = _said(state, event, style)
    if not said and verbose and event.kind in STEPS_BETWEEN:
        said = f"{style.pick('·', '[..]')} {event.feature}: {event.kind.replace('_', ' ')}"
    if not said:
        return ""
    clock = datetime.fromtimestamp(event.at).strftime("%H:%M:%S")
    return f"{style.paint(f'[{clock}]', 'dim')} {said}"


def _said(state: RunState, event: Event, style: Style) -> str:
    if event.kind in ("note", "stray"):
        who = f"{event.feature}: " if event.feature else ""
        return f"{style.pick('💬', '[note]')} {who}{one_line(str(event.data.get('text', '')))}"
    if event.kind == "paused":
        return _paused(str(event.data.get("until", "")), event.at, style)
    if event.kind == "clash":
        return _clash(event, style)
    if event.kind == "steered":
        return _steered(event, style)
    if event.kind not in ("attempt_started", "ended"):
        return ""
    feature = state.feature(event.feature)
    name = style.paint(event.feature, "bold")
    if event.kind == "attempt_started":
        how = "resumed" if event.data.get("resumed") is True else "started"
        more = f" ({feature.why})" if feature.why != "new" else ""
        return f"{style.pick('🚀', '[start]')} {name}: {how}{more}"
    glyph, ascii, colour = _GLYPHS[feature.status]
    words = style.paint(feature.status.value.replace("_", " "), colour)
    return f"{style.pick(glyph, ascii)} {name}: {words}{_ending(feature, style)}"


_STEERED = {
    "pause": ("⏸", "[pause]"),
    "resume": ("▶", "[go]"),
    "stop": ("⏹", "[stop]"),
    "skip": ("⏭", "[skip]"),
    "retry": ("🔁", "[retry]"),
}


def _steered(event: Event, style: Style) -> str:
    """What a user made the run do; what it refused is told to who asked."""
    if event.data.get("done") is not True:
        return ""
    action = str(event.data.get("action", ""))
    glyph, ascii = _STEERED.get(action, ("💬", "[note]"))
    words = one_line(f"{action}: {event.data.get('text', '')}")
    return f"{style.pick(glyph, ascii)} {style.paint(words, 'yellow')}"


def _clash(event: Event, style: Style) -> str:
    both = f"{event.feature} and {one_line(str(event.data.get('other', '')))}"
    files = event.data.get("files")
    if not (isinstance(files, list) and files):
        return f"{style.pick('⚡', '[merge]')} {both} will merge again"
    said = style.paint("will not merge", "yellow")
    return f"{style.pick('⚡', '[clash]')} {both} {said}: {one_line(', '.join(map(str, files)))}"


def _paused(until: str, now: float, style: Style) -> str:
    if not until:
        return f"{style.pick('▶', '[go]')} the usage limit is lifted: it goes on"
    words = f"usage limit: nothing is asked before {_clock(until, now)}"
    return style.paint(f"{style.pick('⏸', '[pause]')} {words}", "yellow")


def _clock(at: str, now: float) -> str:
    """A time as the user's clock shows it; with the day where that is another than now's."""
    moment = datetime.fromisoformat(at).astimezone()
    today = datetime.fromtimestamp(now).date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%a %H:%M")


def _ending(feature: FeatureState, style: Style) -> str:
    parts: list[str] = []
    dot = style.pick(" · ", " | ")
    attempts = feature.of_run(feature.run)
    if feature.started_at is not None and feature.ended_at is not None and attempts:
        parts.append(duration(feature.ended_at - feature.started_at))
        parts.append(_cost(feature, style))
    if feature.status is Status.COMPLETED and feature.work is not None:
        parts.append(_changes(feature, style))
    elif feature.reason:
        parts.append(shorten(one_line(feature.reason), max(40, style.width - 40), style))
    return "".join(dot + part for part in parts)


def _cost(feature: FeatureState, style: Style) -> str:
    cost = cost_of(feature.of_run(feature.run))
    return spent(cost.usd, cost.about_usd, style, complete=cost.is_complete)


def _changes(feature: FeatureState, style: Style) -> str:
    work = feature.work
    assert work is not None
    minus = style.pick("−", "-")
    changes = f"{counted(work.files_changed, 'file')} +{work.insertions} {minus}{work.deletions}"
    if work.held_back:
        changes += f" (left uncommitted: {one_line(some(work.held_back))})"
    return changes


def progress_line(state: RunState, now: float, style: Style) -> str:
    """What is going on right now, on one line, for the bottom of a terminal."""
    run = state.run
    if run is None:
        return ""
    features = [state.feature(id) for id in run.features]
    active = [f for f in features if f.run == run.id and f.status.active]
    over = sum(f.run == run.id and not f.status.active for f in features)
    working = [f for f in active if f.in_slot]
    names = ", ".join(f"{one_line(f.id)} {duration(now - (f.started_at or now))}" for f in working)
    cost = cost_of(a for f in features for a in f.of_run(run.id))
    dot = style.pick(" · ", " | ")
    parts = [f"{over}/{len(features)} done", duration(now - run.started_at), money(cost.known_usd)]
    if run.is_paused:
        parts.append("paused")
    if run.paused_until:
        parts.append(f"usage limit, waiting until {_clock(run.paused_until, now)}")
    if names:
        parts.append(f"running: {names}")
    return shorten(dot.join(parts), style.width - 1, style)


def report_lines(state: RunState, document: Mapping[str, object], style: Style) -> Iterator[str]:
    """What a run came to; ``document`` is its JSON report."""
    run = state.run
    assert run is not None
    features = [state.feature(id) for id in run.features]
    done = sum(feature.status is Status.COMPLETED for feature in features)
    mark = style.pick("✅", "[ok]") if done == len(features) else style.pick("❌", "[incomplete]")
    yield ""
    summary = f"{mark} {done}/{len(features)} features completed"
    yield style.paint(f"{summary} in {duration(_ms(document, 'wall_ms'))}", "bold")
    yield f"Sum of durations: {duration(_ms(document, 'total_duration_ms'))}"
    for key, what in (("limit_wait_ms", "Waited for usage limits"), ("pause_ms", "Paused by you")):
        if document.get(key):
            yield f"{what}: {duration(_ms(document, key))}"
    yield f"Speedup: {document['speedup']}x"
    yield f"Total cost: {_total_cost(document, style)}"
    yield f"By status: {_by_status(features)}"
    branches = document["branches_created"]
    if isinstance(branches, list) and branches:
        yield f"Branches: {one_line(', '.join(map(str, branches)))}"
    for feature in features:
        if feature.status is not Status.COMPLETED:
            yield from _problem(feature, style)
    if any(feature.status is Status.CANCELLED for feature in features):
        yield ""
        yield f"{style.pick('→', '->')} rorchestrator run  (goes on where this one stopped)"


def _ms(document: Mapping[str, object], key: str) -> float:
    value = document.get(key)
    return value / 1000 if isinstance(value, (int, float)) else 0.0


def _total_cost(document: Mapping[str, object], style: Style) -> str:
    complete = document["cost_is_complete"] is True
    usd, about_usd = (_usd(document, key) for key in ("total_cost_usd", "cost_about_usd"))
    cap = _usd(document, "max_cost_usd")
    of_cap = "" if cap is None else f" of {money(cap)}"
    why = "" if complete else " (some attempts ended without reporting their cost)"
    return spent(usd, about_usd, style, complete=complete) + of_cap + why


def _usd(document: Mapping[str, object], key: str) -> float | None:
    value = document.get(key)
    return value if isinstance(value, (int, float)) else None


def _by_status(features: Iterable[FeatureState]) -> str:
    counts: dict[str, int] = {}
    for feature in features:
        name = feature.status.value.replace("_", " ")
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _problem(feature: FeatureState, style: Style) -> Iterator[str]:
    glyph, ascii, colour = _GLYPHS.get(feature.status, ("•", "*", "yellow"))
    status = feature.status.value.replace("_", " ")
    head = f"{style.pick(glyph, ascii)} {style.paint(f'{one_line(feature.id)}: {status}', colour)}"
    if feature.started_at is None:
        # It never got a slot: there is nothing to look at.
        why = f"{style.pick(' · ', ' | ')}{one_line(feature.reason)}" if feature.reason else ""
        yield head + why
        return
    yield ""
    yield head
    for line in clean(feature.reason).splitlines():
        yield f"    {line}"
    for command in next_commands(feature):
        yield f"    {style.pick('→', '->')} {one_line(command)}"


def next_commands(feature: FeatureState) -> list[str]:
    """What a user would type next about a feature that did not complete."""
    if feature.fault is Fault.SETUP:
        # What could not be copied, or what `uses` names and is not there, left no log.
        was_run = feature.reason.startswith("setup: ")
        return [f"rorchestrator logs {feature.id} --setup"] if was_run else []
    if not feature.attempts:
        return []
    commands = [f"rorchestrator logs {feature.id}"]
    if feature.fault is Fault.CHECK and feature.last_check is not None:
        commands = [f"rorchestrator logs {feature.id} --checks"]
    resume = resume_command(feature)
    if resume and feature.fault not in (Fault.USAGE, Fault.PROGRAM):
        commands.append(resume)
    return commands


def resume_command(feature: FeatureState) -> str:
    """The command that opens the feature's session in its worktree; empty without one."""
    if not (feature.session_id and feature.worktree):
        return ""
    import shlex

    return f"cd {shlex.quote(feature.worktree)} && claude --resume {feature.session_id}"


# -- Claude's stream --------------------------------------------------------------------------


def message_lines(
    message: Mapping[str, object], style: Style, *, verbose: bool = False, quiet: bool = False
) -> Iterator[str]:
    """A message of Claude's stream as a person reads it; nothing for the housekeeping.

    ``verbose`` shows what tools answered as well; ``quiet`` shows words only, no tools.
    """
    kind, subtype = message.get("type"), message.get("subtype")
    if kind == "result":
        yield from _result_lines(message, style)
    elif kind in ("assistant", "user"):
        for block in _content(message):
            if block.get("type") == "text" or not quiet:
                yield from _block_lines(block, style, verbose=verbose)
    elif kind == "system" and isinstance(subtype, str) and subtype in _SYSTEM and not quiet:
        yield _SYSTEM[subtype](message, style)


def _init_line(message: Mapping[str, object], style: Style) -> str:
    model, version = message.get("model"), message.get("claude_code_version")
    return style.paint(one_line(f"Claude Code {version or '?'}, {model or '?'}"), "dim")


def _retry_line(message: Mapping[str, object], style: Style) -> str:
    attempt, error = message.get("attempt"), message.get("error_status")
    return style.paint(one_line(f"API retry {attempt} after {error or 'no answer'}"), "yellow")


_SYSTEM = {"init": _init_line, "api_retry": _retry_line}


def _content(message: Mapping[str, object]) -> list[Mapping[str, object]]:
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _block_lines(block: Mapping[str, object], style: Style, *, verbose: bool) -> Iterator[str]:
    kind = block.get("type")
    if kind == "text":
        yield from clean(str(block.get("text", ""))).splitlines()
    elif kind == "tool_use":
        given = block.get("input")
        name = one_line(str(block.get("name", "?")))
        line = f"{name}({_arguments(given if isinstance(given, dict) else {})})"
        room = style.width - 2
        yield style.paint(style.pick("▸ ", "> ") + shorten(line, room, style), "cyan")
    elif kind == "tool_result" and block.get("is_error") is True:
        said = shorten(one_line(_plain(block.get("content"))), style.width - 4, style)
        yield style.paint(f"  {style.pick('✗', 'x')} {said}", "red")
    elif kind == "tool_result" and verbose:
        for line in clean(_plain(block.get("content"))).splitlines():
            yield style.paint(f"  {line}", "dim")


def _arguments(given: Mapping[str, object]) -> str:
    return ", ".join(f"{one_line(str(name))}={one_line(_plain(v))}" for name, v in given.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _own_cost(result: Mapping[str, object]) -> float | None:
    """A result's own share of the cost, where the CLI's total is that of the whole session."""
    share = result.get(SHARE)
    if not isinstance(share, dict):
        return _usd(result, "total_cost_usd")
    costs = [
        _usd(model, "costUSD") if isinstance(model, dict) else None for model in share.values()
    ]
    return None if None in costs else sum(filter(None, costs))


def _result_lines(message: Mapping[str, object], style: Style) -> Iterator[str]:
    failed = message.get("is_error") is not False or message.get("subtype") != "success"
    cost = _own_cost(message)
    dot = style.pick(" · ", " | ")
    turns = message.get("num_turns")
    subtype = one_line(str(message.get("subtype", "?")))
    facts = [
        "failed" if failed and subtype == "success" else subtype,
        counted(turns, "turn") if isinstance(turns, int) else "? turns",
        money(cost),
        duration(_ms(message, "duration_ms")),
    ]
    yield style.paint(f"RESULT {dot.join(map(one_line, facts))}", "red" if failed else "green")
    if failed:
        said = message.get("result") or message.get("errors") or ""
        yield from clean(_plain(said)).splitlines()


# -- tables -----------------------------------------------------------------------------------


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns as wide as their widest cell; the first row is the heading."""
    widths = [max(columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell + " " * (width - columns(cell)) for cell, width in zip(row, widths)]
        yield "  ".join(cells).rstrip()
