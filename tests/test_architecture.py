"""The house of DESIGN §2: which module may import which, and the one door of each effect."""

from __future__ import annotations

import ast
import os
import sysconfig
import unittest
from collections.abc import Iterator
from importlib.util import find_spec

from tests.support.scratch import ROOT

CORE = os.path.join(ROOT, "core")

PURE = {
    "errors": "",
    "costs": "",
    "excerpt": "mask",
    "model": "costs",
    "frozen": "",
    "lines": "",
    "mask": "",
    "events": "costs excerpt model",
    "dag": "model errors",
    "schedule": "model dag",
    "state": "costs model events",
    "prompt": "excerpt model",
    "bypass": "model",
    "claude": "costs bypass excerpt model mask",
    "contracts": "",
    "limits": "",
    "programs": "",
    "own_commands": "model contracts",
    "first_inputs": "model",
    "inputs": "model first_inputs",
    "incremental": "model dag state inputs",
    "terminal": "",
    "text": "costs excerpt model events state schedule terminal",
    "findings": "dag model terminal text",
    "source_text": "errors",
    "typed": "",
    "subject": "model",
}
SHELL = {
    "config": "model errors dag contracts own_commands source_text subject",
    "process": "errors",
    "answers": "",
    "git": "answers obstacles process programs throwaway errors excerpt private",
    "base": "git config errors excerpt",
    "holding": "git",
    "obstacles": "",
    "products": "",
    "baseline": "git leftovers private",
    "submodules": "git",
    "worktree": "git submodules throwaway baseline products leftovers obstacles hooks subject"
    " model errors excerpt private aside",
    "hooks": "git private",
    "setup_guard": "seal worktree events excerpt",
    "ways_back": "",
    "committer": "process worktree hooks seal git events model errors",
    "seal": "git errors excerpt",
    "replica": "git",
    "surroundings": "git seal worktree process mask events state model errors excerpt",
    "journal": "events errors lines private",
    "slots": "",
    "stop": "",
    "requests": "errors private",
    "consent": "model private",
    "private": "",
    "aside": "private errors",
    "steering": "orchestrator requests incremental stop events model",
    "pause": "slots",
    "budget": "costs",
    "ports": "",
    "supplies": "errors",
    "steps": "process stop mask model errors private",
    "leftovers": "",
    "teardown": "process steps stop workbench worktree model",
    "throwaway": "errors",
    "workbench": (
        "process git worktree throwaway steps supplies seal setup_guard ports leftovers products"
        " contracts own_commands events model errors excerpt"
    ),
    "landing": "worktree git model excerpt",
    "resolution": "landing worktree workbench attempt budget seal git prompt events model excerpt",
    "before": "errors private",
    "target": "before git obstacles errors excerpt",
    "foresight": "git state events model errors",
    "attempt": "process stop claude prompt events lines mask model errors private",
    "runner": "holding slots stop pause limits budget committer setup_guard worktree seal workbench"
    " attempt process prompt events model errors excerpt",
    "orchestrator": "holding runner slots stop schedule dag journal state events model",
    "reporter": "costs terminal text state events model errors private",
    "commands": "*",
    "cli": "commands throwaway errors terminal mask typed",
    "__main__": "cli",
    # Plays Claude, and is started as a program of its own.
    "simulated": "",
}
MAY_IMPORT = {room: set(others.split()) for room, others in {**PURE, **SHELL}.items()}

EVERYWHERE = {"frozen", ""}
"""What stands in for a standard module, and the package itself, for its version."""

MAY_START_CHILDREN = ("process", "simulated")
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
    """What is wrong with a module of ``core/``, such as ``git`` or ``commands.plan``."""
    tree = ast.parse(source)
    room = module.split(".")[0]
    if room not in MAY_IMPORT:
        return [f"{module} has no row in the table"]
    found = [*_edges(module, tree), *_dynamic_imports(room, tree)]
    if room not in MAY_START_CHILDREN:
        found += _children(tree)
    if room != "git":
        found += _git_commands(tree)
    if room in PURE:
        found += _impurities(tree)
    return [f"{module}:{fault}" for fault in found]


def _edges(module: str, tree: ast.AST) -> Iterator[str]:
    """Imports that are not relative inside, not standard outside, or not in the table."""
    allowed = MAY_IMPORT[module.split(".")[0]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.ImportFrom):
            for target in _targets(module, node):
                if target is None:
                    yield f"{node.lineno}: leaves the package"
                elif "*" not in allowed and target not in allowed | EVERYWHERE:
                    yield f"{node.lineno}: imports {target}"
            continue
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top in ("core", "rorchestrator"):
                yield f"{node.lineno}: imports {name} by an absolute name"
            elif not _is_standard(top):
                yield f"{node.lineno}: {name} is not in the standard library"


def _targets(module: str, node: ast.ImportFrom) -> Iterator[str | None]:
    """The rooms that a relative import enters, less its own; ``None`` outside of the package."""
    parents = module.split(".")[: -node.level]
    if node.level > module.count(".") + 1:
        yield None
        return
    for alias in node.names:
        path = [*parents, *(node.module or alias.name).split(".")]
        # From the package itself come modules and, from ``core/__init__.py``, names.
        room = path[0] if _is_room(path[0]) else ""
        if room != module.split(".")[0]:
            yield room


def _is_room(name: str) -> bool:
    path = os.path.join(CORE, name)
    return name in MAY_IMPORT or os.path.exists(path) or os.path.exists(f"{path}.py")


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


