"""The CI system that a program runs in, by its variables."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum

OBEYING = ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables of the systems that obey lines of our output: see ``ci_commands.py``."""


def obeys_lines(environ: Mapping[str, str]) -> bool:
    """Whether a CI system reads our output and obeys some of its lines."""
    return any(map(environ.get, OBEYING))


class Ci(Enum):
    """A CI system that folds groups of lines."""

    NONE = ""
    GITHUB = "github"
    """Also Forgejo and Gitea, which run the same workflows."""
    GITLAB = "gitlab"


def ci_of(environ: Mapping[str, str]) -> Ci:
    """The CI system of an environment."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return Ci.GITHUB
    return Ci.GITLAB if environ.get("GITLAB_CI") else Ci.NONE
