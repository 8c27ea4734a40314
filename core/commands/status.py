"""``status``: what is known of each feature, from a new process, at any time."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from itertools import islice

from ..git import history, merging, worktree_status
from ..git.door import Unknown
from ..git.refs import HEADS
from ..journal.lock import Holder
from ..model.errors import ExitCode, UserError
from ..model.excerpt import listed, some
from ..model.feature import Feature
from ..model.outcome import Status
from ..model.state import FeatureState, RunState, cost_of
from ..model.terminal_text import clean, one_line
from ..model.words import counted, duration, money
from ..orchestrator.conflict_probe import SHOWN
from ..process.spawner import run_sync
from ..project.claude_program import told_version
from ..project.decisions import answer_file
from ..project.landed import held_now, merged_how
from ..project.open import OpenProject
from ..project.strays import stray_lines, strays_of
from ..reporter.console import style_of
from ..reporter.documents import check_document, cost_document, local_time
from ..reporter.run_text import spent
from ..reporter.style import Style, table_lines
from ..worktree import admin_files, keeping
from .options import NO_LIST, add_common_options, opened_or_recorded

EXAMPLES = """\
examples:
  rorchestrator status
  watch -n 5 rorchestrator status
  rorchestrator status --json | python3 -m json.tool
"""


Json = object


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    parser.description = "Show the state of each feature, also while a run is in progress."
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--all-lists",
        action="store_true",
        help="include the features of the repository's other lists",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show the state of everything."""
    place, fault = opened_or_recorded(arguments)
    whole = place.whole_state()
    owners = place.owners(whole)
    made = (known for known in whole.features.values() if known.worktree or known.branch)
    others = [known for known in made if known.owner not in owners]
    answers = answer_file(place, whole) if whole.features else None
    document = run_sync(_document(place, whole.of(owners), others, shown=arguments.all_lists))
    if answers is not None:
        answers.write(place.git.answers)
    strays = strays_of(place, whole)
    document["list_fault"] = fault or None
    document["strays"] = [{"feature": id or None, **vars(stray)} for id, stray in strays]
    if arguments.json:
        print(json.dumps(document, indent=2))
    else:
        if fault:
            print(one_line(NO_LIST.format(fault=fault)), file=sys.stderr)
        style = style_of(sys.stdout, arguments.color)
        lines = [one_line(line) for line in stray_lines(strays, place.git)]
        print("\n".join([*_lines(document, style, arguments), *([""] if lines else []), *lines]))
    return ExitCode.UP_TO_DATE


async def _document(
    place: OpenProject, state: RunState, others: Sequence[FeatureState], *, shown: bool
) -> dict[str, Json]:
    project = place.config.project
    holder = place.lock.holder()
    listed = place.dag.features
    gone = [id for id, known in state.features.items() if id not in listed and known.worktree]
    features = [
        await _feature(place, state, state.feature(id), holder is not None, listed.get(id))
        for id in [*listed, *gone]
    ]
    if shown:
        whole = RunState({known.id: known for known in others})
        features += [await _feature(place, whole, each, holder is not None) for each in others]
    run = state.run
    return {
        "project_name": project.name,
        "repository": place.git.repository.top,
        "base_branch": project.base_branch,
        "base_commit": place.base_commit,
        "config": place.config.path,
        "list": place.owner,
        "other_lists": sorted({known.owner for known in others}),
        "claude": told_version(place.config.claude),
        "running": vars(holder) if holder is not None else None,
        "paused": _is_paused(state, holder),
        "last_run": None
        if run is None
        else {
            "run": run.id,
            "list": run.owner or None,
            "started_at": local_time(run.started_at),
            "finished_at": local_time(run.ended_at),
            "exit_code": run.exit_code,
            "paused_until": run.paused_until or None,
        },
        "features": features,
    }


def _is_paused(state: RunState, holder: Holder | None) -> bool:
    run = state.run
    return holder is not None and run is not None and run.pid == holder.pid and run.is_paused


async def _feature(
    place: OpenProject,
    state: RunState,
    known: FeatureState,
    running: bool,
    listed: Feature | None = None,
) -> dict[str, Json]:
    status = known.status.value
    if known.status.active and not running:
        status = "interrupted"
    ended_at = known.ended_at
    until = time.time() if known.status.active and running else ended_at
    seconds = None
    if known.started_at is not None and until is not None:
        seconds = round(max(0.0, until - known.started_at), 3)
    return {
        "id": known.id,
        "name": listed.name if listed else known.name,
        "in_list": listed is not None,
        "list": known.owner or None,
        "status": status,
        "active": known.status.active and running,
        "reason": known.reason,
        **cost_document(known.cost),
        "resolution_cost_usd": cost_of(known.resolutions).usd,
        "duration_seconds": seconds,
        "started_at": local_time(known.started_at),
        "finished_at": local_time(ended_at),
        "attempts": len(known.attempts),
        "session_id": known.session_id or None,
        "fault": known.fault.value if known.status.unsuccessful else None,
        "set_up": known.is_ready,
        "last_check": check_document(known.last_check),
        **await _in_git(place, state, known),
    }


