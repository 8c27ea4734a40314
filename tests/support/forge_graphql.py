"""GitHub's GraphQL API as far as readers of a pull request need it, for the stand-in of ``gh``.

A query is parsed and answered field by field: a field that the documentation does not have is an
error, as on GitHub. Lists come in pages of four at most, so that every reader has to turn them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TOKEN = re.compile(r"\.\.\.|[{}()\[\]:!$,]|\w+")

ROWS = 4
"""The longest page."""

FIELDS: Mapping[str, str] = {
    "Query": "repository node",
    "Repository": "pullRequest",
    "PullRequest": "reviewThreads reviews comments commits",
    "Connection": "nodes pageInfo",
    "PageInfo": "hasNextPage endCursor",
    "PullRequestReviewThread": "id isResolved isOutdated path line comments",
    "PullRequestReviewComment": "databaseId body url isMinimized author state",
    "PullRequestReview": "databaseId body url isMinimized author state",
    "IssueComment": "databaseId body url isMinimized author",
    "Actor": "login __typename",
    "PullRequestCommit": "commit",
    "Commit": "oid statusCheckRollup",
    "StatusCheckRollup": "contexts",
    "CheckRun": "__typename databaseId name conclusion url checkSuite",
    "StatusContext": "__typename id context state targetUrl",
    "CheckSuite": "app workflowRun",
    "App": "slug",
    "WorkflowRun": "workflow",
    "Workflow": "name",
}

Query = list[tuple[str, str, dict[str, Any], "Query"]]  # type: ignore[misc]
"""Selected fields: the type of an inline fragment, name, arguments, and what is selected of it."""


class Invalid(Exception):
    """A query that GitHub would refuse."""


def answered(repositories: Any, data: Any) -> Any:
    """The answer to a query with its variables."""
    if set(data) != {"query", "variables"}:
        return {
            "errors": [{"message": "A query attribute must be specified and must be a string."}]
        }
    try:
        selected = Parser(data["query"], data["variables"]).query()
        root = {"type": "Query", "repositories": repositories}
        return {
            "data": {name: _field(root, name, given, inner) for _, name, given, inner in selected}
        }
    except Invalid as error:
        return {"data": None, "errors": [{"message": str(error)}]}


class Parser:
    """The part of the language that one query needs."""

    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self.left = iter(TOKEN.findall(text))
        self.variables = variables

    def query(self) -> Query:
        while (word := next(self.left)) != "{":
            if word == "$" and (name := next(self.left)) not in self.variables:
                raise Invalid(f"Variable ${name} was provided invalid value")
        return list(self.selection())

    def selection(self) -> Iterator[Any]:
        kind = name = ""
        given: dict[str, Any] = {}
        for word in self.left:
            if word == "(":
                given = dict(self.arguments())
            elif word == "{" and kind and not name:
                yield from ((kind, *each[1:]) for each in self.selection())
                kind = ""
            elif word == "{":
                yield "", name, given, list(self.selection())
                name, given = "", {}
            else:
                if name:
                    yield "", name, given, []
                    name = ""
                if word == "}":
                    return
                if word == "...":
                    next(self.left)  # "on"
                    kind = next(self.left)
                else:
                    name = word

    def arguments(self) -> Iterator[tuple[str, Any]]:
        name = ""
        for word in self.left:
            if word == ")":
                return
            if word == ":":
                value = next(self.left)
                if value == "$":
                    yield name, self.variables[next(self.left)]
                elif value == "[":
                    yield name, [each for each in iter(lambda: next(self.left), "]") if each != ","]
                else:
                    yield name, None if value == "null" else value
            else:
                name = word


def _field(thing: Any, name: str, given: Any, inner: Query) -> Any:
    kind = thing["type"]
    if name not in FIELDS[kind].split():
        raise Invalid(f"Field '{name}' doesn't exist on type '{kind}'")
    return _shown(_value(thing, kind, name, given), inner)


def _shown(value: Any, inner: Query) -> Any:
    if isinstance(value, list):
        return [_shown(each, inner) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _field(value, name, given, more)
        for fragment, name, given, more in inner
        if fragment in ("", value["type"])
    }


def _value(thing: Any, kind: str, name: str, given: Any) -> Any:
    if kind == "Query":
        return _root(thing["repositories"], name, given)
    if name in ("reviewThreads", "reviews", "comments", "contexts"):
        return _page(thing.get(name, []), given)
    if name == "commits":
        return {
            "type": "Connection",
            "nodes": thing["commits"][-int(given["last"]) :],
            "pageInfo": None,
        }
    if name == "pullRequest":
        return _pull(thing, int(given["number"]))
    return thing.get(name)


def _root(repositories: Any, name: str, given: Any) -> Any:
    if name == "repository":
        project = repositories.get(f"{given['owner']}/{given['name']}")
        if project is None:
            raise Invalid("Could not resolve to a Repository with the name.")
        return {**project, "type": "Repository"}
    for project in repositories.values():
        for pull in project["pulls"]:
            for thread in pull.get("threads", []):
                if thread["id"] == given["id"]:
                    return _thread(thread)
    raise Invalid(f"Could not resolve to a node with the global id of '{given['id']}'")


def _pull(project: Any, number: int) -> Any:
    for pull in project["pulls"]:
        if pull["number"] == number:
            commit = {
                "type": "Commit",
                "oid": pull.get("checked", ""),
                "statusCheckRollup": {
                    "type": "StatusCheckRollup",
                    "contexts": [_check(each) for each in pull.get("checks", [])],
                },
            }
            return {
                "type": "PullRequest",
                "reviewThreads": [_thread(each) for each in pull.get("threads", [])],
                "reviews": [_said(each, "PullRequestReview") for each in pull.get("reviews", [])],
                "comments": [_said(each, "IssueComment") for each in pull.get("comments", [])],
                "commits": [{"type": "PullRequestCommit", "commit": commit}],
            }
    raise Invalid(f"Could not resolve to a PullRequest with the number of {number}.")


def _thread(thread: Any) -> Any:
    said = [_said(each, "PullRequestReviewComment") for each in thread["comments"]]
    given = {"isResolved": False, "isOutdated": False, **thread}
    return {"type": "PullRequestReviewThread", **given, "comments": said}


def _said(said: Any, kind: str) -> Any:
    author = said.get("author")
    if author is not None:
        author = {"type": "Actor", "__typename": "User", **author}
    given = {"state": "SUBMITTED", "isMinimized": False, "url": "", **said}
    return {**given, "type": kind, "author": author}


def _check(check: Any) -> Any:
    kind = "StatusContext" if "context" in check else "CheckRun"
    suite = None
    if "app" in check:
        run = check.get("workflow")
        workflow = {"type": "Workflow", "name": run}
        suite = {
            "type": "CheckSuite",
            "app": {"type": "App", "slug": check["app"]},
            "workflowRun": {"type": "WorkflowRun", "workflow": workflow} if run else None,
        }
    return {"type": kind, "__typename": kind, **check, "checkSuite": suite}


def _page(found: Any, given: Any) -> Any:
    if set(given) - {"first", "after", "states"} or not 1 <= int(given["first"]) <= 100:
        raise Invalid("You must provide a `first` or `last` value to properly paginate.")
    if "states" in given:
        found = [each for each in found if each["state"] in given["states"]]
    start = int(given["after"] or 0)
    end = start + min(ROWS, int(given["first"]))
    more = {"type": "PageInfo", "hasNextPage": end < len(found), "endCursor": str(end)}
    return {"type": "Connection", "nodes": found[start:end], "pageInfo": more}
