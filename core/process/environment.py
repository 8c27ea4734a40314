"""The environment that children get."""

from __future__ import annotations

from collections.abc import Mapping

OF_A_REPOSITORY = frozenset(
    {
        # What `git rev-parse --local-env-vars` names, of all versions, less the user's settings
        # (GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS), which git hands to submodules as well.
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
        # What it does not name, though they are of one repository as well.
        "GIT_ATTR_SOURCE",
        "GIT_NAMESPACE",
        "GIT_QUARANTINE_PATH",
    }
)
"""The variables by which git, and a hook that calls us, names a repository."""


def without_git(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` less what names a repository (``GIT_DIR``, ``GIT_INDEX_FILE``, …).

    The user's own settings for git stay: identity, credentials, Git LFS, ``GIT_CONFIG_*``.
    """
    return {name: value for name, value in environ.items() if name not in OF_A_REPOSITORY}
