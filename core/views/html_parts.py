"""The parts of the page about the whole run: head, graph, timeline, costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..model.attempt import usage_of
from ..model.outcome import Status, Usage
from ..model.phase import Phase
from ..model.translate import _
from ..model.words import counted, decimal, duration, money, thousands
from ..reporter.cost_text import spent
from ..reporter.documents import local_time
from .html_feature import STYLE, coded, facts, price
from .html_text import address, text
from .run_view import FeatureView, RunView
from .status_marks import mark
from .svg_dag import dag_svg
from .svg_timeline import WORDS, concurrency_svg, in_order, timeline_svg

FOLDED_ABOVE = 60
"""A picture of more features is folded."""

FITTING = 1500
"""The widest graph that is made to fit into the page; a wider one can be scrolled in its box."""


def head(view: RunView) -> str:
    """The result, the key figures, and where they come from."""
    return (
        f'<header id="-head"><p class="over">{text(view.report.project_name)}</p>'
        f"<h1>{mark(overall(view))}<span>{result(view)}</span></h1>"
        f"{_counts(view)}"
        f'<dl class="tiles">{"".join(_tiles(view))}</dl>{_provenance(view)}</header>'
    )


def overall(view: RunView) -> Status:
    """The status of the whole run."""
    if not view.is_over:
        return Status.RUNNING
    done = view.report.successful == len(view.features)
    return Status.COMPLETED if done else Status.FAILED


def result(view: RunView) -> str:
    """``2 of 4 features completed``."""
    return _("{done} of {features} completed").format(
        done=view.report.successful, features=counted(len(view.features), "feature")
    )


def _counts(view: RunView) -> str:
    """How many features have each status, if there are several."""
    counts = [(Status(name), count) for name, count in view.report.by_status.items()]
    if len(counts) < 2:
        return ""
    rows = "".join(f"<li>{mark(status)} {count} {_(status.words)}</li>" for status, count in counts)
    return f'<ul class="counts">{rows}</ul>'


def _tiles(view: RunView) -> Iterator[str]:
    run, report = view.run, view.report
    told = run.provenance
    expected = told.estimated_seconds
    yield _tile(_("Duration"), duration(view.seconds), _estimated(expected and duration(expected)))
    usd = told.estimated_usd
    cap = report.max_cost_usd
    more = [
        "" if cap is None else _("of {cost}").format(cost=money(cap)),
        _estimated(usd and money(usd)),
    ]
    yield _tile(_("Cost"), total_of(view), ", ".join(filter(None, more)))
    if view.is_over and report.is_faster:
        slots = counted(run.max_parallel, "slot")
        yield _tile(_("Speedup"), decimal(f"{report.speedup:.2f}×"), slots)
    tokens = _total(usage_of(a for each in view.features for a in each.attempts))
    attempts = sum(len(each.attempts) for each in view.features)
    yield _tile(_("Tokens"), short(tokens), counted(attempts, "attempt"))
    waits = [(run.limits.seconds, _("for usage limits")), (run.pauses.seconds, _("paused by you"))]
    said = ", ".join(f"{duration(seconds)} {words}" for seconds, words in waits if seconds)
    if said:
        yield _tile(_("Waited"), duration(run.limits.seconds + run.pauses.seconds), said)


def _tile(name: str, value: str, more: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}<small>{more or '&nbsp;'}</small></dd></div>"


def _estimated(value: object) -> str:
    return _("estimated {amount}").format(amount=value) if value else ""


def _total(usage: Usage) -> int:
    return sum(vars(usage).values())


def short(count: int) -> str:
    """``950``, ``12.3k``, ``4.5M``."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if count >= size:
            return decimal(f"{count / size:.1f}{unit}")
    return str(count)


def moment(at: float) -> str:
    """A time in the local zone, with its date."""
    said = datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")
    return f'<time datetime="{local_time(at)}">{said}</time>'


def _provenance(view: RunView) -> str:
    run, told, versions = view.run, view.run.provenance, view.report.versions
    base = _("{branch} at {commit}").format(
        branch=coded(run.base_branch), commit=coded(run.base_commit[:12])
    )
    code = "" if run.exit_code is None else str(run.exit_code)
    cap = view.report.max_cost_usd
    left = [
        (_("started"), moment(run.started_at)),
        (_("ended"), moment(view.now) if view.is_over else _("still running")),
        (_("base"), base),
        (_("list"), coded(run.owner)),
        (_("command"), coded(told.command)),
        (_("exit code"), code),
    ]
    right = [
        (_("run"), coded(run.id)),
        ("RoRchestrator", text(told.version)),
        ("Claude Code", _names(versions["claude"])),
        (_("model"), _names(versions["models"]) or text(told.model)),
        (_("slots"), str(run.max_parallel)),
        (_("budget"), "" if cap is None else money(cap)),
    ]
    return f'<div class="wide">{facts(left)}{facts(right)}</div>'


def _names(names: object) -> str:
    return ", ".join(text(str(name)) for name in names) if isinstance(names, list) else ""


