"""Reads ``tasks.md`` of spec-kit: tasks ``T001``, ``[P]``, ``[US1]``, in phases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...model.frozen import dataclass
from ...model.translate import N_
from .items import Item, Source, block, line, source_of
from .markdown import Entry, Section, sections_of
from .order import without_cycles
from .references import tasks_in
from .said_order import Place, said_keys, said_places, section_lines

KIND = "spec-kit"

_TASK = re.compile(r"[*_`~]{0,3}(T\d{1,4}[a-zA-Z]?)\b[*_`~]{0,3}[:.]?\s*(?:[-–—]\s+)?")
_LABEL = re.compile(r"[*_`]{0,3}\[(P|US\s?-?\d{1,3}|[A-Z]{2,12})\][*_`]{0,3}\s*")
_STORY = re.compile(r"\b(?:User Story|US)\s?-?(\d{1,3})\b", re.IGNORECASE)
_PHASE = re.compile(r"Phase\b", re.IGNORECASE)
_SAID = re.compile(r"\*\*(Goal|Purpose|Independent Test)\*\*\s*:|\*\*(Goal|Purpose):\*\*")
_INPUT = re.compile(r"\*\*(?:Input|Prerequisites):?\*\*")
_NUMBER = re.compile(r"Phase\s+0*(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """A task as it is written."""

    key: str
    title: str
    body: tuple[str, ...]
    is_parallel: bool
    tags: tuple[str, ...]
    is_done: bool


@dataclass(frozen=True)
class Phase:
    """The tasks below a heading; a phase of a user story has the story's number."""

    heading: str
    story: str
    said: tuple[str, ...]
    tasks: tuple[Task, ...]


def read(text: str) -> Source | None:
    """The plan; ``None`` if it is in another format."""
    sections = sections_of(text)
    tasks = [entry for section in sections for entry in section.entries if _task(entry)]
    if not tasks:
        return None
    others = sum(len(section.entries) for section in sections) - len(tasks)
    phases = [phase for phase in _phases(sections) if phase.tasks]
    inputs = [each for section in sections for each in section.prose if _INPUT.match(each)]
    links = _links(phases, sections)
    notes = list(_notes(phases, links, others))
    said: dict[str, list[str]] = {}
    for key, needed in said_keys(section_lines(sections)):
        said.setdefault(key, []).append(needed)
    return source_of(KIND, _items(phases, links, inputs, said), notes)


def _notes(phases: Sequence[Phase], links: Sequence[tuple[int, ...]], others: int) -> Iterator[str]:
    if others:
        yield N_("Left out, because they have no number such as T001: {count}.").format(
            count=others
        )
    apart = [
        phase.story
        for phase, before in zip(phases, links)
        if phase.story and not any(phases[n].story for n in before)
        # Finished stories need no note.
        if not all(task.is_done for task in phase.tasks)
    ]
    if len(apart) > 1:
        said = N_("User stories {stories} do not wait for each other, as spec-kit intends.")
        yield said.format(stories=", ".join(apart))


def _task(entry: Entry) -> Task | None:
    found = _TASK.match(entry.text)
    if not found:
        return None
    rest, labels = entry.text[found.end() :], []
    label = _LABEL.match(rest)
    while label:
        labels.append(label[1])
        rest = rest[label.end() :]
        label = _LABEL.match(rest)
    key = found[1][0] + found[1][1:].lower()
    tags = tuple(re.sub(r"[\s-]", "", each) for each in labels if each != "P")
    title = line(rest.strip(" *~")) or key
    return Task(key, title, entry.body, "P" in labels, tags, entry.is_done)


def _phases(sections: Sequence[Section]) -> Iterator[Phase]:
    """The phases; headings below them are parts of them."""
    levels = [each.level for each in sections if _PHASE.match(each.heading)]
    level = min(levels, default=2)
    heading = ""
    said: list[str] = []
    tasks: list[Task] = []
    for section in sections:
        if section.level <= level:
            yield _phase(heading, said, tasks)
            heading, said, tasks = section.heading, [], []
        said += _said(section)
        tasks += [task for task in map(_task, section.entries) if task]
    yield _phase(heading, said, tasks)


def _phase(heading: str, said: Sequence[str], tasks: Sequence[Task]) -> Phase:
    named = _STORY.search(heading)
    stories = {tag for task in tasks for tag in task.tags if _STORY.match(tag)}
    labelled = all(any(_STORY.match(tag) for tag in task.tags) for task in tasks)
    story = named[1] if named else ""
    if not story and labelled and len(stories) == 1:
        story = stories.pop()[2:]
    return Phase(line(heading), story.lstrip("0"), tuple(said), tuple(tasks))


