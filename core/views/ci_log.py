"""The end of a run in the log of a CI job: folded output of failing checks, and annotations."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

from ..model.ci_commands import CiCommand, annotation, group
from ..model.ci_systems import Ci
from ..model.excerpt import excerpt, some
from ..model.frozen import dataclass
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import counted
from ..reporter.documents import RunReport
from .junit import kind_of
from .run_view import FeatureView, RunView
from .view import View

MOST = 10
"""GitHub shows no more annotations of one kind for a step."""

GROUPS = 20
MESSAGE_LINES = 20
MESSAGE_CHARACTERS = 3_000


@dataclass(frozen=True)
class Place:
    """Where a file tells about a feature, relative to the repository."""

    file: str
    line: int = 0


class CiLog(View):
    """Prints what only a CI system understands; ``say`` prints lines as they are."""

    is_optional = True

    def __init__(
        self,
        ci: Ci,
        view: Callable[[RunReport], RunView],
        place: Callable[[str], Place],
        say: Callable[[str], object],
    ) -> None:
        self._ci = ci
        self._view = view
        self._place = place
        self._say = say

    def at_end(self, report: RunReport) -> None:
        """Print groups and annotations."""
        view = self._view(report)
        for text in [*groups(view, self._ci), *problems(view, self._ci, self._place)]:
            self._say(text)


def groups(view: RunView, ci: Ci) -> Iterator[str]:
    """The output of the checks of features that did not complete, folded."""
    failed = [each for each in view.failures if any(check.lines for check in each.checks)]
    for number, feature in enumerate(failed[:GROUPS], 1):
        lines: list[str] = []
        for check in feature.checks:
            lines += [f"$ {one_line(check.command)}", *check.lines, one_line(shown(check.ending))]
        title = _("{id}: checks").format(id=feature.id)
        yield from group(ci, title, "\n".join(lines) + "\n", f"checks_{number}", view.now)


def problems(view: RunView, ci: Ci, place: Callable[[str], Place]) -> Iterator[CiCommand]:
    """An error for each feature that failed, a warning for those that were kept from running."""
    if ci is not Ci.GITHUB:
        return
    kinds = {each.id: kind_of(each) for each in view.features}
    failed = [each for each in view.features if kinds[each.id] in ("failure", "error")]
    listed = failed if len(failed) <= MOST else failed[: MOST - 1]
    for feature in listed:
        where = place(feature.id)
        title = f"{feature.id}: {_(feature.status.words)}"
        yield annotation("error", _message(feature), title=title, file=where.file, line=where.line)
    rest = [each.id for each in failed[len(listed) :]]
    kept = [each.id for each in view.features if kinds[each.id] == "skipped"]
    for kind, ids, what in (
        (
            "error",
            rest,
            _("{features} did not complete").format(features=counted(len(rest), "more feature")),
        ),
        (
            "warning",
            kept,
            _("{features} did not run").format(features=counted(len(kept), "feature")),
        ),
    ):
        if ids:
            where = place(ids[0])
            yield annotation(kind, shown(some(ids)), title=what, file=where.file, line=where.line)


def _message(feature: FeatureView) -> str:
    reason = shown(feature.known.reason or feature.status.words)
    text = excerpt(reason, lines=MESSAGE_LINES, characters=MESSAGE_CHARACTERS)
    return "\n".join(
        [text, *(_("next: {command}").format(command=command) for command in feature.next_commands)]
    )


class Places:
    """Where the feature list ``path`` tells about each feature; it is called ``name``."""

    def __init__(self, path: str, name: str) -> None:
        self._name = "" if os.path.isabs(name) else name
        self._lines: dict[str, int] = {}
        if self._name:
            with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    for id in re.findall(r'"id"\s*:\s*"([^"\\]+)"', line):
                        self._lines.setdefault(id, number)

    def __call__(self, id: str) -> Place:
        """The place of a feature; no file if the list is not in the repository."""
        return Place(self._name, self._lines.get(id, 0))
