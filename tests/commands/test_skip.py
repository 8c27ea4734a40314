"""`skip` without a run."""

from __future__ import annotations

import os
import unittest

from core.model import events
from core.model.state import Skip
from tests.support.lives import attempt
from tests.support.workspace import Workspace, feature


class SkipTest(unittest.TestCase):
    """Without a run, between two of them."""

    def test_a_skip_holds_until_a_retry(self) -> None:
        space = Workspace([feature("auth"), feature("api", depends_on=["auth"]), feature("docs")])
        self.addCleanup(space.close)
        space.finished("docs")
        said = space.main("skip", "auth", "--json")
        self.assertEqual((said.code, said.json["done"], said.json["run"]), (0, True, None))
        features = {f["id"]: f for f in space.main("status", "--json").json["features"]}
        self.assertEqual([features[id]["status"] for id in ("auth", "api")], ["skipped", "pending"])
        plan = space.main("plan", "--json").json
        actions = {f["id"]: (f["action"], f["reason"]) for f in plan["features"]}
        self.assertEqual(actions["auth"], ("leave", "skipped, and its dependents do not run"))
        self.assertEqual(actions["api"], ("leave", "needs auth, which does not run"))
        shown = space.main("plan").out
        self.assertIn("[needs auth, which does not run]", shown)
        # The list of this workspace says something else than its one finished feature was made of.
        self.assertEqual(plan["features_to_run"], ["docs"])
        done = space.main("run", "--yes", "--only", "api", "--json")
        self.assertEqual((done.code, done.json["left_out"]), (1, ["auth", "api"]))
        self.assertIn("Only skipped features, and what depends on them, are left", done.err)
        space.main("skip", "auth", "--force")
        plan = space.main("plan", "--json").json
        self.assertEqual(plan["features_to_run"], ["api", "docs"])
        self.assertEqual(space.main("run", "--yes", "--only", "api").code, 0)
        self.assertEqual(set(space.files("feature/api")) - set(space.files("main")), {"api.md"})
        self.assertEqual(space.state().feature("auth").skip, Skip.FORCED)

    def test_a_completed_feature_cannot_be_skipped(self) -> None:
        space = Workspace([feature("auth")])
        self.addCleanup(space.close)
        space.run()
        for action, hint in (("skip", "status"), ("retry", "run --only auth --fresh")):
            said = space.main(action, "auth", *(["--yes"] if action == "retry" else []))
            self.assertEqual(said.code, 1)
            self.assertIn(f"auth is up to date; nothing to {action}", said.err)
            self.assertIn(f"rorchestrator {hint}", said.err)
        # As a run leaves it that is killed between its second commit point and the journal.
        known = space.state().feature("auth")
        run = known.run
        ref = f"refs/rorchestrator/results/auth/{known.result_name(run)}"
        space.git("update-ref", ref, known.last_result)
        story = [e for e in attempt("auth") if e.kind == "preparing"]
        space.record(*(events.Event(e.kind, e.at, run, e.feature, e.data) for e in story))
        said = space.main("skip", "auth")
        self.assertIn("completed, although its run was killed", said.err)

    def test_a_torn_journal_is_repaired_before_anything_is_added(self) -> None:
        space = Workspace([feature("auth")])
        self.addCleanup(space.close)
        space.main("skip", "auth")
        with open(os.path.join(space.state_folder, "journal.jsonl"), "a") as file:
            file.write('{"v":1')
        self.assertIn("cut off 6 bytes", space.main("skip", "auth", "--force").err)
        self.assertEqual(space.state().feature("auth").skip, Skip.FORCED)
