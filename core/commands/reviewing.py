"""The terminal loop of ``review``: one feature after the other, its diff, then a question."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..git import patches
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.review import Answer
from ..model.state import RunState
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import headed
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..reporter.style import Style, style_of, wrapped
from ..review.answers import Given, comment_of, give, paths_of
from ..review.gathering import reading_of
from ..review.lines import begin_with, feature_lines, hardest_line, heading
from ..review.reading import FeatureReading, Reading, masked
from .diffing import programs_line, show_diff
from .options import opened_or_recorded

ACCEPT = ("a", "accept", "accepter")
COMMENT = ("c", "comment", "commenter")
REJECT = ("r", "reject", "rejeter")
SHOW = ("", "d", "diff")
LATER = ("l", "later", "p", "plus", "n", "next", "s", "suivante")
QUIT = ("q", "quit", "quitter")
"""The answers, in every language."""


class Left(Exception):
    """The user quits, or the terminal is gone."""


@dataclass(frozen=True)
class Opened:
    """The project as it is at this moment: others answer, and runs go on, meanwhile."""

    project: OpenProject
    state: RunState
    reading: Reading


def opened_now(arguments: argparse.Namespace, ids: Sequence[str]) -> Opened:
    """Open the project and read it."""
    project, _fault = opened_or_recorded(arguments)
    state = project.state()
    return Opened(project, state, reading_of(project, state, ids, whole=arguments.all))


def review_each(arguments: argparse.Namespace) -> list[str]:
    """Ask about each feature that waits, or each that is named; the ids with an answer."""
    answered: list[str] = []
    done: set[str] = set()
    has_begun = arguments.quiet
    with suppress(Left):
        while True:
            now = opened_now(arguments, arguments.ids)
            waiting = [each.id for each in _wanted(arguments, now) if each.id not in done]
            if not has_begun:
                has_begun = True
                _begin(masked(now.reading, arguments.mask), style_of(sys.stderr, arguments.color))
            if not waiting:
                break
            for number, id in enumerate(waiting, 1):
                _ask_until_over(arguments, id, f"{number}/{len(waiting)}", answered)
                done.add(id)
            if arguments.ids:
                break
    return answered


def _wanted(arguments: argparse.Namespace, now: Opened) -> Sequence[FeatureReading]:
    is_asked = arguments.ids or arguments.all
    return now.reading.features if is_asked else now.reading.waiting


def _ask_until_over(
    arguments: argparse.Namespace, id: str, place: str, answered: list[str]
) -> None:
    """Ask about a feature, and again if it has changed meanwhile, unless it no longer waits."""
    while True:
        try:
            # Others answer, and runs go on, while a person reads.
            now = opened_now(arguments, [id])
        except UserError as error:
            _print("", one_line(shown(error.message)))
            return
        if not _wanted(arguments, now):
            return
        # The terminal may have another size by now.
        question = _Question(arguments, now, id, style_of(sys.stderr, arguments.color))
        try:
            is_over = question.ask(place)
        finally:
            if question.was_answered and id not in answered:
                answered.append(id)
        if is_over:
            return


def _begin(reading: Reading, style: Style) -> None:
    _print(heading(reading))
    if reading.hardest:
        _print(hardest_line(reading, style))


class _Question:
    """The question about one feature."""

    def __init__(self, arguments: argparse.Namespace, now: Opened, id: str, style: Style) -> None:
        self.arguments = arguments
        self.now = now
        self.style = style
        # As it is: ids, paths and commits of an answer must not be masked.
        self.feature = next(each for each in now.reading.features if each.id == id)
        self.was_shown = False
        self.was_answered = False

    def ask(self, place: str) -> bool:
        """Show the feature, then ask until it is answered or left; whether it is over.

        Else it has changed meanwhile. Raises :class:`Left`.
        """
        shown_now = masked(self.now.reading, self.arguments.mask)
        feature = next(each for each in shown_now.features if each.id == self.feature.id)
        _print("", *feature_lines(feature, self.style, place=place))
        if not feature.has_news:
            _print(_("Nothing is new since you saw it; Enter shows all of it."))
        acts: Sequence[tuple[Sequence[str], Callable[[], bool | None]]] = (
            (SHOW, self._show),
            (ACCEPT, self._accept),
            (COMMENT, self._comment),
            (REJECT, self._reject),
            (LATER, lambda: True),
        )
        while True:
            word = _read(self._words()).strip().lower()
            if word in QUIT:
                raise Left
            act = next((act for words, act in acts if word in words), None)
            is_over = act() if act else None
            if is_over is not None:
                return is_over

    def _words(self) -> str:
        if not self.was_shown:
            question = _("Enter shows the diff; [a]ccept, [c]omment, [r]eject, [l]ater, [q]uit?")
        elif not self.was_answered:
            question = _("[a]ccept, [c]omment, [r]eject, [d]iff again, [l]ater, [q]uit?")
        else:
            question = _("[n]ext, [c]omment again, [a]ccept, [r]eject, [d]iff again, [q]uit?")
        width = style_of(sys.stderr).width - 1  # the blank that follows
        id = self.feature.id
        asked = wrapped(headed(id, question), width)
        return "\n".join(asked).replace(id, self.style.paint(id, "bold"), 1) + " "

    def _show(self) -> None:
        """Show what is new in the user's pager; all of it if nothing is."""
        feature, git = self.feature, self.now.project.git
        if not feature.start:
            return
        self.was_shown = True
        programs = run_sync(patches.programs_of_repository(git))
        if not self.arguments.quiet:
            _print(*filter(None, [programs_line(programs)]))
        since = feature.since if feature.has_news else feature.start
        order = patches.in_this_order(git, [file.path for file in begin_with(feature.unseen)])
        show_diff(git, since, feature.tip, self.arguments.color, *order, without=programs)

    def _accept(self) -> bool | None:
        return self._give(Answer.ACCEPTED, "", _("{id} is accepted."))

    def _reject(self) -> bool | None:
        text = _read_text(_("Why? Claude gets it when it starts over (an empty line ends it):"))
        return self._give(Answer.REJECTED, text, _("{id} is rejected."))

    def _comment(self) -> bool | None:
        asked = _(
            "Your comment; start with path:line if it is about one line (an empty line ends it):"
        )
        text = _read_text(asked)
        if not text:
            return None
        said = _("Recorded. To give it to Claude: rorchestrator retry {id}")
        # Another comment may follow, so the question comes again.
        recorded = self._give(None, text, said)
        return None if recorded else recorded

    def _give(self, answer: Answer | None, text: str, said: str) -> bool | None:
        """Record an answer; whether it was, or ``None`` if the comment says nothing.

        The feature may be another one by now: then it is read again.
        """
        try:
            paths = paths_of(self.now.project, self.feature)
            comment = comment_of(text, paths, self.feature.known.review) if text else None
        except UserError as error:
            _print(one_line(shown(error.message)))
            return None
        project, _fault = opened_or_recorded(self.arguments)
        try:
            given = Given(answer, comment, saw_all=self.was_shown)
            give(project, project.state(), self.feature, given)
        except UserError as error:
            _print(one_line(shown(error.message)))
            return False
        self.was_answered = True
        _print(said.format(id=self.feature.id))
        return True


def _read(question: str) -> str:
    """A line of the user's. Raises :class:`Left` at the end of the input."""
    print(question, end="", file=sys.stderr, flush=True)
    line = _line()
    if not line:
        _print("")
        raise Left
    return line


def _read_text(question: str) -> str:
    """The lines up to an empty one, or up to the end of the input."""
    _print(question)
    lines: list[str] = []
    while True:
        line = _line()
        if not line.strip():
            return "\n".join(lines).strip()
        lines.append(line.rstrip())


def _line() -> str:
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        return "\n"


def _print(*lines: str) -> None:
    if lines:
        print("\n".join(lines), file=sys.stderr, flush=True)
