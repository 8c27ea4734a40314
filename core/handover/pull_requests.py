"""`PullRequests`: finds, opens, retargets and updates the pull request of each feature."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ..model import events_review
from ..model.events import Event
from ..model.handover import PullRequest
from ..model.state import FeatureState
from ..model.translate import N_
from ..project.open import OpenProject
from ..reporter.markdown_text import code
from . import body
from .forge.client import ForgeError
from .forge.forge import OnForge, State
from .place import Place
from .report import Ending
from .work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .forge.forge import Forge

Record = Callable[[Event], None]


class PullRequests:
    """The pull requests of one command, on one forge."""

    def __init__(
        self, project: OpenProject, forge: Forge, base: str, record: Record, *, draft: bool
    ) -> None:
        self.project = project
        self.forge = forge
        self.base = base
        self.record = record
        self.draft = draft
        self.numbers: dict[str, int] = {}
        """Of the features that were handed over, by branch."""

    async def seen(self, known: FeatureState) -> OnForge | None:
        """The pull request of a feature; not one of an earlier feature with the same branch."""
        found = await self.forge.find(known.branch)
        if found is None or found.state is State.OPEN:
            return found
        recorded = known.pull_request
        ours = recorded is not None and recorded.number == found.number
        pushed = (push.commit for push in known.pushes.values())
        return found if ours or found.commit in pushed else None

    def note(self, known: FeatureState, seen: OnForge, ending: Ending) -> None:
        """Report and record a pull request as the forge has it."""
        request = PullRequest(self.forge.name, seen.number, seen.url, seen.base, seen.state.value)
        ending.request = request
        self.numbers[known.branch] = seen.number
        if request != known.pull_request:
            self.record(
                events_review.pull_request(
                    time.time(), known.id, request=request, owner=self.project.owner
                )
            )

    async def retarget(
        self, known: FeatureState, seen: OnForge, place: Place, ending: Ending
    ) -> OnForge:
        """Change the base, unless a person changed it."""
        if seen.is_armed and place.base != self.base:
            ending.notes.append(
                N_("auto-merge is on, although {base} has not landed: turn it off on {url}").format(
                    base=place.base, url=seen.url
                )
            )
        if seen.base == place.base:
            return seen
        recorded = known.pull_request
        was = recorded.base if recorded is not None and recorded.number == seen.number else ""
        if was == place.base:
            ending.notes.append(
                N_("somebody changed its base from {was} to {now}; it stays there").format(
                    was=was, now=seen.base
                )
            )
            return seen
        ending.did = "updated"
        ending.notes.append(
            N_("its base changed from {was} to {base}").format(base=place.base, was=seen.base)
        )
        return await self.forge.update(seen.number, base=place.base)

    async def open_or_update(
        self,
        work: Work,
        place: Place,
        seen: OnForge | None,
        ending: Ending,
        needs: Mapping[str, str],
    ) -> None:
        """Open the pull request, or update its text. ``needs``: branches by id."""
        ours = body.body_of(
            work, self.project.config, self._facts(work, place, needs), self.project.mask
        )
        if seen is None:
            title = body.title_of(work, self.project.mask)
            seen = await self._opened(work.branch, place.base, title, ours)
            ending.did = "opened"
        else:
            text = body.updated(seen.body, ours)
            if text != seen.body:
                seen = await self.forge.update(seen.number, body=text)
                ending.did = "updated"
        self.note(work.known, seen, ending)

    async def _opened(self, branch: str, base: str, title: str, text: str) -> OnForge:
        """A new pull request; the one that another process has just opened."""
        try:
            return await self.forge.open(branch, base, title, text, draft=self.draft)
        except ForgeError:
            found = await self.forge.find(branch)
            if found is None or found.state is not State.OPEN:
                raise
            return found

    def _facts(self, work: Work, place: Place, needs: Mapping[str, str]) -> body.Facts:
        built_on = [
            f"{self.forge.sign(self.numbers[branch])} ({code(id)})"
            for id, branch in needs.items()
            if branch in self.numbers
        ]
        notes = tuple(filter(None, (work.words, place.words)))
        return body.Facts(place.base, place.commit, built_on, notes)
