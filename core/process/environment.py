"""The environment that children get."""

from __future__ import annotations

from collections.abc import Mapping

KEPT_GIT_VARIABLES = frozenset(
    {
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_EXEC_PATH",
        "GIT_TEMPLATE_DIR",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSL_CAINFO",
    }
)
"""Who commits and where git is; all else points at the repository of a calling hook."""


def without_git(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` less what a calling git hook left in it (``GIT_DIR``, ``GIT_INDEX_FILE``, …)."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name in KEPT_GIT_VARIABLES
    }
