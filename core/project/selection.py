"""Feature selection by `--only`, `--tag`, `--no-deps` and `--fresh`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..dag import incremental
from ..dag.resolver import DAGResolver
from ..model.decision import Action, Decision
from ..model.errors import UserError
from ..model.frozen import dataclass, replace
from ..model.translate import N_

ALL = ("*",)
"""``--fresh`` without ids; no feature has this id."""


@dataclass(frozen=True)
class Selection:
    """The selection options of a command."""

    only: tuple[str, ...] = ()
    tag: str | None = None
    deps: bool = True
    """Whether to include their dependencies."""
    fresh: tuple[str, ...] | None = None
    """Features to rerun even if up to date; :data:`ALL` for every selected one."""


def still(selection: Selection, dag: DAGResolver, begun: Collection[str]) -> Selection | None:
    """What a selection means in a list that changed; ``None`` if it selects nothing any more.

    Features that ``begun`` in the run do not start anew once more.
    """
    only = tuple(id for id in selection.only if id in dag.features)
    named = [dag.features[id] for id in only or dag.features]
    if selection.tag is not None:
        named = [feature for feature in named if selection.tag in feature.tags]
    if not named or (selection.only and not only):
        return None
    ids = {feature.id for feature in named}
    given = ids if selection.fresh == ALL else ids.intersection(selection.fresh or ())
    again = tuple(sorted(given.difference(begun)))
    return replace(selection, only=only, fresh=again or None)


def left_out(
    selection: Selection, dag: DAGResolver, decisions: Mapping[str, Decision]
) -> list[str]:
    """The selected features that do not run because of a skip."""
    chosen = incremental.chosen(dag, wanted(selection, dag), deps=selection.deps)
    return [id for id in chosen if decisions[id].action is Action.LEAVE]


def fresh(selection: Selection, dag: DAGResolver) -> set[str]:
    """The features named by ``--fresh``; all selected ones if it names none."""
    if selection.fresh is None:
        return set()
    named = wanted(selection, dag)
    if selection.fresh == ALL:
        return named
    check_known(N_("--fresh: "), selection.fresh, dag.features)
    others = set(selection.fresh) - named
    if others:
        raise UserError(
            N_("--fresh: {others} is not among the selected features").format(
                others=", ".join(sorted(others))
            ),
            hint=N_("add it to --only"),
        )
    return set(selection.fresh)


def check_known(where: str, names: Iterable[str], known: Mapping[str, object]) -> None:
    """Raise :class:`UserError` if any of ``names`` is not a feature."""
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    from ..model.did_you_mean import did_you_mean

    faults = (
        N_("unknown feature {name!r}{did_you_mean}").format(
            name=name, did_you_mean=did_you_mean(name, known)
        )
        for name in unknown
    )
    raise UserError(where + ", ".join(faults), hint=N_("rorchestrator status lists all features"))


def select(selection: Selection, dag: DAGResolver, decisions: Mapping[str, Decision]) -> list[str]:
    """The features that run with ``--only``, ``--tag`` and ``--no-deps``."""
    named = wanted(selection, dag)
    return incremental.selection(dag, decisions, named, deps=selection.deps)


def wanted(selection: Selection, dag: DAGResolver) -> set[str]:
    """The features named by ``--only`` and ``--tag``; all without either."""
    named = set(dag.features)
    if selection.only:
        check_known(N_("--only: "), selection.only, dag.features)
        named &= set(selection.only)
    if selection.tag is not None:
        tags = {tag for feature in dag.features.values() for tag in feature.tags}
        if selection.tag not in tags:
            from ..model.did_you_mean import did_you_mean

            near = did_you_mean(selection.tag, tuple(tags))
            raise UserError(
                N_("--tag: no feature has the tag {tag!r}{near}").format(
                    tag=selection.tag, near=near
                ),
                hint=N_("rorchestrator plan --verbose shows the tags"),
            )
        named &= {id for id, feature in dag.features.items() if selection.tag in feature.tags}
        if not named:
            raise UserError(
                N_("no feature of --only has the tag {tag!r}").format(tag=selection.tag),
                hint=N_("rorchestrator plan --verbose shows the tags"),
            )
    return named
