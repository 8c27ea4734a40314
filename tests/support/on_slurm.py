"""A workspace whose list is submitted to a Slurm that the stand-ins play."""

from __future__ import annotations

import json
import os
import sys
import unittest
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.commands import CommandResult, read_text
from tests.support.forges import put_program
from tests.support.paths import ROOT
from tests.support.workspace import Workspace, feature

PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol")
STAND_IN = "tests.support.slurm_stand_in"

CHAIN = (feature("a"), feature("b", depends_on=["a"]), feature("c", depends_on=["b"]))


class SlurmTest(unittest.TestCase):
    """A list, its remote, and the programs of Slurm on PATH."""

    shop: Workspace
    remote: str
    bin: str

    def open(self, *features: Mapping[str, object], **project: object) -> None:
        """Open the project; without features with a chain of three."""
        self.shop = Workspace(features or CHAIN, project=project)
        self.addCleanup(self.shop.close)
        self.remote = self.shop.beside("shop.git")
        self.shop.git("init", "--quiet", "--bare", "--template=", self.remote)
        self.shop.git("remote", "add", "origin", self.remote)
        self.shop.git("push", "--quiet", "origin", "main")
        self.bin = self.shop.beside("bin")
        start = f"import sys; sys.path[0] = '{ROOT}'; from {STAND_IN} import main; sys.exit(main())"
        for program in PROGRAMS:
            script = f'#!/bin/sh\nexec "{sys.executable}" -S -c "{start}" {program} "$@"\n'
            put_program(self.bin, program, script)
        put_program(self.bin, "rorchestrator", "#!/bin/sh\n")
        state = self.shop.beside("slurm.json")
        self.shop.environ.update(
            PATH=f"{self.bin}{os.pathsep}{os.environ['PATH']}", SLURM_STATE=state
        )
        self.slurm = StandIn(state)

    def submit(self, *words: str, **how: Any) -> CommandResult:
        """``submit --yes`` to Slurm."""
        return self.shop.main("submit", "--engine", "slurm", "--yes", *words, **how)

    def submitted(self, *words: str) -> str:
        """Submit; the id of the run."""
        told = self.submit("--json", *words)
        self.assertEqual(told.code, 0, told)
        run: str = told.json["run_id"]
        return run

    def on(self, command: str, *words: str, **how: Any) -> CommandResult:
        """A command with ``--engine slurm``."""
        return self.shop.main(command, *words, "--engine", "slurm", **how)

    def status(self, *words: str) -> Any:
        """``status --json`` of the run."""
        told = self.on("status", "--json", *words)
        self.assertEqual(told.code, 0, told)
        return told.json

    def phases(self, *words: str) -> dict[str, str]:
        """The phase of each feature."""
        return {each["id"]: each["phase"] for each in self.status(*words)["features"]}

    def why(self, id: str) -> str:
        """Why a feature is where it is."""
        found: str = next(e["why"] for e in self.status()["features"] if e["id"] == id)
        return found

    def tell(self, run: str, id: str, status: str = "", **more: object) -> str:
        """Push the report of a feature, or its claim without a status; the commit of the ref."""
        document: dict[str, object] = {"format": 1, "run_id": run, "feature": id, "attempt": 1}
        if status:
            document.update(status=status, report={"total_cost_usd": 0.25}, **more)
        else:
            document["host"] = "node7"
        name = "report.json" if status else "claim.json"
        at = self.remote
        blob = self.shop.git(
            "hash-object", "-w", "--stdin", at=at, stdin=json.dumps(document).encode()
        )
        tree = self.shop.git("mktree", at=at, stdin=f"100644 blob {blob}\t{name}\n".encode())
        commit = self.shop.git("commit-tree", "-m", "told", tree, at=at)
        self.shop.git("update-ref", f"refs/rorchestrator/runs/{run}/{id}", commit, at=at)
        return commit

    def ended(self, run: str, *ids: str, status: str = "completed") -> None:
        """Jobs that ended with a report."""
        for id in ids:
            self.tell(run, id, status)
            self.slurm.set(id, state="COMPLETED" if status == "completed" else "FAILED")

    def folder(self, run: str) -> str:
        """The folder of the jobs of a run."""
        return os.path.join(self.shop.state_folder, "engines", "slurm", run)


class StandIn:
    """The Slurm that the stand-ins play."""

    def __init__(self, path: str) -> None:
        self.path = path
        plain = {"jobs": [], "next": 11, "refuse": {}, "calls": [], "cluster": ""}
        plain.update(looks=1)
        self._write(plain)

    @property
    def state(self) -> Any:
        """All that it knows."""
        return json.loads(read_text(self.path))

    def _write(self, state: Any) -> None:
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(state, file)

    def know(self, **values: object) -> None:
        """Change what it knows: ``refuse``, ``looks``, ``cluster``, ``jobs``."""
        self._write({**self.state, **values})

    def refuse(self, program: str, says: str = "no", after: int = 0) -> None:
        """Let a program fail, after it has worked some times."""
        self.know(refuse={program: {"says": says, "after": after}})

    def set(self, id: str, **values: str) -> None:
        """Change the last job of a feature."""
        state = self.state
        job = [job for job in state["jobs"] if job["name"].endswith(f"-{id}")][-1]
        job.update(values)
        self._write(state)

    def forget(self, *ids: str) -> None:
        """Forget the jobs of features, as Slurm does after a while."""
        kept = [
            j for j in self.state["jobs"] if not j["name"].endswith(tuple(f"-{i}" for i in ids))
        ]
        self.know(jobs=kept)

    def jobs(self) -> dict[str, Any]:
        """The last job of each feature."""
        return {job["name"].rpartition("-")[2]: job for job in self.state["jobs"]}

    def waits(self) -> dict[str, str]:
        """The ``--dependency`` of each feature's last job."""
        found = {}
        for id, job in self.jobs().items():
            given = [word for word in job["words"] if word.startswith("--dependency=")]
            found[id] = given[0].partition("=")[2] if given else ""
        return found

    def calls(self, program: str) -> Sequence[list[str]]:
        """The command lines of a program so far."""
        return [call for call in self.state["calls"] if call[0] == program]
