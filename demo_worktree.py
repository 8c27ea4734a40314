#!/usr/bin/env python3
"""Shows a feature's worktree from its start to its cleanup, in a repository made for it.

Needs Python and git; touches nothing outside a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from core.cli import guarded
from core.git import opening
from core.model.feature import Feature
from core.process.spawner import Spawner, run_sync
from core.worktree import dependencies
from core.worktree.manager import WorktreeManager
from core.worktree.merge_proof import how_merged
from core.worktree.worktree import Conflict


def main() -> None:
    """Make two worktrees, commit in both, merge them, and clean one up."""
    with tempfile.TemporaryDirectory(prefix="rorchestrator-demo-") as folder:
        repository = os.path.join(folder, "repository")
        make_repository(repository)
        run_sync(show(repository, os.path.join(folder, "worktrees")))


def make_repository(path: str) -> None:
    """A repository with one commit, whatever the user's own git is set to do on commits."""
    subprocess.run(["git", "init", "--quiet", path], check=True)
    for setting in ("commit.gpgSign=false", "core.hooksPath=/dev/null"):
        subprocess.run(["git", "-C", path, "config", *setting.split("=")], check=True)
    subprocess.run(["git", "-C", path, "checkout", "--quiet", "-b", "main"], check=True)
    identity = ["-c", "user.name=Demo", "-c", "user.email=demo@localhost"]
    commit = ["commit", "--quiet", "--allow-empty", "-m", "start"]
    subprocess.run(["git", "-C", path, *identity, *commit], check=True)


async def show(path: str, folder: str) -> None:
    """Every step on the real WorktreeManager."""
    repository = await opening.open_repository(Spawner(), path, os.environ)
    manager = WorktreeManager(repository, folder, "feature/")
    base = await repository.commit_of("main")

    results = {}
    for feature in (Feature("auth", "User Authentication"), Feature("api", "REST API")):
        worktree = await manager.create(feature.id, base)
        with open(os.path.join(worktree.path, f"{feature.id}.txt"), "w") as file:
            file.write(f"{feature.name}\n")
        status = await manager.inspect(worktree)
        assert not isinstance(status, str), status
        work = await manager.commit(worktree, status, feature, "demo")
        await manager.publish(feature.id, "demo", work.commit)
        results[feature.id] = work.commit
        print(f"{feature.id}: {worktree.branch} at {work.commit[:10]}, {work.files_changed} file")

    start = await dependencies.start_commit(manager, base, results)
    assert not isinstance(start, Conflict)
    dashboard = await manager.create("dashboard", start)
    files = sorted(name for name in os.listdir(dashboard.path) if name != ".git")
    print(f"dashboard starts from both: {', '.join(files)}")

    print(f"merged into main? {await how_merged(manager, results['auth'], base) or 'no'}")
    print(f"merged into dashboard? {await how_merged(manager, results['auth'], start) or 'no'}")
    entry = await manager.entry("auth")
    assert entry is not None
    await manager.remove("auth", entry.path, results["auth"])
    print(f"auth removed; its result is still at {manager.result_ref('auth', 'demo')}")


if __name__ == "__main__":
    sys.exit(guarded(main))
