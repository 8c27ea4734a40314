"""The texts that `init` writes."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from collections.abc import Mapping

from core.model.feature import Config
from core.model.frozen import replace
from core.project.base_branch import Base
from core.project.feature_list import load
from core.start import first_list, prompt_lint
from core.start.examining.listing import permission_lines
from core.start.prompt_lint import Around, Prompt
from core.start.stacks.choice import choose
from core.start.survey import Survey
from core.start.tool_rules import rules_of
from tests.support.trees import GO, NODE, PYTHON, RAILS, RUST, tree

ALL = (RAILS, NODE, PYTHON, GO, RUST, {f"web/{name}": text for name, text in NODE.items()}, {})


def survey_of(files: Mapping[str, str], **more: object) -> Survey:
    """A survey of a repository with these files."""
    found = tree(files)
    base = Base("main", "0" * 40)
    made = Survey("/shop", "/shop", "shop", base, "main", found, choose(found), "../shop-worktrees")
    return replace(made, **more)  # type: ignore[arg-type]


class FirstList(unittest.TestCase):
    def loaded(self, survey: Survey) -> Config:
        with tempfile.TemporaryDirectory(prefix="ror-") as folder:
            for path, text in (
                ("config/feature_list.json", first_list.list_text(survey)),
                (f"prompts/{first_list.CONTEXT}", first_list.context_text(survey)),
                (f"prompts/{first_list.PROMPT}", first_list.prompt_text(survey)),
            ):
                whole = os.path.join(folder, path)
                os.makedirs(os.path.dirname(whole), exist_ok=True)
                with open(whole, "w", encoding="utf-8") as file:
                    file.write(text)
            return load(os.path.join(folder, "config/feature_list.json"))

    def test_each_stack_gets_a_valid_list_whose_commands_claude_may_run(self) -> None:
        for files in ALL:
            survey = survey_of(files)
            config = self.loaded(survey)
            with self.subTest(survey.choice.stacks[:1]):
                self.assertEqual([line.level.value for line in permission_lines(config)], ["ok"])
                checks = [check.line for check in config.project.verify]
                self.assertEqual(checks, first_list.verify_of(survey))
                setup = [command.line for command in config.project.setup]
                self.assertEqual(setup, first_list.setup_of(survey))

    def test_copies_of_what_the_setup_makes_need_all_stacks(self) -> None:
        self.assertEqual(self.loaded(survey_of(NODE)).project.setup_cache, ("node_modules",))
        both = survey_of({**NODE, "Gemfile": "gem 'rake'\n", "Gemfile.lock": ""})
        self.assertEqual(len(first_list.setup_of(both)), 2)
        self.assertEqual(first_list.setup_cache_of(both), [])

    def test_each_first_prompt_lacks_nothing(self) -> None:
        for files in ALL:
            config = self.loaded(survey_of(files))
            (feature,) = config.features
            rules = rules_of(config, feature)
            checks = tuple(check.line for check in config.project.verify)
            prompt = Prompt(feature.prompt, feature.creates, checks, rules)
            around = Around(tree(files).has, config.context)
            self.assertEqual(prompt_lint.findings(prompt, around), [])

    def test_only_rules_that_are_lacking_are_added(self) -> None:
        self.assertEqual(first_list.rules_to_add(survey_of(NODE)), ["Bash(npm ci)"])
        self.assertEqual(first_list.rules_to_add(survey_of(PYTHON)), [])
        self.assertEqual(
            first_list.rules_to_add(survey_of(GO)),
            [
                *("Bash(go build:*)", "Bash(gofmt:*)", "Bash(go run:*)"),
                "Bash(go mod download)",
            ],
        )
        inner = survey_of({f"api/{name}": text for name, text in RUST.items()})
        self.assertEqual(
            first_list.rules_to_add(inner),
            [
                *("Bash(cargo build:*)", "Bash(cargo check:*)", "Bash(cargo fmt:*)"),
                "Bash(cargo fetch --locked)",
            ],
        )

    def project(self, survey: Survey) -> dict[str, object]:
        found: dict[str, object] = json.loads(first_list.list_text(survey))["project"]
        return found

    def test_a_shared_database_leaves_one_slot_and_says_why(self) -> None:
        postgres = {**RAILS, "config/database.yml": "x:\n  adapter: postgresql\n"}
        project = self.project(survey_of(postgres, copy=(".env",)))
        self.assertEqual((project["max_parallel"], project["copy"]), (1, [".env"]))
        self.assertIn("PostgreSQL", str(project["_max_parallel"]))
        self.assertEqual(project["port_variable"], "PORT")

    def test_another_prefix_for_branches_is_in_the_list(self) -> None:
        project = self.project(survey_of({}, branch_prefix="rorchestrator/"))
        self.assertEqual(project["branch_prefix"], "rorchestrator/")

    def test_a_base_that_is_no_branch_is_left_to_each_run(self) -> None:
        self.assertNotIn("base_branch", self.project(survey_of({}, base_branch="")))

    def test_the_context_says_what_was_found(self) -> None:
        files = {
            **NODE,
            "README.md": "",
            "CLAUDE.md": "",
            "src/a.js": "",
            ".github/workflows/a.yml": "",
        }
        text = first_list.context_text(survey_of(files))
        for line in (
            "# Context: shop",
            "- Node with npm, by `package.json`, `package-lock.json`.",
            "- Read first: `README.md`, `CLAUDE.md`.",
            "- Folders: `src/`.",
            "- CI: `.github/workflows/a.yml`.",
            "- Done already in this worktree: `npm ci`",
            "- Must pass at the end: `npm test`",
        ):
            self.assertIn(line, text.splitlines())
        self.assertIn("the port in `PORT`", text)

    def test_where_nothing_was_found_the_context_is_short(self) -> None:
        text = first_list.context_text(survey_of({}))
        self.assertNotIn("## The project", text)
        self.assertIn("the port in `RORCHESTRATOR_PORT`", text)
        ci = {".travis.yml": "script: ./run-tests.sh\n"}
        self.assertIn("- CI files.", first_list.context_text(survey_of(ci)).splitlines())

    def test_a_list_for_a_folder_is_about_its_files(self) -> None:
        files = {"README.md": "", "web/src/a.js": "", "web/README.rst": ""}
        survey = survey_of(files, workspace="/shop/web")
        self.assertEqual(first_list.readme_of(survey), "web/README.rst")
        text = first_list.context_text(survey)
        self.assertIn("- Features are about `web`, a folder of the repository.", text)
        self.assertIn("- Folders: `src/`.", text)
        self.assertEqual(
            first_list.readme_of(replace(survey, workspace="/shop/api")), "api/README.md"
        )

    def test_the_prompt_creates_a_readme_where_there_is_none(self) -> None:
        self.assertIn("Create `README.md`", first_list.prompt_text(survey_of({})))
        self.assertIn("Extend `README.rst`", first_list.prompt_text(survey_of({"README.rst": ""})))


if __name__ == "__main__":
    unittest.main()
