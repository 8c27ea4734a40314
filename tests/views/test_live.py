"""The live view as text, at four sizes; ``python3 -m tests.views.test_live`` writes the files."""

from __future__ import annotations

import os
import sys
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager

from core.model.frozen import replace
from core.model.state import RunState
from core.reporter.style import Style, columns
from core.views.activity import Activity
from core.views.live import Facts, live_lines, short_count, spent_usd
from tests.support.live_runs import MOMENTS, NOW, START, busy
from tests.support.paths import ROOT
from tests.support.story import is_safe

FIXTURES = os.path.join(ROOT, "tests", "fixtures", "views")
SIZES = ((120, 40), (80, 24), (60, 20), (40, 10))


@contextmanager
def universal_time() -> Iterator[None]:
    """Clock times as in the files, wherever the tests run."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        os.environ.update({"TZ": before} if before else {})
        time.tzset()


def shown(name: str) -> str:
    """A moment at all sizes, each in a frame of its width."""
    state, facts = MOMENTS[name]()
    parts = []
    for width, height in SIZES:
        with universal_time():
            lines = live_lines(state, NOW, Style(width), height, facts)
        body = "".join(f"{line}\n" for line in lines)
        parts.append(f"-- {width}x{height} ".ljust(width, "-") + f"\n{body}")
    return "".join(parts)


def path_of(name: str) -> str:
    return os.path.join(FIXTURES, f"live_{name}.txt")


class TheViewAsText(unittest.TestCase):
    maxDiff = None

    def test_each_moment_looks_as_in_its_file(self) -> None:
        for name in MOMENTS:
            with self.subTest(name), open(path_of(name), encoding="utf-8") as file:
                self.assertEqual(shown(name), file.read())

    def test_no_line_fills_the_width_and_all_lines_fit_the_height(self) -> None:
        for name, made in MOMENTS.items():
            state, facts = made()
            for width in (*range(40, 50), 61, 79, 80, 100, 131, 300):
                for height in (1, 2, 3, 4, 9):
                    lines = live_lines(state, NOW, Style(width), height, facts)
                    with self.subTest(name=name, width=width, height=height):
                        self.assertLess(len(lines), max(height, 1))
                        widest = max(map(columns, lines), default=0)
                        self.assertLess(widest, width)

    def test_a_terminal_of_a_few_columns_breaks_nothing(self) -> None:
        for made in MOMENTS.values():
            state, facts = made()
            for width in (0, 1, 2, 5, 20):
                self.assertTrue(live_lines(state, NOW, Style(width), 5, facts))

    def test_colours_and_ascii_take_the_same_place(self) -> None:
        for made in MOMENTS.values():
            state, facts = made()
            drawn = live_lines(state, NOW, Style(80, colour=True), 24, facts)
            self.assertTrue(any("\x1b[" in line for line in drawn))
            self.assertEqual(len(drawn), len(live_lines(state, NOW, Style(80), 24, facts)))
        state, facts = busy()
        for line in live_lines(state, NOW, Style(80, unicode=False), 24, facts):
            self.assertTrue(line.isascii() and is_safe(line), line)

    def test_without_a_run_there_is_nothing(self) -> None:
        self.assertEqual(live_lines(RunState(), NOW, Style(), 24, Facts()), [])

    def test_a_run_that_is_over_has_no_expected_end(self) -> None:
        state, facts = busy()
        assert state.run is not None
        over = replace(state, run=replace(state.run, ended_at=START + 60))
        head = live_lines(over, NOW, Style(120), 24, facts)[0]
        self.assertIn("1m00s", head)
        self.assertNotIn("ends", head)

    def test_long_silences_are_told_in_hours(self) -> None:
        state, facts = busy()
        row = live_lines(state, NOW + 9_000, Style(120), 24, facts)[2]
        self.assertIn("no output for 2 h:", row)


class Costs(unittest.TestCase):
    def test_an_open_attempt_counts_with_the_rates_paid_so_far(self) -> None:
        state, _ = busy()
        api = state.feature("api")
        self.assertEqual(spent_usd(api, state, Activity()), (0.0, False))
        told = Activity(tokens_by_model={"opus": 100_000})
        self.assertEqual(spent_usd(api, state, told), (1.0, False))
        self.assertEqual(spent_usd(api, state, Activity(cost_usd=0.5)), (0.5, True))
        auth = state.feature("auth")
        self.assertEqual(spent_usd(auth, state, Activity()), (0.52, True))
        self.assertEqual(spent_usd(auth, RunState(), Activity()), (0.0, True))

    def test_counts_are_short(self) -> None:
        cases = {950: "950", 34_200: "34k", 999_499: "999k", 999_500: "1.0M", 12_340_000: "12.3M"}
        for count, words in cases.items():
            self.assertEqual(short_count(count), words)


def main() -> int:
    """Write the files."""
    for name in MOMENTS:
        with open(path_of(name), "w", encoding="utf-8") as file:
            file.write(shown(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
