"""`Feedback`: review comments and failed checks of pull requests, and what Claude gets of them.

Unasked, Claude gets what people who may write to the repository say, and the failed checks; of
anybody else only what the user names. Nothing is given twice: the journal has where it came from.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection, Iterator, Sequence

from ..git.refs import HEADS
from ..model import events_review
from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.events import Event
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.mask import Mask
from ..model.review import Comment
from ..model.state import FeatureState
from ..model.translate import N_
from ..project.open import OpenProject
from ..project.remote import find_remote
from ..project.selection import check_known
from .forge.forge import State
from .forge.github import GitHub
from .forge.github_remarks import GitHubReaders
from .forge.gitlab import GitLab
from .forge.gitlab_remarks import GitLabReaders
from .forge.remark import Kind, Remark
from .forge.which import forge_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .forge.forge import Forge
    from .forge.remark import Readers

MOST = 200
"""How many remarks on a feature are looked at; the rest would bury its session."""


@dataclass(frozen=True)
class Heard:
    """A remark, and what became of it."""

    remark: Remark
    source: str
    """What identifies it on every forge."""
    was_applied: bool = False

    def to_json(self) -> dict[str, Json]:
        """As ``feedback --json`` prints it."""
        remark = self.remark
        return {
            "id": remark.id,
            "kind": remark.kind.value,
            "author": remark.author or None,
            "may_write": remark.may_write,
            "path": remark.path or None,
            "line": remark.line or None,
            "text": remark.text,
            "asks_for_changes": remark.asks_for_changes,
            "url": remark.url or None,
            "applied": self.was_applied,
        }


@dataclass(frozen=True)
class FeatureFeedback:
    """What is said about the pull request of a feature."""

    id: str
    sign: str
    """How the forge names the pull request."""
    url: str
    state: State
    heard: tuple[Heard, ...] = ()
    left_out: int = 0
    """How many remarks were too many."""
    theirs: str = ""
    """Its commit, if somebody else pushed it: then work of the session could not be pushed."""
    how_to_take: str = ""
    """The command that brings that commit into the feature's branch."""

    def to_json(self) -> dict[str, Json]:
        """As ``feedback --json`` prints it."""
        return {
            "id": self.id,
            "url": self.url,
            "state": self.state.value,
            "remarks": [each.to_json() for each in self.heard],
            "left_out": self.left_out,
            "pushed_by_others": self.theirs or None,
        }


@dataclass(frozen=True)
class FeedbackReport:
    """What is said about all features that were asked for."""

    forge: str
    features: tuple[FeatureFeedback, ...]

    def to_json(self) -> dict[str, Json]:
        """As ``feedback --json`` prints it."""
        features: list[Json] = [each.to_json() for each in self.features]
        return {"event": "feedback", "forge": self.forge, "features": features}


