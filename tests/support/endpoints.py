"""A web server on the loopback that plays the endpoints of notifications, good and bad ones."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.commands import wait_until

PASSING = 2
"""How many requests ``/later`` refuses."""


class Endpoints(ThreadingHTTPServer):
    """Paths: /ok, /later, /500, /gone, /429, /redirect, /hang (until :meth:`close`), /noise."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.ending = threading.Event()
        # Ends within this many seconds of a shutdown.
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str, scheme: str = "http") -> str:
        """The address of an endpoint."""
        return f"{scheme}://127.0.0.1:{self.server_address[1]}{path}"

    def bodies(self, path: str = "/ok") -> list[Any]:
        """What came to a path so far, as JSON."""
        return [json.loads(body) for at, _, body in self.got if at == path]

    def wait_for(self, count: int, path: str = "/ok") -> list[Any]:
        """The bodies, once there are so many."""
        wait_until(lambda: len(self.bodies(path)) >= count, f"{count} requests to {path}")
        return self.bodies(path)

    def close(self) -> None:
        """Let everything go that hangs, and end."""
        self.ending.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that spoke TLS, or that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: Endpoints

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.path == "/hang":
            self.server.ending.wait(30)
            return
        if self.path == "/noise":
            self.wfile.write(b"hello\r\n")
            return
        tried = sum(path == self.path for path, _, _ in self.server.got)
        status = {"/500": 500, "/gone": 404, "/429": 429, "/redirect": 302}.get(self.path, 200)
        if self.path == "/later" and tried <= PASSING:
            status = 503
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url("/ok"))
        if status == 429:
            self.send_header("Retry-After", "7.5")
        said = b"no such hook\x1b[31m" if status == 404 else b""
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""
