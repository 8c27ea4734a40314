"""What differs between two commits by file, and the digests of each file's own diff."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Mapping
from unittest import mock

from core.git import file_changes as changes
from core.git.door import Git
from core.git.file_changes import Entry, FileChange
from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Content, Repository

setUpModule = skip_if_run_elsewhere

TEXT = [f"line {number}\n" for number in range(30)]
HOSTILE = ':(glob)a\n*\t"ü" \udcff.txt'


def text(*given: tuple[int, str], above: int = 0) -> str:
    """Thirty lines, some replaced, with more lines above."""
    lines = list(TEXT)
    for number, line in given:
        lines[number] = line
    return "above\n" * above + "".join(lines)


class FileChanges(unittest.TestCase):
    space: Repository
    git: Git
    first: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Repository()
        cls.addClassCleanup(cls.space.close)
        cls.first = cls.space.commit({"code.py": text()})
        opened = open_repository(Spawner(), cls.space.path, cls.space.environ)
        cls.git = run_sync(opened).read_only()

    def commit(self, files: Mapping[str, Content], at: str = "") -> str:
        self.space.git("checkout", "--quiet", "--detach", at or self.first)
        return self.space.commit(files)

    def changes(self, old: str, new: str) -> tuple[FileChange, ...]:
        return run_sync(changes.file_changes(self.git, [(old, new)]))[0]

    def digests(self, old: str, new: str) -> dict[str, str]:
        return run_sync(changes.digests(self.git, old, new, self.changes(old, new)))

    def test_each_pair_has_its_files_whatever_their_names(self) -> None:
        new = self.commit({HOSTILE: "x\n", "code.py": None, ":100644 a": "y\n"})
        found, none = run_sync(changes.file_changes(self.git, [(self.first, new), (new, new)]))
        self.assertEqual(none, ())
        self.assertEqual([each.path for each in found], [HOSTILE, ":100644 a", "code.py"])
        gone = found[-1]
        self.assertEqual((gone.before.mode, gone.after), ("100644", Entry()))
        self.assertEqual(run_sync(changes.file_changes(self.git, [])), [])

    def test_a_digest_stays_where_only_the_place_of_the_lines_changes(self) -> None:
        """As after a rebase onto a base that has more lines above."""
        own = self.digests(self.first, self.commit({"code.py": text((20, "own\n"))}))
        moved = self.commit({"code.py": text(above=5)})
        rebased = self.commit({"code.py": text((20, "own\n"), above=5)}, at=moved)
        self.assertEqual(self.digests(moved, rebased), own)
        for lines in ([(20, "other\n")], [(20, "own\n"), (5, "more\n")]):
            other = self.digests(self.first, self.commit({"code.py": text(*lines)}))
            self.assertNotEqual(other, own)
        near = self.commit({"code.py": text((18, "context\n"))})
        both = self.commit({"code.py": text((18, "context\n"), (20, "own\n"))}, at=near)
        self.assertNotEqual(self.digests(near, both), own, "another context")

    def test_no_setting_attribute_or_program_of_anybody_counts(self) -> None:
        touched = os.path.join(self.space.root, "touched")
        files: dict[str, Content] = {"code.py": text((20, "own\n")), "b.bin": b"a\0b\n", "e": ""}
        new = self.commit(files)
        own = self.digests(self.first, new)
        self.assertEqual(len(set(own.values())), 3)
        program = f"touch {touched};"
        for key, value in (
            *(("diff.external", program), ("diff.mine.textconv", program), ("diff.context", "9")),
            *(("diff.algorithm", "patience"), ("diff.noprefix", "true"), ("diff.renames", "copy")),
            *(("diff.suppressBlankEmpty", "true"), ("diff.interHunkContext", "9")),
            *(("diff.mine.xfuncname", "l"), ("color.ui", "always"), ("diff.mine.binary", "true")),
            *(("diff.orderFile", "/dev/null"), ("core.quotePath", "true"), ("diff.relative", "1")),
        ):
            self.space.git("config", key, value)
            self.addCleanup(self.space.git, "config", "--unset", key)
        attributes = os.path.join(self.space.path, ".git", "info", "attributes")
        for rules in ("* diff=mine\n", "* -diff\n", "* diff -text\n"):
            self.space.write({attributes: rules})
            self.assertEqual(self.digests(self.first, new), own, rules)
        os.unlink(attributes)
        self.assertFalse(os.path.exists(touched))

    def test_what_has_no_lines_has_a_digest_of_its_own(self) -> None:
        """A mode, a link, a submodule, a binary file, a kind that changed: each is told apart."""
        made = {"run.sh": "echo\n", "link": "x\n", "data": b"\0" * 100}
        old = self.commit(made)
        self.space.git("checkout", "--quiet", "--detach", old)
        os.chmod(os.path.join(self.space.path, "run.sh"), 0o755)
        os.unlink(os.path.join(self.space.path, "link"))
        os.symlink("code.py", os.path.join(self.space.path, "link"))
        self.space.git("add", "--all")
        self.space.git("update-index", "--add", "--cacheinfo", f"160000,{old},sub")
        self.space.git("commit", "--quiet", "-m", "kinds")
        new = self.space.commit_of("HEAD")
        self.space.git("update-index", "--cacheinfo", f"160000,{self.first},sub")
        self.space.git("commit", "--quiet", "-m", "another submodule")
        other = self.space.commit_of("HEAD")
        found, others = self.digests(old, new), self.digests(old, other)
        self.assertEqual(set(found), {"run.sh", "link", "sub"})
        self.assertEqual(len(set(found.values())), 3)
        differing = {path for path in found if found[path] != others[path]}
        self.assertEqual(differing, {"sub"})

    def test_a_large_file_is_known_by_its_ids_and_the_others_by_their_lines(self) -> None:
        new = self.commit({"code.py": text((20, "own\n")), "large": "x\n" * 50, HOSTILE: "y\n"})
        whole = self.digests(self.first, new)
        for limits in ({"LARGEST_BYTES": 90}, {"LARGEST_IN_ALL_BYTES": 0}):
            with mock.patch.multiple(changes, **limits):
                found = self.digests(self.first, new)
            self.assertNotEqual(found["large"], whole["large"])
            self.assertEqual(found[HOSTILE] == whole[HOSTILE], "LARGEST_BYTES" in limits)
            again = self.digests(self.first, new)
            self.assertEqual(again, whole)

    def test_a_commit_with_other_entries_differs_in_nothing_else(self) -> None:
        old = self.commit({"a": "1\n", "code.py": text((1, "x\n"))})
        new = self.commit({"a": None, "a/b": "file\n", HOSTILE: "2\n"}, at=old)
        wanted = {each.path: each.after for each in self.changes(old, new)}
        before = self.space.seen_by_user()
        made = run_sync(changes.with_entries(self.git, old, wanted))
        self.assertEqual(self.changes(made, new), ())
        paths = ["a/b", "code.py", "a", HOSTILE]
        entries = run_sync(changes.entries_of(self.git, made, paths))
        self.assertEqual([entries[path].is_there for path in paths], [True, True, False, True])
        self.assertFalse(run_sync(changes.entries_of(self.git, made, ["a"]))["a"].is_there)
        self.assertEqual(self.space.seen_by_user(), before)
        self.space.git("cat-file", "-e", made, fails=True)

    def test_a_sparse_checkout_and_another_hash_change_nothing_about_it(self) -> None:
        with Repository(empty=True) as space:
            shutil.rmtree(os.path.join(space.path, ".git"))
            space.git("init", "--quiet", "--object-format=sha256")
            old = space.commit({"in/a": "1\n", "out/b": "2\n", "out/deep/c": "3\n"})
            new = space.commit({"out/b": None, "out/deep/c": "4\n"})
            space.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
            git = run_sync(open_repository(Spawner(), space.path, space.environ)).read_only()
            found = run_sync(changes.file_changes(git, [(old, new)]))[0]
            self.assertEqual([each.path for each in found], ["out/b", "out/deep/c"])
            wanted = {each.path: each.after for each in found}
            made = run_sync(changes.with_entries(git, old, wanted))
            self.assertEqual(run_sync(changes.file_changes(git, [(made, new)])), [()])
            self.assertEqual(len(run_sync(changes.digests(git, old, new, found))), 2)

    def test_an_entry_is_read_as_it_is_spelled(self) -> None:
        for entry in (Entry(), Entry("100644", "a" * 40), Entry("160000", "b" * 64)):
            self.assertEqual(changes.entry_of(str(entry)), entry)
        for other in ("", "100644", "100644:xyz", "x:y:z"):
            self.assertIsNone(changes.entry_of(other))


if __name__ == "__main__":
    unittest.main()
