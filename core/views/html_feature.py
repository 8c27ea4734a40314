"""The section of one feature in the page: facts, reason, attempts, checks, its own diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..git.patches import FileDiff
from ..model.attempt import Attempt
from ..model.handover import PullRequest
from ..model.outcome import Status
from ..model.translate import _, shown
from ..model.words import cents, counted, duration, thousands
from ..reporter.cost_text import spent
from ..reporter.style import Style
from .html_text import lines, text
from .html_verdicts import verdict_section
from .run_view import CheckView, FeatureView, OwnDiff
from .status_marks import mark, mark_of

STYLE = Style()

Fact = tuple[str, str]
"""A name, and HTML."""


def feature_section(feature: FeatureView) -> str:
    """A feature, folded if it completed. Its address is its id."""
    # A feature that never began has nothing to show but why.
    is_open = " open" if feature.is_failure and feature.spans else ""
    name = "" if feature.name == feature.id else text(feature.name)
    if feature.is_failure and not feature.spans:
        name = text(shown(feature.known.reason))
    return (
        f'<details class="feature" id="{text(feature.id)}"{is_open}><summary>'
        f"{mark(feature.status)}<b>{text(feature.id)}</b>"
        f'<span class="name">{name}</span>'
        f'<span class="figures">{"".join(_figures(feature))}</span></summary>'
        f"<div>{''.join(_body(feature))}</div></details>"
    )


def _figures(feature: FeatureView) -> Iterator[str]:
    if feature.work is not None:
        yield f"<span>{changed(feature.work.insertions, feature.work.deletions)}</span>"
    if feature.seconds:
        yield f"<span>{duration(feature.seconds)}</span>"
    if feature.attempts:
        yield f"<span>{price(feature)}</span>"
    yield f'<span class="{mark_of(feature.status).tone}">{_(feature.status.words)}</span>'


def price(feature: FeatureView) -> str:
    """What a feature cost."""
    cost = feature.cost
    return spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete)


def changed(insertions: int, deletions: int) -> str:
    """``+12 −4``, in colours."""
    plus, minus = f"+{thousands(insertions)}", f"−{thousands(deletions)}"
    return f'<span class="plus-n">{plus}</span> <span class="minus-n">{minus}</span>'


def facts(pairs: Sequence[Fact]) -> str:
    """Names and values, without those that have none."""
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs if value)
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def coded(value: str) -> str:
    """A text from outside as code; empty for none."""
    return f"<code>{text(value)}</code>" if value else ""


def _body(feature: FeatureView) -> Iterator[str]:
    known = feature.known
    if known.reason and feature.spans:
        yield f'<pre class="reason">{lines(shown(known.reason.strip()))}</pre>'
    for command in feature.next_commands:
        yield f'<p class="next">→ {coded(command)}</p>'
    yield facts(_facts(feature))
    if feature.attempts:
        yield _attempts(feature.attempts)
    if feature.checks:
        checks = "".join(map(_check, feature.checks))
        yield f'<h3>{_("Checks")}</h3><ul class="checks">{checks}</ul>'
    yield verdict_section(known.verdicts.values())
    if feature.diff is not None and feature.diff.files:
        yield _diff(feature.diff)
    result = known.last_outcome.result if known.last_outcome and feature.attempts else ""
    if result:
        name = _("Claude’s last message")
        yield f"<details><summary>{name}</summary><pre>{lines(result)}</pre></details>"
    if feature.notes:
        notes = "".join(f"<li>{text(shown(note))}</li>" for note in feature.notes)
        yield f"<h3>{_('Notes')}</h3><ul>{notes}</ul>"


def _facts(feature: FeatureView) -> list[Fact]:
    known, estimate = feature.known, feature.estimate
    ran = bool(feature.attempts)
    work = feature.work
    return [
        (_("needs"), ", ".join(map(text, feature.depends_on))),
        (_("why it ran"), text(shown(known.why)) if ran and known.why != "new" else ""),
        (_("branch"), coded(known.branch)),
        (_("pull request"), _linked(known.pull_request)),
        (_("commit"), coded(work.commit[:12]) if work else ""),
        (_("started from"), coded(known.work_start[:12])),
        (_("worktree"), coded(known.worktree)),
        (
            _("estimated"),
            f"{duration(estimate.seconds)}, {cents(estimate.cost_usd)}" if estimate and ran else "",
        ),
        (_("left uncommitted"), ", ".join(map(coded, work.held_back)) if work else ""),
        (_("predicted conflicts"), ", ".join(map(text, known.clashes))),
    ]


def _linked(request: PullRequest | None) -> str:
    """A link to a pull request; only as text if its address is none of the web."""
    if request is None:
        return ""
    url = text(request.url)
    if not request.url.startswith(("https://", "http://")):
        return url
    return f'<a href="{url}" rel="noreferrer">{url}</a>'


def _attempts(attempts: Sequence[Attempt]) -> str:
    rows = "".join(map(_attempt, attempts))
    return (
        f"<h3>{_('Attempts')}</h3><table><thead><tr><th>#</th><th>{_('ended')}</th>"
        f'<th class="n">{_("time")}</th><th class="n">{_("cost")}</th>'
        f'<th class="n extra">{_("turns")}</th><th class="extra">{_("model")}</th>'
        f"<th>{_('session')}</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _attempt(attempt: Attempt) -> str:
    outcome, ended = attempt.outcome, attempt.ended_at
    status = outcome.status if outcome else Status.RUNNING
    reason = (
        f"<br><small>{text(shown(outcome.reason))}</small>" if outcome and outcome.reason else ""
    )
    cost = attempt.cost
    paid = spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete) if outcome else ""
    return (
        f"<tr><td>{attempt.number}</td>"
        f"<td>{mark(status)} {_(status.words)}{reason}</td>"
        f'<td class="n">{duration(ended - attempt.started_at) if ended else ""}</td>'
        f'<td class="n">{paid}</td>'
        f'<td class="n extra">{outcome.num_turns if outcome else ""}</td>'
        f'<td class="extra">{text(outcome.model) if outcome else ""}</td>'
        f'<td class="short">{_("resumed") if attempt.resumed else _("new")}</td></tr>'
    )


def _check(check: CheckView) -> str:
    """A check; the end of its output is folded if it passed."""
    status = Status.COMPLETED if check.passed else Status.FAILED
    ending = "" if check.passed else f' <span class="bad">{text(shown(check.ending))}</span>'
    head = f"{mark(status)}{coded(check.command)}{ending}"
    if not check.lines:
        return f"<li><span>{head}</span></li>"
    is_open = "" if check.passed else " open"
    said = lines("\n".join(check.lines))
    return f"<li><details{is_open}><summary>{head}</summary><pre>{said}</pre></details></li>"


def _diff(diff: OwnDiff) -> str:
    files = "".join(map(file_item, diff.files))
    more = _("and {files}").format(files=counted(diff.more, "more file")) if diff.more else ""
    more = f'<p class="soft">{more}</p>' if more else ""
    return f'<h3>{_("Its own changes")}</h3><ul class="files">{files}</ul>{more}'


def file_item(file: FileDiff, notes: str = "", *, is_open: bool = False) -> str:
    """A file of a diff, with notes; its patch is folded unless it ``is_open``."""
    renamed = f"{coded(file.old_path)} → " if file.old_path else ""
    figures = f'<span class="soft">{_("binary")}</span>'
    if file.insertions is not None and file.deletions is not None:
        figures = changed(file.insertions, file.deletions)
    more = f" <small>{text(notes)}</small>" if notes else ""
    head = f'<span>{renamed}{coded(file.path)}{more}</span><span class="figures">{figures}</span>'
    begin = file.patch.find("\n@@ ") + 1
    if not begin:
        return f'<li><span class="file">{head}</span></li>'
    patch = "".join(_patch_line(line) for line in file.patch[begin:].splitlines())
    cut = '<span class="head">…</span>' if file.is_cut else ""
    opened = " open" if is_open else ""
    return (
        f'<li><details{opened}><summary class="file">{head}</summary>'
        f'<pre class="patch">{patch}{cut}</pre></details></li>'
    )


_CLASSES = {"+": "plus", "-": "minus", "@": "head", "\\": "head"}


def _patch_line(line: str) -> str:
    kind = _CLASSES.get(line[:1], "")
    classes = f' class="{kind}"' if kind else ""
    return f"<span{classes}>{lines(line)}</span>"
