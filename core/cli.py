"""Command line: parser, `--help`, signals, and the boundary that turns errors into exit codes."""

from __future__ import annotations

import sys

try:
    import gc

    # The objects that a start makes are as many, and no garbage.
    gc.set_threshold(20_000)

    import argparse
    import atexit
    import errno
    import os
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import suppress

    from . import __version__
    from .model.ci_systems import Ci, ci_of, obeys_lines
    from .model.errors import READER_GONE, ExitCode, UserError
    from .model.mask import Mask
    from .model.terminal_text import clean, harmless
    from .model.translate import N_, _, ngettext, shown, use
    from .process import scratch_folder
    from .process.language import OPTION, catalogue, language_of
    from .process.spawner import end_started, signal
except KeyboardInterrupt:  # before main() can handle it
    sys.exit(130)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import NoReturn, TextIO

    from .model.ci_commands import CommandGuard

COMMANDS = {
    "init": N_("look at the repository and write a first feature list"),
    "doctor": N_("examine what a run needs, and say what to mend"),
    "plan": N_("show what run would do, why, and what it would cost"),
    "run": N_("bring every feature of the list up to date"),
    "retry": N_("run a feature again that did not complete or was skipped"),
    "skip": N_("leave out a feature until it is retried"),
    "reload": N_("let the current run take up the changed feature list"),
    "attach": N_("open the session of a feature in its worktree"),
    "stop": N_("stop the current run, or one feature"),
    "pause": N_("pause the current run; running features finish"),
    "resume": N_("resume a paused run"),
    "status": N_("show the state of each feature"),
    "watch": N_("show the run in progress until it ends"),
    "why": N_("show why a feature is not running, or will run again"),
    "report": N_("show the report of a run, and write its page"),
    "logs": N_("show what Claude, the setup or the checks printed"),
    "history": N_("show past runs: what completed, how long it took, what it cost"),
    "notify": N_("show who gets notifications, or send a test"),
    "review": N_("read what completed features changed; accept, comment or reject"),
    "diff": N_("show what a feature itself changed"),
    "web": N_("show a live page of the last run in the browser"),
    "import": N_("make features of a plan that another tool wrote"),
    "lint": N_("say what prompts lack"),
    "assist": N_("find missing, needless and risky dependencies"),
    "templates": N_("list templates of prompts, show one, or write a prompt from one"),
    "decompose": N_("let Claude split a specification into features"),
    "prove": N_("run the recorded checks again, and compare with the journal"),
    "merge": N_("land completed features on the base branch"),
    "feedback": N_("show review comments and failed checks of pull requests, and apply them"),
    "undo": N_("move a branch back to where the last merge found it"),
    "push": N_("push the branches of completed features"),
    "pr": N_("push completed features and open a pull request for each"),
    "export": N_("write the list as a pipeline of an engine that runs it on many machines"),
    "submit": N_("submit the features to an engine that runs them on many machines"),
    "cleanup": N_("remove worktrees and branches that are no longer needed"),
    "completion": N_("print a script with which a shell completes commands, ids and tags"),
    "schema": N_("print the JSON Schema of a feature list, for editors"),
}

COMPLETE = "__complete"
"""The hidden command that answers the completion script of a shell."""

ASKS_GIT = {
    "plan": {"settings": True},
    "run": {"settings": True, "status": True},
    "status": {"settings": False},
}
"""The commands that ask git at once, and for what."""

EVERYWHERE = {
    **dict.fromkeys(("--config", "--base", "--color", OPTION), True),
    **dict.fromkeys(("-v", "--verbose", "-q", "--quiet"), False),
}
"""Options of every command, also accepted before it; True if an argument follows."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEEDS_SPACE = N_("free some space, then try again")

HELP_COLUMNS = 100
"""The width of help without a terminal."""


class _Help(argparse.HelpFormatter):
    """Computes the width itself, because argparse would import shutil on each start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)

    def start_section(self, heading: str | None) -> None:
        """Begin a section; the colon behind its heading is as the language has it."""
        super().start_section(heading and _("{heading}:").format(heading=heading)[:-1])

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # Paragraphs are wrapped; lists of examples are shown as they are.
        parts = text.strip().split("\n\n")
        return "\n\n".join(
            part if "\n  " in part else super(_Help, self)._fill_text(part, width, indent)
            for part in parts
        )


def _columns() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size().columns or HELP_COLUMNS
    except OSError:
        return HELP_COLUMNS


class _AllCommands(argparse.ArgumentParser):
    """The parser without a command."""

    def format_help(self) -> str:
        """The help of all commands."""
        from .commands.overview import help_of_all

        return help_of_all(self, COMMANDS)


