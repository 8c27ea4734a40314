"""What a careful user does by hand for one feature, as a script for make and ninja.

Its git commands are those that bring one feature from its dependencies to a commit and a ref, each
of which ``run`` has as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

SCRIPT = """\
#!/bin/sh
# feature ID DEPENDENCY...: from the merged dependencies to a commit with the agent's work.
set -e
id=$1; shift
cd {repository}
tip=main
for other do
    if [ $tip = main ]; then tip=feature/$other; continue; fi
    tree=$(git merge-tree --write-tree $tip feature/$other)
    tip=$(git commit-tree -p $tip -p feature/$other -m "merge $other" $tree)
done
flock {logs}/lock git worktree add --quiet --no-track -b feature/$id ../worktrees/$id $tip
cd ../worktrees/$id
printf 'Task: bring the feature "%s" to completion.\\n' $id >{logs}/$id.prompt
{agent} <{logs}/$id.prompt >{logs}/$id.jsonl
git status --porcelain=v2 --branch -z --untracked-files=all >{logs}/$id.status
printf '%s\\0' $id.txt | git update-index --add --remove -z --stdin
git -c gc.auto=0 -c maintenance.auto=false commit --quiet -m "feat($id): $id"
git diff-tree --shortstat HEAD >{logs}/$id.stat
git update-ref refs/results/$id/1 HEAD
"""

NINJA = """\
rule feature
  command = {script} $id $needed
"""


def write_script(folder: str, agent: str) -> str:
    """The script for the repository in ``folder``; its path."""
    logs = os.path.join(folder, "logs")
    os.makedirs(logs, exist_ok=True)
    path = os.path.join(folder, "feature")
    with open(path, "w") as file:
        repository = os.path.join(folder, "repository")
        file.write(SCRIPT.format(repository=repository, logs=logs, agent=agent))
    os.chmod(path, 0o755)
    return path


def make_argv(
    folder: str, script: str, graph: Mapping[str, Sequence[str]], slots: int
) -> list[str]:
    """The command with which make builds all features of the graph."""
    path = os.path.join(folder, "Makefile")
    with open(path, "w") as file:
        file.write(f"all: {' '.join(graph)}\n.PHONY: all {' '.join(graph)}\n")
        for id, needed in graph.items():
            file.write(f"{id}: {' '.join(needed)}\n\t{script} {id} {' '.join(needed)}\n")
    return ["make", "-s", f"-j{slots}", "-f", path]


def ninja_argv(
    folder: str, script: str, graph: Mapping[str, Sequence[str]], slots: int
) -> list[str]:
    """The command with which ninja builds all features of the graph."""
    path = os.path.join(folder, "build.ninja")
    with open(path, "w") as file:
        file.write(NINJA.format(script=script))
        for id, needed in graph.items():
            file.write(f"build {id}: feature {' '.join(needed)}\n  id = {id}\n")
            file.write(f"  needed = {' '.join(needed)}\n")
    return ["ninja", "--quiet", f"-j{slots}", "-f", path]
