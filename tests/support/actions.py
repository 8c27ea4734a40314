"""Plays GitHub Actions: every script of a workflow, each job in a fresh folder.

A script gets the variables that Actions sets, a home of its own, and bash as Actions starts it. The
actions that our workflows use are played: checkout by the git commands that it runs, artifacts by
copies. Jobs run one after the other; an expression is what our workflows have.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

REPOSITORY = "acme/shop"
SERVER = "https://github.com"

WORKSPACE = os.path.join("work", "shop")

Document = Any
"""A workflow as a YAML library reads it."""


@dataclass
class Played:
    """What came of a job."""

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""


@dataclass
class Actions:
    """A run of a workflow."""

    document: Document
    bare: str
    """The folder of the repository on the server."""
    folder: str
    """Where the jobs' folders and the artifacts are."""
    environ: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    """The commit of the workflow."""
    attempt: int = 1
    jobs: dict[str, Played] = field(default_factory=dict)
    scripts: list[tuple[str, str]] = field(default_factory=list)
    """The jobs and names of the steps that ran."""

    def run(self, *again: str) -> dict[str, Played]:
        """Run all jobs; those ``again`` that failed before, with what depends on them."""
        graph = {id: list(job.get("needs", [])) for id, job in self.document["jobs"].items()}
        for id in TopologicalSorter(graph).static_order():
            if id in again or id not in self.jobs or (again and set(graph[id]) & self._changed):
                self._changed.add(id)
                self.jobs[id] = self._job(id, self.document["jobs"][id])
        self._changed.clear()
        return self.jobs

    _changed: set[str] = field(default_factory=set)

    def artifact(self, name: str, *file: str) -> str:
        """Where an artifact is."""
        return os.path.join(self.folder, "artifacts", name, *file)

    def _job(self, id: str, job: Document) -> Played:
        needs = {name: self.jobs[name] for name in job.get("needs", [])}
        context = {
            "inputs": {
                name: self.inputs.get(name, each.get("default", ""))
                for name, each in self.document["on"]["workflow_dispatch"]["inputs"].items()
            },
            "secrets": self.secrets,
            "needs": {n: {"result": p.result, "outputs": p.outputs} for n, p in needs.items()},
            "github": {"token": f"token-{job['permissions']['contents']}"},
            "steps": {},
        }
        played = Played()
        if "if" in job:
            goes = evaluated(job["if"], context) == "true"
        else:
            goes = all(need.result == "success" for need in needs.values())
        if not goes:
            return played
        place = os.path.join(self.folder, f"{id}-{self.attempt}")
        shutil.rmtree(place, ignore_errors=True)
        context["runner"] = {"temp": os.path.join(place, "temp")}
        for name in ("home", "temp", "files", WORKSPACE):
            os.makedirs(os.path.join(place, name))
        with open(os.path.join(place, "home", ".gitconfig"), "w", encoding="utf-8") as file:
            file.write(f'[url "{self.bare}"]\n\tinsteadOf = {SERVER}/{REPOSITORY}\n')
        played.result = "success"
        for number, step in enumerate(job["steps"]):
            condition = step.get("if", "success()")
            if played.result == "success" or condition != "success()":
                self.scripts.append((id, step.get("name", step.get("uses", ""))))
                if not self._step(place, number, step, context, played):
                    played.result = "failure"
        outputs = job.get("outputs", {})
        played.outputs = {name: filled(text, context) for name, text in outputs.items()}
        return played

    def _step(
        self, place: str, number: int, step: Document, context: Document, played: Played
    ) -> bool:
        workspace = os.path.join(place, WORKSPACE)
        given = {k: filled(str(v), context) for k, v in step.get("with", {}).items()}
        action = step.get("uses", "").partition("@")[0]
        if action == "actions/checkout":
            assert step["with"]["persist-credentials"] is False
            return self._checkout(place, given["ref"], played)
        if action == "actions/upload-artifact":
            shutil.rmtree(self.artifact(given["name"]), ignore_errors=True)
            if os.path.isdir(given["path"]) and os.listdir(given["path"]):
                shutil.copytree(given["path"], self.artifact(given["name"]))
            return True
        if action == "actions/download-artifact":
            if not os.path.isdir(self.artifact(given["name"])):
                return False
            shutil.copytree(self.artifact(given["name"]), given["path"], dirs_exist_ok=True)
            return True
        assert not action, action
        files = {
            name: os.path.join(place, "files", f"{number}-{name}")
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
        }
        for path in files.values():
            with open(path, "w", encoding="utf-8"):
                pass
        workflow = f"{REPOSITORY}/.github/workflows/features.yml@refs/heads/main"
        environ = {
            **self.environ,
            **files,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ATTEMPT": str(self.attempt),
            "GITHUB_RUN_ID": "4711",
            "GITHUB_SERVER_URL": SERVER,
            "GITHUB_SHA": self.commit,
            "GITHUB_WORKFLOW_REF": workflow,
            "GITHUB_WORKFLOW_SHA": self.commit,
            "GITHUB_WORKSPACE": workspace,
            "HOME": os.path.join(place, "home"),
            "RUNNER_TEMP": os.path.join(place, "temp"),
            "TMPDIR": os.path.join(place, "temp"),
        }
        for variables in (self.document.get("env", {}), step.get("env", {})):
            environ.update({name: filled(str(v), context) for name, v in variables.items()})
        script = os.path.join(place, "files", f"{number}.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write(filled(step["run"], context))
        done = subprocess.run(
            ["bash", "-e", script],
            cwd=workspace,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        played.log += (done.stdout + done.stderr).decode()
        with open(files["GITHUB_STEP_SUMMARY"], encoding="utf-8") as file:
            played.summary += file.read()
        with open(files["GITHUB_OUTPUT"], encoding="utf-8") as file:
            told = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
        context["steps"][step.get("id", str(number))] = {"outputs": told}
        return done.returncode == 0

    def _checkout(self, place: str, ref: str, played: Played) -> bool:
        """As actions/checkout does it with ``fetch-depth: 0``."""
        environ = {**self.environ, "HOME": os.path.join(place, "home")}

        def git(*words: str) -> bool:
            done = subprocess.run(
                ["git", *words],
                cwd=os.path.join(place, WORKSPACE),
                env=environ,
                capture_output=True,
                check=False,
            )
            played.log += done.stderr.decode()
            return done.returncode == 0

        heads, tags = "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"
        git("init", "--quiet")
        git("remote", "add", "origin", f"{SERVER}/{REPOSITORY}")
        git("fetch", "--quiet", "--prune", "--no-recurse-submodules", "origin", heads, tags)
        branch = f"refs/remotes/origin/{ref}"
        if git("rev-parse", "--quiet", "--verify", branch):
            return git("checkout", "--quiet", "--force", "-B", ref, branch)
        return git("checkout", "--quiet", "--force", "--detach", ref)


def filled(text: str, context: Document) -> str:
    """A text with its expressions replaced by their values."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: evaluated(found[0], context), text)


def evaluated(text: str, context: Document) -> str:
    """The value of an expression: terms joined by ``&&``, or one term."""
    terms = text.replace("${{ ", "").replace(" }}", "").split(" && ")
    values = [_term(term, context) for term in terms]
    if len(values) == 1:
        return values[0]
    return "true" if all(value == "true" for value in values) else "false"


def _term(term: str, context: Document) -> str:
    if term in ("!cancelled()", "always()"):
        return "true"
    for sign in (" == ", " != "):
        if sign in term:
            left, right = (_term(each, context) for each in term.split(sign))
            return "true" if (left == right) == (sign == " == ") else "false"
    if term.startswith("'"):
        return term[1:-1]
    value = context
    for name in term.split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    assert isinstance(value, str), term
    return value
