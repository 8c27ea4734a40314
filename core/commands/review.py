"""``review``: what completed features changed and why to look, one after the other; the answers."""

from __future__ import annotations

import argparse
import json
import sys

from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from .options import add_common_options, file_path, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..review.answers import Given
    from ..review.reading import FeatureReading
    from .reviewing import Opened

EXAMPLES = N_("""\
examples:
  rorchestrator review
  rorchestrator review auth --accept
  rorchestrator review auth --comment 'src/auth.py:12 hash with scrypt'
  rorchestrator review --json
""")

STDIN = "-"
LARGEST_COMMENT = 60_000
"""Characters; the journal cuts longer texts."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show the completed features that have not landed, in the order in which to read them:\n"
        "what each changed itself, and why to look. At a terminal, show each diff, then ask for\n"
        "your answer. What you have seen is not shown again."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the features (default: all that wait for your review)"),
    )
    parser.add_argument("--all", action="store_true", help=_("also show what you have seen before"))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("print one JSON object"))
    form.add_argument(
        "--html",
        type=file_path,
        metavar=_("FILE"),
        help=_("write a page with all diffs to this file; - is stdout"),
    )
    group = parser.add_argument_group(_("answers, for scripts and editors"))
    answer = group.add_mutually_exclusive_group()
    answer.add_argument("--accept", action="store_true", help=_("accept the features"))
    answer.add_argument(
        "--reject", action="store_true", help=_("reject them: they start over in the next run")
    )
    text = group.add_mutually_exclusive_group()
    text.add_argument(
        "--comment",
        metavar=_("TEXT"),
        help=_("comment on a feature, or say why it is rejected; may start with path:line"),
    )
    text.add_argument(
        "--file",
        type=file_path,
        metavar=_("FILE"),
        help=_("the comment is the content of this file; - is stdin"),
    )
    group.add_argument(
        "--retry",
        action="store_true",
        help=_("give the comment to Claude at once, as rorchestrator retry does"),
    )
    group.add_argument(
        "-y", "--yes", action="store_true", help=_("with --retry: do not ask before the run")
    )
    group.add_argument(
        "--at",
        metavar=_("COMMIT"),
        help=_("the commit that you read; refuse the answer if the feature has another one by now"),
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show, ask, or record an answer."""
    from .reviewing import opened_now

    if arguments.accept or arguments.reject or _has_comment(arguments):
        return _answer(arguments)
    for option in ("at", "retry", "yes"):
        if getattr(arguments, option):
            raise UserError(
                _("--{option} needs an answer").format(option=option),
                hint="rorchestrator review ID --comment TEXT",
            )
    if not (arguments.json or arguments.html) and _is_terminal():
        return _ask(arguments)
    return _show(arguments, opened_now(arguments, arguments.ids))


def _has_comment(arguments: argparse.Namespace) -> bool:
    return arguments.comment is not None or arguments.file is not None


def _is_terminal() -> bool:
    from .ask_consent import is_terminal

    return is_terminal() and sys.stdout.isatty()


# -- shown ----------------------------------------------------------------------------------------


def _show(arguments: argparse.Namespace, now: Opened) -> int:
    """Print the review."""
    from ..project.output_path import check_output_path
    from ..reporter.style import style_of
    from ..review.lines import how_to_answer, review_lines
    from ..review.reading import document, masked
    from ..views.output_file import print_or_write

    reading = masked(now.reading, arguments.mask)
    if arguments.html:
        from ..review.page import page_of

        check_output_path(now.project, "--html", arguments.html)
        print_or_write("--html", arguments.html, page_of(reading))
    elif arguments.json:
        print(json.dumps(document(reading), indent=2))
    else:
        style = style_of(sys.stdout, arguments.color)
        print("\n".join((*review_lines(reading, style), *how_to_answer(reading))))
    return ExitCode.UP_TO_DATE


def _ask(arguments: argparse.Namespace) -> int:
    """Ask at the terminal; then say what to type next."""
    from ..review.lines import next_lines
    from .reviewing import opened_now, review_each

    try:
        answered = review_each(arguments)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # The shell's prompt gets a line of its own.
        raise
    if answered and not arguments.quiet:
        lines = next_lines(opened_now(arguments, ()).reading)
        print("\n".join(map(one_line, lines)), file=sys.stderr, flush=True)
    return ExitCode.UP_TO_DATE


# -- answered -------------------------------------------------------------------------------------


