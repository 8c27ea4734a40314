"""A browser without a window: what a page's requests look like, and what they answer."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from tests.support.boards import told
from tests.support.commands import wait_until

SECONDS = 20


class Browser:
    """Opens the address with the token, and keeps the cookie."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self.cookie = ""
        self.status, _ = self.get(f"/?{parts.query}")

    def ask(self, method: str, path: str, body: str = "", **more: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SECONDS)
        try:
            headers = {"Cookie": self.cookie, **more}
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            given = answer.headers.get("Set-Cookie", "")
            self.cookie = given.partition(";")[0] or self.cookie
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path: str = "/") -> tuple[int, str]:
        return self.ask("GET", path)

    def page(self) -> str:
        status, text = self.get()
        assert status == 200, text
        return text

    def shows(self, words: str) -> None:
        """Wait until the page has these words."""
        wait_until(lambda: words in self.page(), words)

    def press(self, action: str, feature: str = "") -> tuple[int, Any]:
        """Press a button of the page."""
        (csrf,) = re.findall(r'data-csrf="(\w+)"', self.page())
        body = json.dumps({"action": action, "feature": feature})
        origin = {"Origin": f"http://{self.host}:{self.port}", "X-RoRchestrator": csrf}
        status, text = self.ask("POST", "/requests", body, **origin)
        return status, json.loads(text)

    def listen(self, query: str = "") -> Events:
        return Events(self, query)


class Events:
    """The events of a page, as they come."""

    def __init__(self, browser: Browser, query: str) -> None:
        self.socket = socket.create_connection((browser.host, browser.port), SECONDS)
        request = f"GET /events?{query} HTTP/1.1\r\nHost: {browser.host}:{browser.port}\r\n"
        self.socket.sendall(f"{request}Cookie: {browser.cookie}\r\n\r\n".encode())
        self._said = b""

    def until_the_end(self) -> list[tuple[str, Any]]:
        """All events until the server closes the connection."""
        with self.socket:
            for chunk in iter(lambda: self.socket.recv(1 << 20), b""):
                self._said += chunk
        return told([self._said.partition(b"\r\n\r\n")[2]])
