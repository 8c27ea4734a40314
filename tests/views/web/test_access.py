"""Who may use the page: tokens, the cookie, names of the server, the secret on the disk."""

from __future__ import annotations

import os
import stat
import tempfile
import unittest

from core.views.web.access import KEY_BYTES, KEY_FILE, Access, in_url, is_loopback, load_key

KEY = b"k" * KEY_BYTES


class AccessTest(unittest.TestCase):
    def setUp(self) -> None:
        self.access = Access(KEY, "127.0.0.1", 8737)

    def test_the_token_is_another_one_for_each_server_and_the_cookie_stays_the_same(self) -> None:
        again = Access(KEY, "127.0.0.1", 8737)
        self.assertTrue(self.access.takes_token(self.access.token))
        self.assertTrue(self.access.takes_token(self.access.token))
        self.assertFalse(again.takes_token(self.access.token))
        self.assertTrue(again.takes_cookies(self.access.cookie().partition(";")[0]))
        other = Access(b"o" * KEY_BYTES, "127.0.0.1", 8737)
        self.assertFalse(other.takes_cookies(self.access.cookie().partition(";")[0]))

    def test_a_token_for_once_is_valid_once(self) -> None:
        token = self.access.token_for_once()
        self.assertNotEqual(token, self.access.token)
        self.assertEqual([self.access.takes_token(token) for _ in range(2)], [True, False])

    def test_no_other_token_is_valid(self) -> None:
        for token in ("", "x", self.access.token + "x", self.access.token[:-1], "\udc80", "ä"):
            self.assertFalse(self.access.takes_token(token), token)

    def test_the_cookie_is_found_among_others(self) -> None:
        name, value = self.access.cookie_name, self.access.session
        for header in (f"{name}={value}", f"a=b; {name}={value}", f"{name}=x;{name}={value}"):
            self.assertTrue(self.access.takes_cookies(header), header)
        for header in ("", f"{name}=", f"{name}=x", f"x{name}={value}", value, f"{name}={value}x"):
            self.assertFalse(self.access.takes_cookies(header), header)

    def test_scripts_cannot_read_the_cookie_and_other_sites_do_not_send_it(self) -> None:
        self.assertIn("; HttpOnly; SameSite=Strict", self.access.cookie())

    def test_a_page_proves_that_it_is_ours_by_another_secret_than_the_cookie(self) -> None:
        self.assertTrue(self.access.takes_csrf(self.access.csrf))
        self.assertFalse(self.access.takes_csrf(self.access.session))
        self.assertFalse(self.access.takes_csrf(""))

    def test_names_of_this_machine_with_the_right_port_are_taken(self) -> None:
        for host in ("127.0.0.1:8737", "localhost:8737", "LOCALHOST:8737", "[::1]:8737"):
            self.assertTrue(self.access.takes_host(host), host)
        for host in (
            *("", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.1:87370", "evil.example:8737"),
            *("127.0.0.1.evil.example:8737", "192.168.0.1:8737", "127.0.0.1:8737:8737", ":8737"),
            *("127.0.0.1:8737 ", "127.0.0.1:\u0668737", "127.0.0.1:-1", "user@localhost:8737"),
            "localhost:" + "8" * 5000,
        ):
            self.assertFalse(self.access.takes_host(host), host)

    def test_browsers_leave_out_port_80(self) -> None:
        access = Access(KEY, "::1", 80)
        for host in ("[::1]", "[::1]:80", "localhost"):
            self.assertTrue(access.takes_host(host), host)
        self.assertFalse(access.takes_host("evil.example"))

    def test_a_server_for_all_addresses_takes_each_of_them_and_the_machines_name(
        self,
    ) -> None:
        access = Access(KEY, "0.0.0.0", 8737, "Build-Box")
        for host in ("192.168.0.1:8737", "[fe80::1]:8737", "build-box:8737", "localhost:8737"):
            self.assertTrue(access.takes_host(host), host)
        for host in ("evil.example:8737", "192.168.0.1:80"):
            self.assertFalse(access.takes_host(host), host)
        one = Access(KEY, "192.168.0.1", 8737)
        self.assertTrue(one.takes_host("192.168.0.1:8737"))
        self.assertFalse(one.takes_host("192.168.0.2:8737"))
        self.assertFalse(one.takes_host("localhost:8737"))

    def test_only_the_page_itself_is_the_origin(self) -> None:
        host = "127.0.0.1:8737"
        self.assertTrue(self.access.takes_origin(f"http://{host}", host))
        for origin in ("null", f"https://{host}", "http://localhost:8737", f"http://{host}/", ""):
            self.assertFalse(self.access.takes_origin(origin, host), origin)

    def test_only_addresses_of_this_machine_are_loopback(self) -> None:
        for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost", "LocalHost"):
            self.assertTrue(is_loopback(host), host)
        for host in ("0.0.0.0", "::", "192.168.0.1", "example.org", ""):
            self.assertFalse(is_loopback(host), host)

    def test_the_address_of_the_page(self) -> None:
        self.assertEqual(in_url("127.0.0.1", 1, {"token": "t"}), "http://127.0.0.1:1/?token=t")
        self.assertEqual(in_url("::1", 1, {}), "http://[::1]:1/")


class KeyTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.join(temporary.name, "state")
        self.path = os.path.join(self.folder, KEY_FILE)

    def test_it_is_kept_for_this_user_only(self) -> None:
        key = load_key(self.folder)
        self.assertEqual((len(key), load_key(self.folder)), (KEY_BYTES, key))
        modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (self.folder, self.path)]
        self.assertEqual(modes, [0o700, 0o600])

    def test_one_that_others_know_or_that_is_damaged_is_replaced(self) -> None:
        key = load_key(self.folder)
        os.chmod(self.path, 0o644)
        second = load_key(self.folder)
        self.assertNotEqual(second, key)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        os.link(self.path, self.path + "2")
        self.assertNotEqual(load_key(self.folder), second)
        os.unlink(self.path + "2")
        os.truncate(self.path, 3)
        self.assertEqual(load_key(self.folder), load_key(self.folder))

    def test_where_it_cannot_be_kept_it_lasts_as_long_as_the_server(self) -> None:
        load_key(self.folder)
        os.rename(self.path, self.path + "2")
        os.symlink(self.path + "2", self.path)
        with open(self.path, "rb") as file:
            before = file.read()
        self.assertNotEqual(load_key(self.folder), load_key(self.folder))
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), before)


if __name__ == "__main__":
    unittest.main()
