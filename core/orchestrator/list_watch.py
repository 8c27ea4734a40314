"""`ListWatch`: takes up a changed feature list at the next free slot, for ``project.reload``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from ..model.errors import UserError
from ..model.translate import N_
from .reloading import AGAIN, SHOWN, NextList, Reloading, words_of

QUIET_SECONDS = 2.0
"""A file that changed more recently may be half-written, or be saved again in a moment."""

LOOK_SECONDS = 1.0
"""The interval between looks at the files while a slot is free."""


class ListWatch:
    """Takes up a changed list by itself, for ``project.reload``."""

    def __init__(
        self,
        reloading: Reloading,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.reloading = reloading
        self.monotonic = monotonic
        self.clock = clock
        self._next_look = 0.0
        self._stamps = self._files_now()
        self._told = ""
        """Why the list was not taken up the last time."""

    def look(self) -> None:
        """Look at the files of the list from time to time while a slot is free."""
        slots = self.reloading.orchestrator.slots
        if slots.free and self.monotonic() >= self._next_look:
            self.at_free_slot()

    def at_free_slot(self) -> None:
        """Take up a changed list, or tell once why not."""
        self._next_look = self.monotonic() + LOOK_SECONDS
        stamps = self._files_now()
        run = self.reloading.orchestrator
        is_ending = run.is_over or run.slots.closed
        if is_ending or stamps == self._stamps or self._is_moving(stamps):
            return
        self._stamps = stamps
        try:
            coming = self._next()
        except UserError as error:
            self._tell(words_of(error))
            return
        self._told = ""
        # Else it was written while it was read: the next look reads it again.
        if self._files_now() == stamps and not coming.change.is_empty:
            self.reloading.take_up(coming, automatic=True)
            self._stamps = self._files_now()

    def _next(self) -> NextList:
        coming = self.reloading.changed()
        if coming.change.widenings:
            asked = "; ".join(each.text for each in coming.change.widenings[:SHOWN])
            raise UserError(N_("it needs your consent: {asked}").format(asked=asked))
        return coming

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            text = N_("the changed list is not taken up: {why}. To see all of it: {command}")
            said = text.format(why=why, command=AGAIN)
            self.reloading.orchestrator.context.note(said)

    def _is_moving(self, stamps: Mapping[str, tuple[int, int, int]]) -> bool:
        """Whether a file changed just now."""
        latest = max((changed for changed, _, _ in stamps.values()), default=0) / 1e9
        return 0 <= self.clock() - latest < QUIET_SECONDS

    def _files_now(self) -> dict[str, tuple[int, int, int]]:
        """The files that the list is read from, and their folders, as far as they exist."""
        config = self.reloading.now.project.config
        prompts = os.path.join(config.workspace, "prompts")
        found = {}
        for path in (config.path, *config.files, prompts):
            try:
                info = os.stat(path)
            except OSError:
                continue
            found[path] = (info.st_mtime_ns, info.st_size, info.st_ino)
        return found
