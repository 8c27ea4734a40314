"""`notify`, and the notifications of a run."""

from __future__ import annotations

import os

from tests.support.commands import read_text
from tests.support.endpoints import Endpoints
from tests.support.workspace import Workspace, WorkspaceTest, feature

DESKTOP = {"type": "desktop", "on": ["paused"]}


class NotifyTest(WorkspaceTest):
    endpoints: Endpoints

    @classmethod
    def setUpClass(cls) -> None:
        cls.endpoints = Endpoints()
        cls.addClassCleanup(cls.endpoints.close)

    def setUp(self) -> None:
        self.endpoints.got.clear()
        space = Workspace([feature("auth")])
        space.environ["SHOP_HOOK"] = self.endpoints.url("/ok")
        self.use(space)

    def entries(self, *entries: object) -> None:
        """Write them into the list."""
        self.workspace.document["notify"] = list(entries)
        self.workspace.change()

    def own(self, *on: str) -> dict[str, object]:
        """An entry with a command that keeps what it gets."""
        path = self.workspace.beside("got")
        return {"type": "command", "command": ["sh", "-c", f"cat >>{path}"], "on": list(on)}

    def test_it_shows_who_gets_what_and_what_is_missing(self) -> None:
        said = self.workspace.main("notify")
        self.assertEqual(said.code, 2)
        self.assertIn("has no notify", said.err)
        hook = {"type": "webhook", "url_env": "SHOP_HOOK", "on": ["finished", "budget"]}
        self.entries(hook, {"type": "slack", "url_env": "NONE"}, self.own("started"))
        said = self.workspace.main("notify")
        self.assertEqual(said.code, 1)
        self.assertIn("notify[0] webhook (SHOP_HOOK): ready\n  on budget, finished\n", said.out)
        missing = "notify[1] slack (NONE): the environment variable NONE is not set\n"
        self.assertIn(missing, said.out)
        self.assertIn("notify[2] command (sh -c 'cat", said.out)
        self.assertEqual(self.endpoints.got, [])
        self.entries(DESKTOP)
        self.assertIn("notify[0] desktop: ", self.workspace.main("notify").out)
        rows = self.workspace.main("notify", "--json").json["receivers"]
        self.assertEqual([rows[0][key] for key in ("type", "on")], ["desktop", ["paused"]])

    def test_a_test_reaches_everybody_once_the_user_consents_to_the_commands(self) -> None:
        self.entries({"type": "webhook", "url_env": "SHOP_HOOK"}, self.own("started"))
        said = self.workspace.main("notify", "--test")
        self.assertEqual(said.code, 2)
        self.assertIn("Runs notify: sh -c", said.err)
        self.assertEqual(self.endpoints.got, [])
        said = self.workspace.main("notify", "--test", "--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("notify[0] webhook (SHOP_HOOK): the test was delivered", said.out)
        self.assertEqual(self.endpoints.bodies()[0]["title"], "Shop: a test")
        self.assertIn('"event": "test"', read_text(self.workspace.beside("got")))
        self.assertEqual(self.workspace.main("notify", "--test", "--json").code, 0)

    def test_a_run_tells_its_receivers_and_hides_their_addresses_from_agents(self) -> None:
        got = self.workspace.beside("env")
        self.entries(
            {"type": "webhook", "url_env": "SHOP_HOOK", "on": ["finished"]},
            {"type": "discord", "url_env": "GONE"},
            self.own("started", "feature_completed"),
        )
        self.workspace.change(setup=[f"env >{got}"])
        gone = self.endpoints.url("/gone")
        plan = self.workspace.main("plan").out
        self.assertIn("Runs notify: sh -c", plan)
        done = self.workspace.main("run", "--yes", env={"GONE": gone})
        self.assertEqual(done.code, 0, done.err)
        [told] = self.endpoints.bodies()
        self.assertEqual((told["event"], told["completed"], told["total"]), ("finished", 1, 1))
        own = read_text(self.workspace.beside("got"))
        self.assertIn('"event": "started"', own)
        self.assertIn('"event": "feature_completed"', own)
        fault = "Notifications to notify[1] (discord) fail: HTTP 404 no such hook"
        self.assertEqual(done.err.count(fault), 1, done.err)
        self.assertNotIn("SHOP_HOOK", read_text(got))
        for folder, _, files in os.walk(self.workspace.state_folder):
            for name in files:
                self.assertNotIn(gone, read_text(os.path.join(folder, name)))
