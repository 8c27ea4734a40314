"""The package: the wheel, installed in a fresh environment, is the whole tool."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ("LICENSE", "README.md", "config", "core", "install", "prompts", "pyproject.toml")
ENABLE = "RORCHESTRATOR_TEST_PACKAGE"
NEEDED = {"pip": (22, 3), "setuptools": (77, 0)}
HOW = (
    "building the package needs pip >= 22.3 and setuptools >= 77 in this Python: "
    "python3 -m pip install --upgrade pip setuptools"
)
DEADLINE_SECONDS = 120


def _version_of(module: str) -> tuple[int, ...]:
    """The version of an installed module; (0,) when it isn't there."""
    if importlib.util.find_spec(module) is None:
        return (0,)
    code = f"import {module}; print({module}.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    return tuple(int(n) for n in re.findall(r"\d+", done.stdout)[:2]) or (0,)


def _can_build() -> bool:
    return all(_version_of(module) >= version for module, version in NEEDED.items())


def _tree_version() -> str:
    text = (ROOT / "core" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+(?:\.dev)?)"$', text, re.MULTILINE)
    assert found is not None, "core/__init__.py holds the version as a plain string"
    return found.group(1)


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class Versions(unittest.TestCase):
    def test_the_wrapper_fetches_the_version_of_this_tree_or_the_last_one_before_it(self) -> None:
        wrapper = (ROOT / "install" / "wrapper.sh").read_text(encoding="utf-8")
        found = re.search(r"^ror_version=v(.+)$", wrapper, re.MULTILINE)
        assert found is not None
        if _tree_version().endswith(".dev"):
            self.assertLess(
                *(tuple(map(int, v.split(".")[:3])) for v in (found[1], _tree_version()))
            )
        else:
            self.assertEqual(found[1], _tree_version())

    def test_the_plugin_for_claude_code_has_the_version_of_this_tree(self) -> None:
        path = ROOT / "install" / "claude-plugin" / ".claude-plugin" / "plugin.json"
        version = json.loads(path.read_text(encoding="utf-8"))["version"]
        self.assertEqual(version, _tree_version().replace(".dev", "-dev"))


