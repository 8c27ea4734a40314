"""The Markdown report of a run, for a pull request or a chat.

Text from outside can neither format the page nor mention somebody. It stays below the 65,536
characters that GitHub takes for a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model.check_verdict import CheckVerdict
from ..model.excerpt import excerpt
from ..model.outcome import Status, Work
from ..model.terminal_text import clean, one_line
from ..model.translate import _, shown
from ..model.words import counted, decimal, duration, headed, money
from ..reporter.cost_text import spent
from ..reporter.markdown_text import code, escaped, fenced
from ..reporter.run_text import judged, waste_lines
from ..reporter.style import GLYPHS, Style, shorten
from ..reporter.verdict_table import run_verdict_markdown
from .run_view import FeatureView, RunView

ROWS = 100
"""The most rows of the table."""

FAILURES = 20
"""At most this many failures are listed with their reasons."""

VERDICT_CHARACTERS = 4_000
"""The most of the verdict table."""

REASON_LINES = 24
REASON_CHARACTERS = 1_600
NAME_CHARACTERS = 80

STYLE = Style()


def markdown(view: RunView, more: Sequence[str] = ()) -> str:
    """The report of a run as GitHub-flavoured Markdown; ``more`` lines come before the table."""
    return "\n".join(_lines(view, more)) + "\n"


def _lines(view: RunView, more: Sequence[str]) -> Iterator[str]:
    yield f"## {heading(view)}"
    yield ""
    yield " · ".join(summary(view))
    yield ""
    yield from more
    yield from table(view.features)
    verdicts = list(run_verdict_markdown(judged_in(view), characters=VERDICT_CHARACTERS))
    yield from ("", _("### Checks"), "", *verdicts) if verdicts else ()
    listed = view.failures[:FAILURES]
    if listed:
        yield ""
        yield _("### Not completed")
    for feature in listed:
        yield ""
        yield from failure(feature)
    if len(view.failures) > len(listed):
        yield ""
        yield _("{features} did not complete.").format(
            features=counted(len(view.failures) - len(listed), "more feature")
        )
    waste = waste_lines(view.report)
    if waste:
        yield from (
            "",
            _("### Spent without a result"),
            "",
            *(f"- {escaped(line)}" for line in waste),
        )
    for command, purpose in view.next_steps:
        yield ""
        yield f"→ {code(command)}  ({_(purpose)})"
    yield ""
    yield from _provenance(view)


def judged_in(view: RunView) -> list[tuple[str, Iterable[CheckVerdict]]]:
    """The verdicts of the features of a run, by their ids."""
    return judged([feature.known for feature in view.features])


def heading(view: RunView) -> str:
    """The result in a line: the project, and how many features completed."""
    done, all = view.report.successful, len(view.features)
    mark = "✅" if done == all else "❌" if view.is_over else "⏳"
    said = _("{done} of {features} completed").format(done=done, features=counted(all, "feature"))
    return f"{mark} {headed(escaped(_short(view.report.project_name)), said)}"


def summary(view: RunView) -> list[str]:
    """Duration, cost, slots and base, each as Markdown."""
    run, report = view.run, view.report
    parts = [duration(view.seconds), total_cost(view), counted(run.max_parallel, "slot")]
    if view.is_over and report.is_faster:
        parts.append(_("speedup {factor}").format(factor=decimal(f"{report.speedup:.2f}")))
    base = f"{code(run.base_branch)} @ {code(run.base_commit[:10])}"
    return [*parts, base]


def total_cost(view: RunView) -> str:
    """What the run cost, and its budget."""
    cost, cap = view.report.cost, view.report.max_cost_usd
    of_cap = "" if cap is None else _(" of {cost}").format(cost=money(cap))
    return spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete) + of_cap


def table(features: Sequence[FeatureView]) -> Iterator[str]:
    """The features as a table: those that failed in any case, then the first of the rest."""
    room = ROWS - sum(each.is_failure for each in features)
    rows: list[FeatureView] = []
    for each in features:
        room -= not each.is_failure
        if (each.is_failure or room >= 0) and len(rows) < ROWS:
            rows.append(each)
    yield _("| feature | status | time | cost | attempts | changes |")
    yield "|---|---|---:|---:|---:|---|"
    for each in rows:
        yield f"| {' | '.join(_cells(each))} |"
    if len(rows) < len(features):
        yield f"| {counted(len(features) - len(rows), 'more feature')} | | | | | |"


def _cells(feature: FeatureView) -> list[str]:
    name = "" if feature.name == feature.id else f" {escaped(_short(feature.name))}"
    cost = feature.cost
    ran = bool(feature.attempts)
    price = spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete) if ran else ""
    return [
        code(feature.id) + name,
        f"{glyph(feature.status)} {_(feature.status.words)}",
        duration(feature.seconds) if feature.seconds else "",
        price,
        str(len(feature.attempts)) if ran else "",
        changes(feature.work) if feature.work else "",
    ]


def failure(feature: FeatureView) -> Iterator[str]:
    """A feature that did not complete, folded: its reason, and the next commands to type."""
    known = feature.known
    status = f"{glyph(known.status)} {code(known.id)} {_(known.status.words)}"
    yield f"<details><summary>{status}</summary>"
    yield ""
    yield from fenced(
        excerpt(clean(shown(known.reason)), lines=REASON_LINES, characters=REASON_CHARACTERS)
    )
    for command in feature.next_commands:
        yield ""
        yield f"→ {code(command)}"
    yield ""
    yield "</details>"


def _provenance(view: RunView) -> Iterator[str]:
    run, told = view.run, view.run.provenance
    versions = view.report.versions
    rows = [
        (_("run"), code(run.id)),
        (_("list"), code(run.owner)),
        (_("command"), code(told.command)),
        ("RoRchestrator", code(told.version)),
        ("Claude Code", _codes(versions["claude"])),
        (_("model"), _codes(versions["models"])),
    ]
    yield "<sub>"
    yield " · ".join(f"{name} {value}" for name, value in rows if value)
    yield "</sub>"


def _codes(names: object) -> str:
    return ", ".join(code(str(name)) for name in names) if isinstance(names, list) else ""


def glyph(status: Status) -> str:
    """The emoji of a status."""
    return GLYPHS.get(status, ("⏳", "", ""))[0]


def changes(work: Work) -> str:
    """``3 files +12 −4``."""
    return f"{counted(work.files_changed, 'file')} +{work.insertions} −{work.deletions}"


def _short(text: str) -> str:
    return shorten(one_line(text), NAME_CHARACTERS, STYLE)
