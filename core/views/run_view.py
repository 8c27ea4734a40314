"""`RunView`: everything that a picture, a page or a summary of one run shows. See :func:`run_view`.

It is a pure fold of the run's report and its events, so it can be made during a run as well.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..dag.feature_inputs import DEPENDENCY
from ..dag.resolver import DAGResolver, cycle
from ..git.patches import FileDiff
from ..model.attempt import Attempt, cost_of, usage_of
from ..model.control_action import ControlAction
from ..model.costs import Cost
from ..model.event_values import reply_of, reset_of, text_of
from ..model.events import Event
from ..model.feature import Feature
from ..model.frozen import dataclass, field, replace
from ..model.next_commands import completed
from ..model.next_steps import next_commands
from ..model.outcome import Status, Usage, Work
from ..model.phase import Phase, phase_begun_by
from ..model.provenance import Estimate
from ..model.state import FeatureState, Run
from ..model.translate import N_
from ..reporter.documents import RunReport


@dataclass(frozen=True)
class Span:
    """A part of a run's time, in seconds since 1970."""

    start: float
    end: float
    phase: Phase = Phase.NONE
    """What a feature did meanwhile; ``NONE`` for a wait of the whole run."""
    attempt: int = 0
    """The number of the attempt, for ``CLAUDE``."""

    @property
    def seconds(self) -> float:
        """Its duration."""
        return max(0.0, self.end - self.start)


@dataclass(frozen=True)
class CheckView:
    """One check of a feature's work, in the order in which they ran."""

    command: str
    passed: bool
    ending: str
    at: float
    lines: tuple[str, ...] = ()
    """The end of its output, if its log is there: masked and cleaned."""


@dataclass(frozen=True)
class OwnDiff:
    """What a feature changed since the commit that it started from: masked, but not cleaned."""

    files: tuple[FileDiff, ...] = ()
    """The first ones: see ``more``."""
    more: int = 0
    """How many files are left out."""


@dataclass(frozen=True)
class Extras:
    """What is beside the journal: outputs of checks, and diffs from git."""

    checks: Mapping[str, Sequence[tuple[str, ...]]]
    """By feature: the last lines of each of its checks."""
    diffs: Mapping[str, OwnDiff]
    """By feature."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By feature: its name in the list, masked. The journal knows none that never began."""


NO_EXTRAS = Extras({}, {})


