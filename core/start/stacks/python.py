"""Python: uv, poetry, pipenv or pip in a `.venv` of the worktree; pytest, unittest, ruff, mypy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from ...model.frozen import dataclass
from ...model.translate import N_
from .stack import Stack
from .tree import Tree

MANIFEST = "pyproject.toml"
LOCKFILES = ("uv.lock", "poetry.lock", "Pipfile.lock")
MANIFESTS = (MANIFEST, "setup.py", "setup.cfg", "Pipfile", "manage.py")

VENV = ".venv/bin/"
EXTRAS = ("dev", "develop", "test", "tests", "testing")
"""Extras and groups with what the tests need."""

REQUIREMENTS = (
    r"^requirements\.txt$"
    r"|^(?:requirements[-_./])(?:dev|develop|development|test|tests|testing)\.txt$"
    r"|^(?:dev|test|tests|testing)[-_]requirements\.txt$"
    r"|^requirements/requirements[-_.](?:dev|test|tests|testing)\.txt$"
)

TESTS = r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$"

PORTS = (
    ("flask", "FLASK_RUN_PORT"),
    ("fastapi", "UVICORN_PORT"),
    ("uvicorn", "UVICORN_PORT"),
    ("streamlit", "STREAMLIT_SERVER_PORT"),
    ("gunicorn", "PORT"),
)
"""Servers, and the variables from which they read their ports."""

_INNER = re.compile(
    rf"^([^/]+(?:/[^/]+)?)/(?:requirements\.txt|{'|'.join(map(re.escape, MANIFESTS))})$"
)
"""Manifests of folders, as deep as these are looked for."""

NOT_OWN = frozenset(("node_modules", "vendor", "third_party", "fixtures", ".venv"))
"""Folders with tests of others."""

TEST_FOLDERS = frozenset(("test", "tests", "testing"))
"""Folders whose manifest is for the tests of the project around them."""

NAMED_LIMIT = 20_000
"""Characters in which extras of `setup.py` are looked for."""

READ = 20
"""How many test files are read to find out which framework they use."""

_OWN_CODE = re.compile(r"^(?:src/)?[^/.]+/.*\.py$|^[^/]+\.py$")
_TOOL_CONFIGS = {
    "pytest": (("pytest.ini", ".pytest.ini"), r"^\[tool\.pytest|^\[(?:tool:)?pytest\]"),
    "ruff": (("ruff.toml", ".ruff.toml"), r"^\[tool\.ruff"),
    "mypy": (("mypy.ini", ".mypy.ini"), r"^\[tool\.mypy\]|^\[mypy\]"),
}


@dataclass(frozen=True)
class Installer:
    """How the packages of a project get into an environment of the worktree."""

    name: str
    program: str
    setup: tuple[str, ...]
    run: str
    """Goes before a program of the environment."""
    python: str
    """The interpreter of the environment."""
    lock: str = ""
    ignored: tuple[str, ...] = (".venv/", "__pycache__/")


class _Project:
    """What the files of a Python project say."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.toml = tree.text(MANIFEST)
        self.configs = "\n".join(map(tree.text, (MANIFEST, "setup.cfg", "tox.ini", "mypy.ini")))
        self.requirements = tree.matching(REQUIREMENTS)
        self.is_locked = tree.has(*LOCKFILES)
        self.others = () if self._has_packages() else _projects_in(tree)
        self.tests = [path for path in tree.matching(TESTS) if self._is_own(path)]

    def is_python(self) -> bool:
        """Whether there is more than the settings of a tool."""
        has_code = any(map(_OWN_CODE.search, self.tree.paths))
        return has_code and bool(self._has_packages() or self.tests)

    def _has_packages(self) -> bool:
        """Whether the root itself says what is installed."""
        is_project = re.search(r"^\[(?:project|build-system|tool\.poetry)", self.toml, re.MULTILINE)
        made = self.tree.has(*MANIFESTS[1:], *LOCKFILES) or self.requirements
        return bool(is_project or made)

    def _is_own(self, path: str) -> bool:
        """Whether a test belongs to the project itself, not to a copy of another or a fixture."""
        parts = path.split("/")[:-1]
        return NOT_OWN.isdisjoint(parts) and not path.startswith(self.others)

    def installs(self, program: str) -> bool:
        """Whether a program is among the packages that the setup installs."""
        return _names(program, self._locked() if self.is_locked else self._unlocked())

    def _locked(self) -> str:
        """The texts that name packages for an installer with a lockfile."""
        return "\n".join(map(self.tree.text, (MANIFEST, "setup.cfg", "setup.py", "Pipfile")))

    def _unlocked(self) -> str:
        """The texts that name packages for pip, which knows nothing of other installers."""
        files = map(self.tree.text, ("setup.cfg", "setup.py", *self.requirements))
        chosen = {**self.named_extras(), **self.named_groups()}
        wanted = {*self.extras(), *self.groups()}
        arrays = (f"{text}," for name, text in chosen.items() if name in wanted)
        return "\n".join([*files, self.section("project"), *arrays])

    def names(self, program: str) -> bool:
        """Whether any file names a program as a package."""
        files = map(self.tree.text, self.requirements)
        return _names(program, "\n".join([self._locked(), *files]))

    def configures(self, program: str) -> bool:
        """Whether a tool has settings here."""
        files, section = _TOOL_CONFIGS[program]
        return self.tree.has(*files) or bool(re.search(section, self.configs, re.MULTILINE))

    def uses_pytest(self) -> bool:
        """Whether the tests are for pytest."""
        if self.configures("pytest") or self.names("pytest"):
            return True
        if any(path.rpartition("/")[2] == "conftest.py" for path in self.tree.paths):
            return True
        texts = map(self.tree.text, self.tests[:READ])
        of_pytest = r"^(?:async )?def test_|^(?:import|from) pytest\b"
        return any(re.search(of_pytest, text, re.MULTILINE) for text in texts)

    def section(self, title: str) -> str:
        """The lines of a section of ``pyproject.toml``."""
        found = re.search(rf"^\[{re.escape(title)}\]\s*$(.*?)(?=^\[|\Z)", self.toml, re.M | re.S)
        return found[1] if found else ""

    def tools(self) -> list[str]:
        """The tools that the checks use."""
        settled = [name for name in ("ruff", "mypy") if self.configures(name)]
        return [*settled, *(["pytest"] if self.uses_pytest() else [])]

    def named_extras(self) -> dict[str, str]:
        """All extras, with their packages where these are written in TOML or in Python."""
        of_cfg = _part(self.tree.text("setup.cfg"), "options.extras_require")
        names = re.findall(r"^(\w[\w-]*)[ \t]*=", of_cfg, re.MULTILINE)
        of_py = self.tree.text("setup.py").partition("extras_require")[2][:NAMED_LIMIT]
        in_code = dict(re.findall(r"[\"'](\w[\w-]*)[\"']\s*:\s*\[(.{0,2000}?)\]", of_py, re.DOTALL))
        of_toml = _arrays(self.section("project.optional-dependencies"))
        return {**dict.fromkeys(names, ""), **in_code, **of_toml}

    def named_groups(self) -> dict[str, str]:
        """All dependency groups with their packages."""
        return _arrays(self.section("dependency-groups"))

    def extras(self) -> list[str]:
        """The extras with what the checks need."""
        return self._needed(self.named_extras())

    def groups(self) -> list[str]:
        """The dependency groups with what the checks need."""
        return self._needed(self.named_groups())

    def _needed(self, named: Mapping[str, str]) -> list[str]:
        """Those for tests, by their names, and those with a tool that these lack."""
        chosen = [name for name in named if name.lower() in EXTRAS]
        for tool in self.tools():
            holders = [name for name, text in named.items() if _names(tool, text)]
            if holders and not any(name in chosen for name in holders):
                chosen.append(holders[0])
        return chosen

    def is_package(self) -> bool:
        """Whether the project itself has to be installed for its tests."""
        if self.tree.has("setup.py"):
            return True
        if "[tool.poetry.dependencies]" in self.toml:
            return True
        described = "[build-system]" in self.toml or self.section("project")
        needs = re.search(
            r"^dependencies\s*=\s*\[\s*[^\]\s]", self.section("project"), re.MULTILINE
        )
        sources = self.tree.matching(r"^src/[^/]+/__init__\.py$")
        return bool(described and (needs or sources or self.extras()))

    def guesses_packages(self) -> bool:
        """Whether setuptools takes every folder of the root for a package, and so refuses two."""
        texts = "\n".join(map(self.tree.text, (MANIFEST, "setup.cfg", "setup.py")))
        backend = re.search(r"^build-backend\s*=\s*[\"'](?!setuptools)", self.toml, re.MULTILINE)
        names = re.search(r"\bpackages\b|\bpy[-_]modules\b", texts)
        in_src = self.tree.matching(r"^src/.*\.py$")
        return self.is_package() and not (backend or names or in_src)


