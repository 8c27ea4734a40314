"""`cleanup --prune`: old refs go that nothing needs, and no others."""

from __future__ import annotations

import fcntl
import os
import time
import unittest
from unittest import mock

from core.git import ref_facts
from core.git.door import Unknown
from core.git.refs import KEPT, RESOLUTIONS, RESULTS, UNDONE
from core.landing.prune import Prune
from core.model import events
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status, Work
from core.model.state import Move
from core.model.strategy import Strategy
from core.process.spawner import run_sync
from core.worktree import setup_store
from core.worktree.setup_store import SetupStore
from tests.support.commands import CommandResult
from tests.support.lives import RUN, asked_again, attempt
from tests.support.once import skip_if_run_elsewhere
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

OLD = "20200102T030405-aaaaaa"
YEARS = 1_500_000_000.0


def now_stamp() -> str:
    """The id of a run that begins now."""
    return time.strftime("%Y%m%dT%H%M%S-bbbbbb")


class Prunes(unittest.TestCase):
    """Two features landed just now, and another one did not."""

    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = space = Workspace([feature(id) for id in ("old", "new", "open")])
        cls.addClassCleanup(space.close)
        for id in ("old", "new", "open"):
            space.finish(id, {f"{id}.txt": id})
            if id != "open":
                assert space.main("merge", id).code == 0

    def setUp(self) -> None:
        for ref in self.refs():
            if RUN not in ref:
                self.space.git("update-ref", "-d", ref)

    def refs(self) -> set[str]:
        return set(
            self.space.git("for-each-ref", "--format=%(refname)", "refs/rorchestrator").split()
        )

    def make(self, ref: str, text: str = "") -> str:
        """A ref with a commit of its own; its name."""
        tree = self.space.git("rev-parse", "main^{tree}")
        commit = self.space.git("commit-tree", tree, "-m", text or ref)
        self.space.git("update-ref", ref, commit)
        return ref

    def prune(self, *words: str, **more: object) -> CommandResult:
        return self.space.main("cleanup", "--prune", *words, **more)  # type: ignore[arg-type]

    def found(self, *words: str) -> set[str]:
        """What it would remove."""
        return {each["ref"] for each in self.prune("--dry-run", "--json", *words).json["refs"]}

    def test_the_result_that_a_retry_goes_on_with_stays(self) -> None:
        base = self.space.commit_of("main")
        self.space.record(
            asked_again(1, id="open"),
            events.reopened(YEARS, RUN, "open", start_commit=base, tip=base),
        )
        self.assertNotIn(f"{RESULTS}open/{RUN}", self.found("--older-than", "0s"))

    def test_only_old_refs_go_and_their_names_tell_how_old_they_are(self) -> None:
        old = {self.make(f"{KEPT}old/{OLD}"), self.make(f"{KEPT}old/cleanup-20200102T030405.2")}
        old.add(self.make(f"{RESULTS}new/{OLD}"))
        self.make(f"{KEPT}old/{now_stamp()}")
        self.make(f"{RESOLUTIONS}old/0123")  # just made, as its commit tells
        self.make(f"{KEPT}old/20209999T999999-x")
        self.make("refs/rorchestrator/other/x")
        # What landed within 30 days can be undone: its results stay.
        self.assertEqual(self.found(), {each for each in old if RESULTS not in each})
        report = self.prune("--yes", "--json").json
        self.assertEqual(
            {each["ref"] for each in report["refs"] if each["removed"]},
            {*old} - {f"{RESULTS}new/{OLD}"},
        )
        self.assertLessEqual(
            set(report["refs"][0]),
            {"ref", "commit", "kind", "age_seconds", "bytes", "removed", "failure"},
        )
        self.assertFalse(self.refs() & {f"{KEPT}old/{OLD}"})
        (event,) = self.space.events("pruned")[-1:]
        self.assertEqual(set(event["refs"]), {each["ref"] for each in report["refs"]})

    def test_setups_that_no_worktree_used_go_as_well(self) -> None:
        store = SetupStore(f"{self.space.path}/.git")
        worktree = f"{self.space.root}/made"
        os.makedirs(f"{worktree}/node_modules")
        for key in ("unused", "busy", "used"):
            store.put(key, worktree, ["node_modules"], limit_bytes=1e9)
        for key in ("unused", "busy"):
            os.utime(f"{store.folder}/{key}", (YEARS, YEARS))
        os.mkdir(f"{store.folder}/.new-killed-1-1")
        said = self.prune("--dry-run")
        self.assertRegex(said.out, r"\d+ days  0 bytes  setup cache  node_modules\n")
        self.assertEqual(len(store.entries()), 3)
        with setup_store._locked(f"{store.folder}/busy", fcntl.LOCK_SH):
            said = self.prune("-v", terminal=True, stdin=b"y\n")
            self.assertIn("Remove 2 cached setups?", said.err)
            self.assertIn("Removed 1 cached setup.\n", said.out)
        (entry,) = self.prune("--yes", "--json").json["setup_cache"]
        self.assertEqual((entry["key"], entry["removed"]), ("busy", True))
        self.assertEqual(os.listdir(store.folder), ["used"])
        ref = self.make(f"{KEPT}old/{OLD}")
        os.utime(f"{store.folder}/used", (YEARS, YEARS))
        self.assertIn("Removed 1 ref, 1 cached setup.\n", self.prune("--yes").out)
        self.assertNotIn(ref, self.refs())

    def test_a_younger_age_can_be_asked_for(self) -> None:
        ref = self.make(f"{RESOLUTIONS}old/0123")
        self.assertIn(ref, self.found("--older-than", "0s"))
        self.assertNotIn(ref, self.found("--older-than", "1h"))
        said = self.space.main("cleanup", "--all", "--older-than", "1h")
        self.assertIn("--older-than is only for --prune", said.err)

    def test_what_has_not_landed_or_can_be_undone_stays(self) -> None:
        mine = {self.make(f"{RESOLUTIONS}open/0123")}
        # The same result under another name; another run of that feature.
        self.space.git("update-ref", f"{RESULTS}open/{OLD}", self.space.ref("open")[0])
        mine.add(f"{RESULTS}open/{OLD}")
        gone = self.make(f"{RESULTS}open/20190102T030405-aaaaaa")
        found = self.found("--older-than", "0s")
        self.assertIn(gone, found)
        self.assertFalse(found & {*mine, f"{RESULTS}open/{RUN}"})
        self.assertIn(f"{RESULTS}old/{RUN}", found)  # landed longer than 0 s ago
        self.assertNotIn(f"{RESULTS}old/{RUN}", self.found())

    def test_what_a_run_works_on_or_git_cannot_judge_stays(self) -> None:
        refs = {self.make(f"{RESULTS}{id}/{OLD}") for id in ("busy", "vague")}
        prepared, _ = attempt("busy")
        self.space.record(replace(prepared, run=OLD))
        outcome = FeatureOutcome(Status.COMPLETED, work=Work(self.space.commit_of("main"), 1, 1))
        prepared, _ = attempt("vague")
        ended = events.ended(YEARS, OLD, "vague", outcome)
        refs.add(self.make(f"{KEPT}vague/{OLD}"))
        kept = {"merged_into": "", "kept_ref": f"{KEPT}vague/{OLD}", "detail": ""}
        cleaned = events.cleaned(YEARS, "vague", discarded=False, **kept)
        self.space.record(replace(prepared, run=OLD), ended, cleaned)
        with mock.patch("core.landing.prune.how_merged_into", side_effect=Unknown("a filter")):
            self.assertFalse(self.found("--older-than", "0s") & refs)

    def test_an_undone_merge_is_as_old_as_its_undo(self) -> None:
        id = "merge-20200102T030405-aaaaaa"
        ref = self.make(f"{UNDONE}{id}")
        self.assertIn(ref, self.found())
        move = Move(id, YEARS, "main", "71b", "ba5e")
        landing = {"into": "main", "commit": "71b", "result": "71b", "tip": "71b"}
        self.space.record(
            events.landing(YEARS, id, "gone", strategy=Strategy.MERGE, **landing),
            events.undoing(time.time(), move, kept_ref=ref, branches={}),
        )
        self.assertNotIn(ref, self.found())

    def test_it_asks_and_shows_ages_and_sizes(self) -> None:
        ref = self.make(f"{KEPT}old/{OLD}")
        said = self.prune()
        self.assertEqual(said.code, 2)
        self.assertIn("next: rorchestrator cleanup --prune --yes, or --dry-run", said.err)
        said = self.prune(terminal=True, stdin=b"n\n")
        self.assertEqual(said.code, 2)
        self.assertRegex(said.err, rf"AGE +SIZE +WHAT +REF\n\d+ days  \d+ bytes  kept work  {ref}")
        self.assertIn("Nothing was removed.", said.err)
        with mock.patch("core.commands.pruning.agrees", side_effect=KeyboardInterrupt):
            self.assertEqual(self.prune(terminal=True, stdin=b"").code, 130)
        self.assertIn(ref, self.refs())
        with open(f"{self.space.state_folder}/journal.jsonl", "ab") as file:
            file.write(b'{"torn')
        said = self.prune("-v", terminal=True, stdin=b"y\n")
        self.assertIn("cut off 6 bytes", said.err)
        self.assertRegex(
            said.out, r"git update-ref \S+ [0-9a-f]{40}\nRemoved 1 ref\.\ngit gc frees"
        )
        self.assertNotIn(ref, self.refs())
        self.assertEqual(self.prune("--yes", "-q").out, "")
        self.assertIn("Nothing to prune.\n", self.prune("--yes").out)
        said = self.prune("--dry-run", "--older-than", "36500d")
        self.assertEqual(said.out, "Nothing to prune.\n")

    def test_a_ref_that_moved_meanwhile_stays(self) -> None:
        ref = self.make(f"{KEPT}old/{OLD}")
        prune = "core.landing.prune.Prune.remove"
        remove = Prune.remove

        async def late(given: Prune, report: object) -> object:
            self.make(ref, "moved")
            return await remove(given, report)  # type: ignore[arg-type]

        with mock.patch(prune, late):
            said = self.prune("--yes", "-q")
        self.assertEqual(said.code, 1)
        self.assertIn(f"kept {ref}: {ref} moved in the meantime\n", said.out)

    def test_an_old_git_tells_no_sizes(self) -> None:
        self.make(f"{KEPT}old/{OLD}")

        async def unknown(*given: object) -> None:
            return None

        with mock.patch.object(ref_facts, "bytes_of", unknown):
            said = self.prune("--dry-run")
        self.assertIn("  ?     kept work", said.out)
        self.assertNotIn("git gc", said.out)
        git = place_of(self.space).git
        self.assertIsNone(run_sync(ref_facts.bytes_of(git, ["--nothing"], [])))


if __name__ == "__main__":
    unittest.main()
