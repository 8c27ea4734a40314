"""``why``: before, during and after a run, and on a list with a fault."""

from __future__ import annotations

import os
import time
import unittest

from core.model import events
from core.model.frozen import replace
from core.model.provenance import Provenance
from tests.support.lives import RUN, attempt
from tests.support.workspace import Workspace, feature

AUTH = feature("auth", {"write": "auth.txt"})
API = feature("api", depends_on=["auth"])


class Before(unittest.TestCase):
    def test_every_feature_has_a_line_and_an_unknown_one_is_an_error(self) -> None:
        with Workspace([AUTH, API]) as space:
            said = space.main("why")
            self.assertEqual(
                said.out.splitlines(),
                [
                    "auth  has never run",
                    "  → rorchestrator run --only auth",
                    "api   has never run; auth runs first",
                    "  → rorchestrator run --only api",
                ],
            )
            said = space.main("why", "autt")
            self.assertEqual(said.code, 2)
            self.assertIn("unknown feature 'autt' (did you mean 'auth'?)", said.err)


class WhileARunIsInProgress(unittest.TestCase):
    def test_a_feature_waits_for_the_one_that_runs(self) -> None:
        recorded = Provenance(depends_on={"api": ("auth", "gone")})
        begun = events.run_started(
            time.time() - 100,
            RUN,
            pid=os.getpid(),
            base_branch="main",
            base_commit="ba5e",
            features=["auth", "api"],
            max_parallel=1,
            provenance=recorded,
        )
        with Workspace([AUTH, API]) as space, space.at_work(begun, *attempt("auth")):
            document = space.main("why", "--json").json
            found = {entry["feature"]: entry for entry in document["features"]}
            self.assertEqual(found["auth"]["standing"], "running")
            self.assertEqual(found["api"]["waits_for"], ["auth"])
            self.assertIn("api waits for auth (running)\n", space.main("why", "api").out)
            space.write({"config/feature_list.json": "{"})
            self.assertIn("api waits for auth (running)\n", space.main("why", "api").out)
            space.change([AUTH, API])
            # A run of another list does not count.
            space.record(events.run_ended(time.time(), RUN, exit_code=0))
            space.record(replace(begun, data={**begun.data, "list": "other.json"}))
            self.assertIn("api has never run", space.main("why", "api").out)


class AfterARun(unittest.TestCase):
    def test_a_changed_prompt_and_its_dependents_are_told_with_the_changed_lines(self) -> None:
        with Workspace([AUTH, API]) as space:
            space.run()
            self.assertEqual(space.main("why").out, "2 features up to date\n")
            changed = {**AUTH, "description": "Sign in."}
            space.change([changed, API])
            said = space.main("why", "auth", "--config", "config")
            self.assertIn("auth runs again: prompt changed (description)\n", said.out)
            self.assertIn("    +Sign in.\n", said.out)
            self.assertIn("rorchestrator run --config config --only auth\n", said.out)
            self.assertIn("api   runs again: its dependency auth runs again", space.main("why").out)
            space.write({"config/feature_list.json": "{"})
            said = space.main("why")
            self.assertIn("The feature list cannot be used", said.err)
            self.assertIn("auth  is recorded as completed\n", said.out)
            self.assertIn("is not JSON", space.main("why", "api", "--json").json["list_fault"])

    def test_what_was_rejected_runs_again_for_that_reason_and_is_not_proposed_to_land(self) -> None:
        with Workspace([AUTH, API]) as space:
            space.run()
            space.change([{**AUTH, "description": "Sign in."}, API])
            space.main("review", "api", "--reject", "--comment", "No.")
            space.main("review", "auth", "--reject", "--comment", "No.")
            said = space.main("why")
            self.assertIn("auth  runs again: rejected\n", said.out)
            self.assertIn("api   runs again: rejected\n", said.out)
            self.assertNotIn("--stale", said.out)
