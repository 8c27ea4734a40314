"""The process table, on Linux and from `ps`."""

from __future__ import annotations

import os
import resource
import signal
import unittest
import unittest.mock

from core.process import table
from core.process.spawner import spawn
from core.process.supervisor import (
    MARK,
)
from tests.support.processes import (
    LINUX,
    tearDownModule,  # noqa: F401
)


class TableTest(unittest.TestCase):
    """The table of processes."""

    def test_the_table_knows_this_process_and_its_parent(self) -> None:
        row = table.snapshot()[os.getpid()]
        self.assertEqual((row.parent, row.group), (os.getppid(), os.getpgrp()))
        self.assertFalse(row.zombie)

    def test_a_name_with_spaces_and_brackets_hides_no_field(self) -> None:
        line = b"12 (a) (b c) Z 7 9 " + b" ".join(str(n).encode() for n in range(4, 40))
        expected = table.Process(12, 7, 9, "20", zombie=True)
        self.assertEqual(table.parse_stat(line), expected)

    def test_a_start_is_compared_by_number_and_a_folder_by_its_parts(self) -> None:
        for started, than, later in (("20", "9", True), ("9", "20", False), ("Mon", "9", False)):
            with self.subTest(started=started, than=than):
                self.assertEqual(table.is_later(started, than), later)
        for folder, inside in (("/w/a", True), ("/w/a/b", True), ("/w/ab", False), ("", False)):
            with self.subTest(folder=folder):
                self.assertEqual(table.is_inside(folder, ["/w/a"]), inside)

    def test_rows_of_ps_are_read_and_odd_lines_left_out(self) -> None:
        text = "  1  0  1 Ss   Mon Nov  2 10:00:00 2026\n 7 1 7 Z+ Tue Nov  3 10:00:00 2026\nodd\n"
        self.assertEqual(
            table.parse_ps(text),
            {
                1: table.Process(1, 0, 1, "Mon Nov  2 10:00:00 2026"),
                7: table.Process(7, 1, 7, "Tue Nov  3 10:00:00 2026", zombie=True),
            },
        )

    def test_descendants_are_all_below_and_nothing_else(self) -> None:
        parents = {2: 1, 3: 2, 4: 2, 5: 4, 6: 1}
        rows = {pid: table.Process(pid, parent, pid, "") for pid, parent in parents.items()}
        self.assertEqual({p.pid for p in table.descendants(rows, 2)}, {3, 4, 5})
        self.assertEqual(table.descendants(rows, 6), [])
        self.assertEqual({p.pid for p in table.descendants(rows, 2, 6)}, {3, 4, 5})

    def test_a_process_that_is_gone_has_no_row_no_folder_and_no_mark(self) -> None:
        gone = table.Process(2**22 + 1, 1, 1, "0")
        self.assertEqual(table.working_folder(gone.pid), "")
        self.assertEqual(table.marked({gone.pid: gone}, "A="), [])
        self.assertIsNone(table._read_stat(gone.pid))

    def test_a_mark_is_the_beginning_of_a_variable_and_nothing_else(self) -> None:
        run = f"test{os.getpid()}"
        environments = {
            "run": {MARK: f"{run}/f.1;"},
            "path": {"PWD": f"/logs/{run}/f.1;"},
            "x": {f"X{MARK}": f"{run}/"},
        }
        pids = {}
        for name, environ in environments.items():
            pids[name] = spawn(["/bin/sleep", "1000"], environ, [])
            self.addCleanup(os.waitpid, pids[name], 0)
            self.addCleanup(os.kill, pids[name], signal.SIGKILL)
        found = {process.pid for process in table.marked(table.snapshot(), f"{MARK}={run}/")}
        self.assertEqual(found, {pids["run"]})

    @unittest.skipUnless(LINUX, "Linux tells the children of a process")
    def test_children_are_unknown_if_the_system_does_not_list_them(self) -> None:
        self.assertIsNotNone(table.children_of_self())
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            self.assertIsNone(table.children_of_self())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
