"""Pull requests on GitHub."""

from __future__ import annotations

from core.handover.forge.forge import State
from core.process.spawner import run_sync
from tests.support.forge_tests import ForgeTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class GitHubTest(ForgeTest):
    def test_a_pull_request_is_opened_found_changed_and_seen(self) -> None:
        forge = self.forge
        made = run_sync(forge.open("feature/api", "feature/auth", "API", "text", draft=True))
        self.assertEqual(made, run_sync(forge.find("feature/api")))
        self.assertEqual((made.number, made.url), (11, "https://github.com/acme/shop/pull/11"))
        self.assertEqual((made.base, made.state, made.is_draft), ("feature/auth", State.OPEN, True))
        self.assertEqual(made.commit, self.there.branches()["feature/api"])
        changed = run_sync(forge.update(made.number, base="main", body="new"))
        self.assertEqual((changed.base, changed.body), ("main", "new"))
        self.assertEqual(run_sync(forge.view(made.number)), changed)
        self.assertEqual(forge.sign(11), "#11")

    def test_the_open_one_of_a_branch_is_found_before_closed_ones(self) -> None:
        self.assertIsNone(run_sync(self.forge.find("feature/auth")))
        for _ in range(2):
            run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
            self.there.change("feature/auth", state="closed")
        last = run_sync(self.forge.find("feature/auth"))
        self.assertEqual((last and last.number, last and last.state), (12, State.CLOSED))
        opened = run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.assertEqual(run_sync(self.forge.find("feature/auth")), opened)

    def test_a_merged_one_is_not_closed_and_an_armed_one_says_so(self) -> None:
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        self.there.change("feature/auth", armed=True)
        self.assertTrue(run_sync(self.forge.view(11)).is_armed)
        self.there.merge("feature/auth")
        self.assertIs(run_sync(self.forge.view(11)).state, State.MERGED)

    def test_nothing_that_is_sent_is_on_the_command_line(self) -> None:
        run_sync(self.forge.open("feature/auth", "main", "Auth", "a long text"))
        self.assertNotIn("a long text", str(self.there.calls()))

    def test_an_answer_of_another_shape_is_an_empty_one(self) -> None:
        self.assertIsNone(run_sync(self.forge_at("https://github.com/acme/shop").find("x")))
