"""Any other repository: targets of a Makefile or a justfile, build systems, and CI files."""

from __future__ import annotations

import re

from ...model.frozen import dataclass
from ...model.translate import N_
from .ci_files import tests_of_ci
from .stack import Stack
from .tree import Tree


@dataclass(frozen=True)
class Runner:
    """A program that runs named targets of a file."""

    program: str
    files: tuple[str, ...]
    target: str
    """A regular expression for the line that begins a target: the name is appended."""


RUNNERS = (
    Runner("make", ("GNUmakefile", "makefile", "Makefile"), r"^{}[ \t]*:(?!=)"),
    Runner("just", ("justfile", "Justfile", ".justfile"), r"^@?{}(?:[ \t][^:\n]*)?:(?!=)"),
    Runner("task", ("Taskfile.yml", "Taskfile.yaml"), r"^  {}:\s*$"),
)

TARGETS = (("lint",), ("test", "tests", "check"))
"""Targets that check something, each under the names that it has."""


@dataclass(frozen=True)
class System:
    """A build system that needs no reading of its file."""

    name: str
    markers: str
    """A regular expression for the file that tells it."""
    program: str
    setup: tuple[str, ...]
    verify: tuple[str, ...]
    ignored: tuple[str, ...] = ()


SYSTEMS = (
    System("Gradle", r"^gradlew$", "java", (), ("./gradlew check",), (".gradle/", "build/")),
    System("Maven", r"^mvnw$", "java", (), ("./mvnw -q -B verify",), ("target/",)),
    System("Maven", r"^pom\.xml$", "mvn", (), ("mvn -q -B verify",), ("target/",)),
    System("Elixir", r"^mix\.exs$", "mix", ("mix deps.get",), ("mix test",), ("_build/", "deps/")),
    System(
        *("PHP with composer", r"^phpunit(?:\.dist)?\.xml(?:\.dist)?$", "composer"),
        *(("composer install --no-interaction",), ("vendor/bin/phpunit",), ("vendor/",)),
    ),
    System(".NET", r"^[^/]+\.(?:slnx?|csproj)$", "dotnet", (), ("dotnet test",), ("bin/", "obj/")),
    System("Swift", r"^Package\.swift$", "swift", (), ("swift test",), (".build/",)),
    System("Zig", r"^build\.zig$", "zig", (), ("zig build test",), (".zig-cache/",)),
    System("Deno", r"^deno\.jsonc?$", "deno", (), ("deno test",)),
    System(
        *("Meson", r"^meson\.build$", "meson", ("meson setup build",)),
        *(("meson test -C build",), ("build/",)),
    ),
    System(
        *("CMake", r"^CMakeLists\.txt$", "cmake", ("cmake -S . -B build",)),
        *(("cmake --build build", "ctest --test-dir build --output-on-failure"), ("build/",)),
    ),
)


def detect(tree: Tree) -> Stack | None:
    """Checks of a folder whose language has no file here; ``None`` if there are none."""
    return _of_targets(tree) or _of_system(tree) or _of_ci(tree)


def _of_targets(tree: Tree) -> Stack | None:
    for runner in RUNNERS:
        path = tree.first(*runner.files)
        found = [
            f"{runner.program} {name}"
            for names in TARGETS
            for name in [_target(tree.text(path), runner, names)]
            if name
        ]
        if found:
            name = N_("{path} with checks").format(path=path)
            return Stack(name, (path,), verify=tuple(found), programs=(runner.program,))
    return None


def _target(text: str, runner: Runner, names: tuple[str, ...]) -> str:
    """The first of these targets that a file has; else empty."""
    for name in names:
        if re.search(runner.target.format(re.escape(name)), text, re.MULTILINE):
            return name
    return ""


def _of_system(tree: Tree) -> Stack | None:
    for system in SYSTEMS:
        files = tree.matching(system.markers)
        if files:
            return Stack(
                system.name,
                (files[0],),
                setup=system.setup,
                verify=system.verify,
                programs=(system.program,),
                ignored=system.ignored,
            )
    return None


def _of_ci(tree: Tree) -> Stack | None:
    found = tests_of_ci(tree)
    if not found:
        return None
    note = N_("the checks come from the CI files; their setup, if any, was not copied")
    programs = tuple(dict.fromkeys(line.split()[0] for line in found if "/" not in line.split()[0]))
    return Stack("CI files", (), verify=tuple(found), programs=programs, notes=(note,))
