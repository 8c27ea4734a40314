"""Plays ``gh`` and ``glab``: their arguments, exit codes and JSON, with a real repository behind.

Strict: what the programs' manuals do not document is refused. ``FORGE_STATE`` names the file with
its state: ``logins``, ``repositories`` (by path: ``git``, the bare repository, and ``pulls``),
``refuse`` (what the server says to every request that changes something) and all ``calls``.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys

TYPE_CHECKING = False  # every import would cost each call some milliseconds
if TYPE_CHECKING:
    from typing import Any, NoReturn

TAKE_VALUE = ("--hostname", "--method", "--header", "--input")
PLAIN = ("--paginate",)


class Refused(Exception):
    """A request that the server refuses: the status and its JSON."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(status)
        self.status, self.answer = status, answer


class Raw(str):
    """An answer that is no JSON."""


def main() -> int:
    program, *words = sys.argv[1:]
    path = os.environ["FORGE_STATE"]
    lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    sent = sys.stdin.read() if not sys.stdin.isatty() else die("it must not ask on a terminal")
    asks = "GH_PROMPT_DISABLED" if program == "gh" else "NO_PROMPT"
    if not os.environ.get(asks):
        die(f"{asks} is not set")
    state["calls"].append([program, *words])
    try:
        return COMMANDS[program, words[0] if words else ""](program, words, sent, state)
    except KeyError:
        return die(f'unknown command "{" ".join(words[:1])}" for "{program}"')
    finally:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
        os.replace(path + ".new", path)


def die(words: str, code: int = 1) -> NoReturn:
    print(words, file=sys.stderr)
    sys.exit(code)


def auth(program: str, words: list[str], sent: str, state: Any) -> int:
    """``auth status --hostname HOST``: the exit code says whether there is a login."""
    if words[1:3] != ["status", "--hostname"] or len(words) != 4:
        die(f"unknown arguments {words}")
    if words[3] in state["logins"][program]:
        return 0
    die(f"You are not logged into any accounts on {words[3]}")


def api(program: str, words: list[str], sent: str, state: Any) -> int:
    """``api [flags] <endpoint>``."""
    options, endpoint = arguments(words[1:])
    host = options.get("--hostname", "")
    if host not in state["logins"][program]:
        if program == "gh":
            die(f"To get started with GitHub CLI, please run:  gh auth login -h {host}", 4)
        print(json.dumps({"message": "401 Unauthorized"}))
        die("glab: 401 Unauthorized (HTTP 401)")
    method = options.get("--method", "POST" if "--input" in options else "GET")
    if "--paginate" in options and method != "GET":
        die("the `--paginate` option is not supported for non-GET requests")
    data = json.loads(sent) if options.get("--input") == "-" else {}
    path, _, query = endpoint.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    asked = {name: unquote(value) for name, _, value in pairs}
    try:
        if method != "GET" and state.get("refuse"):
            raise Refused(422, {"message": state["refuse"]})
        answer = routed(program, method, path, asked, data, state)
        print(answer if isinstance(answer, Raw) else json.dumps(answer))
        if isinstance(answer, dict) and answer.get("errors"):
            die(f"{program}: {answer['errors'][0]['message']}")
        return 0
    except Refused as error:
        print(json.dumps(error.answer))
        message = error.answer.get("message")
        said = message if isinstance(message, str) else json.dumps(message)
        die(f"{program}: {said} (HTTP {error.status})")


def arguments(words: list[str]) -> tuple[dict[str, str], str]:
    options: dict[str, str] = {}
    rest: list[str] = []
    given = iter(words)
    for word in given:
        if word in TAKE_VALUE:
            options[word] = next(given)
        elif word in PLAIN:
            options[word] = ""
        elif word.startswith("-"):
            die(f"unknown flag: {word}")
        else:
            rest.append(word)
    if len(rest) != 1:
        die(f"accepts 1 arg(s), received {len(rest)}")
    return options, rest[0]


def routed(program: str, method: str, path: str, asked: Any, data: Any, state: Any) -> Any:
    """The answer of the first route that fits."""
    if (program, method, path) == ("gh", "POST", "graphql"):
        from tests.support.forge_graphql import answered

        return answered(state["repositories"], data)
    for how, shape, answer in ROUTES[program]:
        found = re.fullmatch(shape, path)
        if found and how == method:
            project = state["repositories"].get(unquote(found[1]))
            if project is None:
                raise Refused(404, {"message": "Not Found"})
            return answer(project, unquote(found[1]), *found.groups()[1:], asked=asked, data=data)
    raise Refused(404, {"message": "Not Found"})


def unquote(text: str) -> str:
    """A part of a URL as it is meant."""
    plain = text.replace("+", " ").encode()
    return re.sub(rb"%(..)", lambda found: bytes([int(found[1], 16)]), plain).decode()