@dataclass(frozen=True)
class FeatureView:
    """One feature in one run."""

    known: FeatureState
    """Its state at the end of the run."""
    run: str
    name: str
    """Its name, or its id."""
    depends_on: tuple[str, ...] = ()
    """All its dependencies, also those that are not part of the run."""
    spans: tuple[Span, ...] = ()
    """What it did, in order, from its preparation to its end."""
    checks: tuple[CheckView, ...] = ()
    notes: tuple[str, ...] = ()
    estimate: Estimate | None = None
    diff: OwnDiff | None = None
    """``None`` without a result, or if git no longer has it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The options of the run that further commands need to find the same list."""
    is_elsewhere: bool = False
    """Whether it ran on another machine."""
    is_critical: bool = False
    """Whether it is on the critical path: the chain of features that took longest."""

    @property
    def id(self) -> str:
        """The feature's id."""
        return self.known.id

    @property
    def status(self) -> Status:
        """The feature's status."""
        return self.known.status

    @property
    def is_failure(self) -> bool:
        """Whether it ended without a result."""
        return self.known.status.unsuccessful

    @property
    def work(self) -> Work | None:
        """Its result."""
        return self.known.work if self.known.status is Status.COMPLETED else None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Its attempts in this run."""
        return self.known.attempts_of(self.run)

    @property
    def cost(self) -> Cost:
        """What these attempts cost, and the conflicts that Claude resolved for it."""
        return cost_of(self.known.of_run(self.run))

    @property
    def usage(self) -> Usage:
        """The tokens of the same."""
        return usage_of(self.known.of_run(self.run))

    @property
    def in_slot(self) -> tuple[Span, ...]:
        """The spans in which it had a slot."""
        return tuple(span for span in self.spans if span.phase is not Phase.WORKTREE)

    @property
    def seconds(self) -> float:
        """How long it had a slot."""
        held = self.in_slot
        return held[-1].end - held[0].start if held else 0.0

    @property
    def next_commands(self) -> list[str]:
        """The commands to type about it, if it did not complete, with the list of the run."""
        made = next_commands(self.known) if self.is_failure and not self.is_elsewhere else []
        return [completed(command, self.options) for command in made]


@dataclass(frozen=True)
class RunView:
    """One run."""

    report: RunReport
    features: tuple[FeatureView, ...]
    now: float
    """When the picture was made, or when the run ended."""
    limits: tuple[Span, ...] = ()
    """Waits for usage limits."""
    pauses: tuple[Span, ...] = ()
    """Pauses by the user."""
    notes: tuple[str, ...] = ()
    """Notes that are about no feature."""
    critical_path: tuple[str, ...] = ()
    """The chain of features, each a dependency of the next, that took longest."""

    @property
    def run(self) -> Run:
        """The run in the state."""
        return self.report.run

    @property
    def id(self) -> str:
        """The run's id."""
        return self.report.run.id

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.report.run.ended_at is not None

    @property
    def seconds(self) -> float:
        """How long it took, or has taken."""
        return max(0.0, self.now - self.run.started_at)

    @property
    def failures(self) -> tuple[FeatureView, ...]:
        """The features that ended without a result."""
        return tuple(feature for feature in self.features if feature.is_failure)

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        """The commands to type after it, with the list of the run, and their purposes."""
        if not self.is_over:
            return []
        options = _options(self.run.provenance.command)
        steps = self.report.next_steps
        return [(completed(command, options), purpose) for command, purpose in steps]

    @property
    def concurrency(self) -> list[tuple[float, int]]:
        """How many features had a slot: a time of each change, and the number from then on."""
        changes: dict[float, int] = {}
        for feature in self.features:
            held = feature.in_slot
            for at, step in ((held[0].start, 1), (held[-1].end, -1)) if held else ():
                changes[at] = changes.get(at, 0) + step
        number, found = 0, []
        for at in sorted(changes):
            number += changes[at]
            found.append((at, number))
        return found


def run_view(
    report: RunReport, events: Iterable[Event], now: float, extras: Extras = NO_EXTRAS
) -> RunView:
    """The view of a run, from its report and all of its ``events`` in order.

    ``now`` ends what is still going on. ``extras`` come from git and from logs.
    """
    run = report.run
    end = now if run.ended_at is None else run.ended_at
    stories: dict[str, list[Event]] = {id: [] for id in run.features}
    whole: list[Event] = []
    for event in events:
        if event.run == run.id:
            stories.get(event.feature, whole).append(event)
    features = [feature_view(report, id, story, end, extras) for id, story in stories.items()]
    critical = _critical_path(features)
    return RunView(
        report,
        tuple(replace(each, is_critical=each.id in critical) for each in features),
        end,
        limits=_waits(whole, end, _is_limited),
        pauses=_waits(whole, end, _is_paused),
        notes=tuple(filter(None, map(_note, whole))),
        critical_path=critical,
    )


def feature_view(
    report: RunReport, id: str, story: Sequence[Event], end: float, extras: Extras
) -> FeatureView:
    """The view of one feature, from its own events; ``end`` ends what is still going on.

    Whether it is critical is not known from them.
    """
    run, known = report.run, report.state.feature(id)
    if known.run != run.id:
        # Not yet begun in this run: what it is, an earlier run told.
        known = FeatureState(id, name=known.name, skip=known.skip)
    provenance = run.provenance
    return FeatureView(
        known,
        run.id,
        known.name or extras.names.get(id, id),
        depends_on=_depends_on(known, provenance.depends_on),
        spans=tuple(_spans(story, end)),
        checks=_checks(story, extras.checks.get(id, ())),
        notes=tuple(text_of(event) for event in story if event.kind in ("note", "stray")),
        estimate=provenance.estimates.get(id),
        diff=extras.diffs.get(id),
        options=_options(provenance.command),
        is_elsewhere=report.is_elsewhere,
    )


