"""The floors of core/: which room may import which, and which room may have which effect."""

from __future__ import annotations

import ast
import os
import re
import sysconfig
import unittest
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from unittest import mock

from core.cli import COMMANDS
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import ROOT

setUpModule = skip_if_run_elsewhere

CORE = os.path.join(ROOT, "core")
TESTS = os.path.join(ROOT, "tests")

FLOORS = (
    ("model",),
    ("process", "claude", "journal"),
    ("git", "dag"),
    ("worktree", "reporter"),
    ("runner", "project"),
    ("orchestrator", "landing", "views"),
    ("rehearsal", "start", "review", "handover", "engines"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
"""The rooms, from the ground floor up: a room imports lower floors only."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

PURE = ("model", "dag", "claude")
"""Rooms without effects."""

PROGRAM = "claude.simulated"
"""Plays Claude, and runs as a program of its own: it may have effects."""

READS_ARGUMENTS = FLOOR_OF["commands"]
"""The lowest floor that may know ``argparse``."""

WITHOUT_VIEWS = ("runner", "orchestrator", "landing")
"""Rooms that never print: their events do it."""

VIEWS = ("reporter", "views")

UNFINISHED: dict[str, set[str]] = {}
"""Edges that are still to go, by module: what it imports against the rules."""

FOR_TYPE_CHECKERS = ("typing_extensions",)
"""Modules that no interpreter imports: below ``if TYPE_CHECKING``."""

MAY_START_CHILDREN = ("process",)
STARTERS = (
    *("Popen", "ProcessPoolExecutor", "posix_spawn", "posix_spawnp", "fork", "forkpty"),
    *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
)
STARTERS_OF_OS = ("system", "popen", "exec", "spawn", "startfile")
STARTING_MODULES = ("subprocess", "multiprocessing", "pty", "_posixsubprocess")

UNKNOWN_TO_PURE = (
    *("asyncio", "time", "os", "io", "sys", "pathlib", "shutil", "tempfile", "glob", "fcntl"),
    *("signal", "random", "secrets", "uuid", "socket", "threading", "logging", "selectors"),
)
NAMES_UNKNOWN_TO_PURE = ("print", "open", "input")
CLOCKS = ("now", "utcnow", "today")


def faults(module: str, source: str) -> list[str]:
    """What is wrong with a module of ``core/``, such as ``git.door`` or ``commands.plan``."""
    nodes = [*ast.walk(ast.parse(source))]
    room = module.split(".")[0]
    if room not in FLOOR_OF:
        return [f"{module} is in no room of the table"]
    found = [*_edges(module, nodes), *_dynamic_imports(room, nodes)]
    if room not in MAY_START_CHILDREN and module != PROGRAM:
        found += _children(nodes)
    if room != "git":
        found += _git_commands(nodes)
    if room in PURE and module != PROGRAM:
        found += _impurities(nodes)
    return [f"{module}:{fault}" for fault in found]


def _edges(module: str, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Imports that are not relative inside, not standard outside, or not of a lower floor."""
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.ImportFrom):
            for target in _targets(module, node):
                if target is None:
                    yield f"{node.lineno}: leaves the package"
                elif target not in UNFINISHED.get(module, ()) and not _may_import(module, target):
                    yield f"{node.lineno}: imports {target}"
            continue
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top in ("core", "rorchestrator"):
                yield f"{node.lineno}: imports {name} by an absolute name"
            elif top not in FOR_TYPE_CHECKERS and not _is_standard(top):
                yield f"{node.lineno}: {name} is not in the standard library"
            elif top == "argparse" and not _may_read_arguments(module):
                yield f"{node.lineno}: knows argparse"


def _may_read_arguments(module: str) -> bool:
    if FLOOR_OF[module.split(".")[0]] >= READS_ARGUMENTS or module == PROGRAM:
        return True
    return "argparse" in UNFINISHED.get(module, ())


def _may_import(module: str, target: str) -> bool:
    """Whether ``module`` may import ``target``, another room or another module of its own."""
    room, other = module.split(".")[0], target.split(".")[0]
    if room == other:
        return room != "commands" or not _is_command(target)
    if room in WITHOUT_VIEWS and other in VIEWS:
        return False
    return other == "" or FLOOR_OF[other] < FLOOR_OF[room]


def _is_command(module: str) -> bool:
    """Whether a module of ``commands/`` is a sub-command of the command line."""
    return module.split(".")[-1] in COMMANDS


def _targets(module: str, node: ast.ImportFrom) -> Iterator[str | None]:
    """The modules or rooms that a relative import enters; ``None`` outside of the package."""
    parents = module.split(".")[: -node.level]
    if node.level > module.count(".") + 1:
        yield None
        return
    for alias in node.names:
        path = [*parents, *(node.module.split(".") if node.module else []), alias.name]
        # From the package itself come rooms and, from ``core/__init__.py``, names.
        yield ".".join(path[:2]) if path[0] in FLOOR_OF else ""


@cache
def _is_standard(name: str) -> bool:
    # Not sys.stdlib_module_names, which Python 3.9 does not have.
    spec = find_spec(name)
    if spec is None:
        return False
    origin = spec.origin or "built-in"
    if origin in ("built-in", "frozen"):
        return True
    paths = sysconfig.get_paths()
    places = tuple(os.path.realpath(paths[key]) + os.sep for key in ("stdlib", "platstdlib"))
    return "site-packages" not in origin and os.path.realpath(origin).startswith(places)


def _dynamic_imports(room: str, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """An import that this test can't see; only ``cli`` has one, of the command that was typed."""
    for node, name in _names(nodes):
        if name in ("import_module", "__import__") and room != "cli":
            yield f"{node.lineno}: imports what can't be checked"


def _children(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for place, name in _names(nodes):
        if name in STARTERS or name.split(".")[0] in STARTING_MODULES:
            yield f"{place.lineno}: starts a process ({name})"
    for node in nodes:
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os":
            line, names = node.lineno, [node.attr]
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            line, names = node.lineno, [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith(STARTERS_OF_OS):
                yield f"{line}: starts a process (os.{name})"


def _git_commands(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        first: ast.expr | None = None
        if isinstance(node, (ast.List, ast.Tuple)):
            first = node.elts[0] if node.elts else None
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and first.value == "git":
            yield f"{first.lineno}: a git command line"


def _impurities(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node, name in _names(nodes):
        imported = isinstance(node, (ast.Import, ast.ImportFrom))
        if imported and name.split(".")[0] in UNKNOWN_TO_PURE:
            yield f"{node.lineno}: knows {name}"
        if isinstance(node, ast.Name) and name in NAMES_UNKNOWN_TO_PURE:
            yield f"{node.lineno}: knows {name}()"
        if isinstance(node, ast.Attribute) and name in CLOCKS:
            yield f"{node.lineno}: knows the time ({name})"


def _names(nodes: Sequence[ast.AST]) -> Iterator[tuple[ast.Name | ast.Attribute | ast.stmt, str]]:
    """Every name that a module reads or imports, with its place."""
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node, node.id
        elif isinstance(node, ast.Attribute):
            yield node, node.attr
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                yield node, node.module or ""
            for alias in node.names:
                yield node, alias.name


def modules() -> Iterator[tuple[str, str]]:
    """Every module of ``core/`` with its source."""
    for root, _, names in os.walk(CORE):
        for name in sorted(names):
            path = os.path.join(root, name)
            module = os.path.relpath(path, CORE)[: -len(".py")].replace(os.sep, ".")
            if name.endswith(".py") and module != "__init__":
                with open(path, encoding="utf-8") as file:
                    yield module.replace(".__init__", ".package"), file.read()


class TheHouse(unittest.TestCase):
    def test_every_module_keeps_the_rules(self) -> None:
        found = [fault for module, source in modules() for fault in faults(module, source)]
        self.assertEqual(found, [])

    def test_every_room_of_the_table_is_there(self) -> None:
        self.assertEqual({module.split(".")[0] for module, _ in modules()}, set(FLOOR_OF))

    def test_the_page_has_these_floors(self) -> None:
        with open(os.path.join(ROOT, "docs", "ARCHITECTURE.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page.read(), re.MULTILINE)
        shown = {room: int(floor) - 1 for floor, room in rows}
        self.assertEqual({**shown, "__main__": FLOOR_OF["__main__"]}, FLOOR_OF)

    def test_each_room_of_the_first_program_has_its_face(self) -> None:
        faces = {
            "dag": "DAGResolver",
            "worktree": "WorktreeManager",
            "runner": "ClaudeRunner",
            "reporter": "Reporter",
        }
        for room, face in faces.items():
            module = import_module(f"core.{room}")
            self.assertEqual(module.__all__, [face])
            self.assertEqual(getattr(module, face).__name__, face)
            self.assertFalse(hasattr(module, "nothing"))

    def test_an_incomplete_feature_is_still_needed(self) -> None:
        sources = dict(modules())
        for module, edges in UNFINISHED.items():
            with mock.patch.dict(UNFINISHED, {module: set()}):
                found = {fault.split()[-1] for fault in faults(module, sources[module])}
            self.assertEqual(found, edges, module)


LARGEST_FILE = 600
"""Lines."""

TESTED_BY = {
    "claude.transcript": "claude.test_stream",
    "commands.ask_consent": "project.test_consent",
    "commands.completion": "start.test_completion",
    "commands.diffing": "commands.test_diff",
    "commands.feedback": "handover.test_feedback",
    "commands.land": "commands.test_merge",
    "commands.overview": "test_cli",
    "commands.pause": "scenarios.test_steering",
    "commands.prove": "review.test_prove",
    "commands.rehearsing": "rehearsal.test_rehearsal",
    "commands.pruning": "landing.test_prune",
    "commands.report_forms": "commands.test_report",
    "commands.resume": "scenarios.test_steering",
    "commands.pr": "handover.test_pull_requests",
    "commands.push": "handover.test_handover",
    "commands.retry": "scenarios.test_steering",
    "commands.retrying": "scenarios.test_comments",
    "commands.running": "commands.test_run",
    "commands.schema": "project.test_schema",
    "commands.stop": "scenarios.test_steering",
    "commands.undo": "handover.test_undo",
    "commands.unknown_words": "test_cli",
    "dag.inputs_1_0": "dag.test_feature_inputs",
    "commands.engine_options": "commands.test_slurm_status",
    "commands.slurm_submit": "commands.test_submit",
    "engines.export_file": "commands.test_export",
    "engines.github_workflow": "engines.test_github_actions",
    "engines.slurm.environment_file": "commands.test_submit",
    "engines.slurm.preparing": "commands.test_submit",
    "engines.slurm.run_on_slurm": "commands.test_slurm_status",
    "engines.slurm.submission": "commands.test_slurm_status",
    "engines.slurm.submitting": "commands.test_submit",
    "git.bare_status": "project.test_left_out",
    "git.configuration": "scenarios.test_settings",
    "git.filters_and_drivers": "scenarios.test_looking",
    "git.history": "git.test_merging",
    "git.hooks": "runner.test_committer",
    "git.output": "git.test_staging",
    "git.paths": "git.test_staging",
    "git.ref_facts": "landing.test_prune",
    "git.refs": "git.test_door",
    "git.worktree_status": "scenarios.test_looking",
    "handover.forge.forge": "handover.forge.test_github",
    "handover.report": "handover.test_handover",
    "handover.work": "handover.test_handover",
    "journal.reader": "journal.test_journal",
    "landing.candidates": "commands.test_merge",
    "landing.checkout_backup": "landing.test_target_branch",
    "landing.cleanup": "commands.test_cleanup",
    "landing.report": "commands.test_merge",
    "landing.undoing": "handover.test_undo",
    "model.commit_subject": "worktree.test_committing",
    "model.decision": "dag.test_incremental",
    "model.list_commands": "project.test_feature_list",
    "model.next_steps": "reporter.test_run_text",
    "orchestrator.parts": "commands.test_run",
    "orchestrator.run_options": "commands.test_run",
    "process.environment": "process.test_spawner",
    "project.decisions": "commands.test_plan",
    "project.dependencies": "project.test_feature_list",
    "project.keys": "project.test_schema",
    "project.list_path": "project.test_consent",
    "project.recorded": "scenarios.test_faulty_list",
    "project.strays": "project.test_status",
    "project.warnings": "commands.test_plan",
    "rehearsal.rehearsed_checks": "rehearsal.test_rehearsal",
    "review.proof_text": "review.test_proof",
    "review.reading": "review.test_gathering",
    "runner.context": "runner.test_claude_runner",
    "runner.feature_run": "runner.test_claude_runner",
    "runner.job": "orchestrator.test_loop",
    "start.assisting.finding": "start.assisting.test_assistant",
    "commands.decomposed": "commands.test_decompose",
    "start.decomposing.plan": "commands.test_decompose",
    "start.decomposing.schema": "start.decomposing.test_answer",
    "start.decomposing.target": "commands.test_decompose",
    "start.decomposing.decomposer": "commands.test_decompose",
    "start.examining.doctor": "commands.test_doctor",
    "start.list_lint": "commands.test_lint",
    "start.reading_claude": "commands.test_decompose",
    "views.recorded_run": "commands.test_report",
    "worktree.files": "worktree.test_committing",
    "worktree.secret_copies": "commands.test_cleanup",
    "worktree.worktree": "worktree.test_manager",
}
"""Files that another test file than that of their name tests: values, and parts of a whole."""


class TheMirror(unittest.TestCase):
    """``tests/`` mirrors ``core/``."""

    def test_every_file_has_a_test_file(self) -> None:
        for module, _ in modules():
            room, _, name = module.rpartition(".")
            if name not in ("package", "__main__"):
                expected = ".".join(filter(None, (room, f"test_{name}")))
                with self.subTest(module):
                    self.assertTrue(_has_tests(TESTED_BY.get(module, expected)))
                    self.assertFalse(module in TESTED_BY and _has_tests(expected))

    def test_no_file_is_tested_elsewhere_that_is_not_there(self) -> None:
        self.assertLessEqual(set(TESTED_BY), {module for module, _ in modules()})

    def test_no_test_module_imports_from_a_test_module(self) -> None:
        for root, _, names in os.walk(TESTS):
            for name in names:
                if name.endswith(".py"):
                    with open(os.path.join(root, name), encoding="utf-8") as file:
                        found = re.findall(
                            r"^from (tests[.\w]*\.test_\w+) import", file.read(), re.M
                        )
                    self.assertEqual(found, [], name)

    def test_no_file_is_too_long_to_read(self) -> None:
        for module, source in modules():
            self.assertLessEqual(source.count("\n"), LARGEST_FILE, module)


def _has_tests(module: str) -> bool:
    return os.path.exists(os.path.join(TESTS, *module.split(".")) + ".py")


class TheGuards(unittest.TestCase):
    """Each guard, fed bad source: one that can't fail guards nothing."""

    def assert_faults(self, module: str, source: str, *expected: str) -> None:
        self.assertEqual(faults(module, source), [f"{module}:{fault}" for fault in expected])

    def test_a_module_without_a_room_is_found(self) -> None:
        self.assertEqual(faults("helpers", ""), ["helpers is in no room of the table"])

    def test_an_import_of_the_same_floor_or_a_higher_one_is_found(self) -> None:
        for source in (
            "from ..landing.stack import Stacker",
            "from ..landing import stack",
            "def f():\n    from ..landing.stack import Stacker",
            "if TYPE_CHECKING:\n    from ..landing import stack",
        ):
            line = source.count("\n") + 1
            self.assert_faults("runner.steps", source, f"{line}: imports landing.stack")
            self.assert_faults("orchestrator.loop", source, f"{line}: imports landing.stack")
            self.assert_faults("rehearsal.findings", source)
        self.assert_faults("model.words", "from ..cli import main", "1: imports cli.main")

    def test_an_import_of_a_lower_floor_or_of_the_own_room_is_none(self) -> None:
        self.assert_faults(
            "runner.attempt", "from ..claude import prompt\nfrom .steps import Steps"
        )
        self.assert_faults("cli", "from . import __version__\nfrom .model.frozen import dataclass")

    def test_a_command_imports_no_command(self) -> None:
        self.assert_faults("commands.plan", "from .run import x", "1: imports commands.run")
        self.assert_faults("commands.plan", "from . import run", "1: imports commands.run")
        self.assert_faults("commands.plan", "from .options import x")

    def test_a_run_that_prints_is_found(self) -> None:
        for module in ("runner.x", "orchestrator.x", "landing.x"):
            found = "1: imports reporter.console"
            self.assert_faults(module, "from ..reporter.console import Reporter", found)
        self.assert_faults("project.x", "from ..worktree import manager")

    def test_arguments_of_the_command_line_are_known_to_commands_only(self) -> None:
        self.assert_faults("project.open", "import argparse", "1: knows argparse")
        self.assert_faults("project.open", "from argparse import Namespace", "1: knows argparse")
        self.assert_faults("commands.plan", "import argparse")

    def test_an_absolute_import_of_our_own_is_found(self) -> None:
        found = "1: imports core.errors by an absolute name"
        self.assert_faults("git.door", "import core.errors", found)
        found = "1: imports rorchestrator.errors by an absolute name"
        self.assert_faults("git.door", "from rorchestrator.errors import UserError", found)

    def test_an_import_that_leaves_the_package_is_found(self) -> None:
        self.assert_faults("git.door", "from ...demo_dag import main", "1: leaves the package")
        self.assert_faults("commands.plan", "from ... import x", "1: leaves the package")

    def test_an_import_that_is_not_standard_is_found(self) -> None:
        for name in ("coverage", "yaml", "setuptools", "tests"):
            found = f"1: {name}.x is not in the standard library"
            self.assert_faults("git.door", f"import {name}.x", found)
        self.assert_faults("git.door", "import os, json, sys, collections.abc, fcntl, _thread")

    def test_an_import_by_a_computed_name_is_found(self) -> None:
        source = "from importlib import import_module\nimport_module(name)"
        expected = [f"{line}: imports what can't be checked" for line in (1, 2)]
        self.assertEqual(
            sorted(faults("git.door", source)), [f"git.door:{fault}" for fault in expected]
        )
        self.assert_faults("cli", source)

    def test_a_child_process_started_elsewhere_is_found(self) -> None:
        for source in (
            "os.posix_spawn(p, a, e)",
            "os.fork()",
            "from os import fork",
            "os.system('ls')",
            "os.execv(p, a)",
            "os.spawnlp(m, p)",
            "from os import popen",
            "import subprocess",
            "from subprocess import run",
            "from multiprocessing import Process",
            "asyncio.create_subprocess_exec(p)",
            "loop.subprocess_exec(p)",
            "import pty",
        ):
            with self.subTest(source):
                found = faults("runner.x", source)
                self.assertIn("runner.x:1: starts a process", "".join(found))
                self.assertEqual(faults("process.spawner", source), [])
                self.assertEqual(faults("claude.simulated", source), [])

    def test_a_git_command_line_elsewhere_is_found(self) -> None:
        for source in (
            "run(['git', 'status'])",
            "argv = ('git', *words)",
            "run(['git'] + words)",
            "exec('git', 'status')",
        ):
            with self.subTest(source):
                self.assert_faults("worktree.manager", source, "1: a git command line")
                self.assert_faults("git.door", source)
        self.assert_faults(
            "worktree.manager", "words = ['add', 'git']; hint = 'git add .'; f(); x = []"
        )

    def test_an_effect_in_a_pure_module_is_found(self) -> None:
        for source, expected in {
            "import asyncio": "1: knows asyncio",
            "import time": "1: knows time",
            "from time import monotonic": "1: knows time",
            "import os.path": "1: knows os.path",
            "print('x')": "1: knows print()",
            "open('x')": "1: knows open()",
            "datetime.now()": "1: knows the time (now)",
        }.items():
            with self.subTest(source):
                self.assert_faults("model.words", source, expected)
        self.assert_faults("reporter.console", "import os, time\nprint(open('x'))")
        self.assert_faults("model.words", "open_features = [printed]")


if __name__ == "__main__":
    unittest.main()
