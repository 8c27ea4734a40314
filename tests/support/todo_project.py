"""What the "model" does in the end-to-end test of the TODO project: three features, one chain.

Each runs the tests, as the prompts ask, so that Python leaves its caches beside the sources.
`task-model` and `cli-interface` commit their work themselves, `task-storage` leaves it uncommitted:
`task-model` commits what it wrote, `cli-interface` all there is, the caches too.
The two dependents first read the file that they import, so they fail without their dependency.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.messages_api import Answer, Tool, Turn, bash, text, write

FEATURES = ("task-model", "task-storage", "cli-interface")
COMMITS: Mapping[str, str] = {"task-model": "src/*.py tests/*.py", "cli-interface": "-A"}
TESTS = "python3 -m unittest discover -s tests"
READ_FIRST = {"task-storage": "src/task.py", "cli-interface": "src/storage.py"}

TASK = '''"""One thing of a to-do list."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Dict, Mapping

LONGEST = 200
FIELDS = ("id", "title", "done", "created_at")


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Task:
    id: int
    title: str
    done: bool = False
    created_at: str = field(default_factory=now)

    def __post_init__(self) -> None:
        if type(self.id) is not int:
            raise TypeError("id: must be an integer")
        if self.id < 1:
            raise ValueError("id: must be at least 1")
        object.__setattr__(self, "title", _title(self.title))
        if type(self.done) is not bool:
            raise TypeError("done: must be true or false")
        _check_time(self.created_at)

    def to_dict(self) -> Dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> "Task":
        if not isinstance(data, Mapping):
            raise TypeError("a task must be a mapping")
        for name in FIELDS:
            if name not in data:
                raise ValueError(f"{name}: missing")
        return cls(**{name: data[name] for name in FIELDS})


def _title(title: str) -> str:
    if not isinstance(title, str):
        raise TypeError("title: must be a text")
    title = title.strip()
    if not title:
        raise ValueError("title: must not be empty")
    if len(title) > LONGEST:
        raise ValueError(f"title: must have at most {LONGEST} characters")
    if any(unicodedata.category(character) == "Cc" for character in title):
        raise ValueError("title: must have no control character")
    return title


def _check_time(created_at: str) -> None:
    if not isinstance(created_at, str):
        raise TypeError("created_at: must be a text")
    try:
        zone = datetime.fromisoformat(created_at).tzinfo
    except ValueError:
        raise ValueError("created_at: must be a time in ISO format") from None
    if zone is None:
        raise ValueError("created_at: must have a time zone")
