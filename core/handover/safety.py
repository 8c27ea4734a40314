"""While agents work, they could plant what our ``git push`` would execute: then nothing is pushed.

Afterwards, a push is like one that the user types: the run has compared hooks and settings then.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from ..git import configuration
from ..git.paths import is_below
from ..model.errors import UserError
from ..model.state import RunState
from ..model.translate import N_
from ..project.open import OpenProject

HOOKS = ("pre-push", "reference-transaction")
"""What ``git push`` executes; see githooks(5)."""


async def check_untouched(project: OpenProject, state: RunState) -> None:
    """Raise :class:`UserError` if hooks or settings are newer than the run in progress."""
    run, holder = state.run, project.lock.holder()
    if holder is None or run is None or run.ended_at is not None:
        return
    hooks = await configuration.hooks_folder(project.git)
    read = await configuration.settings_in(project.git, project.git.repository.top)
    for path in _executed(project, hooks, {file for file, _, _ in read}):
        if _changed_at(path) > run.started_at:
            raise UserError(
                N_("{path} was changed while the run goes on, and git push executes it").format(
                    path=path
                ),
                hint=N_("look at it, and push when the run is over"),
            )


def _executed(project: OpenProject, hooks: str, read: Collection[str]) -> Iterator[str]:
    """Hooks, and the files of settings that are in the repository, with what they include."""
    common, top = project.git.repository.common_dir, project.git.repository.top
    yield from (os.path.join(top, hooks, name) for name in HOOKS)
    yield os.path.join(top, hooks)  # a hook that was removed checks nothing
    yield os.path.join(common, "config")
    yield from sorted(file for file in read if is_below(file, common) or is_below(file, top))


def _changed_at(path: str) -> float:
    """When a file or a link was last changed; its time of change can't be set back."""
    try:
        return max(os.lstat(path).st_ctime, os.stat(path).st_ctime)
    except OSError:
        return 0.0
