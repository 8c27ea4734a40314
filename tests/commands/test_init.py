"""`init`: shows its files, asks, overwrites nothing, rehearses, and names the next command."""

from __future__ import annotations

import json
import os
import shlex
import subprocess

from core.project.schema import schema_text
from tests.support.commands import read_text
from tests.support.fresh import Fresh
from tests.support.once import once
from tests.support.trees import NODE, PYTHON
from tests.support.workspace import WorkspaceTest

MAKE = {"Makefile": "test:\n\ttest -f README.md\n"}
FILES = [
    ".gitignore",
    "config/feature_list.schema.json",
    "prompts/describe-development.md",
    "prompts/_context.md",
    "config/feature_list.json",
]
REHEARSED = "The rehearsal found nothing to mend."


class InitTest(WorkspaceTest):
    workspace: Fresh

    def setUp(self) -> None:
        self.fresh(MAKE)

    def fresh(self, files: dict[str, str]) -> Fresh:
        space = Fresh(files)
        self.use(space)
        return space

    def written(self) -> list[str]:
        """The files that git does not know, but for reports."""
        listed = self.workspace.git("status", "--porcelain", "--untracked-files=all")
        return sorted(line[3:] for line in listed.splitlines())

    def text(self, path: str) -> str:
        return read_text(os.path.join(self.workspace.path, path))


