"""What an agent that prints without end costs the orchestrator: its peak memory, and the time.

Run: python3 -m tests.bench.flood
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.paths import ROOT

from .measure import repository, scratch, verdict

LIMIT_MIB = 100
ONE_LINE_MIB = 256
"""A line is held up to 64 MiB, and a message is held three times while it is parsed."""
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


FLOODS = (
    ("stdout of line", 1024, LIMIT_MIB),
    ("stdout of json", 1024, LIMIT_MIB),
    ("stdout of short", 1024, LIMIT_MIB),
    ("stderr of line", 1024, LIMIT_MIB),
    ("one line", 64, ONE_LINE_MIB),
    ("one line", 100, ONE_LINE_MIB),
    ("one message", 15, ONE_LINE_MIB),
    ("one message", 63, ONE_LINE_MIB),
)


def main() -> int:
    """Print each figure beside its limit."""
    kept = []
    for kind, mebibytes, limit in FLOODS:
        with scratch() as (folder, env):
            flood = flooded(kind, mebibytes, folder, env)
        what = f"{kind}, {mebibytes} MiB: exit {flood.code}, {flood.seconds:.1f} s, peak"
        kept.append(verdict(what, flood.peak_mib, limit, " MiB") and flood.code == 0)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
