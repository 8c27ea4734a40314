"""What the views cost: CPU of a run and all its children but agents, with views and quiet.

Run: python3 -m tests.bench.views [--features 100] [--times 5] [--pages 20]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import selectors
import shutil
import socket
import statistics
import struct
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.web_pages import Browser

from .agents import write_list
from .measure import TOOL, median, repository, scratch

SLOTS = 8
STEPS = 10
"""Messages of an agent, a tenth of a second apart."""

LIMIT = 1.05

AGENT = """\
#!{python} -IS
# Edits a file step by step, as Claude does, and writes down its own CPU time.
import json, os, resource, sys, time
prompt = sys.stdin.read()
id = prompt.split('"')[1]
def say(**message):
    print(json.dumps({{**message, "session_id": "s"}}), flush=True)
say(type="system", subtype="init", cwd=os.getcwd())
for step in range({steps}):
    given = {{"file_path": os.path.join(os.getcwd(), f"{{id}}_{{step}}.txt")}}
    use = {{"type": "tool_use", "id": f"t{{step}}", "name": "Edit", "input": given}}
    usage = {{"input_tokens": 900, "output_tokens": 1}}
    message = {{"id": f"m{{step}}", "model": "opus", "content": [use], "usage": usage}}
    say(type="assistant", message=message)
    time.sleep(0.1)
    result = {{"type": "tool_result", "tool_use_id": f"t{{step}}", "content": "x" * 2000}}
    say(type="user", message={{"content": [result]}})
open(f"{{id}}.txt", "w").close()
with open(f"{{id}}.txt", "w") as file:
    file.write(id)
say(type="result", subtype="success", is_error=False, num_turns={steps}, result="done",
    total_cost_usd=0.01, usage={{"input_tokens": 9000, "output_tokens": 500}})
used = resource.getrusage(resource.RUSAGE_SELF)
with open(os.path.join({folder!r}, id), "w") as file:
    file.write(str(used.ru_utime + used.ru_stime))
os._exit(0)
"""


def main() -> int:
    """Run the same list with each view and without, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--pages", type=int, default=20, help="of run --web, 0 without it")
    asked = parser.parse_args()
    views = ("--progress", "live", *(["--web"] if asked.pages else []))
    with scratch() as (folder, env):
        bench = _Bench(folder, {**env, "TERM": "xterm-256color"}, asked.features, asked.pages)
        bench.cpu_seconds(*views)  # compiles everything once
        pairs = [
            (bench.cpu_seconds(*views), bench.cpu_seconds("--progress", "quiet"))
            for _ in range(asked.times)
        ]
    live, quiet = (statistics.median(side) for side in zip(*pairs))
    name = f"CPU of {asked.features} features with the live view"
    name += f" and {asked.pages} web pages" if asked.pages else ""
    words = f"{name} ÷ quiet: {live:.2f} s against {quiet:.2f} s"
    return 0 if median(words, [one / other for one, other in pairs], LIMIT) else 1


class _Bench:
    def __init__(self, folder: str, env: Mapping[str, str], features: int, pages: int) -> None:
        self.pages = pages
        self.folder, self.env = folder, env
        self.ids = [f"f{number:03}" for number in range(features)]
        self.used = os.path.join(folder, "used")
        self.agent = os.path.join(folder, "agent")
        text = AGENT.format(python=sys.executable, steps=STEPS, folder=self.used)
        Path(self.agent).write_text(text)
        os.chmod(self.agent, 0o755)

    def cpu_seconds(self, *words: str) -> float:
        """CPU of a run in a fresh repository and of its children, without the agents."""
        for name in ("repository", "worktrees", "used"):
            shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
        os.mkdir(self.used)
        path = repository(self.folder, self.env)
        listed = os.path.join(self.folder, "feature_list.json")
        graph = {id: [] for id in self.ids}
        write_list(listed, self.agent, graph, SLOTS, "../worktrees")
        argv = [*TOOL, "run", "--yes", "--config", listed, *words]
        all_of_it = _on_a_terminal(argv, path, self.env, self.pages)
        return all_of_it - sum(float(Path(self.used, id).read_text()) for id in self.ids)


def _on_a_terminal(argv: Sequence[str], folder: str, env: Mapping[str, str], pages: int) -> float:
    """CPU seconds of a command and its children, on a terminal that is read.

    If it prints the address of a page, that is opened so often.
    """
    pid, leader = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(argv[0], list(argv), dict(env))
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    said = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux: nothing has it open any more
            break
        if not chunk:
            break
        said = (said + chunk)[-10_000:]
        found = re.search(rb"http://127\.0\.0\.1:\d+/\?token=[\w-]+(?=\s)", said) if pages else None
        if found:
            threading.Thread(target=_open_pages, args=[found[0].decode(), pages]).start()
            pages = 0
    _, status, usage = os.wait4(pid, 0)
    os.close(leader)
    if status:
        raise SystemExit(f"the run failed:\n{said.decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


def _open_pages(url: str, count: int) -> None:
    """Load the page, and listen to its events until the server ends."""
    browser, pages = Browser(url), selectors.DefaultSelector()
    for _ in range(count):
        browser.page()
        pages.register(browser.listen().socket, selectors.EVENT_READ)
    while pages.get_map():
        for key, _ in pages.select():
            assert isinstance(key.fileobj, socket.socket)
            if not key.fileobj.recv(1 << 20):
                pages.unregister(key.fileobj)


if __name__ == "__main__":
    sys.exit(main())
