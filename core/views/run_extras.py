"""What is beside the journal of a run: the ends of the outputs of checks, and diffs from git."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ..git.diffs_at_once import diffs_at_once
from ..git.patches import FileDiff
from ..git.refs import SEEN
from ..model.errors import UserError
from ..model.events import Event
from ..model.frozen import replace
from ..model.mask import Mask
from ..model.outcome import Status
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..project.own_work import own_diff
from ..reporter.documents import RunReport
from .check_outputs import check_outputs
from .run_view import Extras, OwnDiff

LINES = 20
LINE_CHARACTERS = 300
"""What is shown of the output of a check."""

FILES = 100
"""The files of a diff."""

UNFINISHED = 10
"""How many features that did not complete have a diff: git is asked many questions for each."""

PATCH_BYTES = 48 * 1024
"""The limit for one of them."""


def extras_of(
    project: OpenProject, report: RunReport, events: Iterable[Event], *, is_latest: bool = True
) -> Extras:
    """The extras of a run. What can't be read is left out.

    Only after the latest run do branches and worktrees still hold the work of features that did
    not complete. The project's git must not need an event loop.
    """
    commands: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "checked" and event.feature and event.run == report.run.id:
            commands.setdefault(event.feature, []).append(str(event.data.get("command", "")))
    folder = os.path.join(project.journal.folder, "logs", report.run.id)
    return Extras(
        {
            id: _outputs(os.path.join(folder, f"{id}.verify.log"), ran, project.mask)
            for id, ran in commands.items()
        },
        {**_finished(project, report), **(_unfinished(project, report) if is_latest else {})},
        {id: project.mask(feature.name) for id, feature in project.dag.features.items()},
    )


def _outputs(log: str, commands: Sequence[str], mask: Mask) -> list[tuple[str, ...]]:
    found = check_outputs(log, commands, mask, LINES)
    return [tuple(line[:LINE_CHARACTERS] for line in lines) for lines in found]


def _finished(project: OpenProject, report: RunReport) -> dict[str, OwnDiff]:
    """The diffs of the results, each from the commit that its feature started from."""
    pairs = {
        known.id: (known.work_start, known.work.commit)
        for known in report.features
        if known.status is Status.COMPLETED and known.work and known.work_start
    }
    found = run_sync(diffs_at_once(project.git, list(pairs.values())))
    return {id: _bounded(files, project.mask) for id, files in zip(pairs, found)}


def _unfinished(project: OpenProject, report: RunReport) -> dict[str, OwnDiff]:
    """What the features that did not complete have changed so far."""
    found: dict[str, OwnDiff] = {}
    ids = [known.id for known in report.features if _left_work(known.status) and known.attempts]
    if not ids or report.run.ended_at is None:
        return found
    with suppress(UserError):
        project = replace(project, refs=run_sync(project.git.refs(*SEEN)))
        for id in ids[:UNFINISHED]:
            with suppress(UserError):
                work = own_diff(project, report.state, id, limit_bytes=PATCH_BYTES)
                diff = run_sync(work)
                if diff is not None:
                    found[id] = _bounded(diff.files, project.mask)
    return found


def _left_work(status: Status) -> bool:
    return status.unsuccessful and status is not Status.BLOCKED


def _bounded(files: Sequence[FileDiff], mask: Mask) -> OwnDiff:
    shown = tuple(
        replace(file, path=mask(file.path), old_path=mask(file.old_path), patch=mask(file.patch))
        for file in files[:FILES]
    )
    return OwnDiff(shown, len(files) - len(shown))
