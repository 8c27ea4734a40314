"""gitlab.com and other GitLab servers, through ``glab api``."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from ...model.json_values import integer
from .address import Address
from .client import Client
from .forge import OnForge, State

DRAFT = "Draft: "
"""A merge request with this in front of its title is a draft."""

STATES = {"opened": State.OPEN, "locked": State.OPEN, "merged": State.MERGED}


class GitLab:
    """A project on GitLab."""

    name = "gitlab"

    def __init__(self, client: Client, address: Address) -> None:
        self.client = client
        self.address = address
        self._requests = f"projects/{quote(address.path, safe='')}/merge_requests"

    def sign(self, number: int) -> str:
        """``!12``."""
        return f"!{number}"

    async def find(self, branch: str) -> OnForge | None:
        """The merge request of a branch of this project: the open one, else the last one."""
        asked = urlencode({"source_branch": branch, "state": "all", "per_page": 100})
        listed = await self.client.api(f"{self._requests}?{asked}")
        entries = listed if isinstance(listed, list) else []
        # Not those of forks, whose branches may have the same name.
        ours = [e for e in entries if e.get("source_project_id") == e.get("target_project_id")]
        found = [_read(each) for each in ours]
        return next((each for each in found if each.state is State.OPEN), next(iter(found), None))

    async def view(self, number: int) -> OnForge:
        """One merge request."""
        return _read(await self.client.api(f"{self._requests}/{number}"))

    async def open(
        self, branch: str, base: str, title: str, body: str, *, draft: bool = False
    ) -> OnForge:
        """Open a merge request."""
        data = {
            "source_branch": branch,
            "target_branch": base,
            "title": f"{DRAFT}{title}" if draft else title,
            "description": body,
        }
        return _read(await self.client.api(self._requests, "POST", data))

    async def update(self, number: int, *, base: str = "", body: str = "") -> OnForge:
        """Change the base or the text of a merge request; empty leaves it as it is."""
        data = {
            **({"target_branch": base} if base else {}),
            **({"description": body} if body else {}),
        }
        return _read(await self.client.api(f"{self._requests}/{number}", "PUT", data))


def _read(answer: object) -> OnForge:
    """A merge request; format: GitLab's REST API, "Merge requests"."""
    data: Mapping[str, object] = answer if isinstance(answer, dict) else {}
    return OnForge(
        integer(data, "iid"),
        str(data.get("web_url") or ""),
        str(data.get("source_branch") or ""),
        str(data.get("target_branch") or ""),
        STATES.get(str(data.get("state")), State.CLOSED),
        str(data.get("title") or ""),
        str(data.get("description") or ""),
        data.get("draft") is True,
        data.get("merge_when_pipeline_succeeds") is True,
        str(data.get("sha") or ""),
    )
