"""Node: npm, pnpm, yarn or bun, by lockfile; checks from the scripts of ``package.json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...model.frozen import dataclass
from ...model.translate import N_
from .stack import Stack
from .tree import Tree, table

MANIFEST = "package.json"


@dataclass(frozen=True)
class Manager:
    """A package manager."""

    program: str
    lockfiles: tuple[str, ...]
    locked: str
    """Installs exactly what the lockfile says."""
    unlocked: str
    """Installs without a lockfile, and writes none."""
    test: str
    script: str
    """Runs a script: its name is appended."""
    members: str
    """Runs a script in each package of a workspace that has it."""


PNPM = Manager(
    "pnpm",
    ("pnpm-lock.yaml",),
    "pnpm install --frozen-lockfile",
    "pnpm install --no-lockfile",
    "pnpm test",
    "pnpm run {}",
    "pnpm -r --if-present run {}",
)
YARN = Manager(
    "yarn",
    ("yarn.lock",),
    "yarn install --frozen-lockfile",
    "yarn install --no-lockfile",
    "yarn test",
    "yarn run {}",
    "yarn workspaces run {}",
)
BERRY = Manager(
    "yarn",
    ("yarn.lock",),
    "yarn install --immutable",
    "yarn install --no-immutable",
    "yarn test",
    "yarn run {}",
    "yarn workspaces foreach --all run {}",
)
BUN = Manager(
    "bun",
    ("bun.lock", "bun.lockb"),
    "bun install --frozen-lockfile",
    "bun install --no-save",
    "bun run test",
    "bun run {}",
    "bun run --filter '*' {}",
)
NPM = Manager(
    "npm",
    ("package-lock.json", "npm-shrinkwrap.json"),
    "npm ci",
    "npm install --no-package-lock",
    "npm test",
    "npm run {}",
    "npm run {} --workspaces --if-present",
)
MANAGERS = (PNPM, YARN, BUN, NPM)
LOCKFILES = tuple(name for manager in MANAGERS for name in manager.lockfiles)

CHECKS = (
    ("typecheck", "type-check", "check-types", "check:types", "types:check", "tsc"),
    ("lint:check", "lint"),
    ("test",),
    ("build",),
)
"""Scripts that check something, each under the names that it has."""

KINDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
SERVES = ("start", "dev", "serve", "preview")
"""Scripts that start a server."""

_REWRITES = re.compile(r"--(?:fix|write)\b(?!-dry)")
_WATCHES = re.compile(r"--watch(?:All)?(?![\w=-])|--watch(?:All)?=true")
_PUBLISHES = re.compile(
    r"\b(?:npm|pnpm|yarn|bun|cargo|lerna|changeset)\s+(?:npm\s+)?publish\b|\bgit\s+push\b"
    r"|\b(?:deploy|semantic-release|gh-pages)(?![\w./-])"
)
"""Does what cannot be undone, and goes beyond a check."""

_UNTESTED = "no test specified"
_INTERACTIVE = "react-scripts test"
"""Watches files unless ``CI`` is set."""


def detect(tree: Tree) -> Stack | None:
    """Node in the folder; ``None`` without a ``package.json``."""
    if not tree.has(MANIFEST):
        return None
    manifest = tree.json(MANIFEST)
    manager = _manager(tree, str(manifest.get("packageManager") or ""))
    lock = tree.first(*manager.lockfiles)
    members = _members(tree, manifest)
    has_packages = bool(members) or any(table(manifest.get(kind)) for kind in KINDS)
    scripts = {name: str(line) for name, line in table(manifest.get("scripts")).items()}
    checks, notes = _checks(manager, scripts)
    if members and not any(name == "test" for name, _ in checks):
        checks += _of_members(tree, manager, members)
    setup = manager.locked if lock else manager.unlocked if has_packages else ""
    if setup and not lock:
        notes.append(N_("no lockfile is committed, so each worktree gets the newest packages"))
    others = [name for name in LOCKFILES if tree.has(name) and name not in manager.lockfiles]
    if lock and others:
        notes.append(
            N_("there are several lockfiles; {lock} is used, not {others}").format(
                lock=lock, others=", ".join(others)
            )
        )
    return Stack(
        f"Node with {manager.program}",
        tuple(filter(None, (MANIFEST, lock))),
        setup=(setup,) if setup else (),
        setup_cache=_copied(manager, scripts, members) if lock else (),
        verify=tuple(command for _, command in checks),
        programs=tuple(dict.fromkeys(("node", manager.program))) if setup or checks else (),
        ignored=("node_modules/",) if setup else (),
        port_variable="PORT" if any(name in scripts for name in SERVES) else "",
        notes=tuple(notes),
    )


def _copied(manager: Manager, scripts: Mapping[str, str], members: list[str]) -> tuple[str, ...]:
    """What an installation makes, if it can be copied.

    pnpm writes absolute paths into it, and newer versions of yarn make other files.
    """
    if manager in (PNPM, BERRY):
        return ()
    hooks = any("husky" in scripts.get(name, "") for name in ("prepare", "postinstall"))
    return ("**/node_modules" if members else "node_modules", *([".husky/_"] if hooks else []))


def _manager(tree: Tree, named: str) -> Manager:
    """The manager that ``packageManager`` names, or whose lockfile is there."""
    program, _, version = named.partition("@")
    chosen = next((each for each in MANAGERS if each.program == program), None)
    if chosen is None:
        chosen = next((each for each in MANAGERS if tree.has(*each.lockfiles)), NPM)
    if chosen is YARN:
        is_new = bool(version) and not version.startswith(("0.", "1."))
        if is_new or tree.has(".yarnrc.yml") or "__metadata:" in tree.text("yarn.lock"):
            return BERRY
    return chosen


def _checks(
    manager: Manager, scripts: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """The scripts that are checks with their commands, and what to say about others."""
    found: list[tuple[str, str]] = []
    notes: list[str] = []
    for names in CHECKS:
        for name in filter(scripts.__contains__, names):
            if _UNTESTED in scripts[name] or not scripts[name].strip():
                continue
            reason = _no_check(scripts, name)
            if reason:
                said = N_("the script {name!r} {reason}, so it is no check")
                notes.append(said.format(name=name, reason=reason))
                continue
            variable = "CI=true " if _INTERACTIVE in scripts[name] else ""
            found.append((name, variable + _command(manager, name)))
            break
    return found, notes


def _no_check(scripts: Mapping[str, str], name: str) -> str:
    """What a script does that no check does; else empty."""
    line = scripts[name]
    run = (scripts.get(each, "") for each in (f"pre{name}", name, f"post{name}"))
    if any(map(_PUBLISHES.search, run)):
        return N_("publishes or deploys")
    if _INTERACTIVE in line:
        return ""
    if _REWRITES.search(line):
        return N_("rewrites files")
    return N_("does not end by itself") if _WATCHES.search(line) else ""


def _command(manager: Manager, name: str) -> str:
    return manager.test if name == "test" else manager.script.format(name)


def _members(tree: Tree, manifest: Mapping[str, object]) -> list[str]:
    """The manifests of the packages of a workspace."""
    if not (manifest.get("workspaces") or tree.has("pnpm-workspace.yaml")):
        return []
    return [path for path in tree.matching(r"^[^.].*/package\.json$") if "node_modules" not in path]


def _of_members(tree: Tree, manager: Manager, members: list[str]) -> list[tuple[str, str]]:
    """The tests of the packages of a workspace, in one command."""
    for path in members:
        line = str(table(tree.json(path).get("scripts")).get("test") or "")
        if line and _UNTESTED not in line:
            return [("test", manager.members.format("test"))]
    return []


def members_of(tree: Tree) -> Iterator[str]:
    """The folders of the packages of a workspace, which its root looks after."""
    for path in _members(tree, tree.json(MANIFEST)):
        yield path.rpartition("/")[0]
