"""What ``plan``, ``run`` and a rehearsal say before anything starts: refusals and warnings."""

from __future__ import annotations

import os
from contextlib import suppress

from .. import hooks, ways_back
from ..errors import UserError
from ..process.spawner import drive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..git import Git
    from ..ways_back import WayBack
    from .workplace import Workplace

SHOWN = 10
"""Ways back that are named; there may be one for each package."""


def cautions(place: Workplace) -> tuple[str, ...]:
    """Everything that is allowed, and probably not meant."""
    worktree = place.worktrees.path("feature")
    idle = drive(hooks.idle(place.git, place.base_commit, worktree))
    return (*idle, *_of_environment(place, worktree))


def _of_environment(place: Workplace, worktree: str) -> Iterator[str]:
    checkout = ways_back.Checkout(place.git.repository.top, worktree, ())
    for way in drive(_versioned(place.git, checkout.of_environment(os.environ))):
        yield (
            f"{way}: checks that use it test your checkout, not the worktree "
            "(deactivate it, or make one in project.setup)"
        )


def check_supplies(place: Workplace) -> None:
    """Raise :class:`UserError` where what is copied or linked leads back into the checkout."""
    project, top = place.config.project, place.git.repository.top
    if place.git.repository.bare or not (project.copy or project.link):
        return
    from .. import supplies

    def matching(patterns: Iterable[str]) -> list[str]:
        found: list[str] = []
        for pattern in patterns:
            with suppress(UserError):  # Each feature says what is wrong with a pattern.
                found += supplies.matching(top, [pattern], less=place.worktrees.folder)
        return found

    worktree = place.worktrees.path("feature")
    found = ways_back.ways_back(top, worktree, matching(project.copy), matching(project.link))
    ways = drive(_versioned(place.git, found))
    if ways:
        more = [f"and {len(ways) - SHOWN} more"] if len(ways) > SHOWN else []
        raise UserError(
            "what project.copy and project.link name leads back into your checkout: checks in a "
            "worktree would test your files, not the feature's",
            details=(*(f"{way}, in your checkout" for way in ways[:SHOWN]), *more),
            hint="take it out of project.copy and project.link, and make it in each worktree: "
            "project.setup (pip install -e ., npm ci, …)",
        )


async def _versioned(git: Git, ways: Iterable[WayBack]) -> list[WayBack]:
    """Those that lead to what git does not ignore: the rest is the same for every worktree."""
    ways = list(ways)
    if not ways:
        return []
    top = git.repository.top
    targets = [way.target for way in ways if way.target != os.curdir]
    names = {t: f"{t}/" if os.path.isdir(os.path.join(top, t)) else t for t in targets}
    ignored = await git.ignored_of(top, names.values())
    return [way for way in ways if names.get(way.target) not in ignored]
