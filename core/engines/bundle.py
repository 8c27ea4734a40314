"""`push --bundle`: checks and pushes the bundle of a machine that may not push.

The agent worked on that machine, so the bundle may be anything. It is only read by git, into a
repository of ours, and only the branch and the report of one feature leave it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..git.channel import KNOWN, Channel, open_channel
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.frozen import dataclass, replace
from ..model.translate import N_
from .earlier import is_of_a_run
from .feature_report import REPORT, RUNS, FeatureReport, report_in, report_ref
from .sending import send


@dataclass(frozen=True)
class PushedBundle:
    """What became of a bundle; ``said`` is why it was not pushed."""

    report: FeatureReport
    is_done: bool
    said: str = ""


async def push_bundle(
    folder: str, path: str, url: str, *, feature: str = "", run_id: str = "", branch: str = ""
) -> PushedBundle:
    """Push the feature in a bundle; ``feature``, ``run_id`` and ``branch`` must match if given.

    ``folder`` is a new one. Raises :class:`UserError` if the bundle holds anything else.
    """
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise UserError(
            N_("there is no bundle {path}").format(path=path),
            hint=N_("name the file that run --bundle wrote"),
        )
    channel = await open_channel(os.path.join(folder, "channel.git"), url, os.environ)
    refs = await channel.refs_in(path)
    ref = _report_ref(refs, path)
    before = await channel.look(ref)
    await channel.fetch(f"+{HEADS}*:{KNOWN}*")
    await channel.fetch(*(f"+{each}:{each}" for each in before))
    await channel.unpack(path, {name: f"refs/bundle/{name}" for name in refs})
    report = report_in(await channel.read(refs[ref], REPORT), path)
    fault = await _fault(channel, report, refs, feature, run_id)
    moved = [channel.moved_by(each) for each in refs if each in channel.aliases]
    fault = fault or "".join(moved[:1])
    if branch not in ("", report.branch):
        fault = N_("its branch is {branch}").format(branch=report.branch)
    if fault:
        raise _refused(path, fault)
    there = (await channel.look(ref)).get(ref, "")
    if there == refs[ref] and await _has_work(channel, report):
        return PushedBundle(report, True)
    claim = await channel.git.commit_of(f"{refs[ref]}^")
    lease = there if there and there in (claim, refs[ref]) else report.report_lease
    branch = HEADS + report.branch
    if report.commit and not (await channel.look(branch)).get(branch):
        report = replace(report, branch_lease="")  # It was deleted: nothing can be overwritten.
    sent = await send(channel, report, refs[ref], lease)
    return PushedBundle(report, sent.is_done, sent.said)


async def _has_work(channel: Channel, report: FeatureReport) -> bool:
    """Whether a branch of the remote has the work; a forge deletes a branch that landed."""
    if not report.commit:
        return True
    return bool(await channel.git.refs_with(report.commit, KNOWN))


def _report_ref(refs: Mapping[str, str], path: str) -> str:
    """The ref of the report. Raises :class:`UserError` if the bundle has other refs as well."""
    reports = [ref for ref in refs if ref.startswith(RUNS)]
    others = [ref for ref in refs if not ref.startswith(RUNS)]
    if len(reports) != 1 or len(others) > 1 or not all(r.startswith(HEADS) for r in others):
        raise _refused(path, N_("it holds refs other than one branch and one report"))
    return reports[0]


async def _fault(
    channel: Channel, report: FeatureReport, refs: Mapping[str, str], feature: str, run_id: str
) -> str:
    """What is wrong with a bundle; empty if nothing is."""
    branch = HEADS + report.branch
    if report_ref(report.run_id, report.feature) not in refs:
        return N_("its report and its ref name different features")
    if feature not in ("", report.feature) or run_id not in ("", report.run_id):
        return N_("it holds {id} of run {run}").format(id=report.feature, run=report.run_id)
    if set(refs) - {report_ref(report.run_id, report.feature), branch}:
        return N_("its branch is not the one in its report")
    if refs.get(branch, report.commit) != report.commit:
        return N_("its branch is not at the commit in its report")
    if not report.commit:
        return ""
    if not report.branch.endswith(report.feature) or report.branch == channel.head:
        return N_("{branch} is not a branch of feature {id}").format(
            branch=report.branch, id=report.feature
        )
    if not await channel.git.commit_of(report.commit):
        return N_("its commit {commit} is missing").format(commit=report.commit[:12])
    tip = (await channel.look(branch)).get(branch, "")
    base = report.base_commit
    is_known = bool(await channel.git.commit_of(base))
    if tip not in ("", report.commit) and not (
        is_known and await is_of_a_run(channel, channel.git, tip, base, report.feature)
    ):
        return N_("the remote has a branch {branch} that no run made").format(branch=report.branch)
    return ""


def _refused(path: str, fault: str) -> UserError:
    return UserError(
        N_("{path} is not pushed: {fault}").format(path=path, fault=fault),
        hint=N_("only push what run --bundle wrote for this feature"),
    )
