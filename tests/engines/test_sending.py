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
    def test_what_the_server_says_of_a_refusal_is_said(self) -> None:
        space = self.use(feature("auth"))
        machine = self.machine()
        machine.open()
        machine.begin()
        self.hook("pre-receive", "echo 'no room' >&2; exit 1")
        hand_in = HandIn(machine)
        sent = hand_in.push(hand_in.ended(None))
        self.assertEqual((sent.is_done, sent.is_late), (False, False))
        self.assertIn("pre-receive hook declined", sent.said)
        self.assertIn("no room", sent.said)
        self.assertEqual(space.refs_there("refs/rorchestrator"), {machine.ref: machine.claimed})

    def hook(self, name: str, script: str) -> None:
        """A hook of the remote."""
        path = os.path.join(self.space.remote, "hooks", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.space.script(path, f"#!/bin/sh\n{script}\n")

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
        machine.claimed, machine.is_claimed = run_sync(machine.channel.write({}, (), "x")), True
        hand_in = HandIn(machine)
        ended = hand_in.ended(None)
        with mock.patch.object(Channel, "_push", noted):
            self.assertFalse(hand_in.push(ended).is_done)
        self.assertEqual(pushed, [machine.ref])

    def test_a_ref_of_the_remote_that_prevents_the_push_is_named(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth", "--bundle", space.beside("b")), 0)
        words = ("push", "--bundle", space.beside("b"), "--remote", space.url)
        for other in ("refs/rorchestrator/runs/r1", "refs/heads/feature"):
            space.there("update-ref", other, "main")
            done = space.main(*words)
            self.assert_code(done, 1)
            self.assertIn(f"nothing was pushed: {other} is in the way of refs/", done.err)
            self.assertIn(f"there: git push URL --delete {other}\n", done.err)
            space.there("update-ref", "-d", other)
        for ref in ("refs/heads/feature/auth", "refs/rorchestrator/runs/r1/auth"):
            space.there("symbolic-ref", ref, "refs/heads/main")
            done = space.main(*words)
            self.assert_code(done, 2)
            self.assertIn(f"{ref} on the remote is a symbolic ref: a push would move", done.err)
            space.there("symbolic-ref", "--delete", ref)
        self.assert_code(space.main(*words), 0)

    def test_a_branch_that_somebody_moved_or_checked_out_meanwhile_is_named(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth", run_id="r0"), 0)
        bundle, tip = space.beside("b"), space.tip_there("auth")
        self.assert_code(space.run_there("auth", "--bundle", bundle), 0)
        words = ("push", "--bundle", bundle, "--remote", space.url)
        space.there("update-ref", "refs/heads/feature/auth", "main")
        done = space.main(*words)
        self.assert_code(done, 1)
        moved = f"pushed: feature/auth moved on the remote to {space.commit_of('main')[:10]} since"
        self.assertIn(moved, done.err)
        space.there("update-ref", "refs/heads/feature/auth", tip)
        space.there("worktree", "add", "--quiet", space.beside("wt"), "feature/auth")
        done = space.main(*words)
        self.assert_code(done, 1)
        self.assertIn("nothing was pushed: feature/auth is checked out there: switch", done.err)
        space.there("worktree", "remove", space.beside("wt"))
        self.assert_code(space.main(*words), 0)

    def test_a_branch_that_is_missing_beside_its_report_is_pushed(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth", "--bundle", space.beside("b")), 0)
        words = ("push", "--bundle", space.beside("b"), "--remote", space.url)
        self.assert_code(space.main(*words), 0)
        before = space.refs_there()
        space.there("update-ref", "-d", "refs/heads/feature/auth")
        self.assert_code(space.main(*words), 0)
        self.assertEqual(space.refs_there(), before)
        space.there("update-ref", "refs/heads/main", "refs/heads/feature/auth")
        space.there("update-ref", "-d", "refs/heads/feature/auth")
        self.assert_code(space.main(*words), 0)
        self.assertEqual(space.tip_there("auth"), "", "it has landed")

    def test_a_workflow_that_the_token_may_not_change_is_explained(self) -> None:
        space = self.use(feature("auth", {"write": ".github/workflows/a.yml"}))
        said = "refusing to allow a GitHub App to create or update workflow .github/workflows/a.yml"
        self.hook("update", f"case $1 in refs/heads/*) echo '{said}' >&2; exit 1;; esac")
        done = space.run_there("auth")
        self.assert_code(done, 1)
        self.assertEqual(space.report_of("auth")["status"], Status.COMPLETED.value)
        self.assertIn("the feature changed .github/workflows", done.err)
        self.assertIn("to push it: rorchestrator push --bundle", done.err)
