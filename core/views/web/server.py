"""`WebServer`: answers a browser on this machine. Everything in a request may be hostile."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from ...model.errors import UserError
from ...model.json_values import Json
from ...model.translate import _
from .access import Access
from .listeners import Listener
from .site import Site

MOST_REQUESTS = 32
"""Requests that are answered at the same time; pages that listen are not among them."""

REQUEST_SECONDS = 15.0
"""How long a request may take to arrive, and its answer to be read."""

LARGEST_BODY = 4096
LARGEST_QUERY = 2048

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer."""

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


class WebServer(ThreadingHTTPServer):
    """The server of one site. Raises ``OSError`` if its address is not free.

    ``make_access`` gets the port. ``close`` must follow, or :meth:`serve` was called.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, host: str, port: int, site: Site, make_access: Callable[[int], Access]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.site = site
        self.failure: BaseException | None = None
        """An error of ours that ended the server."""
        self._begun: dict[socket.socket, float] = {}
        """The requests that are being answered, and when they came."""
        self._kept: set[socket.socket] = set()
        self._guarding = threading.Lock()
        super().__init__((host, port), Handler)
        self.port: int = self.server_address[1]
        self.access = make_access(self.port)

    def server_bind(self) -> None:
        """Bind, without the question of the base class for the name of this machine."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def serve(self) -> None:
        """Answer until :meth:`shutdown`. Raises what ended the server."""
        self.serve_forever(poll_interval=0.5)
        if self.failure is not None:
            raise self.failure

    def fail(self, error: BaseException) -> None:
        """End the server because of an error of ours; callable from any thread."""
        self.failure = error
        threading.Thread(target=self.shutdown, daemon=True).start()

    def process_request(self, request: object, client_address: object) -> None:
        """Answer in a thread of its own, unless there are too many."""
        assert isinstance(request, socket.socket)
        with self._guarding:
            is_busy = len(self._begun) >= MOST_REQUESTS
            if not is_busy:
                self._begun[request] = time.monotonic()
        if is_busy:
            request.setblocking(False)
            with _whatever_happens():
                request.send(BUSY)
            request.close()
            return
        super().process_request(request, client_address)

    def shutdown_request(self, request: object) -> None:
        """Close a connection, unless a listener has it now."""
        assert isinstance(request, socket.socket)
        with self._guarding:
            self._begun.pop(request, None)
            is_kept = request in self._kept
            self._kept.discard(request)
        if not is_kept:
            super().shutdown_request(request)

    def keep(self, connection: socket.socket) -> None:
        """Leave the connection of the current request open."""
        with self._guarding:
            self._begun.pop(connection, None)
            self._kept.add(connection)

    def service_actions(self) -> None:
        """Now and then: end the requests of slow clients."""
        limit = time.monotonic() - REQUEST_SECONDS
        with self._guarding:
            late = [request for request, begun in self._begun.items() if begun < limit]
        for request in late:
            with _whatever_happens():
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """An error of a connection is the client's; any other one ends the server."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.fail(error)


class _whatever_happens:
    """Ignores an error of a connection that is given up."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


