"""The setup cache: what skips a setup, what does not, and what is never kept."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from unittest import mock

from core.model.events import Event
from core.model.feature import Command, Project
from core.model.frozen import replace
from core.model.list_commands import shell_command
from core.process.cancellation import Cancellation
from core.runner.context import RunContext
from core.runner.failure import Failure
from core.runner.setup_cache import SetUp, SetupCache, without_cache
from core.worktree.setup_store import SetupStore
from core.worktree.worktree import Worktree
from tests.support.checks import ChecksTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature
from tests.support.worktrees import WorktreeTest

setUpModule = skip_if_run_elsewhere

INSTALL = "mkdir -p node_modules/.bin node_modules/left && echo one > node_modules/left/index.js"
LINKED = "ln -s ../left/index.js node_modules/.bin/left"
OWN = "echo $RORCHESTRATOR_FEATURE"
"""A command that names a variable which is different in each worktree."""

TOLD = "setup skipped: node_modules came from the setup cache"


async def stop() -> Cancellation:
    """Made in an event loop: up to Python 3.9 it needs one."""
    return Cancellation()


class CacheTest(WorktreeTest):
    """Worktrees of a repository, and a cache of a list whose setup makes ``node_modules``."""

    def setUp(self) -> None:
        super().setUp()
        files = {".gitignore": "node_modules/\n*.made\n", "package-lock.json": "{}\n"}
        self.base = self.repository.commit(files)
        self.env = dict(self.repository.environ)
        self.setup = [f"{INSTALL} && {LINKED}"]
        self.events: list[Event] = []
        self.ran: list[str] = []
        """The commands that ran, in all worktrees."""
        self.fails: dict[str, Failure] = {}
        self.is_stopped = False
        self.uses()

    def uses(self, **more: object) -> None:
        """A new run, of a list with these settings; it knows what the journal has."""
        given = {"setup_cache": ("node_modules",), **more}
        self.project = replace(Project("Shop", self.repository.path), **given)  # type: ignore
        known = {
            str(event.data["key"]): str(event.data["digest"])
            for event in self.events
            if event.kind == "setup_stored"
        }
        context = RunContext("run", "", lambda: 1.0, self.events.append, asyncio.run(stop()))
        self.cache = SetupCache(self.manager, self.project, context, known)

    async def prepared(self, worktree: Worktree) -> SetUp:
        async def run(commands: Sequence[Command]) -> Failure | None:
            for command in commands:
                self.ran.append(command.line)
                await asyncio.sleep(0)
                subprocess.run(
                    command.argv,
                    cwd=worktree.path,
                    env=self.env,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
                if command.line in self.fails:
                    return self.fails[command.line]
            return None

        commands = [shell_command(line) for line in self.setup]
        return await self.cache.set_up(worktree, commands, self.env, run, lambda: self.is_stopped)

    def prepare(self, *ids: str, start: str = "", **facts: object) -> list[tuple[str, ...]]:
        """Make worktrees and set them all up at once; the folders that each got as copies."""
        made = [self.create(id, start) for id in ids]
        given = {"base_commit": self.base, **facts}
        trees = [replace(each, **given) for each in made]  # type: ignore[arg-type]

        # Up to Python 3.9, a lock belongs to its event loop.
        self.cache._turns.clear()

        async def together() -> list[SetUp]:
            return list(await asyncio.gather(*map(self.prepared, trees)))

        return [each.cached for each in asyncio.run(together())]

    @property
    def setups(self) -> int:
        """How often the setup ran."""
        return self.ran.count(self.setup[0])

    @property
    def stored(self) -> int:
        """How often something was stored."""
        return [event.kind for event in self.events].count("setup_stored")

    def store(self) -> SetupStore:
        return self.cache.store

    def told(self) -> list[str]:
        return [str(event.data["text"]) for event in self.events if event.kind == "note"]

    def path(self, id: str, name: str) -> str:
        return os.path.join(self.manager.path(id), name)

    def refused(self, reason: str, *ids: str) -> None:
        """Nothing is stored, for this reason, which is told once; the setup runs in each."""
        self.assertEqual(self.prepare(*(ids or ("a", "b"))), [()] * len(ids or "ab"))
        self.assertEqual(self.told(), [f"setup cache: {reason}"])
        self.assertEqual((self.setups, self.store().entries()), (2, []))


class Skipped(CacheTest):
    def test_a_later_worktree_gets_a_copy_of_its_own(self) -> None:
        self.assertEqual(self.prepare("a"), [()])
        self.assertEqual(self.prepare("b"), [("node_modules",)])
        self.assertEqual((self.setups, self.stored, self.told()), (1, 1, []))
        made = [os.stat(self.path(id, "node_modules/left/index.js")) for id in "ab"]
        self.assertEqual(made[0].st_mtime_ns, made[1].st_mtime_ns)
        self.assertNotEqual(made[0].st_ino, made[1].st_ino)
        self.assertEqual(os.readlink(self.path("b", "node_modules/.bin/left")), "../left/index.js")

    def test_the_next_run_knows_it_from_the_journal_and_nothing_else(self) -> None:
        self.prepare("a")
        self.uses()
        self.assertEqual(self.prepare("b"), [("node_modules",)])
        del self.events[:]
        self.uses()
        self.assertEqual(self.prepare("c", "d"), [(), ("node_modules",)])
        self.assertEqual((self.setups, self.stored), (2, 1))

    def test_those_that_start_together_wait_for_the_first_one(self) -> None:
        self.assertEqual(sorted(self.prepare("a", "b", "c")), [(), *[("node_modules",)] * 2])
        self.assertEqual((self.setups, self.stored), (1, 1))

    def test_a_command_that_names_a_variable_of_the_worktree_runs_in_each(self) -> None:
        self.uses(port_variable="PORT")
        self.setup += [OWN, 'echo "$PORT"', "echo $PORTAL"]
        self.prepare("a")
        self.assertEqual(self.prepare("b"), [("node_modules",)])
        self.assertEqual(self.ran, [*self.setup, OWN, 'echo "$PORT"'])

    def test_without_any_other_command_there_is_nothing_to_skip(self) -> None:
        self.setup = [OWN]
        self.prepare("a", "b")
        self.assertEqual((self.ran, self.stored, self.told()), ([OWN] * 2, 0, []))

    def test_all_folders_that_the_patterns_name_are_kept(self) -> None:
        self.uses(setup_cache=("**/node_modules", "node_modules/left", "none"))
        self.repository.commit({"app/package.json": "{}"})
        self.base = self.repository.commit({"app/src.js": "1"})
        self.setup = [f"{INSTALL} && cd app && {INSTALL}"]
        self.prepare("a")
        self.assertEqual(self.prepare("b"), [("app/node_modules", "node_modules")])

    def test_a_folder_that_ignores_itself_is_kept(self) -> None:
        self.uses(setup_cache=(".husky/_",))
        self.base = self.repository.commit({".husky/pre-commit": "true"})
        self.setup = ["mkdir .husky/_ && echo '*' > .husky/_/.gitignore"]
        self.prepare("a")
        self.assertEqual(self.prepare("b"), [(".husky/_",)])

    def test_leftovers_of_a_killed_run_are_removed_at_the_start(self) -> None:
        self.prepare("a")
        left = os.path.join(self.store().folder, ".new-key-1-1")
        os.mkdir(left)
        self.cache.clear()
        self.assertFalse(os.path.exists(left))


class NotSkipped(CacheTest):
    def test_another_input_command_tool_or_variable_makes_another_entry(self) -> None:
        tool = os.path.join(self.repository.root, "install")
        with open(tool, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(tool, 0o755)
        self.setup[0] += f" && {tool}"
        self.prepare("a")
        self.env["NODE_ENV"] = "production"
        self.assertEqual(self.prepare("b"), [()])
        self.env["NPM_CONFIG_TOKEN"] = "changes every hour"
        self.base = self.repository.commit({"src.js": "no input\n"})
        self.assertEqual(self.prepare("c"), [("node_modules",)])
        self.base = self.repository.commit({"package-lock.json": "{}\n\n"})
        self.assertEqual(self.prepare("d"), [()])
        with open(tool, "a") as file:
            file.write("# an update\n")
        self.assertEqual(self.prepare("e"), [()])
        self.assertEqual((self.stored, len(self.store().entries())), (4, 4))

    def test_a_start_commit_with_other_inputs_runs_the_setup_and_stores_nothing(self) -> None:
        self.prepare("a")
        newer = self.repository.commit({"package-lock.json": "[]\n"})
        self.assertEqual(self.prepare("b", "c", start=newer), [(), ()])
        self.assertEqual((self.setups, self.stored), (3, 1))

    def test_a_worktree_of_an_earlier_run_is_left_as_it_is(self) -> None:
        self.prepare("a")
        self.assertEqual(self.prepare("b", is_old=True), [()])

    def test_a_folder_that_is_there_already_is_not_replaced(self) -> None:
        self.prepare("a")
        made = self.manager.create

        async def with_folder(feature: str, start: str) -> Worktree:
            worktree = await made(feature, start)
            os.mkdir(os.path.join(worktree.path, "node_modules"))
            return worktree

        with mock.patch.object(self.manager, "create", with_folder):
            self.assertEqual(self.prepare("b"), [()])
        self.assertEqual((self.setups, self.stored), (2, 1))

    def test_a_changed_entry_is_made_anew(self) -> None:
        self.prepare("a")
        (entry,) = self.store().entries()
        file = os.path.join(self.store().folder, entry.key, "0", "left", "index.js")
        info = os.stat(file)
        with open(file, "r+", encoding="utf-8") as opened:
            opened.write("two")
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
        self.assertEqual(self.prepare("b"), [()])
        self.assertEqual(self.prepare("c"), [("node_modules",)])
        said = "setup cache: an entry was changed on disk and is not used any more"
        self.assertEqual((self.stored, self.told()), (2, [said]))

    def test_a_copy_that_fails_is_no_failure_and_a_stop_is_not_told(self) -> None:
        self.prepare("a")
        full = mock.patch.object(SetupStore, "take", side_effect=OSError(28, "No space left"))
        self.is_stopped = True
        with full:
            self.assertEqual(self.prepare("b"), [()])
        self.assertEqual(self.told(), [])
        self.is_stopped = False
        with full:
            self.assertEqual(self.prepare("c"), [()])
        self.assertEqual(self.told(), ["setup cache: no copy could be made: No space left"])

    def test_a_folder_that_git_would_commit_is_not_put_there(self) -> None:
        self.uses(setup_inputs=("package-lock.json",))
        self.prepare("a")
        shown = self.repository.commit({".gitignore": "*.made\n"})
        self.assertEqual(self.prepare("b", start=shown), [()])
        self.repository.commit({".gitignore": "node_modules/\n"})
        self.repository.git("add", "-f", "--", ".gitignore")
        self.repository.write({"node_modules/own.js": "x\n"})
        self.repository.git("add", "-f", "node_modules/own.js")
        tracked = self.repository.commit({"a": "1"})
        self.repository.git("rm", "-rqf", "--cached", "node_modules")
        made = self.manager.create

        async def without(feature: str, start: str) -> Worktree:
            worktree = await made(feature, start)
            os.rename(f"{worktree.path}/node_modules", f"{worktree.path}/moved.made")
            return worktree

        with mock.patch.object(self.manager, "create", without):
            self.assertEqual(self.prepare("c", start=tracked), [()])

    def test_a_failing_setup_stores_nothing_and_holds_nobody_up(self) -> None:
        self.fails[self.setup[0]] = Failure("it failed")
        self.prepare("a", "b")
        self.assertEqual((self.setups, self.stored, self.told()), (2, 0, []))

    def test_after_an_interruption_the_next_one_stores(self) -> None:
        self.fails[self.setup[0]] = Failure("stopped", interrupted=True)
        self.prepare("a")
        self.fails.clear()
        self.prepare("b")
        self.assertEqual((self.setups, self.stored), (2, 1))


class NeverStored(CacheTest):
    def test_a_setup_that_makes_more_than_the_folders(self) -> None:
        self.setup[0] += " && touch own.made && mkdir -p node_modules __pycache__ && echo >> a"
        self.refused("setup also makes a, own.made, which a copy would lack")

    def test_a_setup_that_makes_an_empty_folder(self) -> None:
        self.setup[0] += " && mkdir -p storage/new"
        self.refused("setup also makes storage/, which a copy would lack")

    def test_a_setup_that_hides_a_change(self) -> None:
        self.setup[0] += " && echo >> a && git update-index --assume-unchanged a"
        self.refused("setup also makes a, which a copy would lack")

    def test_a_setup_that_fetches_what_a_filter_stands_for(self) -> None:
        self.base = self.repository.commit({".gitattributes": "*.bin filter=x\n", "a.bin": "id\n"})
        self.repository.git("config", "filter.x.clean", "head -n 1")
        self.setup[0] += " && echo content >> a.bin"
        self.refused("setup also makes a.bin, which a copy would lack")

    def test_a_folder_that_names_its_worktree(self) -> None:
        self.setup[0] += " && pwd > node_modules/root.txt"
        self.refused("node_modules/root.txt contains the path of its worktree")

    def test_a_setup_that_makes_no_such_folder(self) -> None:
        self.uses(setup_cache=("vendor", "*/vendor"))
        self.refused("setup made none of the folders: vendor, */vendor")

    def test_a_folder_that_git_does_not_ignore(self) -> None:
        self.base = self.repository.commit({".gitignore": "*.made\n"})
        self.refused("git does not ignore node_modules/ at the base commit")

    def test_a_list_without_inputs(self) -> None:
        self.uses(setup_inputs=("Cargo.lock",))
        self.refused("no tracked file is an input of the setup: name some in setup_inputs")

    def test_settings_of_git_for_one_worktree(self) -> None:
        self.setup[0] += (
            " && git config extensions.worktreeConfig true && git config --worktree a.b c"
        )
        self.refused("setup changes the git settings of its worktree only")

    def test_more_than_the_limit(self) -> None:
        self.uses(setup_cache_max_gib=1e-6)
        self.refused("0 MiB are more than project.setup_cache_max_gib")

    def test_a_store_that_cannot_be_written_and_a_stop(self) -> None:
        with mock.patch.object(SetupStore, "put", side_effect=OSError(30, "Read-only")):
            self.is_stopped = True
            self.prepare("c")
            self.is_stopped = False
            self.assertEqual((self.told(), self.ran.pop()), ([], self.setup[0]))
            self.refused("Read-only")

    def test_what_another_process_stored_meanwhile(self) -> None:
        with mock.patch.object(SetupStore, "put", return_value=None):
            self.prepare("a", "b")
        self.assertEqual((self.setups, self.stored), (2, 0))


class InARun(ChecksTest):
    def test_the_base_that_is_checked_serves_the_first_feature_and_the_journal_says_so(
        self,
    ) -> None:
        self.workspace.commit({".gitignore": "node_modules/\n", "package-lock.json": "{}\n"})
        self.workspace.features(
            *(feature(id, {"write": f"{id}.md"}) for id in "ab"),
            setup=[INSTALL],
            setup_cache=["node_modules"],
        )
        self.run_features("a", "b")
        a, b = self.state.feature("a"), self.state.feature("b")
        self.assertEqual((a.setup_cached, b.setup_cached), ((), ("node_modules",)))
        self.assertEqual(self.notes()[1:], [TOLD])
        config = without_cache(self.runners[0].config)
        self.assertEqual((config.project.setup_cache, len(config.project.setup)), ((), 1))
        self.assertEqual(
            list(self.state.stored),
            [e.data["key"] for e in self.events if e.kind == "setup_stored"],
        )
