"""A review as lines for a terminal: the order, and each feature with its evidence and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..git.patches import FileDiff
from ..model.excerpt import some
from ..model.frozen import replace
from ..model.review import Answer, Comment
from ..model.terminal_text import clean, one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..reporter.cost_text import spent
from ..reporter.style import Style, shorten, wrapped
from ..reporter.verdict_table import verdict_lines
from .reading import FeatureReading, FileReading, Reading
from .seen import Sight

FILES = 15
"""How many files of a feature are listed."""

SAID_LINES = 4
"""How many lines are shown of what Claude said at the end."""

LEAST_FILES = 4
"""With fewer files, it needs no saying where to begin."""

BEGIN = 3
"""How many files to read first are named."""

ANSWERS = {
    Answer.ACCEPTED: (N_("accepted"), "green"),
    Answer.REJECTED: (N_("rejected"), "red"),
}


def review_lines(reading: Reading, style: Style) -> Iterator[str]:
    """The whole review: what waits, in which order, and why."""
    yield heading(reading)
    if reading.hardest:
        yield hardest_line(reading, style)
    for number, feature in enumerate(reading.features, 1):
        yield ""
        yield from feature_lines(feature, style, place=f"{number}/{len(reading.features)}")


def heading(reading: Reading) -> str:
    """How many features wait for the reviewer, and where they are to land."""
    if not reading.features:
        return _("Nothing to review: no completed feature is left that has not landed.")
    base = one_line(reading.base_branch)
    return _("Waiting for your review, to land on {base}: {count} of {features}").format(
        count=len(reading.waiting), features=counted(len(reading.features), "feature"), base=base
    )


def hardest_line(reading: Reading, style: Style) -> str:
    """Which feature deserves most of the reviewer's time, and the weightiest reason."""
    feature = next(each for each in reading.features if each.id == reading.hardest)
    why = one_line(shown(feature.evidence[0].text)) if feature.evidence else ""
    said = headed(_("Spend most of your time on {id}").format(id=feature.id), why)
    return style.paint(shorten(said, style.width, style), "bold")


def feature_lines(feature: FeatureReading, style: Style, *, place: str = "") -> Iterator[str]:
    """A feature: its size, why it stands where it stands, its files, its checks."""
    id, name = style.paint(feature.id, "bold"), one_line(feature.name)
    title = (f"[{place}]" if place else "", id, _state(feature, style))
    yield " ".join(filter(None, (*title, name if name != feature.id else "")))
    yield f"  {_figures(feature, style)}"
    needs = ", ".join(feature.depends_on)
    if needs:
        yield from _broken(_("builds on {ids}").format(ids=needs), style)
    for each in feature.evidence:
        said = f"{style.pick('•', '-')} {one_line(shown(each.text))}"
        yield from _broken(said, style, "yellow" if each.weight > 1 else "")
    for note in filter(None, (*feature.notes, feature.fault)):
        yield from _broken(one_line(shown(note)), style, "yellow")
    yield from _files(feature, style)
    narrower = replace(style, width=style.width - 2)
    yield from (f"  {line}" for line in verdict_lines(feature.known.verdicts.values(), narrower))
    for comment in feature.comments:
        yield from _broken(comment_line(comment), style)
    yield from (f"  {line}" for line in _said(feature, style))


def _broken(said: str, style: Style, colour: str = "") -> Iterator[str]:
    """A sentence below a feature, broken between words."""
    for line in wrapped(f"  {said}", style.width, indent="    "):
        text = line.lstrip(" ")
        yield line[: len(line) - len(text)] + (style.paint(text, colour) if colour else text)


def _state(feature: FeatureReading, style: Style) -> str:
    if feature.answer is not None:
        word, colour = ANSWERS[feature.answer]
        return style.paint(f"({_(word)})", colour)
    if feature.comments:
        return f"({counted(len(feature.comments), 'open comment')})"
    return ""


def _figures(feature: FeatureReading, style: Style) -> str:
    cost = feature.known.cost
    minus = style.pick("−", "-")
    parts = [
        f"{counted(len(feature.files), 'file')} +{feature.insertions} {minus}{feature.deletions}",
        counted(feature.attempts, "attempt"),
        spent(cost.usd, cost.about_usd, style, complete=cost.is_complete),
        feature.known.branch or feature.tip[:10],
    ]
    return style.pick(" · ", " | ").join(map(one_line, parts))


