"""Node: package managers by lockfile, checks by script."""

from __future__ import annotations

import unittest

from core.start.stacks import node
from core.start.stacks.stack import Stack, moved
from tests.support.trees import NODE, package_json, tree

LOCKED = (
    ("package-lock.json", "Node with npm", "npm ci", "npm test"),
    ("npm-shrinkwrap.json", "Node with npm", "npm ci", "npm test"),
    ("pnpm-lock.yaml", "Node with pnpm", "pnpm install --frozen-lockfile", "pnpm test"),
    ("yarn.lock", "Node with yarn", "yarn install --frozen-lockfile", "yarn test"),
    ("bun.lockb", "Node with bun", "bun install --frozen-lockfile", "bun run test"),
)


class NodeTest(unittest.TestCase):
    def found(self, more: dict[str, str] | None = None, **manifest: object) -> Stack:
        stack = node.detect(tree({"package.json": package_json(**manifest), **(more or {})}))
        assert stack is not None
        return stack

    def checks(self, **scripts: str) -> tuple[str, ...]:
        return self.found(scripts=scripts).verify

    def test_a_folder_without_a_package_json_is_not_node(self) -> None:
        self.assertIsNone(node.detect(tree({"index.js": ""})))

    def test_a_sample_tree(self) -> None:
        stack = node.detect(tree(NODE))
        assert stack is not None
        self.assertEqual((stack.setup, stack.setup_cache), (("npm ci",), ("node_modules",)))
        self.assertEqual(stack.verify, ("npm run lint", "npm test"))
        self.assertEqual(stack.files, ("package.json", "package-lock.json"))
        self.assertEqual(stack.programs, ("node", "npm"))
        self.assertEqual(stack.ignored, ("node_modules/",))
        self.assertEqual(stack.port_variable, "PORT")

    def test_the_lockfile_says_which_manager_installs(self) -> None:
        for lock, name, install, test in LOCKED:
            with self.subTest(lock):
                stack = self.found({lock: ""}, scripts={"test": "node --test"})
                self.assertEqual(
                    (stack.name, stack.setup, stack.verify), (name, (install,), (test,))
                )
                self.assertEqual(stack.notes, ())

    def test_what_an_installation_makes_can_be_copied_if_it_is_all_there_is(self) -> None:
        lock = {"package-lock.json": ""}
        member = {"packages/a/package.json": "{}"}
        workspace = self.found({**lock, **member}, workspaces=["packages/*"])
        self.assertEqual(workspace.setup_cache, ("**/node_modules",))
        hooks = self.found(lock, scripts={"prepare": "husky"})
        self.assertEqual(hooks.setup_cache, ("node_modules", ".husky/_"))
        self.assertEqual(moved(hooks, "web").setup_cache, ("web/node_modules", "web/.husky/_"))
        self.assertEqual(self.found({"yarn.lock": ""}).setup_cache, ("node_modules",))
        for files in ({"pnpm-lock.yaml": ""}, {"yarn.lock": "", ".yarnrc.yml": ""}, {}):
            self.assertEqual(self.found(files).setup_cache, ())

    def test_yarn_has_other_options_since_its_second_version(self) -> None:
        for more, named in (
            ({".yarnrc.yml": ""}, None),
            ({"yarn.lock": "__metadata:\n  version: 8\n"}, None),
            ({}, "yarn@4.1.0"),
        ):
            files = {"yarn.lock": "", **more}
            self.assertEqual(
                self.found(files, packageManager=named).setup, ("yarn install --immutable",)
            )
        old = self.found({"yarn.lock": ""}, packageManager="yarn@1.22.0")
        self.assertEqual(old.setup, ("yarn install --frozen-lockfile",))

    def test_of_several_lockfiles_package_manager_chooses_and_the_others_are_named(self) -> None:
        stack = self.found({"yarn.lock": "", "package-lock.json": ""}, packageManager="npm@10.0.0")
        self.assertEqual(stack.setup, ("npm ci",))
        self.assertEqual(
            stack.notes, ("there are several lockfiles; package-lock.json is used, not yarn.lock",)
        )

    def test_without_a_lockfile_packages_are_installed_without_writing_one(self) -> None:
        stack = self.found(dependencies={"left-pad": "1"})
        self.assertEqual(stack.setup, ("npm install --no-package-lock",))
        self.assertIn("no lockfile is committed", stack.notes[0])

    def test_without_packages_nothing_is_installed(self) -> None:
        stack = self.found(scripts={"test": "node --test"})
        self.assertEqual((stack.setup, stack.ignored), ((), ()))
        self.assertEqual(self.found().programs, ())

    def test_checks_come_from_the_scripts_cheap_ones_first(self) -> None:
        found = self.checks(build="x", test="x", lint="x", tsc="x", start="x", deploy="x")
        self.assertEqual(found, ("npm run tsc", "npm run lint", "npm test", "npm run build"))

    def test_the_default_of_npm_is_no_check(self) -> None:
        default = 'echo "Error: no test specified" && exit 1'
        self.assertEqual(self.checks(test=default, build=" "), ())

    def test_a_script_that_rewrites_files_is_no_check_but_another_script_may_be(self) -> None:
        stack = self.found(scripts={"lint": "eslint --fix ."})
        self.assertEqual(stack.verify, ())
        self.assertEqual(stack.notes, ("the script 'lint' rewrites files, so it is no check",))
        both = self.checks(**{"lint": "eslint --fix .", "lint:check": "eslint ."})
        self.assertEqual(both, ("npm run lint:check",))

    def test_a_script_that_watches_is_no_check_unless_ci_ends_it(self) -> None:
        self.assertEqual(self.checks(test="react-scripts test"), ("CI=true npm test",))
        stack = self.found(scripts={"test": "jest --watch"})
        self.assertEqual(stack.verify, ())
        self.assertIn("does not end by itself", stack.notes[0])
        self.assertEqual(self.checks(test="jest --watchAll=false"), ("npm test",))

    def test_a_script_that_publishes_or_deploys_is_none(self) -> None:
        for scripts in (
            {"test": "jest && npm publish"},
            {"build": "vite build && firebase deploy --only hosting"},
            {"build": "vite build", "postbuild": "npm run deploy:all"},
            {"lint": "eslint .", "prelint": "git push --force"},
        ):
            with self.subTest(scripts):
                stack = self.found(scripts=scripts)
                self.assertEqual(stack.verify, ())
                self.assertIn("publishes or deploys, so it is no check", stack.notes[0])
        self.assertEqual(self.checks(test="node --test tests/deploy.test.js"), ("npm test",))

    def test_the_root_of_a_workspace_tests_its_packages(self) -> None:
        tested = package_json(scripts={"test": "node --test"})
        default = package_json(scripts={"test": "echo no test specified"})
        more = {"packages/a/package.json": default, "packages/b/package.json": tested}
        stack = self.found({**more, "package-lock.json": ""}, workspaces=["packages/*"])
        self.assertEqual(stack.verify, ("npm run test --workspaces --if-present",))
        pnpm = self.found({**more, "pnpm-workspace.yaml": "", "pnpm-lock.yaml": ""})
        self.assertEqual(pnpm.verify, ("pnpm -r --if-present run test",))
        del more["packages/b/package.json"]
        self.assertEqual(self.found(more, workspaces=["packages/*"]).verify, ())
        own = self.found(more, workspaces=["packages/*"], scripts={"test": "x"})
        self.assertEqual(own.verify, ("npm test",))

    def test_the_packages_of_a_workspace_are_known(self) -> None:
        files = {
            "package.json": package_json(workspaces=["packages/*"]),
            "packages/a/package.json": "{}",
            "packages/a/node_modules/x/package.json": "{}",
        }
        self.assertEqual(list(node.members_of(tree(files))), ["packages/a"])

    def test_a_manifest_that_is_no_json_has_no_scripts(self) -> None:
        stack = node.detect(tree({"package.json": "{"}))
        assert stack is not None
        self.assertEqual((stack.setup, stack.verify), ((), ()))


if __name__ == "__main__":
    unittest.main()
