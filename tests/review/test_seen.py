"""What a reader saw, and what is new since: after more commits, a retry, a rebase."""

from __future__ import annotations

import unittest
from collections.abc import Mapping

from core.git.door import Git
from core.git.file_changes import Entry
from core.git.opening import open_repository
from core.git.patches import file_diffs
from core.process.spawner import Spawner, run_sync
from core.review.seen import News, Sight, Sighting, news, sighting_of
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Content, Repository

setUpModule = skip_if_run_elsewhere

LINES = [f"line {number}\n" for number in range(30)]


def text(**changed: str) -> str:
    """Thirty lines, some of them others: ``l3="x"``."""
    return "".join(
        f"{changed[f'l{n}']}\n" if f"l{n}" in changed else line for n, line in enumerate(LINES)
    )


class SeenTest(unittest.TestCase):
    space: Repository
    git: Git
    start: str
    first: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Repository()
        cls.addClassCleanup(cls.space.close)
        cls.start = cls.space.commit({"a.py": text(), "old.txt": text(), "gone.txt": "x\n"})
        made = {"a.py": text(l10="own"), "new.txt": "1\n2\n", "b.bin": b"\0\1", "gone.txt": None}
        cls.first = cls.space.commit(made)
        opened = open_repository(Spawner(), cls.space.path, cls.space.environ)
        cls.git = run_sync(opened).read_only()

    def commit(self, files: Mapping[str, Content], at: str) -> str:
        self.space.git("checkout", "--quiet", "--detach", at)
        return self.space.commit(files)

    def news(self, tip: str, seen: Mapping[str, str] | None = None, start: str = "") -> News:
        return run_sync(news(self.git, start or self.start, tip, seen or {}))

    def shown(self, found: News, tip: str) -> dict[str, str]:
        """The patches of what is new."""
        files = run_sync(file_diffs(self.git, found.since, tip))
        return {file.path: file.patch for file in files}

    def test_at_first_all_is_new_and_then_nothing(self) -> None:
        found = self.news(self.first)
        self.assertEqual(found.since, self.start)
        self.assertEqual(set(found.sights.values()), {Sight.NEW})
        again = self.news(self.first, found.sightings)
        self.assertEqual(set(again.sights.values()), {Sight.SEEN})
        self.assertEqual(self.shown(again, self.first), {})

    def test_of_a_changed_file_only_what_changed_since_is_new(self) -> None:
        seen = self.news(self.first).sightings
        files = {"a.py": text(l10="own", l20="later"), "b.bin": b"\0\2", "more.txt": "m\n"}
        tip = self.commit(files, self.first)
        found = self.news(tip, seen)
        changed = {path for path, sight in found.sights.items() if sight is Sight.CHANGED}
        self.assertEqual(changed, {"a.py", "b.bin"})
        self.assertEqual(found.sights["more.txt"], Sight.NEW)
        shown = self.shown(found, tip)
        self.assertEqual(set(shown), {"a.py", "b.bin", "more.txt"})
        self.assertIn("+later\n", shown["a.py"])
        self.assertNotIn("own", shown["a.py"])

    def test_after_a_rebase_only_what_differs_is_new_as_with_range_diff(self) -> None:
        seen = self.news(self.first).sightings
        base = self.commit({"a.py": "above\n" + text(), "x": "x\n"}, self.start)
        self.space.git("cherry-pick", self.first)
        tip = self.space.commit_of("HEAD")
        found = self.news(tip, seen, start=base)
        self.assertEqual(self.shown(found, tip), {})
        amended = self.commit({"a.py": "above\n" + text(l10="own", l20="later")}, tip)
        found = self.news(amended, seen, start=base)
        self.assertIn("+own\n", self.shown(found, amended)["a.py"])  # all of its diff

    def test_what_was_seen_changed_and_is_no_longer_is_shown_as_a_change_back(self) -> None:
        seen = self.news(self.first).sightings
        tip = self.commit({"gone.txt": "x\n", "new.txt": None}, self.first)
        found = self.news(tip, seen)
        self.assertEqual(found.taken_back, ("gone.txt", "new.txt"))
        shown = self.shown(found, tip)
        self.assertIn("+x\n", shown["gone.txt"])
        self.assertIn("-1\n", shown["new.txt"])
        # The base has it by now: nothing was taken back.
        landed = self.commit({"new.txt": "1\n2\n"}, tip)
        self.assertEqual(self.news(landed, seen, start=landed).taken_back, ("gone.txt",))

    def test_what_git_no_longer_has_is_shown_whole(self) -> None:
        seen = dict(self.news(self.first).sightings)
        entry = Entry("100644", self.space.git("rev-parse", f"{self.start}:a.py"))
        for lost in (Sighting("d", entry, Entry("100644", "1" * 40)), Sighting("d")):
            found = self.news(self.first, {**seen, "a.py": str(lost)})
            self.assertEqual(found.sights["a.py"], Sight.CHANGED)
            self.assertIn("+own\n", self.shown(found, self.first)["a.py"])

    def test_a_sighting_is_read_as_it_is_spelled(self) -> None:
        full = Sighting("abc", Entry(), Entry("100644", "a" * 40))
        self.assertEqual(sighting_of(str(full)), full)
        self.assertEqual(sighting_of("abc"), Sighting("abc"))
        self.assertEqual(sighting_of("abc x y"), Sighting("abc"))


if __name__ == "__main__":
    unittest.main()
