"""Test commands in the files of CI systems, read line by line: this is no parser of YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from ...model.check_rules import is_simple
from .tree import Tree

FILES = (
    r"^\.github/workflows/[^/]+\.ya?ml$|^\.gitlab-ci\.ya?ml$|^\.circleci/config\.ya?ml$"
    r"|^\.travis\.ya?ml$|^azure-pipelines\.ya?ml$|^bitbucket-pipelines\.ya?ml$"
    r"|^\.woodpecker(?:/[^/]+)?\.ya?ml$|^\.gitea/workflows/[^/]+\.ya?ml$"
)

_KEY = re.compile(r"^(?:- )?\s*(?:run|script|command|commands|bash)\s*:\s*(.*)$")
_BLOCK = re.compile(r"^[|>][+-]?\d*$")

_TEST = re.compile(
    r"(?:npm (?:run )?test|npm t|yarn (?:run )?test|pnpm (?:run )?test|bun (?:run )?test"
    r"|(?:make|just|task|rake|bundle exec rake) \S*(?:test|check|lint|spec)\S*"
    r"|tox|nox|pytest|python3? -m (?:pytest|unittest|tox|nox)|uv run \S*test\S*"
    r"|poetry run \S*test\S*|go (?:test|vet)|cargo (?:test|clippy|fmt .*--check)"
    r"|bundle exec (?:rspec|rubocop)|bin/(?:rails test|rspec)|ctest|meson test"
    r"|(?:\./)?gradlew? \S*(?:test|check)\S*|(?:\./)?mvnw? .*(?:test|verify)|mix test"
    r"|composer (?:run )?test|vendor/bin/phpunit|dotnet test|swift test|zig build test|deno test"
    r"|bazel test|sbt test|lein test|stack test|cabal test|prove|bats"
    r"|(?:sh |bash )?(?:\./)?(?:[\w-]+/)*(?:run[-_])?tests?(?:\.sh|\.py)?)(?:\s.*)?$"
)

_TARGETS = frozenset(("make", "just", "task", "rake"))
"""Programs whose words are targets, each of which must be a check."""

CHECKING = frozenset(
    (
        *("test", "tests", "unittest", "unittests", "pytest", "doctest", "ctest"),
        *("check", "checks", "lint", "spec", "specs"),
    )
)
"""Parts of the name of a target that checks something."""

_ACTING = frozenset(
    (
        *("deploy", "deploys", "deployment", "publish", "release", "releases", "upload", "push"),
        *("submit", "ship", "promote", "rollout", "destroy", "drop", "purge", "wipe", "sudo"),
        *("install", "uninstall", "fix", "write", "watch", "prod", "production", "staging"),
        "twine",
    )
)
"""Parts of a command that changes something elsewhere, rewrites files, or does not end."""

_OPTIMIZED = re.compile(r"(?:--|-c |--configuration[ =]|-D)release\b", re.IGNORECASE)
"""Options that build as for a release."""

_RUNS_ARGUMENT = re.compile(r"^go .* --?exec\b|^prove .*-\w*e")
"""Options with another command."""

_ELSEWHERE = re.compile(r"(?:cd|pushd|if|for|while|until|case|select|function|exit|exec)\b|.*<<")
"""After such a line, commands run in another folder, or not always, or are none."""


def commands_of_ci(tree: Tree) -> list[str]:
    """The commands of all CI files, in their order."""
    return list(dict.fromkeys(line for block in _of_files(tree) for line in block))


def tests_of_ci(tree: Tree) -> list[str]:
    """Those commands that do nothing but test or look for faults.

    They run at once, with what the user may do: what looks like more than a test is none.
    """
    plain = (takewhile(lambda line: not _ELSEWHERE.match(line), each) for each in _of_files(tree))
    return list(dict.fromkeys(line for block in plain for line in block if _is_test(line)))


def _is_test(line: str) -> bool:
    if not (_TEST.match(line) and is_simple(line)) or _RUNS_ARGUMENT.search(line):
        return False
    words = line.split()
    if not _ACTING.isdisjoint(parts_of_name(_OPTIMIZED.sub("", line))):
        return False
    if _TARGETS.isdisjoint(words[:3]):
        return True
    named = next(number for number, word in enumerate(words) if word in _TARGETS) + 1
    targets = [word for word in words[named:] if not word.startswith("-") and "=" not in word]
    return not any(CHECKING.isdisjoint(parts_of_name(word)) for word in targets)


def parts_of_name(name: str) -> list[str]:
    """``test``, ``deploy`` of ``test-deploy``, ``testDeploy`` or ``test:deploy``."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]


def _of_files(tree: Tree) -> Iterator[list[str]]:
    return (block for path in tree.matching(FILES) for block in _blocks(tree.text(path)))


def _blocks(text: str) -> Iterator[list[str]]:
    """The commands below each ``run:``, ``script:`` and such keys."""
    block: list[str] = []
    deeper, is_folded = -1, False
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        is_item = bare.startswith("- ") and indent == deeper  # a list may stand below its key
        key = _KEY.match(bare)
        if deeper >= 0 and (indent > deeper or is_item) and not key:
            block.append(_plain(bare))
            continue
        yield _joined(block, is_folded=is_folded)
        block, deeper = [], -1
        if key and (not key[1] or _BLOCK.match(key[1])):
            deeper, is_folded = indent, key[1].startswith(">")
        elif key:
            yield [_plain(key[1])]
    yield _joined(block, is_folded=is_folded)


def _joined(lines: list[str], *, is_folded: bool) -> list[str]:
    """The commands of several lines, each as one line."""
    if is_folded:
        return [" ".join(lines)] if lines else []
    return re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()


def _plain(value: str) -> str:
    """A command without the mark of a list, without quotes and a comment."""
    value = value[2:].strip() if value.startswith("- ") else value
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()
