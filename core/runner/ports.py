"""Blocks of network ports, so that the test servers of two features don't collide."""

from __future__ import annotations

import errno
import socket
import sys
import zlib

BLOCK = 10
"""The number of ports of one feature."""

FIRST = 20000
LAST = 32000
"""Below the ephemeral ports of Linux (ip_local_port_range: from 32768)."""

ADDRESSES = (
    # BSD allows a bind to one of these two while another process listens on the other one.
    *([] if sys.platform == "linux" else [(socket.AF_INET, "127.0.0.1")]),
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET6, "::1"),
)


def free_block(slot: int, slots: int, run: str = "") -> int:
    """The first port of a block of free ports; 0 if there is none.

    Slots of a run get different blocks. The search begins at a place that depends on ``run``, so
    two parallel runs whose servers don't listen yet rarely get the same block.
    """
    blocks = range(FIRST + slot * BLOCK, LAST - BLOCK + 1, slots * BLOCK)
    begin: int = zlib.crc32(run.encode()) % max(1, len(blocks))
    free = (
        start
        for start in (*blocks[begin:], *blocks[:begin])
        if all(map(_is_free, range(start, start + BLOCK)))
    )
    return next(free, 0)


def _is_free(port: int) -> bool:
    return not any(_is_taken(family, address, port) for family, address in ADDRESSES)


def _is_taken(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Like servers: a connection in TIME_WAIT does not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        # Without IPv6, or without permission to bind, no process listens either.
        return error.errno == errno.EADDRINUSE
    return False
