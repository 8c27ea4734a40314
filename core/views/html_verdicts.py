"""The verdict table in the page: what the checks of a feature proved."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.check_verdict import CheckVerdict, Scope, Verdict
from ..model.translate import _
from ..reporter.style import Style
from ..reporter.verdict_table import FAILING, MEANINGS, SOUND, ending_words, files_in, in_order
from .html_text import text

STYLE = Style()


def verdict_section(verdicts: Iterable[CheckVerdict]) -> str:
    """The table, and the added tests that prove nothing; empty without verdicts."""
    rows = in_order(verdicts)
    if not rows:
        return ""
    names = (_("verdict"), _("check"), _("at the start"), _("now"))
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(map(_row, rows))
    return (
        f"<h3>{_('What the checks prove')}</h3><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>{_notes(rows)}"
    )


def _row(row: CheckVerdict) -> str:
    verdict, check = _(row.verdict.value), f"<code>{text(row.check)}</code>"
    if row.scope is Scope.PROJECT:
        check = _("{check} (project)").format(check=check)
    tone, meaning = _tone(row.verdict), text(_(MEANINGS[row.verdict]))
    before, after = (text(ending_words(each, STYLE)) for each in (row.before, row.after))
    word = f'<span class="{tone}" title="{meaning}">{verdict}</span>'
    cells = "".join(f"<td>{cell}</td>" for cell in (word, check, before, after))
    return f"<tr>{cells}</tr>"


def _tone(verdict: Verdict) -> str:
    if verdict in SOUND:
        return "good"
    return "bad" if verdict in FAILING - {Verdict.NOT_YOURS} else "warn"


def _notes(rows: Iterable[CheckVerdict]) -> str:
    files = "".join(f"<li><code>{text(file)}</code></li>" for file in files_in(rows))
    words = _("These added tests prove nothing: they pass without the change, too.")
    return f"<p>{words}</p><ul>{files}</ul>" if files else ""
