"""Editable installs, workspace links and other paths into the user's own files."""

from __future__ import annotations

import json
import os
import unittest

from core.worktree import escaping_paths
from core.worktree.copy_link import matching
from core.worktree.escaping_paths import Checkout
from tests.support.repository import Content, Repository
from tests.support.workspace import Workspace, feature

SITE = ".venv/lib/python3.12/site-packages"

AUTOLOAD = """<?php
$vendorDir = dirname(__DIR__);
$baseDir = dirname($vendorDir);
return array('App\\\\' => array($baseDir . '/src'));
"""


class WaysBackTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository("shop")
        self.addCleanup(self.repository.close)
        self.top = self.repository.path
        self.worktree = os.path.join(self.repository.root, "worktrees", "a")
        self.write({"src/shop.py": "", "packages/ui/index.js": ""})

    def write(self, files: dict[str, Content]) -> None:
        self.repository.write(files)

    def link(self, name: str, target: str) -> None:
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def assert_leads(
        self, copied: list[str], linked: list[str], *expected: tuple[str, str]
    ) -> None:
        found = escaping_paths.find_escaping_paths(self.top, self.worktree, copied, linked)
        self.assertEqual([(way.source, way.target) for way in found], list(expected))

    def test_editable_installs_of_every_kind_are_found_copied_and_linked(self) -> None:
        top = self.top
        finder = f"MAPPING: dict[str, str] = {{'shop': '{top}/src/shop'}}\n"
        editable = f'{{"url": "file://{top}/", "dir_info": {{"editable": true}}}}'
        cases: dict[str, tuple[dict[str, Content], tuple[str, str]]] = {
            "a path": (
                {f"{SITE}/__editable__.shop-1.pth": f"# made by pip\n{top}/src\n"},
                (f"{SITE}/__editable__.shop-1.pth", "src"),
            ),
            "a finder": (
                {
                    f"{SITE}/__editable__.shop-1.pth": "import __editable___shop; install()\n",
                    f"{SITE}/__editable___shop.py": finder,
                },
                (f"{SITE}/__editable__.shop-1.pth", "src/shop"),
            ),
            "an egg-link": ({f"{SITE}/shop.egg-link": f"{top}\n."}, (f"{SITE}/shop.egg-link", ".")),
            "a loader that works it out": (
                {
                    f"{SITE}/shop.pth": "import loader\n",
                    f"{SITE}/shop-1.dist-info/direct_url.json": editable,
                    f"{SITE}/shop-1.dist-info/RECORD": "",
                },
                (f"{SITE}/shop-1.dist-info/direct_url.json", "."),
            ),
        }
        for kind, (files, way) in cases.items():
            with self.subTest(kind):
                self.write(files)
                self.assert_leads([".venv"], [], way)
                self.assert_leads([], [".venv"], way)
                self.write(dict.fromkeys(files))
        self.link(f"{SITE}/shop", f"{top}/src")
        self.assert_leads([".venv"], [], (f"{SITE}/shop", "src"))

    def test_links_within_the_worktree_or_to_elsewhere_are_allowed(self) -> None:
        top = self.top
        plain = f'{{"url": "file://{top}/", "dir_info": {{}}}}'
        self.write(
            {
                ".venv/pyvenv.cfg": "home = /usr/bin\n",
                ".venv/bin/pytest": f"#!{top}/.venv/bin/python\n",
                f"{SITE}/relative.pth": "../../../../src\nimport site\n",
                f"{SITE}/own.pth": f"{top}/.venv/src/tool\n",
                f"{SITE}/other.pth": "/usr/lib/python3\n",
                f"{SITE}/shop-1.dist-info/direct_url.json": plain,
                f"{SITE}/pytest/__init__.py": "",
            }
        )
        os.mkfifo(os.path.join(top, SITE, "odd.pth"))
        os.mkdir(os.path.join(top, SITE, "folder.pth"))
        self.link(".venv/lib64", "lib")
        self.link(".venv/bin/python", "/bin/sh")
        self.assert_leads([".venv"], [])
        self.assert_leads([], [".venv"])

    def test_workspace_links_lead_back_where_the_folder_is_linked(self) -> None:
        self.link("node_modules/ui", "../packages/ui")
        self.link("node_modules/@shop/ui", "../../packages/ui")
        self.write({"node_modules/react/index.js": ""})
        self.link("node_modules/react/inside", f"{self.top}/src")  # no place for a workspace
        self.link("node_modules/.bin/react", "../react/index.js")
        self.assert_leads(
            [],
            ["node_modules"],
            ("node_modules/ui", "packages/ui"),
            ("node_modules/@shop/ui", "packages/ui"),
        )
        self.assert_leads(["node_modules"], [])
        self.link("node_modules/far", f"{self.top}/packages/ui")
        self.assert_leads(["node_modules"], [], ("node_modules/far", "packages/ui"))

    def test_a_link_among_the_files_themselves_leads_back(self) -> None:
        self.link("shared", "src")
        self.write({"data/file": ""})
        self.link("data/deep/er", "../../src")
        self.assert_leads([], ["shared"], ("shared", "src"))
        self.assert_leads([], ["data"], ("data/deep/er", "src"))
        self.assert_leads(["data/file"], ["data/file"])

    def test_a_linked_vendor_of_composer_loads_the_projects_own_classes(self) -> None:
        self.write({"vendor/composer/autoload_psr4.php": AUTOLOAD})
        self.assert_leads([], ["vendor"], ("vendor/composer/autoload_psr4.php", "."))
        self.assert_leads(["vendor"], [])
        own = AUTOLOAD.replace("$baseDir . '/src'", "$vendorDir . '/lib'")
        self.write({"vendor/composer/autoload_psr4.php": own})
        self.assert_leads([], ["vendor"])

    def test_a_build_folder_of_cmake_compiles_the_users_sources(self) -> None:
        home = f"CMAKE_HOME_DIRECTORY:INTERNAL={self.top}\n"
        self.write({"build/CMakeCache.txt": f"# a cache\nCMAKE_AR:FILEPATH=/usr/bin/ar\n{home}"})
        self.assert_leads(["build"], [], ("build/CMakeCache.txt", "."))

    def test_the_active_virtualenv_and_search_paths_are_looked_at(self) -> None:
        self.write({f"{SITE}/shop.pth": f"{self.top}/src\n", ".venv/lib/other": ""})
        environ = {"VIRTUAL_ENV": f"{self.top}/.venv", "PYTHONPATH": f"lib:{self.top}/src:/usr"}
        checkout = Checkout(self.top, self.worktree, ())
        found = [str(way) for way in checkout.of_environment(environ)]
        self.assertEqual(found, ["PYTHONPATH leads to src", f"{SITE}/shop.pth leads to src"])
        self.assertEqual(list(checkout.of_environment({"VIRTUAL_ENV": "/nowhere"})), [])

    def test_only_so_many_entries_are_looked_at(self) -> None:
        self.write({f"many/{number}/file": "" for number in range(20)})
        checkout = Checkout(self.top, self.worktree, ())
        checkout._left = 25
        self.assertEqual(list(checkout.of_linked("many")), [])
        self.assertEqual(checkout._left, 0)

    def test_two_stars_do_not_lead_into_what_they_found(self) -> None:
        names = ("node_modules", "packages/ui/node_modules", "packages/ui/.x/node_modules")
        for name in names:
            self.write({f"{name}/a/node_modules/b": ""})
        self.link("packages/around", "..")
        self.assertEqual(matching(self.top, ["**/node_modules"]), list(names[:2]))
        self.assertEqual(matching(self.top, ["packages/**/node_modules"]), [names[1]])
        self.assertEqual(matching(self.top, ["**/ui/node_modules"]), [names[1]])
        self.assertEqual(matching(self.top, ["src/**"]), ["src"])