class Handler(BaseHTTPRequestHandler):
    """Answers one request, then closes the connection."""

    protocol_version = "HTTP/1.1"
    timeout = REQUEST_SECONDS
    server: WebServer

    def do_GET(self) -> None:
        """A page, a file of it, or the events."""
        self.close_connection = True
        path, _mark, query = self.path.partition("?")
        if self._is_refused() or not self._is_reader(path, query):
            return
        if path == "/":
            self._answer(HTTPStatus.OK, HTML, self.server.site.page(self.server.access.csrf))
        elif path == "/events":
            self._listen(query)
        else:
            asset = self.server.site.asset(path)
            if asset is None:
                self._refuse(HTTPStatus.NOT_FOUND, _("There is no such page."))
            else:
                self._answer(HTTPStatus.OK, *asset)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """A button was pressed."""
        self.close_connection = True
        access, host = self.server.access, self.headers.get("Host", "")
        if self._is_refused() or not self._is_reader(self.path, ""):
            return
        origin = self.headers.get("Origin", "")
        if not access.takes_origin(origin, host):
            self._refuse(HTTPStatus.FORBIDDEN, _("Only the page itself may ask for this."))
        elif not access.takes_csrf(self.headers.get("X-RoRchestrator", "")):
            self._refuse(
                HTTPStatus.FORBIDDEN, _("Only the page itself may ask for this: reload it.")
            )
        elif self.path != "/requests":
            self._refuse(HTTPStatus.NOT_FOUND, _("There is no such page."))
        else:
            self._carry_out()

    def __getattr__(self, name: str) -> Callable[[], None]:
        # Any other method: the base class would answer it with a page of its own.
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    # -- who asks ---------------------------------------------------------------------------

    def _is_refused(self) -> bool:
        """Refuse a request that no browser on our page sends."""
        hosts, origins = (self.headers.get_all(name, []) for name in ("Host", "Origin"))
        access = self.server.access
        if len(hosts) != 1 or not access.takes_host(hosts[0]):
            self._refuse(HTTPStatus.FORBIDDEN, _("This server has another name."))
        elif len(origins) > 1 or (origins and not access.takes_origin(origins[0], hosts[0])):
            self._refuse(HTTPStatus.FORBIDDEN, _("Only the page itself may ask for this."))
        elif not self.path.startswith("/") or len(self.path) > LARGEST_QUERY:
            self._refuse(HTTPStatus.BAD_REQUEST, _("This address is not valid."))
        else:
            return False
        return True

    def _is_reader(self, path: str, query: str) -> bool:
        """Whether the browser has the cookie; exchange a token for it, or refuse the request."""
        access = self.server.access
        token = _given(query, "token")
        if path == "/" and token and access.takes_token(token):
            more = {"Location": "/", "Set-Cookie": access.cookie()}
            self._answer(HTTPStatus.SEE_OTHER, PLAIN, b"", more)
            return False
        cookies = "; ".join(self.headers.get_all("Cookie", []))
        if access.takes_cookies(cookies):
            return True
        self._answer(HTTPStatus.UNAUTHORIZED, HTML, self.server.site.closed())
        return False

    # -- answers ----------------------------------------------------------------------------

    def _listen(self, query: str) -> None:
        """Hand the connection over to the feed."""
        since = self.headers.get("Last-Event-ID") or _given(query, "since")
        follow, number = _given(query, "follow"), _given(query, "attempt")
        attempt = int(number) if number.isascii() and number.isdecimal() else 0
        if self.server.site.is_full():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, _("Too many pages are open."))
            return
        self._head(HTTPStatus.OK, EVENTS, {})
        if self.command != "HEAD":
            self.server.keep(self.connection)
            self.server.site.connect(Listener(self.connection, since, follow, attempt))

    def _carry_out(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, _("The length is missing."))
            return
        if len(length) > 9 or int(length) > LARGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("This is too long."))
            return
        body = self.rfile.read(int(length))
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        words = (asked.get("action"), asked.get("feature", "")) if isinstance(asked, dict) else ()
        action, feature = words if all(isinstance(w, str) for w in words) and words else ("", "")
        try:
            reply = self.server.site.carry_out(str(action), str(feature))
        except UserError as error:
            self._reply(HTTPStatus.CONFLICT, {"text": error.message, "hint": error.hint})
        else:
            status = HTTPStatus.OK if reply["done"] else HTTPStatus.CONFLICT
            self._reply(status, reply)

    def _reply(self, status: HTTPStatus, document: Mapping[str, Json]) -> None:
        self._answer(status, JSON, json.dumps(document).encode())

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        self._answer(status, PLAIN, f"{words}\n".encode())

    def _refuse_method(self) -> None:
        self.close_connection = True
        more = {"Allow": "GET, HEAD, POST"}
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, PLAIN, b"", more)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The answer to a request that can't be read: nothing of it is repeated."""
        self.close_connection = True
        self._refuse(HTTPStatus(code), HTTPStatus(code).phrase + ".")

    def _answer(
        self, status: HTTPStatus, kind: str, body: bytes, more: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, {"Content-Length": str(len(body)), **(more or {})})
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, more: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, **HEADERS, **more, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what a client sends is not for a terminal."""


def _given(query: str, name: str) -> str:
    """A value of a query; empty if there is none."""
    try:
        found = parse_qs(query, max_num_fields=8)
    except ValueError:
        return ""
    return found.get(name, [""])[0]
