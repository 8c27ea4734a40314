"""Command lines of git; the first questions of a command, which git answers during its imports.

Whoever asks the same afterwards takes over the answer: see ``start_early`` in ``process/spawner``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ..process.environment import without_git
from ..process.spawner import early_answer, start_early
from .paths import is_below
from .refs import SEEN

QUIET = (
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "core.ignoreStat=false",
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "-c",
    "trailer.separators=:",
)
"""For every call: no background maintenance, no fsmonitor from an agent's config, no index bits
that hide changes, and output that does not depend on the user's settings."""

EXPLICIT = ("-c", "safe.bareRepository=all")
"""For calls in a git folder that we name: ``explicit`` only forbids those that git discovers."""

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
"""For every call except `git commit`, which runs the user's hooks."""

ALTERING = frozenset(
    {
        *("GIT_DEFAULT_HASH", "GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_GLOB_PATHSPECS"),
        *("GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    }
)
"""Variables of the user that change git's answers; our calls drop them."""

NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""Both are needed: git before 2.39.4 ignores the first, and the second lets git try."""

VERSION = ("git", "version")

WHERE = ("rev-parse", "--is-bare-repository", "--is-shallow-repository", "--git-common-dir")

LIST_REFS = ("for-each-ref", "--format=%(objectname) %(refname)")

SETTINGS = ("config", "--null", "--list", "--includes")


def ask(
    words: Sequence[str], environ: Mapping[str, str], *, settings: bool, status: bool = False
) -> None:
    """Start the questions of a command line about the repository of its list.

    The list is not read yet. Its folder is probably that of the repository, else the current one;
    if the list names another repository, that one is asked later. Nothing is started in a linked
    worktree, or below the folder with ``.git``. ``status``, of the checkout, needs the
    ``settings``.
    """
    folder = next(filter(_has_git, _folders(words)), "")
    top = folder and os.path.realpath(folder)
    common = os.path.join(top, ".git")
    if not folder or not os.path.isdir(common) or os.path.islink(common):
        return
    env = environment(environ)
    for argv in (VERSION, where_is(folder), argv_of(common, common, *LIST_REFS, *SEEN)):
        start_early(argv, env)
    if settings:
        asked = argv_of(common, common, *SETTINGS, hooks=True)
        env = {**env, **NO_FETCH}
        start_early(asked, env)
        if status:
            _ask_status(top, common, env, early_answer(asked, env))


def _ask_status(top: str, common: str, env: Mapping[str, str], settings: bytes) -> None:
    from . import bare_status
    from .filters_and_drivers import programs_in

    keys = [entry.partition("\n")[0] for entry in os.fsdecode(settings).split("\0")]
    filters = programs_in(keys).filters
    if settings and bare_status.are_plain(filters):
        off = bare_status.without(filters)
        start_early(argv_of(top, common, *off, *bare_status.QUESTION), env)


def _folders(words: Sequence[str]) -> Iterator[str]:
    """The folder of the list that a command line names, and the current one."""
    at = words.index("--config") + 1 if "--config" in words else len(words)
    with suppress(FileNotFoundError):  # the current folder was deleted
        if at < len(words):
            folder = os.path.abspath(words[at])
            yield _workspace(folder if os.path.isdir(folder) else os.path.dirname(folder))
        yield _workspace(os.getcwd())


def _workspace(folder: str) -> str:
    return os.path.dirname(folder) if os.path.basename(folder) == "config" else folder


def _has_git(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, ".git"))


def where_is(path: str) -> list[str]:
    """Asks what the repository around a folder is."""
    return ["git", "-C", path, *QUIET, *WHERE, "--show-cdup"]


def argv_of(folder: str, common_dir: str, *arguments: str, hooks: bool = False) -> list[str]:
    """A command line of git for a folder of the repository with this ``common_dir``."""
    quiet = QUIET if hooks else (*QUIET, *NO_HOOKS)
    named = EXPLICIT if is_below(folder, common_dir) else ()
    return ["git", "-C", folder, *quiet, *named, *arguments]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in without_git(environ).items() if not _alters_answers(n, v)}
    # English messages, but not LC_ALL=C: some hooks then fail on UTF-8 files.
    locale = kept.pop("LC_ALL", "")
    return {
        **kept,
        **({"LC_CTYPE": locale} if locale else {}),
        "LC_MESSAGES": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_EDITOR": "true",
    }


def _alters_answers(name: str, value: str) -> bool:
    """Whether a variable changes git's output or how git reads our arguments."""
    # A trace into a regular file is harmless; one to /dev/stdout mixes with the output.
    traces = not os.path.isabs(value) or value.startswith(("/dev/", "/proc/"))
    return name in ALTERING or (name.startswith("GIT_TRACE") and traces)
