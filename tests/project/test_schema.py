"""The schema of a feature list says what the loader says, as far as a schema can."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from collections.abc import Iterator, Mapping

from core.model.errors import UserError
from core.project import feature_list
from core.project.schema import schema
from tests.support.commands import run_in_process
from tests.support.paths import ROOT

try:
    import jsonschema
except ImportError:
    jsonschema = None  # type: ignore[assignment]

GOOD = {"project": {"name": "Shop"}, "features": [{"id": "a", "prompt": "x"}]}


def _with(section: str, **fields: object) -> dict[str, object]:
    made = json.loads(json.dumps(GOOD))
    if section == "feature":
        made["features"][0].update(fields)
    else:
        made.setdefault(section, {}).update(fields)
    return made  # type: ignore[no-any-return]


ACCEPTED: tuple[Mapping[str, object], ...] = (
    GOOD,
    {**GOOD, "_comment": 1, "x-tool": {}, "$schema": "s"},
    _with("project", retry={"attempts": 1, "backoff_seconds": 0}, verify=["true", ["sh", "-c"]]),
    _with("project", hold_at_utilization=0.9),
    _with("project", max_parallel=1, usd_per_million_tokens=0, description=["two", "lines"]),
    {**GOOD, "notify": [{"type": "slack", "url_env": "HOOK", "on": ["needs_you"], "_a": 1}]},
    _with("claude", permission_mode="plan", env={"A": "b"}, allowed_tools=["Bash(ls)"]),
    _with("feature", prompt=["two", "lines"], tags=[], priority=-3, estimated_tokens=0),
)
REFUSED: tuple[object, ...] = (
    [],
    {},
    {"project": {"name": "Shop"}},
    {"project": {}, "features": [{"id": "a", "prompt": "x"}]},
    {**GOOD, "features": []},
    {**GOOD, "notify": {}},
    {**GOOD, "notify": [{"type": "sms"}]},
    {**GOOD, "notify": [{"url_env": "HOOK"}]},
    {**GOOD, "notify": [{"type": "slack", "url": "https://hooks.example"}]},
    {**GOOD, "notify": [{"type": "slack", "url_env": "$HOOK"}]},
    {**GOOD, "notify": [{"type": "slack", "url_env": "HOOK", "on": ["never"]}]},
    {**GOOD, "featurs": []},
    {**GOOD, "features": [{"prompt": "x"}]},
    {**GOOD, "features": [{"id": "a"}]},
    {**GOOD, "features": [{"id": "a", "prompt": "x", "prompt_file": "y"}]},
    _with("project", name=""),
    _with("project", max_parallel=0),
    _with("project", hold_at_utilization=0),
    _with("project", hold_at_utilization=101),
    _with("project", max_parallel=1.5),
    _with("project", timeout_seconds=0),
    _with("project", usd_per_million_tokens=-1),
    _with("project", setup="make"),
    _with("project", setup=[[]]),
    _with("project", verify_clean="yes"),
    _with("project", retry={"attempts": 0}),
    _with("project", copy=[1]),
    _with("claude", permission_mode="always"),
    _with("claude", command=[]),
    _with("claude", env={"A": 1}),
    _with("claude", env={"A=B": "x"}),
    _with("feature", id="a b"),
    _with("feature", id="-a"),
    _with("feature", prompt=""),
    _with("feature", depends_on="b"),
    _with("feature", priority="high"),
    _with("feature", max_cost_usd=0),
)


EXAMPLES = ("feature_list.example.json", "react.example.json", "test-project.json")


def _keys(made: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Every key that a schema knows, with the schema of its value."""
    if isinstance(made, list):
        for item in made:
            yield from _keys(item, path)
    if isinstance(made, dict):
        for name, of_key in made.get("properties", {}).items():
            yield f"{path}.{name}", of_key
            yield from _keys(of_key, f"{path}.{name}")
        for part in ("items", "anyOf"):
            yield from _keys(made.get(part), path)


class Loader(unittest.TestCase):
    """The corpus is right: the loader judges it so."""

    def loads(self, document: object) -> bool:
        with tempfile.TemporaryDirectory(prefix="ror-") as folder:
            path = os.path.join(folder, "list.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document, file)
            try:
                feature_list.load(path)
            except UserError:
                return False
        return True

    def test_the_loader_accepts_and_refuses_the_corpus(self) -> None:
        for document in ACCEPTED:
            self.assertTrue(self.loads(document), document)
        for refused in REFUSED:
            self.assertFalse(self.loads(refused), refused)


class Schema(unittest.TestCase):
    def test_the_schema_describes_every_key_in_plain_words(self) -> None:
        found = dict(_keys(schema()))
        for name in (".$schema", ".project.retry.attempts", ".features.id", ".notify.on"):
            self.assertIn(name, found)
        for name, of_key in found.items():
            with self.subTest(name):
                self.assertTrue(of_key["description"])
                self.assertNotRegex(str(of_key["description"]), r"\]\(|`")

    def test_the_command_prints_the_file_that_the_examples_name(self) -> None:
        said = run_in_process(["schema"], ROOT, {})
        self.assertEqual((said.code, said.err), (0, ""))
        config = os.path.join(ROOT, "config")
        for name in EXAMPLES:
            with open(os.path.join(config, name), encoding="utf-8") as file:
                named = json.load(file)["$schema"]
            with open(os.path.join(config, named), encoding="utf-8") as file:
                self.assertEqual(file.read(), said.out, "run: python3 -m tests.pages")

    @unittest.skipIf(jsonschema is None, "jsonschema is a development tool")
    def test_the_schema_judges_the_corpus_and_the_examples_as_the_loader_does(self) -> None:
        validator = jsonschema.Draft202012Validator(schema())
        validator.check_schema(schema())
        for document in ACCEPTED:
            self.assertTrue(validator.is_valid(document), document)
        for refused in REFUSED:
            self.assertFalse(validator.is_valid(refused), refused)
        for name in EXAMPLES:
            with open(os.path.join(ROOT, "config", name), encoding="utf-8") as file:
                self.assertTrue(validator.is_valid(json.load(file)), name)


if __name__ == "__main__":
    unittest.main()
