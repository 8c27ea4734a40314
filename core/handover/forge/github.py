"""GitHub and GitHub Enterprise, through ``gh api``.

Not ``gh pr edit``: before 2.63 it asked for classic projects, which GitHub no longer answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ...model.json_values import integer
from .address import Address
from .client import Client
from .forge import OnForge, State


class GitHub:
    """A repository on GitHub."""

    name = "github"

    def __init__(self, client: Client, address: Address) -> None:
        self.client = client
        self.address = address
        self._pulls = f"repos/{address.path}/pulls"

    def sign(self, number: int) -> str:
        """``#12``."""
        return f"#{number}"

    async def find(self, branch: str) -> OnForge | None:
        """The pull request of a branch of this repository: the open one, else the last one."""
        head = quote(f"{self.address.owner}:{branch}", safe="")
        listed = await self.client.api(f"{self._pulls}?state=all&head={head}&per_page=100")
        found = [_read(each) for each in listed] if isinstance(listed, list) else []
        # GitHub answers with all pull requests if it cannot read the filter.
        ours = [each for each in found if each.branch == branch]
        return next((each for each in ours if each.state is State.OPEN), next(iter(ours), None))

    async def view(self, number: int) -> OnForge:
        """One pull request."""
        return _read(await self.client.api(f"{self._pulls}/{number}"))

    async def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> OnForge:
        """Open a pull request."""
        data = {"title": title, "head": branch, "base": base, "body": body, "draft": draft}
        return _read(await self.client.api(self._pulls, "POST", data))

    async def update(self, number: int, *, base: str = "", body: str = "") -> OnForge:
        """Change the base or the text of a pull request; empty leaves it as it is."""
        data = {**({"base": base} if base else {}), **({"body": body} if body else {})}
        return _read(await self.client.api(f"{self._pulls}/{number}", "PATCH", data))


def _read(answer: object) -> OnForge:
    """A pull request; format: GitHub's REST API, "Pulls"."""
    data: Mapping[str, object] = answer if isinstance(answer, dict) else {}
    merged = bool(data.get("merged_at") or data.get("merged"))
    is_open = data.get("state") == "open"
    return OnForge(
        integer(data, "number"),
        str(data.get("html_url") or ""),
        _of(data, "head", "ref"),
        _of(data, "base", "ref"),
        State.MERGED if merged else State.OPEN if is_open else State.CLOSED,
        str(data.get("title") or ""),
        str(data.get("body") or ""),
        data.get("draft") is True,
        data.get("auto_merge") is not None,
        _of(data, "head", "sha"),
    )


def _of(data: Mapping[str, object], side: str, key: str) -> str:
    value = data.get(side)
    return str(value.get(key) or "") if isinstance(value, dict) else ""
