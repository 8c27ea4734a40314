"""The cache of git's answers: kept for later read-only commands, and used by them only."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import unittest
from unittest import mock

from core.git import merged
from core.git.answer_cache import AnswerFile, Answers
from core.git.door import Git
from core.git.opening import open_repository
from core.journal import history
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class AnswersTest(unittest.TestCase):
    def test_unused_answers_are_dropped(self) -> None:
        kept = Answers({"tree a": "1", "tree b": "2"})
        self.assertEqual(kept.get("tree", "a"), "1")
        self.assertEqual(kept.get("tree", "a"), "1")
        self.assertIsNone(kept.get("tree", "c"))
        self.assertTrue(kept.have_changed)
        self.assertEqual(kept.used, {"tree a": "1"})
        self.assertEqual(kept.put("3", "base", "a", "b"), "3")
        self.assertEqual(kept.used, {"tree a": "1", "base a b": "3"})


class FileTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = os.path.join(folder.name, "cache")
        self.file = self.open()

    def open(self, settings: str = "s") -> AnswerFile:
        return AnswerFile("/r/.git", settings, {"XDG_CACHE_HOME": self.cache})

    def write(self, **known: str) -> None:
        fresh = Answers()
        for key, value in known.items():
            fresh.put(value, key, "a")
        self.file.write(fresh)

    def known(self, settings: str = "s") -> dict[str, str]:
        read = self.open(settings).read()
        for question in ("tree", "base"):
            read.get(question, "a")
        return read.used

    def test_written_files_are_readable_by_their_owner_only(self) -> None:
        self.write(tree="1", base="2")
        self.assertEqual(self.known(), {"tree a": "1", "base a": "2"})
        self.assertEqual(stat.S_IMODE(os.stat(self.file.path).st_mode), 0o600)
        folder = os.path.dirname(self.file.path)
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        self.assertEqual(os.listdir(folder), [os.path.basename(self.file.path)])

    def test_other_settings_know_nothing(self) -> None:
        self.write(tree="1")
        self.assertEqual(self.known("other"), {})

    def test_a_value_that_is_no_object_knows_nothing(self) -> None:
        self.file._file.write(["tree a"])
        self.assertEqual(self.known(), {})

    def test_the_cache_is_not_written_without_news(self) -> None:
        self.file.write(Answers())
        self.assertFalse(os.path.exists(self.cache))


class CircumstancesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)

    def git(self) -> Git:
        environ = self.repository.environ
        return run_sync(open_repository(Spawner(), self.repository.path, environ)).read_only()

    def put(self, path: str, text: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_settings_and_attributes_are_other_circumstances(self) -> None:
        common, home = os.path.join(self.repository.path, ".git"), self.repository.home
        known = {run_sync(self.git().settings_fingerprint())}
        self.put(os.path.join(common, "info", "attributes"), "*.x -merge\n")
        known.add(run_sync(self.git().settings_fingerprint()))
        config = self.repository.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        self.put(os.path.join(config, "git", "attributes"), "*.y -merge\n")
        known.add(run_sync(self.git().settings_fingerprint()))
        self.put(os.path.join(home, "own"), "*.z -merge\n")
        self.repository.git("config", "core.attributesFile", os.path.join(home, "own"))
        known.add(run_sync(self.git().settings_fingerprint()))
        self.assertEqual(len(known), 4)
        self.assertEqual(
            run_sync(self.git().settings_fingerprint()), run_sync(self.git().settings_fingerprint())
        )

    def test_nothing_is_cached_if_object_ids_are_replaced(self) -> None:
        first = self.repository.commit_of("main")
        self.repository.git("replace", first, self.repository.commit({"a": "1"}))
        self.assertEqual(run_sync(self.git().settings_fingerprint()), "")
        self.repository.git("replace", "--delete", first)
        self.assertNotEqual(run_sync(self.git().settings_fingerprint()), "")
        self.put(os.path.join(self.repository.path, ".git", "info", "grafts"), "")
        self.assertEqual(run_sync(self.git().settings_fingerprint()), "")


class LearnTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)

    def open(self) -> Git:
        environ = self.repository.environ
        return run_sync(open_repository(Spawner(), self.repository.path, environ)).read_only()

    def test_answers_learnt_in_one_call_equal_those_of_single_calls(self) -> None:
        make = self.repository
        start = make.commit({"a": "1\n"})
        tips = {"landed": start}
        for name in ("one", "two"):
            make.git("checkout", "-q", "-b", name, start)
            make.commit({name: "1\n"})
            tips[name] = make.commit({name: "2\n"})
        make.git("checkout", "-q", "-b", "joined", "one")
        make.git("merge", "-q", "--no-edit", "two")
        tips["joined"] = make.commit_of("joined")
        make.git("checkout", "-q", "main")
        target = make.commit({"a": "2\n"})
        make.git("checkout", "-q", "-b", "late", "main")
        make.git("merge", "-q", "--no-edit", "one")
        tips["late"] = make.commit_of("late")
        make.git("checkout", "-q", "--orphan", "alone")
        tips["alone"] = make.commit({"b": "1\n"})
        learnt, asked = self.open(), self.open()
        run_sync(merged.prefetch(learnt, tips.values(), target))
        for name, tip in tips.items():
            with self.subTest(name):
                bases = [run_sync(git.merge_base(tip, target)) for git in (learnt, asked)]
                self.assertEqual(bases[0], bases[1])
                found = [run_sync(merged.parents_of(git, tip, target)) for git in (learnt, asked)]
                self.assertEqual(found[0], found[1])
                self.assertEqual(run_sync(learnt.tree_of(tip)), run_sync(asked.tree_of(tip)))
        self.assertIsNotNone(learnt.answers.get("base", *sorted((tips["one"], target))))
        with mock.patch.object(learnt, "try_run", side_effect=AssertionError):
            run_sync(merged.prefetch(learnt, tips.values(), target))

    def test_commits_that_are_not_here_are_left_to_whoever_asks(self) -> None:
        git, target = self.open(), self.repository.commit_of("main")
        run_sync(merged.prefetch(git, ["1" * 40], target))
        run_sync(merged.prefetch(git, ["main"], target))
        self.assertEqual(git.answers.used, {})


class CommandsTest(WorkspaceTest):
    def test_plan_and_status_use_the_cache_and_merge_and_cleanup_do_not(self) -> None:
        play = self.workspace
        play.features(feature("a"), feature("b"))
        self.assertEqual(play.run().code, 0)
        play.commit({"other.txt": "1\n"})
        said = [play.command("status").out, play.command("plan").out]
        self.assertEqual([play.command("status").out, play.command("plan").out], said)
        folder = history.cache_folder(play.environ)
        (name,) = (name for name in os.listdir(folder) if ".history" not in name)
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            head, body = map(json.loads, file)
        tip, main = play.commit_of("feature/a"), play.commit_of("main")
        # As if the branch were in main already.
        body[f"base {' '.join(sorted((tip, main)))}"] = tip
        written = history.DerivedFile("", "", {}, head["key"])
        written.path = path
        written.write(body)
        self.assertIn("merged (ancestor)", play.command("plan").out)
        self.assertEqual(play.command("cleanup", "--merged").code, 0)
        self.assertEqual(play.commit_of("feature/a"), tip)
        self.assertEqual(play.command("merge", "--yes").code, 0)
        self.assertIn("a.md", play.files("main"))

    def test_a_repository_whose_history_is_replaced_is_looked_at_without_them(self) -> None:
        play = self.workspace
        play.features(feature("a"))
        play.run()
        first = play.commit_of("main")
        play.git("replace", first, play.commit({"a": "1"}))
        for command in ("status", "plan"):
            self.assertEqual(play.command(command).code, 0)
        folder = history.cache_folder(play.environ)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        self.assertEqual([name for name in names if ".history" not in name], [])


if __name__ == "__main__":
    unittest.main()
