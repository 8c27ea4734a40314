"""The page of a run: one HTML file that needs nothing else. See :func:`html`."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from ..model.json_values import Json
from ..model.translate import _, language, shown
from ..model.words import counted, headed
from ..reporter.documents import feature_document
from ..reporter.run_text import waste_lines
from .html_feature import coded, feature_section
from .html_parts import costs_section, graph_section, head, result, timeline_section
from .html_style import SCRIPT, STYLE, words
from .html_text import data, text
from .run_view import FeatureView, RunView
from .status_marks import symbols

FEW = 20
"""More features that never began are folded into one line."""


def html(view: RunView) -> str:
    """The page of a run. It is the same for the same view.

    Each part can be addressed: a feature by its id, the others by names that no feature can have.
    """
    title = headed(view.report.project_name, result(view))
    return page(title, "".join(_parts(view)), document(view))


def _parts(view: RunView) -> Iterator[str]:
    yield from (
        head(view),
        _next(view),
        _failures(view),
        graph_section(view),
        timeline_section(view),
    )
    yield from (costs_section(view), _others(view), _waste(view), _notes(view))


def page(title: str, content: str, embedded: Json) -> str:
    """A page with its style, its script, and data at its end."""
    footer = _("Everything in this page is in the file itself; the data is at its end as JSON.")
    return (
        f"<!DOCTYPE html>\n{_meta(title)}<body{words()}>{symbols()}<main>{content}"
        f'<footer>{footer}</footer></main><script type="application/json" id="-report">'
        f"{data(embedded)}</script><script>{SCRIPT}</script></body></html>\n"
    )


def document(view: RunView) -> dict[str, Json]:
    """The report as ``docs/STATE.md`` describes it, with the reports of its features."""
    results = [feature_document(feature.known) for feature in view.features]
    return {**view.report.to_json(), "results": results}


def _meta(title: str) -> str:
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        f'<html lang="{language()}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>"
    )


def _digest(content: str) -> str:
    """The hash by which the page allows its own style sheet and script, and no other."""
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def _next(view: RunView) -> str:
    """The commands to type after the run."""
    return "".join(
        f'<p class="next">→ {coded(command)} ({_(purpose)})</p>'
        for command, purpose in view.next_steps
    )


def _failures(view: RunView) -> str:
    """The features that did not complete: first those that began, then all others."""
    begun = [feature for feature in view.failures if feature.spans]
    others = [feature for feature in view.failures if not feature.spans]
    failures, rest = ("".join(map(feature_section, each)) for each in (begun, others))
    if len(others) > FEW:
        words = _("{features} that never began").format(features=counted(len(others), "feature"))
        rest = f"<details><summary>{words}</summary>{rest}</details>"
    if not view.failures:
        return ""
    return f'<section id="-failures"><h2>{_("Not completed")}</h2>{failures}{rest}</section>'


def _others(view: RunView) -> str:
    others: list[FeatureView] = [each for each in view.features if not each.is_failure]
    sections = "".join(map(feature_section, others))
    name = _("Completed") if view.is_over else _("Features")
    return f'<section><h2 id="-features">{name}</h2>{sections}</section>' if sections else ""


def _waste(view: RunView) -> str:
    lines = "".join(f"<li>{text(line)}</li>" for line in waste_lines(view.report))
    if not lines:
        return ""
    return f'<section id="-waste"><h2>{_("Spent without a result")}</h2><ul>{lines}</ul></section>'


def _notes(view: RunView) -> str:
    notes = "".join(f"<li>{text(shown(note))}</li>" for note in view.notes)
    return f'<section id="-notes"><h2>{_("Notes")}</h2><ul>{notes}</ul></section>' if notes else ""
