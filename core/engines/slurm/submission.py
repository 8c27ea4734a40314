"""`Submission`: what was submitted to Slurm, in a file of the state folder.

The file is written before the first job is submitted and after the last one, so a killed
``submit`` leaves a submission that is not complete, and held jobs that are found by their names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from ...journal import private_files
from ...model.errors import unwritable
from ...model.frozen import dataclass, field
from ...reporter.documents import write_whole
from .jobs import Settings

FOLDER = os.path.join("engines", "slurm")
"""Below the state folder."""

LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Submission:
    """The features of one run on Slurm, and their jobs."""

    settings: Settings
    owner: str
    """The name of the list in the journal."""
    base: str
    branch_prefix: str
    submitted_at: str
    needs: Mapping[str, tuple[str, ...]]
    """The dependencies of each feature, among these features; in the order of the jobs."""
    lanes: tuple[tuple[str, ...], ...] = ()
    """Features that never run at the same time, to hold ``max_parallel``."""
    jobs: Mapping[str, str] = field(default_factory=dict)
    """The id of the last job of each feature."""
    cancelled: tuple[str, ...] = ()
    """Features whose jobs ``stop`` ended. Slurm forgets that after a while."""
    is_complete: bool = False
    """Whether all jobs were submitted and released."""

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.settings.run

    @property
    def seconds(self) -> float:
        """When it was submitted, since 1970: its id has local time, which can go back."""
        return datetime.fromisoformat(self.submitted_at).timestamp()


def folder_of(state_folder: str) -> str:
    """Where the submissions of a repository are recorded."""
    return os.path.join(state_folder, FOLDER)


def save(state_folder: str, submission: Submission) -> None:
    """Write a submission, whole. Raises :class:`StateError`."""
    folder = folder_of(state_folder)
    path = os.path.join(folder, f"{submission.run}.json")
    document = {
        **vars(submission),
        "settings": vars(submission.settings),
        "needs": dict(submission.needs),
        "jobs": dict(submission.jobs),
    }
    try:
        private_files.make_folder(folder, 3)
        write_whole(path, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise unwritable(path, error) from None


def forget(state_folder: str, submission: Submission) -> None:
    """Remove the record of a submission of which nothing is left."""
    with suppress(OSError):
        os.unlink(os.path.join(folder_of(state_folder), f"{submission.run}.json"))
        os.rmdir(submission.settings.folder)


def load(state_folder: str, run: str) -> Submission | None:
    """The submission of a run; ``None`` if the file is missing or damaged."""
    path = os.path.join(folder_of(state_folder), f"{run}.json")
    try:
        with open(path, "rb", opener=private_files.only_regular) as stream:
            return _submission(json.loads(stream.read(LARGEST_BYTES)))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def all_of(state_folder: str, owner: str) -> list[Submission]:
    """The submissions of a list, oldest first."""
    try:
        names = sorted(os.listdir(folder_of(state_folder)))
    except OSError:
        return []
    runs = [name[: -len(".json")] for name in names if name.endswith(".json")]
    found = [load(state_folder, run) for run in runs]
    ours = [each for each in found if each is not None and each.owner == owner]
    return sorted(ours, key=lambda each: each.seconds)


def _submission(value: object) -> Submission:
    if not isinstance(value, dict):
        raise ValueError
    settings = dict(value["settings"])
    datetime.fromisoformat(value["submitted_at"])  # A ValueError means damage.
    return Submission(
        Settings(**{**settings, **{key: tuple(settings[key]) for key in ("options", "variables")}}),
        owner=str(value["owner"]),
        base=str(value["base"]),
        branch_prefix=str(value["branch_prefix"]),
        submitted_at=str(value["submitted_at"]),
        needs={str(id): tuple(map(str, ids)) for id, ids in value["needs"].items()},
        lanes=tuple(tuple(map(str, lane)) for lane in value["lanes"]),
        jobs={str(id): str(job) for id, job in value["jobs"].items()},
        cancelled=tuple(map(str, value.get("cancelled", ()))),
        is_complete=bool(value["is_complete"]),
    )
