"""The key of what a setup makes: its commands, inputs, tools, variables and the machine."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..model.feature import Command, Project
from ..model.mask import is_secret
from ..process.spawner import which

FORM = 1
"""The version of the key: another one makes all entries of older versions useless."""

INPUTS = (
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"),
    *("bun.lock", "bun.lockb", "pnpm-workspace.yaml", ".pnpmfile.cjs", ".npmrc", ".yarnrc"),
    *(".yarnrc.yml", ".yarn/*/*", "patches/**", "Gemfile", "Gemfile.lock", "*.gemspec"),
    *("composer.json", "composer.lock", "mix.exs", "mix.lock", "go.mod", "go.sum"),
    *("Cargo.toml", "Cargo.lock", "pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt"),
    *("poetry.lock", "uv.lock", "Pipfile", "Pipfile.lock", "deps.edn", "pubspec.yaml"),
    *("pubspec.lock", "Podfile", "Podfile.lock", ".tool-versions", ".node-version", ".nvmrc"),
    *(".ruby-version", ".python-version", "mise.toml", ".mise.toml"),
    *("Makefile", "GNUmakefile", "makefile", "*.mk", "justfile", "Rakefile", "Taskfile.yml"),
)
"""The usual inputs, in every folder: manifests, lockfiles, settings of package managers, and the
files in which make and its like find what to do."""

TOOLS = (
    *("node", "npm", "npx", "corepack", "pnpm", "yarn", "bun", "deno", "ruby", "bundle", "python3"),
    *("python", "pip", "uv", "poetry", "php", "composer", "go", "cargo", "rustc", "elixir", "mix"),
    *("make", "cc", "dart", "flutter"),
)
"""What a script that the setup names may start, beside the programs that it names itself."""

VARIABLES = re.compile(
    r"(?:NODE|NPM_CONFIG|YARN|PNPM|BUN|COREPACK|NODENV|NVM|VOLTA|ASDF|MISE|PIP|UV|BUNDLE|GEM|RBENV"
    r"|PYENV|COMPOSER|CARGO|RUSTUP|GO)_\w+|CI|CC|CXX|LD|\w*FLAGS|RAILS_ENV|RACK_ENV",
    re.IGNORECASE,
)
"""The variables that change what package managers and compilers make."""

_WORD = re.compile(r"[^\s;&|()<>'\"`=$]+")


def words_of(commands: Iterable[Command]) -> list[str]:
    """The words of command lines, each once."""
    return list(dict.fromkeys(word for each in commands for word in _WORD.findall(each.line)))


def inputs_of(
    project: Project, commands: Sequence[Command], blobs: Mapping[str, str]
) -> dict[str, str]:
    """The files of a commit that decide what the setup makes, with their ids.

    Files that the commands name are always among them. Empty if no pattern matches any file.
    """
    patterns = project.setup_inputs or tuple(f"**/{name}" for name in INPUTS)
    rule = re.compile("|".join(map(_expression, patterns)))
    found = {name: facts for name, facts in blobs.items() if rule.fullmatch(name)}
    if not found:
        return {}
    named = (os.path.normpath(word) for word in words_of(commands))
    return {**found, **{name: blobs[name] for name in named if name in blobs}}


def _expression(pattern: str) -> str:
    """A pattern of files as a regular expression; ``**`` stands for any number of folders."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    written = [_folders(part) for part in parts[:-1]]
    last = ".*" if parts and parts[-1] == "**" else "".join(map(_part, parts[-1:]))
    return "".join((*written, last))


def _folders(part: str) -> str:
    return "(?:.*/)?" if part == "**" else f"{_part(part)}/"


def _part(part: str) -> str:
    pieces = re.split(r"(\*|\?|\[[^\]]+\])", part)
    return "".join(map(_piece, pieces))


def _piece(piece: str) -> str:
    if piece in ("*", "?"):
        return "[^/]*" if piece == "*" else "[^/]"
    if piece.startswith("["):
        negated = piece[1] == "!"
        letters = piece[2 if negated else 1 : -1].replace("\\", r"\\")
        return f"[{'^' if negated else ''}{letters}]".replace("[[", r"[\[")
    return re.escape(piece)


def key_of(
    project: Project,
    commands: Sequence[Command],
    inputs: Mapping[str, str],
    supplied: str,
    env: Mapping[str, str],
) -> str:
    """The key of what ``commands`` make of these inputs in an environment.

    ``supplied`` is the digest of what ``copy`` brought. No program is started: a tool is known by
    the file that PATH leads to.
    """
    import hashlib

    facts = [
        FORM,
        [list(command.argv) for command in commands],
        [project.setup_cache, project.copy, project.link],
        sorted(inputs.items()),
        supplied,
        sorted(_tools(commands, env)),
        sorted(_variables(env)),
        [sys.platform, os.uname().machine],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _tools(commands: Sequence[Command], env: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for program in {*TOOLS, *words_of(commands)}:
        path = which(program, env) if os.sep not in program or os.path.isabs(program) else ""
        if path:
            # An update may keep the time of a file; the time of change tells.
            real = os.path.realpath(path)
            info = os.stat(real)
            yield program, real, f"{info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"


def _variables(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in env.items():
        if VARIABLES.fullmatch(name) and not is_secret(name):
            yield name, value
