"""What an import changes: new features, and what the source changed since the last import.

Each value is merged three ways: what was imported (by its hash), what the source says now, and
what the list says now. A value that the user changed is never replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ...model.excerpt import some
from ...model.frozen import Enum, dataclass
from ...model.translate import N_
from ..list_edit import Change
from .items import Item, Source, slug
from .order import among, without_cycles
from .origin import KEY, Origin, digest, origin_of
from .prompt import keys_of, prompt_of

KEYS = ("name", "tags", "depends_on", "priority", "verify")
"""The keys of a feature that are imported, besides its prompt."""

PROMPT = "prompt"
SUFFIX = ".md"


class Action(Enum):
    """What happens to a feature."""

    NEW = "new"
    CHANGED = "changed"
    KEPT = "kept"
    """The source changed, but so did the user."""
    LEFT = "left"
    GONE = "gone"
    """Only the list has it."""


@dataclass(frozen=True)
class Row:
    """A feature, and what the import does to it."""

    action: Action
    id: str
    key: str
    name: str
    depends_on: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """The keys that get a new value."""
    kept: tuple[str, ...] = ()
    """The keys whose new value the source has, but the list keeps the user's."""


@dataclass(frozen=True)
class Prompt:
    """A prompt file to write."""

    name: str
    """As ``prompt_file`` of the feature has it."""
    text: str
    old: str | None
    """Its text now; ``None`` if it does not exist."""


@dataclass(frozen=True)
class Target:
    """The list that is imported into."""

    features: Sequence[object]
    checked: Collection[str]
    """The checks of the project."""
    prompt: Callable[[str], str | None]
    """The text of a feature's prompt file; ``None`` if there is none."""
    new_prompt: Callable[[str], str | None]
    """The text of a file that is in the way of a new prompt file."""
    is_file: Callable[[str], bool]
    """Whether the file of an origin exists."""


@dataclass(frozen=True)
class Merge:
    """The whole import."""

    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    added: tuple[Mapping[str, object], ...]
    prompts: tuple[Prompt, ...]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.changes or self.added or self.prompts)


def merged(source: Source, file: str, target: Target) -> Merge:
    """The import of a source, whose origin is ``file``, into a list."""
    found = _Merger(source, file, target).merge()
    if _has_cycle(target, found):
        # The source alone has no cycle, so dependencies that the user added close it: these win.
        found = _Merger(source, file, target, keeps_order=True).merge()
    return found


