"""The agent that both sides of a comparison run, and the lists that hand it out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

AGENT = """\
#!/bin/sh
# Speaks the stream of Claude Code at the least cost: one file, one result.
read -r line
id=${line#*\\"}; id=${id%%\\"*}
printf '{"type":"system","subtype":"init","session_id":"s"}\\n'
SLEEP
printf '%s\\n' "$id" >"$id.txt"
printf '{"type":"result","subtype":"success","is_error":false,"num_turns":1,'
printf '"result":"done","total_cost_usd":0.01,"session_id":"s"}\\n'
"""


def write_agent(folder: str, seconds: float) -> str:
    """An executable agent that takes ``seconds``."""
    path = os.path.join(folder, "agent")
    with open(path, "w") as file:
        file.write(AGENT.replace("SLEEP", f"sleep {seconds:g}" if seconds else ":"))
    os.chmod(path, 0o755)
    return path


def write_timed_agent(folder: str, seconds: Mapping[str, float], times: str) -> str:
    """An agent that takes its own time for each feature.

    It writes its start and its end into a file of the folder ``times``.
    """
    path = os.path.join(folder, "agent")
    each = "".join(f"{id}) seconds={time:g};; " for id, time in seconds.items())
    stamp = f'date +%s.%N >>{times}/"$id"'
    sleep = f'{stamp}; case "$id" in {each}esac; sleep $seconds; {stamp}'
    with open(path, "w") as file:
        file.write(AGENT.replace("SLEEP", sleep))
    os.chmod(path, 0o755)
    return path


def write_list(
    path: str,
    agent: str,
    graph: Mapping[str, Sequence[str]],
    slots: int,
    worktrees: str,
    tokens: Mapping[str, int] | None = None,
) -> None:
    """A feature list of ``graph`` (dependencies by id), each with its estimated ``tokens``."""
    known = tokens or {}
    features = [
        {
            "id": id,
            "prompt": "do it",
            "depends_on": list(needed),
            "estimated_tokens": known.get(id, 1000),
        }
        for id, needed in graph.items()
    ]
    document = {
        "project": {
            "name": "bench",
            "repo_path": "repository",
            "max_parallel": slots,
            "start_interval_seconds": 0,
            "worktrees_path": worktrees,
        },
        "claude": {"command": [agent]},
        "features": features,
    }
    with open(path, "w") as file:
        json.dump(document, file)
