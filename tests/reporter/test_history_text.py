"""The lines of `history`."""

from __future__ import annotations

import unittest

from core.model.frozen import replace
from core.model.moments import minute
from core.model.past_runs import Accuracy, PastFeature, PastRun, total
from core.reporter import history_text
from core.reporter.style import Style, columns

AUTH = PastFeature("auth", "completed", 60.0, 0.5, 10, 1)
API = PastFeature("api", "timed_out", 30.0, None, 10, 2)
APP = PastFeature("app", "blocked")
RUN = PastRun("20260102T143015-abcdef", 1_767_364_215.0, 75.0, 1, "", 2, (AUTH, API, APP))
KILLED = replace(RUN, exit_code=None, features=(AUTH,))


class Lines(unittest.TestCase):
    def test_runs_and_medians_are_shown(self) -> None:
        lines = list(history_text.history_lines([RUN, KILLED], [total("auth", [AUTH])], Style()))
        at = minute(RUN.started_at)
        self.assertEqual(
            lines,
            [
                "STARTED           RUN                     COMPLETED     TIME   COST   SPEEDUP",
                f"{at}  20260102T143015-abcdef  1/3           1m15s  ?      1.2x",
                f"{at}  20260102T143015-abcdef  1/1 (no end)  1m15s  $0.50  0.8x",
                "",
                "2 runs: 3 features ran, 67 % completed, $1.00 and 1 unknown",
                "",
                "FEATURE OR TAG  RAN  COMPLETED  MEDIAN TIME  MEDIAN COST  COST",
                "auth            1    100 %      1m00s        $0.50        $0.50",
            ],
        )

    def test_runs_without_a_feature_that_ran_have_no_medians(self) -> None:
        lines = list(history_text.history_lines([replace(RUN, features=(APP,))], [], Style()))
        self.assertEqual(lines[-1], "1 run: 0 features ran, none completed, $0.00")

    def test_one_feature_is_shown_with_how_it_ended(self) -> None:
        lines = list(history_text.feature_lines([RUN], "api", Style()))
        self.assertIn("  timed out  30s   ?  ", lines[1])
        self.assertIn(
            "api      1    0 %        -            -            $0.00 and 1 unknown", lines
        )
        lines = list(history_text.feature_lines([RUN], "app", Style()))
        self.assertIn("app      0    -          -            -            $0.00", lines)

    def test_every_width_is_kept(self) -> None:
        for width in (80, 60, 40):
            style = replace(Style(), width=width)
            long = replace(AUTH, id="a-feature-with-a-name-that-goes-on-and-on-and-on")
            rows = history_text.run_rows([RUN])
            sums = history_text.total_rows([total(long.id, [long])], "FEATURE")
            for line in (*history_text.table(rows, style), *history_text.table(sums, style)):
                self.assertLessEqual(columns(line), width)
        narrow = list(history_text.table(history_text.run_rows([RUN]), replace(Style(), width=60)))
        self.assertNotIn("RUN ", narrow[0])

    def test_errors_of_estimates_are_in_per_cent(self) -> None:
        given = [Accuracy("time of a run", 0.254, 3), Accuracy("cost of a feature", None, 0)]
        self.assertEqual(
            list(history_text.accuracy_lines(given, Style())),
            [
                "ESTIMATE           MEDIAN ERROR  FROM",
                "time of a run      25 %          3 runs",
                "cost of a feature  -             0 features",
            ],
        )

    def test_a_run_has_its_time_before_its_name(self) -> None:
        expected = [f"{minute(RUN.started_at)}  20260102T143015-abcdef"]
        self.assertEqual(history_text.by_run(RUN, AUTH), expected)


if __name__ == "__main__":
    unittest.main()
