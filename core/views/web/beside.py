"""`WebBeside`: the page of ``run --web``, served by a process of its own that ends with the run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from ...model.translate import N_, _
from ...process.companion import Companion
from ...process.environment import without_git
from ...process.own_program import ROOT
from ...process.supervisor import MARK
from ..view import View

ADDRESS = N_("Web page: {address}")
NO_PAGE = N_("There is no web page: {why}")


class WebBeside(View):
    """Starts the page before the run, and ends it after the report.

    ``words`` are further arguments of ``web``. Into ``companions`` goes the pid of its process,
    ``show`` gets its address, ``say`` a line about its end.
    """

    def __init__(
        self,
        run: str,
        companions: set[int],
        words: Sequence[str],
        show: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._run = run
        self._companions = companions
        self._words = words
        self._show = show
        self._say = say
        self._companion: Companion | None = None

    def at_start(self) -> None:
        """Start the page, and say where it is. A run goes on without it."""
        companion = self._companion = Companion(_command(self._words), _environment(self._run))
        self._companions.add(companion.pid)
        said = companion.first_line()
        address = _address(said)
        if address:
            self._show(_(ADDRESS).format(address=address))
        else:
            self.close()
            why = said.partition("rorchestrator: ")[2] or said or _("it did not start in time")
            self._show(_(NO_PAGE).format(why=why))

    def on_tick(self) -> None:
        """Say once that the page is gone."""
        if self._companion is not None and self._companion.has_ended():
            self.close()
            self._say(
                _(
                    "The web page has ended, the run goes on; "
                    "rorchestrator web shows the page again."
                )
            )

    def close(self) -> None:
        """End the page."""
        companion, self._companion = self._companion, None
        if companion is not None:
            companion.end()
            self._companions.discard(companion.pid)


def _command(words: Sequence[str]) -> list[str]:
    package = __name__.rpartition(".views.")[0]
    # Not from the current folder, which may be that of somebody else's repository.
    program = (
        f"import sys; sys.path = [{ROOT!r}, *filter(None, sys.path)]; "
        f"from {package}.cli import entry_point; entry_point()"
    )
    return [sys.executable, "-c", program, "web", "--until-eof", "--json", *words]


def _environment(run: str) -> dict[str, str]:
    # The guard ends what carries the mark. No feature can have this name.
    return {**without_git(os.environ), MARK: f"{os.environ.get(MARK, '')}{run}/~web;"}


def _address(said: str) -> str:
    """The address in the first line of the process; empty if it is another line."""
    with suppress(ValueError):
        document = json.loads(said)
        if isinstance(document, dict) and isinstance(document.get("url"), str):
            return str(document["url"])
    return ""
