"""The channel to a remote: all refs or none, nothing lost, nothing of a clone's settings used."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from core.git import channel as channels
from core.git.channel import Channel, Update, open_channel
from core.model.errors import UserError
from core.model.frozen import replace
from core.process.spawner import run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere

HEAD = "refs/heads/feature/a"
REPORT = "refs/rorchestrator/runs/r/a"


class ChannelTest(unittest.TestCase):
    def setUp(self) -> None:
        self.source = Repository()
        self.addCleanup(self.source.close)
        self.remote = os.path.join(self.source.root, "remote.git")
        self.source.git("clone", "--quiet", "--bare", self.source.path, self.remote)
        self.channel = self.open("channel.git")

    def open(self, name: str) -> Channel:
        place = os.path.join(self.source.root, name)
        return run_sync(open_channel(place, self.remote, self.source.environ))

    def there(self) -> dict[str, str]:
        return run_sync(self.channel.look("refs/*"))

    def written(self, *parents: str, text: bytes = b"{}") -> str:
        return run_sync(self.channel.write({"claim.json": text}, parents, "a claim"))

    def push(self, *updates: Update) -> channels.Sent:
        return run_sync(self.channel.push(updates))

    def test_files_go_there_as_a_commit_and_come_back(self) -> None:
        commit = self.written(text=b"hello")
        self.assertTrue(self.push(Update(REPORT, commit, "")).is_done)
        other = self.open("other.git")
        run_sync(other.fetch(f"+{REPORT}:{REPORT}"))
        self.assertEqual(run_sync(other.read(commit, "claim.json")), b"hello")
        self.assertEqual(run_sync(other.read(commit, "no.json")), b"")
        with mock.patch.object(channels, "LARGEST_BYTES", 4):
            self.assertEqual(run_sync(other.read(commit, "claim.json")), b"")
        self.assertEqual(
            run_sync(other.look("claim", "refs/heads/main")).keys(), {"refs/heads/main"}
        )

    def test_a_push_needs_every_lease_or_moves_nothing(self) -> None:
        first, second = self.written(), self.written(text=b"2")
        self.assertTrue(self.push(Update(REPORT, first, "")).is_done)
        sent = self.push(Update(REPORT, second, first), Update("refs/heads/main", second, ""))
        self.assertFalse(sent.is_done)
        self.assertIn("refs/heads/main [rejected] (stale info)", sent.said)
        self.assertEqual(self.there()[REPORT], first)

    def test_a_remote_that_moves_one_ref_at_a_time_is_asked_for_the_report_first(self) -> None:
        self.source.git("config", "receive.advertiseAtomic", "false", at=self.remote)
        first, second = self.written(), self.written(text=b"2")
        sent = self.push(Update(REPORT, first, second), Update(HEAD, first, ""))
        self.assertFalse(sent.is_done)
        self.assertNotIn(HEAD, self.there())
        self.assertTrue(self.push(Update(REPORT, first, ""), Update(HEAD, first, "")).is_done)
        self.assertEqual(self.there()[HEAD], first)

    def test_where_refs_move_one_by_one_a_report_without_its_branch_is_taken_back(self) -> None:
        self.source.git("config", "receive.advertiseAtomic", "false", at=self.remote)
        claim, report = self.written(), self.written(text=b"2")
        self.push(Update(REPORT, claim, ""))
        sent = self.push(Update(REPORT, report, claim), Update("refs/heads/main", report, ""))
        self.assertFalse(sent.is_done)
        self.assertIn("refs/heads/main [rejected]", sent.said)
        self.assertEqual(self.there()[REPORT], claim)

    def test_a_push_whose_answer_was_lost_is_done_if_the_refs_are_there(self) -> None:
        commit = self.written()
        self.source.git("fetch", "--quiet", self.channel.git.repository.top, commit, at=self.remote)
        self.source.git("update-ref", REPORT, commit, at=self.remote)
        run = self.channel.git.try_run

        async def lost(*words: str, **more: object) -> object:
            wrong = "--receive-pack=exit 1;"
            given = (words[0], wrong, *words[1:]) if words[0] == "push" else words
            return await run(*given, **more)  # type: ignore[arg-type]

        with mock.patch.object(self.channel.git, "try_run", lost):
            self.assertTrue(self.push(Update(REPORT, commit, "x" * 40)).is_done)

    def test_a_remote_that_is_gone_is_tried_again_and_then_said(self) -> None:
        commit = self.written()
        os.rename(self.remote, f"{self.remote}.moved")
        with mock.patch.object(channels, "WAITS_SECONDS", (0.001,)):
            sent = self.push(Update(REPORT, commit, ""))
        self.assertIn("does not appear to be a git repository", sent.said)
        with self.assertRaises(UserError) as met:
            self.there()
        self.assertIn("could not be read: fatal: ", met.exception.message)
        self.assertIn("git ls-remote", met.exception.hint)

    def test_the_name_of_a_remote_is_no_url(self) -> None:
        named = replace(self.channel, url="origin")
        with self.assertRaises(UserError) as met:
            run_sync(named.look("refs/*"))
        self.assertIn("git remote get-url origin", met.exception.hint)

    def test_a_clone_shares_no_file_with_the_repository(self) -> None:
        path = os.path.join(self.source.root, "clone")
        run_sync(self.channel.clone(path))
        objects = os.path.join(path, ".git", "objects")
        files = [os.path.join(root, name) for root, _, names in os.walk(objects) for name in names]
        self.assertTrue(files)
        self.assertEqual({os.stat(file).st_nlink for file in files}, {1})

    def test_what_a_clone_executes_is_not_executed_by_the_channel(self) -> None:
        path = os.path.join(self.source.root, "clone")
        run_sync(self.channel.clone(path))
        met = os.path.join(self.source.root, "met")
        for key in (
            "core.sshCommand",
            "core.fsmonitor",
            "credential.helper",
            "remote.origin.uploadpack",
        ):
            self.source.git("config", key, f"touch {met};", at=path)
        self.source.git("config", f"url.ext::touch {met};.insteadOf", self.remote, at=path)
        hook = os.path.join(path, ".git", "hooks", "pre-push")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        with open(hook, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\ntouch {met}\n")
        os.chmod(hook, 0o755)
        commit = self.source.git("commit-tree", "-m", "x", "HEAD^{tree}", at=path)
        run_sync(self.channel.borrow(os.path.join(path, ".git")))
        self.assertTrue(self.push(Update(HEAD, commit, "")).is_done)
        self.assertFalse(os.path.exists(met))

    def test_a_bundle_brings_refs_and_what_is_none_is_said(self) -> None:
        commit, path = self.written(), os.path.join(self.source.root, "a.bundle")
        run_sync(self.channel.bundle(path, {REPORT: commit}, ()))
        other = self.open("other.git")
        self.assertEqual(run_sync(other.refs_in(path)), {REPORT: commit})
        run_sync(other.unpack(path, {REPORT: "refs/here"}))
        self.assertEqual(run_sync(other.git.commit_of("refs/here")), commit)
        with open(path, "wb") as file:
            file.write(b"no bundle")
        with self.assertRaises(UserError) as met:
            run_sync(other.refs_in(path))
        self.assertIn(f"{path} can't be used: ", met.exception.message)

    def test_every_object_of_a_bundle_is_checked(self) -> None:
        blob = self.source.git("hash-object", "-w", os.devnull, at=self.remote)
        place = os.path.join(self.source.root, "tree")
        for name in (b".git", b"..", b"a/b"):
            with open(place, "wb") as file:
                file.write(b"100644 " + name + b"\0" + bytes.fromhex(blob))
            words = ("hash-object", "-t", "tree", "-w", "--literally", place)
            tree = self.source.git(*words, at=self.remote)
            commit = self.source.git("commit-tree", "-m", "x", "-p", "main", tree, at=self.remote)
            self.source.git("update-ref", "refs/heads/evil", commit, at=self.remote)
            path = os.path.join(self.source.root, "evil.bundle")
            words = ("bundle", "create", "--quiet", path, "refs/heads/evil", "^main")
            self.source.git(*words, at=self.remote)
            self.source.git("update-ref", "-d", "refs/heads/evil", at=self.remote)
            channel = self.open(f"for {name.hex()}.git")
            run_sync(channel.fetch("+refs/heads/*:refs/known/*"))
            with self.assertRaises(UserError) as met:
                run_sync(channel.unpack(path, {"refs/heads/evil": "refs/here"}))
            self.assertIn("fsck error in packed object", met.exception.message)
            self.assertEqual(run_sync(channel.git.commit_of("refs/here")), "")

    def test_the_head_and_the_kind_of_ids_are_those_of_the_remote(self) -> None:
        self.assertEqual(self.channel.head, "main")
        self.source.git("init", "--quiet", "--bare", "--object-format=sha256", f"{self.remote}2")
        tree = self.source.git("mktree", at=f"{self.remote}2")
        commit = self.source.git("commit-tree", "-m", "x", tree, at=f"{self.remote}2")
        self.source.git("update-ref", "refs/heads/main", commit, at=f"{self.remote}2")
        place = os.path.join(self.source.root, "long.git")
        long = run_sync(open_channel(place, f"{self.remote}2", self.source.environ))
        self.assertEqual(len(run_sync(long.write({"a": b""}, (), "x"))), 64)
        self.source.git("init", "--quiet", "--bare", f"{self.remote}3")
        empty = run_sync(open_channel(f"{place}3", f"{self.remote}3", self.source.environ))
        self.assertEqual(empty.head, "")


class UrlTest(unittest.TestCase):
    def test_user_and_password_are_taken_out_of_a_url_and_known_as_secrets(self) -> None:
        url = "https://bot:p%40ss@host/a.git"
        self.assertEqual(channels.without_credentials(url), "https://host/a.git")
        known = {"REMOTE_TOKEN": "bot", "REMOTE_PASSWORD": "p@ss"}
        self.assertEqual(channels.credentials_in(url), known)
        self.assertEqual(channels.credentials_in("https://t0ken@host/a"), {"REMOTE_TOKEN": "t0ken"})
        self.assertEqual(channels.without_credentials("HTTPS://bot:p@ss@host/a"), "HTTPS://host/a")
        known = {"REMOTE_TOKEN": "bot", "REMOTE_PASSWORD": "p@ss"}
        self.assertEqual(channels.credentials_in("HTTPS://bot:p@ss@host/a"), known)
        said = "unable to access 'https://p@ss@host/' and http://a:b@c/d/e@f"
        bare = "unable to access 'https://host/' and http://c/d/e@f"
        self.assertEqual(channels.without_credentials(said), bare)
        for plain in ("git@host:a.git", "ssh://git@host/a.git", "https://host/a.git", "/a"):
            self.assertEqual(channels.without_credentials(plain), plain)
            self.assertEqual(channels.credentials_in(plain), {})

    def test_a_path_is_made_absolute_and_a_url_is_not(self) -> None:
        self.assertEqual(channels.absolute("tests"), os.path.abspath("tests"))
        self.assertEqual(channels.absolute("git@host:a.git"), "git@host:a.git")


if __name__ == "__main__":
    unittest.main()
