"""Blocks of network ports, so that the test servers of two features don't collide."""

from __future__ import annotations

import errno
import socket
import zlib

BLOCK = 10
"""How many ports a feature has for itself."""

FIRST = 20000
LAST = 32000
"""Below the ports that Linux hands out by itself (ip_local_port_range: from 32768 on)."""

ADDRESSES = (
    (socket.AF_INET, "127.0.0.1"),
    # BSD lets one bind the first while somebody listens on the second, and the other way round.
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET6, "::1"),
)


def free_block(slot: int, slots: int, run: str = "") -> int:
    """The first port of a block that nobody listens on now; 0 where there is none.

    No two slots of a run are given the same. Where the search begins depends on ``run``: two
    runs side by side, none of whose servers listens yet, seldom look at the same.
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
            # As servers do: a connection that was closed a moment ago is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        # Where there is no IPv6, or nothing may be bound at all, nobody listens either.
        return error.errno == errno.EADDRINUSE
    return False
