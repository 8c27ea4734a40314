"""A report and its branch are pushed together; why they are not is said."""

from __future__ import annotations

import os
from unittest import mock

from core.engines.hand_in import HandIn
from core.git.channel import Channel, Update
from core.model.outcome import Status
from core.process.spawner import run_sync
from tests.support.elsewhere import MachineTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class SendingTest(MachineTest):
    def test_without_atomic_pushes_a_report_is_refused_before_its_branch(self) -> None:
        space = self.use(feature("auth"))
        space.git("config", "receive.advertiseAtomic", "false", at=space.remote)
        self.assert_code(space.run_there("auth"), 0)
        pushed: list[str] = []
        push = Channel._push

        async def noted(channel: Channel, updates: list[Update], *options: str) -> object:
            pushed.extend(update.ref for update in updates if not options)
            return await push(channel, updates, *options)

        machine = self.machine()
        machine.earlier = type(machine.earlier)()
        machine.open()
        machine.claim, machine.claimed = machine.claim, run_sync(machine.channel.write({}, (), "x"))
        hand_in = HandIn(machine)
        ended = hand_in.ended(None)
        with mock.patch.object(Channel, "_push", noted):
            self.assertFalse(hand_in.push(ended).is_done)
        self.assertEqual(pushed, [machine.ref])

    def test_a_workflow_that_the_token_may_not_change_is_explained(self) -> None:
        space = self.use(feature("auth", {"write": ".github/workflows/a.yml"}))
        hook = os.path.join(space.remote, "hooks", "update")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        said = "refusing to allow a GitHub App to create or update workflow .github/workflows/a.yml"
        refusal = f"case $1 in refs/heads/*) echo '{said}' >&2; exit 1;; esac"
        space.script(hook, f"#!/bin/sh\n{refusal}\n")
        done = space.run_there("auth")
        self.assert_code(done, 1)
        self.assertEqual(space.report_of("auth")["status"], Status.COMPLETED.value)
        self.assertIn("the token may not change .github/workflows", done.err)
        self.assertIn("to push it: rorchestrator push --bundle", done.err)
