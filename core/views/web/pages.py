"""The page: the report of a run, with a bar, buttons, and what Claude does. All text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ...model.frozen import dataclass
from ...model.outcome import Status
from ...model.terminal_text import shell_word
from ...model.translate import N_, _, language, shown
from ...model.words import counted, headed, waits_for_review
from ..html_feature import feature_section
from ..html_parts import costs_section, graph_section, head, result, timeline_section
from ..html_style import OF_SCRIPTS, words
from ..html_text import lines, text
from ..run_view import FeatureView, RunView
from ..status_marks import symbols

BAR = "-bar"
"""The parts of a page have names that no feature can have; features have their ids."""

MAIN = ("-head", "-graph", "-timeline", "-costs", "-notes")


HEADINGS = {
    "-active": N_("Running"),
    "-failures": N_("Not completed"),
    "-others": N_("Features"),
}
"""The lists of features in the page."""


WORDS = (
    *OF_SCRIPTS,
    N_("1 turn"),
    N_("{count} turns"),
    N_("{count} tokens"),
    N_("no output for {time}"),
    N_("The beginning is left out: {command}"),
    N_("Claude has printed nothing yet."),
    N_("This page has ended and shows the last state. For a new one, type: {command}"),
    N_("Connection lost. This page shows the last known state and tries to connect again …"),
    N_(
        "The server was started anew and does not know this page: open the address that it printed."
    ),
    N_("Close"),
    N_("Copy"),
    N_("Copied"),
    N_("No run is in progress. Type in a terminal:"),
    N_("Keep going"),
    N_("The server does not answer. Type in a terminal:"),
)
"""What the scripts of the page say."""


@dataclass(frozen=True)
class Button:
    """A button: what it asks a run for, and the command that does the same."""

    action: str
    words: str
    command: str
    question: str = ""
    """What is asked before, if it can't be taken back."""
    acts: bool = True
    """Whether a run takes the request; else the page shows the command."""


@dataclass(frozen=True)
class Situation:
    """What is true around the run that is shown."""

    takes_requests: bool = False
    """Whether this run is in progress."""
    was_killed: bool = False
    faults: tuple[str, ...] = ()
    """What keeps the page from showing everything: the list, the journal."""
    complete: Callable[[str], str] = str
    """Completes a command with the options of this one."""


def bar(view: RunView | None, now: Situation) -> str:
    """The state of the run and its buttons."""
    words, tone = _state(view, now)
    buttons = "".join(_button(each, "") for each in _run_buttons(view, now))
    faults = "".join(f'<p class="fault">{lines(fault)}</p>' for fault in now.faults)
    return (
        f'<div class="line"><p class="state {tone}" role="status">{words}</p>'
        f'<div class="buttons">{buttons}</div></div>{faults}'
    )


def _state(view: RunView | None, now: Situation) -> tuple[str, str]:
    """The state of a run as HTML, and its colour."""
    if view is None or not view.id:
        return _("Nothing has run yet"), "idle"
    if now.was_killed:
        return _("The run was killed; the next run continues it"), "bad"
    if not now.takes_requests:
        said = _("The run is over: {result}").format(result=result(view))
        return said, "idle" if view.failures else "good"
    run = view.run
    active = sum(each.status.active for each in view.features)
    said = _("{count} running, {result}").format(count=active, result=result(view))
    if run.is_paused:
        return _("Paused: {said}").format(said=said), "warn"
    if run.unreviewed:
        waits = _("In progress, but {waits}: {said}")
        return waits.format(waits=waits_for_review(run.unreviewed), said=said), "warn"
    if run.paused_until:
        waits = _("Waiting for a usage limit until {time}: {said}")
        return waits.format(time=text(run.paused_until), said=said), "warn"
    return _("In progress: {progress}").format(progress=said), "live"


def _run_buttons(view: RunView | None, now: Situation) -> Iterator[Button]:
    if view is None or not now.takes_requests:
        yield Button("run", _("Run"), now.complete("rorchestrator run"), acts=False)
        return
    if view.run.is_paused:
        yield Button("resume", _("Resume"), now.complete("rorchestrator resume"))
    else:
        yield Button("pause", _("Pause"), now.complete("rorchestrator pause"))
    question = _("Stop the whole run? The next run continues what is running now.")
    yield Button("stop", _("Stop"), now.complete("rorchestrator stop"), question)


def controls(feature: FeatureView, now: Situation) -> str:
    """What Claude does at a feature, and the buttons of the feature."""
    id = feature.id
    buttons = "".join(_button(each, id) for each in _feature_buttons(feature, now))
    if feature.attempts:
        inside = _("in {id}").format(id=text(id))
        claude = f'<button type="button" data-claude="{text(id)}">Claude<i> {inside}</i>'
        buttons = f"{claude}</button>{buttons}"
    return f'<p class="now"></p><div class="buttons">{buttons}</div>'


def _feature_buttons(feature: FeatureView, now: Situation) -> Iterator[Button]:
    id, status = feature.id, feature.status
    word, acts = shell_word(feature.id), now.takes_requests
    if status.active:
        question = _("Stop {id}? Session and work are kept: Retry continues.").format(id=id)
        yield Button("stop", _("Stop"), now.complete(f"rorchestrator stop {word}"), question, acts)
        return
    if feature.is_failure or status is Status.SKIPPED:
        yield Button("retry", _("Retry"), now.complete(f"rorchestrator retry {word}"), acts=acts)
    if status in (Status.PENDING, Status.BLOCKED):
        question = _("Skip {id}, and what depends on it, until you retry it?").format(id=id)
        yield Button("skip", _("Skip"), now.complete(f"rorchestrator skip {word}"), question, acts)


