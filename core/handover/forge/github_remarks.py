"""Review comments and failed checks of a pull request on GitHub, by its GraphQL API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from ...model.json_values import integer
from .client import Client, ForgeError
from .github import GitHub
from .remark import Kind, Remark, entries, failure_of, inside, text_of

WRITING = frozenset(("admin", "write"))
"""The permissions of those who may push; ``maintain`` counts as ``write``, ``triage`` as ``read``.

An ``authorAssociation`` does not tell: a member of an organisation may only read.
"""

FAILED = frozenset(("FAILURE", "TIMED_OUT", "STARTUP_FAILURE", "ERROR"))

OF_ACTIONS = "github-actions"

STAMP = re.compile(r"^[^\t\n]*\t[^\t\n]*\t\ufeff?\d{4}-\d\d-\d\dT\S+Z ?", re.MULTILINE)
"""What stands before each line of ``gh run view --log-failed``: job, step and time."""

PAGE = "pageInfo { hasNextPage endCursor }"

SAID = "databaseId body url isMinimized author { login __typename }"

REPOSITORY = """\
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { %s } }
}"""

LINES = f"comments(first: 50, after: %s) {{ {PAGE} nodes {{ state {SAID} }} }}"

THREADS = REPOSITORY % (
    f"reviewThreads(first: 50, after: $after) {{ {PAGE} "
    f"nodes {{ id isResolved isOutdated path line {LINES % 'null'} }} }}"
)

THREAD = f"""\
query($id: ID!, $after: String) {{
  node(id: $id) {{ ... on PullRequestReviewThread {{ {LINES % "$after"} }} }}
}}"""

REVIEWS = REPOSITORY % (
    "reviews(first: 50, after: $after, states: [APPROVED, CHANGES_REQUESTED, COMMENTED]) "
    f"{{ {PAGE} nodes {{ state {SAID} }} }}"
)

CONVERSATION = REPOSITORY % f"comments(first: 50, after: $after) {{ {PAGE} nodes {{ {SAID} }} }}"

CHECKS = REPOSITORY % (
    "commits(last: 1) { nodes { commit { oid statusCheckRollup { "
    f"contexts(first: 50, after: $after) {{ {PAGE} nodes {{ __typename "
    "... on CheckRun { databaseId name conclusion url "
    "checkSuite { app { slug } workflowRun { workflow { name } } } } "
    "... on StatusContext { id context state targetUrl } } } } } } }"
)

Node = Mapping[str, object]


class GitHubReaders:
    """The reviewers of a repository on GitHub."""

    def __init__(self, forge: GitHub) -> None:
        self.client: Client = forge.client
        self.address = forge.address
        self._writers: dict[str, bool] = {}
        """Whether a person may write, by login."""

    async def remarks(self, number: int, commit: str) -> list[Remark]:
        """What is open: not what was resolved, is outdated, hidden or not published."""
        return [
            *[each async for each in self._threads(number)],
            *[each async for each in self._reviews(number)],
            *[each async for each in self._conversation(number)],
            *[each async for each in self._checks(number, commit)],
        ]

    # -- what people say ---------------------------------------------------------------------

    async def _threads(self, number: int) -> AsyncIterator[Remark]:
        async for thread in self._nodes(THREADS, number, "reviewThreads"):
            if thread.get("isResolved") is True or thread.get("isOutdated") is True:
                continue
            path, line = str(thread.get("path") or ""), integer(thread, "line")
            async for said in self._lines_of(thread):
                if said.get("state") != "PENDING":
                    remark = await self._remark(said, "r", Kind.THREAD, path, line)
                    if remark is not None:
                        yield remark

    async def _lines_of(self, thread: Node) -> AsyncIterator[Node]:
        """The comments of a thread, the first of which came with it."""
        comments = thread.get("comments")
        while True:
            for said in entries(comments, "nodes"):
                yield said
            after = _next(comments)
            if not after:
                return
            answer = await self._ask(THREAD, {"id": thread.get("id"), "after": after})
            comments = inside(answer, "node", "comments")

    async def _reviews(self, number: int) -> AsyncIterator[Remark]:
        """The reviews since their author's last approval, which settled what was before."""
        found = [review async for review in self._nodes(REVIEWS, number, "reviews")]
        approved: dict[object, int] = {}
        for place, review in enumerate(found):
            if review.get("state") == "APPROVED":
                approved[_login(review)] = place
        for place, review in enumerate(found):
            if place > approved.get(_login(review), -1):
                asks = review.get("state") == "CHANGES_REQUESTED"
                remark = await self._remark(review, "v", Kind.REVIEW, asks=asks)
                if remark is not None:
                    yield remark

    async def _conversation(self, number: int) -> AsyncIterator[Remark]:
        async for said in self._nodes(CONVERSATION, number, "comments"):
            remark = await self._remark(said, "c", Kind.COMMENT)
            if remark is not None:
                yield remark

    async def _remark(
        self,
        said: Node,
        sign: str,
        kind: Kind,
        path: str = "",
        line: int = 0,
        *,
        asks: bool = False,
    ) -> Remark | None:
        """The remark, unless it is hidden, or says nothing."""
        text = text_of(said.get("body"))
        if said.get("isMinimized") is True or not (text or asks):
            return None
        return Remark(
            f"{sign}{integer(said, 'databaseId')}",
            kind,
            text,
            _login(said),
            await self._may_write(said.get("author")),
            path,
            line,
            str(said.get("url") or ""),
            asks,
        )

    async def _may_write(self, author: object) -> bool:
        """Whether somebody may write to the repository; of an app, nobody knows who it speaks for.

        Asked by the REST API, "Get repository permissions for a user"; no answer is a no.
        """
        login = str(inside(author, "login") or "")
        if not login or inside(author, "__typename") != "User":
            return False
        if login not in self._writers:
            path = f"repos/{self.address.path}/collaborators/{quote(login, safe='')}/permission"
            try:
                permission = inside(await self.client.api(path), "permission")
            except ForgeError as error:
                if error.status not in (403, 404):
                    raise
                permission = None
            self._writers[login] = permission in WRITING
        return self._writers[login]

    # -- checks --------------------------------------------------------------------------------

    async def _checks(self, number: int, commit: str) -> AsyncIterator[Remark]:
        after = None
        while True:
            answer = await self._ask(CHECKS, self._variables(number, after))
            commits = inside(answer, "repository", "pullRequest", "commits")
            last = next(entries(commits, "nodes"), {})
            if inside(last, "commit", "oid") != commit:
                return  # Somebody pushed, or GitHub has not seen our push yet.
            contexts = inside(last, "commit", "statusCheckRollup", "contexts")
            for check in entries(contexts, "nodes"):
                if check.get("conclusion", check.get("state")) in FAILED:
                    yield await self._failure(check)
            after = _next(contexts)
            if not after:
                return

    async def _failure(self, check: Node) -> Remark:
        how = str(check.get("conclusion") or check.get("state")).lower().replace("_", " ")
        if check.get("__typename") != "CheckRun":
            text = failure_of(str(check.get("context")), how, "")
            url = str(check.get("targetUrl") or "")
            return Remark(f"s{check.get('id')}", Kind.CHECK, text, may_write=True, url=url)
        number, suite = integer(check, "databaseId"), check.get("checkSuite")
        is_action = inside(suite, "app", "slug") == OF_ACTIONS
        workflow = inside(suite, "workflowRun", "workflow", "name")
        name = " / ".join(str(word) for word in (workflow, check.get("name")) if word)
        # Only the log of the repository's own workflows is read: an app may write what it likes.
        log = await self._log(number) if is_action else ""
        url, text = str(check.get("url") or ""), failure_of(name, how, log)
        return Remark(f"k{number}", Kind.CHECK, text, may_write=True, url=url)

    async def _log(self, job: int) -> str:
        """What the failed steps of a job printed; empty if that is gone."""
        repository = f"{self.address.host}/{self.address.path}"
        words = ("run", "view", "--job", str(job), "--log-failed", "--repo", repository)
        finished = await self.client.run(*words)
        if finished.code != 0:
            return ""
        return STAMP.sub("", finished.stdout.decode("utf-8", "replace"))

    # -- questions -----------------------------------------------------------------------------

    async def _nodes(self, query: str, number: int, name: str) -> AsyncIterator[Node]:
        """All entries of a list of the pull request, page by page."""
        after = None
        while True:
            answer = await self._ask(query, self._variables(number, after))
            listed = inside(answer, "repository", "pullRequest", name)
            for node in entries(listed, "nodes"):
                yield node
            after = _next(listed)
            if not after:
                return

    def _variables(self, number: int, after: object) -> dict[str, object]:
        owner, _, name = self.address.path.partition("/")
        return {"owner": owner, "name": name, "number": number, "after": after}

    async def _ask(self, query: str, variables: Mapping[str, object]) -> object:
        data = {"query": query, "variables": dict(variables)}
        return inside(await self.client.api("graphql", "POST", data), "data")


def _next(listed: object) -> str:
    """The cursor of the next page; empty on the last one."""
    more = inside(listed, "pageInfo", "hasNextPage") is True
    return str(inside(listed, "pageInfo", "endCursor") or "") if more else ""


def _login(said: Node) -> str:
    return str(inside(said, "author", "login") or "")
