"""What an agent that prints without end costs the orchestrator: its peak memory ÷ that without.

Run: python3 -m tests.bench.flood
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.paths import ROOT

from .measure import median, repository, scratch

LIMIT_MIB = 100
MIB = 1024 * 1024

AGENT = """\
import json, os, sys
kind, mebibytes = sys.argv[1], int(sys.argv[2])
line = {
    "line": b"x" * ((1 << 20) - 1) + b"\\n",
    "short": b"{}\\n" * 349525 + b"\\n",
    "json": b'{"type":"user","message":"' + b"x" * 4000 + b'"}\\n',
}
def put(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]
if kind == "one line":
    for _ in range(mebibytes):
        put(1, b"x" * (1 << 20))
    put(1, b"\\n")
elif kind == "one message":
    put(1, b'{"type":"user","message":"')
    for _ in range(mebibytes):
        put(1, b"x" * (1 << 20))
    put(1, b'"}\\n')
else:
    where, what = kind.split(" of ")
    block = line[what] * ((1 << 20) // len(line[what]))
    for _ in range(mebibytes):
        put(2 if where == "stderr" else 1, block)
open("done.md", "w").write("done")
result = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 1}
put(1, json.dumps({**result, "result": "Done.", "total_cost_usd": 0.1}).encode() + b"\\n")
"""

COMMAND = """\
import os, resource, sys
sys.path.insert(0, sys.argv[1])
from core.cli import main
code = main(sys.argv[3:])
scale = 1 if sys.platform == "linux" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // scale
if os.path.exists("/proc/self/status"):
    # Not ru_maxrss: on Linux that begins with what the parent had when it forked.
    with open("/proc/self/status") as file:
        (peak,) = (int(line.split()[1]) for line in file if line.startswith("VmHWM"))
with open(sys.argv[2], "w") as file:
    file.write(str(peak))
sys.exit(code)
"""


@dataclass(frozen=True)
class Flood:
    """A run whose agent flooded it."""

    code: int
    peak_mib: float
    seconds: float
    said: str


def flooded(kind: str, mebibytes: int, folder: str, env: Mapping[str, str]) -> Flood:
    """Run one feature in ``folder``, whose agent prints so much; the command's own peak."""
    import json

    path = repository(folder, env)
    agent, peak = os.path.join(folder, "agent.py"), os.path.join(folder, "peak")
    listed = os.path.join(folder, "feature_list.json")
    with open(agent, "w") as file:
        file.write(AGENT)
    command = [sys.executable, agent, kind, str(mebibytes)]
    document = {
        "project": {"name": "Flood", "repo_path": path},
        "claude": {"command": command},
        "features": [{"id": "flood", "prompt": "Flood."}],
    }
    with open(listed, "w") as file:
        json.dump(document, file)
    argv = [sys.executable, "-c", COMMAND, ROOT, peak, "run", "--yes", "--config", listed]
    started = time.perf_counter()
    done = subprocess.run(
        argv, cwd=path, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True
    )
    seconds = time.perf_counter() - started
    with open(peak) as file:
        return Flood(done.returncode, int(file.read()) / 1024, seconds, done.stderr.decode())


MOST, MOST_OF_LINE = 1.5, 8.0
"""A line is held up to 64 MiB, and a message is held three times while it is parsed."""

TIMES = 5

FLOODS = (
    ("stdout of line", 1024, MOST),
    ("stdout of json", 1024, MOST),
    ("stdout of short", 1024, MOST),
    ("stderr of line", 1024, MOST),
    ("one line", 64, MOST_OF_LINE),
    ("one line", 100, MOST_OF_LINE),
    ("one message", 15, MOST_OF_LINE),
    ("one message", 63, MOST_OF_LINE),
)


def main() -> int:
    """Print each figure beside its limit."""
    kept = []
    for kind, mebibytes, limit in FLOODS:
        pairs = [(_peak(kind, mebibytes), _peak("stdout of line", 0)) for _ in range(TIMES)]
        flood, calm = (statistics.median(side) for side in zip(*pairs))
        words = (
            f"memory, {kind}, {mebibytes} MiB ÷ no flood: {flood:.0f} MiB against {calm:.0f} MiB"
        )
        kept.append(median(words, [one / other for one, other in pairs], limit))
    return 0 if all(kept) else 1


def _peak(kind: str, mebibytes: int) -> float:
    with scratch() as (folder, env):
        flood = flooded(kind, mebibytes, folder, env)
    if flood.code:
        raise SystemExit(f"{kind}: {flood.said}")
    return flood.peak_mib


if __name__ == "__main__":
    sys.exit(main())
