"""Test commands in the files of CI systems, read line by line: this is no parser of YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .tree import Tree

FILES = (
    r"^\.github/workflows/[^/]+\.ya?ml$|^\.gitlab-ci\.ya?ml$|^\.circleci/config\.ya?ml$"
    r"|^\.travis\.ya?ml$|^azure-pipelines\.ya?ml$|^bitbucket-pipelines\.ya?ml$"
    r"|^\.woodpecker(?:/[^/]+)?\.ya?ml$|^\.gitea/workflows/[^/]+\.ya?ml$"
)

_KEY = re.compile(r"^(\s*)(?:- )?\s*(?:run|script|command|commands|bash)\s*:\s*(.*)$")
_BLOCK = re.compile(r"^[|>][+-]?\d*$")

_TEST = re.compile(
    r"(?:npm (?:run )?test|npm t|yarn (?:run )?test|pnpm (?:run )?test|bun (?:run )?test"
    r"|(?:make|just|task|rake|bundle exec rake) \S*(?:test|check|lint|spec)\S*"
    r"|tox|nox|pytest|python3? -m (?:pytest|unittest|tox|nox)|uv run \S*test\S*"
    r"|poetry run \S*test\S*|go (?:test|vet)|cargo (?:test|clippy|fmt)"
    r"|bundle exec (?:rspec|rubocop)|bin/(?:rails test|rspec)|ctest|meson test"
    r"|(?:\./)?gradlew? \S*(?:test|check)\S*|(?:\./)?mvnw? .*(?:test|verify)|mix test"
    r"|composer (?:run )?test|vendor/bin/phpunit|dotnet test|swift test|zig build test|deno test"
    r"|bazel test|sbt test|lein test|stack test|cabal test|prove|bats"
    r"|(?:sh |bash )?(?:\./)?(?:[\w-]+/)*(?:run[-_])?tests?(?:\.sh|\.py)?)(?:\s.*)?$"
)

_VARIES = re.compile(r"\$\{\{|\$\(|`|\$[A-Z{]|\\$")
"""What only the CI system knows."""


def commands_of_ci(tree: Tree) -> list[str]:
    """The commands of all CI files, in their order."""
    found = (line for path in tree.matching(FILES) for line in _commands(tree.text(path)))
    return list(dict.fromkeys(found))


def tests_of_ci(tree: Tree) -> list[str]:
    """Those commands that run tests or look for faults, and need nothing of the CI system."""
    return [line for line in commands_of_ci(tree) if _TEST.match(line) and not _VARIES.search(line)]


def _commands(text: str) -> Iterator[str]:
    """The command lines of ``run:``, ``script:`` and such keys."""
    deeper = -1
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        is_item = bare.startswith("- ") and indent == deeper  # a list may stand below its key
        if deeper >= 0 and (indent > deeper or is_item) and not _KEY.match(line):
            yield _plain(bare)
            continue
        deeper = -1
        found = _KEY.match(line)
        if found and (not found[2] or _BLOCK.match(found[2])):
            deeper = indent
        elif found:
            yield _plain(found[2])


def _plain(value: str) -> str:
    """A command without the mark of a list and without quotes."""
    value = value[2:].strip() if value.startswith("- ") else value
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
