"""Decides which forge a remote belongs to, from its URL, else from the logins of the user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...model.errors import UserError
from ...model.frozen import replace
from ...model.translate import N_
from ...process.spawner import Spawner, which
from .address import Address, address_of
from .client import GH, GLAB, Client, Program
from .github import GitHub
from .gitlab import GitLab

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .forge import Forge

KNOWN = {"github.com": GH, "gitlab.com": GLAB}

ENDINGS = {".ghe.com": GH}
"""GitHub's own hosts for enterprises."""


async def forge_of(
    spawner: Spawner, environ: Mapping[str, str], urls: Iterable[str], remote: str
) -> Forge:
    """The forge of a remote with these URLs, of which the first with a host counts.

    Raises :class:`UserError` for a remote on no forge, and if a login is needed to tell.
    """
    found = [address for url in urls if (address := address_of(url)) is not None]
    if not found:
        raise UserError(
            N_("pull requests need GitHub or GitLab, and the remote {remote} is on neither").format(
                remote=remote
            ),
            hint=N_("rorchestrator push pushes the branches, or name another one: --remote NAME"),
        )
    address = await _resolved(spawner, environ, found[0])
    program = _known(address.host) or await _logged_in(spawner, environ, address.host)
    client = Client(spawner, environ, program, address.host)
    return GitHub(client, address) if program is GH else GitLab(client, address)


async def _resolved(spawner: Spawner, environ: Mapping[str, str], address: Address) -> Address:
    """The address with the real host, if the URL has an alias of the user's SSH settings."""
    if "." in address.host or not which("ssh", environ):
        return address
    told = await spawner.run(["ssh", "-G", "--", address.host], env=environ)
    host = re.search(r"^hostname (\S+)$", told.text, re.MULTILINE)
    return replace(address, host=host[1]) if told.code == 0 and host else address


def _known(host: str) -> Program | None:
    ending = next((program for end, program in ENDINGS.items() if host.endswith(end)), None)
    return KNOWN.get(host, ending)


async def _logged_in(spawner: Spawner, environ: Mapping[str, str], host: str) -> Program:
    """The program that has a login for a host; else the one that the host's name has in it."""
    clients = [Client(spawner, environ, program, host) for program in (GH, GLAB)]
    logged_in = [client.program for client in clients if await client.is_logged_in()]
    named = [p for p in (GH, GLAB) if p.of.lower() in host]
    if len(logged_in) == 1:
        return logged_in[0]
    if len(named) == 1:
        return named[0]  # If it has no login, its own refusal names the command.
    raise UserError(
        N_(
            "{host} may be GitHub or GitLab: exactly one of gh and glab must be logged in there"
        ).format(host=host),
        hint=N_("{github}, or: {gitlab}").format(github=clients[0].login, gitlab=clients[1].login),
    )
