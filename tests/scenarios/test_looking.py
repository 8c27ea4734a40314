"""Looks change nothing and start nothing: no filter, merge driver, hook or helper, no fetch."""

from __future__ import annotations

import os
import shutil
import time
import unittest

from core.git import checkouts, merged, merging, worktree_status
from core.git.door import Git, GitError, Unknown
from core.git.opening import open_repository
from core.git.output import WorktreeStatus
from core.model import events
from core.process.spawner import Spawner, run_sync
from core.worktree import dependencies
from core.worktree.manager import WorktreeManager
from tests.support.lives import RUN
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.statuses import row_of, said_of
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

HOOKS = ("post-checkout", "post-commit", "post-index-change", "pre-commit", "reference-transaction")

LOOKS = (
    ("plan",),
    ("plan", "--json"),
    ("status",),
    ("status", "--json"),
    ("logs", "a"),
    ("cleanup", "--all", "--dry-run"),
    ("cleanup", "--merged", "--dry-run"),
    ("merge", "--dry-run"),
    ("merge", "--dry-run", "--resolve"),
    *(("merge", "--dry-run", "--strategy", each) for each in ("squash", "rebase")),
)


def files_below(*folders: str) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file."""
    found = (
        os.path.join(root, name)
        for folder in folders
        for root, _, names in os.walk(folder)
        for name in names
    )
    return {path: (os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in found}


class Trap:
    """A program that tells that it was started."""

    def __init__(self, repository: Repository) -> None:
        self.told = os.path.join(repository.root, "told")
        self.path = os.path.join(repository.root, "trap")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "$0 $*" >>{self.told}\ncat\n')
        os.chmod(self.path, 0o755)

    def sprung(self) -> str:
        """What it told since it was asked last."""
        if not os.path.exists(self.told):
            return ""
        with open(self.told, encoding="utf-8") as file:
            said = file.read()
        os.unlink(self.told)
        return said


class AHostileRepository(unittest.TestCase):
    """As it may come in an archive: every program that git knows of is a trap."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = space = Workspace([feature("a"), feature("b")])
        cls.addClassCleanup(space.close)
        space.finished("a", "b")
        space.record(events.clash(time.time(), RUN, "b", other="a", files=("a.txt",)))
        space.commit({"a.txt": "another\n"}, "into the way of a")
        # Older than the index: else git compares contents, by the filters.
        for file in ("README.md", "b.txt"):
            os.utime(os.path.join(space.worktree("b"), file), (1, 1))
        space.git("update-index", "--refresh", at=space.worktree("b"))
        cls.trap = trap = Trap(space)
        inner = os.path.join(space.worktree("b"), "inner")
        space.git("init", "--quiet", inner)
        space.commit({"file.txt": "1\n"}, at=inner)
        space.git("add", "inner", at=space.worktree("b"))
        for name in ("", inner):
            cls.set(name, trap)
        hooks = os.path.join(space.root, "hooks")
        os.mkdir(hooks)
        for hook in HOOKS:
            os.symlink(trap.path, os.path.join(hooks, hook))
        space.git("config", "core.hooksPath", hooks)
        # git compares times with those in the index: now only the filters could tell.
        space.write({"b.txt": "hidden"}, at=space.worktree("b"))
        space.git("update-index", "--assume-unchanged", "b.txt", at=space.worktree("b"))
        for file in (f"{space.worktree('a')}/a.txt", f"{inner}/file.txt"):
            os.utime(file, (1, 1))
        trap.sprung()

    space: Workspace
    trap: Trap

    @classmethod
    def set(cls, at: str, trap: Trap) -> None:
        space = cls.space
        for key in (
            *("merge.evil.driver", "filter.evil.clean", "filter.evil.smudge", "diff.external"),
            *("filter.odd=.process", "diff.evil.textconv", "diff.evil.command", "core.sshCommand"),
            *("core.fsmonitor", "credential.helper", "core.pager", "gpg.program"),
        ):
            space.git("config", key, trap.path, at=at)
        space.git("config", "log.showSignature", "true", at=at)
        folder = os.path.join(at or space.path, ".git", "info")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "attributes"), "w", encoding="utf-8") as file:
            file.write("*.txt merge=evil filter=evil diff=evil\n*.md filter=odd=\n")

    def test_no_look_starts_or_writes_anything(self) -> None:
        space, trap = self.space, self.trap
        places = (os.path.join(space.path, ".git"), space.worktrees)
        before = files_below(*places)
        for words in LOOKS:
            with self.subTest(words):
                said = space.main(*words)
                self.assertEqual(trap.sprung(), "")
                self.assertEqual(files_below(*places), before)
                self.assertNotIn("internal", said.err)
        self.assertEqual(os.listdir(space.environ["TMPDIR"]), [])

    def test_the_traps_are_live(self) -> None:
        space, trap = self.space, self.trap
        space.git("status", at=space.worktree("a"), env={"GIT_OPTIONAL_LOCKS": "0"})
        self.assertIn("trap", trap.sprung())
        git = run_sync(open_repository(Spawner(), space.path, space.environ))
        manager = WorktreeManager(git, os.path.join(space.root, "apart"), "feature/")
        run_sync(dependencies.merge(manager, space.commit_of("main"), space.commit_of("feature/a")))
        self.assertIn("trap", trap.sprung())

    def test_status_says_what_only_a_filter_could_tell(self) -> None:
        features = said_of(self.space.main("status", "--json"))[1]
        self.assertEqual(features["a"]["uncommitted"], [])
        self.assertEqual(features["a"]["maybe_changed"], [{"file": "a.txt", "filter": "evil"}])
        self.assertEqual(
            features["b"]["maybe_changed"], [{"file": "inner/file.txt", "filter": "evil"}]
        )
        self.assertEqual(features["b"]["uncommitted"], ["inner"])
        cells = row_of(self.space.main("status"), "a")
        self.assertEqual(cells[5], "unknown")
        self.assertIn("(1 file maybe changed (filter evil))", cells[-1])

    def test_changes_hidden_by_an_index_bit_are_found_without_changing_the_index(self) -> None:
        (b,) = self.space.main("cleanup", "b", "--dry-run", "--json").json
        self.assertIn("b.txt", b["files"])

    def test_the_result_of_a_merge_driver_is_unknown(self) -> None:
        space, driver = self.space, "a merge driver decides"
        self.assertIn(f"a: merged: {driver}", space.main("status").out)
        self.assertIn(f"b: may not merge with a: a.txt ({driver}", space.main("status").out)
        self.assertIn(driver, space.main("plan", "--verbose").out)
        removed = space.main("cleanup", "a", "--dry-run")
        self.assertEqual((removed.code, driver in removed.out), (1, True))
        for words in ((), ("--strategy", "squash"), ("--strategy", "rebase")):
            with self.subTest(words):
                looked = space.main("merge", "--dry-run", "--json", *words)
                a, b = looked.json["features"]
                self.assertEqual(looked.code, 1)
                self.assertEqual((a["state"], b["state"]), ("unknown", "unknown"))
                self.assertIn(driver, a["reason"])
                self.assertIn("unknown because a is unknown", b["reason"])
        self.assertIn("unknown a (feature/a): ", space.main("merge", "--dry-run").out)