def graph_section(view: RunView) -> str:
    """The graph of the features."""
    picture = dag_svg(view)
    width = int(picture.split('width="', 1)[1].split('"', 1)[0])
    if width <= FITTING:
        picture = picture.replace('class="dag"', 'class="dag fit"', 1)
    path = " → ".join(
        f'<a href="{address(id)}">{text(id)}</a>' for id in view.critical_path[:FOLDED_ABOVE]
    )
    said = _("Critical path: {critical_path}").format(critical_path=path)
    caption = f'<p class="soft">{said}</p>' if path else ""
    box = f'<div class="card scroll" tabindex="0">{picture}</div>{caption}'
    return section("-graph", _("Graph"), view.features, box)


def section(id: str, name: str, features: Sequence[FeatureView], content: str) -> str:
    """A part of the page with a picture, which is folded if it has too many features."""
    if len(features) > FOLDED_ABOVE:
        words = _("Show {features}").format(features=counted(len(features), "feature"))
        content = f"<details><summary>{words}</summary>{content}</details>"
    return f'<section id="{id}"><h2>{name}</h2>{content}</section>'


def timeline_section(view: RunView) -> str:
    """What each feature did when, the waits of the run, and the slots in use."""
    features = in_order(view)
    if not features:
        return ""
    labels = "".join(map(_label, features))
    rows = f'<div class="rows"><ol>{labels}</ol>{timeline_svg(view, features)}</div>'
    in_use = _("slots in use, of {count}").format(count=view.run.max_parallel)
    busy = f'<div class="rows"><div class="beside">{in_use}</div>{concurrency_svg(view)}</div>'
    legend = f'<div class="legend">{"".join(_legend(view, features))}</div>'
    if len(features) > FOLDED_ABOVE:
        words = _("Show {features}").format(features=counted(len(features), "feature"))
        rows = f"<details><summary>{words}</summary>{rows}</details>"
    return (
        f'<section id="-timeline"><h2>{_("Timeline")}</h2>'
        f'<div class="card">{rows}{busy}{legend}</div></section>'
    )


def _label(feature: FeatureView) -> str:
    critical = ' class="critical"' if feature.is_critical else ""
    link = f'<a href="{address(feature.id)}" title="{text(feature.id)}">{text(feature.id)}</a>'
    return f"<li{critical}>{mark(feature.status)}{link}</li>"


def _legend(view: RunView, features: Sequence[FeatureView]) -> Iterator[str]:
    """The colours that occur in the timeline."""
    seen = {span.phase for each in features for span in each.spans if span.seconds}
    for phase, words in WORDS.items():
        # Inspection and commit look the same.
        if phase in seen and phase is not Phase.INSPECTION:
            yield _sample(phase.value, _(words))
    lost = (a.outcome for each in features for a in each.attempts if a.outcome)
    if any(outcome.status is not Status.COMPLETED for outcome in lost):
        yield _sample("lost", _("attempt without success"))
    if view.limits:
        yield _sample("limit", _("usage limit"))
    if view.pauses:
        yield _sample("pause", _("paused by you"))
    if view.critical_path:
        yield _sample("path", _("critical path"))


def _sample(kind: str, words: str) -> str:
    tall = {"worktree": 3, "between": 3, "path": 2}.get(kind, 12)
    return (
        '<span><svg class="timeline" width="14" height="12" aria-hidden="true">'
        f'<rect class="{kind}" width="14" y="{(12 - tall) / 2:g}" height="{tall}"/></svg>'
        f"{words}</span>"
    )


def costs_section(view: RunView) -> str:
    """Costs and tokens by model and by feature."""
    ran = [feature for feature in view.features if feature.attempts]
    if not ran:
        return ""
    rows = "".join(map(_cost_row, ran))
    usage = usage_of(a for each in ran for a in each.attempts)
    expected = view.run.provenance.estimated_usd
    foot = (
        f'<tr><td>{_("all")}</td><td class="n">{total_of(view)}</td>'
        f'<td class="n">{money(expected) if expected else ""}</td>{_token_cells(usage)}</tr>'
    )
    table = (
        f'<div class="scroll"><table><thead><tr><th>{_("feature")}</th>'
        f'<th class="n">{_("cost")}</th><th class="n">{_("estimated")}</th>'
        f'<th class="n extra">{_("input")}</th><th class="n extra">{_("output")}</th>'
        f'<th class="n extra">{_("cache written")}</th><th class="n extra">{_("cache read")}</th>'
        "</tr></thead>"
        f"<tbody>{rows}</tbody><tfoot>{foot}</tfoot></table></div>"
    )
    return section("-costs", _("Costs and tokens"), ran, _models(view) + table)


def total_of(view: RunView) -> str:
    """What the run cost, without its budget."""
    cost = view.report.cost
    return spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete)


def _models(view: RunView) -> str:
    costs = view.report.cost_by_model
    names = sorted(costs, key=lambda name: -costs[name])
    return facts([(text(name), f'<span class="n">{money(costs[name])}</span>') for name in names])


def _cost_row(feature: FeatureView) -> str:
    estimate = money(feature.estimate.cost_usd) if feature.estimate else ""
    link = f'<a href="{address(feature.id)}">{text(feature.id)}</a>'
    return (
        f'<tr><td>{link}</td><td class="n">{price(feature)}</td><td class="n">{estimate}</td>'
        f"{_token_cells(feature.usage)}</tr>"
    )


def _token_cells(usage: Usage) -> str:
    return "".join(f'<td class="n extra">{thousands(count)}</td>' for count in vars(usage).values())