'''

TEST_TASK = """import dataclasses
import json
import unittest

from src.task import Task

AT = "2026-01-15T09:30:00+00:00"
GOOD = {"id": 1, "title": "Buy milk", "done": False, "created_at": AT}


class TaskTest(unittest.TestCase):
    def test_a_new_one_is_open_and_has_a_time_in_utc(self):
        task = Task(1, "Buy milk")
        self.assertFalse(task.done)
        self.assertRegex(task.created_at, r"^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\+00:00$")

    def test_values_on_the_bad_side_of_the_border(self):
        for name, value, error in (
            ("id", 0, ValueError),
            ("id", True, TypeError),
            ("id", "1", TypeError),
            ("title", "", ValueError),
            ("title", "   ", ValueError),
            ("title", "x" * 201, ValueError),
            ("title", "a\\nb", ValueError),
            ("title", 7, TypeError),
            ("done", 1, TypeError),
            ("created_at", "2026-01-15T09:30:00", ValueError),
            ("created_at", "yesterday", ValueError),
            ("created_at", 0, TypeError),
        ):
            with self.subTest(name=name, value=value):
                with self.assertRaisesRegex(error, f"^{name}: "):
                    Task(**{**GOOD, name: value})

    def test_values_on_the_good_side_of_the_border(self):
        for title, stored in (
            ("x" * 200, "x" * 200),
            ("  milk ", "milk"),
            ("Überweisung ✓", "Überweisung ✓"),
        ):
            self.assertEqual(Task(1, title).title, stored)

    def test_it_does_not_change(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            Task(1, "Buy milk").done = True

    def test_it_survives_the_way_to_json_and_back(self):
        task = Task(7, "Grüße senden", done=True)
        again = json.loads(json.dumps(task.to_dict()))
        self.assertEqual(list(again), ["id", "title", "done", "created_at"])
        self.assertEqual(Task.from_dict({**again, "colour": "red"}), task)

    def test_each_missing_key_is_named(self):
        for name in GOOD:
            with self.subTest(name), self.assertRaisesRegex(ValueError, f"^{name}: missing$"):
                Task.from_dict({key: GOOD[key] for key in GOOD if key != name})
        with self.assertRaises(TypeError):
            Task.from_dict(["id"])


if __name__ == "__main__":
    unittest.main()
"""

STORAGE = '''"""A to-do list in a JSON file that is always written whole."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import replace
from typing import Dict, List, Union

from src.task import Task


class StorageError(Exception):
    """The file cannot be read, understood or written."""


class TaskNotFoundError(StorageError):
    def __init__(self, task_id: int) -> None:
        super().__init__(f"no task with id {task_id}")
        self.task_id = task_id


class TaskStorage:
    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        self.path = os.fspath(path)

    def add(self, title: str) -> Task:
        tasks, next_id = self._read()
        task = Task(next_id, title)
        self._write({**tasks, task.id: task}, next_id + 1)
        return task

    def list(self) -> List[Task]:
        tasks, _ = self._read()
        return [tasks[task_id] for task_id in sorted(tasks)]

    def get(self, task_id: int) -> Task:
        tasks, _ = self._read()
        return _found(tasks, task_id)

    def complete(self, task_id: int) -> Task:
        tasks, next_id = self._read()
        task = _found(tasks, task_id)
        if task.done:
            return task
        tasks[task_id] = replace(task, done=True)
        self._write(tasks, next_id)
        return tasks[task_id]

    def delete(self, task_id: int) -> Task:
        tasks, next_id = self._read()
        task = _found(tasks, task_id)
        del tasks[task_id]
        self._write(tasks, next_id)
        return task

    def _read(self):
        try:
            with open(self.path, encoding="utf-8") as file:
                document = json.load(file)
        except FileNotFoundError:
            return {}, 1
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.path}: {error}") from error
        try:
            return _parsed(document)
        except (TypeError, ValueError) as error:
            raise StorageError(f"{self.path}: {error}") from error

    def _write(self, tasks: Dict[int, Task], next_id: int) -> None:
        rows = [tasks[task_id].to_dict() for task_id in sorted(tasks)]
        document = {"version": 1, "next_id": next_id, "tasks": rows}
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\\n"
        target = os.path.realpath(self.path)
        temporary = ""
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target))
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if os.path.exists(target):
                os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            os.replace(temporary, target)
        except OSError as error:
            if temporary:
                with contextlib.suppress(OSError):
                    os.remove(temporary)
            raise StorageError(f"{self.path}: {error}") from error


def _found(tasks: Dict[int, Task], task_id: int) -> Task:
    if task_id not in tasks:
        raise TaskNotFoundError(task_id)
    return tasks[task_id]


def _parsed(document):
    if not isinstance(document, dict) or document.get("version") != 1:
        raise ValueError("not a to-do list of version 1")
    rows, next_id = document.get("tasks"), document.get("next_id")
    if not isinstance(rows, list):
        raise ValueError("tasks: must be a list")
    tasks = [Task.from_dict(row) for row in rows]
    ids = {task.id for task in tasks}
    if len(ids) < len(tasks):
        raise ValueError("tasks: an id occurs twice")
    if type(next_id) is not int or next_id <= max(ids, default=0):
        raise ValueError("next_id: must be above every id")
    return {task.id: task for task in tasks}, next_id
'''

TEST_STORAGE = """import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from src.storage import StorageError, TaskNotFoundError, TaskStorage

ROW = {"id": 1, "title": "Buy milk", "done": False, "created_at": "2026-01-15T09:30:00+00:00"}
GOOD = {"version": 1, "next_id": 2, "tasks": [ROW]}


class TaskStorageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "tasks.json"
        self.storage = TaskStorage(self.path)

    def test_another_object_sees_every_change(self):
        other = TaskStorage(self.path)
        self.assertEqual(other.list(), [])
        first, second = self.storage.add("Buy milk"), self.storage.add("Überweisung ✓")
        self.assertEqual(other.list(), [first, second])
        self.assertTrue(self.storage.complete(1).done)
        self.assertTrue(other.get(1).done)
        self.assertEqual(self.storage.delete(2), second)
        self.assertEqual(len(other.list()), 1)

    def test_an_id_is_never_given_twice(self):
        for title in "abc":
            self.storage.add(title)
        self.storage.delete(3)
        self.assertEqual(self.storage.add("d").id, 4)

    def test_a_bad_title_makes_no_file(self):
        with self.assertRaises(ValueError):
            self.storage.add("")
        self.assertFalse(self.path.exists())

    def test_an_unknown_id_changes_nothing(self):
        self.storage.add("Buy milk")
        before = self.path.read_bytes()
        for call in (self.storage.get, self.storage.complete, self.storage.delete):
            with self.assertRaisesRegex(TaskNotFoundError, "^no task with id 7$") as raised:
                call(7)
            self.assertEqual(raised.exception.task_id, 7)
        self.storage.complete(1)
        done = self.path.read_bytes()
        self.storage.complete(1)
        self.assertNotEqual(before, done)
        self.assertEqual(self.path.read_bytes(), done)

    def test_a_faulty_file_is_never_overwritten(self):
        for name, content in (
            ("no JSON", b"{"),
            ("no UTF-8", b"\\xff"),
            ("no object", b"[]"),
            ("another version", json.dumps({**GOOD, "version": 2}).encode()),
            ("no list", json.dumps({**GOOD, "tasks": {}}).encode()),
            ("a bad row", json.dumps({**GOOD, "tasks": [{**ROW, "title": ""}]}).encode()),
            ("twice", json.dumps({**GOOD, "tasks": [ROW, ROW]}).encode()),
            ("no next id", json.dumps({"version": 1, "tasks": [ROW]}).encode()),
            ("a low next id", json.dumps({**GOOD, "next_id": 1}).encode()),
        ):
            with self.subTest(name):
                self.path.write_bytes(content)
                with self.assertRaisesRegex(StorageError, "tasks.json"):
                    self.storage.add("Buy milk")
                self.assertEqual(self.path.read_bytes(), content)

    def test_a_failed_replacement_leaves_the_old_file_alone(self):
        self.storage.add("Buy milk")
        before = self.path.read_bytes()
        with mock.patch("src.storage.os.replace", side_effect=OSError("disk")):
            with self.assertRaises(StorageError):
                self.storage.add("Call home")
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder), ["tasks.json"])

    def test_folders_are_made_links_and_modes_are_kept(self):
        TaskStorage(self.folder / "a" / "b" / "tasks.json").add("Buy milk")
        self.storage.add("Überweisung ✓")
        os.chmod(self.path, 0o600)
        link = self.folder / "link.json"
        link.symlink_to(self.path)
        TaskStorage(link).add("Call home")
        self.assertTrue(link.is_symlink())
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertIn("Überweisung ✓", self.path.read_text("utf-8"))


if __name__ == "__main__":
    unittest.main()
"""

CLI = '''"""The commands: add, list, done, delete."""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional, Sequence

from src.storage import StorageError, TaskStorage
from src.task import Task


def build_parser() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument("--file", default="tasks.json", metavar="PATH")
    parser = argparse.ArgumentParser(prog="python3 -m src.cli")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add", parents=[parent]).add_argument("title")
    listing = commands.add_parser("list", parents=[parent])
    listing.add_argument("--pending", action="store_true")
    for name in ("done", "delete"):
        commands.add_parser(name, parents=[parent]).add_argument("id", type=_id, metavar="ID")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(argv)
    try:
        lines = _lines(options, TaskStorage(options.file))
    except (StorageError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\\n".join(lines))
    return 0


def _lines(options: argparse.Namespace, storage: TaskStorage) -> List[str]:
    if options.command == "add":
        return [_told("Added", storage.add(options.title))]
    if options.command == "done":
        return [_told("Completed", storage.complete(options.id))]
    if options.command == "delete":
        return [_told("Deleted", storage.delete(options.id))]
    tasks = [task for task in storage.list() if not (options.pending and task.done)]
    width = max((len(str(task.id)) for task in tasks), default=0)
    rows = [f"[{'x' if each.done else ' '}] {each.id:>{width}}  {each.title}" for each in tasks]
    return rows or ["No tasks."]


def _told(verb: str, task: Task) -> str:
    return f"{verb} task {task.id}: {task.title}"


def _id(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
'''

TEST_CLI = """import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from src.cli import main

