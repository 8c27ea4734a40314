"""The plan of a list that is not written yet."""

from __future__ import annotations

from ..dag.schedule import Plan
from ..model.mask import Mask
from ..project.decisions import apply_skips, decide, make_plan
from ..project.open import open_config
from ..project.selection import Selection, select
from .decompose_list import Draft


def draft_plan(draft: Draft, base: str, mask: Mask) -> Plan:
    """What `plan` would show of it. Raises :class:`UserError` if the repository is unusable."""
    project = open_config(draft.config, base, mask)
    state = project.seen(project.known_state())
    project = apply_skips(project, state)
    selection = Selection()
    decisions = decide(project, state, selection, hashed=bool(state.features))
    selected = select(selection, project.dag, decisions)
    return make_plan(project, decisions, project.config.project.max_parallel, selected)