def _button(button: Button, feature: str) -> str:
    about = f"<i> {text(feature)}</i>" if feature else ""
    question = f' data-question="{text(button.question)}"' if button.question else ""
    acts = f' data-action="{button.action}"' if button.acts else ""
    return (
        f'<button type="button"{acts}{question} data-feature="{text(feature)}" '
        f'data-command="{text(button.command)}">{button.words}{about}</button>'
    )


def part(view: RunView, name: str) -> str:
    """A part of the page about the whole run, by its name; empty if it has nothing to show."""
    if name == "-notes":
        notes = "".join(f"<li>{text(shown(note))}</li>" for note in view.notes)
        return (
            f'<section id="-notes"><h2>{_("Notes")}</h2><ul>{notes}</ul></section>' if notes else ""
        )
    if name == "-graph":
        return graph_section(view) if view.features else ""
    if not view.id:
        return _nothing_yet(view) if name == "-head" else ""
    made = {"-head": head, "-timeline": timeline_section, "-costs": costs_section}
    return made[name](view)


def _nothing_yet(view: RunView) -> str:
    """The head of a list that has not run yet."""
    count = counted(len(view.features), "feature")
    name = text(view.report.project_name)
    said = _("{features} to run").format(features=count)
    return f'<header id="-head"><p class="over">{name}</p><h1>{said}</h1></header>'


def feature_part(feature: FeatureView, now: Situation) -> str:
    """A feature with its buttons."""
    return f"{feature_section(feature)}{controls(feature, now)}"


def arrangement(view: RunView) -> dict[str, list[str]]:
    """The lists of the page, and the features in each."""
    lists: dict[str, list[str]] = {name: [] for name in HEADINGS}
    for each in view.features:
        failed = "-failures" if each.is_failure else "-others"
        lists["-active" if each.status.active else failed].append(each.id)
    return lists


def page(
    title: str,
    html: Mapping[str, str],
    lists: Mapping[str, Sequence[str]],
    position: str,
    csrf: str,
) -> str:
    """The whole page, of its parts by their names."""

    def place(name: str) -> str:
        return f'<div data-part="{text(name)}">{html.get(name, "")}</div>'

    def section(name: str) -> str:
        there = lists.get(name, ())
        hidden = "" if there else " hidden"
        # The script of the report puts its buttons beside this heading.
        id = ' id="-features"' if name == "-others" else ""
        return (
            f'<section id="{name}"{hidden}><h2{id}>{_(HEADINGS[name])}</h2>'
            f'<div class="list">{"".join(map(place, there))}</div></section>'
        )

    head, graph, timeline, costs, notes = map(place, MAIN)
    return (
        f'{_head(title)}<body{words(WORDS)} data-csrf="{text(csrf)}" '
        f'data-position="{text(position)}">'
        f'<a class="skip" href="#-features">{_("To the features")}</a>{symbols()}'
        f'<div id="-top">{place(BAR)}<p id="-lost" role="alert" hidden></p></div>'
        f"<main>{head}{section('-active')}{section('-failures')}{graph}{timeline}{costs}"
        f"{section('-others')}{notes}</main>{_claude()}{_dialog()}</body></html>\n"
    )


def _claude() -> str:
    return (
        '<aside id="-claude" aria-labelledby="-claude-of" hidden><div class="line">'
        '<h2 id="-claude-of"></h2><div class="buttons">'
        f'<label>{_("Attempt")} <select id="-attempt"></select></label>'
        f'<button type="button" id="-claude-close">{_("Close")}</button></div></div>'
        '<pre id="-claude-text" tabindex="0" role="log" '
        f'aria-label="{_("What Claude does")}"></pre></aside>'
    )


def _dialog() -> str:
    return (
        '<dialog id="-dialog" aria-labelledby="-dialog-text"><p id="-dialog-text"></p>'
        '<p id="-dialog-command"><code></code>'
        f'<button type="button" id="-copy">{_("Copy")}</button></p>'
        f'<div class="buttons"><button type="button" id="-no">{_("Close")}</button>'
        '<button type="button" id="-yes"></button></div></dialog>'
    )


def closed_page() -> str:
    """The page for a browser that has no cookie."""
    address = _("Open the address with the token that {web} or {run} printed at its start.").format(
        web="<code>rorchestrator web</code>", run="<code>rorchestrator run --web</code>"
    )
    return (
        f"{_head('RoRchestrator', with_files=False)}<body><main>"
        f"<h1>{_('This page is not open to you')}</h1>"
        f"<p>{address}</p>"
        f"<p>{_('If you have just come from there, reload this page.')}</p></main></body></html>\n"
    )


def _head(title: str, *, with_files: bool = True) -> str:
    files = "".join(f'<link rel="stylesheet" href="/{name}.css">' for name in ("report", "web"))
    files += "".join(f'<script src="/{name}.js" defer></script>' for name in ("report", "web"))
    return (
        f'<!DOCTYPE html>\n<html lang="{language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="/icon.svg">'
        f"<title>{text(title)}</title>{files if with_files else ''}</head>"
    )


def title_of(view: RunView, project: str) -> str:
    """The title of the page."""
    return headed(project, result(view)) if view.id else project
