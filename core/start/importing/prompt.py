"""The feature made from an imported item: its prompt and its keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .checks import checks_of
from .items import Item

OTHERS = (
    "Do this item only: the other items of the plan are features of their own, done apart from "
    "this one."
)


def prompt_of(item: Item) -> str:
    """The text of the prompt file."""
    criteria = "\n".join(f"- {each}" for each in item.criteria)
    parts = [
        f"# {item.title}",
        item.text,
        criteria and f"## It is done when\n\n{criteria}",
        f"This is {item.key} of a larger plan. {OTHERS}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def keys_of(item: Item, depends_on: list[str], checked: Collection[str]) -> Mapping[str, object]:
    """The keys of the feature that come from the item; those without a value are left out.

    ``checked`` are the checks of the project, which are not repeated.
    """
    lines = (*item.criteria, *item.text.split("\n"))
    keys: dict[str, object] = {
        "name": item.title,
        "tags": list(item.tags),
        "depends_on": depends_on,
        "priority": item.priority,
        "verify": [command for command in checks_of(lines) if command not in checked],
    }
    return {key: value for key, value in keys.items() if value not in ([], None)}