def _projects_in(tree: Tree) -> tuple[str, ...]:
    """The folders with a manifest of their own, as beginnings of paths; tests have none."""
    folders = {found[1] for found in map(_INNER.search, tree.paths) if found}
    return tuple(f"{each}/" for each in folders if TEST_FOLDERS.isdisjoint(each.split("/")))


def _part(text: str, title: str) -> str:
    found = re.search(rf"^\[{re.escape(title)}\]\s*$(.*?)(?=^\[|\Z)", text, re.M | re.S)
    return found[1] if found else ""


def _arrays(text: str) -> dict[str, str]:
    """The arrays of a section of TOML, by key."""
    array = r"^[\"']?(\w[\w.-]*)[\"']?\s*=\s*\[(.*?)\]\s*(?:#[^\n]*)?$"
    return dict(re.findall(array, text, re.MULTILINE | re.DOTALL))


def _names(program: str, text: str) -> bool:
    """Whether a text names a program as a package."""
    name = re.escape(program)
    quoted = rf"[\"']{name}(?=[\"'\s=<>!~;\[,])"
    plain = rf"^[ \t]*{name}[ \t]*(?:$|[=<>!~;\[#])"
    return bool(re.search(f"{quoted}|{plain}", text, re.MULTILINE | re.IGNORECASE))


