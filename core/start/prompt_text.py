"""What the text of a prompt contains: prose, code, commands, paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model.frozen import dataclass

SHELLS = ("sh", "bash", "shell", "zsh", "console")
"""The languages of code blocks with commands."""

PROGRAMS = frozenset(
    (
        *("ant", "bun", "bundle", "cargo", "cmake", "composer", "coverage", "curl"),
        *("deno", "docker", "dotnet", "eslint", "git", "go", "gradle", "jest", "just"),
        *("make", "meson", "mix", "mvn", "mypy", "ninja", "node", "nox", "npm", "npx"),
        *("php", "phpunit", "pip", "pip3", "pipx", "pnpm", "poetry", "prettier", "psql"),
        *("pytest", "python", "python3", "rails", "rake", "rspec", "rubocop", "ruby"),
        *("ruff", "rustc", "sbt", "swift", "terraform", "tox", "tsc", "uv", "uvx"),
        *("vitest", "wget", "yarn"),
    )
)
"""Programs whose names begin a command."""

COMPLETE = frozenset(
    (
        *("eslint", "jest", "just", "make", "mypy", "nox", "phpunit", "pytest", "rake"),
        *("rspec", "rubocop", "tox", "tsc", "vitest"),
    )
)
"""Programs that are a command without arguments; ``go`` and ``node`` are words as well."""

ENDINGS = frozenset(
    (
        *("c", "cc", "cfg", "conf", "cpp", "cs", "css", "csv", "dart", "erb", "ex"),
        *("exs", "go", "gradle", "h", "hpp", "html", "ini", "java", "js", "json", "jsx"),
        *("kt", "lock", "lua", "md", "mjs", "php", "pl", "proto", "py", "pyi", "rb"),
        *("rs", "rst", "scala", "scss", "sh", "sql", "svelte", "swift", "tf", "toml"),
        *("ts", "tsx", "txt", "vue", "xml", "yaml", "yml"),
    )
)
"""Endings that make a word without a slash the name of a file."""

_FENCE = re.compile(r" *(```+|~~~+) *([\w-]*)")
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(
    r"(?<![\w/:.@$~{}*<>-])(?:\./)?([\w.@-]+(?:/[\w.@-]+)+\.[A-Za-z]\w{0,7})(?![\w/*{<])"
)
_FILE = re.compile(r"(?<![\w/:@$-])[\w./@-]*\w\.([A-Za-z]\w{0,7})(?![\w(])")
_OWN = re.compile(r"(?:\./|bin/|scripts?/)[\w./-]+\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*\s+")


@dataclass(frozen=True)
class Line:
    """A line of a prompt; ``language`` is ``None`` in prose, and may be empty in code."""

    number: int
    text: str
    language: str | None = None

    @property
    def words(self) -> str:
        """The prose of the line, without code."""
        return "" if self.language is not None else _SPAN.sub(" ", self.text)


def lines_of(text: str) -> list[Line]:
    """The lines of a prompt, without the fences of its code blocks."""
    found: list[Line] = []
    fence, language, before = "", "", ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
            else:
                found.append(Line(number, line, language))
        elif mark:
            fence, language = mark[1], mark[2].lower()
        else:
            found.append(Line(number, line, "" if _is_code(line, before) else None))
        before = line
    return found


def _is_code(line: str, before: str) -> bool:
    """Whether an indented line is code: it follows an empty line or code, and is no list entry."""
    indented = line.startswith("    ") and not re.match(r"\s*([-*+]|\d+[.)])\s", line)
    return indented and (not before.strip() or before.startswith("    "))


def commands_of(lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    """The commands in code blocks and between backticks, each with its line."""
    for line in lines:
        if line.language is None:
            for found in _SPAN.findall(line.text):
                if is_command(found.strip()):
                    yield line.number, found.strip()
            continue
        prompted = line.text.strip().startswith("$ ")
        command = line.text.strip().removeprefix("$ ").split(" #")[0].strip()
        in_shell = line.language in SHELLS and (prompted or line.language != "console")
        if is_command(command) or (in_shell and re.match(r"[\w./-]+(?: |\Z)", command)):
            yield line.number, command


def is_command(text: str) -> bool:
    """Whether a text is a command, by its first word."""
    words = without_variables(text).split()
    if not words:
        return False
    if _OWN.match(words[0]):
        return "." not in words[0].removeprefix("./") and not words[0].endswith("/")
    return words[0] in PROGRAMS and (len(words) > 1 or words[0] in COMPLETE)


def without_variables(command: str) -> str:
    """A command without the variables that are set before it."""
    while True:
        shorter = _ASSIGNMENT.sub("", command, count=1) if _ASSIGNMENT.match(command) else command
        if shorter == command:
            return command
        command = shorter


def paths_of(lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    """The paths with a folder and an ending in prose, each once, with its first line."""
    seen: set[str] = set()
    for line in lines:
        for path in _PATH.findall(line.text) if line.language is None else ():
            if path not in seen and not path.startswith("..") and "//" not in path:
                seen.add(path)
                yield line.number, path


def names_a_file(lines: Sequence[Line]) -> bool:
    """Whether a file is named anywhere."""
    return any(
        ending.lower() in ENDINGS for line in lines for ending in _FILE.findall(line.text)
    ) or any(True for _ in paths_of(lines))


def fence_around(text: str) -> str:
    """A fence of backticks that no line of a text closes."""
    longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
    return "`" * (longest + 1)