def parser(chosen: str = "") -> argparse.ArgumentParser:
    """The parser of the ``chosen`` command; of all of them, without their options, if none is.

    Importing all commands would double the start-up time.
    """
    kind = argparse.ArgumentParser if chosen else _AllCommands
    top = kind(prog="rorchestrator", formatter_class=_Help)
    top.add_argument(
        "--version",
        action="version",
        version=f"rorchestrator {__version__}",
        help=_("show program's version number and exit"),
    )
    commands = top.add_subparsers(
        dest="command",
        metavar=_("COMMAND"),
        required=True,
        prog=top.prog,
        parser_class=argparse.ArgumentParser,
    )
    for name in [chosen] if chosen else COMMANDS:
        command = commands.add_parser(name, help=_(COMMANDS[name]), formatter_class=_Help)
        if chosen:
            _module(name).configure(command)
    return top


def _module(command: str) -> ModuleType:
    """The module of a command; ``importlib`` need not be imported for it."""
    return __import__(f"{__package__}.commands.{command}", fromlist=["execute"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Raises nothing."""
    words = sys.argv[1:] if argv is None else argv
    mask = Mask(os.environ)
    given: dict[str, object] = {}
    of_output: dict[str, object] = {}

    def command() -> int:
        _speak(language_of(words, os.environ))
        _check_system(os.name)
        if not words:
            from .commands.overview import without_list

            print(without_list() or parser().format_help(), end="")
            return ExitCode.UP_TO_DATE
        if words[0] == COMPLETE:
            return _complete(words[1:], mask)
        typed = command_first([*words[1:], "--help"] if words[0] == "help" else words)
        word = typed[0] if typed else ""
        chosen = word if word in COMMANDS else ""
        if not (chosen or word.startswith("-")):
            from .commands.unknown_words import no_command

            raise no_command(word, COMMANDS)
        if chosen in ASKS_GIT:
            from .git import ahead  # git answers while the command is imported

            ahead.ask(typed, os.environ, **ASKS_GIT[chosen])
        known = argparse.Namespace(mask=mask, words=typed)
        arguments, unknown = parser(chosen).parse_known_args(typed, known)
        if unknown:
            raise _not_taken(chosen, unknown[0])
        given.update(vars(arguments))
        if getattr(arguments, "json", False) and chosen != "web":
            use(None)  # a program reads it, but a person the page of web
        if not getattr(arguments, "json", False) and chosen != "logs":
            of_output.update(given)
        code: int = _module(chosen).execute(arguments)
        return code

    try:
        return guarded(command, mask, given, of_output)
    finally:
        use(None)


def _speak(language: str) -> None:
    """Show everything in a language, what argparse says as well."""
    # Its own gettext looks on the disk for a catalogue of each word.
    vars(argparse).update(_=_, ngettext=ngettext)
    if language != "en" and all(map(_has_accents, (sys.stdout, sys.stderr))):
        use(catalogue(language))


def _has_accents(stream: TextIO) -> bool:
    """Whether a stream can print another language than English."""
    try:
        "é".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def command_first(words: Sequence[str]) -> list[str]:
    """Move options before the command behind it; empty if there is no command."""
    before: list[str] = []
    rest = list(words)
    while rest and rest[0].split("=", 1)[0] in EVERYWHERE:
        takes_value = EVERYWHERE[rest[0].split("=", 1)[0]] and "=" not in rest[0]
        count = 2 if takes_value else 1
        before, rest = before + rest[:count], rest[count:]
    return [rest[0], *before, *rest[1:]] if rest else []


def _not_taken(command: str, word: str) -> UserError:
    """The error for a word that a command does not take."""
    from .commands.unknown_words import not_taken

    own = argparse.ArgumentParser(formatter_class=_Help)
    if command:
        _module(command).configure(own)
    return not_taken(command, word, own.format_usage())


def _complete(words: Sequence[str], mask: Mask) -> int:
    """Print what may stand at the end of a command line; see ``core/start/candidates.py``."""
    from .start.candidates import answer

    lines = answer(words, COMMANDS, EVERYWHERE)
    # As bytes, because the stream of text has no tabs.
    sys.stdout.buffer.write(mask("".join(f"{line}\n" for line in lines)).encode())
    return ExitCode.UP_TO_DATE


class Masked:
    """A stream that masks secrets and removes control characters.

    Commands in messages are completed with the ``given`` options. With a ``guard``, no line
    from outside commands the CI system that reads it. Without one, ``buffer`` is not filtered.
    """

    def __init__(
        self,
        stream: TextIO,
        mask: Mask,
        given: Mapping[str, object],
        guard: CommandGuard | None = None,
    ) -> None:
        self._stream = stream
        self._mask = mask
        self._given = given
        self._guard = guard

    def write(self, text: str) -> int:
        """Write ``text``, completed, masked and cleaned."""
        if self._guard is not None and self._guard.is_ours(text):
            return self._stream.write(self._guard.begin_line() + self._mask(text))
        if self._given and "rorchestrator " in text:
            from .model.next_commands import completed

            text = completed(text, self._given)
        text = harmless(self._mask(text))
        return self._stream.write(text if self._guard is None else self._guard(text))

    @property
    def buffer(self) -> object:
        """The stream of bytes below."""
        if self._guard is None:
            return self._stream.buffer
        return _GuardedBytes(self._stream, self._guard)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class _GuardedBytes:
    """The bytes of a stream that a CI system reads."""

    def __init__(self, stream: TextIO, guard: CommandGuard) -> None:
        self._stream = stream
        self._guard = guard

    def write(self, content: bytes) -> int:
        """Write bytes, of which no line commands the CI system."""
        self._stream.flush()
        text = content.decode("utf-8", "surrogateescape")
        self._stream.buffer.write(self._guard(text).encode("utf-8", "surrogateescape"))
        return len(content)


def guarded(
    program: Callable[[], int | None],
    mask: Mask | None = None,
    given: Mapping[str, object] | None = None,
    of_output: Mapping[str, object] | None = None,
) -> int:
    """Run ``program`` and return its exit code, whatever it raises.

    Its output is masked by ``mask``, by default with the environment's secrets. Commands in its
    messages are completed with the ``given`` options, those on standard output with ``of_output``:
    JSON and logs are printed as they are.
    """
    mask = mask or Mask(os.environ)
    streams = sys.stdout, sys.stderr
    options = ({} if each is None else each for each in (of_output, given))
    sys.stdout, sys.stderr = (
        s and Masked(s, mask, of, _guard(os.environ)) for s, of in zip(streams, options)
    )
    try:
        return _guarded(program, mask)
    finally:
        sys.stdout, sys.stderr = streams
        end_started()
        scratch_folder.remove_scratch_folders()


def _guard(environ: Mapping[str, str]) -> CommandGuard | None:
    """A guard for one stream, if a CI system reads it."""
    if not obeys_lines(environ):
        return None
    from .model.ci_commands import CommandGuard

    return CommandGuard()


def _guarded(program: Callable[[], int | None], mask: Mask) -> int:
    try:
        return _flushed(program() or ExitCode.UP_TO_DATE)
    except SystemExit as leaving:  # argparse, after --help or a usage error
        return leaving.code if isinstance(leaving.code, int) else ExitCode.CANNOT_START
    except UserError as error:
        return _complain(error)
    except BrokenPipeError:
        with suppress(OSError):
            _flushed(ExitCode.UP_TO_DATE)
        return ExitCode.UP_TO_DATE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # no traceback reaches the user
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            said = _("could not write: {why}").format(why=shown(error.strerror or ""))
            return _complain(UserError(said, hint=NEEDS_SPACE))
        return _report_internal_error(error, mask)


def entry_point() -> None:
    """For the console script: :func:`main` on the real streams."""
    try:
        _repair_streams()
        _handle_signals()
        code = main()
        with suppress(OSError):  # Else Python reports unflushed output at exit.
            _flushed(code)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit; without threads at once, because Python would free each object first."""
    if "threading" not in sys.modules:
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)


def _handle_signals() -> None:
    """Exit by an exception, as after Ctrl-C, so that children of git are ended too."""

    def heard(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup, SIGHUP stays ignored.
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, heard)


def _repair_streams() -> None:
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the caller: a file that we open must not get its number.
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 – open to the end
        elif name != "stdin":
            # Don't fail on characters that the stream can't encode.
            stream.reconfigure(errors="backslashreplace")


def _check_system(name: str) -> None:
    if name != "posix":
        raise UserError(
            _("RoRchestrator runs on Linux and macOS"), hint=_("on Windows, use it inside WSL")
        )


def _complain(error: UserError) -> int:
    # Indented, so that quoted text can't pass for another error or a command.
    from .model.words import headed

    lines = [headed("rorchestrator", _indented(shown(error.message)))]
    lines += ["  " + clean(shown(detail)).replace("\n", " ") for detail in error.details]
    if error.hint:
        lines.append(_("  next: {hint}").format(hint=_indented(shown(error.hint))))
    with suppress(OSError):
        print("\n".join(lines), file=sys.stderr, flush=True)
        if ci_of(os.environ) is Ci.GITHUB:
            from .model.ci_commands import annotation

            # Else the page of the job shows nothing but the exit code.
            sys.stderr.write(annotation("error", "\n".join(lines), title="rorchestrator"))
            sys.stderr.flush()
    return error.exit_code


def _indented(text: str) -> str:
    return clean(text).replace("\n", "\n    ")


def _report_internal_error(error: Exception, mask: Mask) -> int:
    """Print one line about an internal error; write the traceback to a file."""
    import tempfile
    import traceback

    details = _("its details could not be written")
    with suppress(OSError):
        file, path = tempfile.mkstemp(prefix="rorchestrator-", suffix=".txt")
        with open(file, "w", encoding="utf-8", errors="backslashreplace") as report:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            report.write(mask("".join(lines)))
        details = _("details in {path}").format(path=path)
    with suppress(OSError):
        said = _("rorchestrator: internal error: {kind} ({details})")
        print(said.format(kind=type(error).__name__, details=details), file=sys.stderr, flush=True)
    return ExitCode.INTERNAL


def _flushed(code: int) -> int:
    """Flush the streams and return ``code``; drop output whose reader is gone."""
    trouble = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
            if error.errno not in READER_GONE:
                trouble = error
    if trouble is not None:
        raise trouble
    return code
