"""`core.git.replica`: a copy of a repository whose remotes are stand-ins."""

from __future__ import annotations

import os
import shutil
import unittest

from core.git import configuration, replica, staging, worktree_status
from core.git.door import Git
from core.git.opening import open_repository
from core.git.replica import replicate
from core.git.submodules import Submodules
from core.process.spawner import Spawner, run_sync
from tests.support.git import MISSING, GitTest, make_worktree
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class ReplicaTest(GitTest):
    """A copy of a repository."""

    def copied(self, exclude: tuple[str, ...] = ()) -> Git:
        return run_sync(replicate(self.git, self.beside("copy.git"), exclude))

    def setting(self, copy: Git, key: str) -> str:
        return self.repository.git("config", "--get", key, at=copy.repository.common_dir)


class TheSame(ReplicaTest):
    def test_a_replica_has_the_refs_and_borrows_the_objects(self) -> None:
        first = self.repository.branch("side")
        self.repository.git("tag", "-a", "v1", "-m", "a tag")
        self.repository.git("update-ref", "refs/rorchestrator/results/a/1", first)
        self.repository.git("update-ref", "refs/stash", first)
        copy = self.copied(exclude=("refs/heads/side",))
        common = copy.repository.common_dir
        refs = self.repository.git("for-each-ref", "--format=%(refname)", at=common).split()
        expected = ["refs/heads/main", "refs/rorchestrator/results/a/1", "refs/tags/v1"]
        self.assertEqual(refs, expected)
        self.assertEqual(run_sync(copy.commit_of("v1")), first)
        self.repository.git("fsck", "--connectivity-only", at=common)
        self.assertEqual(copy.repository.top, self.repository.path)
        make_worktree(copy, self.beside("w"), "new", first)
        self.assertTrue(os.path.isfile(self.beside("w/README.md")))
        self.assertEqual(run_sync(self.git.commit_of("new")), "")

    def test_a_replica_has_the_same_settings_except_those_of_the_repository_itself(self) -> None:
        config = self.repository.git
        odd = 'a "b" \\c\n\td # ; e '
        for key, value in {
            'rehearsal.Some "odd".key': odd,
            "remote.origin.url": "https://nowhere.invalid/x.git",
            "remote.origin.mirror": "true",
            "remote.origin.pushurl": self.repository.path,
            "core.fsmonitor": "/nowhere",
            "core.hooksPath": ".hooks",
        }.items():
            config("config", key, value)
        self.repository.write({"../more": "[more]\n\tkey = included\n"})
        config("config", "include.path", "../../more")
        copy = self.copied()
        self.assertEqual(self.setting(copy, 'rehearsal.Some "odd".key'), odd)
        self.assertEqual(self.setting(copy, "more.key"), "included")
        self.assertEqual(self.setting(copy, "core.bare"), "true")
        self.assertEqual(self.setting(copy, "core.hooksPath"), ".hooks")
        listed = config("config", "--local", "--name-only", "--list", at=copy.repository.common_dir)
        for key in (
            "core.fsmonitor",
            "include.path",
            "remote.origin.mirror",
        ):
            self.assertNotIn(key, listed.split())

    def test_a_replica_has_its_own_hooks_and_the_same_ignored_files(self) -> None:
        common = self.git.repository.common_dir
        hook = os.path.join(common, "hooks", "pre-commit")
        self.repository.write({hook: "#!/bin/sh\nexit 1\n", f"{common}/info/exclude": "*.tmp\n"})
        os.chmod(hook, 0o755)
        self.repository.git("config", "core.hooksPath", os.path.dirname(hook))
        os.symlink(".", os.path.join(common, "hooks", "round"))
        os.symlink("nowhere", os.path.join(common, "hooks", "post-commit"))
        copy = self.copied()
        path = self.beside("w")
        make_worktree(copy, path, "new", self.repository.commit_of("main"))
        self.assertEqual(
            run_sync(configuration.hooks_folder(copy)), f"{copy.repository.common_dir}/hooks"
        )
        self.assertEqual(run_sync(worktree_status.ignored_of(copy, path, ["a.tmp"])), {"a.tmp", ""})
        self.repository.write({"b": "b"}, at=path)
        run_sync(staging.stage(copy, path, ["b"]))
        self.refused(staging.commit(copy, path, "refused by the hook"), "commit")

    def test_a_repository_of_other_ids_is_copied_as_well(self) -> None:
        repository = Repository("sha256", empty=True)
        self.addCleanup(repository.close)
        shutil.rmtree(os.path.join(repository.path, ".git"))
        repository.git("init", "-q", "--object-format=sha256")
        commit = repository.commit({"a": ""})
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
        copy = run_sync(replicate(git, os.path.join(repository.root, "copy.git")))
        self.assertEqual(run_sync(copy.commit_of("main")), commit)

    def test_a_shallow_clone_stays_shallow(self) -> None:
        self.repository.commit({"b": "b"})
        clone = self.beside("clone")
        self.repository.git("clone", "-q", "--depth=1", f"file://{self.repository.path}", clone)
        copy = run_sync(replicate(self.open(clone), self.beside("copy.git")))
        self.repository.git("fsck", "--connectivity-only", at=copy.repository.common_dir)

    def test_the_room_is_counted_in_blocks_and_of_what_is_checked_out(self) -> None:
        files = {"a": "12345", "dir/\u00e9 b": "678", "README.md": None, "far/c": "x" * 101}
        commit = self.repository.commit(files)
        # Three files, one of them of two blocks, and two folders.
        self.assertEqual(run_sync(replica.checkout_bytes(self.git, commit, 100)), 600)
        self.assertEqual(run_sync(replica.checkout_bytes(self.git, MISSING, 100)), 0)
        self.repository.git("sparse-checkout", "set", "--cone", "dir")
        self.assertEqual(run_sync(replica.checkout_bytes(self.git, commit, 100)), 400)


