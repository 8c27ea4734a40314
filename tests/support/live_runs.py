"""Runs in the middle of their work, as the live view sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.model import events
from core.model.control_action import ControlAction
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Usage, Work
from core.model.provenance import Provenance
from core.model.state import RunState
from core.model.window import Window
from core.views.activity import Activity
from core.views.live import Facts, Prediction

START = 1_700_000_000.0
"""The run begins, at 22:13:20 UTC."""
NOW = START + 725
RUN = "r1"


def begun(ids: Sequence[str], slots: int = 3, provenance: Provenance | None = None) -> Event:
    return events.run_started(
        START,
        RUN,
        pid=1,
        base_branch="main",
        base_commit="ba5e",
        features=ids,
        max_parallel=slots,
        provenance=provenance,
    )


def prepared(id: str, at: float) -> Event:
    decision = Decision(id, Action.START, "new", "key")
    return events.preparing(at, RUN, decision, branch=f"f/{id}", worktree=f"/w/{id}", name=id)


def at_work(id: str, at: float, number: int = 1) -> list[Event]:
    """Claude works on a feature."""
    started = events.attempt_started(
        at, RUN, id, attempt=number, session_id="s", resumed=number > 1, log=f"/l/{id}.jsonl"
    )
    setup = [prepared(id, at - 9), events.setting_up(at - 8, RUN, id)] if number == 1 else []
    return [*setup, events.ready(at - 1, RUN, id, made=()), started]


def after(id: str, at: float, outcome: AttemptOutcome, number: int = 1) -> list[Event]:
    """Claude worked on a feature, with this outcome."""
    return [*at_work(id, at - 200, number), events.attempt_ended(at, RUN, id, outcome)]


DONE = AttemptOutcome(
    Status.COMPLETED, cost_usd=0.52, usage=Usage(20_000, 3_000, 0, 9_000), num_turns=14
)
CUT = AttemptOutcome(Status.FAILED, "overloaded", Fault.TRANSIENT, num_turns=3)


def completed(id: str, at: float) -> list[Event]:
    outcome = FeatureOutcome(Status.COMPLETED, work=Work("c0ffee", 3, 12, 4))
    return [*after(id, at, DONE), events.ended(at, RUN, id, outcome)]


def failed(id: str, at: float, reason: str, fault: Fault = Fault.NONE) -> list[Event]:
    return [
        *after(id, at, DONE),
        events.ended(at, RUN, id, FeatureOutcome(Status.FAILED, reason, fault)),
    ]


def steered(action: ControlAction, at: float) -> Event:
    return events.steered(at, RUN, "", action=action, request="x", done=True, text="done")


def state_of(*story: Event | list[Event]) -> RunState:
    """The state after these events, with ten dollars paid for each million tokens of Opus."""
    flat: list[Event] = []
    for part in story:
        flat.extend(part if isinstance(part, list) else [part])
    return replace(fold(flat), rates={"opus": Paid(10.0, 1_000_000)})


Moment = tuple[RunState, Facts]


def busy() -> Moment:
    """Three slots are full: a tool, a silence, a setup; two features are over."""
    ids = ["auth", "api", "search", "billing-and-invoices", "web", "docs"]
    state = state_of(
        begun(ids),
        completed("auth", START + 300),
        at_work("api", START + 310),
        after("search", START + 320, CUT),
        at_work("search", START + 330, number=2),
        prepared("billing-and-invoices", NOW - 140),
        events.setting_up(NOW - 130, RUN, "billing-and-invoices"),
    )
    activities = {
        "api": Activity("Edit src/api/routes.py", 12, 34_200, None, NOW - 3, (), {"opus": 34_200}),
        "search": Activity(
            "$ npm run test -- --watch=false --coverage --reporter=verbose packages/search",
            *(31, 1_240_000, None, NOW - 190, (), {"opus": 1_240_000}),
        ),
    }
    return state, Facts(activities, Prediction(NOW + 3000, 4), 10.0)


def late() -> Moment:
    """Every phase after Claude, and one failed feature; the prediction has passed."""
    ids = ["auth", "api", "web", "docs", "app"]
    state = state_of(
        begun(ids, 4),
        failed("auth", START + 250, "the check `npm test` keeps failing:\nexit code 1"),
        after("api", START + 400, DONE),
        events.verifying(NOW - 2, RUN, "api"),
        after("web", START + 420, DONE),
        events.committing(NOW - 12, RUN, "web"),
        after("docs", START + 440, DONE),
        events.checking(NOW - 75, RUN, "docs"),
        after("app", START + 460, CUT),
    )
    return state, Facts(prediction=Prediction(NOW - 1))


def waiting() -> Moment:
    """A usage limit, and several failures."""
    ids = ["auth", "api", "web", "docs", "app"]
    state = state_of(
        begun(ids),
        failed("auth", START + 250, "no change", Fault.BUDGET),
        failed("api", START + 260, "stopped by a check"),
        after("web", START + 420, CUT),
        events.window(START + 490, RUN, seen=Window("five_hour", 0.62)),
        events.paused(START + 500, RUN, until=NOW + 4_000),
        prepared("docs", START + 500),
    )
    return state, Facts(prediction=Prediction(NOW + 90_000))


def paused() -> Moment:
    """The user paused the run; a feature waits with its next attempt."""
    state = state_of(
        begun(["auth", "api"]),
        at_work("auth", START + 60),
        after("api", START + 90, CUT),
        prepared("web", START + 100),
        steered(ControlAction.PAUSE, START + 500),
    )
    told = {"auth": Activity("thinks", 1, 900, None, NOW)}
    return state, Facts(told, complete=lambda text: f"{text} --config shop.json" if text else "")


def unread() -> Moment:
    """Nothing new starts, because completed features wait for a review."""
    state = state_of(
        begun(["auth", "api"]),
        at_work("auth", START + 60),
        events.unreviewed(START + 500, RUN, count=3, limit=3),
    )
    told = {"auth": Activity("thinks", 1, 900, None, NOW)}
    return state, Facts(told)


def crowded() -> Moment:
    """More features at work than rows."""
    ids = [f"feature-{n:02}" for n in range(30)]
    story = [event for n, id in enumerate(ids[:12]) for event in at_work(id, START + 10 + n)]
    told = {id: Activity(f"Read file{n}.py", n, 1000 * n) for n, id in enumerate(ids[:12])}
    return state_of(begun(ids, 12), story), Facts(told, is_stopping=True)


def wide() -> Moment:
    """Ids and actions in wide characters."""
    ids = ["検索", "支払い", "café"]
    state = state_of(begun(ids), *(at_work(id, START + n) for n, id in enumerate(ids)))
    action = "Edit 文書/非常に長いファイル名の説明/設定ファイルの読み込み.py"
    told = {id: Activity(action, 2, 5_000, 0.25, NOW) for id in ids}
    return state, Facts(told)


def first() -> Moment:
    """Nothing has started yet."""
    return state_of(begun(["auth", "api"])), Facts(cap_usd=5.0)


MOMENTS: Mapping[str, Callable[[], Moment]] = {
    made.__name__: made for made in (busy, late, waiting, paused, unread, crowded, wide, first)
}
