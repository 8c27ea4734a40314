"""``logs``: Claude's stream of an attempt as readable text, or raw."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Sequence

from ..journal.follow import Follower
from ..journal.private_files import only_regular
from ..model.errors import ExitCode, UserError
from ..model.list_commands import BASE
from ..model.translate import N_, _, shown
from ..model.words import figure
from ..project.selection import check_known
from ..worktree.names import START
from .options import add_common_options, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.attempt import Attempt
    from ..model.mask import Mask
    from ..model.state import FeatureState, RunState
    from ..project.open import OpenProject

EXAMPLES = N_("""\
examples:
  rorchestrator logs auth --follow
  rorchestrator logs auth --attempt 1 --raw | head
  rorchestrator logs auth --checks
""")

POLL_SECONDS = 0.2
READ_BYTES = 65536


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show what Claude did in the last attempt at a feature, as readable "
        "text, or what its\nsetup or its checks printed the last time."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "id", metavar="ID", help=_("the feature, or {base} for the base branch").format(base=BASE)
    )
    parser.add_argument(
        "--attempt", type=int, metavar="N", help=_("the N-th attempt instead of the last")
    )
    parser.add_argument(
        "--raw", action="store_true", help=_("print Claude's output as it is, secrets included")
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--setup", action="store_true", help=_("print the output of its setup"))
    what.add_argument("--checks", action="store_true", help=_("print the output of its checks"))
    what.add_argument(
        "--resolution",
        action="store_true",
        help=_("print how Claude resolved its conflict"),
    )
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help=_("keep printing while the log grows; wait for a feature that has not started"),
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print a log; with ``--follow``, until its attempt has ended."""
    project, _fault = opened_or_recorded(arguments)
    journal = _Journal(project)
    if arguments.setup or arguments.checks:
        _print_steps(arguments, project, journal)
        return ExitCode.UP_TO_DATE
    find = _resolution if arguments.resolution else _attempt
    attempt = _awaited(arguments, journal, lambda: find(arguments, project, journal.state))
    show = _raw if arguments.raw else _Readable(arguments, project.mask)
    is_told = not (arguments.raw or arguments.quiet)

    def begin() -> None:
        if is_told:
            _print_heading(arguments, journal, attempt)

    _print(attempt.log, show, arguments, begin, lambda: _is_over(journal, arguments.id, attempt))
    if not arguments.raw:
        _show_errors(attempt.log)
    if is_told:
        _print_ending(arguments, journal, attempt)
    return ExitCode.UP_TO_DATE


class _Journal:
    """The journal, read again only where it grew."""

    def __init__(self, project: OpenProject) -> None:
        self.project = project
        self._follower = Follower(project.journal.path)
        self.events = self._follower.catch_up()

    @property
    def state(self) -> RunState:
        """The state of this list's features."""
        return self.project.seen(self.whole)

    @property
    def whole(self) -> RunState:
        """The state of all lists."""
        self.events += self._follower.catch_up()
        return self._follower.state

    def has_run(self) -> bool:
        """Whether a command holds the lock."""
        return self.project.lock.holder() is not None

    def is_to_come(self, id: str) -> bool:
        """Whether a run, the one in progress or the next, will get to the feature."""
        known, run = self.state.feature(id), self.whole.run
        if self.has_run() and run is not None and run.ended_at is None and id in run.features:
            return known.run != run.id or known.status.active or known.status.value == "pending"
        return not known.attempts and not known.status.unsuccessful


def _awaited(
    arguments: argparse.Namespace, journal: _Journal, find: Callable[[], Attempt]
) -> Attempt:
    """The attempt to print; with ``--follow``, the one that a run will make."""
    id = arguments.id

    def is_here() -> bool:
        known, run = journal.state.feature(id), journal.whole.run
        made = (
            known.attempts_of(run.id) if run is not None and journal.has_run() else known.attempts
        )
        return bool(made) or not (_is_known(journal, id) and journal.is_to_come(id))

    if arguments.follow and arguments.attempt is None and not arguments.resolution:
        _wait_until(is_here, id, _("has not started yet"), journal)
    return find()


