"""Makes the picture of README, ``docs/run.svg``: ``python3 -m tests.picture``.

Types the command in a pseudo-terminal, in a repository of four features with the simulated Claude,
and draws what the terminal showed as SVG.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from html import escape
from pathlib import Path

from core.reporter.style import columns
from demo_integrated import write_list
from demo_worktree import make_repository

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "run.svg"

WIDTH = 88
"""Columns of the terminal."""

COLUMN, LINE, MARGIN = 8.4, 19, 16
"""In pixels."""

STYLES = {
    "1": "font-weight:bold",
    "2": "fill:#9198a1",
    "31": "fill:#ff7b72",
    "32": "fill:#7ee787",
    "33": "fill:#f2cc60",
    "36": "fill:#76e3ea",
}
"""By the code of a colour or weight (ECMA-48, SGR)."""

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" \
role="img" aria-label="A terminal: {label}">
<rect width="{width}" height="{height}" rx="8" fill="#161b22" stroke="#30363d"/>
"""


def recorded(pace: float = 1.0) -> str:
    """What a terminal gets from a run in a temporary repository; ``pace`` as of the demo."""
    with tempfile.TemporaryDirectory(prefix="ror-picture-") as temporary:
        folder = os.path.realpath(temporary)
        repository = os.path.join(folder, "shop")
        make_repository(repository)
        write_list(repository, ["claude"], pace)
        programs = os.path.join(folder, "bin")
        os.mkdir(programs)
        claude = os.path.join(programs, "claude")
        with open(claude, "w") as file:
            simulated = os.path.join(ROOT, "core", "claude", "simulated.py")
            file.write(f'#!/bin/sh\nexec "{sys.executable}" "{simulated}" "$@"\n')
        os.chmod(claude, 0o755)
        path = programs + os.pathsep + os.environ["PATH"]
        own = ("XDG_", "RORCHESTRATOR_", "LC_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        env.update(HOME=folder, PATH=path, TERM="xterm", LANG="C.UTF-8")
        shown = typed(
            [sys.executable, str(ROOT / "orchestrate.py"), "run", "--yes"], repository, env
        )
    return "$ \x1b[1mrorchestrator run --yes\x1b[0m\n" + shown.replace(folder, "~")


def typed(argv: list[str], folder: str, env: dict[str, str]) -> str:
    """What a command prints in a pseudo-terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    with subprocess.Popen(argv, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        parts = list(iter(lambda: _read(ours), b""))
    os.close(ours)
    return b"".join(parts).decode("utf-8")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: nothing has it open any more
        return b""


def screen(shown: str) -> list[str]:
    """The lines that are left on a terminal, with their colours."""
    lines = shown.replace("\r\n", "\n").split("\n")
    return [re.sub(r"\A.*\r\x1b\[K", "", line, flags=re.DOTALL) for line in lines]


def drawn(shown: str) -> str:
    """An SVG of what a terminal shows."""
    lines = screen(shown.rstrip())
    width, height = round(WIDTH * COLUMN) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    text = [HEAD.format(width=width, height=height, label="a run of four features")]
    for number, line in enumerate(lines):
        parts = "".join(_parts(line))
        y = MARGIN + (number + 1) * LINE - 5
        text.append(f'<text y="{y}" fill="#e6edf3" xml:space="preserve">{parts}</text>\n')
    return "".join([*text, "</svg>\n"])


def _parts(line: str) -> Iterator[str]:
    """The parts of a line, each at its column: fonts differ in how wide they draw a symbol."""
    style, column = "", 0
    for code, word in re.findall(r"\x1b\[([\d;]*)m|([ -~]+|[^\x1b])", line):
        if not word:
            style = STYLES.get(code, "")
            continue
        shape = f' style="{style}"' if style else ""
        x, length = MARGIN + column * COLUMN, len(word) * COLUMN
        stretch = f' textLength="{length:.1f}"' if word.isascii() else ""
        yield f'<tspan x="{x:.1f}"{stretch}{shape}>{escape(word)}</tspan>'
        column += columns(word)


def main() -> int:
    """Record and draw."""
    PICTURE.write_text(drawn(recorded()), encoding="utf-8")
    print(f"written: {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
