"""A review as a page: one HTML file that needs nothing else. See :func:`page_of`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.outcome import Status
from ..model.terminal_text import shell_word
from ..model.translate import _, shown
from ..model.words import counted, headed
from ..reporter.cost_text import spent
from ..views.html_feature import STYLE, Fact, changed, coded, facts, file_item
from ..views.html_report import page
from ..views.html_text import address, lines, text
from ..views.html_verdicts import verdict_section
from ..views.status_marks import mark
from .lines import ANSWERS, comment_line, heading, notable, seen_words, taken_back_words
from .reading import FeatureReading, Reading, document

OPEN_LINES = 400
"""The patches of a feature are unfolded, up to so many lines."""


def page_of(reading: Reading) -> str:
    """The page of a review. Secrets are to be masked before; see :func:`reading.masked`."""
    said = heading(reading)
    content = (
        f'<header id="-head"><p class="over">{text(reading.project_name)}</p>'
        f"<h1><span>{text(said)}</span></h1>{_hardest(reading)}</header>"
        f'<section><h2 id="-features">{_("Features")}</h2>'
        f"{''.join(map(_feature, reading.features))}</section>"
    )
    return page(headed(reading.project_name, said), content, document(reading))


def _hardest(reading: Reading) -> str:
    if not reading.hardest:
        return ""
    link = f'<a href="{address(reading.hardest)}">{text(reading.hardest)}</a>'
    return f"<p>{_('Spend most of your time on {id}').format(id=link)}</p>"


def _feature(feature: FeatureReading) -> str:
    """A feature, unfolded while it waits for the reviewer. Its address is its id."""
    name = "" if feature.name == feature.id else text(feature.name)
    is_open = " open" if feature.waits else ""
    return (
        f'<details class="feature" id="{text(feature.id)}"{is_open}><summary>'
        f"{mark(Status.COMPLETED)}<b>{text(feature.id)}</b>"
        f'<span class="name">{name}</span>'
        f'<span class="figures">{"".join(_figures(feature))}</span></summary>'
        f"<div>{''.join(_body(feature))}</div></details>"
    )


def _figures(feature: FeatureReading) -> Iterator[str]:
    cost = feature.known.cost
    yield f"<span>{changed(feature.insertions, feature.deletions)}</span>"
    yield f"<span>{spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete)}</span>"
    if feature.answer is not None:
        word, colour = ANSWERS[feature.answer]
        tone = "good" if colour == "green" else "bad"
        yield f'<span class="{tone}">{_(word)}</span>'


def _body(feature: FeatureReading) -> Iterator[str]:
    notes = [*feature.notes, *filter(None, [feature.fault])]
    if notes:
        yield f'<pre class="reason">{lines(chr(10).join(map(shown, notes)))}</pre>'
    if feature.evidence:
        yield f"<h3>{_('Evidence')}</h3>{_list([shown(e.text) for e in feature.evidence])}"
    yield facts(_facts(feature))
    yield verdict_section(feature.known.verdicts.values())
    yield _files(feature)
    if feature.comments:
        comments = [comment_line(comment) for comment in feature.comments]
        yield f"<h3>{_('Comments')}</h3>{_list(comments)}"
    if feature.said:
        name = _("Claude’s last message")
        yield f"<details open><summary>{name}</summary><pre>{lines(feature.said)}</pre></details>"
    if feature.waits:
        yield f'<p class="next">→ {coded(_review(feature, "--accept"))}</p>'
        yield f'<p class="next">→ {coded(_review(feature, "--comment TEXT"))}</p>'


def _review(feature: FeatureReading, answer: str) -> str:
    return f"rorchestrator review {shell_word(feature.id)} {answer} --at {feature.tip[:12]}"


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def _facts(feature: FeatureReading) -> list[Fact]:
    known = feature.known
    return [
        (_("needs"), ", ".join(map(text, feature.depends_on))),
        (_("branch"), coded(known.branch)),
        (_("commit"), coded(feature.tip[:12])),
        (_("started from"), coded(feature.start[:12])),
        (_("attempts"), str(feature.attempts)),
    ]


def _files(feature: FeatureReading) -> str:
    """What is new in each file, and the names of the others."""
    if not feature.files and not feature.taken_back:
        return ""
    files = [(file, file.news) for file in feature.unseen]
    size = sum((n.insertions or 0) + (n.deletions or 0) for _file, n in files if n)
    items = "".join(
        file_item(news or file.whole, notable(file), is_open=size <= OPEN_LINES)
        for file, news in files
    )
    said = [
        taken_back_words(feature) if feature.taken_back else "",
        seen_words(feature) if feature.seen else "",
    ]
    rest = "".join(f'<p class="soft">{text(words)}</p>' for words in said if words)
    title = headed(_("Its own changes"), counted(len(feature.files), "file"))
    return f'<h3>{title}</h3><ul class="files">{items}</ul>{rest}'
