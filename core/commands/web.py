"""``web``: a page in the browser that follows the last run, with buttons that steer it."""

from __future__ import annotations

import argparse
import errno
import json
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from ..model.control_action import ControlAction
from ..model.errors import ExitCode, UserError
from ..model.json_values import Json
from ..model.next_commands import completed
from ..model.translate import N_, _, shown
from ..process.browser import open_in_browser
from ..project import control_requests
from ..views.run_extras import extras_of
from ..views.web.access import Access, in_url, is_loopback, load_key
from ..views.web.board import Board
from ..views.web.feed import Feed
from ..views.web.run_story import Known
from ..views.web.server import WebServer
from ..views.web.site import Site
from .options import add_common_options, opened_or_recorded

DEFAULT_PORT = 8737

EXAMPLES = N_("""\
examples:
  rorchestrator web --open
  rorchestrator web --port 8080      at this port, and at no other
  rorchestrator run --web            the page of a run, until it ends
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show the last run in the browser: its report, live, and what Claude "
        "does. Buttons pause,\nresume and stop the run, and stop, retry and "
        "skip its features. Ctrl-C ends the page,\nwhich changes nothing in the "
        "run."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help=_("the port; 0 for any free one (default: 8737, or any free one if that is in use)"),
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar=_("ADDRESS"),
        help=_("the address to listen at (default: 127.0.0.1)"),
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help=_("allow a --host that other machines can reach; the connection is not encrypted"),
    )
    parser.add_argument("--open", action="store_true", help=_("open the page in the browser"))
    parser.add_argument(
        "--until-eof", action="store_true", help=_("end when standard input is closed")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print the address as one JSON object")
    )
    add_common_options(parser)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 65536
    if number > 65535:
        raise argparse.ArgumentTypeError(_("{text!r} is not a port (0 to 65535)").format(text=text))
    return number


def execute(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, a signal, or the end of standard input."""
    if not (arguments.allow_remote or is_loopback(arguments.host)):
        raise UserError(
            _("other machines could reach {host}, and nothing would be encrypted").format(
                host=arguments.host
            ),
            hint=_(
                "ssh -L {default_port}:127.0.0.1:{default_port} HOST reaches the page "
                "safely; or add --allow-remote"
            ).format(default_port=DEFAULT_PORT),
        )
    page = Page(arguments)
    server = page.server
    try:
        if arguments.until_eof:
            threading.Thread(target=_end_with_stdin, args=[server], daemon=True).start()
        page.feed.start()
        _announce(arguments, server)
        server.serve()
    except KeyboardInterrupt:
        pass  # This is how it ends.
    finally:
        page.feed.end()
        server.server_close()
    return ExitCode.UP_TO_DATE


def _announce(arguments: argparse.Namespace, server: WebServer) -> None:
    """Print the address, and open it if that was asked."""
    access, host = server.access, _reachable(arguments.host)
    url = in_url(host, server.port, {"token": access.token})
    if arguments.json:
        print(json.dumps({"url": url}), flush=True)
    else:
        print(url, flush=True)
        if not arguments.quiet:
            print(_("The page is open until you press Ctrl-C."), file=sys.stderr)
    if arguments.open:
        once = in_url(host, server.port, {"token": access.token_for_once()})
        if not open_in_browser(once, os.environ, sys.platform):
            print(_("No browser could be opened: open the address yourself."), file=sys.stderr)


def _reachable(host: str) -> str:
    """A name for this machine, for the address that is printed."""
    return socket.gethostname() if host in ("0.0.0.0", "::") else host


def _end_with_stdin(server: WebServer) -> None:
    deque(iter(lambda: os.read(0, 4096), b""), maxlen=0)
    server.shutdown()


class Page:
    """The page with its server, made from the options of the command."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._project, self._fault = opened_or_recorded(arguments)
        project = self._project
        self._read = _version(project.config.path)
        given = vars(arguments)
        board = Board(
            project.journal.path,
            self._know,
            project.lock.holder,
            lambda command: completed(command, given),
        )
        self.feed = Feed(board, lambda: self._project.mask, lambda error: self.server.fail(error))
        self.server = _server(
            arguments, Site(self.feed, self._ask), load_key(project.journal.folder)
        )

    def _know(self) -> Known:
        """What the list says; it is read again if it has changed."""
        read = _version(self._project.config.path)
        if self._fault or read != self._read:
            with suppress(UserError):
                self._project, self._fault = opened_or_recorded(self._arguments)
            self._read = read
        project, settings = self._project, self._project.config.project
        return Known(
            name=project.mask(settings.name),
            features={
                id: (project.mask(feature.name), feature.depends_on)
                for id, feature in project.dag.features.items()
            },
            base_branch=settings.base_branch,
            base_commit=project.base_commit,
            fault=self._fault,
            seen=project.seen,
            extras=lambda report, events: extras_of(project, report, events),
        )

    def _ask(self, action: ControlAction, feature: str) -> Mapping[str, Json]:
        project, _fault = opened_or_recorded(self._arguments)
        state = project.state()
        run = control_requests.landing(project, state) or control_requests.running(project, state)
        if not run:
            raise UserError(_("no run is in progress"), hint="rorchestrator status")
        return control_requests.ask(project, run, action, feature).to_json()


def _version(path: str) -> tuple[int, ...]:
    """Another one for each version of a file; empty without the file."""
    try:
        info = os.stat(path)
    except OSError:
        return ()
    return info.st_ino, info.st_mtime_ns, info.st_size


def _server(arguments: argparse.Namespace, site: Site, key: bytes) -> WebServer:
    """The server at its port. Raises :class:`UserError` if that is not possible."""
    host, port = arguments.host, arguments.port

    def access(port: int) -> Access:
        return Access(key, host, port, socket.gethostname())

    try:
        try:
            return WebServer(host, DEFAULT_PORT if port is None else port, site, access)
        except OSError as error:
            if port is not None or error.errno != errno.EADDRINUSE:
                raise
            return WebServer(host, 0, site, access)
    except OSError as error:
        place = (
            host
            if port == 0
            else _("{host}, port {port}").format(host=host, port=port or DEFAULT_PORT)
        )
        raise UserError(
            _("the page can't be served at {place}: {strerror}").format(
                place=place, strerror=shown(error.strerror or "")
            ),
            hint=_("give --host an address of this machine")
            if port == 0
            else _("rorchestrator web --port 0 takes any free port"),
        ) from None
