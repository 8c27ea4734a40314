"""Shows the difference of two commits as ``git diff`` does: with the user's pager and colours."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress

from ..git import patches
from ..model.ci_systems import obeys_lines
from ..model.errors import ExitCode
from ..model.excerpt import some
from ..model.terminal_text import one_line
from ..model.translate import _
from ..process.spawner import run_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ..git.door import Git


def programs_line(programs: Sequence[str]) -> str:
    """The programs of the repository's own settings, which are not used; empty for none."""
    if not programs:
        return ""
    return _("not used, because this repository's own git settings name it: {named}").format(
        named=some(programs)
    )


def show_diff(
    git: Git, before: str, after: str, color: str, *options: str, without: Sequence[str]
) -> int:
    """Let git show what differs; the exit code.

    ``without`` are the settings that name programs of the repository: they are not used.
    """
    if obeys_lines(os.environ) and not _is_file(sys.stdout):
        # git would write to standard output itself, also lines that the CI system obeys.
        sys.stdout.buffer.write(run_sync(patches.plain_diff(git, before, after, *options)))
        return ExitCode.UP_TO_DATE
    words = [*options, *_colour(color)]
    code = run_sync(patches.show(git, before, after, *words, without=without))
    # The user left the pager, or the reader of the pipe is gone.
    return ExitCode.UP_TO_DATE if code == -signal.SIGPIPE else code


def note(lines: Sequence[str]) -> None:
    """Print what to know about a diff beside it."""
    for line in filter(None, lines):
        print(one_line(line), file=sys.stderr, flush=True)


def _is_file(stream: TextIO) -> bool:
    """Whether a stream leads to a file, and not to whoever reads our output."""
    with suppress(OSError, ValueError):
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return False


def _colour(choice: str) -> list[str]:
    """The colours of ``--color``; by default those of git's settings, but none with NO_COLOR."""
    if choice != "auto":
        return [f"--color={choice}"]
    return ["--no-color"] if os.environ.get("NO_COLOR") else []