async def _in_git(place: OpenProject, state: RunState, known: FeatureState) -> dict[str, Json]:
    """What git tells of a feature; a fault in it is this feature's alone."""
    # The journal knows where it was made, whatever the list says of prefix and folder by now.
    branch = known.branch or place.worktrees.branch(known.id)
    tip = place.refs.get(HEADS + branch, "")
    facts: dict[str, Json] = {
        "branch": branch if tip else None,
        "commit": tip or None,
        "ahead": 0,
        "merged": None,
        "unknown": None,
        "by_hand": None,
        "worktree": None,
        "uncommitted": [],
        "maybe_changed": [],
        "clashes": [],
        "problem": None,
    }
    try:
        if tip:
            facts["ahead"] = await history.count_commits(place.git, tip, place.base_commit)
        if known.worktree:
            await _look_into_worktree(place, known, facts)
        facts["merged"] = await _merged(place, known)
        if not facts["merged"]:
            facts["by_hand"] = await _by_hand(place, known)
            facts["clashes"] = await _clashes(place, state, known, tip)
    except Unknown as error:
        facts["unknown"] = error.message
    except UserError as error:
        facts["problem"] = error.message
    return facts


async def _look_into_worktree(
    place: OpenProject, known: FeatureState, facts: dict[str, Json]
) -> None:
    worktrees = place.worktrees.as_made(known.id, known.worktree, known.branch)
    entry = await worktrees.entry(known.id)
    if entry is None:
        return
    if not os.path.isdir(entry.path):
        raise UserError(f"the worktree {entry.path} is gone: moved or deleted by hand")
    facts["worktree"] = entry.path
    admin_files.check_linked(worktrees, entry.path)
    keeping.check_pipes(worktrees, entry.path)
    found = await worktree_status.status_of(place.git, entry.path)
    status = await keeping.only_work(worktrees, entry.path, found, known.start_commit, known.left)
    facts["uncommitted"] = list(status.uncommitted)
    facts["maybe_changed"] = [{"file": f, "filter": name} for f, name in status.uncertain]


async def _merged(place: OpenProject, known: FeatureState) -> str | None:
    if known.status is not Status.COMPLETED or known.work is None:
        return None
    return (
        await merged_how(place, known, place.base_commit, place.config.project.base_branch) or None
    )


async def _by_hand(place: OpenProject, known: FeatureState) -> str | None:
    """What the user did with a completed feature's branch since its run."""
    if known.status is not Status.COMPLETED or known.work is None:
        return None
    held = await held_now(place, known, place.base_commit)
    return "; ".join(filter(None, (held.words, held.hint))) or None


async def _clashes(
    place: OpenProject, state: RunState, known: FeatureState, tip: str
) -> list[dict[str, Json]]:
    """The features that a run saw it will not merge with, as far as that is still so."""
    clashes: list[dict[str, Json]] = []
    for other, files in islice(known.clashes.items(), SHOWN):
        try:
            now = await _clash(place, state.feature(other), tip, files)
        except Unknown as error:
            clashes.append({"with": other, "files": listed(files), "unknown": error.message})
        else:
            clashes += [{"with": other, "files": listed(now)}] if now else []
    return clashes


async def _clash(
    place: OpenProject, against: FeatureState, tip: str, files: Sequence[str]
) -> list[str]:
    """The files in which a branch still clashes with a feature; none where they merge."""
    landed = await _merged(place, against)
    theirs = place.base_commit if landed else place.refs.get(HEADS + against.branch, "")
    if not (tip and theirs):
        return []
    tree, now = await merging.merged_tree(place.git, theirs, tip)
    return [] if tree else now or list(files)


def _lines(document: dict[str, Json], style: Style, arguments: argparse.Namespace) -> list[str]:
    lines = [] if arguments.quiet else _heading(document, style)
    features = document["features"]
    assert isinstance(features, list)
    rows = [["FEATURE", "STATUS", "COST", "TIME", "AHEAD", "MERGED", "BRANCH", "WORKTREE"]]
    rows += [_row(feature, style, str(document["list"])) for feature in features]
    heading, *rest = table_lines(rows)
    lines += [style.paint(heading, "bold"), *rest]
    for feature in features:
        lines += _details(feature, style, verbose=arguments.verbose)
    return lines