class _Merger:
    def __init__(
        self, source: Source, file: str, target: Target, *, keeps_order: bool = False
    ) -> None:
        self.source, self.file, self.target = source, file, target
        self.keeps_order = keeps_order
        self.notes = list(source.notes)
        self.known = _matched(source, file, target)
        self.gone = _gone(source, file, target)
        self.ids = {key: str(feature["id"]) for key, (feature, _) in self.known.items()}
        self.changes: list[Change] = []
        self.added: list[Mapping[str, object]] = []
        self.prompts: list[Prompt] = []

    def merge(self) -> Merge:
        items = [item for item in self.source.items if item.key in self.known or not item.is_done]
        self._name(items)
        links = self._links(items)
        rows = [self._row(item, links[item.key]) for item in items]
        rows += [Row(Action.GONE, id, key, name) for key, (id, name) in self.gone.items()]
        self._note_done(items)
        return Merge(
            tuple(rows),
            tuple(self.changes),
            tuple(self.added),
            tuple(self.prompts),
            tuple(self.notes),
        )

    def _name(self, items: Sequence[Item]) -> None:
        """Give every new item an id that no feature has."""
        taken = {_text(each, "id").lower() for each in self.target.features}
        for item in items:
            if item.key not in self.ids:
                self.ids[item.key] = new_id(item, taken)
                taken.add(self.ids[item.key])

    def _links(self, items: Sequence[Item]) -> dict[str, list[str]]:
        """The ids that each item depends on, among them features whose items are gone."""
        gone = {key: id for key, (id, _) in self.gone.items()}
        known = {item.key for item in self.source.items} | set(gone)
        links: dict[str, list[str]] = {key: [] for key in gone}
        for item in self.source.items:
            links[item.key] = [key for key in item.depends_on if key in known]
            if not self.source.is_partial:
                self._note_unknown(item, known)
        kept, cut = without_cycles(links)
        for key, needed in cut:
            said = N_("{key} depends on {needed}, which closes a cycle: left out.")
            self.notes.append(said.format(key=key, needed=needed))
        ids = {**gone, **self.ids}
        keys = among(kept, {*gone, *(item.key for item in items)})
        return {key: [ids[each] for each in needed] for key, needed in keys.items()}

    def _note_unknown(self, item: Item, known: Collection[str]) -> None:
        for key in item.depends_on:
            if key not in known:
                said = N_("{key} depends on {needed}, which is not in the plan: left out.")
                self.notes.append(said.format(key=item.key, needed=key))

    def _row(self, item: Item, depends_on: list[str]) -> Row:
        keys = keys_of(item, depends_on, self.target.checked)
        if item.key in self.known:
            return self._update(item, keys, *self.known[item.key])
        return self._add(item, keys)

    def _add(self, item: Item, keys: Mapping[str, object]) -> Row:
        id, text = self.ids[item.key], prompt_of(item)
        hashes = {name: digest(value) for name, value in {**keys, PROMPT: text}.items()}
        origin = Origin(self.file, self.source.kind, item.key, hashes)
        name = self._new_prompt(id, text)
        entry = {"id": id, "name": keys["name"], "prompt_file": name}
        self.added.append({**entry, **keys, KEY: origin.document()})
        return _row_of(Action.NEW, id, item, keys)

    def _new_prompt(self, id: str, text: str) -> str:
        """The name of the prompt file of a new feature; an existing file is not overwritten."""
        name, number = id + SUFFIX, 2
        while True:
            there = self.target.new_prompt(name)
            if there is None:
                self.prompts.append(Prompt(name, text, None))
            if there is None or digest(there) == digest(text):
                return name
            name, number = f"{id}-{number}{SUFFIX}", number + 1

    def _update(
        self,
        item: Item,
        keys: Mapping[str, object],
        feature: Mapping[str, object],
        origin: Origin,
    ) -> Row:
        hashes = dict(origin.hashes)
        changed, kept = self._compared(keys, feature, hashes)
        said = self._update_prompt(prompt_of(item), feature, hashes)
        put = {name: keys[name] for name in changed if name in keys}
        drop = tuple(name for name in changed if name not in keys)
        new_origin = Origin(self.file, self.source.kind, item.key, hashes)
        if new_origin != origin:
            put[KEY] = new_origin.document()
        if put or drop:
            self.changes.append(Change(str(feature["id"]), put, drop))
        changed += [PROMPT] * (said == Action.CHANGED)
        kept += [PROMPT] * (said == Action.KEPT)
        action = Action.CHANGED if changed else Action.KEPT if kept else Action.LEFT
        values = {**{name: each for name, each in feature.items() if name not in drop}, **put}
        return _row_of(action, str(feature["id"]), item, values, tuple(changed), tuple(kept))

    def _compared(
        self, keys: Mapping[str, object], feature: Mapping[str, object], hashes: dict[str, str]
    ) -> tuple[list[str], list[str]]:
        """The keys to change and those to keep; ``hashes`` gets what the list has then."""
        changed, kept = [], []
        for name in KEYS:
            new, there, was = _hash(keys.get(name)), _hash(feature.get(name)), hashes.get(name)
            if new == was:
                continue
            if there not in (was, new) or (name == "depends_on" and self.keeps_order):
                kept.append(name)
                continue
            if there != new:
                changed.append(name)
            if new is None:
                hashes.pop(name, None)
            else:
                hashes[name] = new
        return changed, kept

    def _update_prompt(
        self, text: str, feature: Mapping[str, object], hashes: dict[str, str]
    ) -> Action | None:
        """Write the prompt again if the source changed and the user didn't."""
        name = _text(feature, "prompt_file")
        there = self.target.prompt(name) if name else _inline(feature)
        was = hashes.get(PROMPT)
        if there is not None and (_hash(text) == was or _hash(there) == _hash(text)):
            hashes[PROMPT] = digest(text)
            return None
        if name and (there is None or _hash(there) == was):
            hashes[PROMPT] = digest(text)
            self.prompts.append(Prompt(name, text, there))
            return Action.CHANGED
        return Action.KEPT

    def _note_done(self, items: Sequence[Item]) -> None:
        out = len(self.source.items) - len(items)
        if out:
            said = N_("Not added, because done or left out: {count}.")
            self.notes.append(said.format(count=out))
        done = [self.ids[item.key] for item in items if item.is_done]
        if done:
            said = N_("Done in the source, still in the list: {ids}.")
            self.notes.append(said.format(ids=some(done)))