class TheCheckoutThatALandingMoves(unittest.TestCase):
    def test_a_dry_run_names_files_that_only_a_filter_could_compare(self) -> None:
        with Workspace([feature("a")]) as space:
            space.finished("a")
            trap = Trap(space)
            space.git("config", "filter.evil.clean", trap.path)
            space.write({".git/info/attributes": "*.md filter=evil\n"})
            os.utime(os.path.join(space.path, "README.md"), (1, 1))
            said = space.main("merge", "--dry-run")
            self.assertEqual(said.code, 0)
            self.assertIn("possibly changed in the checkout: README.md (filter evil)", said.err)
            self.assertEqual(trap.sprung(), "")


class WhatFiltersHide(unittest.TestCase):
    """The status of a worktree without its filters."""

    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.trap = Trap(self.repository)
        self.repository.git("config", "filter.up.clean", "tr a-z A-Z")
        self.repository.commit({".gitattributes": "*.up filter=up\n", "x.up": "x\n", "plain": "x"})

    def look(self) -> WorktreeStatus:
        repository = self.repository
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
        self.repository.git("config", "filter.up.clean", self.trap.path)
        status = run_sync(worktree_status.status_of(git.read_only(), repository.path))
        self.repository.git("config", "filter.up.clean", "tr a-z A-Z")
        self.assertEqual(self.trap.sprung(), "")
        return status

    def touch(self, *names: str) -> None:
        for name in names:
            os.utime(os.path.join(self.repository.path, name), (1, 1))

    def refresh(self) -> None:
        """As git leaves it: every file is known to be what the index says."""
        self.repository.git("reset", "--quiet", "--hard")
        self.touch("x.up", "plain", ".gitattributes")
        self.repository.git("update-index", "--refresh")

    def test_a_filter_and_a_driver_without_a_name_are_not_started_either(self) -> None:
        repository, trap = self.repository, self.trap.path
        with open(os.path.join(repository.path, ".git", "config"), "a", encoding="utf-8") as file:
            file.write(f'[filter ""]\n\tclean = {trap}\n[merge ""]\n\tdriver = {trap}\n')
        repository.commit({".gitattributes": "plain filter= merge=\n"})
        sides = []
        for content in ("one", "two"):
            repository.git("checkout", "--quiet", "-B", content, "main")
            sides.append(repository.commit({"plain": content}))
        self.trap.sprung()
        repository.write({"plain": "own"})
        self.touch("plain")
        self.assertEqual(self.look().uncertain, (("plain", ""),))
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ)).read_only()
        with self.assertRaisesRegex(Unknown, "a merge driver decides"):
            run_sync(dependencies.merge(WorktreeManager(git, repository.root, ""), *sides))
        self.assertEqual(self.trap.sprung(), "")

    def test_a_file_that_git_left_so_is_clean(self) -> None:
        self.refresh()
        self.assertEqual(self.look().uncertain, ())
        self.assertEqual(self.look().uncommitted, ())

    def test_a_file_that_was_written_may_have_changed_whatever_it_holds(self) -> None:
        for content in ("x\n", "X\n", "y\n"):
            with self.subTest(content):
                self.refresh()
                self.repository.write({"x.up": content, "plain": "y", "new.up": ""})
                self.touch("x.up")
                os.utime(os.path.join(self.repository.path, "x.up"), (2, 2))
                status = self.look()
                self.assertEqual(status.uncertain, (("x.up", "up"),))
                self.assertEqual(status.uncommitted, ("plain", "new.up"))

    def test_a_file_of_another_size_has_changed_for_git_itself(self) -> None:
        self.refresh()
        self.repository.write({"x.up": "longer\n"})
        self.assertEqual((self.look().uncommitted, self.look().uncertain), (("x.up",), ()))

    def test_staged_and_deleted_files_count_as_changed(self) -> None:
        self.refresh()
        self.repository.write({"x.up": "staged\n"})
        self.repository.git("add", "x.up")
        self.touch("x.up")
        self.assertEqual(self.look().uncommitted, ("x.up",))
        self.assertEqual(self.look().uncertain, ())
        self.repository.write({"x.up": None})
        self.assertEqual(self.look().uncommitted, ("x.up",))

    def test_submodules_are_looked_into_where_they_are_checked_out(self) -> None:
        inner = os.path.join(self.repository.path, "inner")
        for name in ("inner", "absent"):
            self.repository.git("init", "--quiet", os.path.join(self.repository.path, name))
            at = os.path.join(self.repository.path, name)
            self.repository.commit({".gitattributes": "*.up filter=up\n", "x.up": "x"}, at=at)
        self.repository.commit({})
        shutil.rmtree(os.path.join(self.repository.path, "absent"))
        self.refresh()
        self.assertEqual((self.look().uncommitted, self.look().submodules), ((), ()))
        self.repository.git("config", "filter.up.smudge", self.trap.path, at=inner)
        os.utime(os.path.join(inner, "x.up"), (1, 1))
        self.assertEqual(self.look().uncertain, (("inner/x.up", "up"),))
        self.assertEqual(self.look().submodules, ())
        self.repository.write({"new": ""}, at=inner)
        self.assertEqual(self.look().submodules, ("inner",))

    def test_settings_of_one_worktree_are_that_ones(self) -> None:
        repository = self.repository
        path = os.path.join(repository.root, "linked")
        repository.git("worktree", "add", "--quiet", "--detach", path)
        repository.git("config", "extensions.worktreeConfig", "true")
        repository.git("config", "--worktree", "filter.up.process", self.trap.path, at=path)
        repository.git("config", "--unset", "filter.up.clean")
        os.utime(os.path.join(path, "x.up"), (1, 1))
        git = run_sync(open_repository(Spawner(), repository.path, repository.environ)).read_only()
        self.assertEqual(
            run_sync(worktree_status.status_of(git, path)).uncertain, (("x.up", "up"),)
        )
        self.assertEqual(run_sync(worktree_status.status_of(git, repository.path)).uncertain, ())
        self.assertEqual(self.trap.sprung(), "")


