"""Checks of ids and dependencies across features: duplicates, unknown ids, cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..dag.resolver import cycle
from ..model.translate import N_
from .list_reader import HINTED, Reader

CYCLES_SHOWN = 10


def _positions(reader: Reader, value: Sequence[object]) -> dict[str, int]:
    """The index of each id; duplicates, also in another case, are faults."""
    positions: dict[str, int] = {}
    folded: dict[str, int] = {}
    for index, item in enumerate(value):
        id = item.get("id") if isinstance(item, dict) else None
        if not isinstance(id, str):
            continue
        # Folders and refs collide where the file system ignores case.
        first = folded.setdefault(id.casefold(), index)
        if first != index:
            reader.fault(
                f"features[{index}].id",
                N_("duplicate id {id!r} (also features[{first}])").format(id=id, first=first),
            )
        positions.setdefault(id, index)
    return positions


def _near(name: str, positions: Mapping[str, int]) -> str:
    from ..model.did_you_mean import did_you_mean

    return did_you_mean(name, positions)


def check_dependencies(reader: Reader, value: Sequence[object]) -> None:
    """Report duplicate ids, unknown and duplicate dependencies, and dependency cycles."""
    positions = _positions(reader, value)
    graph: dict[str, list[str]] = {id: [] for id in positions}
    hints: dict[str, str] = {}
    for index, item in enumerate(value):
        own = item.get("id") if isinstance(item, dict) else None
        needed = item.get("depends_on") if isinstance(item, dict) else None
        seen: set[str] = set()
        for number, name in enumerate(needed if isinstance(needed, list) else ()):
            path = f"features[{index}].depends_on[{number}]"
            if not isinstance(name, str):
                continue
            if name not in positions:
                if name not in hints:
                    hints[name] = _near(name, positions) if len(hints) < HINTED else ""
                reader.fault(
                    path, N_("unknown feature {name!r}{hint}").format(name=name, hint=hints[name])
                )
            elif name == own:
                reader.fault(path, N_("{name!r} can't depend on itself").format(name=name))
            elif name in seen:
                reader.fault(path, N_("duplicate dependency {name!r}").format(name=name))
            elif isinstance(own, str):
                graph[own].append(name)
            seen.add(name)
    _check_cycles(reader, graph, positions)


def _check_cycles(
    reader: Reader, graph: dict[str, list[str]], positions: Mapping[str, int]
) -> None:
    for _ in range(CYCLES_SHOWN):
        found = cycle(graph)
        if not found:
            break
        place = f"features[{positions[found[0]]}].depends_on"
        reader.fault(place, N_("dependency cycle: {found}").format(found=" → ".join(found)))
        graph.update((id, []) for id in found)
