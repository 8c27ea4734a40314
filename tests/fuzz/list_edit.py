"""Any list, any edit: the new text means what was meant, and every other byte stays."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from core.model.errors import UserError
from core.start import list_edit
from core.start.list_edit import Change, ListFile
from tests.fuzz.harness import Target
from tests.fuzz.mutations import damaged, dumped, values

KEYS = ("depends_on", "name", "x-origin", "tags", "é", "")


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """A list in some style, perhaps with blanks that nobody would write."""
    keys = st.dictionaries(st.sampled_from(KEYS), values(), max_size=4)
    features: list[Any] = [{**draw(keys), "id": f"f{n}"} for n in range(draw(st.integers(0, 4)))]
    features = [dict(draw(st.permutations(list(each.items())))) for each in features]
    data = {"$schema": "s", "features": features, "x-a": draw(values())}
    text = json.dumps(
        dict(draw(st.permutations(list(data.items())))),
        indent=draw(st.sampled_from([None, 0, 2, "\t"])),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", " : ")])),
        ensure_ascii=draw(st.booleans()),
    )
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))


TEXTS = st.one_of(
    _texts(),
    damaged(_texts().map(lambda text: text.encode("utf-8", "replace"))).map(
        lambda content: content.decode("utf-8", "replace")
    ),
)
PUTS = st.dictionaries(st.sampled_from(KEYS), values(), max_size=2).map(dumped)
CASES = st.tuples(
    TEXTS,
    st.dictionaries(
        st.sampled_from(["f0", "f1", "f2", "f3"]),
        st.tuples(PUTS, st.lists(st.sampled_from(KEYS), max_size=2).map(tuple)),
        max_size=3,
    ).map(lambda changes: tuple(changes.items())),
    st.lists(PUTS, max_size=2).map(tuple),
)


def check(case: tuple[str, Any, Any]) -> None:
    """The edit, the same edit again, and no edit; or an error that the user can mend."""
    text, given, new = case
    changes = [Change(id, json.loads(put), drop) for id, (put, drop) in given]
    added = [json.loads(each) for each in new]
    file = ListFile("list.json", b"", text)
    try:
        result = list_edit.edited(file, changes, added)
    except UserError as error:
        assert error.message
        return
    again = ListFile("list.json", b"", result)
    assert list_edit.edited(again, changes) == result
    assert list_edit.edited(file) == text
    assert _without_values(result, text, added), "a value that nobody changed has other bytes"


def _without_values(result: str, text: str, added: Any) -> bool:
    """Whether what is before and after the features is as it was."""
    start, end = text.find('"features"'), text.rfind("]")
    before = text[: text.find("[", start)] if start >= 0 else ""
    return result.startswith(before) and (bool(added) or result.endswith(text[end + 1 :]))


TARGET = Target("list edit", CASES, check)
