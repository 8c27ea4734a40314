"""The file with the variables that a job needs and Slurm must not see: keys above all.

What sbatch exports stays in the state folder of Slurm's controller, and a command line can be read
by everybody on a node. So these variables go through a file for this user only.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress

from ...journal import private_files
from ...model.errors import UserError, unwritable
from ...model.translate import N_

FILE = "environment"

PREFIXES = (
    *("ANTHROPIC_", "CLAUDE_CODE_", "AWS_", "GIT_AUTHOR_", "GIT_COMMITTER_"),
    *("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_SSL_"),
)
NAMES = (
    *("CLAUDE_CONFIG_DIR", "CLOUD_ML_REGION", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("GIT_CONFIG_COUNT", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT"),
    *("CURL_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"),
    *(f"{kind}_{end}" for end in ("PROXY", "proxy") for kind in ("HTTP", "HTTPS", "NO", "ALL")),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
)
"""Variables that Claude Code and git read."""

OF_A_SESSION = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID")
"""Variables that Claude Code gives its own commands."""


def handed_over(environ: Mapping[str, str], more: Iterable[str]) -> dict[str, str]:
    """The variables for the jobs; ``more`` are names from the user.

    Raises :class:`UserError` if one of these is not set.
    """
    names = [n for n in environ if n.startswith(PREFIXES) or n in NAMES]
    for name in more:
        if name not in environ:
            raise UserError(
                N_("--env {name}: the variable is not set").format(name=name),
                hint=N_("export it, or leave it out"),
            )
    wanted = {*names, *more}.difference(OF_A_SESSION)
    return {name: environ[name] for name in sorted(wanted) if _is_name(name)}


def _is_name(name: str) -> bool:
    return name.isidentifier() and name.isascii()


def write(path: str, variables: Mapping[str, str]) -> None:
    """Write the file, for this user only. Raises :class:`UserError`."""
    lines = "".join(f"export {name}={shlex.quote(v)}\n" for name, v in variables.items())
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        file = private_files.open_file(path, os.O_WRONLY | os.O_EXCL)
        with open(file, "wb") as stream:
            stream.write(os.fsencode(lines))
    except OSError as error:
        raise unwritable(path, error) from None


def remove(path: str) -> bool:
    """Remove the file; whether it was there. Raises :class:`UserError` if it can't be removed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UserError(
            N_("{path} can't be removed, and it holds your keys: {strerror}").format(
                path=path, strerror=error.strerror
            ),
            hint=N_("remove it yourself"),
        ) from None
    return True
