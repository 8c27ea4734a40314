"""`push --bundle`: what a read-only machine wrote is pushed; anything else is refused."""

from __future__ import annotations

import os

from core.engines.feature_report import encoded, report_in
from core.git.channel import Channel, open_channel
from core.git.refs import KEPT
from core.model.frozen import replace
from core.process.spawner import run_sync
from tests.support.commands import CommandResult
from tests.support.elsewhere import ElsewhereTest
from tests.support.once import once
from tests.support.workspace import feature

CHECK = [["sh", "-c", "test ! -f bad"]]


class BundleTest(ElsewhereTest):
    def write(self, id: str, *words: str, code: int = 0) -> str:
        """A machine that may only read runs a feature; its bundle."""
        path = self.space.beside("reports of machines", f"{id}.bundle")
        self.assert_code(self.space.run_there(id, "--bundle", path, *words), code)
        return path

    def push(self, path: str, *words: str) -> CommandResult:
        return self.space.main("push", "--bundle", path, "--remote", self.space.url, *words)

    def test_a_chain_of_bundles_is_pushed_by_another_machine_without_a_hook(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        met = space.beside("met")
        hooks = space.beside("hooks")
        os.mkdir(hooks)
        space.script(os.path.join(hooks, "pre-push"), f"#!/bin/sh\ntouch {met}\n")
        before = space.refs_there()
        bundle = self.write("auth")
        self.assertEqual(space.refs_there(), before)
        space.git("config", "--file", space.config, "core.hooksPath", hooks)
        done = self.push(bundle, "auth", "--run-id", "r1", "--branch", "feature/auth")
        self.assert_code(done, 0)
        self.assertIn(f"auth (completed): feature/auth {space.tip_there('auth')[:10]}", done.out)
        self.assertFalse(os.path.exists(met))
        self.assertEqual(self.push(bundle, "--json").json["pushed"], True)
        self.assert_code(self.push(self.write("api")), 0)
        self.assertIn("auth.md", space.there("ls-tree", "--name-only", "feature/api").split())
        self.assertEqual(space.merged().code, 0)
        again = self.write("api")
        self.assertEqual(len(space.git("bundle", "list-heads", again).splitlines()), 1)
        self.assert_code(self.push(again, "--quiet"), 0)

    @once
    def test_a_failed_attempt_brings_its_report_and_its_work(self) -> None:
        space = self.use(
            feature("auth", {"write": "bad"}), feature("empty", {"say": "no"}), verify=CHECK
        )
        space.change(verify_attempts=0)
        space.publish()
        self.assert_code(self.push(self.write("auth", code=1)), 0)
        self.assertEqual(space.file_there("feature/auth", "bad"), "bad")
        done = self.push(self.write("empty", code=1))
        self.assertIn("empty (empty): no work", done.out)
        self.assertEqual(space.merged("--json").json["by_status"], {"failed": 1, "empty": 1})
        self.assert_code(self.push(self.write("auth", code=1)), 0)
        self.assertEqual(space.pushed_report("auth")["attempt"], 2)

    @once
    def test_an_older_bundle_can_not_replace_a_newer_attempt(self) -> None:
        space = self.use(feature("auth"))
        old = self.write("auth")
        os.rename(old, f"{old}.old")
        self.assert_code(self.push(self.write("auth")), 0)
        tip = space.tip_there("auth")
        done = self.push(f"{old}.old")
        self.assert_code(done, 1)
        self.assertIn("attempt 1 has started on another machine", done.err)
        self.assertEqual(space.tip_there("auth"), tip)
        self.assertEqual(space.refs_there(KEPT), {})

    @once
    def test_a_bundle_with_anything_else_is_refused(self) -> None:
        space = self.use(feature("auth"), feature("api"))
        good = self.write("auth")
        channel = self.channel(good)
        ref, branch = "refs/rorchestrator/runs/r1/auth", "refs/heads/feature/auth"
        commit, tip = (run_sync(channel.git.commit_of(f"refs/bundle/{n}")) for n in (ref, branch))
        report = report_in(run_sync(channel.read(commit, "report.json")), "it")
        theirs = space.commit({"theirs": "1"}, "x")
        space.git("push", "--quiet", "origin", "HEAD:refs/heads/feature/api")
        base = space.commit_of("main~")

        def refused(words: str, refs: dict[str, str], *more: str) -> None:
            path = space.beside("hostile.bundle")
            run_sync(channel.bundle(path, refs, ()))
            before = space.refs_there()
            done = self.push(path, *more)
            self.assert_code(done, 2)
            self.assertIn(words, done.err)
            self.assertEqual(space.refs_there(), before)

        def told(**changes: object) -> str:
            content = encoded(replace(report, **changes).to_json())
            return run_sync(channel.write({"report.json": content}, [f"{commit}^"], "x"))

        other = "refs/rorchestrator/runs/r1/api"
        refused("it holds refs other than", {ref: commit, branch: tip, "refs/tags/v1": tip})
        refused("it holds refs other than", {branch: tip})
        refused("it holds refs other than", {ref: commit, other: commit})
        refused("it holds refs other than", {ref: commit, "refs/heads/a": tip, "refs/heads/b": tip})
        refused("name different features", {other: commit})
        refused("it holds auth of run r1", {ref: commit, branch: tip}, "api")
        refused("it holds auth of run r1", {ref: commit, branch: tip}, "--run-id", "r2")
        both = {ref: commit, branch: tip}
        refused("its branch is feature/auth", both, "auth", "--branch", "feature/h")
        refused("its branch is not the one", {ref: commit, "refs/heads/main": tip})
        refused("its branch is not at the commit", {ref: commit, branch: base})
        refused("main is not a branch of", {ref: told(branch="main"), "refs/heads/main": tip})
        lost = told(commit="1" * 40)
        refused("its commit 111111111111 is missing", {ref: lost})
        mine = told(feature="api", branch="feature/api", branch_lease=theirs)
        refused("that no run made", {other: mine, "refs/heads/feature/api": tip})
        broken = run_sync(channel.write({"report.json": b"no"}, [f"{commit}^"], "x"))
        refused("is not a report of run --report: its format is unknown", {ref: broken})

    @once
    def test_faults_in_old_history_are_not_those_of_the_bundle(self) -> None:
        space = self.use(feature("auth"))
        bundle = self.write("auth")
        entry = b"040000 d\0" + bytes.fromhex(space.there("mktree").strip())
        path = space.beside("tree")
        with open(path, "wb") as file:
            file.write(entry)
        tree = space.there("hash-object", "-t", "tree", "-w", "--literally", path).strip()
        old = space.there("commit-tree", tree, "-m", "made by an old program").strip()
        space.there("update-ref", "refs/heads/old", old)
        space.there("fsck", "--strict", fails=True)
        self.assert_code(self.push(bundle), 0)

    def channel(self, bundle: str) -> Channel:
        """A channel with everything of a bundle."""
        place = self.space.beside("ours.git")
        channel = run_sync(open_channel(place, self.space.url, self.space.environ))
        run_sync(channel.fetch("+refs/heads/*:refs/known/*"))
        refs = run_sync(channel.refs_in(bundle))
        run_sync(channel.unpack(bundle, {ref: f"refs/bundle/{ref}" for ref in refs}))
        return channel

    def test_what_is_missing_is_said(self) -> None:
        self.use(feature("auth"))
        done = self.push(self.space.beside("no.bundle"))
        self.assert_code(done, 2)
        self.assertIn("there is no bundle", done.err)
        for words in (("a", "b"), ("--dry-run",)):
            self.assertIn("push --bundle takes", self.push("x", *words).err)
        self.assertIn("needs --bundle", self.space.main("push", "--run-id", "r1").err)
        self.assertIn("needs --bundle", self.space.main("push", "--branch", "b").err)
