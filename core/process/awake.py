"""Keeps the machine from going to sleep during a run, with the system's own program for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from ..model.terminal_text import one_line
from ..model.translate import N_
from .spawner import which
from .supervisor import BRISK, Supervisor

SYSTEMD = "/run/systemd/system"
"""Exists if the system was started by systemd; see sd_booted(3). Containers have none."""

_HELD = b"held\n"
_UNTIL_THE_PIPE_CLOSES = ("/bin/sh", "-c", "echo held && exec cat >/dev/null")
"""Says that the program has done its part. Its input ends with us, even after a SIGKILL."""

END_SECONDS = 2.0
READ_BYTES = 4096


def inhibitor(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command that keeps the machine awake as long as its own command runs; empty if none.

    systemd-inhibit(1) on Linux, caffeinate(8) on macOS.
    """
    if os.path.isdir(SYSTEMD) and which("systemd-inhibit", environ):
        words = ("--what=idle:sleep", "--who=RoRchestrator", "--why=a run is in progress")
        return ("systemd-inhibit", *words, "--mode=block")
    return ("caffeinate", "-i", "-s") if which("caffeinate", environ) else ()


@asynccontextmanager
async def kept_awake(
    supervisor: Supervisor,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    *,
    is_wanted: bool = True,
) -> AsyncIterator[None]:
    """Keep the machine awake in this context, if that ``is_wanted`` and there is a program for it.

    ``say`` gets one line about whether it works. Nothing waits for the program, and nothing fails
    without it.
    """
    command = inhibitor(environ) if is_wanted else ()
    if not command:
        yield
        return
    answer, its_output = os.pipe()
    its_input, until_closed = os.pipe()
    child = supervisor.start_companion(
        (*command, *_UNTIL_THE_PIPE_CLOSES), env=environ, stdin=its_input, output=its_output
    )
    os.close(its_output)
    os.close(its_input)
    asking = _Asking(command[0], answer, say)
    try:
        yield
    finally:
        asking.close()
        os.close(until_closed)
        await supervisor.wait(child, END_SECONDS)
        await supervisor.end(child, BRISK)


class _Asking:
    """Reads what the program says, until it is known whether it works."""

    def __init__(self, name: str, answer: int, say: Callable[[str], None]) -> None:
        self._name, self._answer, self._say = name, answer, say
        self._said = b""
        asyncio.get_running_loop().add_reader(answer, self._read)

    def _read(self) -> None:
        chunk = os.read(self._answer, READ_BYTES)
        self._said = (self._said + chunk)[-READ_BYTES:]
        if self._said.endswith(_HELD):
            self._say(
                N_("The machine stays awake during the run ({name}).").format(name=self._name)
            )
        elif chunk:
            return
        else:
            last = self._said.decode("utf-8", "replace").strip().rpartition("\n")[2]
            why = (
                f"{self._name}: {one_line(last)}"
                if last
                else N_("{name} did not start").format(name=self._name)
            )
            self._say(N_("The machine may go to sleep during the run: {why}").format(why=why))
        self.close()

    def close(self) -> None:
        """Read no more."""
        if self._answer >= 0:
            asyncio.get_running_loop().remove_reader(self._answer)
            os.close(self._answer)
            self._answer = -1
