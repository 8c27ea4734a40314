"""The host and the repository that the URL of a remote names."""

from __future__ import annotations

import re

from ...model.frozen import dataclass

SCHEME = re.compile(r"(?:https?|ssh|git|git\+ssh|ssh\+git)://(?:[^/@]*@)?([^/:]+)(?::\d*)?/(.+)")
SCP = re.compile(r"(?:[^/@:]+@)?([^/:]+):(?!//)(.+)")
"""As in ``git@github.com:owner/name.git``; see git-clone(1), "GIT URLS"."""

BEHIND_443 = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
"""Hosts that accept SSH on the port of HTTPS."""


@dataclass(frozen=True)
class Address:
    """A repository of a forge: the host, and the path without ``.git``."""

    host: str
    path: str

    @property
    def owner(self) -> str:
        """What stands before the name."""
        return self.path.rpartition("/")[0]


def address_of(url: str) -> Address | None:
    """The address in a remote's URL; ``None`` for a path on this machine."""
    found = SCHEME.fullmatch(url) or ("://" not in url and SCP.fullmatch(url)) or None
    if found is None:
        return None
    host, path = found[1].lower(), found[2].strip("/").removesuffix(".git").rstrip("/")
    return Address(BEHIND_443.get(host, host), path) if "/" in path else None