def _is_known(journal: _Journal, id: str) -> bool:
    return id in journal.project.dag.features or id in journal.state.features


def _wait_until(is_over: Callable[[], bool], id: str, what: str, journal: _Journal) -> None:
    """Wait, and say so if there is anything to wait for."""
    if is_over():
        return
    where = "" if journal.has_run() else _(" (no run is in progress: rorchestrator run starts one)")
    words = _("{id} {what}: waiting{where}. rorchestrator why {id} shows why").format(
        id=id, what=what, where=where
    )
    print(words, file=sys.stderr, flush=True)
    while not is_over():
        time.sleep(POLL_SECONDS)


def _print_heading(arguments: argparse.Namespace, journal: _Journal, attempt: Attempt) -> None:
    from ..reporter.log_text import heading_lines, why_it_began
    from ..reporter.style import style_of

    known = journal.state.feature(arguments.id)
    all = known.resolutions if arguments.resolution else (*known.earlier, *known.attempts)
    why = why_it_began(journal.events, arguments.id, attempt)
    style = style_of(sys.stdout, arguments.color)
    print("\n".join(heading_lines(arguments.id, attempt, all, why, style)))


def _print_ending(arguments: argparse.Namespace, journal: _Journal, attempt: Attempt) -> None:
    from ..reporter.log_text import ending_lines
    from ..reporter.style import style_of

    now = _same(journal.state.feature(arguments.id), attempt) or attempt
    style = style_of(sys.stdout, arguments.color)
    print("\n".join(ending_lines(now, time.time(), style, is_alive=journal.has_run())))


def _print(
    path: str,
    show: Callable[[bytes], None],
    arguments: argparse.Namespace,
    begin: Callable[[], None],
    is_over: Callable[[], bool],
) -> None:
    """Print a log once it is open, ``begin`` first; with ``--follow``, until ``is_over``."""
    try:
        with open(path, "rb", opener=only_regular) as file:
            begin()
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
            _("{path} no longer exists").format(path=path),
            hint=_("it was deleted after it was written"),
        ) from None
    except BrokenPipeError:
        raise  # It is the reader of our output that is gone.
    except OSError as error:
        raise UserError(
            _("{path} can't be read: {strerror}").format(
                path=path, strerror=shown(error.strerror or "")
            )
        ) from None
    if isinstance(show, _Readable):
        show.rest()


def _print_steps(arguments: argparse.Namespace, project: OpenProject, journal: _Journal) -> None:
    """Print what the setup or the checks printed."""
    id, what = arguments.id, N_("setup") if arguments.setup else N_("check")

    def is_here() -> bool:
        is_to_come = _is_active(journal, id) or journal.is_to_come(id)
        return bool(_step_log(arguments, project, journal)) or not is_to_come

    if arguments.follow:
        _wait_until(is_here, id, _("has run no {what} yet").format(what=_(what)), journal)
    path = _step_log(arguments, project, journal)
    if not path:
        raise UserError(
            _("no {what} of {id} has run yet").format(what=_(what), id=id),
            hint=_("rorchestrator plan lists them"),
        )
    show = _raw if arguments.raw else _Printed(arguments, project.mask)

    def begin() -> None:
        if not (arguments.raw or arguments.quiet):
            kind = _("setup") if arguments.setup else _("checks")
            print(
                _("{id}: {kind}, run {path}\n").format(
                    id=id, kind=kind, path=os.path.basename(os.path.dirname(path))
                )
            )

    _print(path, show, arguments, begin, lambda: not _is_active(journal, id))


