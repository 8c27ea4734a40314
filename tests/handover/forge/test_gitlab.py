"""Merge requests on GitLab."""

from __future__ import annotations

from core.handover.forge.forge import State
from core.process.spawner import run_sync
from tests.support.forge_tests import ForgeTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class GitLabTest(ForgeTest):
    program = "glab"

    def test_a_merge_request_is_opened_found_changed_and_seen(self) -> None:
        forge = self.forge
        made = run_sync(forge.open("feature/api", "feature/auth", "API", "text", draft=True))
        self.assertEqual(made, run_sync(forge.find("feature/api")))
        self.assertEqual(made.title, "Draft: API")
        self.assertEqual((made.base, made.state, made.is_draft), ("feature/auth", State.OPEN, True))
        changed = run_sync(forge.update(made.number, base="main", body="new"))
        self.assertEqual((changed.base, changed.body), ("main", "new"))
        self.assertEqual(run_sync(forge.view(made.number)), changed)
        self.assertEqual(forge.sign(11), "!11")

    def test_a_merge_request_of_a_fork_is_not_ours(self) -> None:
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.there.change("feature/auth", source=2)
        self.assertIsNone(run_sync(self.forge.find("feature/auth")))

    def test_merged_closed_and_armed_ones_say_so(self) -> None:
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.there.change("feature/auth", armed=True)
        self.assertTrue(run_sync(self.forge.view(11)).is_armed)
        for state in (State.CLOSED, State.MERGED):
            self.there.change("feature/auth", state=state.value)
            found = run_sync(self.forge.find("feature/auth"))
            self.assertIs(found and found.state, state)
