"""A page that listens: it gets its messages, and one that is slow or gone is no burden."""

from __future__ import annotations

import json
import socket
import unittest

from core.views.web.listeners import MOST_PENDING, STALL_SECONDS, Listener, message


class ListenerTest(unittest.TestCase):
    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(self.theirs.close)
        self.theirs.setblocking(False)
        self.listener = Listener(ours)

    def received(self) -> bytes:
        found = b""
        try:
            while True:
                chunk = self.theirs.recv(1 << 20)
                if not chunk:
                    return found
                found += chunk
        except BlockingIOError:
            return found

    def test_messages_arrive_in_order(self) -> None:
        self.listener.send([b"one", b"two"], 0)
        self.listener.send([b"three"], 0)
        self.assertEqual(self.received(), b"onetwothree")

    def test_a_slow_page_gets_everything_later(self) -> None:
        sent = [bytes([65 + number]) * 700_000 for number in range(4)]
        self.listener.send(sent, 0)
        found = self.received()
        self.assertLess(len(found), 2_800_000)
        for now in range(1000):
            self.listener.flush(now / 1000)
            found += self.received()
        self.assertEqual(found, b"".join(sent))
        self.assertFalse(self.listener.is_gone)

    def test_a_page_that_reads_nothing_is_dropped(self) -> None:
        big = b"x" * 1_000_000
        self.listener.send([big], 100)
        self.listener.flush(100 + STALL_SECONDS)
        self.assertFalse(self.listener.is_gone)
        self.listener.flush(101 + STALL_SECONDS)
        self.assertTrue(self.listener.is_gone)
        self.listener.send([big], 200)  # Nothing happens.

    def test_a_page_that_leaves_too_much_is_dropped(self) -> None:
        self.listener.send([b"x" * (MOST_PENDING // 2)] * 3, 0)
        self.assertTrue(self.listener.is_gone)

    def test_a_page_that_is_gone_is_noticed(self) -> None:
        self.listener.look()
        self.assertFalse(self.listener.is_gone)
        self.theirs.send(b"what a page never says")
        self.listener.look()
        self.assertFalse(self.listener.is_gone)
        self.theirs.close()
        self.listener.look()
        self.assertTrue(self.listener.is_gone)
        self.listener.look()

    def test_a_broken_connection_is_noticed_by_either(self) -> None:
        self.theirs.close()
        self.listener.send([b"x"], 0)
        self.assertTrue(self.listener.is_gone)
        with socket.create_server(("127.0.0.1", 0)) as server:
            other = Listener(socket.create_connection(server.getsockname()))
            theirs, _ = server.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        theirs.close()  # By a reset.
        other.look()
        self.assertTrue(other.is_gone)

    def test_a_message_is_one_event_whatever_is_in_it(self) -> None:
        hostile = "a\n\ndata: b\r\nevent: c\u2028\ud800"
        said = message("part", {"html": hostile}, "12-ab").decode()
        lines = said.split("\n")
        self.assertEqual(lines[:2] + lines[3:], ["event: part", "id: 12-ab", "", ""])
        self.assertEqual(json.loads(lines[2].partition(": ")[2]), {"html": hostile})
        self.assertNotIn("id:", message("hello", {}).decode())


if __name__ == "__main__":
    unittest.main()
