"""Whether a proposed check does more than check: it would run with what the user may do."""

from __future__ import annotations

import os

from ..prompt_text import without_variables
from ..tool_rules import parts_of

_PROGRAMS = frozenset(
    (
        *("rm", "rmdir", "dd", "shred", "sudo", "su", "doas", "eval", "crontab", "shutdown"),
        *("curl", "wget", "ssh", "scp", "sftp", "rsync", "nc", "kill", "pkill", "killall"),
    )
)
"""Programs that remove, fetch, send or end something."""

_OF_GIT = frozenset(
    (
        *("push", "reset", "clean", "checkout", "switch", "restore", "commit", "rebase", "merge"),
        *("stash", "config", "tag", "rm", "update-ref", "gc"),
    )
)

_ACTING = frozenset(("publish", "deploy", "upload", "destroy"))
"""Words of commands that change something elsewhere."""


_LOOKS = frozenset(("grep", "rg", "test", "[", "diff", "log", "show"))
"""Programs, and commands of git, whose words are texts and names."""


def does_more(line: str) -> bool:
    """Whether a command line plainly does more than check."""
    return any(_acts(without_variables(part).split()) for part in parts_of(line))


def _acts(words: list[str]) -> bool:
    program = os.path.basename("".join(words[:1]))
    rest = [word for word in words[1:] if not word.startswith("-")]
    if program in _LOOKS or not _LOOKS.isdisjoint(rest[:1]):
        return False
    if program in _PROGRAMS or (program == "git" and not _OF_GIT.isdisjoint(rest[:2])):
        return True
    return not _ACTING.isdisjoint(rest[:2])
