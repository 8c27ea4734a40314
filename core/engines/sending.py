"""Pushes a report, the branch of its feature, and commits that the push replaces there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..git.channel import Channel, Update
from ..git.ref_conflicts import around, in_the_way, prevented_there
from ..git.refs import HEADS, KEPT
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import N_
from .feature_report import CLAIM, FeatureReport, claim_in, report_ref

WORKFLOWS = "workflow"
"""What GitHub says of a push by a token that may not change workflows."""

CHECKED_OUT = "(branch is currently checked out)"
"""What git says of a push to a branch of a repository with a working tree."""

ONLY_FORWARD = "(non-fast-forward)"
"""What a server says of a push that replaces commits, with ``receive.denyNonFastForwards``."""


@dataclass(frozen=True)
class Sending:
    """How a push ended; ``said`` is why nothing was pushed."""

    is_done: bool
    said: str = ""
    is_late: bool = False
    """Whether a newer attempt has begun, so that this one can't be pushed any more."""


async def send(channel: Channel, report: FeatureReport, commit: str, lease: str) -> Sending:
    """Push all of it or nothing; ``lease`` is where the ref of the report must be.

    The report comes first: where a remote can't push several refs at once, an attempt that is not
    the newest is refused before it touches the branch. A report without its branch proves nothing.
    """
    ref = report_ref(report.run_id, report.feature)
    updates = [Update(ref, commit, lease)]
    if report.commit:
        updates.append(Update(HEADS + report.branch, report.commit, report.branch_lease))
        before = report.branch_lease
        if before and not await channel.git.is_ancestor(before, report.commit):
            name = f"{KEPT}{report.feature}/{report.run_id}.{report.attempt}"
            updates.append(Update(name, before, ""))
    sent = await channel.push(updates)
    return Sending(True) if sent.is_done else await _refused(channel, report, updates, sent.said)


async def _refused(
    channel: Channel, report: FeatureReport, updates: Sequence[Update], said: str
) -> Sending:
    """Why a push was refused, in our words if another attempt or a ref is in the way."""
    ref, commit = updates[0].ref, updates[0].commit
    try:
        names = {name for each in updates for name in (each.ref, *around(each.ref))}
        known = await channel.look(*sorted(names))
    except UserError:  # It is gone, which git said already.
        return Sending(False, said)
    there = known.get(ref, "")
    said = _prevented(updates, known) or _moved(report, known) or said
    if there and not await channel.git.commit_of(there):
        await channel.fetch(f"+{ref}:refs/newer")
    number = claim_in(await channel.read(there, CLAIM)).attempt if there else 0
    is_ours = there and await channel.git.is_ancestor(there, commit)
    if there and not is_ours and number >= report.attempt:
        text = N_("attempt {number} has started on another machine and replaces this one")
        return Sending(False, text.format(number=number), is_late=True)
    if WORKFLOWS in said and "refus" in said:
        more = N_("the feature changed .github/workflows, which this token may not push")
        said = f"{more}\n{said}"
    if CHECKED_OUT in said:
        more = N_("{branch} is checked out there: switch that checkout to another branch")
        said = f"{more.format(branch=report.branch)}\n{said}"
    if ONLY_FORWARD in said:
        more = N_("the remote takes no push that replaces commits; first delete {branch} there")
        said = f"{more.format(branch=report.branch)}\n{said}"
    return Sending(False, said)


def _moved(report: FeatureReport, known: Mapping[str, str]) -> str:
    """That somebody changed the branch meanwhile; empty if nobody did."""
    tip = known.get(HEADS + report.branch, "") if report.commit else ""
    if tip in ("", report.branch_lease, report.commit):
        return ""
    text = N_(
        "{branch} moved on the remote to {commit} since this attempt began; rename or delete it "
        "there, then push again"
    )
    return text.format(branch=report.branch, commit=tip[:10])


def _prevented(updates: Iterable[Update], known: Iterable[str]) -> str:
    """Which ref of the remote prevents one of those to push; empty without one."""
    found = ((each.ref, in_the_way(each.ref, known)) for each in updates)
    return next((prevented_there(ref, other) for ref, other in found if other), "")
