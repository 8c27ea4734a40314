"""One delivery: what is refused, what may be tried again, and what is never sent."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import unittest

from core.model.feature import Command, Occasion, Receiver, ReceiverType
from core.views import delivery
from core.views.delivery import Delivery, send
from core.views.notice import Notice
from tests.support.endpoints import Endpoints

NOTICE = Notice("r1-1", (Occasion.FAILED,), 1.0, "Shop: <b>api</b> failed", ("a & b", "-e"))
HOOK = Receiver(ReceiverType.WEBHOOK, "HOOK", "HOOK_KEY")
SLACK = Receiver(ReceiverType.SLACK, "HOOK")


def command(*argv: str) -> Receiver:
    return Receiver(ReceiverType.COMMAND, command=Command(argv, " ".join(argv)))


class ByHttp(unittest.TestCase):
    endpoints: Endpoints

    @classmethod
    def setUpClass(cls) -> None:
        cls.endpoints = Endpoints()
        cls.addClassCleanup(cls.endpoints.close)

    def to(self, path: str, scheme: str = "http", timeout: float = 5.0) -> Delivery:
        environ = {"HOOK": self.endpoints.url(path, scheme), "http_proxy": "http://127.0.0.1:9"}
        return send(SLACK, NOTICE, environ, "/", timeout)

    def test_a_good_endpoint_gets_the_body_and_its_signature(self) -> None:
        environ = {"HOOK": self.endpoints.url("/ok?a=b"), "HOOK_KEY": "k"}
        self.assertEqual(send(HOOK, NOTICE, environ, "/"), Delivery())
        [(_, headers, body)] = [got for got in self.endpoints.got if got[0] == "/ok?a=b"]
        self.assertEqual(json.loads(body)["title"], NOTICE.title)
        self.assertTrue(headers["X-Rorchestrator-Signature"].startswith("sha256="))

    def test_what_a_server_says_decides_whether_another_try_makes_sense(self) -> None:
        self.assertEqual(self.to("/500"), Delivery("HTTP 500", True))
        self.assertEqual(self.to("/429"), Delivery("HTTP 429", True, 7.5))
        self.assertEqual(self.to("/gone"), Delivery("HTTP 404 no such hook"))

    def test_a_redirect_is_not_followed(self) -> None:
        before = len(self.endpoints.bodies())
        fault = "it redirects (HTTP 302), which is not followed"
        self.assertEqual(self.to("/redirect"), Delivery(fault))
        self.assertEqual(len(self.endpoints.bodies()), before)

    def test_a_server_that_hangs_is_left_after_the_limit(self) -> None:
        self.assertEqual(self.to("/hang", timeout=0.05), Delivery("no answer in time", True))

    def test_a_server_that_does_not_speak_http_or_tls_has_a_fault(self) -> None:
        told = self.to("/noise")
        self.assertIn("is not HTTP", told.fault)
        refused = self.to("/ok", scheme="https")
        self.assertTrue(refused.may_succeed)
        self.assertIn("not reachable", refused.fault)
        self.assertNotIn(str(self.endpoints.server_address[1]), refused.fault)

    def test_nobody_there_has_a_fault(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            told = send(SLACK, NOTICE, {"HOOK": url}, "/")
        self.assertEqual(told, Delivery("not reachable: Connection refused", True))

    def test_another_host_goes_through_the_users_proxy(self) -> None:
        proxy = self.endpoints.url("")
        environ = {"https_proxy": proxy, "no_proxy": ""}
        before = {name: os.environ.get(name) for name in environ}
        os.environ.update(environ)
        try:
            told = send(SLACK, NOTICE, {"HOOK": "https://hooks.example/x"}, "/", 5.0)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value
        self.assertIn("Tunnel connection failed", told.fault)

    def test_a_date_as_the_time_to_wait_is_ignored(self) -> None:
        self.assertEqual(delivery._seconds("Wed, 21 Oct 2026 07:28:00 GMT"), 0.0)
        self.assertEqual(delivery._seconds("3600"), delivery.LONGEST_WAIT_SECONDS)


class Refused(unittest.TestCase):
    def test_only_https_and_the_loopback_are_used(self) -> None:
        no_scheme = "is not a URL that begins with https://"
        cases = {
            "https://hooks.example/x": "",
            "http://localhost:80/x": "",
            "http://[::1]/x": "",
            "http://127.9.9.9/x": "",
            "http://hooks.example/x": "must begin with https:// (http:// only for the loopback)",
            "http://127.0.0.1.evil.example/": (
                "must begin with https:// (http:// only for the loopback)"
            ),
            "file:///etc/passwd": no_scheme,
            "ftp://hooks.example/x": no_scheme,
            "hooks.example": no_scheme,
            "https://[::1": "is not a valid URL",
            "https://hooks.example:x/": "is not a valid URL",
        }
        for url, fault in cases.items():
            with self.subTest(url=url):
                self.assertEqual(delivery.url_fault(url), fault)

    def test_nothing_is_sent_without_its_variables(self) -> None:
        fault = "the environment variable HOOK is not set"
        self.assertEqual(send(HOOK, NOTICE, {"HOOK": ""}, "/"), Delivery(fault))
        fault = "the environment variable HOOK_KEY is not set"
        self.assertEqual(delivery.receiver_fault(HOOK, {"HOOK": "https://h.example"}), fault)
        fault = delivery.receiver_fault(SLACK, {"HOOK": "file:///x"})
        self.assertEqual(fault, "HOOK is not a URL that begins with https://")


class ToCommands(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def to(self, *argv: str, timeout: float = 5.0) -> Delivery:
        environ = {"PATH": os.environ["PATH"]}
        return send(command(*argv), NOTICE, environ, self.folder, timeout)

    def test_a_command_gets_the_notification_on_its_input(self) -> None:
        self.assertEqual(self.to("sh", "-c", "cat >got"), Delivery())
        with open(os.path.join(self.folder, "got"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["title"], NOTICE.title)

    def test_a_command_that_fails_or_hangs_has_a_fault(self) -> None:
        cases = {
            "echo a >&2; echo no >&2; exit 3": "sh ended with exit 3: no",
            "kill -TERM $$": "sh ended with signal 15",
            "exit 1": "sh ended with exit 1",
        }
        for script, fault in cases.items():
            self.assertEqual(self.to("sh", "-c", script), Delivery(fault, may_succeed=True))
        late = Delivery("sleep did not end within 0 s", may_succeed=True)
        self.assertEqual(self.to("sleep", "60", timeout=0.05), late)
        missing = self.to("no-such-program")
        self.assertIn("exit 127", missing.fault)
        self.assertFalse(missing.may_succeed)

    def test_the_desktop_gets_title_and_text_as_plain_words(self) -> None:
        words = delivery.desktop_command(NOTICE, "linux")
        self.assertEqual(words[-3:], ("--", NOTICE.title, "a &amp; b\n-e"))
        self.assertEqual(words[2], "--urgency=critical")
        words = delivery.desktop_command(NOTICE, "darwin")
        self.assertEqual((words[0], words[-2:]), ("osascript", (NOTICE.title, "a & b\n-e")))

    def test_the_desktop_needs_its_program(self) -> None:
        desktop = Receiver(ReceiverType.DESKTOP)
        nothing = {"PATH": self.folder}
        self.assertIn("notify-send", send(desktop, NOTICE, nothing, self.folder).fault)
        for name in ("notify-send", "osascript"):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n/bin/echo shown >shown\n")
            os.chmod(path, 0o755)
        self.assertEqual(send(desktop, NOTICE, nothing, self.folder), Delivery())
        self.assertTrue(os.path.exists(os.path.join(self.folder, "shown")))


if __name__ == "__main__":
    unittest.main()
