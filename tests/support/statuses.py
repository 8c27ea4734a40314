"""What `status` says."""

from __future__ import annotations

from tests.support.scratch import Said


def said_of(said: Said) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """The JSON document of a status, and its features by id."""
    document = said.json
    assert isinstance(document, dict)
    return document, {entry["id"]: entry for entry in document.pop("features")}


def row_of(said: Said, id: str) -> list[str]:
    """The cells of a feature's row."""
    (row,) = [line for line in said.out.splitlines() if line.startswith(f"{id} ")]
    return [cell.strip() for cell in row.split("  ") if cell.strip()]
