"""Submodules: filled as the user has them; what only a worktree's clone holds does not land."""

from __future__ import annotations

import os
import subprocess
import unittest

from tests.support.playground import PlaygroundTest, feature


class SubmodulesTest(PlaygroundTest):
    """``shop`` with the library ``the lib`` in ``vendor/lib``, which has ``inner`` in ``deps/in``.

    All three have a remote beside each other, and name each other by relative URLs.
    """

    def setUp(self) -> None:
        super().setUp()
        repository, git = self.playground.repository, self.playground.repository.git
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

    def hub(self, name: str) -> str:
        return self.playground.path("hub", f"{name}.git")

    def publish(self, name: str, files: dict[str, str], *modules: tuple[str, str, str]) -> None:
        repository, work = self.playground.repository, self.playground.path("work", name)
        repository.git("clone", "--quiet", self.hub(name), work)
        repository.commit(files, at=work)
        for url, path, called in modules:
            repository.git("submodule", "--quiet", "add", "--name", called, url, path, at=work)
            repository.commit({}, "a submodule", at=work)
        repository.git("push", "--quiet", "origin", "HEAD:main", at=work)

    def said(self, code: int, *words: str) -> str:
        done = self.playground.command(*words)
        self.assertEqual(done.code, code, f"{words}: {done.out}\n{done.err}")
        return done.out + done.err

    def origin(self, *parts: str) -> str:
        at = os.path.join(self.playground.worktree("a"), *parts)
        return self.playground.repository.git("remote", "get-url", "origin", at=at)

    def shell(self, command: str) -> None:
        environ = self.playground.repository.environ
        subprocess.run(["sh", "-c", command], check=True, env=environ, capture_output=True)


class Filled(SubmodulesTest):
    def test_their_remotes_are_the_real_ones_and_inner_ones_are_filled_as_well(self) -> None:
        self.playground.features(feature("a"))
        seen = self.playground.repository.seen_by_user()
        self.said(0, "run", "--yes")
        self.assertEqual(self.origin("vendor", "lib"), self.hub("lib"))
        self.assertEqual(self.origin("vendor", "lib", "deps", "in"), self.hub("inner"))
        inner = os.path.join(self.playground.worktree("a"), "vendor", "lib", "deps", "in")
        self.assertIn("inner.txt", os.listdir(inner))
        self.assertEqual(self.playground.repository.seen_by_user(), seen)

    def test_what_the_user_left_out_stays_out(self) -> None:
        repository, git = self.playground.repository, self.playground.repository.git
        git("submodule", "--quiet", "add", "--name", "none", "../inner.git", "none")
        git("submodule", "--quiet", "add", "--name", "off", "../inner.git", "off")
        git("submodule", "--quiet", "add", "--name", "gone", "../inner.git", "gone")
        git("config", "--file", ".gitmodules", "submodule.none.update", "none")
        repository.commit({}, "more")
        git("config", "submodule.off.active", "false")
        git("submodule", "--quiet", "deinit", "gone")
        self.playground.features(feature("a"))
        self.said(0, "run", "--yes")
        made = self.playground.worktree("a")
        for name in ("none", "off", "gone"):
            self.assertEqual(os.listdir(os.path.join(made, name)), [], name)
        self.assertIn("lib.txt", os.listdir(os.path.join(made, "vendor", "lib")))


class Published(SubmodulesTest):
    def test_a_commit_that_nobody_else_has_is_told_held_and_lands_once_it_is_pushed(self) -> None:
        repository = self.playground.repository
        inner = "cd vendor/lib/deps/in && echo 2 > inner.txt && git commit --quiet -a -m inner"
        outer = "cd vendor/lib && git commit --quiet -a -m outer"
        self.playground.features(
            feature("a", {"bash": inner}, {"bash": outer}),
            feature("b", depends_on=["a"]),
            feature("c"),
        )
        told = self.said(0, "run", "--yes")
        made = self.playground.worktree("a")
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
        inside = os.path.join(self.playground.worktree("b"), "vendor", "lib", "deps", "in")
        self.assertEqual(repository.commit_of("HEAD", at=inside), commits[0])
        said = self.said(1, "merge", "--keep-going")
        self.assertIn("held a (feature/a): it pins commits of submodules", said)
        self.assertIn("".join(f"    {push}\n" for push in pushes), said)
        self.assertIn("held b (feature/b): it needs a", said)
        self.assertIn("landed c", said)
        self.shell(pushes[0])
        self.assertNotIn(pushes[0], self.said(1, "merge"))
        self.shell(pushes[1])
        said = self.said(0, "merge", "a")
        follow = f"git -C {repository.path} submodule update"
        self.assertIn(f"the submodules of the checkout follow with: {follow}\n", said)
        # The checkout's submodule is behind: no work of the user's, and nothing is in the way.
        self.assertEqual(repository.git("status", "--porcelain"), " M vendor/lib")
        self.said(0, "merge")
        self.said(0, "cleanup", "--all")
        self.playground.features(feature("d"))
        said = self.said(1, "run", "--yes")
        self.assertIn(f"{follow} --recursive fetches what is missing", said)
        self.shell(f"{follow} --recursive")
        self.assertEqual(repository.git("status", "--porcelain"), "")
        self.said(0, "run", "--yes", "--merge")

    def test_work_in_the_submodule_of_the_checkout_is_in_the_way(self) -> None:
        self.playground.features(feature("a"))
        self.said(0, "run", "--yes")
        repository = self.playground.repository
        repository.commit({"mine.txt": "x"}, at=self.lib)
        said = self.said(2, "merge")
        self.assertIn("files that are not committed: vendor/lib", said)

    def test_one_that_the_feature_made_has_no_remote_to_push_to(self) -> None:
        make = (
            "git init --quiet new && cd new && git commit --quiet --allow-empty -m new && cd .. "
            "&& git submodule --quiet add ./new new"
        )
        self.playground.features(feature("a", {"bash": make}))
        self.said(0, "run", "--yes")
        self.assertIn("new remote add origin URL && git -C", self.said(1, "merge"))


if __name__ == "__main__":
    unittest.main()