def _files(feature: FeatureReading, style: Style) -> Iterator[str]:
    unseen = feature.unseen
    begin = begin_with(unseen)
    if begin:
        named = one_line(", ".join(file.path for file in begin))
        yield from _broken(headed(_("begin with"), named), style)
    yield from (f"  {file_line(file, style)}" for file in unseen[:FILES])
    if len(unseen) > FILES:
        yield f"  {_('and {files}').format(files=counted(len(unseen) - FILES, 'more file'))}"
    if feature.taken_back:
        yield from _broken(taken_back_words(feature), style)
    if feature.seen:
        yield from _broken(seen_words(feature), style, "dim")


def begin_with(files: Sequence[FileReading]) -> Sequence[FileReading]:
    """The files that deserve the reviewer's attention first; none if there are few."""
    if len(files) < LEAST_FILES:
        return ()
    return sorted(files, key=lambda file: -file.attention)[:BEGIN]


def seen_words(feature: FeatureReading) -> str:
    """The files that are as they were when they were seen, in one line."""
    names = one_line(shown(some([file.path for file in feature.seen])))
    return _("unchanged since you saw them: {names}").format(names=names)


def taken_back_words(feature: FeatureReading) -> str:
    """The files that were seen changed and are no longer, in one line."""
    names = one_line(shown(some(feature.taken_back)))
    return _("no longer changed: {files}").format(files=names)


def file_line(file: FileReading, style: Style) -> str:
    """A file with the numbers of its new lines, and what is notable about it."""
    shown_diff, more = file.news or file.whole, notable(file)
    renamed = f"{one_line(file.whole.old_path)} → " if file.whole.old_path else ""
    name = f"{renamed}{one_line(file.path)}"
    return f"{name}  {numbers(shown_diff, style)}{f'  ({more})' if more else ''}"


def notable(file: FileReading) -> str:
    """What is notable about a file, in words; empty for nothing."""
    found = [
        _("changed since you saw it") if file.sight is Sight.CHANGED else "",
        "" if file.is_named else _("not named"),
        _("also changed by {ids}").format(ids=", ".join(file.others)) if file.others else "",
    ]
    return ", ".join(filter(None, found))


def numbers(file: FileDiff, style: Style) -> str:
    """``+12 −4``, or that a file is binary."""
    if file.insertions is None or file.deletions is None:
        return _("binary")
    return f"+{file.insertions} {style.pick('−', '-')}{file.deletions}"


def comment_line(comment: Comment) -> str:
    """A comment that waits for Claude."""
    place = f"{comment.path}:{comment.line}" if comment.line else comment.path
    text = headed(place, comment.text) if place else comment.text
    return headed(_("comment"), one_line(text))


def _said(feature: FeatureReading, style: Style) -> Iterator[str]:
    lines = [line.rstrip() for line in clean(feature.said).splitlines() if line.strip()]
    for number, line in enumerate(lines[-SAID_LINES:]):
        head = _("Claude: ") if number == 0 else "  "
        yield style.paint(shorten(f"{head}{line}", style.width - 2, style), "dim")


def how_to_answer(reading: Reading) -> Iterator[str]:
    """How to answer without a terminal; what to type after the answers that there are."""
    waiting = reading.waiting
    if waiting:
        review = f"rorchestrator review {shell_word(waiting[0].id)}"
        yield ""
        yield _("To answer:")
        yield f"  {review} --accept"
        yield f"  {review} --comment {_('TEXT')}"
        yield f"  {review} --reject"
    after = list(next_lines(reading))
    yield from ("", *after) if after else ()


def next_lines(reading: Reading) -> Iterator[str]:
    """What to type after an answer."""
    answers: dict[Answer | None, list[str]] = {}
    for feature in reading.features:
        if not feature.waits:
            answers.setdefault(feature.answer, []).append(feature.id)
    accepted = answers.pop(Answer.ACCEPTED, [])
    for id in (id for ids in answers.values() for id in ids):
        yield _("To let Claude work on {id}: rorchestrator retry {id}").format(id=id)
    if accepted:
        yield _("To land what is accepted: rorchestrator merge {ids}").format(
            ids=" ".join(map(shell_word, accepted))
        )