class Written(InitTest):
    def test_yes_writes_and_rehearses_and_the_next_commands_work_as_printed(self) -> None:
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertEqual(said.out.splitlines()[:5], [f"written: {path}" for path in FILES])
        self.assertIn("No problems found.", said.out)
        self.assertIn(REHEARSED, said.err)
        self.assertEqual(self.written(), sorted(FILES))
        *commands, last = [line.strip() for line in said.err.splitlines()[-3:]]
        self.assertEqual(last, "rorchestrator run")
        for command in commands:
            subprocess.run(
                shlex.split(command),
                cwd=self.workspace.path,
                env=self.workspace.environ,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        self.assertEqual(self.written(), [])
        self.assertNotIn("Warning", self.workspace.main("plan").out)

    def test_what_is_printed_works_behind_a_link_and_beside_a_leading_dash(self) -> None:
        space = self.fresh({**MAKE, "-rf/x": ""})
        os.mkdir(os.path.join(space.path, "-rf/real"))
        os.symlink("real", os.path.join(space.path, "-rf/config"))
        said = space.main("init", "--yes", "--dir=-rf")
        self.assertEqual(said.code, 0, said.err)
        add, _, run = [line.strip() for line in said.err.splitlines()[-3:]]
        self.assertEqual(run, "rorchestrator run --config ./-rf/config/feature_list.json")
        space.git(*shlex.split(add)[1:])
        self.assertEqual(space.main("plan", *shlex.split(run)[2:]).code, 0)

    def test_files_that_git_ignores_are_not_to_be_added(self) -> None:
        self.fresh({**MAKE, ".gitignore": "/config/\n/prompts/\n/reports/\n"})
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertNotIn("git add", said.err)
        self.assertTrue(said.err.endswith("\n  rorchestrator run\n"), said.err)

    def test_each_file_is_shown_before_the_question(self) -> None:
        said = self.workspace.answered("init", answer="n\n")
        self.assertEqual((said.code, said.out), (2, ""))
        shown, _, rest = said.err.partition("Write 5 files? [y/N] ")
        self.assertIn("Nothing was written.", rest)
        self.assertIn('    "verify": [\n      "make test"\n    ]', shown)
        for path in FILES:
            self.assertIn(f"--- {path} (new", shown)
        self.assertNotIn("patternProperties", shown, "the schema is too long to show")
        self.assertEqual(self.written(), [])

    def test_a_yes_writes_and_another_one_rehearses(self) -> None:
        said = self.workspace.answered("init", answer="yes\ny\n")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("Rehearse 1 feature now? [y/N]", said.err)
        self.assertIn(REHEARSED, said.err)

    def test_without_the_second_yes_the_next_command_is_the_rehearsal(self) -> None:
        said = self.workspace.answered("init", answer="y\n")
        self.assertEqual(said.code, 0, said.err)
        self.assertTrue(said.err.endswith("\n  rorchestrator run --rehearse\n"), said.err)
        self.assertEqual(self.written(), sorted(FILES))

    def test_without_a_terminal_and_without_yes_nothing_is_written(self) -> None:
        said = self.workspace.main("init", "--base", "main")
        self.assertEqual(said.code, 2)
        self.assertIn("there is no terminal to ask on", said.err)
        self.assertIn("next: rorchestrator init --base main --yes", said.err)
        self.assertEqual(self.written(), [])

    def test_quiet_prints_the_names_only(self) -> None:
        said = self.workspace.main("init", "--yes", "--no-rehearsal", "--quiet")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertEqual(said.out.splitlines(), [f"written: {path}" for path in FILES])

    def test_the_schema_is_beside_the_list_that_names_it(self) -> None:
        self.workspace.main("init", "--yes", "--no-rehearsal")
        document = json.loads(self.text("config/feature_list.json"))
        path = os.path.join("config", document["$schema"])
        self.assertEqual(self.text(path), schema_text())


class NothingIsOverwritten(InitTest):
    def test_files_that_exist_stay_and_are_named(self) -> None:
        self.workspace.write({"prompts/_context.md": "mine\n", ".gitignore": "*.log"})
        said = self.workspace.main("init", "--yes", "--no-rehearsal")
        self.assertIn("--- prompts/_context.md exists already, and stays as it is", said.err)
        self.assertIn("--- .gitignore (these lines are added)\n+ \n+ /reports/\n", said.err)
        self.assertEqual(self.text("prompts/_context.md"), "mine\n")
        self.assertEqual(self.text(".gitignore"), "*.log\n/reports/\n")

    def test_a_gitignore_that_lacks_nothing_or_is_a_link_is_left(self) -> None:
        self.workspace.write({".gitignore": "/reports/\n"})
        self.assertNotIn(".gitignore", self.workspace.answered("init", answer="\n").err)
        os.remove(os.path.join(self.workspace.path, ".gitignore"))
        os.symlink("elsewhere", os.path.join(self.workspace.path, ".gitignore"))
        said = self.workspace.answered("init", answer="\n")
        self.assertIn("--- .gitignore is not a regular file, and stays as it is", said.err)

    def test_a_list_that_exists_is_refused(self) -> None:
        self.workspace.main("init", "--yes", "--no-rehearsal")
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("there is a feature list already", said.err)

    def test_config_is_not_for_init(self) -> None:
        said = self.workspace.main("init", "--config", "x.json")
        self.assertEqual(said.code, 2)
        self.assertIn("next: rorchestrator init --dir DIR", said.err)


@once
class Rehearsed(InitTest):
    def test_what_the_rehearsal_finds_is_to_be_mended(self) -> None:
        self.fresh({"Makefile": "test:\n\tfalse\n"})
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 1)
        self.assertIn("make test", said.out)
        self.assertIn("Mend it in config/feature_list.json or in the repository, then:", said.err)
        self.assertTrue(said.err.endswith("\n  rorchestrator run --rehearse\n"), said.err)

    def test_an_interrupted_rehearsal_keeps_its_exit_code(self) -> None:
        self.fresh({"Makefile": f"test:\n\tkill -INT {os.getpid()}; sleep 60\n"})
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 130, said)
        self.assertEqual(self.written(), sorted(FILES))

    def test_a_list_elsewhere_is_named_in_the_next_command(self) -> None:
        self.fresh({f"web/{name}": text for name, text in NODE.items()})
        said = self.workspace.main("init", "--dir", "web", "--yes", "--no-rehearsal")
        self.assertEqual(said.code, 0, said.err)
        last = said.err.splitlines()[-1].strip()
        self.assertEqual(last, "rorchestrator run --rehearse --config web/config/feature_list.json")
        self.assertIn("written: web/prompts/_context.md", said.out)
        self.assertEqual(self.text(".gitignore"), "/web/reports/\n/web/**/node_modules/\n")

    def test_a_build_that_takes_every_folder_for_a_package_sees_none_of_ours(self) -> None:
        needs = '[project]\nname = "shop"\ndependencies = ["x"]\n'
        self.fresh({**PYTHON, "pyproject.toml": needs})
        said = self.workspace.main("init", "--yes", "--no-rehearsal")
        self.assertIn("written: .rorchestrator/config/feature_list.json", said.out)
        self.assertIn("the list goes into .rorchestrator, because setuptools", said.err)
        self.assertTrue(said.err.endswith("\n  rorchestrator run --rehearse\n"), said.err)
        ignored = "/.rorchestrator/reports/\n.venv/\n__pycache__/\n"
        self.assertEqual(self.text(".gitignore"), ignored)
        plan = self.workspace.main("plan")
        self.assertEqual(plan.code, 0, plan)
        self.assertNotIn("the list is in", plan.out)


class Examples(InitTest):
    def test_an_example_is_written_with_its_prompts(self) -> None:
        said = self.workspace.main("init", "--example", "todo", "--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("written: prompts/test-project/task-model.md", said.out)
        self.assertIn("rorchestrator run --rehearse", said.err)
        self.assertNotIn("Found in", said.err)
        self.assertIn("task-storage", self.workspace.main("plan").out)

    def test_its_features_start_from_the_branch_that_is_there(self) -> None:
        self.workspace.git("branch", "--quiet", "-m", "main", "trunk")
        self.workspace.main("init", "--example", "todo", "--yes", "--quiet")
        self.assertEqual(self.workspace.main("plan").code, 0)

    def test_an_unknown_example_is_refused(self) -> None:
        said = self.workspace.main("init", "--example", "vue", "--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("one of: todo, rails, react", said.err)


if __name__ == "__main__":
    import unittest

    unittest.main()
