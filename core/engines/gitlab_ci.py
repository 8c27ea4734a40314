"""A pipeline of GitLab CI that runs the features of a list, each in jobs of its own.

A feature has two jobs: one runs Claude and writes a bundle, the other one pushes the bundle from a
machine that executes nothing of the feature. Text that GitLab expands or a shell reads is quoted,
or an id of letters, digits, ``.``, ``_`` and ``-``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from ..model.translate import _
from .exported import INSTALL_OURS, Exported, Job, budget_of_each_job
from .yaml_text import Noted, yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .yaml_text import Value

FILE = ".gitlab/features.yml"

NEEDS_LIMIT = 50
"""How many jobs a job can need; GitLab refuses a pipeline with more."""

TIMEOUT, MAX_TIME = "3h", "160m"
"""The limits of a feature's job, as on the runners of gitlab.com, and of Claude's time in it: the
rest is for the clone, the setup and the artifacts."""

INSTALL = (
    "npm install --global @anthropic-ai/claude-code",
    "apt-get update -qq && apt-get install -y -qq pipx",
    f"PIPX_BIN_DIR=/usr/local/bin {INSTALL_OURS.rstrip()}",
)
"""The commands with which a fresh machine gets Claude Code and this program."""

RETRIED = ("runner_system_failure", "stuck_or_timeout_failure", "scheduler_failure", "api_failure")
"""What GitLab retries by itself: faults before a feature began or of the machine. A feature that
failed, or took too long, would only be paid for again."""

SOURCES = ("web", "schedule", "api", "trigger", "pipeline", "parent_pipeline")
"""How a pipeline may have been started: not by a push and not by a merge request."""

FOLDER = "rorchestrator-$CI_PIPELINE_ID"
"""The folder of the artifacts; a machine may also have that of an earlier pipeline."""

REPORT = "rorchestrator-report-$CI_PIPELINE_ID"
"""The folder of the page, in which no other job can have left a link."""

OWN_HOME = ('export HOME="$PWD/home"', 'rm -rf "$HOME"', 'mkdir "$HOME"')
"""Each job has git settings of its own: a runner without containers has one home for all jobs."""

IDENTITY = """\
git config user.email >/dev/null || {
  git config --global user.name rorchestrator
  git config --global user.email rorchestrator@users.noreply.gitlab.com
}
"""

FETCH = """\
git -C repository.git fetch --quiet --no-write-fetch-head "$CI_REPOSITORY_URL" \\
  "+refs/heads/*:refs/heads/*" "+refs/tags/*:refs/tags/*" \\
  "+refs/rorchestrator/runs/*:refs/rorchestrator/runs/*"
"""

TOKENS = (
    *("CI_JOB_TOKEN", "CI_REPOSITORY_URL", "CI_REGISTRY_PASSWORD"),
    *("CI_DEPENDENCY_PROXY_PASSWORD", "CI_DEPLOY_PASSWORD", "RORCHESTRATOR_PUSH_TOKEN"),
)
"""Credentials of a job that Claude doesn't need. Each job gets those that begin with ``CI_``."""


def body(export: Exported) -> str:
    """The pipeline."""
    return yaml_text(dict(_sections(export)))


def next_steps(export: Exported, file: str) -> list[str]:
    """The next steps of the user, as sentences."""
    return [
        _("1. Commit it with the list, and push both to the default branch."),
        _("2. Let .gitlab-ci.yml start it, and add a variable: see docs/commands/export.md"),
        _("3. Start it: Build > Pipelines > New pipeline"),
        *budget_of_each_job(export),
    ]


def _sections(export: Exported) -> Iterator[tuple[str, Value]]:
    yield (
        "workflow",
        Noted(
            {"rules": list(_rules(export.branch_prefix))},
            "Started by hand, by a schedule or by another pipeline. A push starts nothing:\n"
            "the branches that this pipeline pushes don't start it again.",
        ),
    )
    yield "stages", Noted(["features", "report"])
    yield ".rorchestrator", Noted(_any_job())
    yield ".run", Noted(_run(export), "Claude works here. Nothing is pushed.")
    yield (
        ".push",
        Noted(_push(export), "Pushes what a feature made, where nothing of the feature runs."),
    )
    for job in export.jobs:
        yield from _jobs_of(job)
    yield "report", Noted(_report(export), "Fails if a feature did not complete.")


def _rules(branch_prefix: str) -> Iterator[Value]:
    if branch_prefix:
        pattern = re.sub(r"([!-,./:-@\[-^`{-~])", r"\\\1", branch_prefix)
        yield {"if": f"$CI_COMMIT_BRANCH =~ /^{pattern}/", "when": "never"}
    yield {"if": f"$CI_PIPELINE_SOURCE =~ /^({'|'.join(SOURCES)})$/"}


