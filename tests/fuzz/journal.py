"""Any bytes as a journal: mended with a word, or refused; and nothing completed by damage."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator

from hypothesis import strategies as st

from core.dag import incremental
from core.dag.resolver import DAGResolver
from core.journal.journal import Journal
from core.journal.reader import Reader
from core.model import event_json, events
from core.model.decision import Action, Decision
from core.model.errors import StateError, UserError
from core.model.events import Event
from core.model.feature import Config, Feature, Project
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from core.model.state import RunState
from core.reporter import documents
from core.reporter.run_text import event_line, report_lines
from core.reporter.style import Style, columns
from core.views.live import Facts, live_lines
from tests.fuzz.harness import Target, assert_shown_clean, scratch, write
from tests.fuzz.mutations import damaged, dumped
from tests.fuzz.mutations import documents as json_documents
from tests.support.paths import ROOT

IDS = ("auth", "api", "app", "broken")


def _fixture(name: str) -> bytes:
    with open(os.path.join(ROOT, "tests", "fixtures", "journal", name), "rb") as file:
        return file.read()


EARLIER = _fixture("v1.0.0.jsonl")
EARLIER_LINES = EARLIER.splitlines(keepends=True)

_PLACE: list[str] = []


def _folder() -> str:
    if not _PLACE:
        _PLACE.append(scratch())
    return _PLACE[0]


@st.composite
def _stories(draw: st.DrawFn) -> bytes:
    """A journal as runs may write it, through the real one."""
    journal = Journal(os.path.join(_folder(), "story"))
    write_empty(journal.path)
    journal.open()
    for number in range(draw(st.integers(1, 3))):
        for event in draw(_run(f"r{number}")):
            journal.append(event)
    journal.close()
    with open(journal.path, "rb") as file:
        return file.read()


def write_empty(path: str) -> None:
    """An empty file, in a folder that is there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, b"")


@st.composite
def _run(draw: st.DrawFn, run: str) -> list[Event]:
    at = 1_700_000_000.0
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1))
    story = [
        events.run_started(
            at, run, pid=1, base_branch="main", base_commit="c0", features=ids, max_parallel=2
        )
    ]
    for id in ids:
        decision = Decision(id, Action.START, "new", "key")
        status = draw(st.sampled_from([Status.COMPLETED, Status.FAILED, Status.EMPTY]))
        work = Work("c1", 1, 2, 3) if status is Status.COMPLETED else None
        said = draw(st.text(max_size=10))
        attempt = AttemptOutcome(status, said, cost_usd=0.5, result=said)
        outcome = FeatureOutcome(status, said, work=work)
        whole = [
            events.preparing(at, run, decision, branch=f"feature/{id}", worktree="/w", name=id),
            events.based(at, run, decision, start_commit="c0", base_commit="c0"),
            events.attempt_started(
                at, run, id, attempt=1, session_id="s", resumed=False, log="l.jsonl"
            ),
            events.attempt_ended(at, run, id, attempt),
            events.ended(at, run, id, outcome),
        ]
        story += whole[: draw(st.integers(0, 5))]
    return [*story, events.run_ended(at, run, exit_code=0)]


LINES = [json.loads(line) for line in EARLIER_LINES]
SUMMED = st.one_of(st.just(_fixture("summed.jsonl")), _stories())
ODD_LINES = st.lists(json_documents(LINES).map(dumped), min_size=1, max_size=6).map(
    lambda lines: b"\n".join(lines) + b"\n"
)
CASES = st.one_of(
    st.tuples(st.just(True), damaged(SUMMED)),
    st.tuples(st.just(True), damaged(SUMMED)),
    st.tuples(st.just(False), damaged(st.one_of(st.just(EARLIER), SUMMED))),
    st.tuples(st.just(False), ODD_LINES),
)
"""Whether every line had a checksum before it was damaged, and the journal."""


def check(case: tuple[bool, bytes]) -> None:
    """Read it as ``status`` does and open it as ``run`` does, then show all that it tells."""
    summed, content = case
    journal = Journal(_folder())
    write(journal.path, content)
    try:
        story = journal.read()
    except UserError as error:
        assert " is damaged: " in error.message and error.hint
        story = list(_before_the_damage(journal.path))
    else:
        _check_appending(journal, content, story)
    state = fold(story)
    if summed:
        claimed = {id for id, f in state.features.items() if f.status is Status.COMPLETED or f.work}
        assert claimed <= set(_completed(content)), claimed
    _check_views(story)


def _before_the_damage(path: str) -> Iterator[Event]:
    try:
        yield from Reader(path).new_events()
    except UserError:
        return


def _check_appending(journal: Journal, content: bytes, story: list[Event]) -> None:
    torn = len(content) - (content.rfind(b"\n") + 1)
    try:
        said = journal.open()
    except StateError:
        raise AssertionError("a file that can be written is refused") from None
    assert (f"cut off {torn} bytes" in said) == bool(torn)
    note = events.note(1.0, "r", "goes on")
    journal.append(note)
    journal.close()
    assert journal.read() == [*story, note]


def _completed(content: bytes) -> Iterator[str]:
    """The features that an unharmed line ends as completed; not read as the journal does it."""
    for line in content.split(b"\n")[:-1]:
        body, _, tail = line.rpartition(b',"sum":"')
        if tail == b'%08x"}' % zlib.crc32(body) or line + b"\n" in EARLIER_LINES:
            event = json.loads(line)
            if event["event"] == "ended" and event["status"] == "completed":
                yield event["feature"]


def _check_views(story: list[Event]) -> None:
    style, state = Style(), RunState()
    for event in story:
        state = fold([event], state)
        shown = event_line(state, event, style, verbose=True)
        assert_shown_clean(shown, lines=event.kind == "ended")  # A long reason has its own lines.
        json.dumps(event_json.to_json(event))
    for known in state.features.values():
        json.dumps(documents.feature_document(known), allow_nan=False)
    if state.run is not None:
        report = documents.RunReport(state, state.run, "s", waves=(), branches=(), up_to_date=())
        json.dumps(report.to_json(), allow_nan=False)
        for line in report_lines(report, style):
            assert_shown_clean(line)
        for line in live_lines(state, 1_700_000_000.0, Style(60), 24, Facts()):
            assert_shown_clean(line)
            assert columns(line) < 60, line
    listed = Config("", "", Project("s", ""), tuple(Feature(id, id, "x") for id in IDS))
    incremental.decide(listed, DAGResolver(listed.features), state, incremental.Facts())


TARGET = Target("journal", CASES, check)
