"""The git commands that ``run`` itself starts for a feature, as a script for make."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

COMMIT = re.compile(r"\A[0-9a-f]{40}\Z")


@dataclass(frozen=True)
class Command:
    """One git process: when it started, how long it ran, and its arguments."""

    started: str
    seconds: float
    argv: Sequence[str]
    by_git: bool
    """Whether another git command started it."""

    @property
    def name(self) -> str:
        """The command itself, such as ``commit``."""
        words = iter(self.argv[1:])
        for word in words:
            if word in ("-C", "-c"):
                next(words)
            elif not word.startswith("-"):
                return word
        return self.argv[1]


@contextmanager
def traced(env: Mapping[str, str]) -> Iterator[str]:
    """A folder where git writes what each of its processes did, in the HOME of ``env``.

    ``run`` drops variables such as ``GIT_TRACE2_EVENT``, so the user's settings name it.
    """
    settings = os.path.join(env["HOME"], ".gitconfig")
    folder = os.path.join(env["HOME"], "trace")
    os.mkdir(folder)
    with open(settings, "w") as file:
        file.write(f"[trace2]\n\teventTarget = {folder}\n")
    try:
        yield folder
    finally:
        os.unlink(settings)


def commands_in(folder: str) -> list[Command]:
    """The git processes of a traced run, in the order in which they started."""
    return sorted(filter(None, map(_command, _files(folder))), key=lambda one: one.started)


def _files(folder: str) -> Iterator[str]:
    return (os.path.join(folder, name) for name in os.listdir(folder))


def _command(path: str) -> Command | None:
    start: dict[str, object] = {}
    with open(path) as file:
        for event in map(json.loads, file):
            if event["event"] == "start":
                start = event
            if event["event"] == "exit":
                argv, time = start["argv"], start["time"]
                assert isinstance(argv, list) and isinstance(time, str)
                return Command(time, event["t_abs"], argv, "/" in str(event["sid"]))
    return None


def script_of(id: str, commands: Sequence[Command], folder: str, agent: str) -> str:
    """What a run did with git for the feature ``id``, and the agent before the last look at it.

    The script takes the id of its feature as its argument.
    """
    names = _naming(id)
    own = [one for one in commands if not one.by_git and any(map(names.search, one.argv))]
    looks = [number for number, one in enumerate(own) if one.name == "status"]
    lines = ["#!/bin/sh", "set -e"]
    for number, one in enumerate(own):
        if number == looks[-1]:
            prompt, worktree = f'{folder}/logs/"$1".prompt', f'{folder}/worktrees/"$1"'
            task = 'Task: bring the feature "%s" to completion.\\n'
            lines.append(f"printf '{task}' \"$1\" >{prompt}")
            lines.append(f'(cd {worktree} && {agent} <{prompt} >{folder}/logs/"$1".jsonl)')
        lines.append(f'{_line(id, one, folder)} >{folder}/logs/"$1".{number}')
    return "\n".join(lines) + "\n"


def _line(id: str, one: Command, folder: str) -> str:
    # The commit that a ref gets is the branch's, any other one is where worktrees start.
    commit = f"feature/{id}" if one.name == "update-ref" else "main~0"
    words = " ".join(_quoted(id, COMMIT.sub(commit, word)) for word in one.argv)
    if one.name in ("worktree", "checkout"):
        # git fails where it finds the half-made worktree of another process.
        return f"flock {folder}/logs/lock {words}"
    if one.name == "config":
        return f"{words} || [ $? = 1 ]"  # it is not set
    return f"printf '%s\\0' \"$1\".txt | {words}" if "--stdin" in one.argv else words


def _quoted(id: str, word: str) -> str:
    """A word for the shell, with its argument in the place of the feature."""
    parts = _naming(id).split(word)
    return '"$1"'.join(shlex.quote(part) if part else "" for part in parts) or "''"


def _naming(id: str) -> re.Pattern[str]:
    """Finds a feature where it is named: a commit of another one may have the same characters."""
    return re.compile(rf"\b{re.escape(id)}\b")
