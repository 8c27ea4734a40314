"""``logs``: Claude's stream of an attempt as readable text, or raw."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

from ..journal.private_files import only_regular
from ..model.errors import ExitCode, UserError
from ..model.list_commands import BASE
from ..project.selection import check_known
from .options import add_common_options, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.attempt import Attempt
    from ..model.mask import Mask
    from ..project.open import OpenProject

EXAMPLES = """\
examples:
  rorchestrator logs auth --follow
  rorchestrator logs auth --attempt 1 --raw | head
  rorchestrator logs auth --checks
"""

POLL_SECONDS = 0.2
READ_BYTES = 65536


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = (
        "Show what Claude did in the last attempt at a feature, as readable text, or what its\n"
        "setup or its checks printed the last time."
    )
    parser.epilog = EXAMPLES
    parser.add_argument("id", metavar="ID", help=f"the feature, or {BASE} for the base branch")
    parser.add_argument(
        "--attempt", type=int, metavar="N", help="the N-th attempt instead of the last"
    )
    parser.add_argument(
        "--raw", action="store_true", help="print Claude's output as it is, secrets included"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--setup", action="store_true", help="print the output of its setup")
    what.add_argument("--checks", action="store_true", help="print the output of its checks")
    what.add_argument(
        "--resolution",
        action="store_true",
        help="print how Claude resolved its conflict in a merge",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="keep printing while the log grows"
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print a log; with ``--follow``, until its attempt has ended."""
    project, _ = opened_or_recorded(arguments)
    if arguments.setup or arguments.checks:
        path = _step_log(arguments, project, "setup" if arguments.setup else "verify")
        show = _raw if arguments.raw else _Printed(arguments, project.mask)
        _print(path, show, arguments, lambda: not _is_active(project, arguments.id))
        return ExitCode.UP_TO_DATE
    attempt = (_resolution if arguments.resolution else _attempt)(arguments, project)
    show = _raw if arguments.raw else _Readable(arguments, project.mask)
    _print(attempt.log, show, arguments, lambda: _is_over(project, arguments.id, attempt))
    if not arguments.raw:
        _show_errors(attempt.log)
    return ExitCode.UP_TO_DATE


def _print(
    path: str,
    show: Callable[[bytes], None],
    arguments: argparse.Namespace,
    is_over: Callable[[], bool],
) -> None:
    """Print a log; with ``--follow``, until ``is_over``."""
    try:
        with open(path, "rb", opener=only_regular) as file:
            over = not arguments.follow or is_over()
            while True:
                for chunk in iter(lambda: file.read(READ_BYTES), b""):
                    show(chunk)
                sys.stdout.flush()
                if over:
                    break
                time.sleep(POLL_SECONDS)
                over = is_over()
    except FileNotFoundError:
        raise UserError(
            f"{path} no longer exists", hint="it was deleted after it was written"
        ) from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    if isinstance(show, _Readable):
        show.rest()


def _step_log(arguments: argparse.Namespace, project: OpenProject, kind: str) -> str:
    """The newest log of a feature's setup or checks."""
    import glob

    id = arguments.id
    whole = project.whole_state()
    check_known("", [id], {**project.dag.features, **project.seen(whole).features, BASE: None})
    folder = glob.escape(os.path.join(project.journal.folder, "logs"))
    ours = project.owners(whole)
    found = [
        path
        for path in glob.glob(os.path.join(folder, "*", f"{glob.escape(id)}.{kind}.log"))
        if whole.owners.get(os.path.basename(os.path.dirname(path)), "") in ours
    ]
    if not found:
        what = "setup" if kind == "setup" else "check"
        raise UserError(f"no {what} of {id} has run yet", hint="rorchestrator plan lists them")
    return max(found, key=os.path.getmtime)


def _is_active(project: OpenProject, id: str) -> bool:
    """Whether a run is working on the feature, or checks the base branch."""
    known = project.state().feature(id)
    return (id == BASE or known.status.active) and project.lock.holder() is not None


