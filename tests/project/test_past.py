"""Past runs belong to lists."""

from __future__ import annotations

import os
import unittest

from core.dag.prediction import Source
from core.model.mask import Mask
from core.project.open import open_project
from core.project.past import Forecast, forecast_of, runs_of
from tests.support.commands import standing_in
from tests.support.past_runs import story
from tests.support.workspace import Workspace, feature


class Owners(unittest.TestCase):
    def test_a_list_that_was_moved_keeps_its_runs_and_another_has_its_own(self) -> None:
        with Workspace([feature("auth")]) as space:
            other = os.path.join(space.path, "config", "other.json")
            with open(other, "w", encoding="utf-8"):
                pass
            space.record(
                *story("r1", 100, "old/feature_list.json", "auth"),
                *story("r2", 200, "config/feature_list.json", "auth"),
                *story("r3", 300, "config/other.json", "auth"),
                *story("r4", 400, "", "auth"),
            )
            with standing_in(space.folder, space.environ):
                project = open_project("", "", Mask({}))
                found = [run.id for run in runs_of(project)]
                everything = [run.id for run in runs_of(project, all_lists=True)]
        self.assertEqual(found, ["r1", "r2", "r4"])
        self.assertEqual(everything, ["r1", "r2", "r3", "r4"])

    def test_the_forecast_knows_its_own_errors_after_some_runs(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:

            def forecast() -> Forecast:
                with standing_in(space.folder, space.environ):
                    return forecast_of(open_project("", "", Mask({})))

            self.assertFalse(forecast().predictions["auth"].is_measured)
            for number in range(3):
                self.assertIsNone(forecast().past_error)
                space.record(*story(f"r{number}", 100.0 * number, "", "auth"))
            made = forecast()
            self.assertEqual(made.past_error, 1.0)
            self.assertEqual(made.predictions["auth"].source, Source.FEATURE)
            self.assertEqual(made.predictions["api"].source, Source.ALL)
            self.assertEqual(made.seconds, {"auth": 10.0, "api": 10.0})


if __name__ == "__main__":
    unittest.main()
