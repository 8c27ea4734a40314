"""What changes around a run's worktrees is named: real repositories, changed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import time
import unittest
from collections.abc import Callable

from core.git.door import Git
from core.git.opening import open_repository
from core.git.tampering import take_fingerprint
from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import FeatureOutcome, Status, Stray
from core.model.state import RunState
from core.process.cancellation import Cancellation
from core.process.spawner import Finished, Spawner, run_sync
from core.process.supervisor import Killed
from core.runner.context import RunContext
from core.runner.surroundings import Surroundings
from core.worktree.manager import WorktreeManager
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

RUN = "r1"
WHILE = " while a ran (by you or by a process of it): "


class Mortal(Spawner):
    """Runs commands until the user wants no answer any more."""

    is_killed = False

    async def run(self, *words: object, **options: object) -> Finished:  # type: ignore[override]
        if self.is_killed:
            raise Killed("killed")
        return await super().run(*words, **options)  # type: ignore[arg-type]


class SurroundingsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.use(Repository())

    def use(self, repository: Repository) -> None:
        self.addCleanup(repository.close)
        self.repository = repository
        self.folder = os.path.join(repository.root, "worktrees")
        self.log = os.path.join(repository.root, "a.1.jsonl")
        self.spawner = Mortal()
        self.git: Git = run_sync(open_repository(self.spawner, repository.path, repository.environ))
        self.told: list[Event] = []
        self.around: Surroundings

    def path(self, *parts: str) -> str:
        return os.path.join(self.repository.path, *parts)

    def state(self) -> RunState:
        """Feature ``a`` is running, ``b`` waits for a slot, ``c`` was at work in another run."""
        made = {"branch": "feature/a", "worktree": os.path.join(self.folder, "a"), "name": "a"}
        begun = {"attempt": 1, "session_id": "s", "resumed": False, "log": self.log}
        start = {id: Decision(id, Action.START, "new", "key") for id in "abc"}
        return fold(
            [
                events.preparing(1.0, RUN, start["a"], **made),
                events.attempt_started(1.0, RUN, "a", **begun),  # type: ignore[arg-type]
                events.preparing(1.0, RUN, start["b"], **{**made, "branch": "feature/b"}),
                events.preparing(1.0, "r0", start["c"], **{**made, "branch": "feature/c"}),
                *self.told,
            ]
        )

    def begin(self) -> None:
        """The run begins."""

        async def begin() -> None:
            self.around = Surroundings(
                self.git,
                await take_fingerprint(self.git),
                RunContext(RUN, self.folder, time.time, self.told.append, Cancellation()),
                folder=self.folder,
                state=self.state,
            )
            await self.around.begin()

        asyncio.run(begin())

    def during(
        self,
        change: Callable[[], object],
        *,
        id: str = "a",
        outcome: FeatureOutcome | None = None,
        look: bool = True,
    ) -> FeatureOutcome:
        """A feature works, and meanwhile something happens; its outcome."""

        async def work() -> FeatureOutcome:
            change()
            return outcome or FeatureOutcome(Status.COMPLETED)

        async def told() -> FeatureOutcome:
            async with self.around.beside():
                ended = await self.around.during(id, work())
                await self.around.settle()
                return ended

        if look:
            self.around._next_look = 0.0  # not too soon after the last look
        return asyncio.run(told())

    def texts(self) -> list[str]:
        """What was told since the last time."""
        told = [str(event.data["text"]) for event in self.told]
        self.told.clear()
        return told


class TheCheckout(SurroundingsTest):
    def test_changes_of_the_checkout_are_named_once(self) -> None:
        self.repository.write({"README.md": "mine\n", "old.txt": "x\n"})
        self.begin()
        first = self.repository.commit_of("HEAD")[:10]
        head = f"your checkout {self.repository.path} changed{WHILE}"
        many = {f"new{n:02}": "x\n" for n in range(12)}
        write, git = self.repository.write, self.repository.git
        cases: list[tuple[Callable[[], object], str]] = [
            (lambda: None, ""),
            (lambda: write({"README.md": "theirs\n"}), "changed README.md"),
            (lambda: write({"README.md": "again\n"}), ""),
            (lambda: git("checkout", "--", "."), "uncommitted changes are gone from README.md"),
            (
                lambda: write(many),
                f"changed {', '.join(list(many)[:10])} and 2 more",
            ),
            (
                lambda: git("switch", "--quiet", "--create", "other"),
                f"HEAD main ({first}) → other ({first})",
            ),
        ]
        for change, expected in cases:
            with self.subTest(expected):
                self.during(change)
                self.assertEqual(self.texts(), [head + expected] if expected else [])
        self.during(lambda: self.repository.commit({"README.md": "more\n"}))
        now = self.repository.commit_of("HEAD")[:10]
        self.assertEqual(self.texts(), [f"{head}HEAD other ({first}) → other ({now})"])

    def test_what_the_run_itself_writes_is_no_change_of_the_checkout(self) -> None:
        path = os.path.join(self.repository.path, "events.ndjson")
        with open(path, "w", encoding="utf-8") as lines, open(path, encoding="utf-8"):
            self.begin()
            self.during(lambda: print("{}", file=lines, flush=True))
            self.assertEqual(self.texts(), [])
            self.during(lambda: self.repository.write({"other.ndjson": "{}\n"}))
            self.assertRegex(self.texts()[0], "changed other.ndjson$")

    def test_at_the_end_of_the_run_it_is_compared_once_more(self) -> None:
        self.begin()
        self.around._next_look = float("inf")  # as after a look that took long
        self.during(lambda: self.repository.write({"new.txt": "x\n"}), look=False)
        self.assertEqual(self.texts(), [])
        asyncio.run(self.around.end())
        where = f"your checkout {self.repository.path} changed"
        self.assertEqual(self.texts(), [f"{where}{WHILE}changed new.txt"])

    def test_a_comparison_that_a_failed_run_left_is_cancelled(self) -> None:
        self.begin()
        self.around._next_look = 0.0

        async def works() -> FeatureOutcome:
            self.repository.write({"new.txt": "x\n"})
            return FeatureOutcome(Status.COMPLETED)

        async def fails() -> None:
            async with self.around.beside():
                await self.around.during("a", works())
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            asyncio.run(fails())
        self.assertEqual(self.texts(), [])

    def test_only_those_that_worked_are_named_with_it(self) -> None:
        self.begin()

        async def waits_for_a_slot() -> FeatureOutcome:
            await asyncio.sleep(0)
            return FeatureOutcome(Status.CANCELLED)

        async def works() -> FeatureOutcome:
            self.repository.write({"new.txt": "x\n"})
            return FeatureOutcome(Status.COMPLETED)

        async def both() -> None:
            waiting, working = waits_for_a_slot(), works()
            self.around._next_look = 0.0
            await asyncio.gather(self.around.during("b", waiting), self.around.during("a", working))

        asyncio.run(both())
        self.assertIn(WHILE, self.texts()[0])

    def test_changes_are_not_attributed_to_a_feature_that_got_no_slot(self) -> None:
        self.begin()
        for id in "bc":
            self.during(lambda: self.repository.write({"x.txt": "x\n"}), id=id)
            self.assertEqual(self.texts(), [])

    def test_looking_runs_no_filter_and_takes_no_lock(self) -> None:
        canary = os.path.join(self.repository.root, "canary")
        self.repository.commit({".gitattributes": "*.txt filter=x\n", "a.txt": "x\n"})
        for name in ("clean", "process", "smudge"):
            self.repository.git("config", f"filter.x.{name}", f"touch '{canary}'; cat")
        self.repository.git("config", "filter.x.required", "true")
        self.repository.git("config", "core.fsmonitor", f"touch '{canary}'")
        self.begin()
        index = self.path(".git", "index")
        with open(index, "rb") as file:
            before = file.read()
        with open(index + ".lock", "x", encoding="utf-8"):
            self.during(lambda: os.utime(self.path("a.txt"), (1, 1)))
        self.during(lambda: self.repository.write({"a.txt": "other\n"}))
        told = self.texts()
        self.assertIn("changed a.txt", told[-1])
        self.assertFalse(os.path.exists(canary))
        with open(index, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_a_checkout_with_an_unavoidable_filter_is_not_compared(self) -> None:
        self.begin()
        self.repository.git("config", "filter.a=b.required", "false")
        self.begin()
        self.during(lambda: self.repository.write({"new.txt": "x\n"}))
        self.assertEqual(self.texts(), [])

    def test_a_bare_repository_has_none(self) -> None:
        self.use(Repository(bare=True))
        self.begin()
        self.during(lambda: self.repository.git("config", "user.name", "Other"))
        self.assertEqual(self.texts(), [f"settings of git changed{WHILE}user.name: unset → Other"])


class Settings(SurroundingsTest):
    def test_changed_settings_are_shown_with_old_and_new_value_and_no_secret(self) -> None:
        self.repository.git("config", "user.email", "me@example.com")
        url = "https://me:secret@example.com/x.git"
        cases = {
            ("user.email", "agent@evil.example"): "user.email: me@example.com → agent@evil.example",
            (
                "remote.origin.pushurl",
                url,
            ): "remote.origin.pushurl: unset → https://…@example.com/x.git",
            ("http.extraheader", "Authorization: x"): "http.extraheader changed",
            ("github.token", "x"): "github.token changed",
            (
                "branch.main.description",
                "9" * 120,
            ): f"branch.main.description: unset → {'9' * 100}…",
        }
        for (key, value), expected in cases.items():
            with self.subTest(key):
                self.begin()
                self.during(lambda key=key, value=value: self.repository.git("config", key, value))
                self.assertEqual(self.texts(), [f"settings of git changed{WHILE}{expected}"])

    def test_a_checkout_with_settings_of_its_own_is_compared_as_well(self) -> None:
        self.repository.git("config", "extensions.worktreeConfig", "true")
        self.begin()
        change = ("config", "--worktree", "user.name", "else")
        self.during(lambda: self.repository.git(*change))
        (told,) = self.texts()
        self.assertIn("config.worktree: unset → else", told)

    def test_the_users_settings_and_malformed_config_files_are_compared_too(self) -> None:
        self.begin()
        add = ("config", "--global", "--add", "user.name", "x")
        self.during(lambda: self.repository.git(*add))
        (told,) = self.texts()
        self.assertTrue(told.endswith(", x"), told)
        self.assertIn(f"user.name in {self.repository.config}: ", told)
        os.makedirs(self.path(".git", "info"), exist_ok=True)
        attributes = {".git/info/attributes": "* merge=ours\n"}
        self.during(lambda: self.repository.write(attributes))
        self.assertEqual(
            self.texts(), [f"settings of git changed{WHILE}.git/info/attributes changed"]
        )
        one, other = self.repository.commit_of("HEAD"), self.repository.commit({"x": "x"})
        self.during(lambda: None)
        self.texts()
        self.during(lambda: self.repository.git("replace", one, other))
        (told,) = self.texts()
        self.assertIn(f"refs/replace/{one}: unset → {other}", told)

    def test_settings_that_git_executes_are_named_and_not_run(self) -> None:
        self.begin()

        def plant() -> None:
            os.makedirs(self.path(".git", "hooks"), exist_ok=True)
            self.repository.write({".git/hooks/pre-commit": "#!/bin/sh\n", "new.txt": "x\n"})

        self.around.fingerprint.is_suspended = (
            True  # while a setup runs, which has a judge of its own
        )
        self.during(plant)
        self.around.fingerprint.is_suspended = False
        self.assertFalse([text for text in self.texts() if "executes" in text])
        self.during(lambda: None)
        what = "git hooks or settings were changed"
        self.assertEqual(self.texts(), [f"{what}{WHILE}.git/hooks/pre-commit was added"])
        self.during(lambda: None)
        self.assertEqual(self.texts(), [])

    def test_unreadable_settings_are_reported_once(self) -> None:
        self.begin()
        with open(self.repository.config, "ab") as file:
            file.write(b"[broken\n")
        for _ in range(2):
            self.during(lambda: None)
        (told,) = self.texts()
        self.assertIn("what changed outside of the worktrees is unknown while a ran", told)
        self.begin()
        (told,) = self.texts()
        self.assertIn("what changed outside of the worktrees is unknown during the run", told)
        self.during(lambda: None)
        self.assertEqual(self.texts(), [])

    def test_a_killed_feature_reports_no_changes(self) -> None:
        self.begin()
        self.spawner.is_killed = True
        self.during(lambda: self.repository.write({"new.txt": "x\n"}))
        self.assertEqual(self.texts(), [])


class Branches(SurroundingsTest):
    def test_branches_that_lost_commits_are_named_except_those_of_runs(self) -> None:
        git, first = self.repository.git, self.repository.commit_of("HEAD")
        last = self.repository.commit({"x": "1"})
        names = ["gone", "back", *(f"more{number}" for number in range(9)), "feature/a"]
        for name in names:
            git("branch", name)
        git("branch", "on", first)
        self.begin()

        def change() -> None:
            git("branch", "--quiet", "-D", *(name for name in names if name != "back"))
            git("branch", "--force", "back", first)
            git("branch", "--force", "on", last)

        self.during(change)
        (told,) = [text for text in self.texts() if "branches" in text]
        self.assertIn(f"{WHILE}back {last[:10]} → {first[:10]}; gone {last[:10]} → deleted", told)
        self.assertTrue(told.endswith(" and 1 more"), told)
        self.assertNotIn("feature/a", told)
        self.during(lambda: git("branch", "--quiet", "-D", "back"))
        self.assertEqual(len(self.texts()), 1)


class Strays(SurroundingsTest):
    """Worktrees and branches that no run made."""

    def add(self, path: str, branch: str = "") -> str:
        words = ("-b", branch) if branch else ("--detach",)
        self.repository.git("worktree", "add", "--quiet", *words, path)
        return path

    def strays(self) -> list[Stray]:
        return [events.stray_of(e) for e in self.told if e.kind == "stray"]

    def test_a_subagents_is_found_kept_and_named_with_the_feature_that_made_it(self) -> None:
        self.begin()
        path, branch = self.path(".claude", "worktrees", "agent-1f"), "worktree-agent-1f"

        def work() -> None:
            self.add(path, branch)
            with open(self.log, "w", encoding="utf-8") as file:
                file.write(json.dumps({"worktreePath": path}))

        outcome = self.during(work, outcome=FeatureOutcome(Status.EMPTY, "it changed nothing"))
        commit = self.repository.commit_of("HEAD")
        named = f"the worktree {path} (branch {branch})"
        self.assertEqual(outcome.reason, f"it changed nothing; there is work in {named}")
        self.assertEqual(self.strays(), [Stray(path, branch, commit)])
        self.assertEqual(self.state().feature("a").strays, (Stray(path, branch, commit),))
        texts = self.texts()
        self.assertIn(f"Claude made {named}; no feature has what is in it", texts)
        self.assertTrue(os.path.isdir(path))
        self.during(lambda: None)
        self.assertEqual(self.strays(), [])

    def test_what_is_odd_is_named_and_what_a_user_may_have_made_is_not(self) -> None:
        self.begin()
        odd = os.path.join(self.folder, "elsewhere")
        cases: dict[str, Callable[[], object]] = {
            "": lambda: self.repository.branch("mine"),
            f"the worktree {odd} (at ": lambda: self.add(odd),
            "the branch hidden (": self.hidden,
            "the branch worktree-agent-2 (": lambda: self.repository.branch("worktree-agent-2"),
        }
        for expected, change in cases.items():
            with self.subTest(expected):
                self.during(change)
                told = [text for text in self.texts() if "no feature has" in text]
                self.assertEqual([text[: len(expected)] for text in told], [expected][: len(told)])
                self.assertEqual(len(told), bool(expected))

    def hidden(self) -> None:
        """A commit that only a branch holds which nobody has checked out."""
        commit = self.repository.git("commit-tree", "-m", "x", "-p", "HEAD", "HEAD^{tree}")
        self.repository.git("branch", "hidden", commit)

    def test_worktrees_of_the_user_and_of_the_run_are_no_strays(self) -> None:
        self.begin()
        ours = WorktreeManager(self.git, self.folder, "feature/")
        commit = self.repository.commit_of("HEAD")

        def work() -> None:
            fix = self.add(os.path.join(self.repository.root, "hotfix"), "fix")
            self.repository.commit({"fix.txt": "x\n"}, at=fix)
            made = run_sync(ours.create("a", commit))
            self.repository.commit({"a.txt": "x\n"}, at=made.path)
            self.add(os.path.join(self.folder, "a~scratch"))
            self.repository.git("switch", "--quiet", "--create", "mine")
            self.repository.commit({"mine.txt": "x\n"})

        self.during(work)
        self.assertEqual(self.strays(), [])

    def test_a_worktree_that_is_half_made_is_none(self) -> None:
        self.begin()
        self.during(lambda: os.makedirs(self.path(".git", "worktrees", "half")))
        self.assertEqual(self.strays(), [])

    def test_a_bare_repository_has_strays_as_well(self) -> None:
        self.use(Repository(bare=True))
        self.begin()
        tree = self.repository.git("mktree")
        commit = self.repository.git("commit-tree", "-m", "x", tree)
        self.during(lambda: self.repository.git("branch", "hidden", commit))
        self.assertEqual(self.strays(), [Stray("", "hidden", commit)])


class InARun(WorkspaceTest):
    def test_all_of_it_is_named_kept_and_known_and_later_commits_are_the_users(self) -> None:
        shop = self.workspace
        path, branch = f"{shop.path}/.claude/worktrees/agent-1f", "worktree-agent-1f"
        leaves = [
            f"git -C '{shop.path}' worktree add -q -b {branch} '{path}'",
            f"echo x > '{path}/work.txt'",
            f"echo x > '{shop.path}/README.md'",
            "git config user.email agent@evil.example",
        ]
        plant = f"mkdir -p '{shop.path}/.git/hooks' && touch '{shop.path}/.git/hooks/pre-push'"
        shop.git("config", "user.email", "me@example.com")
        self.workspace.features(
            feature("a", *({"bash": line} for line in leaves), {"say": path}, {"write": "a.md"}),
            feature("b", depends_on=["a"], verify=[plant]),
        )
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.err)
        for told in (
            f"a: Claude made the worktree {path} (branch {branch}); no feature has",
            "a: settings of git changed while a ran (by you or by a process of it): "
            "user.email: me@example.com → agent@evil.example",
            f"a: your checkout {shop.path} changed while a ran (by you or by a process of it): "
            "changed README.md, .claude/",
            "b: git hooks or settings were changed while b ran",
            ".git/hooks/pre-push was added",
        ):
            self.assertIn(told, done.err)
        self.assertEqual(
            shop.git("log", "-1", "--format=%ae %ce", "feature/b").split(), 2 * ["me@example.com"]
        )
        stray = {"worktree": path, "branch": branch, "commit": shop.commit_of("main")}
        self.assertEqual(self.workspace.results()["a"]["strays"], [stray])
        status = self.workspace.command("status", "--json")
        self.assertEqual(json.loads(status.out)["strays"], [{"feature": "a", **stray}])
        said = f"a: the worktree {path} (branch {branch}) belongs to no feature and is left alone."
        self.assertIn(said, self.workspace.command("status").out)
        for words in (("--all", "--dry-run"), ("--all", "--discard", "--yes")):
            self.assertIn(said, self.workspace.command("cleanup", *words).out)
        self.assertTrue(os.path.exists(f"{path}/work.txt"))
        # Those that only a killed run could have told of are found by their names.
        shop.branch("worktree-agent-2")
        status = self.workspace.command("status")
        self.assertIn("the branch worktree-agent-2 (", status.out)
        shop.git("worktree", "remove", "--force", path)
        shop.git("branch", "-D", branch, "worktree-agent-2")
        self.assertNotIn("belongs to no feature", self.workspace.command("status").out)
        for number in range(12):
            shop.branch(f"worktree-agent-{number}")
        os.makedirs(f"{shop.path}/.claude/worktrees/agent-3", exist_ok=True)
        status = self.workspace.command("status")
        self.assertEqual(status.out.count("belongs to no feature"), 10)
        self.assertIn("… and more: git worktree list", status.out)
        self.assertIn(".claude/worktrees/agent-3 (branch worktree-agent-3)", status.out)


if __name__ == "__main__":
    unittest.main()
