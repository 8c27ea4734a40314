"""What is beside the journal of a run: the ends of the outputs of checks, and diffs from git."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ..git.diffs_at_once import diffs_at_once
from ..git.patches import FileDiff
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.events import Event
from ..model.frozen import replace
from ..model.mask import Mask
from ..model.outcome import Status
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..reporter.documents import RunReport
from .check_outputs import outputs_by_feature
from .run_view import Extras, OwnDiff

LINES = 20
LINE_CHARACTERS = 300
"""What is shown of the output of a check."""

FILES = 100
"""The files of a diff."""


def extras_of(
    project: OpenProject, report: RunReport, events: Iterable[Event], *, is_latest: bool = True
) -> Extras:
    """The extras of a run. What can't be read is left out.

    Only after the latest run do branches still hold the work of features that did not complete.
    The project's git must not need an event loop.
    """
    folder = os.path.join(project.journal.folder, "logs", report.run.id)
    of_run = (event for event in events if event.run == report.run.id)
    outputs = outputs_by_feature(folder, of_run, project.mask, LINES)
    return Extras(
        {id: [_short(lines) for lines in found] for id, found in outputs.items()},
        _diffs(project, report, is_latest=is_latest),
        {id: project.mask(feature.name) for id, feature in project.dag.features.items()},
    )


def _short(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line[:LINE_CHARACTERS] for line in lines)


def _diffs(project: OpenProject, report: RunReport, *, is_latest: bool) -> dict[str, OwnDiff]:
    """The diffs of the results, each from the commit that its feature started from.

    Of a feature that did not complete, it is what its branch holds. Its worktree is not looked at:
    an agent that failed may have planted there what git would execute.
    """
    refs = _refs(project) if is_latest else {}
    pairs = {}
    for known in report.features:
        end = refs.get(HEADS + known.branch, "") if known.branch else ""
        if known.status is Status.COMPLETED:
            end = known.work.commit if known.work else ""
        if known.run == report.run.id and known.attempts and known.work_start and end:
            pairs[known.id] = (known.work_start, end)
    found = run_sync(diffs_at_once(project.git, list(pairs.values())))
    return {id: _bounded(files, project.mask) for id, files in zip(pairs, found)}


def _refs(project: OpenProject) -> Mapping[str, str]:
    with suppress(UserError):
        return run_sync(project.git.refs(HEADS))
    return {}


def _bounded(files: Sequence[FileDiff], mask: Mask) -> OwnDiff:
    shown = tuple(
        replace(file, path=mask(file.path), old_path=mask(file.old_path), patch=mask(file.patch))
        for file in files[:FILES]
    )
    return OwnDiff(shown, len(files) - len(shown))
