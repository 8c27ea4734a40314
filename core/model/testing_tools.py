"""Testing tools that take files: which of them a check starts, and how it runs a single file.

A check is recognised if it is one simple command, perhaps behind ``cd FOLDER &&``. What is not
recognised for certain is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from .feature import Command
from .frozen import dataclass
from .list_commands import shell_command
from .terminal_text import clean

_QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
_SPECIAL = frozenset("$`\\*?[]{}~#!\n")
"""What a shell would replace outside of quotes: the command is then not what it seems."""

_OPERATORS = frozenset("();<>|&")

_PROGRAM = re.compile(
    r"""
    (?: (?: [A-Za-z_]\w*=[^\0]* | env
        | (?: bundle\0exec | (?:poetry|uv|pipenv|pdm|hatch|rye|yarn)\0run | yarn
            | pnpm\0exec | pnpm | npm\0(?:exec|x) | npx | bunx )
          (?: \0(?:--|--no|--no-install|-y|--yes|--frozen|--locked|--offline) )*
      )\0 )*
    (?: (?:[^\0]*/)? (?:python[\d.]*|pypy3?) (?: \0-[WX]\0[^\0]* | \0-[bBdEiIOqsSuvx]+ )*
        \0-m\0 (?P<module>pytest|unittest)
      | (?:[^\0]*/)? node (?: \0--[^\0]+ )* \0(?:[^\0]*/)? (?P<script>jest|vitest)(?:\.m?js)?
      | (?:[^\0]*/)? (?P<program> pytest|py\.test|jest|vitest|rspec | rails(?=\0test\0|\0test\Z) )
    )(?=\0|\Z)
    """,
    re.VERBOSE,
)
"""The beginning of a command: assignments and launchers, then a tool; its words end with NUL."""
_FOLDERS = frozenset(("test", "tests", "spec", "specs", "__tests__", "__snapshots__", "__mocks__"))
"""The folders of what belongs to tests."""


@dataclass(frozen=True)
class Tool:
    """A testing tool."""

    program: str
    files: str
    """A regular expression for the paths of its test files."""
    passed: Callable[[str], bool]
    """Whether its output says that at least one test ran and passed."""
    kept: frozenset[str] = frozenset()
    """The options with a value that say how tests run, not which: a single file needs them."""
    others: frozenset[str] = frozenset()
    """Further options with a value, which is no path."""
    arguments: tuple[str, ...] = ()
    """What it needs before a single file."""
    by_part: bool = False
    """Whether a word selects every path that has it as a part."""


@dataclass(frozen=True)
class ToolCall:
    """A check that starts a testing tool."""

    tool: Tool
    words: tuple[str, ...]
    """The command without what selects tests."""
    folder: str = ""
    """The folder that it changes to."""
    roots: tuple[str, ...] = ()
    """What it selects: paths, seen from its folder; empty for everything."""
    pattern: str = ""
    """A pattern for the names of files, which the check gives."""

    def runs(self, path: str) -> bool:
        """Whether the check runs this file of the repository as a test."""
        inner = _below(path, self.folder)
        if inner is None or not self._is_test(inner):
            return False
        return not self.roots or any(self._selects(root, inner) for root in self.roots)

    def _is_test(self, inner: str) -> bool:
        from fnmatch import fnmatchcase

        if self.pattern:
            return fnmatchcase(inner.rpartition("/")[2], self.pattern)
        return re.search(self.tool.files, inner) is not None

    def _selects(self, root: str, inner: str) -> bool:
        if self.tool.by_part:
            return root in inner
        # unittest names modules, and classes in them.
        module = inner.removesuffix(".py")
        return _below(inner, root) is not None or f"{root}/".startswith(f"{module}/")

    def command(self, path: str) -> Command:
        """The command that runs only this file; it is for the top of the repository."""
        import shlex

        inner = _below(path, self.folder) or path
        # A shell would take a quoted assignment for a program.
        assigned = ("env",) if "=" in self.words[0] else ()
        file = f"./{inner}" if inner.startswith("-") else inner
        line = shlex.join((*assigned, *self.words, file))
        return shell_command(f"cd {shlex.quote(self.folder)} && {line}" if self.folder else line)


def tool_call(check: Command) -> ToolCall | None:
    """The testing tool that a check starts; ``None`` if it starts none for certain."""
    folder, words = _simple_command(check.line)
    found = _PROGRAM.match("\0".join(words))
    if found is None:
        return None
    tool = _TOOLS[found["module"] or found["script"] or found["program"]]
    after = found[0].count("\0") + 1
    program, left = words[:after], words[after:]
    if left[:1] == [_SUBCOMMANDS.get(tool.program)]:
        left = left[1:]
    given, options, kept = _sorted_out(tool, left)
    pattern = ""
    if tool is UNITTEST:
        given, pattern = _unittest_selection(given, options)
    roots = tuple(filter(None, map(_normal, given)))
    return ToolCall(tool, (*program, *tool.arguments, *kept), folder, roots, pattern)


def _sorted_out(tool: Tool, words: Sequence[str]) -> tuple[list[str], dict[str, str], list[str]]:
    """The arguments that are no options, the options with a value, and the words that are kept."""
    given: list[str] = []
    options: dict[str, str] = {}
    kept: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if name in tool.kept or name in tool.others:
            options[name] = value if equals else "".join(left[:1])
            left = left if equals else left[1:]
            kept += [name, options[name]] if name in tool.kept else ()
        elif not word.startswith("-"):
            given.append(word)
    return given, options, kept


def belongs_to_tests(path: str) -> bool:
    """Whether a file is part of the tests, such as their data, and not of what they test."""
    *folders, name = path.split("/")
    return name == "conftest.py" or not _FOLDERS.isdisjoint(folders)


# -- the command line ---------------------------------------------------------------------------


def _simple_command(line: str) -> tuple[str, list[str]]:
    """The folder that a command changes to, and its words; no words if it is not simple."""
    import shlex

    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        words = list(lexer)
    except ValueError:
        return "", []
    folder = ""
    if len(words) > 3 and words[0] == "cd" and words[2] == "&&":
        folder, words = _normal(words[1]), words[3:]
    is_outside = folder.startswith("/") or ".." in folder.split("/")
    is_special = not _SPECIAL.isdisjoint(_QUOTED.sub("", line))
    if is_outside or is_special or any(_OPERATORS.issuperset(word) for word in words if word):
        return "", []
    return folder, words


def _normal(path: str) -> str:
    """A path without ``./``, a slash at its end, and what selects inside of the file."""
    inner = re.sub(r"(::.*|(:\d+)+)\Z", "", path)
    kept = [part for part in inner.split("/") if part not in ("", ".")]
    return f"{'/' * inner.startswith('/')}{'/'.join(kept)}"


def _below(path: str, folder: str) -> str | None:
    """The path, seen from a folder or from itself; ``None`` if it is not there."""
    if not folder or path == folder:
        return path
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


# -- the tools ----------------------------------------------------------------------------------


def _unittest_selection(given: list[str], options: Mapping[str, str]) -> tuple[list[str], str]:
    """What ``python -m unittest`` selects, and the pattern of its files."""
    if given and given[0] != "discover":
        modules = (each if each.endswith(".py") else each.replace(".", "/") for each in given)
        return list(modules), ""
    start, pattern = [*given[1:3], "", ""][:2]
    start = options.get("-s") or options.get("--start-directory") or start
    return [start], options.get("-p") or options.get("--pattern") or pattern


def _says(pattern: str) -> Callable[[str], bool]:
    """Whether a line of the output begins like that."""
    found = re.compile(pattern, re.MULTILINE)
    return lambda output: found.search(clean(output)) is not None


def _counts(pattern: str) -> Callable[[str], bool]:
    """Whether a line counts more tests, in its first group, than were skipped, in the others."""
    found = re.compile(pattern, re.MULTILINE)

    def passed(output: str) -> bool:
        line = found.search(clean(output))
        if line is None:
            return False
        ran, *skipped = (int(number or 0) for number in line.groups())
        return ran > sum(skipped)

    return passed


_SCRIPTS = r"\.(test|spec)\.[cm]?[jt]sx?\Z"

UNITTEST = Tool(
    "unittest",
    r"(\A|/)test[^/]*\.py\Z",
    _counts(
        r"^Ran (\d+) tests? in [^\n]*\s+"
        r"OK(?: \((?:skipped=(\d+))?(?:, )?(?:expected failures=(\d+))?\))?\s*$"
    ),
    others=frozenset(
        (
            *("-s", "--start-directory", "-p", "--pattern", "-t", "--top-level-directory"),
            *("-k", "--durations"),
        )
    ),
)

PYTEST = Tool(
    "pytest",
    r"(\A|/)(test_[^/]*|[^/]*_test)\.py\Z",
    _says(r"\b[1-9]\d* passed\b"),
    kept=frozenset(("-c", "-p", "-o", "-W", "--rootdir", "--confcutdir", "--import-mode", "--ds")),
    others=frozenset(
        (
            *("-k", "-m", "-n", "--maxfail", "--tb", "--durations", "--ignore", "--deselect"),
            *("--junitxml", "--junit-xml", "--cov", "--cov-report", "--cov-config", "--color"),
            *("--cov-fail-under", "--dist", "--timeout"),
        )
    ),
)

JEST = Tool(
    "jest",
    rf"{_SCRIPTS}|(\A|/)__tests__/.*\.[cm]?[jt]sx?\Z",
    _says(r"^Tests:\s.*\b[1-9]\d* passed\b"),
    kept=frozenset(("-c", "--config", "--rootDir", "--env", "--preset")),
    others=frozenset(
        (
            *("-t", "--testNamePattern", "-w", "--maxWorkers", "--coverageDirectory"),
            *("--reporters", "--testTimeout"),
        )
    ),
    arguments=("--ci", "--coverage=false", "--runTestsByPath"),
    by_part=True,
)

VITEST = Tool(
    "vitest",
    _SCRIPTS,
    _says(r"^\s*Tests\s.*\b[1-9]\d* passed\b"),
    kept=frozenset(
        ("-c", "--config", "-r", "--root", "--dir", "--environment", "--project", "--mode")
    ),
    others=frozenset(("-t", "--testNamePattern", "--reporter", "--pool")),
    arguments=("run",),
    by_part=True,
)

RSPEC = Tool(
    "rspec",
    r"_spec\.rb\Z",
    _counts(r"^(\d+) examples?, 0 failures(?:, (\d+) pending)?"),
    kept=frozenset(("-r", "--require", "-I", "-O", "--options", "--default-path")),
    others=frozenset(
        (
            *("-f", "--format", "-o", "--out", "-e", "--example", "-t", "--tag", "--seed"),
            *("--order", "-P", "--pattern"),
        )
    ),
)

RAILS = Tool(
    "rails",
    r"_test\.rb\Z",
    _counts(r"^(\d+) (?:runs|tests), .*\b0 failures, 0 errors, (\d+) skips"),
    kept=frozenset(("-e", "--environment")),
    others=frozenset(("-n", "--name", "-s", "--seed")),
    arguments=("test",),
)

_TOOLS = {each.program: each for each in (UNITTEST, PYTEST, JEST, VITEST, RSPEC, RAILS)}
_TOOLS["py.test"] = PYTEST
_SUBCOMMANDS = {"rails": "test", "vitest": "run"}