def _said(section: Section) -> Iterator[str]:
    """The goal of a phase and how it is tested, with the lines that go on."""
    goes_on = False
    for each in section.prose:
        starts = bool(_SAID.match(each))
        goes_on = starts or (goes_on and bool(each.strip()))
        if goes_on:
            yield ("" if starts else " ") + each.strip()


def _links(phases: Sequence[Phase], sections: Sequence[Section]) -> list[tuple[int, ...]]:
    """The phases that each phase waits for.

    Consecutive user stories wait for what is before all of them, not for each other; everything
    else waits for all that is before it. To this comes what the file says of phases and stories.
    """
    found: list[tuple[int, ...]] = []
    for number, phase in enumerate(phases):
        before = number
        while phase.story and before and phases[before - 1].story:
            before -= 1
        same = [n for n in range(before, number) if phases[n].story == phase.story]
        if phase.story:
            found.append(tuple(same[-1:]) or ((before - 1,) if before else ()))
        else:
            start = number - 1
            while start > 0 and phases[start].story and phases[start - 1].story:
                start -= 1
            found.append(tuple(range(max(start, 0), number)))
    for later, earlier in said_places(section_lines(sections)):
        for number in _places(phases, later):
            more = [n for n in _places(phases, earlier) if n < number]
            found[number] = tuple(dict.fromkeys((*found[number], *more)))
    return found


def _places(phases: Sequence[Phase], place: Place) -> list[int]:
    number, story = place
    if story:
        return [n for n, phase in enumerate(phases) if phase.story == story]
    return [n for n, each in enumerate(phases) if _number(each.heading) == number]


def _number(heading: str) -> str:
    found = _NUMBER.match(heading)
    return found[1] if found else ""


def _items(
    phases: Sequence[Phase],
    links: Sequence[tuple[int, ...]],
    inputs: Sequence[str],
    said: Mapping[str, Sequence[str]],
) -> Iterator[Item]:
    ends: list[list[str]] = []
    for phase, before in zip(phases, links):
        own = {task.key: [*_named(task), *said.get(task.key, ())] for task in phase.tasks}
        tasks = _sorted(phase.tasks, own)
        after = {task.key: needed for task, needed in zip(tasks, _order(tasks))}
        inner = set(after)
        needed = {key for deps in (*after.values(), *own.values()) for key in deps}
        ends.append([task.key for task in phase.tasks if task.key not in needed])
        barrier = [key for number in before for key in ends[number]]
        for task in phase.tasks:
            first = not (inner & {*after[task.key], *own[task.key]})
            keys = (*(barrier if first else ()), *after[task.key], *own[task.key])
            text = _text(phase, task, inputs)
            yield Item(
                task.key,
                task.title,
                text,
                depends_on=tuple(dict.fromkeys(key for key in keys if key != task.key)),
                tags=task.tags,
                is_done=task.is_done,
            )


def _named(task: Task) -> Iterator[str]:
    """What a task itself says that it depends on."""
    yield from tasks_in(task.title)
    yield from tasks_in("\n".join(task.body), in_prose=True)


def _sorted(tasks: Sequence[Task], own: Mapping[str, Sequence[str]]) -> list[Task]:
    """Tasks after those that they name; else in the order of the file."""
    by_key = {task.key: task for task in tasks}
    links = {key: [each for each in own[key] if each in by_key] for key in by_key}
    return [by_key[key] for key in without_cycles(links)[0]]


def _order(tasks: Sequence[Task]) -> list[list[str]]:
    """What each task of a phase waits for: tasks with ``[P]`` in a row are side by side."""
    found: list[list[str]] = []
    before: list[str] = []
    row: list[str] = []
    for task in tasks:
        if task.is_parallel:
            found.append(before)
            row.append(task.key)
        else:
            found.append(row or before)
            before, row = [task.key], []
    return found


def _text(phase: Phase, task: Task, inputs: Sequence[str]) -> str:
    """The body of a task, after what the file says of its phase."""
    context = [f"This task belongs to “{phase.heading}”."] if phase.heading else []
    said = "".join(f"\n\n{part}" if part[:1] != " " else part for part in phase.said).strip()
    parts = ["\n".join(task.body), *context, said, *inputs]
    return block("\n\n".join(part for part in parts if part.strip()))
