"""What a reviewer saw of a feature's files, and what is new since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..git.door import Git
from ..git.file_changes import (
    GITLINK,
    Entry,
    FileChange,
    digests,
    entries_of,
    entry_of,
    file_changes,
    sizes,
    with_entries,
)
from ..model.frozen import Enum, dataclass


class Sight(Enum):
    """Whether the diff of a file was seen as it is."""

    NEW = "new"
    CHANGED = "changed"
    """Another diff of the file was seen."""
    SEEN = "seen"


@dataclass(frozen=True)
class Sighting:
    """What was seen of a file: the digest of its diff, and both sides of it."""

    digest: str
    before: Entry = Entry()
    after: Entry = Entry()

    def __str__(self) -> str:
        return f"{self.digest} {self.before} {self.after}"


def sighting_of(text: str) -> Sighting:
    """The sighting that ``str`` spelled so; of another text, its first word is the digest."""
    digest, *rest = text.split(" ")
    entries = [entry_of(word) for word in rest]
    if len(entries) == 2 and entries[0] is not None and entries[1] is not None:
        return Sighting(digest, entries[0], entries[1])
    return Sighting(digest)


@dataclass(frozen=True)
class News:
    """A feature's own work, compared with what was seen of it."""

    since: str
    """The commit whose difference to the work is what is new; its start if nothing was seen."""
    sights: Mapping[str, Sight]
    """By path, for every file of the work. A renamed file is two."""
    sightings: Mapping[str, str]
    """What to record once the reviewer has seen the work."""
    taken_back: tuple[str, ...] = ()
    """Files that were seen changed and that the work no longer changes."""


async def news(git: Git, start: str, tip: str, seen: Mapping[str, str]) -> News:
    """What of the work between two commits is new to who saw ``seen``.

    Of a file whose diff changed, only what changed since is new, if the feature still changes the
    same content; else its whole diff is. Raises :class:`UserError` if git fails.
    """
    changes = (await file_changes(git, [(start, tip)]))[0]
    found = await digests(git, start, tip, changes)
    sightings = {
        change.path: str(Sighting(found[change.path], change.before, change.after))
        for change in changes
    }
    known = {path: sighting_of(text) for path, text in seen.items()}
    sights = {change.path: _sight(found[change.path], known.get(change.path)) for change in changes}
    gone = await _taken_back(git, start, known, sights.keys())
    # A file that left the work is as it was: both sides are the same.
    left = [FileChange(path, known[path].before, known[path].before) for path in gone]
    entries = await _read_already(git, [*changes, *left], known, sights)
    since = await with_entries(git, start, entries) if entries else start
    return News(since, sights, sightings, tuple(gone))


def _sight(digest: str, known: Sighting | None) -> Sight:
    if known is None:
        return Sight.NEW
    return Sight.SEEN if known.digest == digest else Sight.CHANGED


async def _taken_back(
    git: Git, start: str, known: Mapping[str, Sighting], now: Iterable[str]
) -> list[str]:
    """The seen files that are as they were before the feature's work."""
    asked = sorted(known.keys() - set(now))
    entries = await entries_of(git, start, asked)
    return [
        path
        for path in asked
        if entries[path] == known[path].before != known[path].after
        and (known[path].before.is_there or known[path].after.is_there)
    ]


async def _read_already(
    git: Git,
    changes: Sequence[FileChange],
    known: Mapping[str, Sighting],
    sights: Mapping[str, Sight],
) -> dict[str, Entry]:
    """The entries of the files as the reviewer knows them, where that is not the start."""
    entries: dict[str, Entry] = {}
    for change in changes:
        sighting = known.get(change.path)
        if sights.get(change.path) is Sight.SEEN:
            entries[change.path] = change.after
        elif sighting is not None and sighting.before == change.before != sighting.after:
            entries[change.path] = sighting.after
    there = await sizes(git, [e.object for e in entries.values() if _is_blob(e)])
    return {p: e for p, e in entries.items() if not _is_blob(e) or e.object in there}


def _is_blob(entry: Entry) -> bool:
    return entry.is_there and entry.mode != GITLINK
