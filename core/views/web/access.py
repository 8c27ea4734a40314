"""`Access`: who may use the page. The token of its address, the cookie, `Host` and `Origin`.

Each program of this machine, and each page in the user's browser, can reach the server. The
address that is printed has a token, which a browser exchanges for a cookie. The cookie outlives a
restart of the server: its secret is a private file in the state folder.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address

from ...journal import private_files

KEY_FILE = "web.key"
KEY_BYTES = 32

TOKEN_BYTES = 16
"""Short enough for an address of one line, too many to be guessed."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Access:
    """The rules of one server, which listens on ``port`` of the address ``host``."""

    def __init__(self, key: bytes, host: str, port: int, hostname: str = "") -> None:
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        """In the address that is printed; valid until the server ends."""
        self.cookie_name = f"rorchestrator_{port}"
        self.session = hmac.new(key, b"session", sha256).hexdigest()
        """The value of the cookie."""
        self.csrf = hmac.new(key, b"csrf", sha256).hexdigest()
        """A page sends it with each request that changes something."""
        self._port = port
        self._is_wildcard = host in ("0.0.0.0", "::")
        self._names = {host, *(LOOPBACK if is_loopback(host) or self._is_wildcard else ())}
        if self._is_wildcard and hostname:
            self._names.add(hostname.lower())
        self._once: set[str] = set()

    def token_for_once(self) -> str:
        """A token that is valid once: other users can read it in the command line of a browser."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._once.add(token)
        return token

    def takes_token(self, given: str) -> bool:
        """Whether a token is valid."""
        if given in self._once:
            self._once.discard(given)
            return True
        return _same(given, self.token)

    def takes_host(self, host: str) -> bool:
        """Whether the header ``Host`` names this server and its port.

        Another name would be that of a page which lets its name point to this machine.
        """
        name, port = _split(host)
        if port != self._port:
            return False
        return name in self._names or (self._is_wildcard and _is_address(name))

    def takes_origin(self, origin: str, host: str) -> bool:
        """Whether the header ``Origin`` is that of our own page at ``host``."""
        return origin == f"http://{host}"

    def takes_cookies(self, header: str) -> bool:
        """Whether the header ``Cookie`` has our cookie with its right value."""
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        return any(
            name == self.cookie_name and _same(value, self.session) for name, _, value in pairs
        )

    def takes_csrf(self, given: str) -> bool:
        """Whether a request comes from a page of ours."""
        return _same(given, self.csrf)

    def cookie(self) -> str:
        """The value of the header ``Set-Cookie``."""
        return f"{self.cookie_name}={self.session}; Path=/; HttpOnly; SameSite=Strict"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _split(host: str) -> tuple[str, int]:
    """Name and port of a header ``Host``; the port 0 fits nowhere."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        name, port = host, "80"  # Browsers leave it out.
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    is_number = port.isascii() and port.isdecimal() and len(port) <= 5
    return name.lower(), int(port) if is_number else 0


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def in_url(host: str, port: int, query: Mapping[str, str]) -> str:
    """The address of the page."""
    name = f"[{host}]" if ":" in host else host
    words = "&".join(f"{key}={value}" for key, value in query.items())
    return f"http://{name}:{port}/" + (f"?{words}" if words else "")


def load_key(folder: str) -> bytes:
    """The secret in a state folder, made if there is none; a new one if it can't be kept there."""
    path = os.path.join(folder, KEY_FILE)
    try:
        private_files.make_folder(folder)
        file = private_files.open_file(path, os.O_RDWR)
        try:
            key = os.pread(file, KEY_BYTES, 0) if _is_private(os.fstat(file)) else b""
            if len(key) != KEY_BYTES:
                key = secrets.token_bytes(KEY_BYTES)
                os.fchmod(file, 0o600)
                os.ftruncate(file, 0)
                os.pwrite(file, key, 0)
            return key
        finally:
            os.close(file)
    except OSError:
        return secrets.token_bytes(KEY_BYTES)


def _is_private(info: os.stat_result) -> bool:
    """Whether nobody else could have read or written the file."""
    ours = info.st_uid == os.geteuid() and info.st_nlink == 1
    return ours and stat.S_ISREG(info.st_mode) and not stat.S_IMODE(info.st_mode) & 0o077
