"""The plan of a list that is not written yet, and what the dependency assistant says of it."""

from __future__ import annotations

from collections.abc import Iterator

from ...dag.schedule import Plan
from ...model.mask import Mask
from ...model.translate import N_
from ...project.decisions import apply_skips, decide, make_plan
from ...project.open import open_config
from ...project.selection import Selection, select
from ..assisting.assistant import findings
from ..assisting.evidence import gather
from ..assisting.finding import Finding, Kind
from .list import Draft


def draft_plan(draft: Draft, base: str, mask: Mask) -> Plan:
    """What `plan` would show of it. Raises :class:`UserError` if the repository is unusable."""
    project = open_config(draft.config, base, mask)
    state = project.seen(project.whole_state())
    project = apply_skips(project, state)
    selection = Selection()
    decisions = decide(project, state, selection, hashed=bool(state.features))
    selected = select(selection, project.dag, decisions)
    return make_plan(project, decisions, project.config.project.max_parallel, selected)


def advice(draft: Draft, base: str, mask: Mask) -> Iterator[str]:
    """What is wrong with the dependencies of its new features."""
    project = open_config(draft.config, base, mask)
    knowledge = gather(project, project.seen(project.whole_state())).knowledge
    for finding in findings(project.config.features, knowledge):
        if not {finding.feature, *finding.others}.isdisjoint(draft.ids):
            yield _words(finding)


WORDS = {
    Kind.MISSING: N_("{feature}: a dependency may be missing: {evidence}"),
    Kind.NEEDLESS: N_("{feature}: a dependency may be needless: {evidence}"),
    Kind.RISKY: "{feature}: {evidence}",
}


def _words(finding: Finding) -> str:
    """A finding in English: Claude reads it first."""
    said = [each.text.rstrip(".") for each in finding.evidence]
    for verb, ids in (("add", finding.adds), ("remove", finding.removes)):
        if ids:
            said.append(f"{verb} {', '.join(ids)}")
    return WORDS[finding.kind].format(feature=finding.feature, evidence="; ".join(said))
