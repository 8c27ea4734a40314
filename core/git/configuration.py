"""git config: the settings of a repository or a worktree, and the hooks folder."""

from __future__ import annotations

import os

from ..model.translate import N_
from .ahead import SETTINGS
from .door import Git, global_attributes


async def hooks_folder(git: Git, path: str = "") -> str:
    """The hooks folder (``core.hooksPath``); relative if each worktree has its own."""
    from . import known_settings

    listed = await known_settings.everywhere(git)
    if listed is not None and all(key != "core.hookspath" for _, key, _ in listed):
        return os.path.join(git.repository.common_dir, "hooks")
    asked = ("config", "--type=path", "--get", "core.hooksPath")
    finished = await git.try_run(*asked, at=path, hooks=True)
    return finished.text or os.path.join(git.repository.common_dir, "hooks")


async def values(git: Git) -> dict[str, str]:
    """The last value of every setting by its key, as the user has it."""
    listed = await git.run(N_("read its settings"), *SETTINGS, hooks=True)
    pairs = (entry.partition("\n") for entry in os.fsdecode(listed.stdout).split("\0"))
    return {key: value for key, _, value in pairs}


async def modes(git: Git, commit: str, folder: str) -> dict[str, str]:
    """File modes by name in a folder of a commit; format: git-ls-tree(1)."""
    arguments = ("ls-tree", "-z", "--full-tree", commit, "--", f"{os.path.normpath(folder)}/")
    finished = await git.run(N_("read the commit"), *arguments)
    entries = (e.partition("\t") for e in os.fsdecode(finished.stdout).split("\0") if e)
    return {os.path.basename(path): entry.split(" ")[0] for entry, _, path in entries}


async def settings(git: Git, file: str) -> list[tuple[str, str, str]]:
    """File, key and value of every entry of a config file and its includes.

    Format: git-config(1), ``--show-origin`` and ``--null``.
    """
    return await _settings(git, "--file", file, "--includes")


async def settings_in(git: Git, path: str) -> list[tuple[str, str, str]]:
    """The same for everything that applies in a folder, from every config file."""
    return await _settings(git, at=path)


async def everything(git: Git) -> list[tuple[str, str, str]] | None:
    """The same for the repository, with what variables and options set, which is in no file.

    ``None`` if git cannot read a file.
    """
    listed = await git.try_run("config", *LIST_WITH_FILES, hooks=True)
    return _entries(listed.stdout, git.repository.common_dir) if listed.code == 0 else None


async def _settings(git: Git, *of: str, at: str = "") -> list[tuple[str, str, str]]:
    arguments = ("config", *of, *LIST_WITH_FILES)
    finished = await git.run(N_("read the settings"), *arguments, at=at)
    entries = _entries(finished.stdout, at or git.repository.common_dir)
    return [entry for entry in entries if entry[0]]


def _entries(listed: bytes, folder: str) -> list[tuple[str, str, str]]:
    words = os.fsdecode(listed).split("\0")
    pairs = zip(words[::2], words[1::2])
    return [(_place(folder, origin), *_pair(entry)) for origin, entry in pairs]


def _place(folder: str, origin: str) -> str:
    """The path of a config file; empty for what is in no file."""
    kind, _, path = origin.partition(":")
    return os.path.normpath(os.path.join(folder, path)) if kind == "file" else ""


def _pair(entry: str) -> tuple[str, str]:
    key, _, value = entry.partition("\n")
    return key, value


async def effective_settings(git: Git) -> list[tuple[str, str]]:
    """Key and value of every setting in order, including the user's and the system's."""
    finished = await git.run(N_("read its settings"), "config", "--null", "--list")
    entries = os.fsdecode(finished.stdout).split("\0")
    pairs = (entry.partition("\n") for entry in entries if entry)
    return [(key, value) for key, _, value in pairs]


async def may_convert(git: Git, index: bytes) -> bool:
    """Whether a file of a new checkout may differ from its commit; ``index`` is the checkout's.

    Because of attributes, line ends, or a file system that does not distinguish all names.
    """
    # Names are whole up to version 3.
    if index[4:8] not in (b"\0\0\0\2", b"\0\0\0\3") or b".gitattributes" in index:
        return True
    from . import known_settings

    known = await known_settings.everywhere(git)
    listed = await effective_settings(git) if known is None else [entry[1:] for entry in known]
    if any(CONVERTS.get(key, value) != value for key, value in listed):
        return True
    words = os.fsencode("\0".join(f"{key}\n{value}" for key, value in listed))
    own = os.path.join(git.repository.common_dir, "info", "attributes")
    files = (own, global_attributes(words, git.environ), SYSTEM_ATTRIBUTES)
    return any(map(os.path.exists, files))


LIST_WITH_FILES = ("--show-origin", "--null", "--list")

SYSTEM_ATTRIBUTES = "/etc/gitattributes"

CONVERTS = {
    "attr.tree": "",
    "core.autocrlf": "false",
    "core.ignorecase": "false",
    "core.precomposeunicode": "false",
    "core.splitindex": "false",
    "core.symlinks": "true",
}
"""Settings with the value, as git writes it, that converts nothing. A split index hides names."""