def _options(command: str) -> dict[str, str]:
    """``--config`` of a command line, if it has one."""
    try:
        words = shlex.split(command)
    except ValueError:
        return {}  # A word in a form of bash's own, for unprintable characters.
    for word, after in zip(words, [*words[1:], ""]):
        name, equals, value = word.partition("=")
        if name == "--config":
            return {"config": value if equals else after}
    return {}


def _spans(story: Sequence[Event], end: float) -> list[Span]:
    spans: list[Span] = []
    phase, since, attempt = Phase.NONE, 0.0, 0
    for event in story:
        begun = phase_begun_by(event)
        if begun is None:
            continue
        if phase is not Phase.NONE:
            spans.append(Span(since, min(event.at, end), phase, attempt))
        phase, since = begun, event.at
        number = event.data.get("attempt")
        attempt = number if phase is Phase.CLAUDE and isinstance(number, int) else 0
    if phase is not Phase.NONE:
        spans.append(Span(since, end, phase, attempt))
    return spans


def _checks(story: Sequence[Event], outputs: Sequence[tuple[str, ...]]) -> tuple[CheckView, ...]:
    ran = [event for event in story if event.kind == "checked"]
    return tuple(
        CheckView(
            str(event.data.get("command", "")),
            event.data.get("passed") is True,
            str(event.data.get("ending", "")),
            event.at,
            outputs[number] if number < len(outputs) else (),
        )
        for number, event in enumerate(ran)
    )


def _note(event: Event) -> str:
    """What an event tells about the whole run; empty if nothing."""
    if event.kind == "reloaded":
        return N_("the list changed: {what}").format(what=text_of(event))
    return text_of(event) if event.kind == "note" else ""


def _is_limited(event: Event) -> bool | None:
    return bool(reset_of(event)) if event.kind == "paused" else None


def _is_paused(event: Event) -> bool | None:
    reply = reply_of(event) if event.kind == "steered" else None
    if reply is None or not reply.is_done:
        return None
    known = {ControlAction.PAUSE: True, ControlAction.RESUME: False}
    return known.get(reply.action) if reply.action is not None else None


def _waits(
    story: Sequence[Event], end: float, waits: Callable[[Event], bool | None]
) -> tuple[Span, ...]:
    """The waits of a run; ``waits`` tells whether an event begins or ends one."""
    found: list[Span] = []
    since: float | None = None
    for event in story:
        does = waits(event)
        if does is True and since is None:
            since = event.at
        elif does is False and since is not None:
            found.append(Span(since, event.at))
            since = None
    return tuple([*found, Span(since, end)] if since is not None else found)


def _depends_on(known: FeatureState, recorded: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The dependencies of a feature; runs of version 1.1.0 and older recorded only their keys."""
    if known.id in recorded:
        return recorded[known.id]
    names = (name for name in known.inputs if name.startswith(DEPENDENCY))
    return tuple(name[len(DEPENDENCY) :] for name in names)


def graph(features: Iterable[FeatureView]) -> DAGResolver:
    """The graph of the features of a run."""
    given = [Feature(each.id, each.name, depends_on=each.depends_on) for each in features]
    known = {each.id for each in given}
    if cycle({each.id: [d for d in each.depends_on if d in known] for each in given}):
        # Dependencies that were recorded at different times.
        given = [replace(each, depends_on=()) for each in given]
    return DAGResolver(given)


def _critical_path(features: Sequence[FeatureView]) -> tuple[str, ...]:
    seconds = {each.id: each.seconds for each in features}
    path = graph(features).critical_path(lambda feature: seconds[feature.id])
    return tuple(id for id in path if seconds[id] > 0)
