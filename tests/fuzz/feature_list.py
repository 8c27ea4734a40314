"""Any bytes as a feature list: a plan comes of it, or every fault is named."""

from __future__ import annotations

import io
import json
import os
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from core import cli
from core.claude import command_line
from core.commands import plan
from core.dag import incremental
from core.dag.resolver import DAGResolver
from core.model.errors import UserError
from core.model.feature import Config
from core.model.state import RunState
from core.project import feature_list as config
from core.project.decisions import make_plan
from core.project.selection import Selection, select
from core.reporter.plan_text import plan_lines
from core.reporter.style import Style
from tests.fuzz.harness import Target, assert_shown_clean, scratch, write
from tests.fuzz.mutations import ODD, damaged, documents, dumped, values
from tests.support.commands import streams
from tests.support.paths import ROOT

FULL = {
    "project": {
        "name": "Shop",
        "description": "a shop",
        "repo_path": "..",
        "base_branch": "main",
        "max_parallel": 2,
        "timeout_seconds": 60,
        "worktrees_path": "../trees",
        "branch_prefix": "feature/",
        "usd_per_million_tokens": 30,
    },
    "prompts": {"context_file": "context.md", "quality_rules": ["tests pass", "no lint"]},
    "claude": {
        "command": ["claude"],
        "permission_mode": "acceptEdits",
        "allowed_tools": ["Read", "Bash(git add:*)"],
        "disallowed_tools": ["WebFetch"],
        "model": "opus",
        "fallback_model": "sonnet",
        "max_turns": 5,
        "max_budget_usd": 1.5,
        "append_system_prompt": "be brief",
        "extra_args": ["--add-dir=x"],
        "env": {"A": "b"},
    },
    "features": [
        {"id": "auth", "name": "Sign-in", "prompt_file": "auth.md", "estimated_tokens": 10},
        {
            "id": "api",
            "prompt": "Build it.",
            "depends_on": ["auth"],
            "tags": ["x"],
            "creates": ["a.py"],
            "uses": ["b.py"],
            "priority": 1,
            "timeout_seconds": 5,
            "model": "haiku",
            "allowed_tools": ["Read"],
            "allow_empty": True,
        },
        {"id": "app", "prompt": "x", "depends_on": ["api", "auth"]},
    ],
}


def _examples() -> list[Any]:
    found = []
    for name in ("feature_list.example.json", "test-project.json"):
        with open(os.path.join(ROOT, "config", name), encoding="utf-8") as file:
            found.append(json.load(file))
    return found


@st.composite
def _graphs(draw: st.DrawFn) -> Any:
    """Many features with any edges between them, circles among them."""
    count = draw(st.integers(1, 40))
    edges = st.lists(st.integers(0, count), max_size=4)
    features = [
        {"id": f"f{n}", "prompt": "x", "depends_on": [f"f{to}" for to in draw(edges)]}
        for n in range(count)
    ]
    return {"project": {"name": "s"}, "features": features}


@st.composite
def _with_doubles(draw: st.DrawFn) -> bytes:
    """A list in which a key stands twice."""
    text = dumped(draw(documents([FULL], 0))).decode()
    key = draw(st.sampled_from(["id", "name", "prompt", "depends_on", "features", "project"]))
    return text.replace(
        f'"{key}":', f'"{key}": {json.dumps(draw(st.sampled_from(ODD)))}, "{key}":'
    ).encode()


GOOD = [FULL, FULL, *_examples()]
TEXTS = documents(GOOD).map(dumped)
ENCODED = st.tuples(
    TEXTS, st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "utf-7", "cp037"])
).map(lambda pair: pair[0].decode().encode(pair[1], "replace"))
CASES = st.one_of(
    *(TEXTS, TEXTS, documents(GOOD, 12).map(dumped), damaged(TEXTS), _graphs().map(dumped)),
    *(values().map(dumped), ENCODED, _with_doubles(), st.binary(max_size=200)),
)

_PLACE: list[str] = []


def _list() -> str:
    """Where the list goes, in a workspace with the files that it names."""
    if not _PLACE:
        folder = scratch()
        for name in ("config", "prompts"):
            os.mkdir(os.path.join(folder, name))
        prompts = ["auth.md", "context.md"]
        for example in _examples():
            prompts += [f["prompt_file"] for f in example["features"] if "prompt_file" in f]
            context = example.get("prompts", {}).get("context_file")
            prompts += [context] if context else []
        for name in prompts:
            path = os.path.join(folder, "prompts", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(path, b"Do it.\x1b[31m\n")
        _PLACE.append(os.path.join(folder, "config", "feature_list.json"))
    return _PLACE[0]


def check(case: bytes) -> None:
    """A plan, as text and as JSON, or an error with all faults; nothing else."""
    path = _list()
    write(path, case)
    try:
        listed = config.load(path)
    except UserError as error:
        _check_complaint(error)
        return
    _check_plan(listed)


def _check_complaint(error: UserError) -> None:
    assert error.message and all(error.details)
    said = io.StringIO()
    with streams(None, said):
        assert cli._complain(error) == 2
    lines = said.getvalue().split("\n")
    for line in lines:
        assert_shown_clean(line)
    assert "rorchestrator: " in lines[0]
    assert sum(line.startswith("  ") for line in lines[1:]) >= len(error.details)
    if error.message.endswith(("fault", "faults")):
        assert f" has {len(error.details)} fault" in error.message


def _check_plan(listed: Config) -> None:
    dag = DAGResolver(listed.features)
    assert len({listed.branch_of(id).casefold() for id in dag.features}) == len(listed.features)
    decisions = incremental.decide(listed, dag, RunState(), incremental.Facts())
    never_ran = SimpleNamespace(path="")
    place: Any = SimpleNamespace(config=listed, dag=dag, journal=never_ran)
    chosen = select(Selection(), dag, decisions)
    with mock.patch("core.project.decisions.cautions", lambda project: ()):  # of its repository
        made = make_plan(place, decisions, listed.project.max_parallel, chosen)
    for style in (Style(), Style(20, colour=False, unicode=False)):
        for line in plan_lines(made, style, verbose=True):
            assert_shown_clean(line)
    json.dumps(plan.document(made), allow_nan=False)
    for feature in listed.features:
        words = command_line.argv(listed.claude, feature, "s", resume=False)
        assert all("\0" not in word and word.encode() for word in words)


TARGET = Target("feature list", CASES, check)
