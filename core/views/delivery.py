"""Sends one notification once: by HTTP, to a command, or to the desktop.

URLs come from the environment only. Only https is used, and http on the loopback; redirects are
not followed, because a request to another host would carry the notification there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping

from ..model.feature import Receiver, ReceiverType
from ..model.frozen import dataclass
from ..model.terminal_text import one_line
from ..model.translate import _
from ..model.words import headed
from ..process.environment import without_git
from ..process.spawner import Spawner, which
from .notice import Notice
from .notice_bodies import Body, body_of

TIMEOUT_SECONDS = 10.0
"""Of each try."""

ANSWER_CHARACTERS = 200
"""How much of a refusal is quoted."""

LONGEST_WAIT_SECONDS = 30.0
"""Of a wait that the other side asks for (``Retry-After``)."""

NOT_STARTED = (126, 127)
"""Exit codes of the shell for a program that is missing or can't be executed."""

OSASCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
"""The texts are arguments, so that none is read as a program."""


@dataclass(frozen=True)
class Delivery:
    """How a try ended; without a fault, the notification was delivered."""

    fault: str = ""
    may_succeed: bool = False
    """Whether another try makes sense."""
    wait_seconds: float = 0.0
    """The wait before it that the other side asked for."""


def send(
    receiver: Receiver,
    notice: Notice,
    environ: Mapping[str, str],
    folder: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Delivery:
    """Send a notification; commands run in ``folder``."""
    fault = receiver_fault(receiver, environ)
    if fault:
        return Delivery(fault)
    if receiver.command is not None:
        content = json.dumps(notice.to_json()).encode()
        return _command(receiver.command.argv, content, environ, folder, timeout_seconds)
    if receiver.type is ReceiverType.DESKTOP:
        argv = desktop_command(notice)
        return _command(argv, b"", environ, folder, timeout_seconds)
    secret = environ.get(receiver.secret_env, "")
    body = body_of(receiver.type, notice, secret, time.time())
    return _post(environ[receiver.url_env], body, timeout_seconds)


def receiver_fault(receiver: Receiver, environ: Mapping[str, str]) -> str:
    """Why nothing can be sent to a receiver, before it is tried; else empty."""
    if receiver.type is ReceiverType.DESKTOP:
        missing = _("neither notify-send (package libnotify) nor osascript is on PATH")
        return "" if _desktop_program(environ, sys.platform) else missing
    for name in (receiver.url_env, receiver.secret_env):
        if name and not environ.get(name):
            return _("the environment variable {name} is not set").format(name=name)
    fault = url_fault(environ[receiver.url_env]) if receiver.url_env else ""
    return f"{receiver.url_env} {fault}" if fault else ""


def url_fault(url: str) -> str:
    """Why nothing is sent to a URL; it is not quoted, because it is a secret."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError:
        return _("is not a valid URL")
    if not host or parts.scheme not in ("http", "https"):
        return _("is not a URL that begins with https://")
    if parts.scheme == "http" and not is_loopback(host):
        return _("must begin with https:// (http:// only for the loopback)")
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(url: str, body: Body, timeout_seconds: float) -> Delivery:
    from http.client import HTTPException
    from urllib.request import Request

    request = Request(url, body.content, {**body.headers, "User-Agent": "RoRchestrator"})
    try:
        with _opener(url).open(request, timeout=timeout_seconds) as answer:
            status, retry_after = answer.status, answer.headers.get("Retry-After", "")
            said = "" if status < 400 else answer.read(ANSWER_CHARACTERS).decode("utf-8", "replace")
    except OSError as error:
        return Delivery(_told(error), may_succeed=True)
    except (HTTPException, ValueError) as error:
        return Delivery(
            _("the answer is not HTTP ({name})").format(name=type(error).__name__), may_succeed=True
        )
    if status < 300:
        return Delivery()
    if status < 400:
        return Delivery(
            _("it redirects (HTTP {status}), which is not followed").format(status=status)
        )
    may_succeed = status in (408, 429) or status >= 500
    fault = one_line(_("HTTP {status} {said}").format(status=status, said=said))
    return Delivery(fault, may_succeed, _seconds(retry_after))


def _opener(url: str):  # type: ignore[no-untyped-def]
    """Opens a URL without redirects, files and other schemes; a loopback needs no proxy."""
    from urllib import request
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    opener = request.OpenerDirector()
    is_https = parts.scheme == "https"  # It takes long to read the certificates.
    opener.add_handler(request.HTTPSHandler() if is_https else request.HTTPHandler())
    if not is_loopback(parts.hostname or ""):
        opener.add_handler(request.ProxyHandler())
    return opener


def _told(error: OSError) -> str:
    """An error of the network in words."""
    import socket

    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.timeout):  # TimeoutError since Python 3.10
        return _("no answer in time")
    words = getattr(reason, "strerror", None) or reason or type(reason).__name__
    return one_line(_("not reachable: {words}").format(words=words))


def _seconds(retry_after: str) -> float:
    """``Retry-After`` in seconds; a date is ignored."""
    try:
        return min(LONGEST_WAIT_SECONDS, max(0.0, float(retry_after)))
    except ValueError:
        return 0.0


def _desktop_program(environ: Mapping[str, str], platform: str) -> str:
    name = "osascript" if platform == "darwin" else "notify-send"
    return name if which(name, environ) else ""


def desktop_command(notice: Notice, platform: str = sys.platform) -> tuple[str, ...]:
    """The command that shows a notification on the desktop."""
    text = "\n".join(notice.lines)
    if platform == "darwin":
        script = (word for line in OSASCRIPT for word in ("-e", line))
        return ("osascript", *script, notice.title, text)
    urgency = "critical" if notice.needs_you else "normal"
    # The text may be read as HTML.
    html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    words = ("--app-name=RoRchestrator", f"--urgency={urgency}")
    return ("notify-send", *words, "--", notice.title, html)


def _command(
    argv: tuple[str, ...],
    content: bytes,
    environ: Mapping[str, str],
    folder: str,
    timeout_seconds: float,
) -> Delivery:
    inside = ("/bin/sh", "-c", 'cd -- "$0" && exec "$@"', folder, *argv)
    done = Spawner().run_limited(
        inside, env=without_git(environ), timeout_seconds=timeout_seconds, stdin=content
    )
    if done.code == 0:
        return Delivery()
    name = os.path.basename(argv[0])
    if done.code == -signal.SIGKILL:
        return Delivery(
            _("{name} did not end within {seconds:.0f} s").format(
                name=name, seconds=timeout_seconds
            ),
            may_succeed=True,
        )
    said = done.complaint.splitlines()[-1:]
    ending = (
        _("signal {number}").format(number=-done.code)
        if done.code < 0
        else _("exit {code}").format(code=done.code)
    )
    ended = _("{name} ended with {ending}").format(name=name, ending=ending)
    fault = one_line(headed(ended, said[0]) if said else ended)
    return Delivery(fault, may_succeed=done.code not in NOT_STARTED)
