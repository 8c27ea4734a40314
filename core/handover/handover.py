"""`Handover`: pushes the branches of completed features, and opens their pull requests.

Each step can be repeated: what the remote has already counts as pushed, and a pull request that
exists is found. So a kill between a step and its record costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ..git import remotes
from ..git.ref_conflicts import prevented_there
from ..git.refs import BASES, HEADS
from ..model import events_review
from ..model.errors import UserError
from ..model.events import Event
from ..model.excerpt import excerpt
from ..model.handover import Push
from ..model.outcome import Status
from ..model.state import FeatureState
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..project.control_requests import record
from ..project.decisions import apply_skips
from ..project.open import OpenProject
from ..project.remote import Remote, find_remote
from ..project.selection import check_known
from .copy_checks import Consent, CopyChecks
from .forge.client import NotLoggedIn
from .forge.forge import OnForge, State
from .forge.which import forge_of
from .place import JOINED, Place, Places
from .pull_requests import PullRequests
from .report import Ending, Handed, HandoverOptions, HandoverReport
from .safety import check_untouched
from .work import Held, Landed, Work, work_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .forge.forge import Forge


class Handover:
    """One ``push`` or ``pr``."""

    def __init__(
        self,
        project: OpenProject,
        options: HandoverOptions,
        *,
        say: Callable[[Ending], None] = lambda ending: None,
        consent: Consent = lambda feature: None,
    ) -> None:
        self.state = project.state()
        self.project = apply_skips(project, self.state).writable()
        self.git = self.project.git
        self.options = options
        self.say = say
        self.checks = CopyChecks(self.project, self.command, consent)
        self.endings: dict[str, Ending] = {}
        self.below: dict[str, str] = {}
        """What is on the remote and has not landed: the commits by id."""
        self.remote: Remote
        self.places: Places
        self.pulls: PullRequests | None = None

    async def run(self) -> HandoverReport:
        """Hand over the features. Raises :class:`UserError` if the remote can't be used."""
        ids = self._asked()
        self.remote = await find_remote(self.project, self.options.remote)
        forge = await self._forge() if self.options.pull_requests else None
        branches = [self.state.feature(id).branch for id in ids]
        await self.remote.look(b + end for b in branches if b for end in ("", JOINED))
        self.remote.check_base(self.project)
        self.places = Places(self.project, self.state, self.remote, self.below)
        if not self.options.dry_run:
            await check_untouched(self.project, self.state)
        for id in ids:
            ending = self.endings[id] = Ending(id, self.state.feature(id).branch)
            try:
                await self._hand_over(self.state.feature(id), ending)
            except NotLoggedIn:
                raise  # It holds for all.
            except UserError as error:
                self._hold(ending, "; ".join(filter(None, (error.message, error.hint))))
            self.say(ending)
        name = forge.name if forge else ""
        return HandoverReport(
            self.remote.name, name, self.remote.base, tuple(self.endings.values())
        )

    def _asked(self) -> list[str]:
        """The features with their dependencies, in topological order."""
        dag, asked = self.project.dag, self.options.ids
        check_known("", asked, dag.features)
        completed = [id for id in dag.features if self.state.feature(id).status is Status.COMPLETED]
        wanted = set(dag.ancestors(asked or completed))
        return [id for id in dag.order() if id in wanted]

    async def _forge(self) -> Forge:
        urls = (self.remote.urls.push, self.remote.urls.written)
        forge = await forge_of(self.git.spawner, os.environ, urls, self.remote.name)
        forge.client.check()
        self.pulls = PullRequests(
            self.project, forge, self.remote.base, self._record, draft=self.options.draft
        )
        return forge

    def _record(self, event: Event) -> None:
        if not self.options.dry_run:
            record(self.project, "pr" if self.options.pull_requests else "push", [event])

    # -- one feature -----------------------------------------------------------------------------

    async def _hand_over(self, known: FeatureState, ending: Ending) -> None:
        work = await work_of(
            self.project, known, self.remote.base_commit, accepted=self.options.accepted
        )
        seen = await self._seen(known, work, ending)
        if not isinstance(work, Work):
            self._end(work, ending)
        elif not self._is_held_below(ending):
            await self._hand_over_work(work, seen, ending)

    async def _seen(
        self, known: FeatureState, work: Work | Held | Landed, ending: Ending
    ) -> OnForge | None:
        """The pull request of a feature; the forge is not asked for those that are over."""
        request = known.pull_request
        is_over = request is None or request.state == State.MERGED.value
        if self.pulls is None or not known.branch or (isinstance(work, Landed) and is_over):
            ending.request = request
            return None
        seen = await self.pulls.seen(known)
        if seen is not None and seen.state is not State.OPEN:
            self.pulls.note(known, seen, ending)
        return seen

    def _is_held_below(self, ending: Ending) -> bool:
        needs = self.project.dag.features[ending.id].depends_on
        missing = [need for need in needs if self.endings[need].state is Handed.HELD]
        if missing:
            words = N_("it depends on {missing}, also held")
            self._hold(ending, words.format(missing=", ".join(missing)))
        return bool(missing)

    async def _hand_over_work(self, work: Work, seen: OnForge | None, ending: Ending) -> None:
        last = self._last(work)
        if seen is not None and seen.state is not State.OPEN:
            if seen.state is State.MERGED and await self.places.is_whole(work, last):
                self._merged(work, seen, last, ending)
                return
            if seen.state is State.CLOSED and work.id not in self.options.ids:
                words = N_(
                    "its pull request {url} was closed; rorchestrator pr {id} opens a new one"
                )
                self._hold(ending, words.format(url=seen.url, id=work.id))
                return
            seen = None
        if self.options.sync and seen is None:
            ending.state, ending.reason = Handed.LEFT, N_("it has no pull request")
            self._is_below(work.id, self.remote.branches.get(work.branch, ""))
            return
        place = await self.places.place_of(work)
        if isinstance(place, Place):
            ending.notes += filter(None, (work.words, place.words))
            if place.was_copied and not self._passes(work, place, ending):
                return
            await self._bring(work, place, seen, ending)
        else:
            self._end(place, ending)

    def _passes(self, work: Work, place: Place, ending: Ending) -> bool:
        """Whether the checks pass on a copy that is not on the remote yet, if they can run."""
        is_there = self.remote.branches.get(work.branch) == place.commit
        if is_there or self.options.dry_run:
            return True
        if not self.checks.can_check():
            ending.notes.append(N_("its checks did not run there: another command is in progress"))
            return True
        failure = self.checks.failure(work.feature, place.commit, place.base)
        if failure:
            words = N_("its checks fail on {base}: {failure}")
            self._hold(ending, words.format(base=place.base, failure=failure))
        return not failure

    def _merged(self, work: Work, seen: OnForge, last: str, ending: Ending) -> None:
        """A pull request that was merged: into the base branch, or into another feature's."""
        ending.commit = last
        if seen.base == self.remote.base:
            ending.state = Handed.LANDED
            ending.reason = N_("its pull request was merged")
        else:
            ending.state = Handed.THERE
            ending.notes.append(
                N_("its pull request was merged into {base}").format(base=seen.base)
            )
            self._is_below(work.id, last)

    def _is_below(self, id: str, commit: str) -> None:
        """Dependents are built on this commit."""
        if commit:
            self.below[id] = commit

    async def _bring(self, work: Work, place: Place, seen: OnForge | None, ending: Ending) -> None:
        """Push the branch, and its base if that is a merge; open or update the pull request."""
        ending.base, ending.commit = place.base, place.commit
        if place.joined and not await self._bring_joined(work, place, ending):
            return
        # The push starts the forge's checks, so the base has to be right before; but one
        # with auto-merge must never have the new base with the old commits.
        first = self.pulls if seen and not seen.is_armed else None
        if first and seen and not self.options.dry_run:
            seen = await first.retarget(work.known, seen, place, ending)
        if not await self._push(work, place, ending):
            return
        self._is_below(work.id, place.commit)
        if self.pulls and self.options.dry_run:
            ending.did = "would_open" if seen is None else "would_update"
            if seen:
                self.pulls.note(work.known, seen, ending)
        elif self.pulls:
            if seen and not first:
                seen = await self.pulls.retarget(work.known, seen, place, ending)
            needs = {
                need: self.state.feature(need).branch for need in self.places.needs_of(work.id)
            }
            await self.pulls.open_or_update(work, place, seen, ending, needs)

    # -- pushing -----------------------------------------------------------------------------------

    def _last(self, work: Work) -> str:
        """What we pushed last to the feature's branch; empty if nothing."""
        push = work.known.pushes.get(self.remote.name)
        return push.commit if push and push.branch == work.branch else ""

    async def _push(self, work: Work, place: Place, ending: Ending) -> bool:
        """Whether the remote's branch has the commit now, or would have it."""
        last = self._last(work)
        why = await self._why_not(work.branch, place.commit, last, work.start)
        if not self.remote.branches.get(work.branch) and last and work.id not in self.options.ids:
            why = N_(
                "{branch} was deleted on {remote}; rorchestrator {command} {id} pushes it again"
            )
            why = why.format(
                branch=work.branch, remote=self.remote.name, command=self.command, id=work.id
            )
        if why:
            self._hold(ending, why)
            return False
        ending.state = await self._sent(work.branch, place.commit)
        theirs = self.remote.branches.get(work.branch, place.commit)
        if ending.state is Handed.THERE and theirs != place.commit:
            ending.notes.append(
                N_("somebody pushed more to {branch}: git fetch {remote} {branch}").format(
                    branch=work.branch, remote=self.remote.name
                )
            )
        push = Push(self.remote.name, work.branch, place.commit)
        if ending.state is not Handed.WOULD_PUSH and work.known.pushes.get(push.remote) != push:
            self._record(
                events_review.pushed(time.time(), work.id, push=push, owner=self.project.owner)
            )
        return True

    @property
    def command(self) -> str:
        """The command's name."""
        return "pr" if self.options.pull_requests else "push"

    async def _bring_joined(self, work: Work, place: Place, ending: Ending) -> bool:
        """Push the merge of several dependencies; its ref remembers what was pushed."""
        refs, ref = self.project.refs, BASES + work.id
        last = refs.get(ref, "")
        why = await self._why_not(place.base, place.joined, last, "")
        if why:
            self._hold(ending, why)
            return False
        if await self._sent(place.base, place.joined) is not Handed.WOULD_PUSH:
            await self.git.run(N_("keep a ref"), "update-ref", ref, place.joined)
        return True

    async def _why_not(self, branch: str, commit: str, last: str, start: str) -> str:
        """Why a push would overwrite what somebody else pushed; empty if it would not."""
        there = self.remote.branches.get(branch, "")
        if there in ("", last) or await self.git.is_ancestor(commit, there):
            return ""
        newer = await self.git.is_ancestor(there, commit)
        if newer and start and not await self.git.is_ancestor(there, start):
            return ""  # Commits of the feature, which the user pushed.
        return N_(
            "{branch} on {remote} is at {commit}, which we did not push, so it stays; "
            "to see it: git fetch {remote} {branch}"
        ).format(remote=self.remote.name, branch=branch, commit=there[:10])

    async def _sent(self, branch: str, commit: str) -> Handed:
        """Push a commit, unless it is there. Raises :class:`UserError` with the server's words."""
        there = self.remote.branches.get(branch, "")
        if there and await self.git.is_ancestor(commit, there):
            if self.remote.urls.also and not self.options.dry_run:
                # A push that failed at another URL of the remote is repeated; it forces nothing.
                await self._send(branch, there, None)
            return Handed.THERE
        if self.options.dry_run:
            return Handed.WOULD_PUSH
        await self._send(branch, commit, there)
        self.remote.branches[branch] = commit
        return Handed.PUSHED

    async def _send(self, branch: str, commit: str, lease: str | None) -> None:
        assert HEADS + branch != HEADS + self.remote.base, branch
        pushed = await remotes.push(self.git, self.remote.name, branch, commit, lease)
        if not pushed.is_done:
            name = self.remote.name
            other = await remotes.in_the_way_on(self.git, self.remote.where, branch)
            if other:
                raise UserError(prevented_there(HEADS + branch, other, shell_word(name)))
            said = excerpt(self.project.mask(pushed.said))
            raise UserError(N_("git could not push it: {said}").format(said=said))

    def _end(self, why: Held | Landed, ending: Ending) -> None:
        """Report a feature that is not handed over."""
        if isinstance(why, Held):
            self._hold(ending, why.reason)
        else:
            ending.state, ending.reason = Handed.LANDED, why.how

    def _hold(self, ending: Ending, reason: str) -> None:
        ending.state, ending.reason = Handed.HELD, reason