class Feedback:
    """One ``feedback`` on features: those with the given ids, or all with a pull request."""

    def __init__(self, project: OpenProject, ids: Sequence[str] = (), remote: str = "") -> None:
        self.project = project.writable()
        self.state = project.state()
        self.ids = ids
        self.remote = remote

    async def look(self) -> FeedbackReport:
        """Ask the forge. Raises :class:`UserError` if there is nothing to ask about."""
        features = self._asked()
        remote = await find_remote(self.project, self.remote)
        urls = (remote.urls.push, remote.urls.written)
        forge = await forge_of(self.project.git.spawner, os.environ, urls, remote.name)
        forge.client.check()
        readers = _readers(forge)
        found = [await self._of(known, forge, readers, remote.name) for known in features]
        return FeedbackReport(forge.name, tuple(found))

    def _asked(self) -> list[FeatureState]:
        """The features with a pull request, in the order of the list."""
        dag = self.project.dag
        check_known("", self.ids, dag.features)
        known = [self.state.feature(id) for id in dag.order() if id in (self.ids or dag.features)]
        without = [each.id for each in known if each.pull_request is None]
        if self.ids and without:
            raise UserError(
                N_("{id} has no pull request").format(id=without[0]),
                hint=f"rorchestrator pr {without[0]}",
            )
        found = [each for each in known if each.pull_request is not None]
        if not found:
            raise UserError(N_("no feature has a pull request"), hint="rorchestrator pr")
        return found

    async def _of(
        self, known: FeatureState, forge: Forge, readers: Readers, remote: str
    ) -> FeatureFeedback:
        assert known.pull_request is not None
        number = known.pull_request.number
        seen = await forge.view(number)
        found = FeatureFeedback(known.id, forge.sign(number), seen.url, seen.state)
        if seen.state is not State.OPEN:
            return found
        remarks = await readers.remarks(number, seen.commit)
        where = f"{forge.address.host}/{forge.address.path}{forge.sign(number)}"
        heard = tuple(self._heard(each, f"{where} {each.id}", known) for each in remarks[:MOST])
        found = replace(found, heard=heard, left_out=max(0, len(remarks) - MOST))
        if not await self._is_others(known, seen.commit, remote):
            return found
        where = shlex.quote(known.worktree or self.project.git.repository.top)
        pull = f"git -C {where} pull --no-rebase {shlex.join([remote, known.branch])}"
        return replace(found, theirs=seen.commit, how_to_take=pull)

    async def _is_others(self, known: FeatureState, commit: str, remote: str) -> bool:
        """Whether a commit is neither what we pushed last nor in the feature's branch."""
        last = known.pushes.get(remote)
        tip = self.project.refs.get(HEADS + known.branch, "")
        if not commit or not tip or (last is not None and last.commit == commit):
            return False
        git = self.project.git
        return not await git.commit_of(commit) or not await git.is_ancestor(commit, tip)

    def _heard(self, remark: Remark, source: str, known: FeatureState) -> Heard:
        applied = {comment.source for comment in known.review.comments if comment.is_sent}
        return Heard(remark, source, source in applied)


def _readers(forge: Forge) -> Readers:
    if isinstance(forge, GitHub):
        return GitHubReaders(forge)
    assert isinstance(forge, GitLab)
    return GitLabReaders(forge)


def chosen(
    report: FeedbackReport, *, apply: bool, named: Collection[str]
) -> dict[str, tuple[Heard, ...]]:
    """What Claude is to get, by feature: with ``apply`` all that counts, and what is ``named``.

    Nothing for a feature whose branch somebody else pushed to: it would be paid, and not pushed.
    Raises :class:`UserError` for a name that no remark has.
    """
    known = [each.remark.id for feature in report.features for each in feature.heard]
    for name in named:
        if name not in known:
            raise UserError(
                N_("no open comment has the id {name!r}{guess}").format(
                    name=name, guess=did_you_mean(name, known)
                ),
                hint="rorchestrator feedback",
            )
    found = {
        feature.id: tuple(
            each
            for each in feature.heard
            if each.remark.text
            and not each.was_applied
            and (each.remark.id in named or (apply and each.remark.may_write))
        )
        for feature in report.features
        if not feature.theirs
    }
    return {id: heard for id, heard in found.items() if heard}


def comments_of(heard: Sequence[Heard], mask: Mask) -> Iterator[Comment]:
    """The comments that a feature's session gets, with secrets masked."""
    for each in heard:
        remark = each.remark
        author = mask(remark.author) or (remark.kind is Kind.CHECK and remark.kind.value) or ""
        yield Comment(
            f"pr-{remark.id}",
            mask(remark.text),
            mask(remark.path),
            remark.line,
            author,
            each.source,
        )


def commented(project: OpenProject, id: str, heard: Sequence[Heard]) -> list[Event]:
    """The events that record what is said about a feature."""
    return [
        events_review.commented(time.time(), id, comment=comment, owner=project.owner)
        for comment in comments_of(heard, project.mask)
    ]
