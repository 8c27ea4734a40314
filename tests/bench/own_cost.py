"""A feature's own cost – worktree, commit, bookkeeping – beside ``make -j2`` doing the same
git commands by hand with the same agent.

Run: python3 -m tests.bench.own_cost
"""

from __future__ import annotations

import os
import shutil
import sys

from .agents import write_agent, write_list
from .measure import TOOL, Run, in_turn, repository, run, scratch, show

FEATURES = 60
SLOTS = 2
TIMES = 7
LIMIT = 1.3

MAKEFILE = """\
all: {ids}
{ids}:
	mkdir -p $(LOGS)
	printf 'Task: bring the feature "%s" to completion.\\n' $@ >$(LOGS)/$@.prompt
	flock $(LOGS)/lock git worktree add --quiet --no-track -b feature/$@ ../worktrees/$@ main
	cd ../worktrees/$@ && $(AGENT) <$(LOGS)/$@.prompt >$(LOGS)/$@.jsonl
	git -C ../worktrees/$@ status --porcelain=v2 --branch -z --untracked-files=all >$(LOGS)/$@.st
	printf '$@.txt\\0' | git -C ../worktrees/$@ update-index --add --remove -z --stdin
	git -C ../worktrees/$@ -c gc.auto=0 -c maintenance.auto=false commit -q -m 'feat($@): $@'
	git -C ../worktrees/$@ rev-parse HEAD >$(LOGS)/$@.commit
	git diff --shortstat main feature/$@ >$(LOGS)/$@.stat
	git update-ref refs/results/$@/1 feature/$@
.PHONY: all {ids}
"""


def main() -> int:
    """Build the same list with both, in fresh repositories."""
    ids = [f"f{number:02}" for number in range(FEATURES)]
    with scratch() as (folder, env):
        agent = write_agent(folder, 0)

        def fresh() -> str:
            for name in ("repository", "worktrees", "logs"):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
            return repository(folder, env)

        def ours() -> Run:
            path = fresh()
            listed = os.path.join(folder, "feature_list.json")
            write_list(listed, agent, {id: [] for id in ids}, SLOTS, "../worktrees")
            argv = [*TOOL, "run", "--yes", "--config", listed]
            return run(argv, cwd=path, env=env)

        def theirs() -> Run:
            path = fresh()
            with open(os.path.join(folder, "Makefile"), "w") as file:
                file.write(MAKEFILE.format(ids=" ".join(ids)))
            logs = os.path.join(folder, "logs")
            argv = ["make", "-s", f"-j{SLOTS}", "-f", "../Makefile"]
            return run([*argv, f"AGENT={agent}", f"LOGS={logs}"], cwd=path, env=env)

        mine, makes = in_turn(ours, theirs, TIMES)
    for name, runs in (("ours", mine), ("make", makes)):
        each = sorted(r.wall_seconds for r in runs)[len(runs) // 2] / FEATURES * 1000
        print(f"{name}: {each:.1f} ms a feature")
    return 0 if show(f"{FEATURES} features on {SLOTS} slots", mine, makes, LIMIT) else 1


if __name__ == "__main__":
    sys.exit(main())