def _answer(arguments: argparse.Namespace) -> int:
    """Record an answer to the features that are named."""
    from ..model.review import Answer
    from ..project import control_requests
    from ..review.answers import Given, answer_document, comment_of, give, paths_of
    from .ask_consent import check_can_ask
    from .options import asking
    from .retrying import retry_feature
    from .reviewing import opened_now

    _check_answer(arguments)
    text = _text(arguments)
    now = opened_now(arguments, arguments.ids)
    if arguments.retry and not control_requests.running(now.project, now.state):
        check_can_ask(asking(arguments), now.project)
    answer = Answer.ACCEPTED if arguments.accept else Answer.REJECTED if arguments.reject else None
    replies = []
    for feature in now.reading.features:
        _check_commit(arguments, feature)
        comment = None
        if text is not None:
            paths = paths_of(now.project, feature)
            comment = comment_of(text, paths, feature.known.review)
        given = Given(answer, comment)
        project, _fault = opened_or_recorded(arguments)
        give(project, project.state(), feature, given)
        replies.append(answer_document(feature, given))
        if not (arguments.json or arguments.quiet):
            print(one_line(_said(feature, given)), flush=True)
    if arguments.json:
        print(json.dumps({"features": replies}), flush=True)
    if arguments.retry:
        return retry_feature(_as_retry(arguments), arguments.ids[0])
    return ExitCode.UP_TO_DATE


def _as_retry(arguments: argparse.Namespace) -> argparse.Namespace:
    """The arguments with the defaults of what only ``retry`` has."""
    from ..orchestrator.run_options import MAX_WAIT_SECONDS

    defaults = {"allow_bypass": False, "max_cost": None, "max_time": None}
    more = {"max_wait": MAX_WAIT_SECONDS, "progress": "auto"}
    return argparse.Namespace(**{**defaults, **more, **vars(arguments)})


def _check_answer(arguments: argparse.Namespace) -> None:
    if arguments.html:
        raise UserError(_("--html does not go with an answer"), hint=_("leave out --html"))
    if not arguments.ids:
        raise UserError(
            _("an answer needs the id of a feature"), hint="rorchestrator review ID --accept"
        )
    if arguments.accept and _has_comment(arguments):
        raise UserError(
            _("--accept does not go with a comment, which asks for a change"),
            hint=_("leave out one of them"),
        )
    if arguments.retry and not (arguments.reject or _has_comment(arguments)):
        raise UserError(
            _("--retry needs a comment or --reject"),
            hint="rorchestrator review ID --comment TEXT --retry",
        )
    if len(arguments.ids) > 1 and (arguments.retry or _has_comment(arguments) or arguments.at):
        raise UserError(
            _("--comment, --file, --retry and --at take one feature"),
            hint=_("name one feature"),
        )


def _text(arguments: argparse.Namespace) -> str | None:
    """The text of the comment; ``None`` for none. Raises :class:`UserError`."""
    from ..model.translate import shown

    if arguments.file is None:
        text: str | None = arguments.comment
    elif arguments.file == STDIN:
        text = sys.stdin.read()
    else:
        try:
            with open(arguments.file, encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
            raise UserError(
                _("--file {path} can't be read: {why}").format(
                    path=arguments.file, why=shown(why or "")
                ),
                hint=_("give --file a text file, or use --comment"),
            ) from None
    if text is not None and len(text) > LARGEST_COMMENT:
        raise UserError(
            _("a comment has at most {count} characters").format(count=LARGEST_COMMENT),
            hint=_("put the rest into a file of the branch, and name that file in the comment"),
        )
    return text


def _check_commit(arguments: argparse.Namespace, feature: FeatureReading) -> None:
    from ..review.answers import moved_from

    if arguments.at and not feature.tip.startswith(arguments.at.lower()):
        raise moved_from(feature, arguments.at)


def _said(feature: FeatureReading, given: Given) -> str:
    from ..model.review import Answer

    if given.answer is Answer.ACCEPTED:
        return _("{id} is accepted at {commit}").format(id=feature.id, commit=feature.tip[:10])
    if given.answer is Answer.REJECTED:
        return _("{id} is rejected at {commit}; to start it over: rorchestrator retry {id}").format(
            id=feature.id, commit=feature.tip[:10]
        )
    return _(
        "the comment on {id} is recorded; to give it to Claude: rorchestrator retry {id}"
    ).format(id=feature.id)