def _any_job() -> Value:
    return {
        "stage": "features",
        "image": "node:22-bookworm",
        "interruptible": Noted(False, "Work that was paid for is not cancelled by a push."),
        "retry": Noted({"max": 2, "when": list(RETRIED)}, "Only faults of runners."),
        "variables": {"GIT_STRATEGY": "none"},
    }


def _run(export: Exported) -> Value:
    command = f"""\
rorchestrator run --only "$FEATURE_ID" --config {shlex.quote(export.list_file)} \\
  --remote "$PWD/repository.git" --base "$CI_COMMIT_SHA" --run-id "$CI_PIPELINE_ID" \\
  --report "{FOLDER}/$FEATURE_ID.json" --bundle "{FOLDER}/$FEATURE_ID.bundle" \\
  --max-time {MAX_TIME}{export.bypass}
"""
    return {
        "extends": ".rorchestrator",
        "timeout": TIMEOUT,
        "environment": Noted(
            {"name": "rorchestrator-run", "action": "access"},
            "The scope of the variable with Claude's key.",
        ),
        "before_script": list(INSTALL),
        "script": [
            "rm -rf repository.git rorchestrator-*",
            "git init --quiet --bare repository.git",
            FETCH,
            "unset " + " \\\n  ".join((" ".join(TOKENS[:3]), " ".join(TOKENS[3:]))) + "\n",
            f'mkdir "{FOLDER}"',
            IDENTITY,
            command,
        ],
        "artifacts": {"when": "always", "expire_in": "30 days", "paths": [f"{FOLDER}/"]},
    }


def _push(export: Exported) -> Value:
    remote = """\
remote="$CI_REPOSITORY_URL"
if [ -n "$RORCHESTRATOR_PUSH_TOKEN" ]; then
  remote="$CI_SERVER_PROTOCOL://token:$RORCHESTRATOR_PUSH_TOKEN@${CI_REPOSITORY_URL#*@}"
fi
"""
    command = f"""\
rorchestrator push "$FEATURE_ID" --branch {shlex.quote(export.branch_prefix)}"$FEATURE_ID" \\
  --run-id "$CI_PIPELINE_ID" \\
  --bundle "{FOLDER}/$FEATURE_ID.bundle" --remote "$remote"
"""
    return {
        "extends": ".rorchestrator",
        "timeout": "30m",
        "environment": Noted(
            {"name": "rorchestrator-push", "action": "access"},
            "The scope of RORCHESTRATOR_PUSH_TOKEN; without one, the job's own token pushes.",
        ),
        "before_script": list(INSTALL[1:]),
        "script": [*OWN_HOME, "git config --global push.pushOption ci.skip", remote, command],
    }


def _jobs_of(job: Job) -> Iterator[tuple[str, Value]]:
    """The jobs of a feature."""
    run, push, variables = f"run:{job.id}", f"push:{job.id}", {"FEATURE_ID": job.id}
    gathering, needs = _gathered(f"gather:{job.id}", [f"push:{id}" for id in job.needs])
    yield from gathering.items()
    lane = {"resource_group": f"rorchestrator-{job.lane}"} if job.lane else {}
    yield run, Noted({"extends": ".run", "variables": variables, "needs": needs, **lane})
    yield push, {"extends": ".push", "variables": variables, "needs": [run]}


def _gathered(name: str, needs: Sequence[str]) -> tuple[dict[str, Value], list[str]]:
    """Jobs that do nothing but need a part of ``needs``, and the names to need instead."""
    jobs: dict[str, Value] = {}
    left = list(needs)
    while len(left) > NEEDS_LIMIT:
        parts = [left[at : at + NEEDS_LIMIT] for at in range(0, len(left), NEEDS_LIMIT)]
        left = [f"{name}:{number}" for number in range(len(jobs) + 1, len(jobs) + len(parts) + 1)]
        for each, part in zip(left, parts):
            jobs[each] = {"extends": ".rorchestrator", "needs": part, "script": ["true"]}
    return jobs, left


def _report(export: Exported) -> Value:
    ids = ",".join(job.id for job in export.jobs)
    command = f"""\
rorchestrator report --merge {FOLDER}/*.json \\
  --remote "$CI_REPOSITORY_URL" --run-id "$CI_PIPELINE_ID" \\
  --html "{REPORT}/report.html" --only {ids}
"""
    return {
        "extends": ".rorchestrator",
        "stage": "report",
        "when": "always",
        "before_script": list(INSTALL[1:]),
        "script": [f'rm -rf "{REPORT}"', command],
        "artifacts": {"when": "always", "paths": [f"{REPORT}/"]},
    }
