"""The claims and reports of a run on the remote."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...git.channel import open_channel
from ...model.json_values import dollars_of
from ...process.spawner import run_sync
from ...process.temporary_folder import temporary_folder
from ..earlier import readable
from ..feature_report import CLAIM, REPORT, RUNS, claim_in
from .progress import Reported


def reports_of(url: str, run: str, environ: Mapping[str, str]) -> dict[str, Reported]:
    """What the claim or the report of each feature says, by id.

    Raises :class:`UserError` if the remote can't be read.
    """
    with temporary_folder() as folder:
        return run_sync(_reports_of(os.path.join(folder, "runs.git"), url, run, environ))


async def _reports_of(
    folder: str, url: str, run: str, environ: Mapping[str, str]
) -> dict[str, Reported]:
    channel = await open_channel(folder, url, environ)
    prefix = f"{RUNS}{run}/"
    there = await channel.look(f"{prefix}*")
    if there:
        await channel.fetch(f"+{prefix}*:{prefix}*")
    commits = list(there.values())
    claims = await channel.read_all(commits, CLAIM)
    reports = await channel.read_all(commits, REPORT)
    return {
        ref[len(prefix) :]: _reported(ref, claim, report)
        for ref, claim, report in zip(there, claims, reports)
    }


def _reported(ref: str, claim: bytes, content: bytes) -> Reported:
    report = readable(content, ref)
    if report is None:  # There is none yet, or another version of the program wrote it.
        return Reported("", machine=claim_in(claim).host)
    return Reported(
        *(report.status.value, report.reason, report.commit),
        cost_usd=dollars_of(report.document.get("total_cost_usd")),
    )
