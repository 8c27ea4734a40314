"""`Companion`: a process that accompanies this one and ends with it, however that ends.

Its standard input is a pipe from us, which closes when we end or are killed: the process must end
then. It also carries the mark of the run, by which the guard finds what is left.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping, Sequence

from ..model.errors import UserError
from .spawner import FileAction, spawn

START_SECONDS = 15.0
"""How long it may take until it says that it is ready."""

END_SECONDS = 3.0
"""From the end of its standard input to SIGKILL."""

LONGEST_LINE = 65536


class Companion:
    """A running companion. Its environment has ``mark``, the value of the variable of the run.

    :meth:`end` must follow.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        their_input, self._input = os.pipe()
        self._output, their_output = os.pipe()
        actions: list[FileAction] = [
            (os.POSIX_SPAWN_DUP2, their_input, 0),
            (os.POSIX_SPAWN_DUP2, their_output, 1),
            (os.POSIX_SPAWN_DUP2, their_output, 2),
        ]
        self.code: int | None = None
        """Its exit code, once it has ended."""
        try:
            self.pid = spawn(argv, env, actions)
        except UserError:
            os.close(self._input)
            os.close(self._output)
            raise
        finally:
            os.close(their_input)
            os.close(their_output)

    def first_line(self) -> str:
        """The first line that it prints; what there is if it ends before, or takes too long."""
        said = b""
        deadline = time.monotonic() + START_SECONDS
        while b"\n" not in said and len(said) < LONGEST_LINE:
            if not select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))[0]:
                break
            chunk = os.read(self._output, LONGEST_LINE)
            if not chunk:
                break
            said += chunk
        return said.partition(b"\n")[0].decode("utf-8", "replace")

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        if self.code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # Whoever looked for orphans has reaped it.
                pid, status = self.pid, 0
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def end(self) -> None:
        """End it: gently, or else by SIGKILL."""
        os.close(self._input)
        deadline = time.monotonic() + END_SECONDS
        while not self.has_ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not self.has_ended():
            os.killpg(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._output)
