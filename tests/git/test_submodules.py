"""Submodules: checked out like the user's; commits only in a worktree's clone do not land."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest

from core.git import (
    submodules,
    worktree_status,
)
from core.git.door import GitError
from core.git.submodules import Submodules
from core.process.spawner import run_sync
from tests.support.git import GitTest, make_worktree
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class SubmodulesTest(WorkspaceTest):
    """``shop`` with the library ``the lib`` in ``vendor/lib``, which has ``inner`` in ``deps/in``.

    All three have a remote beside each other, and name each other by relative URLs.
    """

    def setUp(self) -> None:
        super().setUp()
        repository, git = self.workspace, self.workspace.git
        self.lib = os.path.join(repository.path, "vendor", "lib")
        git("config", "--global", "protocol.file.allow", "always")
        for name in ("inner", "lib", "shop"):
            git("init", "--quiet", "--bare", self.hub(name))
        self.publish("inner", {"inner.txt": "1\n"})
        self.publish("lib", {"lib.txt": "1\n"}, ("../inner.git", "deps/in", "inner"))
        git("remote", "add", "origin", self.hub("shop"))
        git("submodule", "--quiet", "add", "--name", "the lib", "../lib.git", "vendor/lib")
        git("submodule", "--quiet", "update", "--init", "--recursive")
        repository.commit({}, "with a library")
        git("config", "--global", "safe.bareRepository", "explicit")

    def hub(self, name: str) -> str:
        return self.workspace.beside("hub", f"{name}.git")

    def publish(self, name: str, files: dict[str, str], *modules: tuple[str, str, str]) -> None:
        repository, work = self.workspace, self.workspace.beside("work", name)
        repository.git("clone", "--quiet", self.hub(name), work)
        repository.commit(files, at=work)
        for url, path, called in modules:
            repository.git("submodule", "--quiet", "add", "--name", called, url, path, at=work)
            repository.commit({}, "a submodule", at=work)
        repository.git("push", "--quiet", "origin", "HEAD:main", at=work)

    def said(self, code: int, *words: str) -> str:
        done = self.workspace.command(*words)
        self.assertEqual(done.code, code, f"{words}: {done.out}\n{done.err}")
        return done.out + done.err

    def origin(self, *parts: str) -> str:
        at = os.path.join(self.workspace.worktree("a"), *parts)
        return self.workspace.git("remote", "get-url", "origin", at=at)

    def shell(self, command: str) -> None:
        environ = self.workspace.environ
        subprocess.run(["sh", "-c", command], check=True, env=environ, capture_output=True)


class Filled(SubmodulesTest):
    def test_submodules_are_checked_out_with_the_real_remotes_and_nested_ones_too(
        self,
    ) -> None:
        repository, git = self.workspace, self.workspace.git
        for name in ("none", "off", "gone"):
            git("submodule", "--quiet", "add", "--name", name, "../inner.git", name)
        git("config", "--file", ".gitmodules", "submodule.none.update", "none")
        pin = repository.commit_of("HEAD", at=self.lib)
        repository.commit({}, "more")
        git("config", "submodule.off.active", "false")
        git("submodule", "--quiet", "deinit", "gone")
        # What is not checked out can be moved all the same; nobody here can tell who has it.
        move = {"bash": f"git update-index --cacheinfo 160000,{pin},off"}
        self.workspace.features(feature("a", move))
        seen = repository.seen_by_user()
        repository.environ["GIT_ALLOW_PROTOCOL"] = "https"  # the user's, for what is remote
        self.assertNotIn("nowhere else", self.said(0, "run", "--yes"))
        self.assertEqual(self.origin("vendor", "lib"), self.hub("lib"))
        self.assertEqual(self.origin("vendor", "lib", "deps", "in"), self.hub("inner"))
        made = self.workspace.worktree("a")
        inner = os.path.join(made, "vendor", "lib", "deps", "in")
        self.assertIn("inner.txt", os.listdir(inner))
        for name in ("none", "off", "gone"):
            self.assertEqual(os.listdir(os.path.join(made, name)), [], name)
        self.assertEqual(repository.seen_by_user(), seen)


class Moved(SubmodulesTest):
    def test_by_the_setup_is_no_work_and_by_claude_is(self) -> None:
        setup = "git -C vendor/lib checkout --quiet --detach HEAD~1"
        commit = {"bash": "git -C vendor/lib commit --quiet --allow-empty -m more"}
        self.workspace.features(
            feature("a", {"write": "a.txt"}), feature("b", commit), setup=[setup]
        )
        self.said(0, "run", "--yes")
        git = self.workspace.git
        for id, files in {"a": "a.txt", "b": "vendor/lib"}.items():
            self.assertEqual(git("diff", "--name-only", "main", f"feature/{id}"), files)


class Published(SubmodulesTest):
    def test_an_unpushed_submodule_commit_is_reported_and_held_until_it_is_pushed(self) -> None:
        repository = self.workspace
        inner = "cd vendor/lib/deps/in && echo 2 > inner.txt && git commit --quiet -a -m inner"
        outer = "cd vendor/lib && git commit --quiet -a -m outer"
        self.workspace.features(
            feature("a", {"bash": inner}, {"bash": outer}),
            feature("b", depends_on=["a"]),
            feature("c"),
        )
        told = self.said(0, "run", "--yes")
        made = self.workspace.worktree("a")
        folders = [
            os.path.join(made, "vendor", "lib", "deps", "in"),
            os.path.join(made, "vendor/lib"),
        ]
        commits = [repository.commit_of("HEAD", at=folder) for folder in folders]
        pushes = [
            f"git -C {folder} push origin {commit}:refs/heads/feature/a"
            for folder, commit in zip(folders, commits)
        ]
        for push in pushes:
            self.assertIn(f"merge waits for: {push}\n", told)
        # What needs it starts from its commit all the same.
        inside = os.path.join(self.workspace.worktree("b"), "vendor", "lib", "deps", "in")
        self.assertEqual(repository.commit_of("HEAD", at=inside), commits[0])
        said = self.said(1, "merge")
        self.assertIn("held a (feature/a): it pins submodule commits", said)
        self.assertIn("".join(f"    {push}\n" for push in pushes), said)
        self.assertIn("held b (feature/b): it depends on a", said)
        self.assertIn("landed c", said)
        self.shell(pushes[0])
        self.assertNotIn(pushes[0], self.said(1, "merge"))
        self.shell(pushes[1])
        said = self.said(0, "merge", "a")
        follow = f"git -C {repository.path} submodule update"
        self.assertIn(f"to update the submodules of the checkout: {follow}\n", said)
        # The checkout's submodule is behind: no work of the user's, and nothing is in the way.
        self.assertEqual(repository.git("status", "--porcelain"), " M vendor/lib")
        self.said(0, "merge")
        self.said(0, "cleanup", "--all")
        self.workspace.features(feature("d"))
        said = self.said(1, "run", "--yes")
        self.assertIn(f"{follow} --recursive fetches what is missing", said)
        self.shell(f"{follow} --recursive")
        self.assertEqual(repository.git("status", "--porcelain"), "")
        self.said(0, "run", "--yes", "--merge")

    def test_how_a_checkout_follows_one_that_is_new(self) -> None:
        url, top = self.hub("inner"), self.workspace.path
        make = f"git submodule --quiet add {url} new"
        forget = "git config --remove-section submodule.new"
        self.workspace.features(feature("a", {"bash": f"{make} && {forget}"}))
        self.said(0, "run", "--yes")
        git = f"git -C {top} submodule"
        follow = f"{git} sync --recursive && {git} update --init --recursive"
        said = self.said(0, "merge")
        self.assertIn(f"to update the submodules of the checkout: {follow}\n", said)
        self.shell(follow)
        self.assertTrue(os.path.exists(os.path.join(top, "new", "inner.txt")))
        self.said(0, "cleanup", "--all")

    def test_the_users_work_stays_and_a_submodule_without_a_remote_needs_one(self) -> None:
        make = (
            "git init --quiet new && cd new && git commit --quiet --allow-empty -m new && cd .. "
            "&& git submodule --quiet add ./new new"
        )
        bare = (
            "git init --quiet deep && cd deep && git commit --quiet --allow-empty -m deep && cd .. "
            "&& git add deep && git commit --quiet -m link"
        )
        self.workspace.features(
            feature("a", {"bash": make}), feature("b", {"bash": bare}), feature("c")
        )
        self.said(0, "run", "--yes")
        repository = self.workspace
        repository.commit({"mine.txt": "x"}, at=self.lib)
        said = self.said(1, "merge")  # which does not touch it
        self.assertTrue(os.path.exists(os.path.join(self.lib, "mine.txt")))
        self.assertIn("new remote add origin URL && git -C", said)
        self.assertIn("deep remote add origin URL && git -C", said)
        self.assertIn("landed c", said)


if __name__ == "__main__":
    unittest.main()


class SubmoduleTest(GitTest):
    """Submodules: checked out from the clone that the repository has."""

    def setUp(self) -> None:
        super().setUp()
        self.library = self.make("library")
        self.add_submodule(self.library.path, "libs/the lib", "lib")

    def add_submodule(self, source: str, path: str, name: str) -> None:
        allow = ("-c", "protocol.file.allow=always")
        self.repository.git(*allow, "submodule", "add", "-q", "--name", name, source, path)
        self.repository.commit({}, "a submodule")

    def worktree(self) -> str:
        path = self.beside("w")
        make_worktree(self.git, path, "feature/a", self.repository.commit_of("main"))
        run_sync(Submodules(self.git).fill(path))
        return path

    def test_a_submodule_is_filled_without_network_and_without_the_shared_config(self) -> None:
        shutil.rmtree(self.library.path)
        seen = self.repository.seen_by_user()
        path = self.worktree()
        self.assertTrue(os.path.exists(os.path.join(path, "libs", "the lib", "README.md")))
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.assertEqual(run_sync(worktree_status.status_of(self.git, path)).uncommitted, ())

    def test_a_commit_that_no_branch_of_the_clone_has_is_found(self) -> None:
        newer = self.library.commit({"newer": "x"})
        module = os.path.join(self.repository.path, "libs", "the lib")
        self.repository.git("fetch", "-q", at=module)
        self.repository.git("checkout", "-q", "--detach", newer, at=module)
        self.repository.commit({}, "newer")
        self.repository.git("checkout", "-q", "main", at=module)
        path = self.worktree()
        self.assertTrue(os.path.exists(os.path.join(path, "libs", "the lib", "newer")))
        module = os.path.join(path, "libs", "the lib")
        self.assertEqual(run_sync(submodules.unpublished_commits(self.git, module, "lib")), 0)
        self.assertEqual(run_sync(submodules.unpublished_commits(self.git, module, "another")), 1)

    def test_a_submodule_that_the_user_did_not_fetch_stays_empty(self) -> None:
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules"))
        path = self.worktree()
        self.assertEqual(os.listdir(os.path.join(path, "libs", "the lib")), [])

    def test_work_in_a_submodule_is_distinguished_from_its_new_commit(self) -> None:
        path = self.worktree()
        module = os.path.join(path, "libs", "the lib")
        self.repository.write({"new": "x"}, at=module)
        status = run_sync(worktree_status.status_of(self.git, path))
        self.assertEqual((status.submodules, status.changed), (("libs/the lib",), ()))
        self.assertEqual(run_sync(submodules.unpublished_commits(self.git, module, "lib")), 0)
        self.repository.commit({}, "in the submodule", at=module)
        status = run_sync(worktree_status.status_of(self.git, path))
        self.assertEqual((status.submodules, status.changed), ((), ("libs/the lib",)))
        self.assertEqual(run_sync(submodules.unpublished_commits(self.git, module, "lib")), 1)
        self.assertTrue(
            run_sync(submodules.unpublished_commits(self.git, self.repository.root, "lib"))
        )

    def test_a_broken_clone_is_reported(self) -> None:
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules", "lib", "objects"))
        with self.assertRaisesRegex(GitError, "check out the submodules"):
            self.worktree()
