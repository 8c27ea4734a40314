"""Earlier attempts at a feature, as the remote has them: claims, reports, and the branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..git import history
from ..git.channel import Channel
from ..git.door import Git
from ..model.errors import UserError
from ..model.frozen import dataclass
from .feature_report import (
    CLAIM,
    REPORT,
    RUNS,
    Claim,
    FeatureReport,
    claim_in,
    report_in,
    report_ref,
)

TRAILER = "RoRchestrator-Feature"
"""In the message of every commit that a run makes."""


@dataclass(frozen=True)
class Earlier:
    """The earlier attempts at a feature in a run."""

    commit: str = ""
    """The commit of the report's ref; empty if there is none."""
    claim: Claim = Claim(0)
    """The newest attempt."""
    report: FeatureReport | None = None
    """The newest report; of an earlier attempt if the newest has not reported."""

    @property
    def has_reported(self) -> bool:
        """Whether the newest attempt has reported."""
        return self.report is not None and self.report.attempt == self.claim.attempt

    @property
    def has_completed(self) -> bool:
        """Whether the newest attempt has reported that the feature completed."""
        return self.report is not None and self.has_reported and self.report.is_complete


async def earlier_of(channel: Channel, run_id: str, ids: Iterable[str]) -> dict[str, Earlier]:
    """The earlier attempts at features in a run; features without any are left out."""
    refs = {report_ref(run_id, id): id for id in ids}
    there = await channel.look(*refs) if refs else {}
    await channel.fetch(*(f"+{ref}:{ref}" for ref in there))
    return {refs[ref]: each for ref, each in zip(there, await _earlier(channel, there))}


async def _earlier(channel: Channel, there: Mapping[str, str]) -> list[Earlier]:
    """What is known of earlier attempts, for each of these refs with their commits."""
    commits = list(there.values())
    claims = await channel.read_all(commits, CLAIM)
    reports = await channel.read_all(commits, REPORT)
    return [
        Earlier(
            commit, claim_in(claim), readable(report, ref) or await _before(channel, ref, commit)
        )
        for ref, commit, claim, report in zip(there, commits, claims, reports)
    ]


async def _before(channel: Channel, ref: str, commit: str) -> FeatureReport | None:
    """The newest report of an attempt before."""
    line = await history.line_of(channel.git, commit)
    reports = (readable(each, ref) for each in await channel.read_all(line, REPORT))
    return next((report for report in reports if report is not None), None)


def readable(content: bytes, ref: str) -> FeatureReport | None:
    """The report in a file of ``ref``; ``None`` if it is none: no file stops a whole run."""
    try:
        report = report_in(content, REPORT)
    except UserError:
        return None
    return report if report_ref(report.run_id, report.feature) == ref else None


async def is_of_a_run(channel: Channel, git: Git, tip: str, base: str, id: str) -> bool:
    """Whether a run made the commits of a feature's branch: a trailer or a report says so.

    A branch without commits of its own holds nobody's work.
    """
    own = (tip, f"^{base}")
    if await git.is_ancestor(tip, base) or id in await history.trailers_in(git, own, TRAILER):
        return True
    there = await channel.look(f"{RUNS}*")
    refs = [ref for ref in there if ref.endswith(f"/{id}")]
    await channel.fetch(*(f"+{ref}:{ref}" for ref in refs))
    found = await _earlier(channel, {ref: there[ref] for ref in refs})
    return any(each.report is not None and each.report.commit == tip for each in found)
