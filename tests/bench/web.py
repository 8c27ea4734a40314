"""What twenty pages of ``run --web`` cost: CPU and memory of their process, over a whole run.

Run: python3 -m tests.bench.web [--features 40] [--clients 20]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping

from tests.support.web_pages import Browser

from .agents import write_agent, write_list
from .measure import TOOL, median, repository, scratch

SLOTS = 8
AGENT_SECONDS = 1.0

CPU_LIMIT = 5.0
"""Percent of a core."""

MEMORY_LIMIT = 30.0
"""MiB that the pages add to the process."""

TIMES = 5


def main() -> int:
    """Run a list with pages that listen, and look at their process until the run has ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--clients", type=int, default=20)
    asked = parser.parse_args()
    found = [_once(asked.features, asked.clients) for _ in range(TIMES)]
    shares, added = zip(*found)
    name = f"{asked.clients} pages of {asked.features} features"
    kept = [
        median(f"{name}, CPU of a core", shares, CPU_LIMIT, " %"),
        median(f"{name}, memory of the pages", added, MEMORY_LIMIT, " MiB"),
    ]
    return 0 if all(kept) else 1


def _once(features: int, clients: int) -> tuple[float, float]:
    """Percent of a core, and MiB that the pages add."""
    with scratch() as (folder, env):
        path = repository(folder, env)
        listed = os.path.join(folder, "feature_list.json")
        ids = [f"f{number:03}" for number in range(features)]
        graph = {
            id: ids[n - SLOTS : n - SLOTS + 1] if n >= SLOTS else [] for n, id in enumerate(ids)
        }
        write_list(listed, write_agent(folder, AGENT_SECONDS), graph, SLOTS, "../worktrees")
        cpu, seconds, before, after, received = _measured(listed, path, env, clients)
    print(f"{received / 2**20 / clients:.1f} MiB for each page, process {after:.0f} MiB")
    return 100 * cpu / seconds, after - before


def _measured(
    listed: str, path: str, env: Mapping[str, str], clients: int
) -> tuple[float, float, float, float, int]:
    """CPU and wall seconds of the page's process, its MiB before and with pages, bytes sent."""
    # Its own start is not counted: it is the same without a page.
    server = subprocess.Popen(
        [*TOOL, "web", "--port", "0", "--json", "--config", listed],
        cwd=path,
        env=dict(env),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    browser = Browser(json.loads(server.stdout.readline())["url"])
    browser.page()
    before, started, cpu = _memory(server.pid), time.monotonic(), _cpu(server.pid)
    argv = [*TOOL, "run", "--yes", "--quiet", "--config", listed]
    run = subprocess.Popen(argv, cwd=path, env=dict(env), stdout=subprocess.DEVNULL)
    pages = selectors.DefaultSelector()
    for _ in range(clients):
        browser.page()
        pages.register(browser.listen().socket, selectors.EVENT_READ)
    received, most = 0, before
    while run.poll() is None:
        for key, _ in pages.select(0.5):
            assert isinstance(key.fileobj, socket.socket)
            received += len(key.fileobj.recv(1 << 20))
        most = max(most, _memory(server.pid))
    if run.returncode:
        raise SystemExit(f"the run ended with {run.returncode}")
    used, seconds = _cpu(server.pid) - cpu, time.monotonic() - started
    server.send_signal(
        signal.SIGTERM
    )  # SIGINT is ignored where a shell started this in the background
    server.wait()
    return used, seconds, before, most, received


def _memory(pid: int) -> float:
    """MiB of memory that a process has in use."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        (kib,) = re.findall(r"VmRSS:\s+(\d+)", file.read())
    return int(kib) / 1024


def _cpu(pid: int) -> float:
    """CPU seconds of a process, and of its children that have ended."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b") ")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
