"""``assist`` in a repository of 2,000 files: beside ``plan`` of the same list, and in proportion.

Run: python3 -m tests.bench.assist
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

from .measure import TOOL, Run, in_turn, repository, run, scratch, show

FEATURES = 500
FILES = 2_000
TIMES = 5
LIMIT_PLAN = 15.0
LIMIT_RATIO = 3.0

WORDS = "It calls `Service{other}` in `src/part{other}/main.py`, and tells `other_name` of it. "


def listed(count: int) -> dict[str, object]:
    """A list with contracts, shared files, misspelled and missing dependencies, long prompts."""
    return {"project": {"name": "bench"}, "features": [_feature(i) for i in range(count)]}


def _feature(i: int) -> dict[str, object]:
    shared = f"Register it in `src/app{i % 50}.py`.\n"
    prompt = f"Add `src/part{i}/main.py` with class `Service{i}`. {shared}"
    return {
        "id": f"f{i}",
        "depends_on": [f"f{i - 1}"] if i % 10 else [],
        "prompt": prompt + WORDS.format(other=max(0, i - 7)) * 30,
        "creates": [f"path:src/part{i}/main.py", f"symbol:Service{i}"],
        "uses": [f"symbol:Service{max(0, i - 20)}", f"symbol:Servce{max(0, i - 3)}"],
        "estimated_tokens": 1_000 * (i % 17 + 1),
    }


def main() -> int:
    """Measure both sizes in the same repository."""
    with scratch() as (folder, env):
        path = repository(folder, env)
        _fill(path, env)
        for count in (FEATURES, 2 * FEATURES):
            with open(os.path.join(path, f"{count}.json"), "w") as file:
                json.dump(listed(count), file)

        def command(*words: str, count: int = FEATURES) -> Run:
            return run([*TOOL, *words, "--json", "--config", f"{count}.json"], cwd=path, env=env)

        beside = in_turn(lambda: command("assist"), lambda: command("plan"), TIMES)
        more = in_turn(
            lambda: command("assist", count=2 * FEATURES), lambda: command("assist"), TIMES
        )
    kept = [
        show(f"assist ÷ plan, {FEATURES} features", *beside, LIMIT_PLAN, cpu=True),
        show(f"assist of {2 * FEATURES} ÷ of {FEATURES} features", *more, LIMIT_RATIO, cpu=True),
    ]
    return 0 if all(kept) else 1


def _fill(path: str, env: Mapping[str, str]) -> None:
    for number in range(FILES):
        name = os.path.join(path, "src", f"old{number % 40}", f"file{number}.py")
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "w") as file:
            file.write(f"class Old{number}:\n    pass\n" * 20)
    run(["git", "add", "-A"], cwd=path, env=env)
    run(["git", "commit", "-q", "-m", "files"], cwd=path, env=env)


if __name__ == "__main__":
    sys.exit(main())
