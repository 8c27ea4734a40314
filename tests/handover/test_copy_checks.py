"""Commits that were put on another base are checked there before they are pushed."""

from __future__ import annotations

import os
import signal
from unittest import mock

from core.process.supervisor import Killed
from tests.support.commands import wait_until
from tests.support.handovers import HandoverTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.steered_runs import Run, started
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

SOUND = "! test -e broken"


class CopyChecksTest(HandoverTest):
    def land_auth(self, *verify: str, on_main: str = "", **of_api: object) -> None:
        """``api`` was pushed on ``auth``, which then landed by a squash merge."""
        api = feature("api", depends_on=["auth"], **of_api)
        self.open(feature("auth"), api, verify=list(verify))
        self.shop.finish("auth")
        self.shop.finish("api", start="feature/auth")
        self.assertEqual(self.push().code, 0)
        landed = self.shop.git(
            *("commit-tree", "-p", "main", "-m", "auth (#11)", "feature/auth^{tree}")
        )
        self.shop.git("push", "--quiet", "origin", f"{landed}:refs/heads/main")
        if on_main:
            self.forge.commit("main", {on_main: "1\n"})

    def checked(self) -> list[str]:
        """How the checks ended so far."""
        return [event["ending"] for event in self.shop.events("checked")]

    def test_what_fails_there_is_held_and_not_pushed(self) -> None:
        self.land_auth(SOUND, on_main="broken")
        said = self.push()
        self.assertEqual(said.code, 1)
        self.assertIn("held api (feature/api): its checks fail on main: check: ", said.out)
        self.assertEqual(self.forge.branches()["feature/api"], self.tip("api"))
        self.forge.commit("main", {"broken": None})
        self.assertEqual(self.push("api").code, 0)
        self.assertEqual(self.forge.git("rev-parse", "feature/api^"), self.forge.branches()["main"])
        before = len(self.checked())
        self.assertEqual(self.push("api").code, 0)
        self.assertEqual(len(self.checked()), before)

    def test_a_features_own_checks_and_contracts_count(self) -> None:
        self.land_auth(creates=["path:other.txt"])
        self.assertIn("names path:other.txt, but", self.push().out)

    def test_a_preview_checks_nothing(self) -> None:
        self.land_auth(SOUND, on_main="broken")
        self.assertEqual(self.states(self.push("--dry-run", "--json"))["api"], "would push")
        self.assertEqual(self.checked(), [])

    def test_the_commands_of_the_list_need_your_consent(self) -> None:
        self.land_auth()
        self.shop.change(verify=["touch checked"])
        self.shop.agrees = False
        self.assertIn("commands that need your consent", self.push().out)
        self.assertEqual(self.push("--yes").code, 0)

    def test_beside_a_run_they_are_not_checked_which_is_said(self) -> None:
        self.land_auth(SOUND, on_main="broken")
        with self.shop.at_work(started("r1", os.getpid())):
            run = Run(self.shop)
            run.start()
            said = self.push()
            run.over.set()
            run.join()
        self.assertEqual(said.code, 0, said)
        self.assertIn("its checks did not run there: another command is in progress", said.out)

    def test_a_second_signal_ends_them_at_once(self) -> None:
        self.land_auth(SOUND)
        with mock.patch("core.handover.copy_checks.make_checks", side_effect=Killed("ended")):
            said = self.push()
        self.assertEqual(said.code, 1)
        self.assertIn("Stopped. What was pushed stays pushed.", said.err)

    def test_a_signal_ends_the_checks_and_the_command(self) -> None:
        self.land_auth('touch "$TMPDIR/../begun"; sleep 60')
        running = self.shop.start("push")
        begun = self.shop.beside("begun")
        wait_until(lambda: os.path.exists(begun), "the check began")
        running.signal(signal.SIGTERM)
        said = running.end()
        self.assertEqual(said.code, 143, said)
        self.assertIn("Stopped. What was pushed stays pushed.", said.err)
        self.assertEqual(self.forge.branches()["feature/api"], self.tip("api"))
