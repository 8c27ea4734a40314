"""Feature lists in a workspace."""

from __future__ import annotations

import json
import os
import tempfile
import unittest

from core.model.errors import UserError
from core.model.feature import (
    Config,
)
from core.project import feature_list as config

SEED = """
{
  "project": {
    "name": "MyProject",
    "repo_path": "..",
    "base_branch": "main"
  },
  "features": [
    {
      "id": "auth",
      "name": "User Authentication",
      "depends_on": [],
      "prompt_file": "auth.md"
    },
    {
      "id": "api",
      "name": "REST API",
      "depends_on": ["auth"],
      "prompt_file": "api.md"
    }
  ]
}
"""
"""The minimal list of the project's first README."""


class InAWorkspace(unittest.TestCase):
    """A workspace of its own for each test, with a list in ``config/``."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.outside = os.path.realpath(temporary.name)
        self.workspace = os.path.join(self.outside, "ws")
        self.path = os.path.join(self.workspace, "config", "feature_list.json")
        os.makedirs(os.path.join(self.workspace, "prompts"))
        os.makedirs(os.path.dirname(self.path))

    def write(self, name: str, content: str | bytes) -> str:
        """Write a file of the workspace; where it is."""
        path = os.path.join(self.workspace, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, content: object) -> Config:
        """Load a list with this content: as it is, or as JSON."""
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        self.write("config/feature_list.json", text)
        return config.load(self.path)

    def error(self, content: object) -> UserError:
        """What is said of a list with this content."""
        with self.assertRaises(UserError) as caught:
            self.load(content)
        return caught.exception

    def faults(self, content: object) -> list[str]:
        """The faults of a list with this content."""
        return list(self.error(content).details)

    def feature_faults(self, *features: object) -> list[str]:
        """The faults of a list that has only these features."""
        return self.faults({"project": {"name": "shop"}, "features": features})


def list_of(**sections: object) -> dict[str, object]:
    """A good list, with these sections in place of its own."""
    good: dict[str, object] = {
        "project": {"name": "shop"},
        "features": [{"id": "auth", "prompt": "Build it."}],
    }
    return {**good, **sections}


def feature_of(**fields: object) -> dict[str, object]:
    return {"id": "auth", "prompt": "Build it.", **fields}


STRING = "expected a string, not "


TOO_LARGE = "is too large"


UNPASSABLE = "contains NUL or half a surrogate pair, which no program accepts"


def malformed(rule: str) -> str:
    return f"malformed tool rule {rule!r} (expected Tool or Tool(what it may do))"


def unknown(tool: str, near: str) -> str:
    return f"unknown tool {tool!r} (did you mean {near!r}?)"
