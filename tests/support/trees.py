"""Sample trees: the few files by which a stack is known."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.start.stacks.tree import Tree


def tree(files: Mapping[str, str]) -> Tree:
    """A tree of these files with their texts."""
    return Tree(files, files.__getitem__)


def package_json(**keys: object) -> str:
    """A ``package.json``."""
    return json.dumps({"name": "shop", **keys})


RAILS: Mapping[str, str] = {
    "Gemfile": "gem 'rails'\ngem 'sqlite3'\n",
    "Gemfile.lock": "    rails (8.0.1)\n    sqlite3 (2.0)\n",
    "bin/rails": "#!/usr/bin/env ruby\n",
    "config/application.rb": "",
    "config/database.yml": "default: &default\n  adapter: sqlite3\n",
    "test/test_helper.rb": "",
}
NODE: Mapping[str, str] = {
    "package.json": package_json(
        scripts={"test": "node --test", "lint": "node --check index.js", "start": "node ."}
    ),
    "package-lock.json": json.dumps(
        {
            "name": "shop",
            "lockfileVersion": 3,
            "requires": True,
            "packages": {"": {"name": "shop"}},
        }
    ),
    "index.js": "console.log('shop');\n",
    "index.test.js": "require('node:test')('works', () => {});\n",
}
PYTHON: Mapping[str, str] = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = []\n',
    "shop/__init__.py": "def total(prices):\n    return sum(prices)\n",
    "tests/test_shop.py": (
        "import unittest\n\nfrom shop import total\n\n\n"
        "class ShopTest(unittest.TestCase):\n    def test_total(self):\n"
        "        self.assertEqual(total([1, 2]), 3)\n"
    ),
}
GO: Mapping[str, str] = {
    "go.mod": "module shop\n\nrequire example.org/x v1.0.0\n",
    "go.sum": "",
    "main.go": "package main\n",
}
RUST: Mapping[str, str] = {
    "Cargo.toml": '[package]\nname = "shop"\n',
    "Cargo.lock": "",
    "src/main.rs": "fn main() {}\n",
}
