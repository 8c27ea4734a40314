"""Features and facts for tests of the dependency assistant."""

from __future__ import annotations

from collections.abc import Sequence

from core.model.feature import Feature
from core.start.assisting.facts import Facts
from core.start.assisting.finding import Finding, Knowledge


def one(
    id: str,
    needs: str = "",
    prompt: str = "",
    *,
    creates: Sequence[str] = (),
    uses: Sequence[str] = (),
    tokens: int | None = None,
    description: str = "",
) -> Feature:
    """A feature; ``needs`` are the ids of its dependencies."""
    return Feature(
        id,
        f"The {id}",
        prompt,
        description=description,
        depends_on=tuple(needs.split()),
        creates=tuple(creates),
        uses=tuple(uses),
        estimated_tokens=tokens,
    )


def facts_of(*features: Feature, **known: object) -> Facts:
    """Facts of a list, with these fields of :class:`Knowledge`."""
    return Facts(features, Knowledge(**known))  # type: ignore[arg-type]


def texts(finding: Finding) -> list[str]:
    """The sentences of a finding's evidence."""
    return [each.text for each in finding.evidence]


def brief(finding: Finding) -> str:
    """A finding in a few signs: ``missing api +auth!``; ``!`` is safe."""
    changes = [*(f"+{id}" for id in finding.adds), *(f"-{id}" for id in finding.removes)]
    others = changes or [f"({', '.join(finding.others)})"]
    return f"{finding.kind.value} {finding.feature} {' '.join(others)}{'!' * finding.is_safe}"
