"""The feature list: what is right loads, what is wrong is told, all at once and each in place."""

from __future__ import annotations

import json
import os
import subprocess
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
from core.project import dependencies, list_reader, value_checks
from core.project import feature_list as config
from tests.support.feature_lists import (
    SEED,
    STRING,
    TOO_LARGE,
    UNPASSABLE,
    InAWorkspace,
    feature_of,
    list_of,
    malformed,
    unknown,
)
from tests.support.paths import ROOT


class NotWritten(InAWorkspace):
    def test_a_list_is_checked_before_it_and_its_prompts_are_written(self) -> None:
        features = [{"id": "auth", "prompt_file": "auth.md"}, {"id": "a b", "prompt": "x"}]
        text = json.dumps(list_of(features=features[:1]))
        found = config.of_text(self.path, text, {"auth.md": "Build it."})
        self.assertEqual(found.features[0].prompt, "Build it.")
        self.assertEqual(os.listdir(os.path.dirname(self.path)), [])
        with self.assertRaises(UserError) as raised:
            config.of_text(self.path, json.dumps(list_of(features=features)), {})
        self.assertEqual(len(raised.exception.details), 2)
        with self.assertRaisesRegex(UserError, "is not JSON"):
            config.of_text(self.path, "{", {})


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
                loaded = self.load(list_of(claude={"command": [given, "-x"]}))
                self.assertEqual(loaded.claude.command, (expected, "-x"))


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
                    "allowed_tools_add": ["Bash(make:*)"],
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
                    allowed_tools_add=("Bash(make:*)",),
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
                files=tuple(
                    os.path.realpath(os.path.join(self.workspace, "prompts", name))
                    for name in ("_context.md", "api.md")
                ),
            ),
        )

    def test_the_commands_of_a_list_are_grouped_by_purpose(self) -> None:
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
            [(c.purpose.value, c.features, c.brief) for c in config_commands(loaded)],
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

    def test_omitted_keys_have_their_defaults(self) -> None:
        found = self.load(list_of())
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
                found = self.load(list_of(features=[feature_of(**fields)])).features[0]
                self.assertEqual((found.estimated_tokens, found.priority), (value, -value))
        for number in (1, largest):
            project = {"name": "shop", "max_parallel": number, "timeout_seconds": number}
            with self.subTest(number=number):
                loaded = self.load(list_of(project=project, claude={"max_turns": number}))
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
        found = self.load(b"\xef\xbb\xbf" + json.dumps(list_of(features=features)).encode())
        self.assertEqual(found.features[0].prompt, "Build it.")

    def test_the_workspace_is_the_folder_above_config_else_the_lists_own(self) -> None:
        text = json.dumps(list_of())
        self.write("list.json", text)
        found = config.load(os.path.join(self.workspace, "list.json"))
        self.assertEqual((found.workspace, found.project.repo_path), (self.workspace,) * 2)
        self.write("config/other.json", text)
        found = config.load(os.path.join(self.workspace, "config", "..", "config", "other.json"))
        self.assertEqual(found.workspace, self.workspace)

    def test_a_home_folder_is_meant_by_a_tilde(self) -> None:
        found = self.load(list_of(project={"name": "shop", "repo_path": "~/shop"}))
        self.assertEqual(found.project.repo_path, os.path.join(os.path.expanduser("~"), "shop"))