def _step_log(arguments: argparse.Namespace, project: OpenProject, journal: _Journal) -> str:
    """The newest log of a feature's setup or checks; empty without one."""
    import glob

    id, kind = arguments.id, "setup" if arguments.setup else "verify"
    whole = journal.whole
    known = {**project.dag.features, **project.seen(whole).features, BASE: None}
    check_known("", [id.removeprefix(START) if id[len(START) :] in known else id], known)
    folder = glob.escape(os.path.join(project.journal.folder, "logs"))
    ours = project.owners(whole)
    found = [
        path
        for path in glob.glob(os.path.join(folder, "*", f"{glob.escape(id)}.{kind}.log"))
        if whole.owners.get(os.path.basename(os.path.dirname(path)), "") in ours
    ]
    return max(found, key=os.path.getmtime, default="")


def _is_active(journal: _Journal, id: str) -> bool:
    """Whether a run is working on the feature, or checks the base branch."""
    known = journal.state.feature(id)
    return (id == BASE or known.status.active) and journal.has_run()


def _attempt(arguments: argparse.Namespace, project: OpenProject, state: RunState) -> Attempt:
    known = state.feature(arguments.id)
    if not known.attempts:
        check_known("", [arguments.id], {**project.dag.features, **state.features})
        raise UserError(
            _("{id} has not started yet ({reason})").format(
                id=arguments.id, reason=shown(known.reason or known.status.words)
            ),
            hint=f"rorchestrator logs {arguments.id} --setup"
            if known.was_set_up
            else "rorchestrator status",
        )
    return _numbered(arguments, (*known.earlier, *known.attempts))


def _resolution(arguments: argparse.Namespace, project: OpenProject, state: RunState) -> Attempt:
    check_known("", [arguments.id], {**project.dag.features, **state.features})
    made = state.feature(arguments.id).resolutions
    if not made:
        raise UserError(
            _("Claude has not been given a conflict of {id} yet").format(id=arguments.id),
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
        _("{id} has no attempt {attempt}").format(id=arguments.id, attempt=arguments.attempt),
        hint=_("its attempts: {there}").format(there=there),
    )


def _same(known: FeatureState, attempt: Attempt) -> Attempt | None:
    """The attempt as it is known now; ``None`` if the feature has started over since."""
    for now in (*known.earlier, *known.attempts, *known.resolutions):
        if (now.run, now.number, now.log) == (attempt.run, attempt.number, attempt.log):
            return now
    return None


def _is_over(journal: _Journal, id: str, attempt: Attempt) -> bool:
    """Whether the attempt has ended, or its run is gone."""
    now = _same(journal.state.feature(id), attempt)
    return now is None or now.outcome is not None or not journal.has_run()


def _raw(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)


class _Readable:
    """Prints Claude's stream as readable text; it arrives in chunks."""

    def __init__(self, arguments: argparse.Namespace, mask: Mask) -> None:
        from ..model.lines import LineSplitter
        from ..reporter.style import style_of

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
            masked = self.mask.tree(message)
            assert isinstance(masked, dict)
            for text in message_lines(masked, self.style, verbose=self.verbose, quiet=self.quiet):
                print(text)
        if not messages and line.strip():
            # Not of the stream: the error of a program that could not start.
            print(clean(line.decode("utf-8", "replace")))


class _Printed(_Readable):
    """Prints lines of plain text."""

    def _show(self, line: bytes) -> None:
        from ..model.terminal_text import clean

        print(_framed(clean(self.mask(line.decode("utf-8", "replace")))))


_FRAME = re.compile(
    r"\[in (?P<folder>.*), (?P<begun>\d{4}-\d\d-\d\d [\d:]+)\]"
    r"|\[(?P<ending>(?:ended|did not|was|printed) .*) after (?P<time>[\dhms.]+)\]"
)


def _framed(line: str) -> str:
    """A line of the log of a command: those of ours in the language of the user."""
    found = _FRAME.fullmatch(line)
    if found is None:
        return line
    if found["begun"]:
        return _("[in {folder}, {moment}]").format(folder=found["folder"], moment=found["begun"])
    ending, time = shown(found["ending"]), figure(found["time"])
    return _("[{ending} after {time}]").format(ending=ending, time=time)


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
