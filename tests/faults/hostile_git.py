"""Agents that run git without a pause, all in one repository, while features come and go.

Each agent commits, makes and drops branches, tags and worktrees, writes the shared config, packs
and collects garbage; our own git calls meet all of that. What counts is how many features git
failed. The other figure is that of worktrees made and removed, many at the same moment.

Run: python3 -m tests.faults.hostile_git [SECONDS]
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass

from core.git.opening import open_repository
from core.model.errors import UserError
from core.process.spawner import Spawner, run_sync
from core.process.supervisor import Supervisor
from core.worktree.manager import WorktreeManager
from tests.support.repository import Repository
from tests.support.workspace import Workspace, feature

SLOTS = 8
BURST_SECONDS = 2

AGENT = r"""
end=$(( $(date +%s) + BURST )); n=0
while [ "$(date +%s)" -lt "$end" ]; do
  n=$((n + 1)); echo "$n" >>ID.log
  git add ID.log && git commit -qm "ID $n"
  git branch "extra-ID-$n" && git tag "tag-ID-$n"
  git worktree add -q --detach "ROOT/extra-ID" HEAD && git worktree remove --force "ROOT/extra-ID"
  case $((n % 5)) in
    0) git gc --auto --quiet;;
    1) git pack-refs --all;;
    2) git config "hostile.ID" "$n";;
    3) git worktree prune;;
    4) git repack -dq;;
  esac
  git branch -qD "extra-ID-$n"; git tag -d "tag-ID-$n"
done
"""


@dataclass(frozen=True)
class Figures:
    """Of one kind of stress."""

    tried: int
    faults: tuple[str, ...]
    seconds: float


def agents(seconds: float) -> Figures:
    """As many hostile features as keep all slots busy for so long; those that did not complete."""
    count = max(SLOTS + 2, round(seconds * SLOTS / BURST_SECONDS))
    place = Workspace(apart=True)
    try:
        place.git("config", "gc.auto", "50")
        listed = []
        for number in range(count):
            id = f"f{number}"
            script = AGENT.replace("ID", id).replace("BURST", str(BURST_SECONDS))
            path = place.script(f"{id}.sh", script.replace("ROOT", place.root))
            needs = [f"f{number - 5}", f"f{number - 3}"] if number % 7 == 6 else []
            listed.append(feature(id, {"bash": f"sh {path}"}, depends_on=needs))
        place.features(*listed, max_parallel=SLOTS)
        started = time.monotonic()
        running = place.start("run", "--yes")
        running.process.wait(10 * seconds + 600)
        took = time.monotonic() - started
        ended = {e["feature"]: e for e in place.journal() if e["event"] == "ended"}
        faults = [f"{id}: {e['reason']}" for id, e in ended.items() if e["status"] != "completed"]
        faults += [f"{f['id']}: has no end" for f in listed if f["id"] not in ended]
        place.git("fsck", "--connectivity-only")
        return Figures(count, tuple(faults), took)
    finally:
        place.close()


def adds(count: int, at_once: int) -> Figures:
    """Worktrees made and removed again, so many in flight at each moment."""

    async def work(repository: Repository) -> list[str]:
        faults: list[str] = []
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
        manager = WorktreeManager(git, os.path.join(repository.root, "worktrees"), "feature/")
        base = repository.commit_of("main")
        async with Supervisor(f"adds-{os.getpid()}") as supervisor:
            mine = manager.using(git.using(supervisor))
            free = asyncio.Semaphore(at_once)

            async def one(id: str) -> None:
                async with free:
                    try:
                        made = await mine.create(id, base)
                        problem = await mine.remove(id, made.path, base)
                    except UserError as error:
                        problem = error.message
                    faults.extend([problem] if problem else [])

            await asyncio.gather(*(one(f"f{number}") for number in range(count)))
        return faults

    with Repository() as repository:
        started = time.monotonic()
        faults = asyncio.run(work(repository))
        repository.git("fsck", "--connectivity-only")
        return Figures(count, tuple(faults), time.monotonic() - started)


def main() -> int:
    """Print both figures; a fault is the end."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    made = adds(200, 32)
    print(f"{made.tried} worktrees, 32 at a time: {len(made.faults)} faults, {made.seconds:.0f} s")
    run = agents(seconds)
    print(f"{run.tried} features of hostile agents: {len(run.faults)} faults, {run.seconds:.0f} s")
    for fault in (*made.faults, *run.faults):
        print(f"  {fault}")
    return 1 if made.faults or run.faults else 0


if __name__ == "__main__":
    sys.exit(main())
