"""The file of an export: ours and unchanged, changed by hand, or out of date with the list."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ..dag.feature_inputs import digest
from ..model.errors import UserError
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..project.feature_list import SEARCHED
from .exported import Exported

HEAD = """\
# Made by: {command}
# Change the list and export it again, rather than change this file.
# list {list} · text {text}

"""

SIGNED = re.compile(
    r"# Made by: .*\n# .*\n# list (?P<list>[0-9a-f]{16}) · text (?P<text>[0-9a-f]{16})\n\n"
)


def signed(engine: str, export: Exported, body: str, out: str = "") -> str:
    """The text of a file, with a header that shows later whether somebody changed it.

    ``out`` is its path in the repository, if it is not where the engine looks for it.
    """
    place = () if export.list_file in SEARCHED else ("--config", export.list_file)
    words = (*export.words, *place, *(("--out", out) if out else ()))
    return (
        HEAD.format(
            command=command(engine, words) + export.bypass,
            list=export.digest,
            text=digest(body)[:16],
        )
        + body
    )


def command(engine: str, words: Sequence[str]) -> str:
    """The command that makes the file."""
    return " ".join(map(shell_word, ("rorchestrator", "export", engine, *words)))


def check_overwriting(path: str, again: str) -> None:
    """Raise :class:`UserError` for a file that export did not write, or that was changed since."""
    if not os.path.lexists(path):
        return
    text = _text(path)
    head = SIGNED.match(text)
    if head is None:
        fault = N_("{path} already exists, and export did not write it").format(path=path)
    elif digest(text[head.end() :])[:16] != head["text"]:
        fault = N_("{path} was changed since it was exported").format(path=path)
    else:
        return
    raise UserError(
        fault,
        hint=N_("name another file with --out, or replace it: {again} --force").format(again=again),
    )


def is_current(path: str, export: Exported, again: str) -> bool:
    """Whether a file still matches the list; ``again`` is the command that writes it.

    Raises :class:`UserError` if it is no export, or not there.
    """
    if not os.path.lexists(path):
        raise UserError(
            N_("{path} does not exist").format(path=path),
            hint=N_("write it: {again}").format(again=again),
        )
    head = SIGNED.match(_text(path))
    if head is None:
        raise UserError(
            N_("{path} was not written by export").format(path=path),
            hint=N_("name the file with --out FILE"),
        )
    return head["list"] == export.digest


def _text(path: str) -> str:
    fault = N_("it is not a regular file")
    try:
        # A pipe, such as /dev/stdout may be one, would be read for ever.
        if os.path.isfile(path) or not os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                return file.read().replace("\r\n", "\n")
    except OSError as error:
        fault = str(error.strerror)
    raise UserError(
        N_("{path} can't be read: {strerror}").format(path=path, strerror=fault),
        hint=N_("name the file with --out FILE"),
    )
