"""The report of the benchmarks: table, JSON, picture, and the comparison with the reference."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from tests.support.once import once

from . import measure, picture, reference, report
from .__main__ import LONG, SHORT
from .measure import Figure

RATIO = Figure("plan ÷ <bare>", 1.5, 1.6, "", 1.25, 2.5, 7, "45 ms against 30 ms", 1.4)
SECONDS = Figure("opened", 0.31, 0.3, " s")
FOUND = [("startup", RATIO), ("journal", SECONDS)]


@once
class Reports(unittest.TestCase):
    def test_the_table_shows_noise_limit_and_verdict(self) -> None:
        self.assertEqual(
            list(report.table(FOUND))[2:],
            [
                "| `startup` | plan ÷ <bare> (45 ms against 30 ms) | 1.500 | 1.250–2.50 (7) "
                "| 1.6 | kept |",
                "| `journal` | opened | 0.310 s |  | 0.3 s | **not kept** |",
            ],
        )

    def test_json_gives_the_figures_back(self) -> None:
        document = json.loads(json.dumps(report.document(FOUND)))
        self.assertEqual(report.published(document), FOUND)

    def test_the_rows_of_benchmarks_that_were_not_measured_stay(self) -> None:
        other = ("journal", RATIO)
        order = ("startup", "journal")
        self.assertEqual(report.renewed(FOUND, [other], order), [FOUND[0], other])
        self.assertEqual(report.renewed([other], FOUND[:1], order), [FOUND[0], other])

    def test_the_picture_is_an_svg_with_a_bar_for_each_figure(self) -> None:
        drawn = ElementTree.fromstring(picture.svg(FOUND))
        self.assertEqual(len(drawn.findall("{*}rect")), 1 + len(FOUND))

    def test_a_name_has_no_figures_that_differ_from_run_to_run(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            measure.median("plan: 3 ms against 2 ms", [1.5, 1.4, 1.7], 2.0)
        figure = measure.FIGURES.pop()
        self.assertEqual((figure.name, figure.detail), ("plan", "3 ms against 2 ms"))
        self.assertEqual((figure.value, figure.low, figure.high), (1.5, 1.4, 1.7))


@once
class Benchmarks(unittest.TestCase):
    def test_each_can_be_imported_and_measures(self) -> None:
        for name in (*SHORT, *LONG):
            with self.subTest(name):
                module = importlib.import_module(f"tests.bench.{name}")
                self.assertTrue(callable(module.main))


@once
class References(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patched = mock.patch.object(reference, "PATH", Path(folder.name) / "reference.json")
        patched.start()
        self.addCleanup(patched.stop)

    def checked(self, *found: tuple[str, Figure]) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = reference.check(found)
        return code, said.getvalue()

    def test_a_ratio_beyond_its_margin_fails(self) -> None:
        reference.update(FOUND[:1])
        for steady, code in ((0.1, 0), (1.4, 0), (1.95, 0), (1.97, 1)):
            self.assertEqual(self.checked(_plan(steady))[0], code, steady)
        said = self.checked(_plan(2))[1]
        self.assertIn("startup: plan ÷ <bare>: 2.00, reference 1.4 + 40%: WORSE", said)

    def test_a_figure_without_a_reference_fails(self) -> None:
        reference.update(FOUND[:1])
        code, said = self.checked(_plan(1), ("new", SECONDS))
        self.assertEqual(code, 1)
        self.assertIn("no reference", said)

    def test_what_is_worse_is_measured_again_and_the_smaller_figure_counts(self) -> None:
        reference.update(FOUND[:1])
        self.assertEqual(reference.worse([_plan(1.4)]), [])
        self.assertEqual(reference.worse([_plan(2)]), ["startup"])
        for again, steady in ((1.3, 1.3), (3, 2)):
            ((_, figure),) = reference.least([_plan(2)], [_plan(again)])
            self.assertEqual(figure.guarded, steady)

    def test_an_update_keeps_margins_and_what_was_not_measured(self) -> None:
        known = {"startup: plan ÷ <bare>": {"ratio": 9, "margin": 0.1}, "x: y": {"ratio": 1}}
        reference.PATH.write_text(json.dumps(known))
        reference.update(FOUND[:1])
        known["startup: plan ÷ <bare>"]["ratio"] = 1.4
        self.assertEqual(json.loads(reference.PATH.read_text()), known)


def _plan(steady: float) -> tuple[str, Figure]:
    return "startup", Figure("plan ÷ <bare>", 9.0, 1.6, steady=steady)


if __name__ == "__main__":
    unittest.main()