def _row_of(
    action: Action,
    id: str,
    item: Item,
    values: Mapping[str, object],
    changed: tuple[str, ...] = (),
    kept: tuple[str, ...] = (),
) -> Row:
    depends_on, verify = (_texts(values.get(name)) for name in ("depends_on", "verify"))
    return Row(action, id, item.key, item.title, depends_on, verify, changed, kept)


def _matched(
    source: Source, file: str, target: Target
) -> dict[str, tuple[Mapping[str, object], Origin]]:
    """The features that came from items of the source, by key.

    A source that was moved is the same one if its old file is gone and its titles are the same;
    one that is printed anew each time, if its titles are.
    """
    titles = {item.key: item.title for item in source.items}
    found: dict[str, tuple[Mapping[str, object], Origin]] = {}
    moved: dict[str, tuple[Mapping[str, object], Origin]] = {}
    for feature in target.features:
        origin = origin_of(feature)
        if origin is None or origin.kind != source.kind or origin.key not in titles:
            continue
        assert isinstance(feature, dict)
        if origin.file == file:
            found.setdefault(origin.key, (feature, origin))
        elif _is_moved(source, origin, titles[origin.key], target):
            moved.setdefault(origin.key, (feature, origin))
    return {**moved, **found}


def _gone(source: Source, file: str, target: Target) -> dict[str, tuple[str, str]]:
    """The ids and names of the features whose items are no longer in the source, by key."""
    keys = {item.key for item in source.items}
    found = {}
    for feature in target.features:
        origin = origin_of(feature)
        if origin and (origin.file, origin.kind) == (file, source.kind) and origin.key not in keys:
            found[origin.key] = (_text(feature, "id"), _text(feature, "name"))
    return found


def _is_moved(source: Source, origin: Origin, title: str, target: Target) -> bool:
    """Whether an item came from this source before, when its file had another name."""
    same = origin.hashes.get("name") == digest(title)
    return same and (source.is_partial or not target.is_file(origin.file))


def new_id(item: Item, taken: Collection[str]) -> str:
    """An id for an item, of its key and its title, that is not taken."""
    key, title = slug(item.key), slug(item.title)
    is_one = not (key and title) or title.startswith(key) or key.startswith(title)
    base = slug((title or key) if is_one else f"{key}-{title}") or "item"
    if base.isdigit():  # The title has no letters that an id can have.
        base = f"item-{base}"
    id, number = base, 2
    while id in taken:
        id, number = f"{base}-{number}", number + 1
    return id


def _has_cycle(target: Target, made: Merge) -> bool:
    links = {
        _text(each, "id"): _texts(each.get("depends_on"))
        for each in (*target.features, *made.added)
        if isinstance(each, dict)
    }
    for change in made.changes:
        if "depends_on" in change.put:
            links[change.id] = _texts(change.put["depends_on"])
        elif "depends_on" in change.drop:
            links[change.id] = ()
    known = {id: [each for each in needed if each in links] for id, needed in links.items()}
    return bool(without_cycles(known)[1])


def _hash(value: object) -> str | None:
    """The hash of a value; ``None`` if it says as little as no value."""
    return None if value is None or value == [] else digest(value)


def _text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(each for each in found if isinstance(each, str))


def _inline(feature: Mapping[str, object]) -> str:
    """The prompt that is in the list itself."""
    value = feature.get("prompt")
    return "\n".join(_texts(value)) if isinstance(value, list) else _text(feature, "prompt")