def git(project: Any, *words: str) -> str:
    import subprocess

    done = subprocess.run(["git", "-C", project["git"], *words], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def tip(project: Any, branch: str) -> str:
    """The commit of a branch, read as git keeps it; empty if there is none."""
    path = os.path.join(project["git"], "refs", "heads", branch)
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def numbered(project: Any, number: str) -> Any:
    for pull in project["pulls"]:
        if pull["number"] == int(number):
            return pull
    raise Refused(404, {"message": "Not Found"})


# -- GitHub ------------------------------------------------------------------------------------


def gh_list(project: Any, path: str, *, asked: Any, data: Any) -> Any:
    owner = path.split("/")[0]
    wanted = asked.get("head", "")
    return [
        gh_pull(project, pull)
        for pull in reversed(project["pulls"])
        if (not wanted or wanted == f"{owner}:{pull['head']}")
        and (asked.get("state", "open") == "all" or pull["state"] == "open")
    ]


def gh_pull(project: Any, pull: Any) -> Any:
    return {
        "number": pull["number"],
        "html_url": pull["url"],
        "state": "open" if pull["state"] == "open" else "closed",
        "merged_at": "2026-01-02T14:30:15Z" if pull["state"] == "merged" else None,
        "title": pull["title"],
        "body": pull["body"],
        "draft": pull["draft"],
        "auto_merge": {"merge_method": "squash"} if pull.get("armed") else None,
        "head": {"ref": pull["head"], "sha": tip(project, pull["head"]) or pull.get("sha", "")},
        "base": {"ref": pull["base"]},
    }


def gh_open(project: Any, path: str, *, asked: Any, data: Any) -> Any:
    if set(data) != {"title", "head", "base", "body", "draft"}:
        raise Refused(422, {"message": "Validation Failed"})
    owner = path.split("/")[0]
    why = ""
    if not tip(project, data["head"]):
        why = "head is invalid"
    elif not tip(project, data["base"]):
        why = "base is invalid"
    elif any(p["head"] == data["head"] and p["state"] == "open" for p in project["pulls"]):
        why = f"A pull request already exists for {owner}:{data['head']}."
    elif not git(project, "rev-list", "-1", f"{data['base']}..{data['head']}"):
        why = f"No commits between {data['base']} and {data['head']}"
    if why:
        raise Refused(422, {"message": "Validation Failed", "errors": [{"message": why}]})
    return gh_pull(project, added(project, data, f"https://github.com/{path}/pull"))


def gh_update(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    pull = numbered(project, number)
    if set(data) - {"title", "body", "base", "state"}:
        raise Refused(422, {"message": "Validation Failed"})
    if "base" in data and (pull["state"] != "open" or not tip(project, data["base"])):
        errors = [{"message": "Cannot change the base branch of a closed pull request."}]
        raise Refused(422, {"message": "Validation Failed", "errors": errors})
    pull.update(data)
    return gh_pull(project, pull)


def added(project: Any, data: Any, url: str) -> Any:
    number = project.get("next", 11)
    project["next"] = number + 1
    pull = {"number": number, "url": f"{url}/{number}", "state": "open", **data}
    project["pulls"].append(pull)
    return pull


def gh_view(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    return gh_pull(project, numbered(project, number))


# -- GitLab ------------------------------------------------------------------------------------


def glab_list(project: Any, path: str, *, asked: Any, data: Any) -> Any:
    branch = asked.get("source_branch")
    return [
        glab_request(project, pull)
        for pull in reversed(project["pulls"])
        if branch in (None, pull["head"])
    ]


def glab_request(project: Any, pull: Any) -> Any:
    return {
        "iid": pull["number"],
        "web_url": pull["url"],
        "source_project_id": pull.get("source", 1),
        "target_project_id": 1,
        "source_branch": pull["head"],
        "target_branch": pull["base"],
        "state": "opened" if pull["state"] == "open" else pull["state"],
        "title": pull["title"],
        "description": pull["body"],
        "draft": pull["title"].startswith("Draft: "),
        "merge_when_pipeline_succeeds": bool(pull.get("armed")),
        "sha": tip(project, pull["head"]),
    }


def glab_open(project: Any, path: str, *, asked: Any, data: Any) -> Any:
    if set(data) != {"source_branch", "target_branch", "title", "description"}:
        raise Refused(400, {"message": "400 Bad request"})
    head = data["source_branch"]
    if any(p["head"] == head and p["state"] == "open" for p in project["pulls"]):
        words = f"Another open merge request already exists for this source branch: {head}"
        raise Refused(409, {"message": [words]})
    for side in ("source_branch", "target_branch"):
        if not tip(project, data[side]):
            raise Refused(422, {"message": [f"{side} does not exist"]})
    given = {
        "head": head,
        "base": data["target_branch"],
        "title": data["title"],
        "body": data["description"],
    }
    url = f"https://gitlab.example.org/{path}/-/merge_requests"
    return glab_request(project, added(project, given, url))


def glab_update(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    pull = numbered(project, number)
    names = {"target_branch": "base", "description": "body", "title": "title"}
    if set(data) - set(names):
        raise Refused(400, {"message": "400 Bad request"})
    pull.update({names[name]: value for name, value in data.items()})
    return glab_request(project, pull)


def glab_view(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    return glab_request(project, numbered(project, number))


# -- readers -----------------------------------------------------------------------------------


def gh_permission(project: Any, path: str, login: str, *, asked: Any, data: Any) -> Any:
    """Who is no collaborator of a public repository may read it."""
    if project.get("hides_people"):
        words = "Must have push access to view collaborator permission."
        raise Refused(project["hides_people"], {"message": words})
    known = project.get("people", {})
    if unquote(login) not in known:
        raise Refused(404, {"message": f"{unquote(login)} is not a user"})
    role = known[unquote(login)]
    permission = {"maintain": "write", "triage": "read"}.get(role, role)
    return {"permission": permission, "role_name": role, "user": {"login": unquote(login)}}


def gh_run(program: str, words: list[str], sent: str, state: Any) -> int:
    """``run view --job ID --log-failed --repo HOST/OWNER/NAME``."""
    if words[1:3] != ["view", "--job"] or words[4:6] != ["--log-failed", "--repo"]:
        die(f"unknown arguments {words}")
    host, _, path = words[6].partition("/")
    log = state["repositories"][path].get("logs", {}).get(words[3])
    if host not in state["logins"]["gh"] or log is None:
        die(f"failed to get job: HTTP 404: Not Found (https://api.github.com/jobs/{words[3]})")
    for line in log.splitlines():
        print(f"test\tRun make test\t2026-01-02T14:30:15.1234567Z {line}")
    return 0


def glab_discussions(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    return numbered(project, number).get("discussions", [])


def glab_reviewers(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    return numbered(project, number).get("reviewers", [])


def glab_pipelines(project: Any, path: str, number: str, *, asked: Any, data: Any) -> Any:
    return numbered(project, number).get("pipelines", [])


def glab_jobs(project: Any, path: str, pipeline: str, *, asked: Any, data: Any) -> Any:
    if asked.get("scope[]") != "failed":
        raise Refused(400, {"message": "scope does not have a valid value"})
    return project.get("jobs", {}).get(pipeline, [])


def glab_trace(project: Any, path: str, job: str, *, asked: Any, data: Any) -> Any:
    if job not in project.get("logs", {}):
        raise Refused(404, {"message": "404 Not Found"})
    return Raw(project["logs"][job])


def glab_member(project: Any, path: str, user: str, *, asked: Any, data: Any) -> Any:
    if project.get("hides_people"):
        raise Refused(project["hides_people"], {"message": "Forbidden"})
    level = project.get("people", {}).get(user)
    if level is None:
        raise Refused(404, {"message": "404 Not found"})
    return {"id": int(user), "state": "active", "access_level": level}


GH = r"repos/([^/]+/[^/]+)/pulls"
GLAB = r"projects/([^/]+)/merge_requests"

ROUTES: dict[str, list[tuple[str, str, Any]]] = {
    "gh": [
        ("GET", GH, gh_list),
        ("POST", GH, gh_open),
        ("GET", rf"{GH}/(\d+)", gh_view),
        ("PATCH", rf"{GH}/(\d+)", gh_update),
        ("GET", r"repos/([^/]+/[^/]+)/collaborators/([^/]+)/permission", gh_permission),
    ],
    "glab": [
        ("GET", GLAB, glab_list),
        ("POST", GLAB, glab_open),
        ("GET", rf"{GLAB}/(\d+)", glab_view),
        ("PUT", rf"{GLAB}/(\d+)", glab_update),
        ("GET", rf"{GLAB}/(\d+)/discussions", glab_discussions),
        ("GET", rf"{GLAB}/(\d+)/reviewers", glab_reviewers),
        ("GET", rf"{GLAB}/(\d+)/pipelines", glab_pipelines),
        ("GET", r"projects/([^/]+)/pipelines/(\d+)/jobs", glab_jobs),
        ("GET", r"projects/([^/]+)/jobs/(\d+)/trace", glab_trace),
        ("GET", r"projects/([^/]+)/members/all/(\d+)", glab_member),
    ],
}

COMMANDS = {
    ("gh", "auth"): auth,
    ("gh", "api"): api,
    ("gh", "run"): gh_run,
    ("glab", "auth"): auth,
    ("glab", "api"): api,
}

if __name__ == "__main__":
    sys.exit(main())
