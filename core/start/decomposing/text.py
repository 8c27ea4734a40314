"""A proposal as text: the difference to the files that are there, and what is still wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...model.terminal_text import one_line
from ...model.translate import _, shown
from ...model.words import counted, money
from ...reporter.style import Style
from ..reading_claude import Spent
from .list import Checked, Draft


def diff_lines(draft: Draft, style: Style, top: str) -> Iterator[str]:
    """A unified diff of the list and the new prompts; paths are relative to ``top``."""
    target = draft.target
    old = target.file.text if target.file is not None else None
    yield from _diff(os.path.relpath(target.path, top), old, draft.text, style)
    for name, text in draft.prompts.items():
        path = os.path.join(target.workspace, "prompts", name)
        yield from _diff(os.path.relpath(path, top), None, text, style)


COLOURS = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


def _diff(path: str, old: str | None, new: str, style: Style) -> Iterator[str]:
    from difflib import unified_diff

    name = one_line(path)
    before = "/dev/null" if old is None else f"a/{name}"
    lines = unified_diff(
        (old or "").splitlines(), new.splitlines(), before, f"b/{name}", lineterm=""
    )
    for line in lines:
        code = next((code for begin, code in COLOURS.items() if line.startswith(begin)), "")
        yield style.paint(line, code) if code else line


def finding_lines(checked: Checked, style: Style) -> Iterator[str]:
    """What loader and linter still say, and what the specification leaves open."""
    if checked.faults:
        yield _("{faults} in the answer:").format(faults=counted(len(checked.faults), "fault"))
        yield from (f"  {one_line(shown(each))}" for each in checked.faults)
    if checked.findings:
        count = counted(len(checked.findings), "finding")
        yield style.paint(_("{findings} left:").format(findings=count), "yellow")
        yield from (f"  {one_line(shown(each))}" for each in checked.findings)
    if checked.draft is not None and checked.draft.questions:
        yield _("The specification leaves open:")
        yield from (f"  {one_line(each)}" for each in checked.draft.questions)


def spent_words(spent: Spent) -> str:
    """What Claude cost, as a sentence."""
    calls, usd = counted(spent.calls, "call"), money(spent.usd)
    if spent.is_complete:
        return _("Spent: {usd} in {calls} to Claude.").format(usd=usd, calls=calls)
    if spent.usd:
        return _("Spent: at least {usd} in {calls} to Claude.").format(usd=usd, calls=calls)
    return _("Spent: an unknown amount, in {calls} to Claude.").format(calls=calls)
