"""Findings of a rehearsal: problems that the run would have. And the table of its times."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from ..dag.resolver import DAGResolver
from ..model.feature import Feature
from ..model.frozen import Enum, dataclass, replace
from ..model.json_values import Json
from ..model.terminal_text import clean, one_line
from ..model.translate import N_, _, shown
from ..model.words import decimal, duration
from ..reporter.style import Style, table_lines

BASE = N_("the base")
LANDING = N_("the merge")
"""The rows that belong to no feature. No id has a blank."""

PARTS = (
    *(N_("worktree"), N_("copy"), N_("setup"), N_("checks")),
    *(N_("commit"), N_("merge"), N_("cleanup")),
)

AFTERWARDS = ("merge", "cleanup")
"""The parts that no dependent waits for."""


class FindingKind(Enum):
    """What a finding is about."""

    NAMES = N_("names")
    """Branches and folders that are in the way."""
    FILES = N_("files")
    """Files to copy or link."""
    PERMISSIONS = N_("permissions")
    CLAUDE = "claude"
    PORTS = N_("ports")
    BASE = N_("base")
    """Checks that fail on the base branch."""
    SETUP = N_("setup")
    CHECKS = N_("checks")
    COMMIT = N_("commit")
    RUN = N_("run")
    MERGE = N_("merge")
    CLEANUP = N_("cleanup")


CAUSES = (FindingKind.BASE, FindingKind.SETUP, FindingKind.FILES)
"""The kinds of findings that cause others."""

OWN_ROWS = {FindingKind.BASE: BASE, FindingKind.MERGE: LANDING}
"""The row that goes without saying."""

Key = tuple[bool, FindingKind, str]
"""Of a finding: whether it is expected, its kind and its words."""


@dataclass(frozen=True)
class Finding:
    """A problem that the run would have, its features, and the next step."""

    kind: FindingKind
    what: str
    next: str = ""
    features: tuple[str, ...] = ()
    output: str = ""

    def document(self) -> dict[str, Json]:
        """For JSON."""
        return {
            "kind": self.kind.value,
            "what": self.what,
            "next": self.next,
            "features": list(self.features),
            "output": self.output,
        }


class Notebook:
    """Findings and times of one rehearsal. The same finding of several features is one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._findings: dict[Key, Finding] = {}
        self._expected: dict[Key, Finding] = {}
        self._features: dict[Key, dict[str, None]] = {}
        self._causes: set[str] = set()
        self.seconds: dict[str, dict[str, float]] = {}
        """By row and part."""

    def met(self, finding: Finding, *, expected: bool = False) -> None:
        """Note a finding. An ``expected`` one is a check that fails without Claude's work."""
        key = (expected, finding.kind, finding.what)
        self._features.setdefault(key, {}).update(dict.fromkeys(finding.features))
        if expected:
            self._expected.setdefault(key, replace(finding, next=""))
            return
        self._findings.setdefault(key, finding)
        if finding.kind in CAUSES:
            self._causes.add(finding.what)

    @property
    def findings(self) -> list[Finding]:
        """The findings, each with all of its features."""
        return self._with_features(self._findings)

    @property
    def expected(self) -> list[Finding]:
        """The checks that fail without Claude's work."""
        return self._with_features(self._expected)

    def _with_features(self, found: Mapping[Key, Finding]) -> list[Finding]:
        return [
            replace(finding, features=tuple(self._features[key])) for key, finding in found.items()
        ]

    def explains(self, cause: str) -> bool:
        """Whether the cause of a failure was met before: on the base, in a setup, in a copy."""
        return cause in self._causes

    @contextmanager
    def timed(self, row: str, part: str) -> Iterator[None]:
        """Measure the block, and add its time."""
        begun = self.clock()
        try:
            yield
        finally:
            parts = self.seconds.setdefault(row, {})
            parts[part] = parts.get(part, 0.0) + self.clock() - begun

    def sum(self, row: str, *, less: Collection[str] = ()) -> float:
        """The seconds of a row without some of its parts."""
        parts = self.seconds.get(row, {})
        return sum(seconds for part, seconds in parts.items() if part not in less)

    def critical_path(self, dag: DAGResolver) -> tuple[list[str], float]:
        """The rows of the longest chain of dependencies, and their seconds."""

        def work(feature: Feature) -> float:
            return self.sum(feature.id, less=AFTERWARDS)

        chain = [id for id in dag.critical_path(work) if id in self.seconds]
        rows = [row for row in (BASE, *chain, LANDING) if row in self.seconds]
        ends = {BASE: (), LANDING: ()}
        return rows, sum(self.sum(row, less=ends.get(row, AFTERWARDS)) for row in rows)

    def document(self, dag: DAGResolver) -> dict[str, Json]:
        """For JSON; times in seconds."""
        path, seconds = self.critical_path(dag)
        return {
            "findings": [finding.document() for finding in self.findings],
            "expected": [finding.document() for finding in self.expected],
            "seconds": {
                row: {part: round(parts.get(part, 0.0), 3) for part in PARTS}
                for row, parts in self.seconds.items()
            },
            "critical_path": path,
            "overhead_seconds": round(seconds, 3),
        }

    def lines(
        self, dag: DAGResolver, style: Style, *, is_whole: bool = True, quiet: bool = False
    ) -> Iterator[str]:
        """For a terminal. With ``quiet``, only the findings; not ``is_whole`` if it was stopped."""
        if not is_whole:
            yield style.paint(_("Stopped before everything was tried."), "yellow")
        if is_whole or self._findings:
            yield from self._met(style)
        if quiet:
            return
        if self._expected:
            yield ""
            yield _("Failing, as expected before Claude's work:")
            yield from (f"  {_heading(each)}" for each in self.expected)
        yield ""
        yield from self._times(dag, style)

    def _met(self, style: Style) -> Iterator[str]:
        if not self._findings:
            yield style.paint(_("No problems found."), "green")
            return
        yield style.paint(_("The run would have these problems:"), "bold")
        for finding in self.findings:
            yield style.paint(f"  {_heading(finding)}", "yellow")
            yield from (f"      {line}" for line in clean(finding.output).splitlines())
            if finding.next:
                yield _("    next: {next}").format(next=one_line(shown(finding.next)))

    def _times(self, dag: DAGResolver, style: Style) -> Iterator[str]:
        rows = [[_("OVERHEAD (time outside Claude)"), *map(_, PARTS), _("all")]]
        named = [row for row in (BASE, *dag.order(), LANDING) if row in self.seconds]
        for row in named:
            parts = self.seconds[row]
            cells = (_brief(parts[part]) if part in parts else "-" for part in PARTS)
            rows.append([_row(row), *cells, _brief(self.sum(row))])
        heading, *rest = table_lines(rows)
        yield style.paint(heading, "bold")
        yield from rest
        path, seconds = self.critical_path(dag)
        arrow = style.pick(" → ", " -> ")
        yield _("On the critical path, outside Claude: {time} ({path})").format(
            time=_brief(seconds), path=arrow.join(map(_row, path))
        )


def _brief(seconds: float) -> str:
    """``0.04s``: most of these times are short."""
    short = _("{seconds}s").format(seconds=decimal(f"{seconds:.2f}"))
    return short if seconds < 10 else duration(seconds)


def _row(row: str) -> str:
    """A row as it is shown: an id stays as it is."""
    return _(row) if row in (BASE, LANDING) else row


def _heading(finding: Finding) -> str:
    """Its kind, features and words in one line."""
    rows = [_row(row) for row in finding.features if row != OWN_ROWS.get(finding.kind)]
    text = _("{kind} ({rows}): {what}") if rows else _("{kind}: {what}")
    kind, what = _(finding.kind.value), shown(finding.what)
    return one_line(text.format(kind=kind, rows=", ".join(rows), what=what))


def of_details(
    kind: FindingKind, message: str, details: Iterable[str], hint: str
) -> Iterator[Finding]:
    """One finding for each fault of an error."""
    for fault in tuple(details) or (message,):
        yield Finding(kind, fault, hint)