class Refused(unittest.TestCase):
    """By every command that starts from the list, before anything is started."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("a")], project={"link": [".venv"]})
        cls.addClassCleanup(cls.space.close)
        cls.space.commit({".gitignore": ".venv\nvendor\n", "src/shop.py": ""})

    def install(self, *targets: str) -> None:
        for number, target in enumerate(targets):
            line = f"{os.path.join(self.space.path, target)}\n"
            self.space.write({f"{SITE}/{number}.pth": line, f"{target}/x.py": ""})

    def test_plan_and_run_name_it_with_the_remedy(self) -> None:
        self.install("src")
        for words in (("plan",), ("run", "--yes")):
            with self.subTest(words):
                said = self.space.main(*words)
                self.assertEqual(said.code, 2, said)
                self.assertIn("lead back into your checkout", said.err)
                self.assertIn(f"{SITE}/0.pth leads to src", said.err)
                self.assertIn("project.setup", said.err)
        said = self.space.command("run", "--rehearse", "--yes")
        self.assertEqual(said.code, 1, said)
        self.assertIn(f"files: {SITE}/0.pth leads to src, in your checkout", said.out)

    def test_a_link_to_ignored_files_is_allowed_without_a_warning(self) -> None:
        self.install("vendor/tool")
        said = self.space.main("plan")
        self.assertEqual((said.code, "Warning" in said.out), (0, False), said)

    def test_a_long_list_is_cut(self) -> None:
        self.install(*(f"packages/p{number}" for number in range(12)))
        self.assertIn("and 2 more", self.space.main("plan").err)

    def test_an_active_virtualenv_of_that_kind_is_warned_of(self) -> None:
        self.install("src")
        known = self.space.document["project"]
        self.space.change(copy=[], link=[])
        try:
            active = {"VIRTUAL_ENV": os.path.join(self.space.path, ".venv")}
            self.assertIn(f"Warning: {SITE}/0.pth", self.space.main("plan", env=active).out)
            self.assertNotIn(f"Warning: {SITE}", self.space.main("plan").out)
        finally:
            self.space.document["project"] = known
            self.space.change()

    def tearDown(self) -> None:
        folder = os.path.join(self.space.path, SITE)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))


class Patterns(unittest.TestCase):
    """What a list names to be copied or linked, as ``plan`` and ``run`` see it before a start."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("a")])
        cls.addClassCleanup(cls.space.close)
        cls.space.commit(
            {".gitignore": "*.key\n.env\ncache/\n!new.txt\n", "conf/app.yml": "", "src/x": ""}
        )
        keys = {f"conf/{number}.key": "" for number in range(7)}
        cls.space.write({**keys, ".env": "", ".hidden/z.key": "", "cache/c": "", "new.txt": ""})

    def test_each_shows_what_it_catches(self) -> None:
        self.space.change(copy=[".env", "conf/*.key", "conf"], link=["conf/1.key"])
        said = self.space.main("plan")
        self.assertEqual(said.code, 0, said)
        names = ", ".join(f"conf/{number}.key" for number in range(5))
        self.assertIn(f"Copied: .env, conf/*.key ({names} and 2 more), conf\n", said.out)
        self.assertIn("Linked: conf/1.key\n", said.out)
        caught = json.loads(self.space.main("plan", "--json").out)["caught"]
        self.assertEqual(caught["conf/*.key"], [f"conf/{number}.key" for number in range(7)])

    def test_plan_and_run_refuse_files_that_a_run_could_not_copy(self) -> None:
        self.space.change(
            copy=["nope", "**/z.key", "new.txt", "cache", ".env"],
            link=["cache", "cache/c", "new.txt"],
        )
        top = self.space.path
        for words in (("plan",), ("run", "--yes")):
            with self.subTest(words):
                said = self.space.main(*words)
                self.assertEqual(said.code, 2, said)
                hidden = "(* and ** do not match names that begin with a dot)"
                faults = [
                    f"project.copy[0]: nope matches nothing in {top}",
                    f"project.copy[1]: **/z.key matches nothing in {top} {hidden}",
                    "project.copy[2]: git does not ignore new.txt",
                    "project.link[0]: git does not ignore cache",
                    "project.link[2]: git does not ignore new.txt",
                ]
                found = [line.strip() for line in said.err.splitlines()]
                self.assertEqual([line for line in found if line.startswith("project.")], faults)
        self.assertEqual(self.space.state().features, {})

    def test_a_list_in_a_package_says_that_everything_works_in_the_root(self) -> None:
        self.space.change(copy=[], link=[])
        text = json.dumps(self.space.document)
        for folder, is_said in (("pkg/ui", True), ("orchestrator", False)):
            path = f"{folder}/config/feature_list.json"
            self.space.write({path: text})
            said = self.space.main("plan", "--config", path)
            self.assertEqual(
                f"the list is in {folder}, but Claude, setup and checks start" in said.out, is_said
            )

    def test_a_bare_repository_has_nothing_to_bring(self) -> None:
        bare = os.path.join(self.space.root, "bare.git")
        self.space.git("clone", "--quiet", "--bare", self.space.path, bare)
        self.space.change(copy=[".env"], link=[], repo_path=bare)
        said = self.space.main("plan")
        del self.space.document["project"]["repo_path"]
        self.assertIn("a bare repository has no files to copy", said.err)


if __name__ == "__main__":
    unittest.main()
