"""Any document: what `core/engines/yaml_text.py` writes, YAML libraries read back as it was."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import strategies as st
from ruamel.yaml import YAML

from core.engines.yaml_text import yaml_text
from tests.fuzz.harness import Target

TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("ab01 \t\n:#-'\"\\*&!%@`|>?{}[],~=.<", max_size=12),
    st.sampled_from(
        ["on", "Yes", "NO", "null", "~", "1e3", "0x1f", "1_000", "12:30", "---", "..."]
    ),
)
SCALAR = st.one_of(TEXT, st.booleans(), st.none(), st.integers(-9, 10**6))
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
CASES = st.dictionaries(TEXT, VALUE, min_size=1, max_size=4).map(json.dumps)


def check(case: str) -> None:
    """Write the document, and read it."""
    document: dict[str, Any] = json.loads(case)
    text = yaml_text(document)
    assert yaml.safe_load(text) == document, text
    assert YAML(typ="safe", pure=True).load(text) == document, text


TARGET = Target("yaml", CASES, check)
