"""Makes the picture of README, ``docs/run.svg``: ``python3 -m tests.picture``.

Types the command in a pseudo-terminal, in a repository of four features with the simulated Claude,
and draws what the terminal showed in the middle of the run as SVG.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path

from core.reporter.style import columns
from demo_integrated import write_list
from demo_worktree import make_repository
from tests.support.emulator import Emulator

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


MAKE = """\
#!/bin/sh
# Takes as long as the picture needs.
touch "{folder}/$(basename "$PWD")"
while [ ! -e "{folder}/go" ]; do sleep 0.05; done
"""


def recorded(pace: float = 1.0) -> str:
    """The screen in the middle of a run in a temporary repository, when two features are at work.

    They work for three seconds times ``pace`` before.
    """
    with tempfile.TemporaryDirectory(prefix="ror-picture-") as temporary:
        folder = os.path.realpath(temporary)
        repository = os.path.join(folder, "shop")
        make_repository(repository)
        programs = os.path.join(folder, "bin")
        os.mkdir(programs)
        simulated = os.path.join(ROOT, "core", "claude", "simulated.py")
        _program(programs, "claude", f'#!/bin/sh\nexec "{sys.executable}" "{simulated}" "$@"\n')
        _program(programs, "make", MAKE.format(folder=folder))
        _write_list(repository)
        path = programs + os.pathsep + os.environ["PATH"]
        own = ("XDG_", "RORCHESTRATOR_", "LC_", "CI")
        env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        env.update(HOME=folder, PATH=path, TERM="xterm", LANG="C.UTF-8")
        for role in ("AUTHOR", "COMMITTER"):
            env.update({f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@localhost"})
        argv = [sys.executable, str(ROOT / "orchestrate.py"), "run", "--yes"]
        shown = typed(argv, repository, env, partial(_hold, folder, pace))
    return "$ \x1b[1mrorchestrator run --yes\x1b[0m\n" + shown.replace(folder, "~")


def _program(folder: str, name: str, text: str) -> None:
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)


def _write_list(repository: str) -> None:
    """The list of the demo; Claude runs tests at last, except in the first feature."""
    write_list(repository, ["claude"], 0.1)
    path = os.path.join(repository, "config", "feature_list.json")
    with open(path) as file:
        document = json.load(file)
    for feature in document["features"][1:]:
        feature["prompt"].append('simulate: {"bash": "make test"}')
    with open(path, "w") as file:
        json.dump(document, file)


def _hold(folder: str, pace: float, screen: str) -> bool:
    """Whether the picture is complete; the features go on then."""
    working = [os.path.exists(os.path.join(folder, id)) for id in ("storage", "search")]
    if not all(working) or screen.count("$ make test") < 2:
        return False
    time.sleep(3 * pace)
    Path(folder, "go").touch()
    return True


def typed(
    argv: list[str], folder: str, env: dict[str, str], is_complete: Callable[[str], bool]
) -> str:
    """What a command shows in a pseudo-terminal when that ``is_complete``; it runs to its end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    emulator, picture = Emulator(WIDTH), ""
    with subprocess.Popen(argv, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        waiting = b""
        for chunk in iter(lambda: _read(ours), b""):
            # A draw is one write, so what is shown between two of them is whole.
            waiting += chunk
            if picture or not waiting.endswith((b"\n", b"\x1b\\", b"h", b"t")):
                continue
            emulator.feed(waiting.decode("utf-8"))
            waiting = b""
            shown = "\n".join(emulator.lines)
            if is_complete(shown):
                while select.select([ours], [], [], 0)[0]:
                    emulator.feed(_read(ours).decode("utf-8"))
                picture = "\n".join(emulator.lines)
    os.close(ours)
    assert picture, "\n".join(emulator.plain)
    return picture


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: nothing has it open any more
        return b""


def drawn(shown: str) -> str:
    """An SVG of what a terminal shows."""
    lines = shown.rstrip().split("\n")
    width, height = round(WIDTH * COLUMN) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    text = [HEAD.format(width=width, height=height, label="a run, two features at work")]
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