class APartialClone(unittest.TestCase):
    """What lacks objects is unknown; nothing is fetched."""

    def setUp(self) -> None:
        self.source = Repository("source")
        self.addCleanup(self.source.close)
        base = self.source.commit({"text": "1\n2\n3\n"})
        self.source.branch("side")
        self.source.git("config", "uploadpack.allowFilter", "true")
        self.source.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.tips: dict[str, str] = {}
        for name, text in {"side": "1\n2\nside\n", "main": "main\n2\n3\n"}.items():
            self.source.git("checkout", "--quiet", name)
            self.tips[name] = self.source.commit({"text": text})
        self.base = base
        self.clone = os.path.join(self.source.root, "clone")
        url = f"file://{self.source.path}"
        options = ("--quiet", "--bare", "--filter=blob:none", "--no-local")
        self.source.git("clone", *options, url, self.clone)
        self.trap = Trap(self.source)

    def open(self) -> Git:
        return run_sync(open_repository(Spawner(), self.clone, self.source.environ))

    def test_a_merge_that_needs_them_is_unknown_and_made_where_it_lands(self) -> None:
        with self.subTest("a look fetches nothing"):
            self.source.git("config", "remote.origin.uploadpack", self.trap.path, at=self.clone)
            before = files_below(self.clone)
            with self.assertRaises(Unknown):
                git = self.open().read_only()
                run_sync(merging.merged_tree(git, self.tips["main"], self.tips["side"]))
            with self.assertRaises(Unknown):
                run_sync(
                    merged.squashed(self.open().read_only(), self.tips["side"], self.tips["main"])
                )
            self.assertEqual(self.trap.sprung(), "")
            self.assertEqual(files_below(self.clone), before)
        self.source.git("config", "--unset", "remote.origin.uploadpack", at=self.clone)
        tree, files = run_sync(
            merging.merged_tree(self.open(), self.tips["main"], self.tips["side"])
        )
        self.assertEqual((bool(tree), files), (True, []))

    def test_attributes_that_are_not_here_leave_it_unknown(self) -> None:
        self.source.commit({".gitattributes": "* merge=union\n"})
        self.source.git("fetch", "--quiet", "origin", "+main:main", at=self.clone)
        tip = self.source.commit_of("main")
        with self.assertRaises(Unknown):
            run_sync(merging.merged_tree(self.open().read_only(), tip, self.tips["side"]))
        tree, _ = run_sync(merging.merged_tree(self.open(), tip, self.tips["side"]))
        self.assertTrue(tree)