def detect(tree: Tree) -> Stack | None:
    """Python in the folder; ``None`` if it has no code, or neither packages nor tests."""
    project = _Project(tree)
    if not project.is_python():
        return None
    pytest = project.uses_pytest()
    installer = _installer(project, pytest)
    verify, notes = _checks(project, installer, pytest)
    port = next((name for server, name in PORTS if project.names(server)), "")
    known = [*MANIFESTS, installer.lock, *project.requirements]
    return Stack(
        f"Python with {installer.name}" if installer.name else "Python",
        tuple(path for path in dict.fromkeys(known) if tree.has(path)),
        setup=installer.setup,
        verify=tuple(verify),
        allowed=(f"{installer.python} -m {'pytest' if pytest else 'unittest'}",),
        programs=(installer.program,) if installer.setup or verify else (),
        ignored=installer.ignored,
        port_variable=port,
        is_crowded=project.guesses_packages() and bool(installer.setup),
        notes=tuple(notes),
    )


def _installer(project: _Project, pytest: bool) -> Installer:
    tree = project.tree
    if tree.has("uv.lock"):
        extras = "".join(f" --extra {name}" for name in project.extras())
        groups = "".join(f" --group {name}" for name in project.groups() if name != "dev")
        setup = (f"uv sync --locked{extras}{groups}",)
        return Installer("uv", "uv", setup, "uv run ", "uv run python", "uv.lock")
    if tree.has("poetry.lock"):
        setup = ("POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction",)
        run = "poetry run "
        return Installer("poetry", "poetry", setup, run, f"{run}python", "poetry.lock")
    if tree.has("Pipfile.lock"):
        setup = ("PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev",)
        run = "pipenv run "
        return Installer("pipenv", "pipenv", setup, run, f"{run}python", "Pipfile.lock")
    words = _pip_words(project, pytest)
    if not words:
        return Installer("", "python3", (), "", "python3", ignored=("__pycache__/",))
    made = ("python3 -m venv .venv", *(f"{VENV}pip install {line}" for line in words))
    return Installer("pip", "python3", made, VENV, f"{VENV}python")


def _pip_words(project: _Project, pytest: bool) -> list[str]:
    """The arguments of each ``pip install``; none if there is nothing to install."""
    words = " ".join(f"-r {shlex.quote(path)}" for path in project.requirements)
    lines = [words] if words else []
    if project.is_package():
        extras = ",".join(project.extras())
        lines.append(f"-e {shlex.quote(f'.[{extras}]')}" if extras else "-e .")
    groups = project.groups()
    if groups:
        # The first pip that knows groups.
        lines += ["'pip>=25.1'", " ".join(f"--group {name}" for name in groups)]
    if pytest and not (project.installs("pytest") and lines):
        lines.append("pytest")
    return lines


def _checks(project: _Project, installer: Installer, pytest: bool) -> tuple[list[str], list[str]]:
    """The checks, and what to say about tools that are none."""
    found: list[str] = []
    notes: list[str] = []
    for program, command in (("ruff", "ruff check"), ("mypy", "mypy")):
        if not project.configures(program):
            continue
        if not project.installs(program):
            notes.append(
                N_(
                    "{program} is configured but not installed with the packages, so it is no check"
                ).format(program=program)
            )
        elif program == "mypy" and not re.search(r"^(?:files|packages)\s*=", project.configs, re.M):
            notes.append(N_("the settings of mypy name no files, so it is no check"))
        else:
            found.append(f"{installer.run}{command}")
    if pytest:
        found.append(_pytest(project, installer))
    elif project.tree.has("manage.py"):
        found.append(f"{installer.python} manage.py test")
    elif project.tests:
        found.append(f"{installer.python} -m unittest{_discovery(project)}")
    return found, notes


def _pytest(project: _Project, installer: Installer) -> str:
    if installer.run == VENV:
        return f"{installer.python} -m pytest"
    if installer.name == "uv" and not project.installs("pytest"):
        return "uv run --with pytest pytest"
    return f"{installer.run}pytest"


def _discovery(project: _Project) -> str:
    """Where unittest finds the tests; see ``python3 -m unittest discover --help``."""
    if len({path.split("/")[0] for path in project.tests}) != 1 or "/" not in project.tests[0]:
        return " discover"
    folder = _start(project)
    top = " -t ." if project.tree.has(f"{folder}/__init__.py") else ""
    return f" discover -s {shlex.quote(folder)}{top}"


def _start(project: _Project) -> str:
    """The folder where the discovery starts: it goes down into packages only."""
    folders = [path.split("/")[:-1] for path in project.tests]
    start = folders[0][:1]
    while True:
        deeper = {tuple(parts[: len(start) + 1]) for parts in folders}
        inner = list(next(iter(deeper)))
        is_package = project.tree.has("/".join([*inner, "__init__.py"]))
        if len(deeper) > 1 or inner == start or is_package:
            return "/".join(start)
        start = inner
