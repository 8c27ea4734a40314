"""A process that is nobody's child."""

from __future__ import annotations

import os
import unittest

from core.process.background import start_in_background


class Background(unittest.TestCase):
    def test_a_process_has_its_streams_and_outlives_its_shell(self) -> None:
        (reading, given), (told, writing) = os.pipe(), os.pipe()
        script = "read line; echo got $line; echo nowhere >&2; cut -d' ' -f5 /proc/$$/stat"
        group = start_in_background(
            ["/bin/sh", "-c", script], os.environ, stdin=reading, stdout=writing
        )
        os.close(reading)
        os.close(writing)
        os.write(given, b"a line\n")
        os.close(given)
        with open(told, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0], "got a line")
        if os.path.isdir("/proc/self"):
            self.assertEqual(lines[1], str(group))


if __name__ == "__main__":
    unittest.main()
