"""`doctor` on what is installed: Python, git, Claude, the programs of forges, the wrapper."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from ...claude import command_line
from ...git import opening
from ...git.door import MERGE_TREE
from ...model.errors import UserError
from ...model.excerpt import excerpt
from ...model.feature import ClaudeOptions, Feature
from ...model.frozen import replace
from ...model.translate import N_
from ...process.spawner import Finished, Spawner, run_sync, which
from .diagnosis import Line, fault, of_error, ok, warning

GIT = "git"
"""The topic, not a command line."""

OLDEST_PYTHON = (3, 9)

LIMIT_SECONDS = 20.0
"""Of one question to Claude's program."""

HIDDEN = ("--max-turns",)
"""Options that ``claude --help`` does not show, but that it takes."""

FORGES = (("gh", "github"), ("glab", "gitlab"))
"""Programs of forges, and a word in the URL of a remote that uses them."""

VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
"""The folder of a version that the wrapper installed."""


def python_line(version: Sequence[int], program: str) -> Line:
    """The Python that runs this."""
    spelled = ".".join(map(str, version[:3]))
    if tuple(version[:2]) < OLDEST_PYTHON:
        return fault(
            "python",
            N_("{spelled} is too old").format(spelled=spelled),
            N_("install Python 3.9 or newer"),
        )
    return ok("python", f"{spelled} ({program})")


def git_version_lines(environ: Mapping[str, str]) -> Iterator[Line]:
    """The git on PATH. Raises :class:`UserError` if it is missing or too old for worktrees."""
    yield git_line(run_sync(opening.installed_version(Spawner(), environ)))


def git_line(version: tuple[int, int]) -> Line:
    """The line of a git that is new enough for worktrees."""
    spelled = "{}.{}".format(*version)
    if version < MERGE_TREE:
        said = N_("{spelled}: every merge needs a scratch worktree, which is slow").format(
            spelled=spelled
        )
        return warning(GIT, said, N_("install git 2.38 or newer"))
    return ok(GIT, N_("{spelled}: worktree and merge-tree are supported").format(spelled=spelled))


# -- Claude ---------------------------------------------------------------------------------------


def claude_lines(
    options: ClaudeOptions, features: Sequence[Feature], environ: Mapping[str, str]
) -> Iterator[Line]:
    """Claude's program: found, version, options, signed in. Nothing is asked that costs money."""
    name = options.command[0]
    program = which(name, {**environ, **options.env})
    if not program:
        install = N_("install Claude Code (https://claude.ai/code), or correct claude.command")
        yield fault("claude", N_("{name} was not found").format(name=name), install)
        return
    if options.env or options.command != ClaudeOptions().command:
        said = N_("version and sign-in unknown: the list sets its command or environment")
        yield warning(
            "claude",
            N_("{said}, and doctor starts nothing of a list").format(said=said),
            "rorchestrator plan",
        )
        return
    try:
        version, usage = (_asked(program, environ, word) for word in ("--version", "--help"))
    except UserError as error:
        yield of_error("claude", error)
        return
    if version.code or usage.code:
        said = excerpt(version.complaint if version.code else usage.complaint) or N_("no answer")
        yield fault(
            "claude",
            N_("{program} fails: {said}").format(program=program, said=said),
            "claude --version",
        )
        return
    shown = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", usage.text))
    lacking = sorted(needed_options(options, features) - shown)
    if lacking:
        yield fault(
            "claude",
            N_("{version} lacks {lacking}").format(
                version=version.text, lacking=", ".join(lacking)
            ),
            "claude update",
        )
    else:
        yield ok("claude", f"{version.text} ({program})")
    yield _sign_in(program, usage.text, environ)


def needed_options(options: ClaudeOptions, features: Sequence[Feature]) -> set[str]:
    """The options that attempts of the features give to Claude, less those of ``extra_args``."""
    plain = replace(options, extra_args=())
    words = [
        word
        for feature in features or [Feature("any", "any")]
        for resume in (False, True)
        for word in command_line.argv(plain, feature, "session", resume=resume)
    ]
    return {word.partition("=")[0] for word in words if word.startswith("-")} - {*HIDDEN}