def _dynamic_imports(room: str, tree: ast.AST) -> Iterator[str]:
    """An import that this test can't see; only ``cli`` has one, of the command that was typed."""
    for node, name in _names(tree):
        if name in ("import_module", "__import__") and room != "cli":
            yield f"{node.lineno}: imports what can't be checked"


def _children(tree: ast.AST) -> Iterator[str]:
    for place, name in _names(tree):
        if name in STARTERS or name.split(".")[0] in STARTING_MODULES:
            yield f"{place.lineno}: starts a process ({name})"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os":
            line, names = node.lineno, [node.attr]
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            line, names = node.lineno, [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith(STARTERS_OF_OS):
                yield f"{line}: starts a process (os.{name})"


def _git_commands(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        first: ast.expr | None = None
        if isinstance(node, (ast.List, ast.Tuple)):
            first = node.elts[0] if node.elts else None
        elif isinstance(node, ast.Call):
            first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and first.value == "git":
            yield f"{first.lineno}: a git command line"


def _impurities(tree: ast.AST) -> Iterator[str]:
    for node, name in _names(tree):
        imported = isinstance(node, (ast.Import, ast.ImportFrom))
        if imported and name.split(".")[0] in UNKNOWN_TO_PURE:
            yield f"{node.lineno}: knows {name}"
        if isinstance(node, ast.Name) and name in NAMES_UNKNOWN_TO_PURE:
            yield f"{node.lineno}: knows {name}()"
        if isinstance(node, ast.Attribute) and name in CLOCKS:
            yield f"{node.lineno}: knows the time ({name})"


def _names(tree: ast.AST) -> Iterator[tuple[ast.Name | ast.Attribute | ast.stmt, str]]:
    """Every name that a module reads or imports, with its place."""
    for node in ast.walk(tree):
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
        self.assertEqual({module.split(".")[0] for module, _ in modules()}, set(MAY_IMPORT))

    def test_the_table_has_no_circle_and_no_pure_module_needs_the_shell(self) -> None:
        for room in PURE:
            self.assertLessEqual(MAY_IMPORT[room], set(PURE), room)
        for room, others in MAY_IMPORT.items():
            for other in others - {"*"}:
                self.assertNotIn(room, MAY_IMPORT[other], f"{room} and {other}")


class TheGuards(unittest.TestCase):
    """Each guard, fed bad source: one that can't fail guards nothing."""

    def assert_faults(self, module: str, source: str, *expected: str) -> None:
        self.assertEqual(faults(module, source), [f"{module}:{fault}" for fault in expected])

    def test_a_module_without_a_row_is_found(self) -> None:
        self.assertEqual(faults("helpers", ""), ["helpers has no row in the table"])

    def test_an_edge_that_the_table_does_not_have_is_found_however_it_is_written(self) -> None:
        for source in (
            "from .git import Git",
            "from . import git",
            "def f():\n    from .git import Git",
            "if TYPE_CHECKING:\n    from . import git",
        ):
            line = source.count("\n") + 1
            self.assert_faults("runner", source, f"{line}: imports git")
        self.assert_faults("process.table", "from ..git import Git", "1: imports git")
        self.assert_faults("text", "from .commands.plan import document", "1: imports commands")

    def test_an_edge_of_the_table_is_none(self) -> None:
        self.assert_faults(
            "attempt", "from . import claude, events\nfrom .lines import LineSplitter"
        )
        self.assert_faults("process.table", "from . import guard\nfrom ..errors import UserError")
        self.assert_faults("commands.plan", "from ..text import plan_lines\nfrom .run import x")
        self.assert_faults("cli", "from . import __version__\nfrom .frozen import dataclass")

    def test_an_absolute_import_of_our_own_is_found(self) -> None:
        self.assert_faults(
            "git", "import core.errors", "1: imports core.errors by an absolute name"
        )
        self.assert_faults(
            "git",
            "from rorchestrator.errors import UserError",
            "1: imports rorchestrator.errors by an absolute name",
        )

    def test_an_import_that_leaves_the_package_is_found(self) -> None:
        self.assert_faults("git", "from ..demo_dag import main", "1: leaves the package")
        self.assert_faults("commands.plan", "from ... import x", "1: leaves the package")

    def test_an_import_that_is_not_standard_is_found(self) -> None:
        for name in ("coverage", "yaml", "setuptools", "tests"):
            self.assert_faults(
                "git", f"import {name}.x", f"1: {name}.x is not in the standard library"
            )
        self.assert_faults("git", "import os, json, sys, collections.abc, fcntl, _thread")

    def test_an_import_by_a_computed_name_is_found(self) -> None:
        source = "from importlib import import_module\nimport_module(name)"
        expected = [f"{line}: imports what can't be checked" for line in (1, 2)]
        self.assertEqual(sorted(faults("git", source)), [f"git:{fault}" for fault in expected])
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
                found = faults("runner", source)
                self.assertIn("runner:1: starts a process", "".join(found))
                self.assertEqual(faults("process.spawner", source), [])
                self.assertEqual(faults("simulated", source), [])

    def test_a_git_command_line_elsewhere_is_found(self) -> None:
        for source in (
            "run(['git', 'status'])",
            "argv = ('git', *words)",
            "run(['git'] + words)",
            "exec('git', 'status')",
        ):
            with self.subTest(source):
                self.assert_faults("worktree", source, "1: a git command line")
                self.assert_faults("git", source)
        self.assert_faults("worktree", "words = ['add', 'git']; hint = 'git add .'; f(); x = []")

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
                self.assert_faults("text", source, expected)
        self.assert_faults("reporter", "import os, time\nprint(open('x'))")
        self.assert_faults("text", "open_features = [printed]")


if __name__ == "__main__":
    unittest.main()
