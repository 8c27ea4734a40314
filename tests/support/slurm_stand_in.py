"""Plays sbatch, squeue, scancel and scontrol: what the manuals document, with a file behind.

``SLURM_STATE`` names the file with its state: ``jobs`` (as squeue shows them, with the words of
their sbatch), ``next`` (the next id), ``refuse`` (by program: what it fails with) and ``calls``.
Nothing runs: a test says how a job ended.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # every import would cost each call some milliseconds
if TYPE_CHECKING:
    from typing import Any


def main() -> int:
    program, *words = sys.argv[1:]
    path = os.environ["SLURM_STATE"]
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    state["calls"].append([program, *words])
    refused = state["refuse"].get(program)
    if refused and refused["after"] <= 0:
        print(refused["says"], file=sys.stderr)
        code = 1
    else:
        if refused:
            refused["after"] -= 1
        code = PROGRAMS[program](state, words)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(path + ".new", path)
    return code


def option(words: list[str], name: str) -> str:
    """The value of ``--name=value``; empty without it."""
    return next((w.partition("=")[2] for w in words if w.startswith(f"--{name}=")), "")


def sbatch(state: Any, words: list[str]) -> int:
    held = "--hold" in words
    waits = option(words, "dependency")
    number = str(state["next"])
    state["next"] += 1
    reason = "JobHeldUser" if held else "Dependency" if waits else "Priority"
    state["jobs"].append(
        {
            "number": number,
            "name": option(words, "job-name"),
            "state": "PENDING",
            "reason": reason,
            "node": "",
            "words": words,
        }
    )
    print(f"{number}{state['cluster']}")
    return 0


def squeue(state: Any, words: list[str]) -> int:
    assert option(words, "format") == "%i|%j|%T|%r|%N", words
    for job in state["jobs"]:
        print("|".join(job[key] for key in ("number", "name", "state", "reason", "node")))
        if job["state"] == "COMPLETING":
            job["looks"] -= 1
            job["state"] = job["state"] if job["looks"] else "FAILED"
    return 0


def scancel(state: Any, words: list[str]) -> int:
    """A signal ends a job that runs after so many looks as ``looks`` says; 0: never."""
    for job in state["jobs"]:
        if job["number"] in words and (job["state"] == "PENDING" or "--batch" not in words):
            job.update(state="CANCELLED", reason="None")
        elif job["number"] in words and state["looks"]:
            job.update(state="COMPLETING", reason="None", looks=state["looks"])
    return 0


def scontrol(state: Any, words: list[str]) -> int:
    assert words[0] == "release", words
    for job in state["jobs"]:
        if job["number"] in words[1].split(","):
            job["reason"] = "Priority"
    return 0


PROGRAMS = {"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "scontrol": scontrol}

if __name__ == "__main__":
    sys.exit(main())
