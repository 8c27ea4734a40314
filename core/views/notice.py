"""`Notice`: what a notification says. `Notices`: makes them of a run's events and its report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

from ..model.attempt import cost_of
from ..model.event_values import reset_of
from ..model.events import Event, timestamp
from ..model.excerpt import excerpt
from ..model.feature import NEEDS_YOU, Occasion
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.next_steps import REVIEW, lands_all, next_commands, was_held_by_backlog
from ..model.outcome import Fault, Status
from ..model.state import FeatureState, Run, RunState
from ..model.terminal_text import clean, one_line
from ..model.translate import _, shown
from ..model.words import counted, decimal, duration, headed, money, waits_for_review
from ..reporter.documents import RunReport

VERSION = 1
"""The version of the JSON form."""

FAILED = (Status.FAILED, Status.TIMED_OUT, Status.EMPTY, Status.CONFLICT)
"""How a feature ends that failed by itself; others were blocked, stopped or skipped."""

PROBLEMS_SHOWN = 10

LINE_CHARACTERS = 400
"""Of a reason; the logs have all of it."""


@dataclass(frozen=True)
class Notice:
    """What happened, for people and for programs."""

    id: str
    """The same for each try to send it."""
    occasions: tuple[Occasion, ...]
    """The most important one first."""
    at: float
    title: str
    lines: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """What to type next."""
    project: str = ""
    run: str = ""
    feature: str = ""
    completed: int = 0
    total: int = 0
    cost_usd: float | None = None
    is_test: bool = False

    @property
    def needs_you(self) -> bool:
        """Whether somebody has to do something."""
        return not self.is_test and any(one in NEEDS_YOU for one in self.occasions)

    def to_json(self) -> dict[str, Json]:
        """What webhooks and commands get; see `docs/NOTIFICATIONS.md`."""
        return {
            "version": VERSION,
            "id": self.id,
            "event": "test" if self.is_test else self.occasions[0].value,
            "occasions": [] if self.is_test else [each.value for each in self.occasions],
            "needs_you": self.needs_you,
            "at": timestamp(self.at),
            "title": self.title,
            "text": "\n".join(self.lines),
            "next": list(self.commands),
            "project": self.project,
            "host": os.uname().nodename,
            "run": self.run or None,
            "feature": self.feature or None,
            "completed": self.completed,
            "total": self.total,
            "cost_usd": self.cost_usd,
        }


class Notices:
    """The notices of one run. ``mask`` removes secrets from their texts."""

    def __init__(self, project: str, mask: Callable[[str], str]) -> None:
        self._project = project
        self._mask = mask
        self._made = 0
        self._waits_for_limit = False
        self._is_paused = False
        self._waits_for_review = False
        self._is_over_budget = False

    def of(self, state: RunState, event: Event) -> Iterator[Notice]:
        """The notices of an event; ``state`` is the state after it."""
        run = state.run
        if run is None:
            return
        if event.kind == "run_started":
            base = _("base {base_branch} @ {base_commit}").format(
                base_branch=run.base_branch, base_commit=run.base_commit[:7]
            )
            what = f"{counted(len(run.features), 'feature')}, {counted(run.max_parallel, 'slot')}"
            yield self._notice(
                state, run, [Occasion.STARTED], _("run started"), [f"{what}, {base}"]
            )
        elif event.kind == "paused":
            yield from self._limit(state, run, reset_of(event))
        elif event.kind == "unreviewed":
            yield from self._unreviewed(state, run)
        elif event.kind == "steered":
            yield from self._steered(state, run)
        elif event.kind == "ended":
            yield from self._ended(state, run, state.feature(event.feature))

    def _limit(self, state: RunState, run: Run, until: str) -> Iterator[Notice]:
        if until and not self._waits_for_limit:
            at = local_minute(until)
            lines = [_("The run waits for the reset, which is expected at {at}.").format(at=at)]
            yield self._notice(state, run, [Occasion.LIMIT], _("waits for a usage limit"), lines)
        self._waits_for_limit = bool(until)

    def _steered(self, state: RunState, run: Run) -> Iterator[Notice]:
        if run.is_paused and not self._is_paused:
            lines, next = [_("Nothing new starts until it is resumed.")], ["rorchestrator resume"]
            yield self._notice(state, run, [Occasion.PAUSED], _("run paused"), lines, next)
        self._is_paused = run.is_paused

    def _unreviewed(self, state: RunState, run: Run) -> Iterator[Notice]:
        if run.unreviewed and not self._waits_for_review:
            lines = [_("Nothing new starts until some of them are reviewed.")]
            title, next = waits_for_review(run.unreviewed), ["rorchestrator review"]
            yield self._notice(state, run, [Occasion.REVIEW], title, lines, next)
        self._waits_for_review = run.unreviewed > 0

    def _ended(self, state: RunState, run: Run, feature: FeatureState) -> Iterator[Notice]:
        if feature.status is Status.COMPLETED:
            done, id = [Occasion.FEATURE_COMPLETED], feature.id
            lines = [_about(feature)]
            yield self._notice(
                state, run, done, _("{id} completed").format(id=id), lines, feature=id
            )
        elif feature.status in FAILED:
            words = f"{feature.id} {_(feature.status.words)}"
            lines, next = [shown(feature.reason)], next_commands(feature)[:1]
            occasions = [Occasion.FEATURE_FAILED]
            yield self._notice(state, run, occasions, words, lines, next, feature=feature.id)
        if feature.fault is Fault.BUDGET and feature.run == run.id and not self._is_over_budget:
            self._is_over_budget = True
            lines = [headed(feature.id, shown(feature.reason))]
            next = ["rorchestrator run --max-cost USD"]
            yield self._notice(state, run, [Occasion.BUDGET], _("budget used up"), lines, next)

    def at_end(self, report: RunReport) -> Notice:
        """The notice of the end of a run."""
        run, features = report.run, report.features
        whole = report.successful == len(features)
        title = _("{successful} of {features} completed").format(
            successful=report.successful, features=counted(len(features), "feature")
        )
        if run.exit_code is not None and run.exit_code >= 128:
            title += _(", the run was stopped")
        problems = [f for f in features if f.status in FAILED]
        lines = [
            f"{f.id} {_(f.status.words)}: {shown(f.reason)}" for f in problems[:PROBLEMS_SHOWN]
        ]
        if len(problems) > PROBLEMS_SHOWN:
            lines.append(_("and {count} more failed").format(count=len(problems) - PROBLEMS_SHOWN))
        others = len(features) - report.successful - len(problems)
        if others:
            lines.append(
                _("{features} blocked, stopped or skipped").format(
                    features=counted(others, "feature")
                )
            )
        wall = duration(report.wall_ms / 1000)
        said = (
            _("{cost} in {wall}, speedup {speedup}x") if report.is_faster else _("{cost} in {wall}")
        )
        speedup = decimal(str(report.speedup))
        lines.append(said.format(cost=money(report.cost.usd), wall=wall, speedup=speedup))
        next = [command for f in problems[:3] for command in next_commands(f)[:1]]
        lands = "--merge" in run.provenance.command.split()
        landed = lands_all(features, lands=lands, only_accepted=report.only_accepted)
        done = "rorchestrator status" if landed else REVIEW
        again = REVIEW if any(map(was_held_by_backlog, features)) else "rorchestrator run"
        next = next or [done if whole else again]
        occasions = [Occasion.FINISHED] if whole else [Occasion.FAILED, Occasion.FINISHED]
        return self._notice(report.state, run, occasions, title, lines, next)

    def killed(self, state: RunState) -> Notice:
        """What to say if the run is killed: nothing else can say it then."""
        run = state.run
        assert run is not None
        lines = [_("The run was killed, or its machine failed. Its work is kept.")]
        occasions = [Occasion.FAILED, Occasion.FINISHED]
        return self._notice(state, run, occasions, _("run killed"), lines, ["rorchestrator run"])

    def _notice(
        self,
        state: RunState,
        run: Run,
        occasions: list[Occasion],
        title: str,
        lines: list[str],
        commands: Sequence[str] = (),
        feature: str = "",
    ) -> Notice:
        self._made += 1
        features = [state.feature(id) for id in run.features]
        cost = cost_of(attempt for known in features for attempt in known.of_run(run.id))
        return Notice(
            f"{run.id}-{self._made}",
            tuple(occasions),
            time.time(),
            self._told(headed(self._project, title)),
            tuple(self._told(line) for line in lines if line.strip()),
            tuple(self._told(command) for command in commands),
            self._told(self._project),
            run.id,
            feature,
            sum(f.run == run.id and f.status is Status.COMPLETED for f in features),
            len(features),
            cost.usd,
        )

    def test(self) -> Notice:
        """A notice that says only that notifications arrive."""
        blank = Run("", 0.0)
        lines = [_("Notifications arrive here. Nothing happened.")]
        made = self._notice(RunState(), blank, list(Occasion), _("a test"), lines)
        return replace(made, id=f"test-{os.urandom(6).hex()}", is_test=True)

    def _told(self, text: str) -> str:
        """A text without secrets and control characters, on one line."""
        kept = excerpt(self._mask(clean(text)), characters=LINE_CHARACTERS)
        return one_line(kept)


def _about(feature: FeatureState) -> str:
    """What a completed feature cost, took and changed."""
    parts = [money(cost_of(feature.of_run(feature.run)).usd)]
    if feature.started_at is not None and feature.ended_at is not None:
        parts.append(duration(feature.ended_at - feature.started_at))
    if feature.work is not None:
        parts.append(_("{files} changed").format(files=counted(feature.work.files_changed, "file")))
    return ", ".join(parts)


def local_minute(at: str) -> str:
    """A time (ISO 8601) in the local zone: weekday, hour and minute."""
    from datetime import datetime

    return datetime.fromisoformat(at).astimezone().strftime("%a %H:%M")
