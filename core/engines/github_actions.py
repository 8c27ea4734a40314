"""A workflow of GitHub Actions that runs the features of a list, each on a machine of its own.

An agent can leave a hook or a program on its machine for the next step to execute. So its job can
only read the repository, and hands a bundle to a job on a fresh machine, which pushes it. No text
of the user is in a script: scripts read variables.
"""

from __future__ import annotations

from ..model.errors import UserError
from ..model.terminal_text import shell_word
from ..model.translate import N_, _
from . import github_workflow as parts
from .exported import Exported, Job, budget_of_each_job
from .yaml_text import Noted, yaml_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .yaml_text import Value

FILE = ".github/workflows/features.yml"

LIMIT_BYTES = 500_000
"""GitHub starts no run of a larger file."""

LIMIT_CHARACTERS = 21_000
"""GitHub reads no longer condition."""

EACH_FEATURE = """\
Each feature has two jobs. The first runs Claude: it can read the repository, not write it.
The second, on a fresh machine that executes nothing of the first one, pushes the result."""


def body(export: Exported) -> str:
    """The workflow. Raises :class:`UserError` if it, or a condition, is too large for GitHub."""
    text = yaml_text(workflow(export))
    if len(text.encode()) > LIMIT_BYTES:
        raise UserError(
            N_("the workflow of {count} features has {size} KB; GitHub takes 500 KB").format(
                count=len(export.jobs), size=len(text.encode()) // 1000
            ),
            hint=N_("export a part of the list with --only or --tag"),
        )
    return text


def next_steps(export: Exported, file: str) -> list[str]:
    """The next steps of the user, as sentences with commands."""
    name = file.rpartition("/")[2]
    steps = [
        _("1. Commit it with the list, and push both to the default branch."),
        _("2. Add a secret: gh secret set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN"),
        _("3. Let GitHub Actions create pull requests: Settings > Actions > General"),
        _("4. Start it: gh workflow run {name}").format(
            name="features.yml" if name == "-" else shell_word(name)
        ),
    ]
    return [*steps, *budget_of_each_job(export)]


def workflow(export: Exported) -> dict[str, Value]:
    """The workflow as a document."""
    jobs: dict[str, Value] = {
        "plan": Noted(parts.plan(export), "Pins the base to a commit, and compares the list.")
    }
    for job in export.jobs:
        first = len(jobs) == 1
        jobs[f"run-{job.name}"] = Noted(_run(export, job), EACH_FEATURE if first else "")
        jobs[f"push-{job.name}"] = Noted(_push(export, job))
    jobs["report"] = Noted(_report(export), "Joins the reports, and opens the pull requests.")
    return {
        "name": "features",
        "on": Noted({"workflow_dispatch": {"inputs": parts.inputs(export)}}),
        "permissions": Noted({}),
        "concurrency": Noted(
            {"group": "rorchestrator"}, "One run at a time: all use the branches."
        ),
        "env": Noted({"LIST": parts.literal(export.list_file), "HELPER": parts.HELPER}),
        "jobs": Noted(jobs),
    }


def _run(export: Exported, job: Job) -> dict[str, Value]:
    """The job that runs the agent."""
    needed = [f"{kind}-{export.named(id)}" for id in job.needs for kind in ("run", "push")]
    before = [f"run-{export.named(job.after)}"] if job.after else []
    condition = parts.if_successful(needed or ["plan"])
    if len(condition) > LIMIT_CHARACTERS:
        raise UserError(
            N_("{id} depends directly on {count} features, more than GitHub takes").format(
                id=job.id, count=len(job.needs)
            ),
            hint=N_("let it depend on features that depend on a part of them"),
        )
    return {
        "name": job.id,
        "needs": list(dict.fromkeys(["plan", *needed, *before])),
        **({"if": condition} if needed or before else {}),
        **parts.run(export, job),
    }


def _push(export: Exported, job: Job) -> dict[str, Value]:
    """The job that pushes what the agent's job has made."""
    return {
        "name": f"push {job.id}",
        "needs": ["plan", f"run-{job.name}"],
        "if": f"${{{{ !cancelled() && needs.run-{job.name}.result != 'skipped' }}}}",
        **parts.push(export, job),
    }


def _report(export: Exported) -> dict[str, Value]:
    return {
        "name": "report",
        "needs": ["plan", *(f"push-{job.name}" for job in export.last)],
        "if": "${{ always() && needs.plan.result == 'success' }}",
        **parts.report(export),
    }
