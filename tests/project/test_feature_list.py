"""The feature list: what is right loads, what is wrong is told, all at once and each in place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Mapping, Sequence

from core.model.errors import UserError
from core.model.feature import (
    DEFAULT_ALLOWED_TOOLS,
    ClaudeOptions,
    Command,
    Config,
    Feature,
    Project,
)
from core.model.list_commands import config_commands, shell_command
from core.project import dependencies, keys, list_reader, value_checks
from core.project import feature_list as config
from tests.support.scratch import ROOT

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


def _list(**sections: object) -> dict[str, object]:
    """A good list, with these sections in place of its own."""
    good: dict[str, object] = {
        "project": {"name": "shop"},
        "features": [{"id": "auth", "prompt": "Build it."}],
    }
    return {**good, **sections}


def _feature(**fields: object) -> dict[str, object]:
    return {"id": "auth", "prompt": "Build it.", **fields}


class Commands(InAWorkspace):
    def test_a_program_with_a_path_is_relative_to_the_workspace(self) -> None:
        cases = {
            "claude": "claude",
            "/opt/claude": "/opt/claude",
            "bin/claude": os.path.join(self.workspace, "bin", "claude"),
            "../claude": os.path.join(self.outside, "claude"),
        }
        for given, expected in cases.items():
            with self.subTest(given=given):
                loaded = self.load(_list(claude={"command": [given, "-x"]}))
                self.assertEqual(loaded.claude.command, (expected, "-x"))


class Lengths(InAWorkspace):
    def test_a_context_and_a_prompt_that_claude_would_refuse_together_are_a_fault(self) -> None:
        half = "x" * (list_reader.PROMPT_LIMIT_BYTES // 2 + 1)
        self.write("prompts/_context.md", half)
        faults = self.faults(
            _list(prompts={"context_file": "_context.md"}, features=[_feature(prompt=half)])
        )
        self.assertEqual(faults, ["features auth: context and prompt are longer than 8 MiB"])


class Good(InAWorkspace):
    def test_a_list_with_every_key_fills_every_field(self) -> None:
        self.write("prompts/_context.md", "A shop.")
        self.write("prompts/api.md", "Build the API.")
        found = self.load(
            {
                "$schema": "https://example.org/list.json",
                "_comment": {"anything": [1, None]},
                "project": {
                    "name": "Shop",
                    "description": "Sells.",
                    "repo_path": "../repo",
                    "base_branch": "release/1.0",
                    "max_parallel": 5,
                    "timeout_seconds": 60,
                    "worktrees_path": "../trees",
                    "branch_prefix": "bot/",
                    "commit_subject": "{tags} {name}",
                    "commit_timeout_seconds": 7,
                    "usd_per_million_tokens": 0,
                    "setup": ["bundle install", ["npm", "ci", "a b"]],
                    "setup_timeout_seconds": 5,
                    "teardown": ["bin/gone"],
                    "copy": [".env", "config/*.key"],
                    "link": ["**/node_modules"],
                    "verify": ["make test"],
                    "verify_timeout_seconds": 6,
                    "verify_attempts": 0,
                    "verify_clean": True,
                    "verify_base": False,
                    "x-owner": "me",
                },
                "prompts": {"context_file": "_context.md", "quality_rules": ["tests pass"]},
                "claude": {
                    "command": ["npx", "claude"],
                    "permission_mode": "plan",
                    "allowed_tools": ["Read", "Bash(npm test)", "mcp__db__query", "*"],
                    "disallowed_tools": ["WebFetch"],
                    "model": "opus",
                    "fallback_model": "sonnet",
                    "max_turns": 50,
                    "max_budget_usd": 2.5,
                    "append_system_prompt": "",
                    "extra_args": ["--add-dir=x"],
                    "env": {"_A": "", "B": "=b"},
                },
                "features": [
                    {
                        "id": "API.v2_x-1",
                        "name": "REST API",
                        "description": "Routes.",
                        "tags": ["web"],
                        "creates": ["api.py", "path:src/api.py", "symbol:Api"],
                        "uses": ["auth.py", "command:python -m auth --help"],
                        "setup": ["true"],
                        "verify": [["make", "api"]],
                        "depends_on": ["auth"],
                        "prompt_file": "api.md",
                        "estimated_tokens": 40000,
                        "priority": -2,
                        "timeout_seconds": 0.5,
                        "model": "haiku",
                        "allowed_tools": [],
                        "allow_empty": True,
                        "_note": None,
                    },
                    {"id": "auth", "prompt": "Build it."},
                ],
            }
        )
        api = Feature(
            "API.v2_x-1",
            "REST API",
            prompt="Build the API.",
            prompt_file="api.md",
            description="Routes.",
            depends_on=("auth",),
            tags=("web",),
            creates=("api.py", "path:src/api.py", "symbol:Api"),
            uses=("auth.py", "command:python -m auth --help"),
            setup=(shell_command("true"),),
            verify=(Command(("make", "api"), "make api"),),
            estimated_tokens=40000,
            priority=-2,
            timeout_seconds=0.5,
            model="haiku",
            allowed_tools=(),
            allow_empty=True,
        )
        self.assertEqual(
            found,
            Config(
                path=self.path,
                workspace=self.workspace,
                project=Project(
                    "Shop",
                    os.path.join(self.outside, "repo"),
                    description="Sells.",
                    base_branch="release/1.0",
                    max_parallel=5,
                    timeout_seconds=60.0,
                    worktrees_path="../trees",
                    branch_prefix="bot/",
                    commit_subject="{tags} {name}",
                    commit_timeout_seconds=7.0,
                    usd_per_million_tokens=0.0,
                    setup=(
                        shell_command("bundle install"),
                        Command(("npm", "ci", "a b"), "npm ci 'a b'"),
                    ),
                    setup_timeout_seconds=5.0,
                    teardown=(shell_command("bin/gone"),),
                    copy=(".env", "config/*.key"),
                    link=("**/node_modules",),
                    verify=(shell_command("make test"),),
                    verify_timeout_seconds=6.0,
                    verify_attempts=0,
                    verify_clean=True,
                    verify_base=False,
                ),
                features=(api, Feature("auth", "auth", prompt="Build it.")),
                claude=ClaudeOptions(
                    command=("npx", "claude"),
                    permission_mode="plan",
                    allowed_tools=("Read", "Bash(npm test)", "mcp__db__query", "*"),
                    disallowed_tools=("WebFetch",),
                    model="opus",
                    fallback_model="sonnet",
                    max_turns=50,
                    max_budget_usd=2.5,
                    append_system_prompt="",
                    extra_args=("--add-dir=x",),
                    env={"_A": "", "B": "=b"},
                ),
                context="A shop.",
                quality_rules=("tests pass",),
            ),
        )

    def test_its_commands_are_listed_by_what_they_are_for(self) -> None:
        loaded = self.load(
            {
                "project": {"name": "Shop", "setup": ["a"], "verify": ["b"], "teardown": ["c"]},
                "features": [
                    {
                        "id": "x",
                        "prompt": "p",
                        "setup": ["d"],
                        "verify": [["e", "f g"]],
                        "creates": ["text", "path:a", "command:h"],
                        "uses": ["command: i "],
                    }
                ],
            }
        )
        self.assertEqual(
            [(c.purpose, c.features, c.brief) for c in config_commands(loaded)],
            [
                ("setup", (), ("a",)),
                ("verify", (), ("b",)),
                ("teardown", (), ("c",)),
                ("setup", ("x",), ("d",)),
                ("verify", ("x",), ("e 'f g'",)),
                ("creates", ("x",), ("h",)),
                ("uses", ("x",), ("i",)),
            ],
        )

    def test_what_is_left_out_has_its_default(self) -> None:
        found = self.load(_list())
        self.assertEqual(found.project, Project("shop", self.workspace))
        self.assertEqual(found.claude, ClaudeOptions())
        self.assertEqual(found.claude.allowed_tools, DEFAULT_ALLOWED_TOOLS)
        self.assertEqual((found.context, found.quality_rules), ("", ()))
        self.assertEqual(found.project.max_parallel, 3)
        self.assertEqual(found.project.timeout_seconds, 1800.0)

    def test_the_ends_of_what_is_allowed_are_allowed(self) -> None:
        largest = value_checks.LARGEST
        for value in (0, largest):
            fields = {
                "estimated_tokens": value,
                "priority": -value,
                "id": "x" * value_checks.ID_LIMIT,
            }
            with self.subTest(value=value):
                found = self.load(_list(features=[_feature(**fields)])).features[0]
                self.assertEqual((found.estimated_tokens, found.priority), (value, -value))
        for number in (1, largest):
            project = {"name": "shop", "max_parallel": number, "timeout_seconds": number}
            with self.subTest(number=number):
                loaded = self.load(_list(project=project, claude={"max_turns": number}))
                self.assertEqual(loaded.project.max_parallel, number)
                self.assertEqual(loaded.project.timeout_seconds, number)
                self.assertEqual(loaded.claude.max_turns, number)

    def test_the_examples_load(self) -> None:
        cases = {
            "feature_list.example.json": ["auth-gtin", "api-lookup", "batch-import", "dashboard"],
            "test-project.json": ["task-model", "task-storage", "cli-interface"],
            "react.example.json": ["setup-vite", "header", "sidebar", "main-view"],
        }
        for name, ids in cases.items():
            with self.subTest(list=name):
                found = config.load(os.path.join(ROOT, "config", name))
                self.assertEqual([feature.id for feature in found.features], ids)
                self.assertTrue(all(feature.prompt for feature in found.features))
        tokens = config.load(os.path.join(ROOT, "config", "feature_list.example.json")).features
        self.assertEqual(sum(feature.estimated_tokens or 0 for feature in tokens), 180_000)

    def test_the_minimal_list_of_the_first_readme_loads(self) -> None:
        self.write("prompts/auth.md", "Build it.")
        self.write("prompts/api.md", "Build it, too.")
        found = self.load(SEED)
        self.assertEqual(found.project, Project("MyProject", self.outside, base_branch="main"))
        self.assertEqual([f.depends_on for f in found.features], [(), ("auth",)])

    def test_a_byte_order_mark_is_no_matter(self) -> None:
        self.write("prompts/p.md", b"\xef\xbb\xbfBuild it.")
        features = [{"id": "auth", "prompt_file": "p.md"}]
        found = self.load(b"\xef\xbb\xbf" + json.dumps(_list(features=features)).encode())
        self.assertEqual(found.features[0].prompt, "Build it.")

    def test_the_workspace_is_the_folder_above_config_else_the_lists_own(self) -> None:
        text = json.dumps(_list())
        self.write("list.json", text)
        found = config.load(os.path.join(self.workspace, "list.json"))
        self.assertEqual((found.workspace, found.project.repo_path), (self.workspace,) * 2)
        self.write("config/other.json", text)
        found = config.load(os.path.join(self.workspace, "config", "..", "config", "other.json"))
        self.assertEqual(found.workspace, self.workspace)

    def test_a_home_folder_is_meant_by_a_tilde(self) -> None:
        found = self.load(_list(project={"name": "shop", "repo_path": "~/shop"}))
        self.assertEqual(found.project.repo_path, os.path.join(os.path.expanduser("~"), "shop"))


class Prompts(InAWorkspace):
    def test_a_prompt_is_looked_for_in_prompts_first_then_in_the_workspace(self) -> None:
        self.write("prompts/both.md", "inner")
        self.write("both.md", "outer")
        self.write("only.md", "only")
        names = ("both.md", "only.md", "prompts/both.md", os.path.join(self.workspace, "both.md"))
        features = [{"id": f"f{n}", "prompt_file": name} for n, name in enumerate(names)]
        found = self.load(_list(features=features))
        self.assertEqual([f.prompt for f in found.features], ["inner", "only", "inner", "outer"])

    def test_a_link_may_lead_to_another_place_in_the_workspace(self) -> None:
        self.write("real.md", "real")
        os.symlink("../real.md", os.path.join(self.workspace, "prompts", "link.md"))
        found = self.load(_list(features=[{"id": "a", "prompt_file": "link.md"}]))
        self.assertEqual(found.features[0].prompt, "real")

    def test_a_file_in_another_encoding_is_decoded_or_a_fault_with_its_position(self) -> None:
        self.write("prompts/wide.md", "Créer l'API".encode("utf-16"))
        self.write("prompts/latin.md", "Ajouter\nla clé".encode("latin-1"))
        self.write("prompts/odd.md", b"a\0b")
        found = self.load(_list(features=[{"id": "a", "prompt_file": "wide.md"}]))
        self.assertEqual(found.features[0].prompt, "Créer l'API")
        files = [{"id": name, "prompt_file": f"{name}.md"} for name in ("latin", "odd")]
        faults = self.faults(_list(features=files, prompts={"context_file": "latin.md"}))
        latin = "latin.md is not UTF-8 at line 2, column 6 (byte 0xe9): save it as UTF-8"
        odd = "odd.md is not text at line 1, column 2 (a NUL): save it as UTF-8"
        self.assertEqual(
            sorted(faults),
            [
                f"features[0].prompt_file: {latin}",
                f"features[1].prompt_file: {odd}",
                f"prompts.context_file: {latin}",
            ],
        )

    def test_long_texts_may_be_lists_of_their_lines(self) -> None:
        loaded = self.load(
            _list(
                project={"name": "Shop", "description": ["a", "b"]},
                claude={"append_system_prompt": ["be brief", "be kind"]},
                features=[_feature(prompt=["Build it.", "", "- well"], description=["c", "d"])],
            )
        )
        (found,) = loaded.features
        self.assertEqual((found.prompt, found.description), ("Build it.\n\n- well", "c\nd"))
        self.assertEqual(loaded.project.description, "a\nb")
        self.assertEqual(loaded.claude.append_system_prompt, "be brief\nbe kind")
        self.assertEqual(
            self.faults(_list(features=[_feature(prompt=["x", 5])])),
            ["features[0].prompt[1]: expected a string, not a number"],
        )
        for empty in ([], ["", " "]):
            faults = self.faults(_list(features=[_feature(prompt=empty)]))
            self.assertEqual(faults, ["features[0].prompt: is empty"])

    def test_hostile_files_are_refused_without_being_read(self) -> None:
        prompts = os.path.join(self.workspace, "prompts")
        evil = os.path.join(self.outside, "ws-evil")
        os.mkdir(evil)
        with open(os.path.join(evil, "x.md"), "w") as file:
            file.write("secret")
        os.mkfifo(os.path.join(prompts, "fifo"))
        os.mkdir(os.path.join(prompts, "folder"))
        links = {
            "out": os.path.join(evil, "x.md"),
            "zero": "/dev/zero",
            "loop": "loop",
            "broken": "nowhere",
            "way": evil,
        }
        for name, target in links.items():
            os.symlink(target, os.path.join(prompts, name))
        self.write("prompts/empty.md", " \n")
        big = self.write("prompts/big.md", "")
        os.truncate(big, list_reader.PROMPT_LIMIT_BYTES + 1)
        out = f"is outside the workspace {self.workspace}"
        nowhere = f"is neither in {prompts}/ nor in the workspace"
        cases = {
            "fifo": "is not a regular file",
            "folder": "is not a regular file",
            ".": "is not a regular file",
            "out": out,
            "zero": out,
            "way/x.md": out,
            "../ws-evil/x.md": out,
            "../../ws-evil/x.md": out,
            os.path.join(evil, "x.md"): out,
            "/dev/zero": out,
            "/etc/passwd": out,
            "..": out + "?",
            "loop": "can't be read: Too many levels of symbolic links",
            "broken": "can't be read: No such file or directory",
            "big.md": "is larger than 8 MiB",
            "empty.md": "is empty",
            "missing.md": nowhere,
            "/nowhere/missing.md": nowhere,
            "empty.md/x": nowhere,
            "x" * 4096: nowhere,
        }
        cases[".."] = "is not a regular file"  # of prompts/: the workspace itself
        for name, said in cases.items():
            with self.subTest(file=name[:40]):
                faults = self.feature_faults({"id": "a", "prompt_file": name})
                self.assertEqual(faults, [f"features[0].prompt_file: {name} {said}"])

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_that_may_not_be_read_is_named(self) -> None:
        os.chmod(self.write("prompts/p.md", "secret"), 0)
        faults = self.feature_faults({"id": "a", "prompt_file": "p.md"})
        self.assertEqual(faults, ["features[0].prompt_file: p.md can't be read: Permission denied"])

    def test_a_prompt_of_just_the_limit_is_read(self) -> None:
        self.write("prompts/p.md", b"x" * list_reader.PROMPT_LIMIT_BYTES)
        found = self.load(_list(features=[{"id": "a", "prompt_file": "p.md"}]))
        self.assertEqual(len(found.features[0].prompt), list_reader.PROMPT_LIMIT_BYTES)

    def test_a_file_that_is_missing_is_told_at_each_place_that_names_it(self) -> None:
        nowhere = f"p.md is neither in {self.workspace}/prompts/ nor in the workspace"
        features = [{"id": "a", "prompt_file": "p.md"}, {"id": "b", "prompt_file": "p.md"}]
        self.assertEqual(
            self.faults(_list(features=features, prompts={"context_file": "p.md"})),
            [
                f"features[0].prompt_file: {nowhere}",
                f"features[1].prompt_file: {nowhere}",
                f"prompts.context_file: {nowhere}",
            ],
        )


STRING = "expected a string, not "
TOO_LARGE = "is too large"
UNPASSABLE = "holds what no program can be given: NUL, or half a surrogate pair"


class Faults(InAWorkspace):
    def _check(self, section: str, cases: Sequence[tuple[Mapping[str, object], str]]) -> None:
        """Each case: keys of a section, and the fault that they make, without its section."""
        for fields, fault in cases:
            with self.subTest(fields=str(fields)[:80]):
                good: dict[str, object] = {"name": "shop"} if section == "project" else {}
                faults = self.faults(_list(**{section: {**good, **fields}}))
                self.assertEqual(faults, [f"{section}.{fault}"])

    def test_of_the_list_as_a_whole(self) -> None:
        cases: list[tuple[object, list[str]]] = [
            ([], ["expected an object, not a list"]),
            (None, ["expected an object, not null"]),
            (5, ["expected an object, not a number"]),
            ("x", ["expected an object, not a string"]),
            (True, ["expected an object, not a boolean"]),
            ({}, ["project is missing", "features is missing"]),
            (_list(project=None), ["project: expected an object, not null"]),
            (_list(project={}), ["project: name is missing"]),
            (_list(prompts=None), ["prompts: expected an object, not null"]),
            (_list(claude=[]), ["claude: expected an object, not a list"]),
            (_list(features=None), ["features: expected a list, not null"]),
            (_list(features={}), ["features: expected a list, not an object"]),
            (_list(features=[]), ["features: holds no feature"]),
            (_list(feature=[]), ["feature: unknown key (did you mean 'features'?)"]),
            (_list(zzz=1), ["zzz: unknown key"]),
        ]
        for content, faults in cases:
            with self.subTest(content=content):
                self.assertEqual(self.faults(json.dumps(content)), faults)

    def test_of_the_project(self) -> None:
        branch = "can't be (part of) a branch name"
        above = "expected a number above 0"
        cases: list[tuple[dict[str, object], str]] = [
            ({"name": ""}, "name: is empty"),
            ({"name": " \t"}, "name: is empty"),
            ({"name": 1.5}, f"name: {STRING}a number"),
            ({"name": "a\0b"}, f"name: {UNPASSABLE}"),
            ({"name": "\ud800"}, f"name: {UNPASSABLE}"),
            ({"nmae": "x"}, "nmae: unknown key (did you mean 'name'?)"),
            ({"description": 5}, f"description: {STRING}a number"),
            ({"repo_path": ""}, "repo_path: is empty"),
            ({"repo_path": None}, f"repo_path: {STRING}null"),
            ({"worktrees_path": {}}, f"worktrees_path: {STRING}an object"),
            ({"base_branch": ""}, "base_branch: is empty"),
            ({"base_branch": True}, f"base_branch: {STRING}a boolean"),
            ({"max_parallel": 0}, "max_parallel: 0 is less than 1"),
            ({"setup": "make"}, "setup: expected a list of commands, not a string"),
            ({"verify": [None]}, "verify[0]: expected a string or a list of strings, not null"),
            ({"teardown": [[]]}, "teardown[0]: names no program"),
            ({"verify_attempts": -1}, "verify_attempts: -1 is less than 0"),
            (
                {"verify_timeout_seconds": 0},
                "verify_timeout_seconds: expected a number above 0, not 0",
            ),
            ({"verify_clean": "yes"}, "verify_clean: expected true or false, not a string"),
            ({"copy": ".env"}, "copy: expected a list of strings, not a string"),
            ({"copy": [""]}, "copy[0]: '' is no pattern of files inside the repository"),
            (
                {"copy": ["/etc/x"]},
                "copy[0]: '/etc/x' is no pattern of files inside the repository",
            ),
            (
                {"link": ["a/../../b"]},
                "link[0]: 'a/../../b' is no pattern of files inside the repository",
            ),
            (
                {"link": [".git/config"]},
                "link[0]: '.git/config' is no pattern of files inside the repository",
            ),
            ({"max_parallel": True}, "max_parallel: expected a whole number, not a boolean"),
            ({"max_parallel": 3.0}, "max_parallel: expected a whole number, not 3.0"),
            ({"max_parallel": "3"}, "max_parallel: expected a whole number, not a string"),
            ({"max_parallel": 10**400}, f"max_parallel: {TOO_LARGE}"),
            ({"timeout_seconds": 0}, f"timeout_seconds: {above}, not 0"),
            ({"timeout_seconds": -1.5}, f"timeout_seconds: {above}, not -1.5"),
            ({"timeout_seconds": "9"}, f"timeout_seconds: {above}, not a string"),
            (
                {"timeout_seconds": True},
                f"timeout_seconds: {above}, not a boolean",
            ),
            (
                {"timeout_seconds": float("nan")},
                f"timeout_seconds: {above}, not nan",
            ),
            ({"timeout_seconds": float("inf")}, f"timeout_seconds: {TOO_LARGE}"),
            ({"timeout_seconds": 10**400}, f"timeout_seconds: {TOO_LARGE}"),
            (
                {"usd_per_million_tokens": -1},
                "usd_per_million_tokens: expected a number, at least 0, not -1",
            ),
            (
                {"usd_per_million_tokens": False},
                "usd_per_million_tokens: expected a number, at least 0, not a boolean",
            ),
            (
                {"commit_subject": "{nam}"},
                "commit_subject: unknown field 'nam' (did you mean 'name'?)",
            ),
            (
                {"commit_subject": "x {ticket}"},
                "commit_subject: unknown field 'ticket' (one of id, name, description, tags)",
            ),
            ({"commit_subject": "a\nb"}, "commit_subject: holds a control character or a line end"),
        ]
        for name in ("a b", "a..b", "-a", "/a", "a.lock", "a.lock/b", "a//b", "a/.b", ".a", "@"):
            cases.append(({"base_branch": name}, f"base_branch: {name!r} {branch}"))
        for name in ("a@{b", "a~", "a^", "a:", "a?", "a*", "a[", "a\\", "a\x7f", "a.", "a\n"):
            cases.append(({"branch_prefix": name}, f"branch_prefix: {name!r} {branch}"))
        self._check("project", cases)

    def test_of_the_prompts(self) -> None:
        cases: list[tuple[dict[str, object], str]] = [
            ({"context_file": ""}, "context_file: is empty"),
            ({"context_file": 5}, f"context_file: {STRING}a number"),
            ({"quality_rules": "x"}, "quality_rules: expected a list of strings, not a string"),
            ({"quality_rules": ["x", None]}, f"quality_rules[1]: {STRING}null"),
            ({"quality_rule": []}, "quality_rule: unknown key (did you mean 'quality_rules'?)"),
        ]
        self._check("prompts", cases)

    def test_of_claudes_options(self) -> None:
        ours = "is set by RoRchestrator itself"
        modes = "acceptEdits, auto, bypassPermissions, default, dontAsk, manual, plan"
        variable = "can't be an environment variable"
        cases: list[tuple[dict[str, object], str]] = [
            ({"command": "claude"}, "command: expected a list of strings, not a string"),
            ({"command": []}, "command: names no program"),
            ({"command": ["", "x"]}, "command: names no program"),
            ({"command": [5]}, f"command[0]: {STRING}a number"),
            ({"command": ["a\0"]}, f"command[0]: {UNPASSABLE}"),
            ({"permission_mode": 5}, f"permission_mode: {STRING}a number"),
            (
                {"permission_mode": "acceptedits"},
                "permission_mode: unknown mode 'acceptedits' (did you mean 'acceptEdits'?)",
            ),
            ({"permission_mode": ""}, f"permission_mode: unknown mode '' (one of {modes})"),
            ({"model": ""}, "model: is empty"),
            ({"fallback_model": []}, f"fallback_model: {STRING}a list"),
            ({"max_turns": 0}, "max_turns: 0 is less than 1"),
            ({"max_budget_usd": 0}, "max_budget_usd: expected a number above 0, not 0"),
            ({"append_system_prompt": None}, f"append_system_prompt: {STRING}null"),
            ({"extra_args": ["--x", "--resume=5"]}, f"extra_args[1]: --resume=5 {ours}"),
            ({"extra_args": ["-p"]}, f"extra_args[0]: -p {ours}"),
            ({"extra_args": [1]}, f"extra_args[0]: {STRING}a number"),
            ({"env": ["A=b"]}, "env: expected an object of strings, not a list"),
            ({"env": {"A": 5}}, f"env.A: {STRING}a number"),
            ({"env": {"A": "a\0"}}, f"env.A: {UNPASSABLE}"),
            ({"env": {"A=B": "x"}}, f"env.A=B: {variable}"),
            ({"env": {"": "x"}}, f"env.: {variable}"),
            ({"env": {"\0": "x"}}, f"env.\0: {variable}"),
            ({"allowed_tools": "Read"}, "allowed_tools: expected a list of strings, not a string"),
            ({"disallowed_tools": ["Read("]}, f"disallowed_tools[0]: {_malformed('Read(')}"),
            ({"allowed_tool": []}, "allowed_tool: unknown key (did you mean 'allowed_tools'?)"),
        ]
        self._check("claude", cases)

    def test_of_a_feature(self) -> None:
        one = "exactly one of prompt and prompt_file is needed"
        letters = "may hold letters, digits, . _ - and begins with one of the first two"
        cases: list[tuple[object, str]] = [
            ("auth", ": expected an object, not a string"),
            ({"prompt": "x"}, ": id is missing"),
            ({"id": "auth"}, f": {one}"),
            (_feature(prompt=" "), ".prompt: is empty"),
            (_feature(prompt="\ud800"), f".prompt: {UNPASSABLE}"),
            (_feature(id=5), f".id: {STRING}a number"),
            (_feature(id=["a"]), f".id: {STRING}a list"),
            (_feature(id=""), f".id: '' {letters}"),
            (_feature(id="a b"), f".id: 'a b' {letters}"),
            (_feature(id="auth\n"), f".id: 'auth\\n' {letters}"),
            (_feature(id="-a"), f".id: '-a' {letters}"),
            (_feature(id="é"), f".id: 'é' {letters}"),
            (_feature(id="a/b"), f".id: 'a/b' {letters}"),
            (_feature(id="x" * 101), ".id: is longer than 100 characters"),
            (_feature(id="a..b"), ".id: 'a..b' can't be the end of a branch name"),
            (_feature(id="a."), ".id: 'a.' can't be the end of a branch name"),
            (_feature(id="a.lock"), ".id: 'a.lock' can't be the end of a branch name"),
            (_feature(name=""), ".name: is empty"),
            (_feature(name="a\nb"), ".name: holds a control character or a line end"),
            (_feature(name="a" * 501), ".name: is longer than 500 characters"),
            (_feature(name="\x1b[31mred"), ".name: holds a control character or a line end"),
            (_feature(tags="web"), ".tags: expected a list of strings, not a string"),
            (_feature(creates=[[]]), f".creates[0]: {STRING}a list"),
            (_feature(uses=None), ".uses: expected a list of strings, not null"),
            (_feature(uses="path:a"), ".uses: expected a list of strings, not a string"),
            (
                _feature(creates=["path:../a"]),
                ".creates[0]: 'path:../a' is no path inside the repository",
            ),
            (
                _feature(uses=["a", "symbol: "]),
                ".uses[1]: 'symbol: ' promises nothing: there is no word behind the colon",
            ),
            (_feature(setup="make"), ".setup: expected a list of commands, not a string"),
            (_feature(setup=[""]), ".setup[0]: is empty"),
            (_feature(setup=["a\0b"]), f".setup[0]: {UNPASSABLE}"),
            (_feature(verify=[[]]), ".verify[0]: names no program"),
            (_feature(verify=[["", "a"]]), ".verify[0]: names no program"),
            (_feature(verify=["a", [5]]), f".verify[1][0]: {STRING}a number"),
            (
                _feature(verify=[{"run": "a"}]),
                ".verify[0]: expected a string or a list of strings, not an object",
            ),
            (_feature(estimated_tokens=-1), ".estimated_tokens: -1 is less than 0"),
            (_feature(estimated_tokens=10**300), f".estimated_tokens: {TOO_LARGE}"),
            (_feature(priority=-(10**300)), f".priority: {TOO_LARGE}"),
            (
                _feature(priority=float("nan")),
                ".priority: expected a whole number, not nan",
            ),
            (_feature(allow_empty=1), ".allow_empty: expected true or false, not a number"),
            (
                _feature(timeout_seconds=0),
                ".timeout_seconds: expected a number above 0, not 0",
            ),
            (_feature(allowed_tools=["bash"]), ".allowed_tools[0]: " + _unknown("bash", "Bash")),
            (_feature(dependson=[]), ".dependson: unknown key (did you mean 'depends_on'?)"),
            (_feature(depends_on="auth"), ".depends_on: expected a list of strings, not a string"),
            (_feature(depends_on=[5]), f".depends_on[0]: {STRING}a number"),
            (_feature(depends_on=["auth"]), ".depends_on[0]: 'auth' can't depend on itself"),
            (
                _feature(depends_on=["auht"]),
                ".depends_on[0]: unknown feature 'auht' (did you mean 'auth'?)",
            ),
            (_feature(depends_on=["zzz"]), ".depends_on[0]: unknown feature 'zzz'"),
        ]
        for feature, fault in cases:
            with self.subTest(feature=str(feature)[:80]):
                self.assertEqual(self.feature_faults(feature), [f"features[0]{fault}"])

    def test_a_subject_that_is_empty_for_a_feature_is_a_fault(self) -> None:
        project = {"name": "shop", "commit_subject": "{description}"}
        features = [_feature(id="a"), _feature(id="b", description="Sells.")]
        faults = self.faults(_list(project=project, features=features))
        self.assertEqual(faults, ["features a: project.commit_subject gives an empty subject"])

    def test_what_git_refuses_only_of_prefix_and_id_together(self) -> None:
        cases = [
            ("", "HEAD"),
            ("HE", "AD"),
            ("x.loc", "k"),
            ("a/x.loc", "k"),
            ("", "a"),
            ("x/", "HEAD"),
        ]
        for prefix, id in cases:
            with self.subTest(prefix=prefix, id=id):
                project = {"name": "shop", "branch_prefix": prefix}
                listed = _list(project=project, features=[_feature(id=id)])
                command = ["git", "check-ref-format", "--branch", prefix + id]
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    self.assertEqual(self.load(listed).project.branch_prefix, prefix)
                    continue
                fault = f"features {id}: {prefix + id!r} can't be a branch (branch_prefix)"
                self.assertEqual(self.faults(listed), [fault])

    def test_a_prompt_file_of_another_type_is_one_fault(self) -> None:
        faults = self.feature_faults({"id": "a", "prompt_file": ["a.md"]})
        self.assertEqual(faults, [f"features[0].prompt_file: {STRING}a list"])

    def test_between_features(self) -> None:
        def feature(id: object, *needs: object) -> dict[str, object]:
            return {"id": id, "prompt": "x", "depends_on": list(needs)}

        cases: list[tuple[list[object], list[str]]] = [
            (
                [feature("a"), feature("A"), feature("a")],
                [
                    "features[1].id: 'A' stands in features[0] already",
                    "features[2].id: 'a' stands in features[0] already",
                ],
            ),
            (
                [feature("a"), feature("b", "a", "a")],
                ["features[1].depends_on[1]: 'a' stands here twice"],
            ),
            (
                [feature("a"), feature(["x"], "a")],
                [f"features[1].id: {STRING}a list"],
            ),
            (
                [feature("a"), feature("!", "a"), feature("b", "!")],
                [
                    "features[1].id: '!' may hold letters, digits, . _ - and begins with one of "
                    "the first two"
                ],
            ),
        ]
        for features, faults in cases:
            with self.subTest(features=features):
                self.assertEqual(self.feature_faults(*features), faults)

    def test_every_circle_is_told(self) -> None:
        features = [
            {"id": "a", "prompt": "x", "depends_on": ["b"]},
            {"id": "b", "prompt": "x", "depends_on": ["a"]},
            {"id": "c", "prompt": "x", "depends_on": ["d", "a"]},
            {"id": "d", "prompt": "x", "depends_on": ["c"]},
        ]
        faults = self.feature_faults(*features)
        self.assertEqual(len(faults), 2)
        either = (
            "features[0].depends_on: circle: a needs b needs a",
            "features[1].depends_on: circle: b needs a needs b",
        )
        self.assertIn(faults[0], either)
        self.assertRegex(faults[1], r"features\[[23]\]\.depends_on: circle: (c needs d|d needs c)")

    def test_many_circles_and_many_unknown_ids_do_not_take_for_ever(self) -> None:
        pairs = [
            {"id": f"item{n}", "prompt": "x", "depends_on": [f"item{n ^ 1}", f"itme{n}", "itme0"]}
            for n in range(60)
        ]
        faults = self.feature_faults(*pairs)
        self.assertEqual(sum("circle: " in fault for fault in faults), dependencies.CIRCLES_SHOWN)
        unknown = [fault for fault in faults if "unknown feature 'itme" in fault]
        self.assertEqual(len(unknown), 120)
        hinted = {fault.split(": ")[1] for fault in unknown if "did you mean" in fault}
        self.assertEqual(len(hinted), list_reader.HINTED)

    def test_all_at_once_in_the_order_of_the_file(self) -> None:
        error = self.error(
            {
                "project": {"name": "", "max_parallel": 0},
                "claude": {"permission_mode": "edit", "allowed_tools": ["Read", "write"]},
                "features": [
                    {"id": "auth", "prompt": "x", "depends_on": ["api"]},
                    {"id": "api", "prompt_file": "nowhere.md", "depends_on": ["auht", "auth"]},
                    {},
                ],
                "promts": {},
            }
        )
        where = os.path.join(self.workspace, "prompts") + os.sep
        circles = [fault for fault in error.details if "circle" in fault]
        self.assertEqual(len(circles), 1)
        self.assertEqual(
            [fault for fault in error.details if fault not in circles],
            [
                "project.name: is empty",
                "project.max_parallel: 0 is less than 1",
                "claude.permission_mode: unknown mode 'edit' (one of acceptEdits, auto, "
                "bypassPermissions, default, dontAsk, manual, plan)",
                "claude.allowed_tools[1]: unknown tool 'write' (did you mean 'Write'?)",
                f"features[1].prompt_file: nowhere.md is neither in {where} nor in the workspace",
                "features[2]: id is missing",
                "features[2]: exactly one of prompt and prompt_file is needed",
                "features[1].depends_on[0]: unknown feature 'auht' (did you mean 'auth'?)",
                "promts: unknown key (did you mean 'prompts'?)",
            ],
        )
        self.assertEqual(error.message, f"{self.path} has 10 faults")
        self.assertEqual(self.error(_list(x=1)).message, f"{self.path} has 1 fault")


def _malformed(rule: str) -> str:
    return f"malformed tool rule {rule!r} (expected Tool or Tool(what it may do))"


def _unknown(tool: str, near: str) -> str:
    return f"unknown tool {tool!r} (did you mean {near!r}?)"


class ToolRules(unittest.TestCase):
    def test_what_the_cli_would_ignore_without_a_word_is_a_fault(self) -> None:
        cases = {
            "Read": "",
            " Read ": "",
            "*": "",
            "Bash(npm test)": "",
            "Bash(npm run test:*)": "",
            "Bash(echo (a) && echo (b))": "",
            "Bash(a\nb)": "",
            "mcp__github__create_issue": "",
            "TomorrowsTool": "",
            "WebFetch(domain:example.org)": "",
            "bash": _unknown("bash", "Bash"),
            "webfetch(domain:x)": _unknown("webfetch", "WebFetch"),
            "Raed": _unknown("Raed", "Read"),
            "zzz": "unknown tool 'zzz'",
            "": _malformed(""),
            "Bash(": _malformed("Bash("),
            "Bash()": _malformed("Bash()"),
            "Bash(npm test": _malformed("Bash(npm test"),
            "Bash(npm test))": _malformed("Bash(npm test))"),
            "Bash npm": _malformed("Bash npm"),
            "Read,Write": _malformed("Read,Write"),
            "(x)": _malformed("(x)"),
            "--x": _malformed("--x"),
        }
        for rule, fault in cases.items():
            with self.subTest(rule=rule):
                self.assertEqual(value_checks.tool_rule_fault(rule), fault)

    def test_the_tools_that_are_allowed_by_default_are_good_rules(self) -> None:
        for rule in DEFAULT_ALLOWED_TOOLS:
            with self.subTest(rule=rule):
                self.assertEqual(value_checks.tool_rule_fault(rule), "")


class Unreadable(InAWorkspace):
    def test_what_is_no_json_is_told_with_its_place(self) -> None:
        deep = "maximum recursion depth exceeded"
        digits = "Exceeds the limit"
        cases: list[tuple[str | bytes, str]] = [
            ("", "is not JSON at line 1, column 1: the file is empty"),
            ('{"a": 1,\n "b": 2,}', "is not JSON at line 2, column 8: no comma may stand"),
            ('{"a": {"b": 1, "c": 2, "b": 3}}', "the key 'b' stands twice in one object"),
            (b"{\n\xff}", "not UTF-8 at line 2, column 1 (byte 0xff)"),
            ("[" * 100_000, deep),
            ('{"_x": ' * 50_000, deep),
            ('{"_x": ' + "9" * 5000 + "}", digits),
        ]
        for content, said in cases:
            with self.subTest(content=content[:40]):
                if said is digits and not hasattr(sys, "get_int_max_str_digits"):
                    continue  # This Python reads such numbers.
                message = self.error(content).message
                told = said if "JSON" in said else f"is not a feature list: {said}"
                self.assertTrue(message.startswith(f"{self.path} {told}"), message)

    def test_a_list_that_is_not_there_is_named(self) -> None:
        with self.assertRaises(UserError) as caught:
            config.load(self.path)
        self.assertEqual(caught.exception.message, f"{self.path} does not exist")
        self.assertEqual(caught.exception.hint, "write it, or name another list with --config PATH")

    def test_a_list_that_is_no_regular_file_is_not_read(self) -> None:
        fifo = os.path.join(self.workspace, "fifo.json")
        os.mkfifo(fifo)
        zero = os.path.join(self.workspace, "zero.json")
        os.symlink("/dev/zero", zero)
        for path in (fifo, zero, self.workspace):
            with self.subTest(path=path), self.assertRaises(UserError) as caught:
                config.load(path)
            message = f"{path} is not a feature list: not a regular file"
            self.assertEqual(caught.exception.message, message)
        loop = os.path.join(self.workspace, "loop.json")
        os.symlink(loop, loop)
        with self.assertRaises(UserError) as caught:
            config.load(loop)
        message = f"{loop} can't be read: Too many levels of symbolic links"
        self.assertEqual(caught.exception.message, message)

    def test_a_huge_list_is_not_read(self) -> None:
        self.write("config/feature_list.json", "")
        os.truncate(self.path, list_reader.LIST_LIMIT_BYTES + 1)
        with self.assertRaises(UserError) as caught:
            config.load(self.path)
        message = f"{self.path} is not a feature list: larger than 32 MiB"
        self.assertEqual(caught.exception.message, message)

    def test_values_of_any_type_in_any_place_are_faults_and_never_a_traceback(self) -> None:
        odd: list[object] = [None, True, 0, -1, 10**400, 1.5, "", "\0", "\ud800", [], {}]
        odd += [[None], [[]], [{}], ["\0"], {"": ""}, {"\0": []}, float("nan"), float("inf")]
        for value in odd:
            every = {
                section: dict.fromkeys(keys, value)
                for section, keys in (
                    ("project", keys.PROJECT),
                    ("prompts", keys.PROMPTS),
                    ("claude", keys.CLAUDE),
                )
            }
            feature: dict[str, object] = dict.fromkeys(keys.FEATURE, value)
            lists = [value, _list(**every), _list(features=[value, feature])]
            lists += [_list(**{section: value}) for section in (*every, "features", "x", "_x")]
            lists.append(_list(features=[{**feature, "id": "a"}, _feature(depends_on=["a", "a"])]))
            lists.append(_list(features=[_feature(), _feature(depends_on=["auth"], id=value)]))
            nested = _feature(depends_on=[value], tags=[value], allowed_tools=[value])
            options = {"env": {"A": value}, "extra_args": [value], "command": [value]}
            lists.append(_list(features=[nested], claude=options))
            for content in lists:
                with self.subTest(content=str(content)[:120]):
                    try:
                        self.load(json.dumps(content))
                    except UserError as error:
                        self.assertTrue(error.details)
                        self.assertTrue(all(error.details))


class Finding(InAWorkspace):
    def test_the_nearest_list_upwards_is_found(self) -> None:
        deep = os.path.join(self.workspace, "src", "deep")
        os.makedirs(deep)
        with self.assertRaises(UserError) as caught:
            config.find(deep)
        self.assertEqual(caught.exception.message, f"no feature list found from {deep} upwards")
        self.assertIn("--config PATH", caught.exception.hint)
        for name in reversed(config.SEARCHED):
            with self.subTest(name=name):
                path = os.path.join(self.workspace, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self.write(name, "{}")
                self.assertEqual(config.find(deep), path)
        inner = os.path.join(deep, config.SEARCHED[2])
        os.makedirs(os.path.dirname(inner))
        with open(inner, "w"):
            pass
        self.assertEqual(config.find(deep), inner)
        self.assertEqual(config.find(self.workspace), self.path)

    def test_from_a_folder_that_was_deleted_only_a_whole_path_leads_to_a_list(self) -> None:
        self.load(_list())
        here, gone = os.getcwd(), os.path.join(self.outside, "gone")
        os.mkdir(gone)
        os.chdir(gone)
        os.rmdir(gone)
        try:
            self.assertEqual(config.load(self.path).project.name, "shop")
            for look in (lambda: config.find(os.curdir), lambda: config.load("list.json")):
                with self.assertRaisesRegex(UserError, "the current folder was deleted"):
                    look()
        finally:
            os.chdir(here)

    def test_a_folder_of_that_name_is_no_list(self) -> None:
        os.makedirs(self.path)
        with self.assertRaises(UserError):
            config.find(self.workspace)


if __name__ == "__main__":
    unittest.main()
