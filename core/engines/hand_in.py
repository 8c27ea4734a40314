"""`HandIn`: keeps the work of an attempt, then pushes or bundles it with the report."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.fold import fold
from ..model.frozen import dataclass
from ..model.json_values import Json
from ..model.outcome import Fault, Status
from ..model.state import FeatureState
from ..model.terminal_text import clean
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..views.html_report import document
from ..views.recorded_run import LATEST, recorded_run
from ..views.run_view import run_view
from ..worktree import keeping
from .feature_report import CLAIM, REPORT, FeatureReport, Listed, encoded, report_ref
from .one_feature import OneFeature
from .sending import Sending, send

FRESH = "hand-in-"

NOT_COMPLETED = N_("it did not begin")


class Interrupted(UserError):
    """A signal came before the feature had begun."""


@dataclass(frozen=True)
class Ended:
    """An attempt that ended: its report, and the commit with it."""

    report: FeatureReport
    commit: str


class HandIn:
    """Hands in the work of one attempt. The settings of the clone are not used."""

    def __init__(self, attempt: OneFeature) -> None:
        self.attempt = attempt
        self.asked = attempt.asked
        self.project: OpenProject = attempt.project
        self.notes: list[str] = []
        """Messages for the user."""

    def ended(self, failure: UserError | None) -> Ended:
        """The report of the attempt; ``failure`` is why it could not run."""
        import tempfile

        report = self._report(failure)
        # The agent may have made any folder whose name it could know.
        place = tempfile.mkdtemp(prefix=FRESH, dir=self.attempt.folder)
        earlier = self.attempt.channel
        self.channel = run_sync(earlier.renewed(place))
        common = (earlier.git.repository.common_dir, self.project.git.repository.common_dir)
        run_sync(self.channel.borrow(*common))
        files = {
            CLAIM: encoded(self.attempt.claim.to_json()),
            REPORT: encoded(report.to_json()),
        }
        title = f"report of attempt {report.attempt} of {report.feature} in run {report.run_id}"
        commit = run_sync(self.channel.write(files, [self.attempt.claimed], title))
        return Ended(report, commit)

    # -- the report ---------------------------------------------------------------------------

    def _report(self, failure: UserError | None) -> FeatureReport:
        project, asked, attempt = self.project, self.asked, self.attempt
        whole = project.journal.read()
        state = fold(whole)
        known = state.feature(asked.feature)
        run = state.run
        mine = [event for event in whole if run is not None and event.run == run.id]
        status, reason = Status.FAILED, failure.message if failure is not None else NOT_COMPLETED
        if isinstance(failure, Interrupted):
            status = Status.CANCELLED
        elif run is not None and known.run == run.id and failure is None:
            status, reason = known.status, known.reason
        earlier = attempt.earlier.report
        return FeatureReport(
            run_id=asked.run_id,
            feature=asked.feature,
            attempt=attempt.claim.attempt,
            status=status,
            reason=project.mask(clean(reason)),
            branch=project.config.branch_of(asked.feature),
            commit=self._commit(known, status),
            start_commit=known.start_commit,
            base_branch=project.config.project.base_branch,
            base_commit=project.base_commit,
            key=known.key,
            inputs=known.inputs,
            branch_lease=attempt.branch_lease,
            report_lease=attempt.earlier.commit,
            listed=self._listed(),
            project=project.mask(project.config.project.name),
            max_parallel=project.config.project.max_parallel,
            events=(*(earlier.events if earlier is not None else ()), *mine),
            document=self._document(is_begun=run is not None),
        )

    def _listed(self) -> tuple[Listed, ...]:
        given = self.project.dag.features.values()
        left = [each for each in given if each.id not in self.attempt.landed]
        mask = self.project.mask
        return tuple(Listed(each.id, mask(each.name), each.depends_on) for each in left)

    def _document(self, *, is_begun: bool) -> Mapping[str, Json]:
        if not is_begun:
            return {}
        found = recorded_run(self.project, LATEST)
        return document(run_view(found.report, found.events, found.now))

    def _commit(self, known: FeatureState, status: Status) -> str:
        """The result, or a commit with the work that a failure left; empty if there is none."""
        if status is Status.COMPLETED and known.work is not None:
            return known.work.commit
        if not known.start_commit or known.fault is Fault.TAMPERED:
            return ""
        git = self.project.git.writable()
        worktrees = self.project.worktrees.using(git)
        path = known.worktree if os.path.isdir(known.worktree) else ""
        tip = run_sync(git.commit_of(HEADS + known.branch))
        try:
            kept = run_sync(
                keeping.keep(
                    worktrees,
                    *(known.id, self.asked.run_id, path, known.start_commit),
                    known.made_before_work,
                    known.left,
                )
            )
        except UserError as error:
            self.notes.append(error.message)
            return "" if tip == known.start_commit else tip
        if kept.aside:
            self.notes.append(N_("files that look secret are not kept"))
        return run_sync(git.commit_of(kept.ref)) if kept.ref else ""

    # -- to the remote ------------------------------------------------------------------------

    def push(self, ended: Ended) -> Sending:
        """Push the report, the branch, and what the branch held before, all or nothing.

        A claim whose push was interrupted may still arrive: a report in its place refuses it.
        """
        attempt = self.attempt
        leases = (*(() if attempt.is_claimed else (attempt.earlier.commit,)), attempt.claimed)
        for lease in leases:
            sent = run_sync(send(self.channel, ended.report, ended.commit, lease))
            if sent.is_done:
                break
        return sent

    def bundle(self, ended: Ended, path: str) -> None:
        """Write branch and report into a bundle. Raises :class:`UserError`."""
        report = ended.report
        refs = {report_ref(report.run_id, report.feature): ended.commit}
        tips = {self.project.base_commit, report.branch_lease, report.report_lease}
        tips.update(self.project.refs.values())
        known = filter(None, tips)
        if report.commit:
            refs[HEADS + report.branch] = report.commit
        run_sync(self.channel.bundle(os.path.abspath(path), refs, known))
