"""`OneFeature`: an attempt at a feature on any machine: the clone, what others pushed, the claim.

The journal of the clone says that the dependencies completed, so the run is as on one machine.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Mapping

from ..git import channel as channels
from ..git.channel import KNOWN, Channel, Update, open_channel
from ..git.door import Git
from ..git.opening import open_repository
from ..git.paths import is_in
from ..git.ref_conflicts import in_the_way, prevented_by
from ..git.refs import HEADS
from ..model import events
from ..model.errors import ExitCode, UserError
from ..model.excerpt import some
from ..model.frozen import dataclass, replace
from ..model.mask import Mask
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..process.spawner import Spawner, run_sync
from ..project import feature_list
from ..project.base_branch import REMOTES
from ..project.consent import Consents
from ..project.list_path import list_path
from ..project.open import OpenProject, open_project
from ..project.selection import check_known
from .earlier import Earlier, earlier_of, is_of_a_run
from .feature_report import CLAIM, Claim, FeatureReport, encoded, report_ref
from .recording import ORIGIN, FetchedRemote, Recording

CHANNEL = "channel.git"
STALE = "(stale info)"
"""What git says of a push whose lease is not where the ref is."""

WORKTREES = "worktrees"
"""Beside the clone, where a list's own worktrees are by default."""


@dataclass(frozen=True)
class Asked:
    """What a machine is to run, as its command line says."""

    feature: str
    url: str
    run_id: str
    config: str = ""
    """The path of the list in the repository; searched if it is empty."""
    base: str = ""
    is_read_only: bool = False
    """Whether nothing may be pushed: the result goes into a bundle."""


