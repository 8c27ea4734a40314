"""Files that a list names: prompts, context, odd files."""

from __future__ import annotations

import json
import os
import sys
import unittest

from core.model.errors import UserError
from core.project import feature_list as config
from core.project import keys, list_reader
from tests.support.feature_lists import (
    InAWorkspace,
    feature_of,
    list_of,
)


class Lengths(InAWorkspace):
    def test_a_context_and_a_prompt_that_claude_would_refuse_together_are_a_fault(self) -> None:
        half = "x" * (list_reader.PROMPT_LIMIT_BYTES // 2 + 1)
        self.write("prompts/_context.md", half)
        faults = self.faults(
            list_of(prompts={"context_file": "_context.md"}, features=[feature_of(prompt=half)])
        )
        self.assertEqual(
            faults, ["feature auth: context and prompt together are longer than 8 MiB"]
        )


class Prompts(InAWorkspace):
    def test_a_prompt_is_looked_for_in_prompts_first_then_in_the_workspace(self) -> None:
        self.write("prompts/both.md", "inner")
        self.write("both.md", "outer")
        self.write("only.md", "only")
        names = ("both.md", "only.md", "prompts/both.md", os.path.join(self.workspace, "both.md"))
        features = [{"id": f"f{n}", "prompt_file": name} for n, name in enumerate(names)]
        found = self.load(list_of(features=features))
        self.assertEqual([f.prompt for f in found.features], ["inner", "only", "inner", "outer"])

    def test_a_link_may_lead_to_another_place_in_the_workspace(self) -> None:
        self.write("real.md", "real")
        os.symlink("../real.md", os.path.join(self.workspace, "prompts", "link.md"))
        found = self.load(list_of(features=[{"id": "a", "prompt_file": "link.md"}]))
        self.assertEqual(found.features[0].prompt, "real")

    def test_a_file_in_another_encoding_is_decoded_or_a_fault_with_its_position(self) -> None:
        self.write("prompts/wide.md", "Créer l'API".encode("utf-16"))
        self.write("prompts/latin.md", "Ajouter\nla clé".encode("latin-1"))
        self.write("prompts/odd.md", b"a\0b")
        found = self.load(list_of(features=[{"id": "a", "prompt_file": "wide.md"}]))
        self.assertEqual(found.features[0].prompt, "Créer l'API")
        files = [{"id": name, "prompt_file": f"{name}.md"} for name in ("latin", "odd")]
        faults = self.faults(list_of(features=files, prompts={"context_file": "latin.md"}))
        latin = "latin.md is not UTF-8 at line 2, column 6 (byte 0xe9): save it as UTF-8"
        odd = "odd.md is not text at line 1, column 2 (NUL byte): save it as UTF-8"
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
            list_of(
                project={"name": "Shop", "description": ["a", "b"]},
                claude={"append_system_prompt": ["be brief", "be kind"]},
                features=[feature_of(prompt=["Build it.", "", "- well"], description=["c", "d"])],
            )
        )
        (found,) = loaded.features
        self.assertEqual((found.prompt, found.description), ("Build it.\n\n- well", "c\nd"))
        self.assertEqual(loaded.project.description, "a\nb")
        self.assertEqual(loaded.claude.append_system_prompt, "be brief\nbe kind")
        self.assertEqual(
            self.faults(list_of(features=[feature_of(prompt=["x", 5])])),
            ["features[0].prompt[1]: expected a string, not a number"],
        )
        for empty in ([], ["", " "]):
            faults = self.faults(list_of(features=[feature_of(prompt=empty)]))
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
        found = self.load(list_of(features=[{"id": "a", "prompt_file": "p.md"}]))
        self.assertEqual(len(found.features[0].prompt), list_reader.PROMPT_LIMIT_BYTES)

    def test_a_missing_file_is_reported_at_each_place_that_names_it(self) -> None:
        nowhere = f"p.md is neither in {self.workspace}/prompts/ nor in the workspace"
        features = [{"id": "a", "prompt_file": "p.md"}, {"id": "b", "prompt_file": "p.md"}]
        self.assertEqual(
            self.faults(list_of(features=features, prompts={"context_file": "p.md"})),
            [
                f"features[0].prompt_file: {nowhere}",
                f"features[1].prompt_file: {nowhere}",
                f"prompts.context_file: {nowhere}",
            ],
        )


class Unreadable(InAWorkspace):
    def test_invalid_json_is_reported_with_its_position(self) -> None:
        deep = "maximum recursion depth exceeded"
        digits = "Exceeds the limit"
        cases: list[tuple[str | bytes, str]] = [
            ("", "is not JSON at line 1, column 1: the file is empty"),
            ('{"a": 1,\n "b": 2,}', "is not JSON at line 2, column 8: trailing comma"),
            ('{"a": {"b": 1, "c": 2, "b": 3}}', "duplicate key 'b' in an object"),
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
        self.assertEqual(
            caught.exception.hint, "create it, or name another list with --config PATH"
        )

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
            lists = [value, list_of(**every), list_of(features=[value, feature])]
            lists += [list_of(**{section: value}) for section in (*every, "features", "x", "_x")]
            lists.append(
                list_of(features=[{**feature, "id": "a"}, feature_of(depends_on=["a", "a"])])
            )
            lists.append(
                list_of(features=[feature_of(), feature_of(depends_on=["auth"], id=value)])
            )
            nested = feature_of(depends_on=[value], tags=[value], allowed_tools=[value])
            options = {"env": {"A": value}, "extra_args": [value], "command": [value]}
            lists.append(list_of(features=[nested], claude=options))
            for content in lists:
                with self.subTest(content=str(content)[:120]):
                    try:
                        self.load(json.dumps(content))
                    except UserError as error:
                        self.assertTrue(error.details)
                        self.assertTrue(all(error.details))
