"""The environment of children: without GIT_DIR and other variables of git; search paths."""

from __future__ import annotations

from collections.abc import Mapping

SEARCH_PATHS = ("PYTHONPATH", "NODE_PATH", "RUBYLIB", "PERL5LIB")
"""Variables whose folders precede installed packages."""

VIRTUAL_ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""Variables with the folder of the active virtual environment."""

OF_A_REPOSITORY = frozenset(
    {
        # `git rev-parse --local-env-vars` of all versions, without the user's settings
        # (GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS), which git also passes to submodules.
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
        # Not in its list, but specific to one repository as well.
        "GIT_ATTR_SOURCE",
        "GIT_NAMESPACE",
        "GIT_QUARANTINE_PATH",
    }
)
"""Variables that point git to one repository; set if a git hook starts us."""


def without_git(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without variables that point to a repository (``GIT_DIR``, …).

    The user's settings for git stay: identity, credentials, Git LFS, ``GIT_CONFIG_*``.
    """
    return {name: value for name, value in environ.items() if name not in OF_A_REPOSITORY}
