"""Blocks of ports: free, of one's own, and not always the first ones."""

from __future__ import annotations

import socket
import unittest
from unittest import mock

from core.runner import ports
from core.runner.ports import BLOCK, FIRST, LAST, free_block


def listening(address: str, port: int, family: int = socket.AF_INET) -> socket.socket:
    """A server on one port."""
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen()
    return server


class Blocks(unittest.TestCase):
    def test_it_lies_within_the_bounds_and_all_of_it_is_free(self) -> None:
        start = free_block(0, 3)
        self.assertIn(start, range(FIRST, LAST - BLOCK + 1))
        for port in range(start, start + BLOCK):
            listening("127.0.0.1", port).close()

    def test_two_slots_of_a_run_are_never_given_the_same(self) -> None:
        slots = 7
        starts = [free_block(slot, slots, "run") for slot in range(slots)]
        taken = [port for start in starts for port in range(start, start + BLOCK)]
        self.assertEqual(len(set(taken)), slots * BLOCK)

    def test_a_block_in_which_somebody_listens_is_passed_over(self) -> None:
        addresses = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")]
        if socket.has_ipv6:
            addresses.append((socket.AF_INET6, "::1"))
        for family, address in addresses:
            with self.subTest(address):
                start = free_block(1, 3, "run")
                try:
                    server = listening(address, start + BLOCK - 1, family)
                except OSError as error:
                    self.skipTest(f"{address}: {error}")
                with server:
                    self.assertNotEqual(free_block(1, 3, "run"), start)

    def test_another_run_begins_its_search_elsewhere(self) -> None:
        found = {free_block(0, 3, f"20260102T143015-{n:06x}") for n in range(20)}
        self.assertGreater(len(found), 10)

    def test_no_block_is_given_if_every_port_is_taken(self) -> None:
        with mock.patch.object(ports, "FIRST", LAST - 2 * BLOCK):
            start = free_block(0, 2)
            self.assertEqual(start, LAST - 2 * BLOCK)
            with listening("127.0.0.1", start + 3):
                self.assertEqual(free_block(0, 2), 0)

    def test_more_slots_than_blocks_leave_the_last_ones_without(self) -> None:
        slots = (LAST - FIRST) // BLOCK + 5
        self.assertEqual(free_block(slots - 1, slots), 0)

    def test_a_system_that_forbids_binding_is_not_one_without_free_ports(self) -> None:
        with mock.patch.object(ports, "ADDRESSES", ((socket.AF_INET, "192.0.2.1"),)):
            self.assertGreater(free_block(0, 1), 0)