def _attempt(arguments: argparse.Namespace, project: OpenProject) -> Attempt:
    known = project.state().feature(arguments.id)
    if not known.attempts:
        check_known("", [arguments.id], {**project.dag.features, **project.state().features})
        raise UserError(
            f"{arguments.id} has not started yet ({known.reason or known.status.value})",
            hint=f"rorchestrator logs {arguments.id} --setup"
            if known.was_set_up
            else "rorchestrator status",
        )
    return _numbered(arguments, (*known.earlier, *known.attempts))


def _resolution(arguments: argparse.Namespace, project: OpenProject) -> Attempt:
    state = project.state()
    check_known("", [arguments.id], {**project.dag.features, **state.features})
    made = state.feature(arguments.id).resolutions
    if not made:
        raise UserError(
            f"Claude has not been given a conflict of {arguments.id} yet",
            hint="rorchestrator merge --resolve --dry-run",
        )
    return _numbered(arguments, made)


def _numbered(arguments: argparse.Namespace, attempts: Sequence[Attempt]) -> Attempt:
    """The attempt of ``--attempt``; the last one by default."""
    if arguments.attempt is None:
        return attempts[-1]
    for attempt in attempts:
        if attempt.number == arguments.attempt:
            return attempt
    there = ", ".join(str(attempt.number) for attempt in attempts)
    raise UserError(
        f"{arguments.id} has no attempt {arguments.attempt}", hint=f"its attempts: {there}"
    )


def _is_over(project: OpenProject, id: str, attempt: Attempt) -> bool:
    """Whether the attempt has ended, or its run is gone."""
    known = project.state().feature(id)
    for now in (*known.attempts, *known.resolutions):
        if (now.run, now.number) == (attempt.run, attempt.number) and now.outcome is None:
            return project.lock.holder() is None
    return True


def _raw(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)


class _Readable:
    """Prints Claude's stream as readable text; it arrives in chunks."""

    def __init__(self, arguments: argparse.Namespace, mask: Mask) -> None:
        from ..model.lines import LineSplitter
        from ..reporter.console import style_of

        self.style = style_of(sys.stdout, arguments.color)
        self.verbose: bool = arguments.verbose
        self.quiet: bool = arguments.quiet
        self.mask = mask
        self._splitter = LineSplitter()

    def __call__(self, chunk: bytes) -> None:
        for line in self._splitter.feed(chunk):
            self._show(line)

    def rest(self) -> None:
        """Show an unfinished last line: its writer was killed, or is still writing."""
        for line in self._splitter.rest():
            self._show(line)

    def _show(self, line: bytes) -> None:
        from ..claude.stream import parse
        from ..model.terminal_text import clean
        from ..reporter.stream_text import message_lines

        messages = parse(line)
        for message in messages:
            # Before a long line is cut: the mask does not know half a secret.
            shown = self.mask.tree(message)
            assert isinstance(shown, dict)
            for text in message_lines(shown, self.style, verbose=self.verbose, quiet=self.quiet):
                print(text)
        if not messages and line.strip():
            # Not of the stream: the error of a program that could not start.
            print(clean(line.decode("utf-8", "replace")))


class _Printed(_Readable):
    """Prints lines of plain text."""

    def _show(self, line: bytes) -> None:
        from ..model.terminal_text import clean

        print(clean(self.mask(line.decode("utf-8", "replace"))))


def _show_errors(log: str) -> None:
    from ..model.mask import whole_words
    from ..model.terminal_text import clean

    path = log[: -len(".jsonl")] + ".stderr"
    if os.path.isfile(path) and os.path.getsize(path):
        with open(path, "rb", opener=only_regular) as file:
            start = max(0, os.path.getsize(path) - READ_BYTES)
            file.seek(start)
            said = file.read().decode("utf-8", "replace")
        said = clean(whole_words(said) if start else said)
        print(f"stderr:\n{said.strip()}")