class Faults(InAWorkspace):
    def _check(self, section: str, cases: Sequence[tuple[Mapping[str, object], str]]) -> None:
        """Each case: keys of a section, and the fault that they make, without its section."""
        for fields, fault in cases:
            with self.subTest(fields=str(fields)[:80]):
                good: dict[str, object] = {"name": "shop"} if section == "project" else {}
                faults = self.faults(list_of(**{section: {**good, **fields}}))
                self.assertEqual(faults, [f"{section}.{fault}"])

    def test_faults_of_the_list_as_a_whole_are_reported(self) -> None:
        cases: list[tuple[object, list[str]]] = [
            ([], ["expected an object, not a list"]),
            (None, ["expected an object, not null"]),
            (5, ["expected an object, not a number"]),
            ("x", ["expected an object, not a string"]),
            (True, ["expected an object, not a boolean"]),
            ({}, ["project is missing", "features is missing"]),
            (list_of(project=None), ["project: expected an object, not null"]),
            (list_of(project={}), ["project: name is missing"]),
            (list_of(prompts=None), ["prompts: expected an object, not null"]),
            (list_of(claude=[]), ["claude: expected an object, not a list"]),
            (list_of(features=None), ["features: expected a list, not null"]),
            (list_of(features={}), ["features: expected a list, not an object"]),
            (list_of(features=[]), ["features: contains no feature"]),
            (list_of(feature=[]), ["feature: unknown key (did you mean 'features'?)"]),
            (list_of(zzz=1), ["zzz: unknown key"]),
        ]
        for content, faults in cases:
            with self.subTest(content=content):
                self.assertEqual(self.faults(json.dumps(content)), faults)

    def test_faults_of_the_project_are_reported(self) -> None:
        branch = "is not valid in a branch name"
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
            ({"copy": [""]}, "copy[0]: '' is not a pattern of files inside the repository"),
            (
                {"copy": ["/etc/x"]},
                "copy[0]: '/etc/x' is not a pattern of files inside the repository",
            ),
            (
                {"link": ["a/../../b"]},
                "link[0]: 'a/../../b' is not a pattern of files inside the repository",
            ),
            (
                {"link": [".git/config"]},
                "link[0]: '.git/config' is not a pattern of files inside the repository",
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
            (
                {"commit_subject": "a\nb"},
                "commit_subject: contains a control character or a line break",
            ),
        ]
        for name in ("a b", "a..b", "-a", "/a", "a.lock", "a.lock/b", "a//b", "a/.b", ".a", "@"):
            cases.append(({"base_branch": name}, f"base_branch: {name!r} {branch}"))
        for name in ("a@{b", "a~", "a^", "a:", "a?", "a*", "a[", "a\\", "a\x7f", "a.", "a\n"):
            cases.append(({"branch_prefix": name}, f"branch_prefix: {name!r} {branch}"))
        self._check("project", cases)

    def test_faults_of_the_prompts_are_reported(self) -> None:
        cases: list[tuple[dict[str, object], str]] = [
            ({"context_file": ""}, "context_file: is empty"),
            ({"context_file": 5}, f"context_file: {STRING}a number"),
            ({"quality_rules": "x"}, "quality_rules: expected a list of strings, not a string"),
            ({"quality_rules": ["x", None]}, f"quality_rules[1]: {STRING}null"),
            ({"quality_rule": []}, "quality_rule: unknown key (did you mean 'quality_rules'?)"),
        ]
        self._check("prompts", cases)

    def test_faults_of_claudes_options_are_reported(self) -> None:
        ours = "is set by RoRchestrator itself"
        modes = "acceptEdits, auto, bypassPermissions, default, dontAsk, manual, plan"
        variable = "is not a valid name of an environment variable"
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
            ({"disallowed_tools": ["Read("]}, f"disallowed_tools[0]: {malformed('Read(')}"),
            ({"allowed_tool": []}, "allowed_tool: unknown key (did you mean 'allowed_tools'?)"),
        ]
        self._check("claude", cases)

    def test_faults_of_a_feature_are_reported(self) -> None:
        one = "needs exactly one of prompt and prompt_file"
        letters = "must begin with a letter or digit; then . _ - are allowed as well"
        cases: list[tuple[object, str]] = [
            ("auth", ": expected an object, not a string"),
            ({"prompt": "x"}, ": id is missing"),
            ({"id": "auth"}, f": {one}"),
            (feature_of(prompt=" "), ".prompt: is empty"),
            (feature_of(prompt="\ud800"), f".prompt: {UNPASSABLE}"),
            (feature_of(id=5), f".id: {STRING}a number"),
            (feature_of(id=["a"]), f".id: {STRING}a list"),
            (feature_of(id=""), f".id: '' {letters}"),
            (feature_of(id="a b"), f".id: 'a b' {letters}"),
            (feature_of(id="auth\n"), f".id: 'auth\\n' {letters}"),
            (feature_of(id="-a"), f".id: '-a' {letters}"),
            (feature_of(id="é"), f".id: 'é' {letters}"),
            (feature_of(id="a/b"), f".id: 'a/b' {letters}"),
            (feature_of(id="x" * 101), ".id: is longer than 100 characters"),
            (feature_of(id="a..b"), ".id: 'a..b' is not valid at the end of a branch name"),
            (feature_of(id="a."), ".id: 'a.' is not valid at the end of a branch name"),
            (feature_of(id="a.lock"), ".id: 'a.lock' is not valid at the end of a branch name"),
            (feature_of(name=""), ".name: is empty"),
            (feature_of(name="a\nb"), ".name: contains a control character or a line break"),
            (feature_of(name="a" * 501), ".name: is longer than 500 characters"),
            (feature_of(name="\x1b[31mred"), ".name: contains a control character or a line break"),
            (feature_of(tags="web"), ".tags: expected a list of strings, not a string"),
            (feature_of(creates=[[]]), f".creates[0]: {STRING}a list"),
            (feature_of(uses=None), ".uses: expected a list of strings, not null"),
            (feature_of(uses="path:a"), ".uses: expected a list of strings, not a string"),
            (
                feature_of(creates=["path:../a"]),
                ".creates[0]: 'path:../a' is no path inside the repository",
            ),
            (
                feature_of(uses=["a", "symbol: "]),
                ".uses[1]: 'symbol: ' is incomplete: nothing follows the colon",
            ),
            (feature_of(setup="make"), ".setup: expected a list of commands, not a string"),
            (feature_of(setup=[""]), ".setup[0]: is empty"),
            (feature_of(setup=["a\0b"]), f".setup[0]: {UNPASSABLE}"),
            (feature_of(verify=[[]]), ".verify[0]: names no program"),
            (feature_of(verify=[["", "a"]]), ".verify[0]: names no program"),
            (feature_of(verify=["a", [5]]), f".verify[1][0]: {STRING}a number"),
            (
                feature_of(verify=[{"run": "a"}]),
                ".verify[0]: expected a string or a list of strings, not an object",
            ),
            (feature_of(estimated_tokens=-1), ".estimated_tokens: -1 is less than 0"),
            (feature_of(estimated_tokens=10**300), f".estimated_tokens: {TOO_LARGE}"),
            (feature_of(priority=-(10**300)), f".priority: {TOO_LARGE}"),
            (
                feature_of(priority=float("nan")),
                ".priority: expected a whole number, not nan",
            ),
            (feature_of(allow_empty=1), ".allow_empty: expected true or false, not a number"),
            (
                feature_of(timeout_seconds=0),
                ".timeout_seconds: expected a number above 0, not 0",
            ),
            (feature_of(allowed_tools=["bash"]), ".allowed_tools[0]: " + unknown("bash", "Bash")),
            (feature_of(dependson=[]), ".dependson: unknown key (did you mean 'depends_on'?)"),
            (
                feature_of(depends_on="auth"),
                ".depends_on: expected a list of strings, not a string",
            ),
            (feature_of(depends_on=[5]), f".depends_on[0]: {STRING}a number"),
            (feature_of(depends_on=["auth"]), ".depends_on[0]: 'auth' can't depend on itself"),
            (
                feature_of(depends_on=["auht"]),
                ".depends_on[0]: unknown feature 'auht' (did you mean 'auth'?)",
            ),
            (feature_of(depends_on=["zzz"]), ".depends_on[0]: unknown feature 'zzz'"),
        ]
        for feature, fault in cases:
            with self.subTest(feature=str(feature)[:80]):
                self.assertEqual(self.feature_faults(feature), [f"features[0]{fault}"])

    def test_a_subject_that_is_empty_for_a_feature_is_a_fault(self) -> None:
        project = {"name": "shop", "commit_subject": "{description}"}
        features = [feature_of(id="a"), feature_of(id="b", description="Sells.")]
        faults = self.faults(list_of(project=project, features=features))
        self.assertEqual(faults, ["feature a: project.commit_subject gives an empty subject"])

    def test_a_prefix_and_an_id_that_git_refuses_only_together_are_a_fault(self) -> None:
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
                listed = list_of(project=project, features=[feature_of(id=id)])
                command = ["git", "check-ref-format", "--branch", prefix + id]
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    self.assertEqual(self.load(listed).project.branch_prefix, prefix)
                    continue
                fault = f"feature {id}: {prefix + id!r} is not a valid branch name (branch_prefix)"
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
                    "features[1].id: duplicate id 'A' (also features[0])",
                    "features[2].id: duplicate id 'a' (also features[0])",
                ],
            ),
            (
                [feature("a"), feature("b", "a", "a")],
                ["features[1].depends_on[1]: duplicate dependency 'a'"],
            ),
            (
                [feature("a"), feature(["x"], "a")],
                [f"features[1].id: {STRING}a list"],
            ),
            (
                [feature("a"), feature("!", "a"), feature("b", "!")],
                [
                    "features[1].id: '!' must begin with a letter or digit; then . _ - are allowed "
                    "as well"
                ],
            ),
        ]
        for features, faults in cases:
            with self.subTest(features=features):
                self.assertEqual(self.feature_faults(*features), faults)

    def test_every_cycle_is_reported(self) -> None:
        features = [
            {"id": "a", "prompt": "x", "depends_on": ["b"]},
            {"id": "b", "prompt": "x", "depends_on": ["a"]},
            {"id": "c", "prompt": "x", "depends_on": ["d", "a"]},
            {"id": "d", "prompt": "x", "depends_on": ["c"]},
        ]
        faults = self.feature_faults(*features)
        self.assertEqual(len(faults), 2)
        either = (
            "features[0].depends_on: dependency cycle: a → b → a",
            "features[1].depends_on: dependency cycle: b → a → b",
        )
        self.assertIn(faults[0], either)
        self.assertRegex(
            faults[1], r"features\[[23]\]\.depends_on: dependency cycle: (c → d|d → c)"
        )

    def test_many_circles_and_many_unknown_ids_do_not_take_for_ever(self) -> None:
        pairs = [
            {"id": f"item{n}", "prompt": "x", "depends_on": [f"item{n ^ 1}", f"itme{n}", "itme0"]}
            for n in range(60)
        ]
        faults = self.feature_faults(*pairs)
        self.assertEqual(
            sum("dependency cycle: " in fault for fault in faults), dependencies.CYCLES_SHOWN
        )
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
        circles = [fault for fault in error.details if "cycle" in fault]
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
                "features[2]: needs exactly one of prompt and prompt_file",
                "features[1].depends_on[0]: unknown feature 'auht' (did you mean 'auth'?)",
                "promts: unknown key (did you mean 'prompts'?)",
            ],
        )
        self.assertEqual(error.message, f"{self.path} has 10 faults")
        self.assertEqual(self.error(list_of(x=1)).message, f"{self.path} has 1 fault")


class Finding(InAWorkspace):
    def test_the_nearest_list_upwards_is_found(self) -> None:
        deep = os.path.join(self.workspace, "src", "deep")
        os.makedirs(deep)
        with self.assertRaises(UserError) as caught:
            config.find(deep)
        self.assertEqual(caught.exception.message, f"no feature list in {deep} or above")
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
        self.load(list_of())
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
