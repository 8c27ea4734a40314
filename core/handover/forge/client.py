"""Calls the API of a forge through the user's own ``gh`` or ``glab``, which have the login.

Neither ever asks: there is no terminal, and no standard input but ours. What is sent goes through
standard input, because a command line has a limit, and everybody on the machine can read it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ...model.errors import UserError
from ...model.excerpt import excerpt
from ...model.frozen import dataclass
from ...model.translate import N_
from ...process.environment import without_git
from ...process.spawner import Finished, Spawner, which

NEVER_ASKING = {
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "GH_SPINNER_DISABLED": "1",
    "GLAB_CHECK_UPDATE": "false",
    "GLAB_SEND_TELEMETRY": "false",
    "NO_PROMPT": "1",
    "NO_COLOR": "1",
    "GH_PAGER": "cat",
    "PAGER": "cat",
}
"""For both programs; see ``gh help environment`` and ``glab --help``."""

CHANGING_OUTPUT = ("GH_DEBUG", "GH_FORCE_TTY", "CLICOLOR_FORCE", "GLAB_DEBUG_HTTP", "DEBUG")
"""Variables of the user that would mix other text into the answers."""

NO_LOGIN = 4
"""The exit code of ``gh`` that needs a login; see ``gh help exit-codes``."""

HTTP = re.compile(r"\(HTTP (\d{3})\)|\bHTTP (\d{3})\b")

INSTALLERS = ("brew", "apt-get", "dnf", "pacman", "zypper", "apk")


@dataclass(frozen=True)
class Program:
    """A forge's own program, and how it is installed."""

    name: str
    of: str
    """The forge."""
    packages: Mapping[str, str]
    """The package by installer, where it has another name than the program."""
    login: str
    """The command with which the user logs in."""
    page: str
    """Where the other ways to install it are."""

    def installation(self, environ: Mapping[str, str]) -> str:
        """The command that installs it with what is on PATH, or the page that says how."""
        found = next((each for each in INSTALLERS if which(each, environ)), "")
        package = self.packages.get(found, self.name)
        sudo = "" if found == "brew" else "sudo "
        verb = {"pacman": "-S", "apk": "add"}.get(found, "install")
        return f"{sudo}{found} {verb} {package}" if found else self.page


GH = Program(
    "gh",
    "GitHub",
    {"pacman": "github-cli", "apk": "github-cli"},
    "gh auth login --hostname {host}",
    "https://github.com/cli/cli#installation",
)
GLAB = Program(
    "glab",
    "GitLab",
    {},
    "glab auth login --hostname {host}",
    "https://gitlab.com/gitlab-org/cli#installation",
)


class ForgeError(UserError):
    """The forge refused, or could not be asked; ``status`` is that of HTTP, 0 without one."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


class NotLoggedIn(ForgeError):
    """The user has no login for the host."""


class Client:
    """One forge's program, for one host."""

    def __init__(
        self, spawner: Spawner, environ: Mapping[str, str], program: Program, host: str
    ) -> None:
        self.spawner = spawner
        self.program = program
        self.host = host
        kept = {n: v for n, v in without_git(environ).items() if n not in CHANGING_OUTPUT}
        self.environ = {**kept, **NEVER_ASKING}

    @property
    def is_installed(self) -> bool:
        """Whether the program is on PATH."""
        return bool(which(self.program.name, self.environ))

    @property
    def login(self) -> str:
        """The command with which the user logs in."""
        return self.program.login.format(host=self.host)

    async def is_logged_in(self) -> bool:
        """Whether the program is there and has a login for the host."""
        if not self.is_installed:
            return False
        return (await self.run("auth", "status", "--hostname", self.host)).code == 0

    def check(self) -> None:
        """Raise :class:`UserError` if the program is not installed."""
        if not self.is_installed:
            name, forge = self.program.name, self.program.of
            raise UserError(
                N_("{program} was not found; pull requests on {host} need it").format(
                    program=name, host=self.host
                ),
                hint=N_("{install}, or without {forge}: rorchestrator push").format(
                    install=self.program.installation(self.environ), forge=forge
                ),
            )

    async def run(self, *arguments: str, stdin: bytes = b"") -> Finished:
        """Run the program. Raises :class:`UserError` if it is not installed."""
        self.check()
        argv = [self.program.name, *arguments]
        return await self.spawner.run(argv, env=self.environ, stdin=stdin)

    async def api(self, path: str, method: str = "GET", data: object = None) -> object:
        """The answer to one request, as JSON. Raises :class:`ForgeError`."""
        words = ["api", "--hostname", self.host, "--method", method]
        sent = b""
        if data is not None:
            words += ["--header", "Content-Type: application/json", "--input", "-"]
            sent = json.dumps(data).encode()
        return _one(await self._answered([*words, path], sent))

    async def pages(self, path: str) -> list[object]:
        """All entries of a list that comes in pages."""
        words = ["api", "--hostname", self.host, "--method", "GET", "--paginate", path]
        found: list[object] = []
        for page in _documents(await self._answered(words)):
            found += page if isinstance(page, list) else [page]
        return found

    async def _answered(self, words: list[str], stdin: bytes = b"") -> str:
        finished = await self.run(*words, stdin=stdin)
        if finished.code != 0:
            raise self.refusal(finished)
        return finished.stdout.decode("utf-8", "replace")

    def refusal(self, finished: Finished) -> ForgeError:
        """The error of a call that failed."""
        said = finished.stderr.decode("utf-8", "replace").strip()
        found = HTTP.search(said)
        status = int(found[1] or found[2]) if found else 0
        name = self.program.name
        if status == 401 or (name == GH.name and finished.code == NO_LOGIN):
            return NotLoggedIn(
                N_("{program} is not logged in on {host}").format(program=name, host=self.host),
                hint=self.login,
                status=status,
            )
        words = "; ".join(filter(None, [said, *_reasons(finished.stdout)]))
        message = N_("{program} could not ask {host}: {said}").format(
            program=name,
            host=self.host,
            said=excerpt(words) or N_("exit {code}").format(code=finished.code),
        )
        return ForgeError(message, status=status)


def _one(text: str) -> object:
    return next(_documents(text), None)


def _documents(text: str) -> Iterator[object]:
    """The JSON documents of an output: older versions print one for each page."""
    decoder, position = json.JSONDecoder(), 0
    text = text.strip()
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield value
        while position < len(text) and text[position].isspace():
            position += 1


def _reasons(stdout: bytes) -> list[str]:
    """What the answer of a failed request says beside its message; of GitHub and of GitLab."""
    try:
        answer = json.loads(stdout)
    except ValueError:
        return []
    if not isinstance(answer, dict):
        return []
    errors = answer.get("errors")
    listed = errors if isinstance(errors, list) else []
    words = [each.get("message") if isinstance(each, dict) else each for each in listed]
    message = answer.get("message")
    if isinstance(message, list):
        words += message
    return [word for word in words if isinstance(word, str)]
