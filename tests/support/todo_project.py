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

TASK = '''"""The task of a to-do list."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Task:
    id: int
    title: str
    done: bool = False

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ValueError("a task needs a title")

    def completed(self) -> Task:
        return replace(self, done=True)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> Task:
        return cls(int(str(data["id"])), str(data["title"]), bool(data["done"]))
'''

TEST_TASK = """import unittest

from src.task import Task


class TaskTest(unittest.TestCase):
    def test_a_new_task_is_open(self):
        self.assertFalse(Task(1, "Buy milk").done)

    def test_a_completed_task_is_another_task(self):
        task = Task(1, "Buy milk")
        self.assertTrue(task.completed().done)
        self.assertFalse(task.done)

    def test_a_task_needs_a_title(self):
        with self.assertRaises(ValueError):
            Task(1, "  ")

    def test_a_task_survives_the_way_to_a_dict_and_back(self):
        task = Task(7, "Grüße senden", done=True)
        self.assertEqual(Task.from_dict(task.to_dict()), task)


if __name__ == "__main__":
    unittest.main()
"""

STORAGE = '''"""Tasks in a JSON file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from src.task import Task


class TaskStorage:
    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def load(self) -> list[Task]:
        if not self.path.exists():
            return []
        return [Task.from_dict(each) for each in json.loads(self.path.read_text("utf-8"))]

    def save(self, tasks: list[Task]) -> None:
        temporary = self.path.with_name(self.path.name + ".new")
        words = json.dumps([task.to_dict() for task in tasks], ensure_ascii=False, indent=2)
        temporary.write_text(words, "utf-8")
        os.replace(temporary, self.path)

    def add(self, title: str) -> Task:
        tasks = self.load()
        task = Task(max((each.id for each in tasks), default=0) + 1, title)
        self.save([*tasks, task])
        return task

    def complete(self, task_id: int) -> Task:
        tasks = {task.id: task for task in self.load()}
        tasks[task_id] = tasks[task_id].completed()
        self.save(list(tasks.values()))
        return tasks[task_id]
'''

TEST_STORAGE = """import tempfile
import unittest
from pathlib import Path

from src.storage import TaskStorage
from src.task import Task


class TaskStorageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "tasks.json")
        self.storage = TaskStorage(self.path)

    def test_a_missing_file_is_an_empty_list(self):
        self.assertEqual(self.storage.load(), [])

    def test_tasks_are_numbered_and_survive(self):
        self.storage.add("Buy milk")
        self.storage.add("Grüße senden")
        self.assertEqual(
            TaskStorage(self.path).load(), [Task(1, "Buy milk"), Task(2, "Grüße senden")]
        )

    def test_a_task_is_completed_by_its_number(self):
        self.storage.add("Buy milk")
        self.storage.complete(1)
        self.assertEqual(self.storage.load(), [Task(1, "Buy milk", done=True)])

    def test_an_unknown_number_is_an_error(self):
        with self.assertRaises(KeyError):
            self.storage.complete(9)


if __name__ == "__main__":
    unittest.main()
"""

CLI = '''"""The command: add, list and complete tasks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from src.storage import TaskStorage


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="todo")
    top.add_argument("--file", type=Path, default=Path("tasks.json"))
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("add").add_argument("title")
    commands.add_parser("list")
    commands.add_parser("done").add_argument("id", type=int)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    storage = TaskStorage(options.file)
    if options.command == "add":
        print(f"added {storage.add(options.title).id}")
    elif options.command == "list":
        for task in storage.load():
            print(f"[{'x' if task.done else ' '}] {task.id} {task.title}")
    else:
        try:
            storage.complete(options.id)
        except KeyError:
            print(f"no task {options.id}", file=sys.stderr)
            return 1
        print(f"done {options.id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

TEST_CLI = """import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from src.cli import main


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = str(Path(folder.name, "tasks.json"))

    def todo(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--file", self.path, *words])
        return code, out.getvalue() + err.getvalue()

    def test_an_added_task_is_listed(self):
        self.assertEqual(self.todo("add", "Buy milk"), (0, "added 1\\n"))
        self.assertEqual(self.todo("list"), (0, "[ ] 1 Buy milk\\n"))

    def test_a_task_that_is_done_is_ticked(self):
        self.todo("add", "Buy milk")
        self.assertEqual(self.todo("done", "1"), (0, "done 1\\n"))
        self.assertEqual(self.todo("list"), (0, "[x] 1 Buy milk\\n"))

    def test_an_unknown_task_is_an_error(self):
        self.assertEqual(self.todo("done", "3"), (1, "no task 3\\n"))


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
