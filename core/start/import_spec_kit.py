"""Reads ``tasks.md`` of spec-kit: tasks ``T001``, ``[P]``, ``[US1]``, in phases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model.frozen import dataclass
from .import_items import Item, Source, block, line, source_of
from .import_markdown import Entry, Section, sections_of
from .import_references import tasks_in

KIND = "spec-kit"

_TASK = re.compile(r"[*_`~]{0,3}(T\d{1,4}[a-zA-Z]?)\b[*_`~]{0,3}[:.]?\s*(?:[-–—]\s+)?")
_LABEL = re.compile(r"[*_`]{0,3}\[(P|US\s?-?\d{1,3}|[A-Z]{2,12})\][*_`]{0,3}\s*")
_STORY = re.compile(r"\b(?:User Story|US)\s?-?(\d{1,3})\b", re.IGNORECASE)
_PHASE = re.compile(r"Phase\b", re.IGNORECASE)
_SAID = re.compile(r"\*\*(Goal|Purpose|Independent Test)\*\*\s*:|\*\*(Goal|Purpose):\*\*")
_INPUT = re.compile(r"\*\*(?:Input|Prerequisites):?\*\*")
_PLACE = re.compile(r"\b(?:Phase\s+(\d{1,3})|(?:User Story|US)\s?-?(\d{1,3}))\b", re.IGNORECASE)
_NEEDS = re.compile(r"\b(?:depends? on|requires?|after|needs)\b([^.;()]*)", re.IGNORECASE)


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
    inputs = [line for section in sections for line in section.prose if _INPUT.match(line)]
    links = _links(phases, sections)
    notes = list(_notes(phases, links, others))
    return source_of(KIND, _items(phases, links, inputs), notes)


def _notes(phases: Sequence[Phase], links: Sequence[tuple[int, ...]], others: int) -> Iterator[str]:
    if others:
        said = "entry has" if others == 1 else "entries have"
        yield f"{others} {said} no number such as T001: left out."
    apart = [
        phase.story
        for phase, before in zip(phases, links)
        if phase.story and not any(phases[n].story for n in before)
    ]
    if len(apart) > 1:
        yield f"User stories {', '.join(apart)} do not wait for each other; spec-kit means it so."


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
    for later, earlier in _said_links(sections):
        for number in _places(phases, later):
            more = [n for n in _places(phases, earlier) if n < number]
            found[number] = tuple(dict.fromkeys((*found[number], *more)))
    return found


Place = tuple[str, str]
"""The number of a phase, or that of a user story."""


def _places(phases: Sequence[Phase], place: Place) -> list[int]:
    number, story = place
    if story:
        return [n for n, phase in enumerate(phases) if phase.story == story]
    return [n for n, each in enumerate(phases) if _number(each.heading) == number]


def _number(heading: str) -> str:
    found = _PLACE.match(heading)
    return (found[1] or "").lstrip("0") if found else ""


def _said_links(sections: Sequence[Section]) -> Iterator[tuple[Place, Place]]:
    """What the sections on dependencies say: ``US1 → US2``, "User Story 3: after User Story 1"."""
    below = 0
    for section in sections:
        if "dependenc" in section.heading.lower():
            below = below or section.level
        elif section.level <= below:
            below = 0
        for each in section.prose if below else ():
            yield from _said_in(each[:1000])


def _said_in(text: str) -> Iterator[tuple[Place, Place]]:
    chain = [_place(part) for part in re.split(r"→|->|-->|⟶", text)]
    for earlier, later in zip(chain, chain[1:]):
        if earlier and later:
            yield later, earlier
    subject, colon, rest = text.partition(":")
    about = _place(subject) if colon and len(chain) == 1 else None
    for clause in _NEEDS.findall(rest) if about else ():
        for earlier in _all_places(clause.partition(" - ")[0].partition(" – ")[0]):
            assert about
            yield about, earlier


def _place(text: str) -> Place | None:
    """The phase or story of a text, if it is about one only."""
    found = _all_places(text)
    stories = [place for place in found if place[1]]
    return (stories or found)[0] if len(found) == 1 or len(stories) == 1 else None


def _all_places(text: str) -> list[Place]:
    return [(a.lstrip("0"), b.lstrip("0")) for a, b in _PLACE.findall(text)]


def _items(
    phases: Sequence[Phase], links: Sequence[tuple[int, ...]], inputs: Sequence[str]
) -> Iterator[Item]:
    ends: list[list[str]] = []
    for phase, before in zip(phases, links):
        after = {task.key: deps for task, deps in zip(phase.tasks, _order(phase.tasks))}
        own = {
            task.key: [*tasks_in(task.title), *tasks_in("\n".join(task.body), in_prose=True)]
            for task in phase.tasks
        }
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
