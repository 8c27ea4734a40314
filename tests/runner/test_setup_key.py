"""The key of a setup: which files are inputs, and what else counts."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.model.feature import Project
from core.model.frozen import replace
from core.model.list_commands import shell_command
from core.runner.setup_key import inputs_of, key_of, words_of

PROJECT = Project("Shop", "/shop", setup_cache=("node_modules",))

BLOBS = dict.fromkeys(
    (
        *("package-lock.json", "apps/web/package.json", "src/index.js", "bin/setup", ".npmrc"),
        *("docs/package.json.md", "patches/left+1.0.0.patch", "requirements-dev.txt"),
        *(".yarn/releases/yarn.cjs", "[x].lock"),
    ),
    "100644 blob 1",
)


class InputsTest(unittest.TestCase):
    def inputs(self, *patterns: str, setup: str = "npm ci") -> set[str]:
        project = replace(PROJECT, setup_inputs=patterns)
        return set(inputs_of(project, [shell_command(setup)], BLOBS))

    def test_manifests_and_lockfiles_of_every_folder_are_the_usual_ones(self) -> None:
        self.assertEqual(
            self.inputs(),
            set(BLOBS) - {"src/index.js", "bin/setup", "docs/package.json.md", "[x].lock"},
        )

    def test_patterns_are_those_of_copy_and_match_hidden_files_too(self) -> None:
        cases = {
            "package-lock.json": {"package-lock.json"},
            "*.json": {"package-lock.json"},
            "**/*.json": {"package-lock.json", "apps/web/package.json"},
            "./apps/**": {"apps/web/package.json"},
            "?npmrc": {".npmrc"},
            "[ps]*/index.js": {"src/index.js"},
            "[!p]*/index.js": {"src/index.js"},
            "[!s]*/index.js": set(),
            "[[]x].lock": {"[x].lock"},
            "*": {"package-lock.json", ".npmrc", "requirements-dev.txt", "[x].lock"},
            "none": set(),
        }
        for pattern, expected in cases.items():
            with self.subTest(pattern=pattern):
                self.assertEqual(self.inputs(pattern), expected)

    def test_files_that_the_commands_name_are_inputs_as_well(self) -> None:
        found = self.inputs(".npmrc", setup="CI=1 ./bin/setup --from=src/index.js; missing/file")
        self.assertEqual(found, {".npmrc", "bin/setup", "src/index.js"})


class KeyTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tool = os.path.join(folder.name, "npm")
        self.write("#!/bin/sh\n")
        self.env = {"PATH": folder.name, "HOME": "/home/me"}

    def write(self, text: str) -> None:
        with open(self.tool, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.tool, 0o755)

    def key(self, setup: str = "npm ci", supplied: str = "", **env: str) -> str:
        commands = [shell_command(setup)]
        return key_of(PROJECT, commands, {"a": "1"}, supplied, {**self.env, **env})

    def test_what_does_not_matter_does_not_count(self) -> None:
        same = {
            self.key(),
            self.key(SSH_AUTH_SOCK="/tmp/1", RORCHESTRATOR_PORT="20000"),
            self.key(NPM_CONFIG_AUTH_TOKEN="secret"),
        }
        self.assertEqual(len(same), 1)
        self.assertRegex(self.key(), "^[0-9a-f]{32}$")

    def test_commands_variables_copies_and_tools_count(self) -> None:
        keys = [
            self.key(),
            self.key("npm ci --omit=dev"),
            self.key(supplied="digest"),
            self.key(NODE_ENV="production"),
            self.key(npm_config_arch="arm64"),
            self.key(CXXFLAGS="-O0"),
            self.key(PATH="/nowhere"),
        ]
        self.write("#!/bin/sh\n# new\n")
        keys.append(self.key())
        self.assertEqual(len(set(keys)), len(keys))

    def test_a_program_named_by_its_absolute_path_counts_and_one_in_the_worktree_does_not(
        self,
    ) -> None:
        env = {"PATH": "/nowhere"}
        before = [self.key(f"{self.tool} ci", **env), self.key("bin/npm ci", **env)]
        self.write("#!/bin/sh\n# new\n")
        after = [self.key(f"{self.tool} ci", **env), self.key("bin/npm ci", **env)]
        self.assertNotEqual(before[0], after[0])
        self.assertEqual(before[1], after[1])

    def test_words_are_those_of_a_shell_without_its_signs(self) -> None:
        line = shell_command('cd app && (npm ci || yarn) > "$LOG"')
        self.assertEqual(words_of([line, line]), ["cd", "app", "npm", "ci", "yarn", "LOG"])