class Installed(unittest.TestCase):
    """One wheel and one environment for all: they take seconds."""

    @classmethod
    def setUpClass(cls) -> None:
        if not _can_build():
            if os.environ.get(ENABLE) == "1":
                raise RuntimeError(f"{ENABLE}=1 is set, but {HOW}")
            raise unittest.SkipTest(HOW)
        folder = tempfile.TemporaryDirectory(prefix="ror-package-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name).resolve()
        home = cls.root / "home"
        home.mkdir()
        cls.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        cls._build()
        cls._install()

    @classmethod
    def _do(cls, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or cls.root,
            env=cls.env,
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE_SECONDS,
        )
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    @classmethod
    def _build(cls) -> None:
        """The wheel, from a copy: a build writes into the tree that it builds."""
        cls.tree = cls.root / "tree"
        cls.tree.mkdir()
        leftovers = shutil.ignore_patterns("__pycache__")
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, cls.tree / name, ignore=leftovers)
            else:
                shutil.copy(ROOT / name, cls.tree)
        # What must stay out, and what nobody should have to list.
        (cls.tree / "config" / "feature_list.json").write_text("{}", encoding="utf-8")
        (cls.tree / "core" / "__pycache__").mkdir()
        (cls.tree / "core" / "__pycache__" / "cli.pyc").write_bytes(b"")
        (cls.tree / "core" / "later" / "on").mkdir(parents=True)
        for part in ("later/__init__.py", "later/on/__init__.py", "later/on/page.html"):
            (cls.tree / "core" / part).write_text("", encoding="utf-8")
        pip = (sys.executable, "-m", "pip")
        cls._do(*pip, "wheel", ".", "--no-deps", "--no-build-isolation", "-w", "..", cwd=cls.tree)

    @classmethod
    def _install(cls) -> None:
        venv = cls.root / "venv"
        cls._do(sys.executable, "-m", "venv", "--without-pip", str(venv))
        (wheel,) = cls.root.glob("*.whl")
        python = venv / "bin" / "python"
        cls._do(sys.executable, "-m", "pip", "--python", str(python), "install", str(wheel))
        cls.command = str(venv / "bin" / "rorchestrator")
        code = "import rorchestrator; print(rorchestrator.__path__[0])"
        cls.package = Path(cls._do(str(python), "-c", code).strip())
        cls.python = str(python)

    def test_the_command_knows_its_version(self) -> None:
        self.assertIn(_tree_version(), self._do(self.command, "--version"))

    def test_the_command_completes_words_and_prints_the_schema(self) -> None:
        self.assertIn("--only\t", self._do(self.command, "__complete", "zsh", "run", "--o"))
        schema = (ROOT / "config" / "feature_list.schema.json").read_text(encoding="utf-8")
        self.assertEqual(self._do(self.command, "schema"), schema)

    def test_the_command_plans_a_list_in_a_repository(self) -> None:
        repository = self.root / "a repository"
        self._do("git", "init", "--quiet", str(repository))
        self._do("git", "-C", str(repository), "symbolic-ref", "HEAD", "refs/heads/main")
        who = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
        commit = ("commit", "--quiet", "--allow-empty", "--message=start")
        self._do("git", "-C", str(repository), *who, *commit)
        features = [
            {"id": "auth", "name": "Auth", "prompt": "Write auth.py."},
            {"id": "api", "name": "API", "prompt": "Write api.py.", "depends_on": ["auth"]},
        ]
        path = repository / "list.json"
        path.write_text(
            json.dumps({"project": {"name": "scratch"}, "features": features}), encoding="utf-8"
        )
        plan = self._do(self.command, "plan", "--config", str(path))
        self.assertIn("auth", plan)
        self.assertIn("api", plan)

    def test_the_command_writes_a_list_or_an_example_into_a_repository(self) -> None:
        for name, words in (("todo", ("--example", "todo")), ("own", ("--no-rehearsal",))):
            repository = self.root / name
            who = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
            commit = ("commit", "--quiet", "--allow-empty", "--message=start")
            self._do("git", "init", "--quiet", "--initial-branch=main", str(repository))
            self._do("git", "-C", str(repository), *who, *commit)
            self._do(self.command, "init", "--yes", *words, cwd=repository)
            self.assertIn("1 wave" if name == "own" else "3 waves", self._plan(repository))

    def _plan(self, repository: Path) -> str:
        return self._do(self.command, "plan", cwd=repository)

    def test_the_package_holds_all_of_the_code_and_nothing_else_of_ours(self) -> None:
        inside = {name for name in _files(self.package) if not name.endswith(".pyc")}
        ours = ("claude_plugin/", "examples/")
        code = {name for name in inside if not name.startswith(ours)}
        expected = {n for n in _files(self.tree / "core") if not n.endswith(".pyc")}
        self.assertEqual(code, expected)
        beside = {path.name.split("-")[0] for path in self.package.parent.iterdir()}
        self.assertEqual(beside, {"rorchestrator"})
        self._do(self.python, "-c", "import rorchestrator.later.on")

    def test_the_examples_and_their_prompts_are_inside(self) -> None:
        examples = self.package / "examples"
        for folder in ("config", "prompts"):
            with self.subTest(folder):
                expected = _files(self.tree / folder) - {"feature_list.json"}
                self.assertTrue(expected)
                self.assertEqual(_files(examples / folder), expected)

    def test_the_plugin_for_claude_code_is_inside(self) -> None:
        expected = _files(self.tree / "install" / "claude-plugin")
        self.assertIn(".claude-plugin/plugin.json", expected)
        self.assertEqual(_files(self.package / "claude_plugin"), expected)
        code = "from rorchestrator.start.plugin_folder import plugin_folder; print(plugin_folder())"
        found = self._do(self.python, "-c", code).strip()
        self.assertEqual(Path(found), self.package / "claude_plugin")


if __name__ == "__main__":
    unittest.main()