class OneFeature:
    """One attempt at a feature. ``folder`` is new, and gets all of its files."""

    def __init__(self, asked: Asked, folder: str, mask: Mask, say: Callable[[str], None]) -> None:
        self.asked = asked
        self.folder = folder
        self.mask = mask
        self.say = say
        mask.learn(channels.credentials_in(asked.url), all_secret=True)
        self.channel: Channel
        self.project: OpenProject
        self.earlier = Earlier()
        self.claim = Claim(0)
        self.claimed = ""
        """The commit of the claim, once it may be on the remote."""
        self.is_claimed = False
        """Whether the remote has confirmed the claim."""
        self.branch_lease = ""
        self.landed: set[str] = set()
        self.is_continued = False
        """Whether it continues work that an earlier attempt pushed."""

    @property
    def ref(self) -> str:
        """The ref of its claim and its report."""
        return report_ref(self.asked.run_id, self.asked.feature)

    # -- before the clone ---------------------------------------------------------------------

    def look(self) -> FeatureReport | None:
        """Ask the remote for earlier attempts; the report if the feature completed already."""
        asked, place = self.asked, os.path.join(self.folder, CHANNEL)
        self.channel = run_sync(open_channel(place, asked.url, os.environ))
        known = run_sync(earlier_of(self.channel, asked.run_id, [asked.feature]))
        self.earlier = known.get(asked.feature, Earlier())
        self._check_ref()
        report = self.earlier.report
        if report is None or not (report.is_complete and self.earlier.has_reported):
            return None
        return report if run_sync(self._has_result(report)) else None

    def _check_ref(self) -> None:
        """Raise :class:`UserError` unless the claim can be pushed to its ref."""
        self._check_alias(self.ref, N_("delete it, or choose another --run-id"))
        there = self.earlier.commit
        if there and run_sync(self.channel.git.commit_of(there)) != there:
            raise UserError(
                N_("{ref} on the remote is no commit, so no run wrote it").format(ref=self.ref),
                hint=N_("delete it, or choose another --run-id"),
            )

    def _check_alias(self, ref: str, hint: str) -> None:
        """Raise :class:`UserError` if a push to a ref of the remote would move another one."""
        if ref in self.channel.aliases:
            raise UserError(self.channel.moved_by(ref), hint=hint)

    async def _has_result(self, report: FeatureReport) -> bool:
        """Whether the branch has the result, also below other commits; or another one if it landed.

        A forge deletes a branch that landed.
        """
        branch = HEADS + report.branch
        tip = (await self.channel.look(branch)).get(branch, "")
        if tip == report.commit:
            return True
        where = branch if tip else f"{HEADS}*"
        await self.channel.fetch(f"+{where}:{where.replace(HEADS, KNOWN)}")
        result = await self.channel.git.commit_of(report.commit)
        return bool(result) and (not tip or await self.channel.git.is_ancestor(result, tip))

    # -- the clone ----------------------------------------------------------------------------

    def open(self) -> OpenProject:
        """Clone the repository, and open its list as it is in the base commit."""
        git = self._clone()
        refs = run_sync(git.refs(REMOTES))
        config, base = self._list_at_base(git, refs)
        run_sync(channels.forget_credentials(git, self.asked.url))
        project = open_project(config, base, self.mask)
        self._check_top(project, git)
        check_known("--only: ", [self.asked.feature], project.dag.features)
        self.project = self._moved(project)
        self._record(refs)
        return self.project

    def _clone(self) -> Git:
        url = channels.without_credentials(self.asked.url)
        name = re.sub(r"\.git\Z", "", os.path.basename(self.asked.url.rstrip("/"))) or "clone"
        path = os.path.join(self.folder, re.sub(r"[^\w.-]", "-", name))
        if os.path.basename(path) in (WORKTREES, CHANNEL):
            path += "-clone"
        self.say(N_("cloning {url}").format(url=url))
        run_sync(self.channel.clone(path))
        git = run_sync(open_repository(Spawner(), path, os.environ))
        if git.repository.shallow:
            raise UserError(
                N_("{url} is a shallow clone, and merges need the whole history").format(url=url),
                hint=N_("run git fetch --unshallow there, or name another repository"),
            )
        return git

    def _list_at_base(self, git: Git, refs: dict[str, str]) -> tuple[str, str]:
        """Check the base out; the path of its list, and the base: a branch, or else a commit."""
        base = self.asked.base or self.channel.head
        commit = self._check_out(git, base, refs)
        config = self._list_in(git.repository.top, base)
        named = "" if self.asked.base else feature_list.load(config).project.base_branch
        if named and named != base:
            base = named
            commit = self._check_out(git, base, refs)
            config = self._list_in(git.repository.top, base)
        return config, base if ORIGIN + base in refs else commit

    def _check_top(self, project: OpenProject, git: Git) -> None:
        """Raise :class:`UserError` if the list is about another repository than its own."""
        top = project.git.repository.top
        if top != git.repository.top:
            raise UserError(
                N_("project.repo_path leads out of the repository, to {path}").format(path=top),
                hint=N_(
                    "remove project.repo_path: on another machine, the list must be in "
                    "the repository that it changes"
                ),
            )

    def _record(self, refs: dict[str, str]) -> None:
        """Record in the clone what other machines pushed."""
        branch = self.project.config.branch_of(self.asked.feature)
        self.branch_lease = refs.get(ORIGIN + branch, "")
        self._check_branch(branch, refs)
        there = FetchedRemote(self.channel, self.asked.run_id, refs, self.branch_lease, self.say)
        recording = Recording(self.project, there, self.earlier.report)
        self.is_continued = recording.kept is not None
        self.landed = recording.landed
        self.project = recording.record(self.asked.feature)

    def _check_out(self, git: Git, base: str, refs: dict[str, str]) -> str:
        commit = refs.get(ORIGIN + base) or run_sync(git.commit_of(base))
        if not (base and commit):
            if not refs:
                raise UserError(
                    N_("the remote has no branch yet"),
                    hint=N_("push the base branch with the feature list, or correct --remote"),
                )
            fault = N_("the remote has no branch, tag or commit {base!r}").format(base=base)
            if not base:
                fault = N_("the HEAD of the remote names no branch that it has")
            branches = [ref[len(ORIGIN) :] for ref in refs if ref != f"{ORIGIN}HEAD"]
            raise UserError(
                fault,
                hint=N_("name another one: --base REF; branches of the remote: {names}").format(
                    names=some(branches)
                ),
            )
        run_sync(channels.check_out(git, base if ORIGIN + base in refs else "", commit))
        return commit

    def _list_in(self, path: str, base: str) -> str:
        """The path of the list in the clone."""
        given = os.path.normpath(os.path.join(path, self.asked.config))
        if not (os.path.exists(given) and is_in(os.path.realpath(given), os.path.realpath(path))):
            raise self._no_list(self.asked.config, base)
        try:
            return list_path(given)
        except UserError:
            raise self._no_list(self.asked.config or "config/feature_list.json", base) from None

    def _no_list(self, name: str, base: str) -> UserError:
        return UserError(
            N_("{base} on the remote has no feature list {name}").format(base=base, name=name),
            hint=N_("commit and push it, or name its path in the repository: --config PATH"),
        )

    def _moved(self, project: OpenProject) -> OpenProject:
        """The project with its worktrees and the user's consent in the folder, too.

        Nobody can review here, so a limit of unreviewed features does not count.
        """
        settings = replace(project.config.project, max_unreviewed=None)
        return replace(
            project,
            config=replace(project.config, project=settings),
            worktrees_folder=os.path.join(self.folder, WORKTREES),
            managers={},
            consented=[
                Consents(
                    project.git.repository.common_dir, {"XDG_STATE_HOME": f"{self.folder}/state"}
                )
            ],
        )

    def _check_branch(self, branch: str, refs: Mapping[str, str]) -> None:
        """Raise :class:`UserError` if somebody else's branch on the remote is in the way."""
        tip, base = self.branch_lease, self.project.base_commit
        report = self.earlier.report
        git = self.project.git
        other = in_the_way(ORIGIN + branch, refs)
        if other:
            other = other.replace(ORIGIN, HEADS)
            raise UserError(
                prevented_by(HEADS + branch, other),
                hint=N_("rename or delete it there, or change project.branch_prefix"),
            )
        if list(refs.values()).count(tip) > 1:  # A symbolic ref is where another one is.
            run_sync(self.channel.look(HEADS + branch))
        path = run_sync(self.channel.checkout_of(branch))
        if path and not self.asked.is_read_only:
            raise UserError(
                N_("{branch} is checked out in {path}").format(branch=branch, path=path),
                hint=N_("git refuses to push to it: git -C {path} switch --detach").format(
                    path=shell_word(path)
                ),
            )
        hint = N_("rename or delete it, or change project.branch_prefix")
        if branch == self.channel.head:
            raise UserError(
                N_("{branch} is the branch of the remote's HEAD").format(branch=branch), hint=hint
            )
        self._check_alias(HEADS + branch, hint)
        if not tip or (report is not None and run_sync(git.is_ancestor(report.commit, tip))):
            return
        if not run_sync(is_of_a_run(self.channel, self.project.git, tip, base, self.asked.feature)):
            raise UserError(
                N_("the remote has a branch {branch} that no run made").format(branch=branch),
                hint=hint,
            )

    def bundle_again(self, report: FeatureReport, path: str) -> None:
        """Write a bundle with the report that the remote already has."""
        ref = {self.ref: self.earlier.commit}
        run_sync(self.channel.bundle(os.path.abspath(path), ref, ()))

    # -- the claim ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Claim the attempt on the remote, so that no older one can report any more.

        Raises :class:`UserError` if another machine has just claimed it.
        """
        number = self.earlier.claim.attempt + 1
        at = events.timestamp(time.time())
        self.claim = Claim(number, socket.gethostname(), os.getpid(), at)
        id, run, before = self.asked.feature, self.asked.run_id, self.earlier.commit
        self.claimed = run_sync(
            self.channel.write(
                {CLAIM: encoded(self.claim.to_json())},
                [before] if before else [],
                f"attempt {number} of {id} in run {run}",
            )
        )
        if self.earlier.commit:
            self.say(self._requeued(number))
        if self.asked.is_read_only:
            return
        sent = run_sync(self.channel.push([Update(self.ref, self.claimed, before)]))
        if not sent.is_done:
            self.claimed = ""
            raise self._unclaimed(sent.said)
        self.is_claimed = True

    def _unclaimed(self, said: str) -> UserError:
        """Why the claim was refused; ``said`` are the words of git."""
        now = run_sync(self.channel.look(self.ref)).get(self.ref, "")
        if now != self.earlier.commit:
            return UserError(
                N_("another machine has just started {id} in run {run}").format(
                    id=self.asked.feature, run=self.asked.run_id
                ),
                hint=N_("wait for its report: rorchestrator report --merge --remote URL"),
                exit_code=ExitCode.INCOMPLETE,
            )
        if STALE in said:
            return UserError(
                N_("the remote hides {ref}: it takes pushes of it, and does not show it").format(
                    ref=self.ref
                ),
                hint=N_("let it show refs/rorchestrator/: uploadpack.hideRefs, transfer.hideRefs"),
            )
        other = run_sync(self.channel.in_the_way(self.ref))
        if other:
            return UserError(
                prevented_by(self.ref, other),
                hint=N_("choose another --run-id, or delete it: {command}").format(
                    command=f"git push URL --delete {shell_word(other)}"
                ),
            )
        return UserError(
            N_("the attempt could not be claimed on the remote: {said}").format(said=said),
            hint=N_(
                "allow pushes to refs/rorchestrator/ there; a machine that may not push at all "
                "writes a bundle: --bundle FILE"
            ),
        )

    def _requeued(self, number: int) -> str:
        words = N_("attempt {number} of {id}: starting over")
        if self.is_continued:
            words = N_(
                "attempt {number} of {id}: a new session, on the work that attempt {last} pushed"
            )
        last = self.earlier.report.attempt if self.earlier.report else 0
        return words.format(number=number, id=self.asked.feature, last=last)