def _heading(document: dict[str, Json], style: Style) -> list[str]:
    running = document["running"]
    at_work = "no run in progress"
    if isinstance(running, dict):
        at_work = (
            f"{running['command']} in progress: pid {running['pid']}, since {running['started_at']}"
        )
        last = document["last_run"]
        if isinstance(last, dict) and last["list"] not in (None, document["list"]):
            at_work += f", of {last['list']}"
        if isinstance(last, dict) and last["paused_until"] and not last["finished_at"]:
            at_work += f", waiting for a usage limit until {last['paused_until']}"
    if document["paused"]:
        at_work += "; paused: rorchestrator resume lets it go on"
    base = f"{document['base_branch']} ({str(document['base_commit'])[:10]})"
    claude = document["claude"] or "not found: install it, or set claude.command in the list"
    return [
        style.paint(one_line(f"{document['project_name']}"), "bold"),
        one_line(f"Repository: {document['repository']}, base {base}"),
        one_line(f"Claude: {claude}"),
        one_line(f"Run: {at_work}"),
        *_other_lists(document),
        "",
    ]


def _other_lists(document: dict[str, Json]) -> list[str]:
    others = document["other_lists"]
    assert isinstance(others, list)
    if not others:
        return []
    return [one_line(f"Other lists: {', '.join(others)} (--all-lists shows their features)")]


def _row(feature: dict[str, Json], style: Style, own: str) -> list[str]:
    seconds, files = feature["duration_seconds"], feature["uncommitted"]
    maybe = feature["maybe_changed"]
    assert isinstance(files, list) and isinstance(maybe, list)
    not_there = "unknown" if feature["unknown"] or feature["problem"] else "no"
    merged = feature["merged"] or (not_there if feature["status"] == "completed" else "-")
    other = feature["list"] if not feature["in_list"] else None
    row = [
        f"{feature['id']} ({other})" if other not in (None, own) else feature["id"],
        str(feature["status"]).replace("_", " "),
        _cost(feature, style) + _resolving(feature),
        duration(seconds) if isinstance(seconds, float) else "-",
        feature["ahead"],
        merged,
        feature["branch"] or "-",
        _nearer(str(feature["worktree"] or "-"))
        + (f" ({counted(len(files), 'uncommitted file')})" if files else "")
        + (f" ({counted(len(maybe), 'file')} maybe changed ({_filters(maybe)}))" if maybe else "")
        + (" (problem: see below)" if feature["problem"] else ""),
    ]
    return [one_line(str(cell)) for cell in row]


def _filters(maybe: list[dict[str, str]]) -> str:
    names = dict.fromkeys(each["filter"] for each in maybe)
    return ", ".join(f"filter {name}" for name in names)


def _cost(feature: dict[str, Json], style: Style) -> str:
    usd, about_usd = feature["cost_usd"], feature.get("cost_about_usd")
    if not (feature["attempts"] or usd):
        return "-"
    if feature["active"] and usd is None:
        return "-"  # The cost of an attempt is known once it ends.
    assert isinstance(usd, (float, type(None))) and isinstance(about_usd, (float, type(None)))
    if usd is None and about_usd is None:
        return "unknown"
    complete = bool(feature["cost_is_complete"] or feature["active"])
    return spent(usd, about_usd, style, complete=complete)


def _resolving(feature: dict[str, Json]) -> str:
    """What Claude's resolutions of its conflicts cost on top."""
    cost = feature["resolution_cost_usd"]
    return f" + {money(cost)}" if isinstance(cost, float) and cost else ""


def _nearer(path: str) -> str:
    """The path from here, where that is shorter."""
    near = os.path.relpath(path) if os.path.isabs(path) else path
    return min(path, near, key=len)


def _clash_words(clash: dict[str, Json]) -> str:
    files = clash["files"]
    assert isinstance(files, list)
    if "unknown" in clash:
        return f"may not merge with {clash['with']}: {some(files)} ({clash['unknown']})"
    return f"will not merge with {clash['with']}: {some(files)}"


def _details(feature: dict[str, Json], style: Style, *, verbose: bool) -> list[str]:
    lines = []
    clashes = feature["clashes"]
    assert isinstance(clashes, list)
    will_not = [_clash_words(clash) for clash in clashes]
    unknown = feature["unknown"] and f"merged: {feature['unknown']}"
    told = (feature["reason"], feature["by_hand"], feature["problem"], unknown, *will_not)
    for why in filter(None, told):
        said = clean(str(why)).splitlines() or [""]  # it may have been control characters only
        lines += ["", f"{feature['id']}: {said[0]}", *(f"    {line}" for line in said[1:])]
    if verbose and feature["session_id"]:
        lines.append(f"    {feature['id']}: session {one_line(str(feature['session_id']))}")
    check = feature["last_check"]
    if verbose and isinstance(check, dict):
        ending = one_line(f"{check['command']}: {check['ending']}")
        lines.append(f"    {feature['id']}: last check {ending}")
    return lines
