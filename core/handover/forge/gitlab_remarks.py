"""What reviewers and jobs say about a merge request on GitLab."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from ...model.json_values import integer
from .client import Client, ForgeError
from .gitlab import GitLab
from .remark import Kind, Remark, entries, failure_of, inside, text_of

DEVELOPER = 30
"""The lowest access level that may push; see GitLab's "Members API"."""

BOT = re.compile(r"(?:project|group)_\d+_bot(?:_.*)?|.*\[bot\]")
"""The users that GitLab makes for access tokens: nobody knows who they speak for."""

SECTION = re.compile(r"section_(?:start|end):\d+:[^\r\n]*\r?")
"""What marks the sections of a job's log."""


class GitLabReaders:
    """The reviewers of a project on GitLab."""

    def __init__(self, forge: GitLab) -> None:
        self.client: Client = forge.client
        self._project = f"projects/{quote(forge.address.path, safe='')}"
        self._writers: dict[int, bool] = {}
        """Whether a person may write, by the id of the user."""

    async def remarks(self, number: int, commit: str) -> list[Remark]:
        """What is open: not what was resolved or says only what GitLab did."""
        request = f"{self._project}/merge_requests/{number}"
        url = str(inside(await self.client.api(request), "web_url") or "")
        return [
            *[each async for each in self._notes(request, url)],
            *[each async for each in self._requests(request, url)],
            *[each async for each in self._jobs(request, commit)],
        ]

    async def _notes(self, request: str, url: str) -> AsyncIterator[Remark]:
        for discussion in await self.client.pages(f"{request}/discussions?per_page=100"):
            for note in entries(discussion, "notes"):
                text = text_of(note.get("body"))
                if text and note.get("system") is not True and note.get("resolved") is not True:
                    yield await self._remark(note, text, url)

    async def _requests(self, request: str, url: str) -> AsyncIterator[Remark]:
        """The reviewers who request changes; what they want is in their notes."""
        reviewers = await self.client.pages(f"{request}/reviewers?per_page=100")
        for each in entries({"": reviewers}, ""):
            if each.get("state") == "requested_changes":
                name, user = inside(each, "user", "username"), inside(each, "user", "id")
                yield Remark(
                    f"u{user}",
                    Kind.REVIEW,
                    "",
                    str(name or ""),
                    await self._may_write(each.get("user")),
                    url=url,
                    asks_for_changes=True,
                )

    async def _remark(self, note: Mapping[str, object], text: str, url: str) -> Remark:
        number, place = integer(note, "id"), note.get("position")
        path = inside(place, "new_path") or inside(place, "old_path")
        line = inside(place, "new_line")
        return Remark(
            f"n{number}",
            Kind.THREAD if path else Kind.COMMENT,
            text,
            str(inside(note, "author", "username") or ""),
            await self._may_write(note.get("author")),
            str(path or ""),
            line if isinstance(line, int) else 0,
            f"{url}#note_{number}" if url else "",
        )

    async def _may_write(self, author: object) -> bool:
        """Whether somebody may push to the project; no answer is a no."""
        user, name = inside(author, "id"), str(inside(author, "username") or "")
        if not isinstance(user, int) or BOT.fullmatch(name):
            return False
        if user not in self._writers:
            try:
                member = await self.client.api(f"{self._project}/members/all/{user}")
            except ForgeError as error:
                if error.status not in (403, 404):
                    raise
                member = None
            level = inside(member, "access_level")
            is_active = inside(member, "state") == "active"
            self._writers[user] = is_active and isinstance(level, int) and level >= DEVELOPER
        return self._writers[user]

    async def _jobs(self, request: str, commit: str) -> AsyncIterator[Remark]:
        """The failed jobs of the last pipeline of the commit."""
        pipelines = await self.client.api(f"{request}/pipelines")
        ours = [each for each in entries({"": pipelines}, "") if each.get("sha") == commit]
        if not ours:
            return
        last = max(integer(each, "id") for each in ours)
        failed = f"{self._project}/pipelines/{last}/jobs?scope[]=failed&per_page=100"
        for job in entries({"": await self.client.pages(failed)}, ""):
            if job.get("allow_failure") is not True:
                yield await self._failure(job)

    async def _failure(self, job: Mapping[str, object]) -> Remark:
        number = integer(job, "id")
        name = " / ".join(str(job[key]) for key in ("stage", "name") if job.get(key))
        how = str(job.get("failure_reason") or "failed").replace("_", " ")
        words = ("api", "--hostname", self.client.host, f"{self._project}/jobs/{number}/trace")
        finished = await self.client.run(*words)
        log = finished.stdout.decode("utf-8", "replace") if finished.code == 0 else ""
        text = failure_of(name, how, SECTION.sub("", log))
        url = str(job.get("web_url") or "")
        return Remark(f"j{number}", Kind.CHECK, text, may_write=True, url=url)
