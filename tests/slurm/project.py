"""A project on the cluster: a remote, a feature list with the simulated Claude, and `submit`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from tests.slurm.cluster import Cluster
from tests.support.paths import AGENT, ORCHESTRATE
from tests.support.repository import AT_ONCE, CONFIG
from tests.support.workspace import steps

SUBMIT = ("submit", "--engine", "slurm", "--yes", "--json", "--env", "TMPDIR")
"""Clones go to the project's temporary folder, where a killed node may leave one."""

CANARY = "sk-ant-api03-canary-0123456789abcdefghij"
"""A key that must not be found anywhere but in the private file."""


class Project:
    """A repository whose remote every node reaches, in ``folder``."""

    def __init__(self, cluster: Cluster, folder: str) -> None:
        self.cluster = cluster
        self.folder = folder
        self.path = os.path.join(folder, "shop")
        self.remote = os.path.join(folder, "shop.git")
        programs, home = os.path.join(folder, "bin"), os.path.join(folder, "home")
        temporary = os.path.join(folder, "tmp")
        for each in (programs, home, temporary, self.path):
            os.makedirs(each)
        program = os.path.join(programs, "rorchestrator")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec "{sys.executable}" "{ORCHESTRATE}" "$@"\n')
        os.chmod(program, 0o755)
        with open(os.path.join(home, ".gitconfig"), "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.environ = {
            "SLURM_CONF": cluster.environ["SLURM_CONF"],
            "PATH": f"{programs}:{cluster.environ['PATH']}",
            "HOME": home,
            "TMPDIR": temporary,
            "LANG": "C.UTF-8",
            "ANTHROPIC_API_KEY": CANARY,
        }
        self.git("init", "--quiet", "--bare", self.remote, at=folder)
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", self.remote)

    def list(self, *features: Mapping[str, object], **project: object) -> None:
        """Commit a feature list and push it."""
        document = {
            "project": {"name": "Shop", **AT_ONCE, **project},
            "claude": {"command": AGENT},
            "features": list(features),
        }
        os.makedirs(os.path.join(self.path, "config"), exist_ok=True)
        with open(os.path.join(self.path, "config", "feature_list.json"), "w") as file:
            json.dump(document, file, indent=1)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "the list")
        self.git("push", "--quiet", "origin", "main")

    def flag(self, name: str) -> str:
        """A file that an agent waits for."""
        return os.path.join(self.folder, f"go-{name}")

    def go(self, *names: str) -> None:
        """Let the agents go on that wait for these files."""
        for name in names:
            with open(self.flag(name), "w", encoding="utf-8"):
                pass

    def git(self, *words: str, at: str = "") -> str:
        """git in the repository."""
        done = subprocess.run(
            ["git", "-C", at or self.path, *words],
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def command(self, *words: str, code: int = 0) -> str:
        """The command's output. Raises if it ends with another code."""
        done = self._run(words)
        if done.returncode != code:
            raise AssertionError(
                f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
            )
        return done.stdout

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, ORCHESTRATE, *words],
            cwd=self.path,
            env=self.environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def at_once(self, *words: str) -> list[int]:
        """The exit codes of the same command, typed twice at once."""
        with ThreadPoolExecutor() as both:
            done = [both.submit(self._run, words) for _ in range(2)]
        return sorted(each.result().returncode for each in done)

    def submit(self, *words: str) -> str:
        """Submit the list; the id of the run."""
        told = json.loads(self.command(*SUBMIT, *words))
        run: str = told["run_id"]
        return run

    def status(self) -> Any:
        """The status of the last run."""
        return json.loads(self.command("status", "--engine", "slurm", "--json"))

    def phases(self) -> dict[str, str]:
        """The phase of each feature."""
        return {each["id"]: each["phase"] for each in self.status()["features"]}

    def wait(self, condition: Callable[[Any], bool], what: str, seconds: float = 90.0) -> Any:
        """Ask for the status until it fulfils a condition; that status."""
        deadline = time.monotonic() + seconds
        while True:
            told = self.status()
            if condition(told):
                return told
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come: {told}\n{self.cluster.logs()}")
            time.sleep(0.2)

    def wait_for(self, seconds: float = 90.0, **phases: str) -> Any:
        """Wait until features are in these phases."""

        def are(told: Any) -> bool:
            now = {each["id"]: each["phase"] for each in told["features"]}
            return all(now[id] == phase for id, phase in phases.items())

        return self.wait(are, str(phases), seconds)

    def nodes(self) -> dict[str, str]:
        """The nodes of the features that run, by feature."""
        return {e["id"]: e["node"] for e in self.status()["features"] if e["phase"] == "running"}

    def files(self, branch: str) -> Sequence[str]:
        """The files of a branch on the remote."""
        return self.git("ls-tree", "--name-only", branch, at=self.remote).split("\n")

    def holders_of_the_key(self, *folders: str) -> list[str]:
        """The files below these folders with the key in them."""
        return sorted(
            path
            for folder in folders
            for parent, _, names in os.walk(folder)
            for path in (os.path.join(parent, name) for name in names)
            if _holds(path)
        )


def _holds(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return CANARY.encode() in file.read()
    except OSError:
        return False


def feature(id: str, *does: Mapping[str, object], needs: Sequence[str] = ()) -> dict[str, object]:
    """A feature whose agent does these steps, then writes a file."""
    written = {"write": f"{id}.md", "content": id}
    return {"id": id, "prompt": steps(*does, written), "depends_on": list(needs)}
