"""Build products: left out of commits, reported, no reason for a failing check."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

from core.model.outcome import Status
from core.worktree import build_products
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.runner import RunnerTest
from tests.support.workspace import Json, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

TAG = f"{build_products.SIGNATURE.decode()}\n# by a tool\n"
TREE: Mapping[str, str] = {
    "src/__pycache__/a.cpython-39.pyc": "src/__pycache__/",
    "src/old.pyc": "src/old.pyc",
    "app/tsconfig.tsbuildinfo": "app/tsconfig.tsbuildinfo",
    ".eslintcache": ".eslintcache",
    ".pytest_cache/v/cache/lastfailed": ".pytest_cache/",
    "web/node_modules/a/node_modules/b/index.js": "web/node_modules/",
    ".venv/pyvenv.cfg": ".venv/",
    ".venv/lib/x.py": ".venv/",
    "target/CACHEDIR.TAG": "target/",
    "target/debug/app": "target/",
}
SOURCES = (
    *("build/a.py", "dist/a.js", "out/a.txt", "log/a.txt", "tmp/a.txt", "coverage/a.py"),
    *("venv/a.py", "env/pyvenv.cfg", "src/node_modules", "docs/__pycache__.md", "src/x.pyc.txt"),
    *("kept/CACHEDIR.TAG", "kept/a", "pipe/a", "linked/a", "CACHEDIR.TAG.md"),
)
RUN = {"bash": f"{sys.executable} -c 'import mod'"}
"""Leaves `__pycache__` beside `mod.py`."""


class Kinds(WorkspaceTest):
    def test_only_what_a_tool_makes_again_is_a_build_product(self) -> None:
        with Repository() as place:
            place.write({name: TAG if name.endswith(".TAG") else name for name in TREE})
            place.write({name: name for name in SOURCES})
            os.mkfifo(os.path.join(place.path, "pipe", "CACHEDIR.TAG"))
            os.symlink("../target/CACHEDIR.TAG", os.path.join(place.path, "linked/CACHEDIR.TAG"))
            found = build_products.among(place.path, [*TREE, *SOURCES])
            self.assertEqual({file: roots[0] for file, roots in found.items()}, TREE)


class Held(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit({"mod.py": "x = 1\n"})

    def finish(self, *does: Mapping[str, object], **project: Json) -> list[str]:
        """The files of the commit that the feature ends with."""
        self.workspace.features(feature("a", *does), **project)
        self.outcome = self.run_feature()
        self.assertEqual(self.outcome.status, Status.COMPLETED, self.outcome)
        return sorted(self.workspace.added("feature/a"))

    def held(self) -> tuple[str, ...]:
        assert self.outcome.work is not None
        return self.outcome.work.held_back

    def test_build_products_stay_uncommitted_and_are_named(self) -> None:
        venv = {"bash": "mkdir -p .venv/lib; echo > .venv/pyvenv.cfg; echo > .venv/lib/key.pem"}
        sources = [{"write": f"{name}/a.txt"} for name in ("build", "dist", "target", "out", "log")]
        files = self.finish(RUN, venv, *sources, {"write": "node_modules/m.js"})
        expected = ["build", "dist", "log", "out", "target"]
        self.assertEqual(files, sorted(["mod.py", *(f"{name}/a.txt" for name in expected)]))
        self.assertEqual(self.held(), (".venv/", "__pycache__/", "node_modules/"))
        self.assertTrue(
            os.path.isfile(os.path.join(self.workspace.worktree("a"), ".venv/pyvenv.cfg"))
        )

    def test_a_secret_that_is_only_in_the_index_is_left_uncommitted(self) -> None:
        files = self.finish(RUN, {"bash": "echo a > a.txt; git add -A"})
        self.assertEqual((files, self.held()), (["a.txt", "mod.py"], ("__pycache__/",)))

    def test_files_in_a_build_folder_tracked_by_the_base_are_work(self) -> None:
        self.workspace.commit({"node_modules/own/a.js": "a"})
        files = self.finish(
            RUN, {"write": "node_modules/own/b.js"}, {"write": "web/node_modules/c"}
        )
        self.assertEqual(files, ["mod.py", "node_modules/own/a.js", "node_modules/own/b.js"])
        self.assertEqual(self.held(), ("__pycache__/", "web/node_modules/"))

    def test_commits_by_claude_are_kept_and_named_and_fail_no_check(self) -> None:
        commit = {
            "bash": "mkdir .pytest_cache; echo 1 > .pytest_cache/last; git add -A; git commit -qm c"
        }
        check = "test -f .pytest_cache/last && date +%N >> .pytest_cache/last"
        files = self.finish(RUN, commit, verify=[check], verify_base=False, verify_clean=True)
        self.assertIn(".pytest_cache/last", files)
        note = "Claude itself committed build products: .pytest_cache/, __pycache__/ (left as"
        self.assertIn(note, "\n".join(self.notes()))
        status = self.workspace.git("status", "--porcelain", at=self.workspace.worktree("a"))
        self.assertEqual(status, "")

    def test_a_tracked_one_of_the_base_that_a_check_changes_makes_it_red(self) -> None:
        self.workspace.commit({"node_modules/a.js": "a"})
        check = "date +%N >> node_modules/a.js"
        self.workspace.features(feature("a", verify=[check]))
        outcome = self.run_feature()
        self.assertIn("changed node_modules/a.js", outcome.reason)

    def test_checks_leave_no_bytecode_unless_the_user_wants_it(self) -> None:
        repository, check = self.workspace, f"{sys.executable} -c 'import mod'"
        look = f"{check}; test -d __pycache__ && echo yes >> {self.workspace.beside('seen')}; true"
        self.finish(verify=[look])
        self.assertFalse(os.path.exists(self.workspace.beside("seen")))
        self.workspace.environ["PYTHONDONTWRITEBYTECODE"] = ""
        prefix = self.workspace.environ["PYTHONPYCACHEPREFIX"] = self.workspace.beside("prefix")
        self.workspace.features(feature("b"), verify=[check])
        self.assertEqual(self.run_feature("b").status, Status.COMPLETED)
        self.assertTrue(os.path.isdir(prefix + self.workspace.worktree("b")))
        self.assertEqual(repository.git("status", "--porcelain"), "")


class Tagged(WorkspaceTest):
    def test_a_tag_beside_sources_keeps_them_from_commits_and_from_being_removed(self) -> None:
        tag = {"write": "cache/CACHEDIR.TAG", "content": TAG}
        self.workspace.features(feature("a", tag, {"write": "cache/a.py"}))
        self.assertEqual(self.workspace.run().code, 1)
        kept = self.workspace.command("cleanup", "a")
        self.assertIn("2 uncommitted files: cache/CACHEDIR.TAG, cache/a.py", kept.out, kept)
        self.workspace.run()
        (ref,) = self.workspace.ref("a", "kept")
        self.assertEqual(self.workspace.added(ref), {"cache/CACHEDIR.TAG", "cache/a.py"})


class Landing(WorkspaceTest):
    def test_build_products_neither_conflict_nor_keep_a_worktree_from_cleanup(self) -> None:
        self.workspace.commit({"mod.py": "x = 1\n"})
        both = [feature(id, RUN, {"write": f"{id}.txt"}) for id in ("a", "b")]
        last = feature("c", RUN, {"write": "c.txt"}, depends_on=["a", "b"])
        check = f"{sys.executable} -m unittest -q mod; {sys.executable} -c 'import mod'"
        self.workspace.features(*both, last, verify=[check], verify_clean=True)
        done = self.workspace.run("--merge")
        self.assertEqual(done.code, 0, done)
        self.assertIn("left uncommitted: __pycache__/", done.err + done.out)
        self.assertTrue(os.path.isdir(os.path.join(self.workspace.worktree("a"), "__pycache__")))
        said = json.loads(self.workspace.command("status", "--json").out)
        self.assertEqual([each["uncommitted"] for each in said["features"]], [[], [], []])
        done = self.workspace.command("cleanup", "--merged")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(os.listdir(self.workspace.beside("worktrees")), [])