ROOT = Path(__file__).resolve().parent.parent


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = str(Path(folder.name, "tasks.json"))

    def todo(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--file", self.path])
        return code, out.getvalue(), err.getvalue()

    def process(self, *words, cwd=ROOT, **env):
        argv = [sys.executable, "-m", "src.cli", *words]
        done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, capture_output=True)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_a_life(self):
        self.assertEqual(self.todo("list"), (0, "No tasks.\\n", ""))
        self.assertEqual(self.todo("add", "Buy milk"), (0, "Added task 1: Buy milk\\n", ""))
        self.todo("add", "Call home")
        for _ in range(2):
            self.assertEqual(self.todo("done", "1"), (0, "Completed task 1: Buy milk\\n", ""))
        self.assertEqual(self.todo("list")[1], "[x] 1  Buy milk\\n[ ] 2  Call home\\n")
        self.assertEqual(self.todo("list", "--pending")[1], "[ ] 2  Call home\\n")
        self.assertEqual(self.todo("delete", "2"), (0, "Deleted task 2: Call home\\n", ""))
        self.assertEqual(self.todo("list")[1], "[x] 1  Buy milk\\n")

    def test_ids_are_aligned(self):
        for number in range(10):
            self.todo("add", str(number))
        lines = self.todo("list")[1].splitlines()
        self.assertEqual((lines[0], lines[9]), ("[ ]  1  0", "[ ] 10  9"))

    def test_errors_go_to_standard_error(self):
        self.assertEqual(self.todo("done", "7"), (1, "", "error: no task with id 7\\n"))
        self.assertEqual(self.todo("add", " "), (1, "", "error: title: must not be empty\\n"))
        Path(self.path).write_text("{")
        code, out, err = self.todo("list")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("tasks.json", err)

    def test_wrong_usage_ends_with_2(self):
        for words in ((), ("paint",), ("done", "x"), ("done", "0")):
            with self.subTest(words), self.assertRaises(SystemExit) as raised:
                with contextlib.redirect_stderr(io.StringIO()):
                    main(list(words))
            self.assertEqual(raised.exception.code, 2)

    def test_as_a_process(self):
        code, out, _ = self.process("--help")
        self.assertEqual(code, 0)
        for name in ("add", "list", "done", "delete"):
            self.assertIn(name, out)
        self.process("add", "Übung ✓", "--file", self.path)
        said = self.process("list", "--file", self.path, PYTHONIOENCODING="ascii")
        self.assertEqual(said, (0, "[ ] 1  \\\\xdcbung \\\\u2713\\n", ""))

    def test_without_a_file_it_is_in_the_current_folder(self):
        self.process("add", "Buy milk", cwd=self.folder, PYTHONPATH=str(ROOT))
        self.assertTrue(Path(self.path).exists())


if __name__ == "__main__":
    unittest.main()
"""

FILES: Mapping[str, Mapping[str, str]] = {
    "task-model": {
        "src/__init__.py": '"""A to-do list."""\n',
        "src/task.py": TASK,
        "tests/__init__.py": '"""The tests of the to-do list."""\n',
        "tests/test_task.py": TEST_TASK,
    },
    "task-storage": {"src/storage.py": STORAGE, "tests/test_storage.py": TEST_STORAGE},
    "cli-interface": {"src/cli.py": CLI, "tests/test_cli.py": TEST_CLI},
}


def turns(feature: str) -> list[Turn]:
    """What the model does for one feature: read, write, run the tests, commit or not, say so."""
    steps: list[Turn] = []
    if feature in READ_FIRST:
        steps.append(Answer("Reading.", (Tool("Read", {"file_path": READ_FIRST[feature]}),)))
    steps += [write(path, content) for path, content in FILES[feature].items()]
    steps.append(bash(TESTS))
    if feature in COMMITS:
        added = COMMITS[feature]
        steps.append(bash(f'git add {added} && git commit -m "feat({feature}): build it"'))
    return [*steps, text(f"{feature} is ready, with unit tests.")]


def scripts(markers: Mapping[str, str]) -> dict[str, list[Turn]]:
    """The scripts of all features; `markers` gives for each a text that is in its prompt.

    Dependents come first, because their prompts may name what they depend on.
    """
    return {markers[feature]: turns(feature) for feature in reversed(FEATURES)}
