"""Reads ``prd.json`` as loops of agents use it: user stories with criteria and priorities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...model.frozen import replace
from ...model.translate import N_
from .items import Item, Source, block, key_in, line, source_of, text_in, texts_in

KIND = "prd"

STORIES = ("userStories", "user_stories", "stories")
CRITERIA = ("acceptanceCriteria", "acceptance_criteria", "acceptance", "criteria")
NEEDED = ("dependsOn", "depends_on", "dependencies", "blockedBy", "blocked_by")


def read(data: object) -> Source | None:
    """The plan; ``None`` if it is in another format."""
    if not isinstance(data, dict):
        return None
    listed: list[object] = next(
        (data[name] for name in STORIES if isinstance(data.get(name), list)), []
    )
    stories = [each for each in listed if isinstance(each, dict) and _title(each)]
    if not stories:
        return None
    about = line(text_in(data.get("description")), 1000)
    items = [_item(number, story, about) for number, story in enumerate(stories, 1)]
    if any(name in story for story in stories for name in NEEDED):
        return source_of(KIND, items)
    notes = []
    if len(items) > 1:
        notes.append(
            N_(
                "The stories name no dependencies, only priorities: each waits for those with the "
                "priority before its own."
            )
        )
    return source_of(KIND, _in_order(items), notes)


def _title(story: Mapping[str, object]) -> str:
    return line(text_in(story.get("title")) or text_in(story.get("name")))


def _first(story: Mapping[str, object], names: Sequence[str]) -> object:
    return next((story[name] for name in names if story.get(name)), None)


def _item(number: int, story: Mapping[str, object], about: str) -> Item:
    key = key_in(story.get("id")) or f"story {number}"
    priority = story.get("priority")
    parts = [text_in(story.get("description")), text_in(story.get("notes"))]
    context = f"It is part of: {about}" if about else ""
    needed = _first(story, NEEDED)
    keys = map(key_in, needed) if isinstance(needed, list) else [key_in(needed)]
    return Item(
        key,
        _title(story),
        block("\n\n".join(part for part in (*parts, context) if part)),
        texts_in(_first(story, CRITERIA)),
        tuple(key for key in keys if key),
        priority=priority if type(priority) is int and abs(priority) < 10**9 else None,
        is_done=story.get("passes") is True or _is_done(story),
    )


def _is_done(story: Mapping[str, object]) -> bool:
    return text_in(story.get("status")).lower() in ("done", "completed", "passed", "complete")


def _in_order(items: Sequence[Item]) -> list[Item]:
    """Items that wait for those of the priority before; without priorities, in their order."""
    ranks = [item.priority for item in items]
    if None in ranks:
        ranks = list(range(len(items)))
    levels = sorted({rank for rank in ranks if rank is not None})
    before = dict(zip(levels[1:], levels))
    return [
        replace(
            item,
            depends_on=tuple(
                each.key
                for each, of in zip(items, ranks)
                if rank is not None and of is not None and of == before.get(rank)
            ),
        )
        for item, rank in zip(items, ranks)
    ]
