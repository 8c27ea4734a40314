"""``python3 -m tests.fuzz --seconds 600 --seed 1``; ``--repeat FILE`` tries one input again."""

from __future__ import annotations

import argparse
import sys

try:
    import hypothesis
except ImportError:
    sys.exit("the fuzzer needs hypothesis: pip install -r .ci/requirements.txt")

from tests.fuzz import (
    cleaning,
    feature_list,
    imported_plans,
    journal,
    list_edit,
    names,
    splitter,
    stream,
    yaml_document,
)
from tests.fuzz.harness import Target, heading, repeat, run

TARGETS = {
    target.name: target
    for target in (
        *(feature_list.TARGET, journal.TARGET, stream.TARGET),
        *(splitter.TARGET, cleaning.TARGET, names.TARGET, list_edit.TARGET),
        *(imported_plans.TARGET, yaml_document.TARGET),
    )
}


def main() -> int:
    """Fuzz every target for its share of the time; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0, help="the same cases again")
    parser.add_argument("--only", choices=TARGETS, help="this target")
    parser.add_argument("--repeat", metavar="FILE", help="an input that failed before")
    arguments = parser.parse_args()
    if arguments.repeat:
        repeat(arguments.repeat, TARGETS)
        print("it does not fail any more")
        return 0
    chosen: list[Target] = [TARGETS[arguments.only]] if arguments.only else [*TARGETS.values()]
    print(f"hypothesis {hypothesis.__version__}, seed {arguments.seed}")
    print(heading(), flush=True)
    scores = []
    for target in chosen:
        scores.append(run(target, arguments.seconds / len(chosen), arguments.seed))
        print(scores[-1], flush=True)
    failures = sum(score.failures for score in scores)
    cases = sum(score.cases for score in scores)
    print(f"fuzz: {cases} cases, {len(scores)} targets, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
