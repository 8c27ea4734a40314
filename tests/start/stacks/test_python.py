"""Python: where packages come from, and what is checked."""

from __future__ import annotations

import unittest

from core.start.stacks import python
from core.start.stacks.stack import Stack
from tests.support.trees import PYTHON, tree

CODE = {"shop.py": ""}
PROJECT = '[project]\nname = "shop"\n'
PYTEST = {"tests/test_a.py": "def test_a():\n    pass\n"}
UNITTEST = {"tests/test_a.py": "import unittest\n"}
VENV = "python3 -m venv .venv"


class PythonTest(unittest.TestCase):
    def found(self, *files: dict[str, str]) -> Stack:
        stack = python.detect(
            tree({name: text for each in (CODE, *files) for name, text in each.items()})
        )
        assert stack is not None
        return stack

    def test_a_sample_tree_without_packages_needs_no_setup(self) -> None:
        stack = python.detect(tree(PYTHON))
        assert stack is not None
        self.assertEqual((stack.name, stack.setup), ("Python", ()))
        self.assertEqual(stack.verify, ("python3 -m unittest discover -s tests",))
        self.assertEqual(stack.ignored, ("__pycache__/",))

    def test_settings_of_a_tool_or_a_lone_script_are_no_project(self) -> None:
        for files in (
            {"pyproject.toml": "[tool.ruff]\n", "build.py": ""},
            {"pyproject.toml": PROJECT},
            {"requirements.txt": "mkdocs\n"},
            {"vendor/x/test_y.py": "", "build.py": ""},
        ):
            self.assertIsNone(python.detect(tree(files)), files)

    def test_pip_installs_into_an_environment_of_the_worktree(self) -> None:
        files = {"requirements.txt": "flask\n", "requirements-dev.txt": "pytest\n"}
        stack = self.found(files, PYTEST)
        install = ".venv/bin/pip install -r requirements-dev.txt -r requirements.txt"
        self.assertEqual(stack.setup, (VENV, install))
        self.assertEqual(stack.verify, (".venv/bin/python -m pytest",))
        self.assertEqual(stack.ignored, (".venv/", "__pycache__/"))
        self.assertEqual(stack.port_variable, "FLASK_RUN_PORT")
        self.assertEqual(stack.files, ("requirements-dev.txt", "requirements.txt"))

    def test_pip_installs_the_project_with_what_its_tests_need(self) -> None:
        extras = (
            f'{PROJECT}[project.optional-dependencies]\ndocs = ["x"]\ntest = ["pytest>=8"]\n[x]\n'
        )
        stack = self.found({"pyproject.toml": extras + "[build-system]\n"}, PYTEST)
        self.assertEqual(stack.setup, (VENV, ".venv/bin/pip install -e '.[test]'"))
        of_cfg = {"setup.cfg": "[options.extras_require]\ntests =\n  pytest\n", "setup.py": ""}
        stack = self.found(of_cfg, PYTEST)
        self.assertEqual(stack.setup, (VENV, ".venv/bin/pip install -e '.[tests]'"))

    def test_a_pip_that_knows_groups_installs_them(self) -> None:
        toml = f'{PROJECT}[dependency-groups]\ndev = ["pytest"]\n'
        stack = self.found({"pyproject.toml": toml}, PYTEST)
        new, group = ".venv/bin/pip install 'pip>=25.1'", ".venv/bin/pip install --group dev"
        self.assertEqual(stack.setup, (VENV, new, group))

    def test_a_project_is_installed_only_if_its_tests_need_that(self) -> None:
        for more, needed in (
            ('dependencies = ["x"]\n', True),
            ("dependencies = [\n]\n", False),
            ("dependencies = [\n  'x',\n]\n", True),
        ):
            stack = self.found({"pyproject.toml": PROJECT + more}, UNITTEST)
            expected = (VENV, ".venv/bin/pip install -e .") if needed else ()
            self.assertEqual(stack.setup, expected, more)
        sources = {"pyproject.toml": PROJECT, "src/shop/__init__.py": ""}
        self.assertTrue(self.found(sources, UNITTEST).setup)

    def test_setuptools_that_guesses_its_packages_leaves_no_room_for_other_folders(self) -> None:
        needs = f'{PROJECT}dependencies = ["x"]\n'
        for toml, crowded in (
            (needs, True),
            (f"{needs}[build-system]\nbuild-backend = 'setuptools.build_meta'\n", True),
            (f'{needs}[build-system]\nbuild-backend = "hatchling.build"\n', False),
            (f'{needs}[tool.setuptools]\npackages = ["shop"]\n', False),
            (PROJECT, False),
        ):
            self.assertEqual(
                self.found({"pyproject.toml": toml}, UNITTEST).is_crowded, crowded, toml
            )
        sources = {"pyproject.toml": needs, "src/shop.py": ""}
        self.assertFalse(self.found(sources, UNITTEST).is_crowded)

    def test_pytest_is_installed_where_only_the_tests_name_it(self) -> None:
        for files in (
            PYTEST,
            {"tests/test_a.py": "import pytest\n"},
            {"conftest.py": "", **UNITTEST},
        ):
            stack = self.found(files)
            self.assertEqual(stack.setup, (VENV, ".venv/bin/pip install pytest"))
            self.assertEqual(stack.verify, (".venv/bin/python -m pytest",))

    def test_uv_poetry_and_pipenv_have_their_own_lockfiles(self) -> None:
        toml = f'{PROJECT}[project.optional-dependencies]\ntest = ["pytest"]\n'
        toml += '[dependency-groups]\ndev = ["ruff"]\ntests = []\n[tool.ruff]\n'
        uv = self.found({"pyproject.toml": toml, "uv.lock": ""}, PYTEST)
        self.assertEqual(uv.setup, ("uv sync --locked --extra test --group tests",))
        self.assertEqual(uv.verify, ("uv run ruff check", "uv run pytest"))
        bare = self.found({"pyproject.toml": PROJECT, "uv.lock": ""}, PYTEST)
        self.assertEqual(bare.verify, ("uv run --with pytest pytest",))
        poetry = self.found(
            {"pyproject.toml": '[tool.poetry]\npytest = "8"\n', "poetry.lock": ""}, PYTEST
        )
        install = "POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"
        self.assertEqual((poetry.setup, poetry.verify), ((install,), ("poetry run pytest",)))
        pipenv = self.found({"Pipfile": "[packages]\n", "Pipfile.lock": "{}"}, UNITTEST)
        self.assertEqual(pipenv.setup, ("PIPENV_VENV_IN_PROJECT=1 pipenv sync --dev",))
        self.assertEqual(pipenv.verify, ("pipenv run python -m unittest discover -s tests",))

    def test_what_only_poetry_would_install_is_installed_by_name_without_its_lockfile(self) -> None:
        toml = '[tool.poetry.dependencies]\nflask = "3"\n[tool.poetry.group.dev.dependencies]\n'
        toml += 'pytest = "8"\nruff = "*"\n[tool.ruff]\n'
        stack = self.found({"pyproject.toml": toml}, PYTEST)
        installs = (".venv/bin/pip install -e .", ".venv/bin/pip install pytest")
        self.assertEqual(stack.setup, (VENV, *installs))
        self.assertEqual(stack.verify, (".venv/bin/python -m pytest",))
        self.assertIn("ruff is configured but not installed", stack.notes[0])

    def test_extras_of_a_setup_py_are_known(self) -> None:
        code = "setup(extras_require={'docs': ['x'], \"dev\": ['pytest']})\n"
        stack = self.found({"setup.py": code}, PYTEST)
        self.assertEqual(stack.setup, (VENV, ".venv/bin/pip install -e '.[dev]'"))

    def test_a_group_with_a_tool_of_the_checks_is_installed_as_well(self) -> None:
        toml = (
            f'{PROJECT}[tool.mypy]\nfiles = ["src"]\n[dependency-groups]\ndev = [\n  "ruff",\n]\n'
            'docs = ["sphinx"]\ntests = ["coverage[toml]", "pytest"] # both\n'
            'typing = [\n  "mypy",\n  "pytest",\n]\n'
        )
        stack = self.found({"pyproject.toml": toml, "uv.lock": ""}, PYTEST)
        self.assertEqual(stack.setup, ("uv sync --locked --group tests --group typing",))
        self.assertEqual(stack.verify, ("uv run mypy", "uv run pytest"))

    def test_ruff_and_mypy_are_checks_if_they_are_set_up_and_installed(self) -> None:
        files = {"ruff.toml": "", "mypy.ini": "[mypy]\nfiles = shop\n"}
        stack = self.found({**files, "requirements.txt": "ruff==0.8\nmypy\n"})
        self.assertEqual(stack.verify, (".venv/bin/ruff check", ".venv/bin/mypy"))
        absent = self.found({**files, "requirements.txt": "flask\n"})
        self.assertEqual(absent.verify, ())
        self.assertIn("ruff is configured but not installed", absent.notes[0])
        vague = self.found({"mypy.ini": "[mypy]\n", "requirements.txt": "mypy\n"})
        self.assertEqual(vague.notes, ("the settings of mypy name no files, so it is no check",))

    def test_django_tests_itself(self) -> None:
        stack = self.found({"manage.py": "", "requirements.txt": "django\n", "shop/tests.py": ""})
        self.assertEqual(stack.verify, (".venv/bin/python manage.py test",))

    def test_unittest_finds_its_tests_where_they_are(self) -> None:
        toml = {"pyproject.toml": PROJECT}
        for files, where in (
            (["tests/test_a.py", "tests/__init__.py"], " discover -s tests -t ."),
            (["tests/test_a.py"], " discover -s tests"),
            (["test_a.py", "tests/test_b.py"], " discover"),
            (["a/test_a.py", "b/test_b.py"], " discover"),
            (["a/tests/test_a.py", "a/x.py"], " discover -s a/tests"),
            (["a/tests/test_a.py", "a/tests/__init__.py"], " discover -s a"),
            (["a/one/test_a.py", "a/two/test_b.py"], " discover -s a"),
        ):
            stack = self.found(toml, dict.fromkeys(files, ""))
            self.assertEqual(stack.verify, (f"python3 -m unittest{where}",), files)

    def test_tests_of_folders_with_a_manifest_are_theirs_where_the_root_has_none(self) -> None:
        files = {"api/pyproject.toml": PROJECT, "api/tests/test_a.py": "", "api/a.py": ""}
        self.assertIsNone(python.detect(tree(files)))
        files = {"tests/requirements.txt": "", "tests/test_a.py": ""}
        self.assertEqual(self.found(files).verify, ("python3 -m unittest discover -s tests",))
        files = {"requirements.txt": "x\n", "api/setup.py": "", "api/test_a.py": ""}
        self.assertIn("discover -s api", self.found(files).verify[0])

    def test_without_tests_there_is_no_check(self) -> None:
        stack = self.found({"pyproject.toml": PROJECT})
        self.assertEqual((stack.verify, stack.programs), ((), ()))


if __name__ == "__main__":
    unittest.main()
