"""What the server answers, and whom: hostile requests on raw sockets."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import unittest
from collections.abc import Mapping
from unittest import mock

from core.model.errors import UserError
from core.views.web import server as server_module
from core.views.web.access import Access
from core.views.web.listeners import Listener
from core.views.web.server import (
    HEADERS,
    LARGEST_BODY,
    LARGEST_QUERY,
    MOST_REQUESTS,
    WebServer,
)
from tests.support.commands import wait_until


class Site:
    """Answers simply, and notes what it is asked for."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.asked: list[tuple[str, str]] = []
        self.full = False
        self.go = threading.Event()

    def page(self, csrf: str) -> bytes:
        return f"the page {csrf}".encode()

    def closed(self) -> bytes:
        return b"closed"

    def asset(self, path: str) -> tuple[str, bytes] | None:
        if path == "/broken.js":
            raise ZeroDivisionError("a mistake of ours")
        if path == "/slow.js":
            self.go.wait(30)
        return ("text/css", b"p{}") if path.endswith((".css", "slow.js")) else None

    def is_full(self) -> bool:
        return self.full

    def connect(self, listener: Listener) -> None:
        self.listeners.append(listener)

    def carry_out(self, action: str, feature: str) -> Mapping[str, object]:
        self.asked.append((action, feature))
        if action == "skip":
            raise UserError("no run", hint="rorchestrator status")
        return {"done": action == "pause", "text": "paused"}