class WhatLacksObjects(unittest.TestCase):
    def test_is_unknown_to_every_command(self) -> None:
        with Workspace([feature("a"), feature("b")]) as space:
            space.finished("a", "b")
            blob = space.git("rev-parse", "feature/a:a.txt")
            space.commit({"a.txt": "another\n"}, "into the way of a")
            trap = Trap(space)
            for key, value in {
                **{"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin"},
                **{"remote.origin.url": space.path, "remote.origin.uploadpack": trap.path},
            }.items():
                space.git("config", key, value)
            objects = os.path.join(space.path, ".git", "objects")
            os.unlink(os.path.join(objects, blob[:2], blob[2:]))
            before = files_below(objects)
            cells = row_of(space.main("status"), "a")
            self.assertEqual(cells[5], "unknown")
            self.assertEqual(row_of(space.main("status"), "b")[5], "no")
            self.assertIn("lacks objects", space.main("plan", "--verbose").out)
            a, b = space.main("merge", "--dry-run", "--json").json["features"]
            self.assertEqual((a["state"], b["state"]), ("unknown", "unknown"))
            self.assertEqual(space.main("cleanup", "--all", "--dry-run").code, 1)
            self.assertEqual((trap.sprung(), files_below(objects)), ("", before))


class ALookingGit(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository('odd: "name"\\ß')
        self.addCleanup(self.repository.close)
        git = run_sync(open_repository(Spawner(), self.repository.path, self.repository.environ))
        self.git, self.read_only = git, git.read_only()

    def test_a_read_only_git_refuses_commands_that_change_something(self) -> None:
        head = self.repository.commit_of("main")
        for change in (
            self.read_only.create_ref("refs/heads/new", head),
            checkouts.check_out(self.read_only, self.repository.path),
        ):
            with self.assertRaises(ValueError):
                run_sync(change)
        self.assertEqual(self.read_only.writable().is_read_only, False)
        self.assertIs(self.git.writable(), self.git)

    def test_objects_of_a_read_only_git_go_to_a_temporary_folder(self) -> None:
        objects = os.path.join(self.repository.path, ".git", "objects")
        before = files_below(objects)
        looking = self.git.read_only()
        head = self.repository.commit_of("main")
        made = run_sync(looking.commit_tree(run_sync(looking.tree_of(head)), (head,), "one"))
        child = run_sync(looking.commit_tree(run_sync(looking.tree_of(made)), (made,), "two"))
        self.assertTrue(run_sync(looking.is_ancestor(head, child)))
        self.assertEqual(files_below(objects), before)
        self.assertEqual(self.repository.commit_of(made), "")

    def test_attributes_are_put_nowhere_else_whatever_a_tree_calls_its_folders(self) -> None:
        blob = self.repository.git("hash-object", "-w", "--stdin", stdin=b"* merge=union\n")
        tree = f"100644 blob {blob}\t.gitattributes\n"
        for name in ("x", "..", ".GIT"):
            below = self.repository.git("mktree", stdin=tree.encode())
            tree = f"100644 blob {blob}\t.gitattributes\n040000 tree {below}\t{name}\n"
        top = self.repository.git("mktree", stdin=tree.encode())
        commit = self.repository.git("commit-tree", "-m", "odd", top)
        folder = run_sync(merging._attributes_of(self.read_only, commit))
        self.assertEqual(list(files_below(folder)), [os.path.join(folder, ".gitattributes")])

    def test_attributes_that_are_lost_are_no_unknown(self) -> None:
        tip = self.repository.commit({".gitattributes": "* merge=union\n"})
        blob = self.repository.git("rev-parse", f"{tip}:.gitattributes")
        os.unlink(os.path.join(self.repository.path, ".git", "objects", blob[:2], blob[2:]))
        for git in (self.git, self.read_only):
            with self.assertRaisesRegex(GitError, f"could not read files: {blob} missing"):
                run_sync(merging.merged_tree(git, tip, tip))

    def test_settings_that_git_can_not_read_are_its_own_words(self) -> None:
        self.repository.write({".git/config": "[nonsense"})
        with self.assertRaisesRegex(GitError, "could not read its settings: .*bad config"):
            run_sync(worktree_status.status_of(self.read_only, self.repository.path))

    def test_a_refusal_of_git_is_a_failure_if_no_commit_is_missing(self) -> None:
        with self.assertRaises(GitError):
            head = self.repository.commit_of("main")
            run_sync(merging.merged_tree(self.read_only, head, "0" * 40))


class ARehearsal(unittest.TestCase):
    def test_a_rehearsal_writes_no_object_into_the_repository(self) -> None:
        with Workspace([feature("a"), feature("b")]) as space:
            space.finished("a")
            space.commit({"other": "x"}, "main goes on")
            before = files_below(os.path.join(space.path, ".git"))
            said = space.command("run", "--rehearse", "--yes", "--merge")
            self.assertEqual(said.code, 0, said.out)
            self.assertEqual(files_below(os.path.join(space.path, ".git")), before)


if __name__ == "__main__":
    unittest.main()
