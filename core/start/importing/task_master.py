"""Reads ``tasks.json`` of Task Master: one list of tasks, or one for each tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model.excerpt import some
from ...model.translate import N_
from .items import Item, Source, block, key_in, line, source_of, text_in, texts_in

KIND = "task-master"

MAIN = "master"
"""The tag of the tasks that have none in the older format."""

LEFT_OUT = ("cancelled", "deferred", "review")
"""Not finished, but nothing to work on."""
DONE = ("done", "completed", *LEFT_OUT)
PRIORITIES = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def read(data: object) -> Source | None:
    """The plan; ``None`` if it is in another format."""
    tags = _tags(data)
    if not tags:
        return None
    items, notes = [], []
    for tag, tasks in tags.items():
        items += [_item(tag, task) for task in tasks]
    for status in LEFT_OUT:
        keys = [
            item.key
            for item, task in zip(items, (task for tasks in tags.values() for task in tasks))
            if _status(task) == status
        ]
        if keys:
            said = N_("Left out with the status {status}: {keys}.")
            notes.append(said.format(status=status, keys=some(keys)))
    if len(tags) > 1:
        said = N_("Each tag of the file is a tag of its features: {tags}.")
        notes.append(said.format(tags=", ".join(map(line, tags))))
    return source_of(KIND, items, notes)


def _tags(data: object) -> dict[str, list[Mapping[str, object]]]:
    """The tasks of each tag."""
    if not isinstance(data, dict):
        return {}
    if isinstance(data.get("tasks"), list):
        data = {MAIN: data}
    found: dict[str, list[Mapping[str, object]]] = {}
    for tag, value in data.items():
        tasks = value.get("tasks") if isinstance(value, dict) else None
        listed = tasks if isinstance(tasks, list) else []
        kept = [task for task in listed if isinstance(task, dict) and _is_task(task)]
        if kept:
            found[str(tag)] = list(kept)
    return found


def _is_task(task: Mapping[str, object]) -> bool:
    return bool(key_in(task.get("id")) and key_in(task.get("title")))


def _status(task: Mapping[str, object]) -> str:
    return text_in(task.get("status")).strip().lower()


def _item(tag: str, task: Mapping[str, object]) -> Item:
    prefix = "" if tag == MAIN else f"{line(tag, 40)}."
    needed = task.get("dependencies")
    keys = [key_in(each) for each in needed] if isinstance(needed, list) else []
    return Item(
        prefix + key_in(task.get("id")),
        line(text_in(task.get("title"))),
        _text(task),
        texts_in(task.get("testStrategy")),
        tuple(prefix + key.partition(".")[0] for key in keys if key),
        () if tag == MAIN else (line(tag, 40),),
        PRIORITIES.get(text_in(task.get("priority")).strip().lower()),
        _status(task) in DONE,
    )


def _text(task: Mapping[str, object]) -> str:
    parts = [text_in(task.get("description")), text_in(task.get("details"))]
    steps = "\n".join(_steps(task.get("subtasks")))
    return block("\n\n".join(part for part in (*parts, steps and f"## Steps\n\n{steps}") if part))


def _steps(subtasks: object) -> Iterator[str]:
    """The subtasks, in their order."""
    listed = subtasks if isinstance(subtasks, list) else []
    known = [each for each in listed if isinstance(each, dict)]
    for number, each in enumerate(known, 1):
        done = " (done)" if _status(each) in DONE else ""
        yield f"{number}. {line(text_in(each.get('title')))}{done}"
        if not done:
            for name in ("description", "details", "testStrategy"):
                for text in text_in(each.get(name)).split("\n"):
                    if text.strip():
                        yield f"   {text}"