def _sign_in(program: str, usage: str, environ: Mapping[str, str]) -> Line:
    if not re.search(r"^ +auth\b", usage, re.MULTILINE):
        # This version would take the words for a prompt, and answer it.
        said = N_("unknown: this version does not say without a paid answer")
        return warning("sign-in", said, "claude update")
    folder = environ.get("CLAUDE_CONFIG_DIR") or environ.get("HOME", "")
    if not os.path.isfile(os.path.join(folder, ".claude.json")):
        # Its first start writes that file.
        said = N_("unknown: claude was never started here")
        return warning("sign-in", said, "claude auth status")
    return sign_in_line(_asked(program, environ, "auth", "status").text)


def sign_in_line(said: str) -> Line:
    """The line for what ``claude auth status`` prints (2.1.197 and newer)."""
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = None
    known = value if isinstance(value, dict) else {}
    if known.get("loggedIn") is True:
        return ok(
            "sign-in", N_("signed in ({how})").format(how=excerpt(str(known.get("authMethod"))))
        )
    if known.get("loggedIn") is False:
        return fault("sign-in", N_("claude is not signed in"), "claude auth login")
    return warning("sign-in", N_("unknown: claude did not say"), "claude auth status")


def _asked(program: str, environ: Mapping[str, str], *words: str) -> Finished:
    env = {**environ, **command_line.ENVIRONMENT}
    return Spawner().run_limited([program, *words], env=env, timeout_seconds=LIMIT_SECONDS)


# -- forges and the wrapper -----------------------------------------------------------------------


def forge_lines(
    words: Sequence[str], urls: Sequence[str], environ: Mapping[str, str]
) -> Iterator[Line]:
    """``gh`` and ``glab``, where commands of the list (``words``) or remotes use them."""
    for program, host in FORGES:
        is_named = any(re.search(rf"(?<![\w./-]){program} ", each) for each in words)
        if not is_named and not any(host in url for url in urls):
            continue
        path = which(program, environ)
        if path:
            yield ok(
                program,
                N_("{path}; its sign-in was not tried, which needs the network").format(path=path),
            )
        elif is_named:
            yield warning(
                program,
                N_("the list uses it, but it is not on PATH"),
                N_("install {program}").format(program=program),
            )
        else:
            yield ok(
                program,
                N_("not installed; a remote is on {host}, but the list does not use it").format(
                    host=host
                ),
            )


def wrapper_line(environ: Mapping[str, str], home: str) -> Line:
    """The wrapper on PATH against the version in ``home``; the network is not asked."""
    path = which("rorchestrator", environ)
    installed = _content(path)
    if b"\nror_version=" not in installed:
        return ok("wrapper", N_("not used; this is {home}").format(home=home))
    newest = _newest_beside(home)
    if newest:
        said = N_("{home} is in use, but {newest} is installed").format(
            home=os.path.basename(home), newest=newest
        )
        return warning("wrapper", said, f"rorchestrator self-update {newest}")
    own = os.path.join(home, "install", "wrapper.sh")
    if _content(own) not in (b"", installed):
        copy = f"cp {shlex.quote(own)} {shlex.quote(path)}"
        return warning(
            "wrapper", N_("{path} is not the wrapper of this version").format(path=path), copy
        )
    return ok(
        "wrapper",
        N_("{path}: up to date, as far as can be known without the network").format(path=path),
    )


def _newest_beside(home: str) -> str:
    """The newest version that is installed beside ``home``, if it is newer."""
    here = VERSION.fullmatch(os.path.basename(home))
    if here is None:
        return ""
    others = map(VERSION.fullmatch, os.listdir(os.path.dirname(home)))
    newest = max((found for found in others if found), key=_order, default=here)
    return newest[0] if _order(newest) > _order(here) else ""


def _order(version: re.Match[str]) -> list[int]:
    return [int(number) for number in version.groups()]


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