class ALink(ReplicaTest):
    """What leads to another repository, and where it leads in a copy."""

    def setUp(self) -> None:
        super().setUp()
        self.others: dict[str, Repository] = {}

    def other(self, name: str) -> str:
        """A repository of somebody else's that can be pushed to; its path."""
        self.others[name] = other = Repository(name, bare=True)
        self.addCleanup(other.close)
        return other.path

    def assert_nothing_arrived(self) -> None:
        for name, other in self.others.items():
            self.assertEqual(other.git("for-each-ref"), "", name)

    def push(self, copy: Git, *words: str) -> None:
        self.repository.git("push", "--quiet", *words, at=copy.repository.common_dir)

    def test_whatever_setting_names_a_remote_a_push_ends_in_the_copy(self) -> None:
        config = self.repository.git
        config("config", "remote.origin.url", self.other("origin"))
        config("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        config("config", "remote.both.url", self.other("both"))
        config("config", "remote.both.pushurl", self.other("pushed"))
        config("config", "remote.short.url", "short:x")
        config("config", f"url.{self.other('long')}.insteadOf", "short:x")
        config("config", f"url.{self.other('long')}.pushInsteadOf", "short:")
        config("config", "branch.main.pushRemote", self.other("by-url"))
        config("config", "branch.main.remote", self.other("by-other-url"))
        config("config", "branch.main.merge", "refs/heads/main")
        config("config", "branch.side.remote", ".")
        config("config", "remote.pushDefault", self.other("by-default"))
        everywhere = ("config", "--file", self.repository.config)
        config(*everywhere, "remote.origin.pushurl", self.other("of-the-user"))
        config(*everywhere, "remote.global.url", self.other("global"))
        config("update-ref", "refs/remotes/origin/main", "main")
        config("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        copy = self.copied()
        at = copy.repository.common_dir
        for remote in ("origin", "both", "short", "global"):
            with self.subTest(remote):
                self.push(copy, remote, "main:pushed")
        for word in (self.others["both"].path, self.others["by-url"].path, "short:x"):
            with self.subTest(word):
                self.push(copy, word, "main:pushed")
        self.push(copy, "--all")
        self.assert_nothing_arrived()
        self.assertEqual(self.setting(copy, "branch.side.remote"), ".")
        config("fetch", "--quiet", "origin", at=at)
        self.assertEqual(
            config("ls-remote", "origin", "pushed", at=at)[:40], self.repository.commit_of("main")
        )
        self.assertIn(at, self.setting(copy, "lfs.pushurl"))

    def test_submodules_lead_to_copies_of_their_clones(self) -> None:
        library = Repository("library")
        self.addCleanup(library.close)
        inner = Repository("inner")
        self.addCleanup(inner.close)
        allowed = ("-c", "protocol.file.allow=always")
        library.git(*allowed, "submodule", "--quiet", "add", inner.path, "inner")
        library.commit({"lib.py": "lib = 1\n"})
        self.repository.git(*allowed, "submodule", "--quiet", "add", library.path, "vendor/lib")
        update = ("submodule", "--quiet", "update", "--init", "--recursive")
        self.repository.git(*allowed, *update)
        self.repository.git("config", "submodule.unknown.url", "https://nowhere.invalid/x")
        commit = self.repository.commit({}, "a submodule")
        copy = self.copied()
        clone = os.path.join(copy.repository.common_dir, "modules", "vendor/lib")
        self.assertEqual(self.setting(copy, "submodule.vendor/lib.url"), clone)
        make_worktree(copy, self.beside("w"), "new", commit)
        run_sync(Submodules(copy).fill(self.beside("w")))
        module = self.beside("w/vendor/lib")
        for name in ("lib.py", "inner/README.md"):
            self.assertTrue(os.path.isfile(os.path.join(module, name)))
        deep = self.beside("w/vendor/lib/inner")
        self.repository.git("push", "--quiet", "origin", "HEAD:refs/heads/pushed", at=deep)
        self.repository.git("push", "--quiet", "origin", "HEAD:refs/heads/pushed", at=module)
        ours = os.path.join(self.git.repository.common_dir, "modules", "vendor", "lib")
        for place in (library.path, ours, inner.path, os.path.join(ours, "modules", "inner")):
            self.assertNotIn("pushed", self.repository.git("for-each-ref", at=place))
        listed = self.repository.git("config", "--list", at=copy.repository.common_dir)
        self.assertNotIn("submodule.unknown", listed)

    def test_a_sparse_checkout_is_sparse_in_the_copys_worktrees(self) -> None:
        commit = self.repository.commit({"near/a": "", "far/b": ""})
        for number, words in enumerate(("--cone near", "--no-cone /near/")):
            with self.subTest(words):
                self.repository.git("sparse-checkout", "set", *words.split())
                git, place = self.git, self.beside(f"sparse{number}")
                for name, repository in (
                    ("ours", git),
                    ("copy", run_sync(replicate(git, f"{place}.git"))),
                ):
                    path = f"{place}.{name}"
                    make_worktree(repository, path, f"{name}{number}", commit)
                    seen = [n for n in os.listdir(path) if os.path.isdir(os.path.join(path, n))]
                    self.assertEqual(seen, ["near"], name)


if __name__ == "__main__":
    unittest.main()
