"""The jobs of a workflow of GitHub Actions: their rights, steps and scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .exported import INSTALL, INSTALL_OURS, LIMIT_MINUTES, MAX_TIME, Exported, Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .yaml_text import Value

RUNS_ON = "ubuntu-latest"
SHORT_MINUTES = 20
"""The limit of the jobs without an agent."""

HELPER = '!f() { echo username=x-access-token; echo "password=$GH_TOKEN"; }; f'
"""How git asks for the token of a step, which is in no file."""

BASE = "${{ needs.plan.outputs.base }}"
RUN_ID = "${{ needs.plan.outputs.run }}"
TOKEN = "${{ github.token }}"

COMPARE = """\
path=${GITHUB_WORKFLOW_REF#"$GITHUB_REPOSITORY/"}
git show "$GITHUB_WORKFLOW_SHA:${path%%@*}" > "$RUNNER_TEMP/workflow.yml"
rorchestrator export github-actions --config "$LIST" --base HEAD \\
  --check --out "$RUNNER_TEMP/workflow.yml\""""

PIN = """\
echo "base=$(git rev-parse HEAD)" >> "$GITHUB_OUTPUT"
echo "run=$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT" >> "$GITHUB_OUTPUT"
"""

FETCH = """\
git -c "credential.helper=$HELPER" fetch --quiet origin \\
  '+refs/heads/*:refs/heads/*' \\
  "+refs/rorchestrator/runs/$RUN/*:refs/rorchestrator/runs/$RUN/*" \\
  "+refs/rorchestrator/runs/*/$FEATURE:refs/rorchestrator/runs/*/$FEATURE"
"""
"""The reports of the run; and those of the feature, which say whose its branch is."""

IDENTITY = """\
git config --global user.name rorchestrator
git config --global user.email rorchestrator@users.noreply.github.com
"""

RUN = f"""\
if [ -z "$ANTHROPIC_API_KEY$CLAUDE_CODE_OAUTH_TOKEN" ]; then
  echo "::error::add the repository secret ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN"
  exit 2
fi
[ -n "$ANTHROPIC_API_KEY" ] || unset ANTHROPIC_API_KEY
[ -n "$CLAUDE_CODE_OAUTH_TOKEN" ] || unset CLAUDE_CODE_OAUTH_TOKEN
mkdir -p "$RUNNER_TEMP/feature"
cd "$RUNNER_TEMP/feature"
exec rorchestrator run --config "$LIST" --base "$BASE" --only "$FEATURE" \\
  --remote "$GITHUB_WORKSPACE" --run-id "$RUN" --bundle feature.bundle --report report.json \\
  --max-time {MAX_TIME} ${{MAX_COST:+--max-cost "$MAX_COST"}}"""
"""GitHub signals only the process that it started: with ``exec``, that is the command."""

PUSH = """\
git config --global "credential.$GITHUB_SERVER_URL.helper" "$HELPER"
rorchestrator push "$FEATURE" --branch "$BRANCH" --run-id "$RUN" \\
  --remote "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" \\
  --bundle "$RUNNER_TEMP/feature/feature.bundle"
"""

REPORT = """\
git config --global "credential.$GITHUB_SERVER_URL.helper" "$HELPER"
mkdir -p "$RUNNER_TEMP/report"
rorchestrator report --config "$LIST" --merge --only "$FEATURES" --run-id "$RUN" \\
  --remote "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" \\
  --html "$RUNNER_TEMP/report/report.html" --markdown >> "$GITHUB_STEP_SUMMARY"
"""

PULL_REQUESTS = """\
git rev-parse --quiet --verify "refs/remotes/origin/$BASE" >/dev/null \\
  || BASE="origin/$GITHUB_REF_NAME"
rorchestrator pr --config "$LIST" --base "$BASE" --run-id "$RUN"
"""
"""Without ``--yes``: no command of the list is executed on what agents wrote. A pull request leads
to a branch: if the base is a tag or a commit, to that where the workflow was started."""


def literal(text: str) -> str:
    """A text that GitHub would evaluate, as one that it doesn't."""
    return text.replace("${{", "${{ '${{' }}")


def if_successful(jobs: Iterable[str]) -> str:
    """A condition that holds if these jobs succeeded, whatever came of the others."""
    parts = ("!cancelled()", *(f"needs.{job}.result == 'success'" for job in jobs))
    return f"${{{{ {' && '.join(parts)} }}}}"


def inputs(export: Exported) -> dict[str, Value]:
    """What GitHub asks for before it starts the workflow."""
    default = {} if "${{" in export.base else {"default": export.base}
    return {
        "base": {
            "description": "The branch, tag or commit that the features start from",
            "required": True,
            **default,
        },
        "max_cost": {"description": "The budget of each feature in USD (default: the list's)"},
    }


def plan(export: Exported) -> dict[str, Value]:
    """The job that pins the base, and fails if the list has changed since the export."""
    names = {"--only": "ONLY", "--tag": "TAG", "--max-parallel": "SLOTS"}
    given = dict(zip(export.words[::2], export.words[1::2]))
    words = "".join(f' {option} "${names[option]}"' for option in given)
    env: dict[str, Value] = {names[option]: literal(value) for option, value in given.items()}
    return {
        "outputs": {
            "base": "${{ steps.pin.outputs.base }}",
            "run": "${{ steps.pin.outputs.run }}",
        },
        **_machine(SHORT_MINUTES, contents="read"),
        "steps": [
            _checkout("${{ inputs.base }}"),
            _script("Install", INSTALL_OURS),
            _script("Compare with the list", f"{COMPARE}{words}{export.bypass}\n", env),
            {"id": "pin", **_script("Pin the base", PIN)},
        ],
    }


def run(export: Exported, job: Job) -> dict[str, Value]:
    """Rights and steps of the job that runs the agent."""
    return {
        **_machine(LIMIT_MINUTES, contents="read"),
        "steps": [
            _checkout(BASE),
            _script(
                "Fetch branches and reports",
                FETCH,
                {"FEATURE": job.id, "RUN": RUN_ID, "GH_TOKEN": TOKEN},
            ),
            _script("Install", INSTALL + IDENTITY),
            _script(
                "Run",
                f"{RUN}{export.bypass}\n",
                {
                    "FEATURE": job.id,
                    "RUN": RUN_ID,
                    "BASE": BASE,
                    "MAX_COST": "${{ inputs.max_cost }}",
                    "ANTHROPIC_API_KEY": "${{ secrets.ANTHROPIC_API_KEY }}",
                    "CLAUDE_CODE_OAUTH_TOKEN": "${{ secrets.CLAUDE_CODE_OAUTH_TOKEN }}",
                },
            ),
            _upload(f"feature-{job.name}", "${{ runner.temp }}/feature"),
        ],
    }


def push(export: Exported, job: Job) -> dict[str, Value]:
    """Rights and steps of the job that pushes the result."""
    return {
        **_machine(SHORT_MINUTES, contents="write"),
        "steps": [
            _script("Install", INSTALL_OURS),
            {
                "uses": "actions/download-artifact@v4",
                "with": {"name": f"feature-{job.name}", "path": "${{ runner.temp }}/feature"},
            },
            _script(
                "Push",
                PUSH,
                {
                    "FEATURE": job.id,
                    "BRANCH": literal(export.branch_prefix + job.id),
                    "RUN": RUN_ID,
                    "GH_TOKEN": TOKEN,
                },
            ),
        ],
    }


def report(export: Exported) -> dict[str, Value]:
    """Rights and steps of the last job."""
    features = ",".join(job.id for job in export.jobs)
    env: dict[str, Value] = {"RUN": RUN_ID, "GH_TOKEN": TOKEN}
    return {
        **_machine(SHORT_MINUTES, contents="write", **{"pull-requests": "write"}),
        "steps": [
            _checkout("${{ inputs.base }}"),
            _script("Install", INSTALL_OURS),
            _script("Report", REPORT, {"FEATURES": features, **env}),
            _upload("report", "${{ runner.temp }}/report"),
            {
                "if": "${{ !cancelled() }}",
                **_script(
                    "Open pull requests", PULL_REQUESTS, {"BASE": "${{ inputs.base }}", **env}
                ),
            },
        ],
    }


def _machine(minutes: int, **permissions: str) -> dict[str, Value]:
    return {"runs-on": RUNS_ON, "timeout-minutes": minutes, "permissions": permissions}


def _checkout(ref: str) -> dict[str, Value]:
    """All branches with their history, and no token that a later step could read."""
    return {
        "uses": "actions/checkout@v4",
        "with": {"ref": ref, "fetch-depth": 0, "persist-credentials": False},
    }


def _script(name: str, text: str, env: Mapping[str, Value] | None = None) -> dict[str, Value]:
    return {"name": name, "run": text, **({"env": env} if env else {})}


def _upload(name: str, path: str) -> dict[str, Value]:
    return {
        "if": "always()",
        "uses": "actions/upload-artifact@v4",
        "with": {"name": name, "path": path, "overwrite": True},
    }
