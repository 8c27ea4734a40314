"""Blocks of network ports, so that the test servers of two features don't collide."""

from __future__ import annotations

import socket

BLOCK = 10
"""How many ports a feature has for itself."""

FIRST = 20000
LAST = 32000
"""Below the ports that Linux hands out by itself (ip_local_port_range: from 32768 on)."""


def free_block(slot: int, slots: int) -> int:
    """The first port of a block that nobody listens on now; no two slots are given the same.

    Raises ``OSError`` where there is none.
    """
    for start in range(FIRST + slot * BLOCK, LAST, slots * BLOCK):
        if all(map(_is_free, range(start, start + BLOCK))):
            return start
    raise OSError(f"no {BLOCK} free ports in a row between {FIRST} and {LAST}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that was closed a moment ago is in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
