"""The setup cache: what skips a setup, what does not, and what is never kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from unittest import mock

from core.model.outcome import Fault
from core.worktree.setup_store import SetupStore
from tests.support.checks import ChecksTest
from tests.support.workspace import feature

INSTALL = "mkdir -p node_modules/.bin node_modules/left && date +%N > node_modules/left/index.js"
LINKED = "ln -s ../left/index.js node_modules/.bin/left"
COUNTED = 'echo "$RORCHESTRATOR_FEATURE" >> "$COUNT"'
"""It does not name a variable that is different in each worktree: its script would."""


class CacheTest(ChecksTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit(
            {".gitignore": "node_modules/\n*.made\n", "package-lock.json": "{}\n"}
        )
        self.count_file = self.workspace.beside("count")
        count = self.workspace.script("counting", '#!/bin/sh\necho x >> "$COUNT"\n')
        self.workspace.environ["COUNT"] = self.count_file
        self.setup = [f"{count} && {INSTALL} && {LINKED}"]

    def project(self, **more: object) -> Mapping[str, object]:
        return {"setup": self.setup, "setup_cache": ["node_modules"], **more}

    def cached(self, *ids: str, **project: object) -> None:
        """A list of features that write a file each, for the cache."""
        show = {"bash": "cat node_modules/.bin/left > seen.txt"}
        features = [feature(id, show, {"write": f"{id}.md"}) for id in ids]
        self.workspace.features(*features, **self.project(**project))

    def setups(self) -> int:
        """How often the setup ran."""
        if not os.path.exists(self.count_file):
            return 0
        with open(self.count_file, encoding="utf-8") as file:
            return len(file.readlines())

    def store(self) -> SetupStore:
        return SetupStore(os.path.join(self.workspace.path, ".git"))

    def of(self, id: str, name: str) -> str:
        with open(os.path.join(self.workspace.worktree(id), name), encoding="utf-8") as file:
            return file.read()

    def refused(self, *reasons: str) -> None:
        """Nothing was stored, for these reasons, each told once."""
        told = [each for each in self.notes() if each.startswith("setup cache: ")]
        self.assertEqual(told, [f"setup cache: {reason}" for reason in reasons])
        self.assertEqual(self.store().entries(), [])


class Skipped(CacheTest):
    def test_a_later_worktree_gets_a_copy_of_its_own_and_its_setup_is_skipped(self) -> None:
        self.cached("a", "b")
        self.run_features("a", "b")
        self.assertEqual(self.setups(), 1)
        self.assertEqual(self.of("a", "seen.txt"), self.of("b", "seen.txt"))
        self.assertEqual(self.of("b", "node_modules/.bin/left"), self.of("b", "seen.txt"))
        made = [os.stat(self.workspace.worktree(id) + "/node_modules/left/index.js") for id in "ab"]
        self.assertEqual(made[0].st_mtime_ns, made[1].st_mtime_ns)
        self.assertNotEqual(made[0].st_ino, made[1].st_ino)
        self.assertEqual([each.st_nlink for each in made], [1, 1])
        told = "setup skipped: node_modules came from the setup cache"
        self.assertEqual(self.notes()[1:], [told])
        self.assertEqual(self.state.feature("a").setup_cached, ())
        self.assertEqual(self.state.feature("b").setup_cached, ("node_modules",))
        self.assertEqual(self.state.feature("b").made, self.state.feature("a").made)

    def test_the_next_run_knows_it_from_the_journal(self) -> None:
        self.cached("a", "b")
        self.run_feature("a")
        self.run_feature("b")
        self.assertEqual(self.setups(), 1)
        self.assertEqual(self.count("setup_stored"), 1)

    def test_features_that_start_together_wait_for_the_first_one(self) -> None:
        self.cached("a", "b", "c")
        self.run_together("a", "b", "c")
        self.assertEqual((self.setups(), self.count("setup_stored")), (1, 1))

    def test_a_command_that_names_a_variable_of_the_worktree_runs_in_each(self) -> None:
        self.setup += [COUNTED, 'test "$PORT" -gt 0 && echo port >> "$COUNT"']
        self.cached("a", "b", port_variable="PORT")
        self.run_features("a", "b")
        with open(self.count_file, encoding="utf-8") as file:
            self.assertEqual(file.read().split(), ["x", "a", "port", "b", "port"])

    def test_without_any_other_command_there_is_nothing_to_skip(self) -> None:
        self.setup = [COUNTED]
        self.cached("a", "b")
        self.run_features("a", "b")
        self.assertEqual(self.setups(), 2)
        self.refused()

    def test_the_base_that_is_checked_stores_what_the_first_feature_gets(self) -> None:
        self.cached("a", verify=["test -d node_modules"], verify_clean=True)
        self.run_feature("a")
        self.assertEqual(self.setups(), 1)  # In its own worktree; not in the clean checkout.


class NotSkipped(CacheTest):
    def test_another_input_command_tool_or_variable_makes_another_entry(self) -> None:
        self.cached(*"abcde")
        self.run_feature("a")
        self.workspace.commit({"package-lock.json": '{"newer": 1}\n'})
        self.run_feature("b")
        self.workspace.environ["NODE_ENV"] = "production"
        self.run_feature("c")
        self.workspace.environ["NPM_TOKEN"] = "changes every hour"
        self.workspace.commit({"src.js": "no input\n"})
        self.run_feature("d")
        self.assertEqual(self.setups(), 3)
        self.workspace.script("counting", '#!/bin/sh\n# an update\necho x >> "$COUNT"\n')
        self.run_feature("e")
        self.assertEqual((self.setups(), len(self.store().entries())), (4, 4))

    def test_a_feature_that_starts_from_other_inputs_runs_its_setup_and_stores_nothing(
        self,
    ) -> None:
        self.workspace.features(
            feature("a", {"write": "package-lock.json"}),
            feature("b", {"write": "b.md"}, depends_on=["a"]),
            **self.project(),
        )
        self.run_feature("a")
        self.run_feature("b", results={"a": self.workspace.commit_of("feature/a")})
        self.assertEqual((self.setups(), self.count("setup_stored")), (2, 1))

    def test_a_folder_that_is_there_already_is_not_replaced(self) -> None:
        self.cached("a", "b", setup=["[ -e node_modules ] || mkdir node_modules", *self.setup])
        with mock.patch.object(SetupStore, "entry", lambda *_: None):
            self.run_features("a", "b")
        self.assertEqual(self.setups(), 2)

    def test_a_changed_entry_is_not_used(self) -> None:
        self.cached("a", "b", "c")
        self.run_feature("a")
        (entry,) = self.store().entries()
        file = os.path.join(self.store().folder, entry.key, "0", "left", "index.js")
        info = os.stat(file)
        with open(file, "r+", encoding="utf-8") as opened:
            opened.write("9")
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
        self.run_features("b", "c")
        self.assertEqual((self.setups(), self.count("setup_stored")), (2, 2))
        self.assertIn(
            "setup cache: an entry was changed on disk and is not used any more", self.notes()
        )

    def test_a_copy_that_fails_is_no_failure_of_the_feature(self) -> None:
        self.cached("a", "b")
        self.run_feature("a")
        with mock.patch.object(SetupStore, "take", side_effect=OSError(28, "No space left")):
            self.run_feature("b")
        self.assertEqual(self.setups(), 2)
        self.assertIn("setup cache: no copy could be made: No space left", self.notes())

    def test_a_folder_that_git_would_commit_is_not_put_there(self) -> None:
        self.workspace.features(
            feature("a", {"write": "a.md"}),
            feature("b", {"write": "b.md"}),
            **self.project(setup_inputs=["package-lock.json"]),
        )
        self.run_feature("a")
        self.workspace.commit({".gitignore": "*.made\n"})
        self.run_feature("b")
        self.assertEqual(self.setups(), 2)
        self.workspace.commit({".gitignore": "node_modules/\n", "node_modules/own.js": "x\n"})
        self.workspace.features(feature("c", {"write": "c.md"}), **self.project())
        self.run_feature("c")
        self.assertEqual(self.setups(), 3)

    def test_a_failing_setup_stores_nothing_and_holds_nobody_up(self) -> None:
        self.setup = [*self.setup, "exit 7"]
        self.cached("a", "b")
        for outcome in self.run_together("a", "b"):
            self.assertEqual(outcome.fault, Fault.SETUP)
        self.assertEqual(self.setups(), 2)
        self.refused()


class NeverStored(CacheTest):
    def twice(self, *setup: str, **project: object) -> None:
        """Two features, whose setup runs twice."""
        self.setup = [*self.setup, *setup]
        self.cached("a", "b", **project)
        self.run_features("a", "b")
        self.assertEqual(self.setups(), 2)

    def test_a_setup_that_makes_more_than_the_folders(self) -> None:
        self.twice("touch own.made package-lock.json && echo 1 >> package-lock.json")
        self.refused("setup makes own.made, package-lock.json as well, which a copy would not have")

    def test_a_folder_that_names_its_worktree(self) -> None:
        self.twice("pwd > node_modules/root.txt")
        path = "node_modules/root.txt"
        self.refused(f"{path} has the path of its worktree in it")

    def test_a_setup_that_makes_no_such_folder(self) -> None:
        self.twice(setup_cache=["vendor", "*/vendor"])
        self.refused("setup made none of the folders: vendor, */vendor")

    def test_a_folder_that_git_does_not_ignore(self) -> None:
        self.workspace.commit({".gitignore": "*.made\n"})
        self.twice()
        self.refused("git does not ignore node_modules/")

    def test_a_list_without_inputs(self) -> None:
        self.twice(setup_inputs=["Cargo.lock"])
        self.refused("no tracked file is an input of the setup: name some in setup_inputs")

    def test_settings_of_git_for_one_worktree(self) -> None:
        self.twice(
            "git config extensions.worktreeConfig true && git config --worktree a.b c",
        )
        self.refused("setup makes settings of git for its worktree alone")

    def test_more_than_the_limit(self) -> None:
        self.twice(
            "dd if=/dev/zero of=node_modules/big bs=1M count=3 2>/dev/null",
            setup_cache_max_gib=0.001,
        )
        self.refused("3 MiB are more than project.setup_cache_max_gib")

    def test_a_disk_that_is_nearly_full(self) -> None:
        few = mock.Mock(return_value=mock.Mock(free=1024))
        with mock.patch("shutil.disk_usage", few):
            self.twice()
        self.refused("only 0 MiB are free on the disk of the repository")

    def test_a_store_that_cannot_be_written(self) -> None:
        with mock.patch.object(SetupStore, "put", side_effect=OSError(30, "Read-only")):
            self.twice()
        self.refused("Read-only")
