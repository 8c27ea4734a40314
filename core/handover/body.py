"""The text of a pull request: our part, between two marks, and what people wrote around it.

Text from outside mentions nobody, closes no issue and starts no command of the forge. GitLab looks
for closing words and for ``/commands`` also inside of code, so the characters are kept apart.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from ..model.excerpt import excerpt
from ..model.feature import Config
from ..model.frozen import dataclass
from ..model.mask import Mask
from ..model.terminal_text import clean, one_line
from ..model.translate import _, shown
from ..model.words import counted, duration, headed
from ..reporter.cost_text import spent
from ..reporter.markdown_text import code, escaped, fenced
from ..reporter.style import Style, shorten
from ..reporter.verdict_table import verdict_markdown
from .work import Work

BEGIN = "<!-- rorchestrator: our part begins; write above or below it -->"
END = "<!-- rorchestrator: our part ends -->"

PROMPT_LINES = 12
PROMPT_CHARACTERS = 2_000
TITLE_CHARACTERS = 200
COMMAND_CHARACTERS = 500
COMMANDS = 20
"""The most that are listed."""

APART = "\u200b"
"""A space without width."""

REFERENCE = re.compile(
    r"((?<!&)#|!)(?=\d)|\b(GH-|[A-Z][A-Z0-9_]+-)(?=\d)"
    r"|(/(?:issues|work_items|pull|pulls|merge_requests|epics)/)(?=\d)"
)
"""What a forge may take for an issue to close."""

MENTION = re.compile(r"@(?=\w)")
COMMAND = re.compile(r"^(\s*)/(?=\w)", re.MULTILINE)

STYLE = Style()


@dataclass(frozen=True)
class Facts:
    """What the text says beside the feature's own facts."""

    base: str
    commit: str
    built_on: Sequence[str] = ()
    """In Markdown, ours: ``#11 (`auth`)``."""
    notes: Sequence[str] = ()


def title_of(work: Work, mask: Mask) -> str:
    """The title of a new pull request."""
    return shorten(one_line(mask(work.feature.name or work.id)), TITLE_CHARACTERS, STYLE)


def body_of(work: Work, config: Config, facts: Facts, mask: Mask) -> str:
    """Our part of the text, with its marks."""
    lines = [BEGIN, *_purpose(work, mask), *_built_on(facts), *_checks(work, mask)]
    lines += [*_contracts(work, mask), *_price(work), *_again(work, config, facts, mask), END]
    return "\n".join(lines)


def updated(text: str, ours: str) -> str:
    """A text with our part replaced; as it is if somebody took our part out."""
    begin, end = text.find(BEGIN), text.rfind(END)
    if begin < 0 or end < begin:
        return text
    return text[:begin] + ours + text[end + len(END) :]


def defused(text: str) -> str:
    """A text that closes no issue and starts no command of the forge."""
    apart = REFERENCE.sub(lambda found: found[0] + APART, text)
    return COMMAND.sub(lambda found: f"{found[1]}{APART}/", apart)


def unmentioned(text: str) -> str:
    """The same, and it mentions nobody."""
    return MENTION.sub("@" + APART, defused(text))


def _purpose(work: Work, mask: Mask) -> Iterator[str]:
    feature = work.feature
    yield defused(headed(code(work.id), escaped(_short(feature.name, mask))))
    if feature.description:
        yield ""
        yield defused(escaped(_short(feature.description, mask, PROMPT_CHARACTERS)))
    yield ""
    prompt = excerpt(clean(mask(feature.prompt)), lines=PROMPT_LINES, characters=PROMPT_CHARACTERS)
    yield from _folded(_("The prompt"), fenced(unmentioned(prompt)))


def _short(text: str, mask: Mask, characters: int = TITLE_CHARACTERS) -> str:
    """A text from outside on one line, without secrets."""
    return shorten(one_line(mask(text)), characters, STYLE)


def _folded(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _built_on(facts: Facts) -> Iterator[str]:
    yield ""
    yield headed(_("**Built on**"), ", ".join(facts.built_on) or defused(code(facts.base)))
    for note in facts.notes:
        yield f"- {escaped(shown(note))}"


def _checks(work: Work, mask: Mask) -> Iterator[str]:
    table = list(verdict_markdown(work.known.verdicts.values()))
    if table:
        yield from ("", _("### Checks"), "")
        yield from (defused(mask(line)) for line in table)


def _contracts(work: Work, mask: Mask) -> Iterator[str]:
    given = ((_("creates"), work.feature.creates), (_("uses"), work.feature.uses))
    rows = [(kind, entry) for kind, entries in given for entry in entries[:COMMANDS]]
    if rows:
        yield from ("", _("### Contracts"), "")
        yield from (f"- {headed(kind, defused(code(_short(entry, mask))))}" for kind, entry in rows)


def _price(work: Work) -> Iterator[str]:
    known = work.known
    cost = known.cost
    price = spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete)
    took = (known.ended_at or 0.0) - (known.started_at or known.ended_at or 0.0)
    parts = [counted(len(known.attempts), "attempt"), duration(took), price]
    yield from ("", headed(_("**Cost**"), " · ".join(parts)))


def _again(work: Work, config: Config, facts: Facts, mask: Mask) -> Iterator[str]:
    branch = f"refs/heads/{work.branch}"
    commands = [
        f"git fetch origin {shlex.quote(branch)}",
        f"git switch --detach {facts.commit}",
        *(command.line for command in (*config.project.setup, *work.feature.setup)),
        *(command.line for command in (*config.project.verify, *work.feature.verify)),
    ]
    text = "\n".join(_short(command, mask, COMMAND_CHARACTERS) for command in commands[:COMMANDS])
    yield ""
    yield from _folded(_("How to reproduce it"), fenced(defused(text)))
    yield ""
    yield f"<sub>RoRchestrator · {code(work.known.run)}</sub>"