class ServerTest(unittest.TestCase):
    site: Site
    server: WebServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = Site()
        cls.server = _server(cls.site)
        thread = threading.Thread(target=cls.server.serve)
        thread.start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.shutdown)

    def setUp(self) -> None:
        self.access = self.server.access
        self.host = f"127.0.0.1:{self.server.port}"
        self.cookie = {"Cookie": f"{self.access.cookie_name}={self.access.session}"}
        self.site.asked.clear()
        self.addCleanup(self.hang_up)

    def hang_up(self) -> None:
        for listener in self.site.listeners:
            listener.close()
        self.site.listeners.clear()

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        given = {**self.cookie, **{name.replace("_", "-"): text for name, text in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        self.addCleanup(connection.close)
        connection.putrequest(method, path, skip_host="Host" in given)
        if body is not None and "Content-Length" not in given:
            given["Content-Length"] = str(len(body))
        for name, text in given.items():
            connection.putheader(name, text)
        connection.endheaders(body)
        answer = connection.getresponse()
        self.text = answer.read() if "event-stream" not in answer.headers["Content-Type"] else b""
        return answer

    def raw(self, said: bytes) -> bytes:
        """What the server says to some bytes, until it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as connection:
            connection.sendall(said)
            found = b""
            while True:
                chunk = connection.recv(65536)
                if not chunk:
                    return found
                found += chunk

    def press(self, body: object = None, **headers: str) -> http.client.HTTPResponse:
        given = {"Origin": f"http://{self.host}", "X_RoRchestrator": self.access.csrf, **headers}
        asked = {"action": "pause"} if body is None else body
        said = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        return self.ask("/requests", "POST", said, **given)

    # -- who may read -----------------------------------------------------------------------

    def test_a_token_is_exchanged_for_a_cookie_and_a_clean_address(self) -> None:
        self.cookie = {}
        answer = self.ask(f"/?token={self.access.token}")
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/"))
        self.assertEqual(answer.headers["Set-Cookie"], self.access.cookie())
        self.cookie = {"Cookie": str(answer.headers["Set-Cookie"]).partition(";")[0]}
        self.assertEqual(self.ask("/").status, 200)
        self.assertEqual(self.text.decode(), f"the page {self.access.csrf}")

    def test_nothing_can_be_read_without_the_cookie(self) -> None:
        self.cookie = {}
        for path in ("/", "/?token=", "/?token=wrong", "/events", "/web.css", "/nothing"):
            with self.subTest(path):
                answer = self.ask(path)
                self.assertEqual((answer.status, self.text), (401, b"closed"))
                self.assertIsNone(answer.headers["Set-Cookie"])
        self.cookie = {"Cookie": f"{self.access.cookie_name}=wrong"}
        self.assertEqual(self.ask("/").status, 401)
        self.assertEqual(self.ask(f"/web.css?token={self.access.token}").status, 401)
        self.assertEqual(self.press().status, 401)
        self.assertEqual(self.site.asked, [])

    def test_a_wrong_token_takes_nothing_away_from_a_browser_with_the_cookie(self) -> None:
        self.assertEqual(self.ask("/?token=old").status, 200)

    def test_other_names_of_this_machine_are_refused(self) -> None:
        for host in ("evil.example", f"evil.example:{self.server.port}", "127.0.0.1", ""):
            with self.subTest(host):
                self.assertEqual(self.ask("/", Host=host).status, 403)
                self.assertEqual(self.press(Host=host, Origin=f"http://{host}").status, 403)
        self.assertEqual(self.site.asked, [])
        twice = f"GET / HTTP/1.1\r\nHost: {self.host}\r\nHost: {self.host}\r\n\r\n"
        self.assertIn(b" 403 ", self.raw(twice.encode()))
        self.assertIn(b" 403 ", self.raw(b"GET / HTTP/1.1\r\n\r\n"))

    def test_other_sites_are_refused_even_with_the_cookie(self) -> None:
        for origin in ("https://evil.example", "null", f"https://{self.host}", "http://127.0.0.1"):
            with self.subTest(origin):
                self.assertEqual(self.ask("/", Origin=origin).status, 403)
                self.assertEqual(self.press(Origin=origin).status, 403)
        self.assertEqual(self.ask("/", Origin=f"http://{self.host}").status, 200)
        self.assertEqual(self.site.asked, [])

    # -- what is there ----------------------------------------------------------------------

    def test_every_answer_has_the_headers_that_protect_it(self) -> None:
        answers = [self.ask("/"), self.ask("/web.css"), self.ask("/nothing"), self.ask("/", "PUT")]
        answers += [self.press(), self.ask("/events"), self.ask("/", Host="evil.example")]
        self.assertEqual([a.status for a in answers], [200, 200, 404, 405, 200, 200, 403])
        for answer in answers:
            for name, text in HEADERS.items():
                self.assertEqual(answer.headers[name], text)
            self.assertIsNone(answer.headers["Server"])
        policy = HEADERS["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("*", policy)

    def test_no_path_leads_to_a_file(self) -> None:
        for path in (
            *("/../web.js", "/%2e%2e/web.py", "/..%2f..%2fetc/passwd", "//etc/passwd", "/web"),
            *("/web.css/", "/.git/config", "/%00", "/web.js%00", "/\\..\\x"),
        ):
            with self.subTest(path):
                self.assertEqual(self.ask(path).status, 404)

    def test_a_request_that_is_no_path_is_refused(self) -> None:
        self.assertEqual(self.ask("http://evil.example/", Host=self.host).status, 400)
        for path in ("*", "x", "/" + "x" * LARGEST_QUERY):
            self.assertEqual(self.ask(path).status, 400, path)
        self.assertEqual(self.raw(b"GET / HTTP/1.1 more\r\n\r\n"), b"Bad Request.\n")
        self.assertIn(b" 414 ", self.raw(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n"))
        many = b"".join(b"X-%d: y\r\n" % number for number in range(200))
        self.assertIn(b" 431 ", self.raw(b"GET / HTTP/1.1\r\n" + many + b"\r\n"))
        self.assertEqual(self.ask("/?" + "&".join("ab")).status, 200)
        self.assertEqual(self.ask("/?" + "&".join(f"{n}=x" for n in range(30))).status, 200)

    def test_nothing_of_a_bad_request_is_repeated(self) -> None:
        said = self.raw(b"<script>alert(1)</script> / HTTP/9.9\r\nX: <b>\r\n\r\n")
        self.assertNotIn(b"<", said)
        said = self.raw(b"G\x1b[31mT /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: " + b"x\r\n\r\n")
        self.assertNotIn(b"\x1b", said)
        self.assertNotIn(b"Set-Cookie", said)

    def test_head_is_get_without_a_body(self) -> None:
        answer = self.ask("/", "HEAD")
        self.assertEqual((answer.status, self.text), (200, b""))
        self.assertEqual(answer.headers["Content-Length"], str(len(f"the page {self.access.csrf}")))
        self.assertEqual(self.ask("/events", "HEAD").status, 200)
        self.assertEqual(self.site.listeners, [])

    def test_other_methods_are_refused(self) -> None:
        for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "X"):
            answer = self.ask("/", method)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD, POST"))
        with self.assertRaises(AttributeError):
            server_module.Handler.__getattr__(mock.Mock(), "nothing")

    # -- buttons ----------------------------------------------------------------------------

    def test_a_button_asks_the_run(self) -> None:
        answer = self.press({"action": "pause"})
        self.assertEqual((answer.status, json.loads(self.text)["text"]), (200, "paused"))
        answer = self.press({"action": "stop", "feature": "auth"})
        self.assertEqual(answer.status, 409)
        answer = self.press({"action": "skip", "feature": "auth"})
        self.assertEqual(answer.status, 409)
        self.assertEqual(json.loads(self.text), {"text": "no run", "hint": "rorchestrator status"})
        self.assertEqual(self.site.asked, [("pause", ""), ("stop", "auth"), ("skip", "auth")])

    def test_only_a_page_of_ours_presses_buttons(self) -> None:
        self.assertEqual(self.press(X_RoRchestrator="wrong").status, 403)
        self.assertEqual(self.press(X_RoRchestrator=self.access.session).status, 403)
        body = b'{"action": "pause"}'
        self.assertEqual(self.ask("/requests", "POST", body).status, 403)  # without an origin
        origin = {"Origin": f"http://{self.host}"}
        self.assertEqual(self.ask("/requests", "POST", body, **origin).status, 403)
        self.assertEqual(self.ask("/requests").status, 404)
        given = {**origin, "X_RoRchestrator": self.access.csrf}
        self.assertEqual(self.ask("/other", "POST", body, **given).status, 404)
        self.assertEqual(self.site.asked, [])

    def test_what_a_button_says_may_be_anything(self) -> None:
        for body in (b"", b"no json", b"[" * LARGEST_BODY, b"\xff", [], {}, {"action": 5}):
            self.press(body)
        self.press({"action": "pause", "feature": ["x"]})
        self.assertEqual(set(self.site.asked), {("", "")})
        self.assertEqual(self.press(b"{}" + b" " * LARGEST_BODY).status, 413)
        for length in ("9" * 400, "-1", "x", ""):
            answer = self.press(b"", Content_Length=length)
            self.assertEqual(answer.status, 413 if length.startswith("9") else 411, length)

    # -- pages that listen, slow clients ----------------------------------------------------

    def listens(self, path: str, **headers: str) -> Listener:
        answer = self.ask(path, **headers)
        self.addCleanup(answer.close)
        self.assertEqual(answer.status, 200)
        wait_until(lambda: self.site.listeners, "the page listens")
        listener = self.site.listeners.pop()
        self.addCleanup(listener.close)
        return listener

    def test_the_connection_of_a_page_that_listens_stays_open(self) -> None:
        listener = self.listens("/events?since=12-ab&follow=auth&attempt=2")
        self.assertEqual((listener.since, listener.follow, listener.attempt), ("12-ab", "auth", 2))
        listener.look()
        self.assertFalse(listener.is_gone)
        again = self.listens("/events?since=12-ab&attempt=x", Last_Event_ID="13-cd")
        self.assertEqual((again.since, again.follow, again.attempt), ("13-cd", "", 0))

    def test_no_more_pages_listen_than_there_is_room_for(self) -> None:
        self.site.full = True
        self.addCleanup(setattr, self.site, "full", False)
        self.assertEqual(self.ask("/events").status, 503)

    def test_a_client_that_does_not_finish_its_request_is_cut_off(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            with mock.patch.object(server_module, "REQUEST_SECONDS", -1.0):
                self.assertEqual(slow.recv(100), b"")

    def test_too_many_requests_at_once_are_refused_and_others_are_answered_later(self) -> None:
        connections = []
        for _ in range(MOST_REQUESTS):
            connections.append(socket.create_connection(("127.0.0.1", self.server.port), 20))
            self.addCleanup(connections[-1].close)
        wait_until(lambda: len(self.server._begun) == MOST_REQUESTS, "all slots are in use")
        self.assertIn(b" 503 ", self.raw(b""))
        for connection in connections:
            connection.close()
        wait_until(lambda: not self.server._begun, "all are over")
        self.assertEqual(self.ask("/").status, 200)


class FailingServerTest(unittest.TestCase):
    def test_a_mistake_of_ours_ends_the_server_and_is_told(self) -> None:
        server = _server(Site())
        self.addCleanup(server.server_close)
        access = server.access
        failure: list[BaseException] = []

        def serve() -> None:
            try:
                server.serve()
            except ZeroDivisionError as error:
                failure.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.addCleanup(connection.close)
        cookie = f"{access.cookie_name}={access.session}"
        connection.request("GET", "/broken.js", headers={"Cookie": cookie})
        with self.assertRaises(OSError):
            connection.getresponse()
        thread.join()
        self.assertEqual(len(failure), 1)

    def test_a_connection_that_breaks_is_no_mistake_of_ours(self) -> None:
        site = Site()
        server = _server(site)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.serve)
        thread.start()
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            access = server.access
            connection.sendall(
                f"GET /slow.js HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Cookie: {access.cookie_name}={access.session}\r\n\r\n".encode()
            )
            wait_until(lambda: server._begun, "it has begun")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with mock.patch.object(server_module.Handler, "_answer", side_effect=BrokenPipeError):
            site.go.set()
            wait_until(lambda: not server._begun, "it has ended")
        self.assertIsNone(server.failure)
        server.shutdown()
        thread.join()

    def test_a_server_of_ipv6(self) -> None:
        try:
            server = _server(Site(), "::1")
        except OSError:
            self.skipTest("there is no IPv6 here")
        self.addCleanup(server.server_close)
        self.assertEqual(server.server_address[0], "::1")


def _server(site: Site, host: str = "127.0.0.1") -> WebServer:
    return WebServer(host, 0, site, lambda port: Access(b"k" * 32, host, port))  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
