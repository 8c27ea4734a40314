"""Merges without a working tree honour attributes as `git merge` does in a checkout."""

from __future__ import annotations

import os
import unittest
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.git import checkouts
from core.git.door import Git, Unknown
from core.git.opening import open_repository
from core.git.output import config_text
from core.process.spawner import Spawner, run_sync
from core.worktree import dependencies
from core.worktree.manager import WorktreeManager
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Content, Repository

setUpModule = skip_if_run_elsewhere

Files = Mapping[str, Content]

BASE: Files = {"text": "a\nb\nc\n", "sub/lock": "1\n2\n3\n4\n5\n6\n7\n8\n"}
OURS: Files = {"text": "a\nours\nc\n", "sub/lock": "one\n2\n3\n4\n5\n6\n7\n8\n"}
THEIRS: Files = {"text": "a\ntheirs\nc\n", "sub/lock": "1\n2\n3\n4\n5\n6\n7\neight\n"}
"""A conflict in ``text``; in ``sub/lock`` none, unless it may not be merged by text."""

UNION: Files = {".gitattributes": "text merge=union\n"}
NO_TEXT: Files = {"sub/.gitattributes": "lock -merge\n"}
MINE: Files = {".gitattributes": "text merge=mine\n"}
FORMATTED: Files = {".gitattributes": "text filter=up\n"}

LOWER, UPPER = "tr A-Z a-z", "tr a-z A-Z"


@dataclass(frozen=True)
class Case:
    """Both sides of a merge, what they come from, and the settings that it meets."""

    base: Files = field(default_factory=dict)
    ours: Files = field(default_factory=dict)
    theirs: Files = field(default_factory=dict)
    info: str = ""
    """``.git/info/attributes``."""
    user: str = ""
    """The user's own ``core.attributesFile``."""
    config: Mapping[str, str] = field(default_factory=dict)
    is_unknown: bool = False
    """Whether a program decides, so that a look can't tell."""
    merges: bool | None = True
    """``None`` where that differs among versions of git."""


DRIVER = {"merge.mine.driver": "cat %A %B > %A.new && mv %A.new %A"}
REFUSING = {"merge.mine.driver": "false"}

CASES: Mapping[str, Case] = {
    "no attributes": Case(merges=False),
    "union": Case(UNION),
    "union, only on our side": Case(ours=UNION),
    "union, only on their side": Case(theirs=UNION, merges=False),
    "union, removed on our side": Case(UNION, ours={".gitattributes": None}, merges=False),
    "union, removed on their side": Case(UNION, theirs={".gitattributes": None}),
    "union by a macro": Case({".gitattributes": "[attr]both merge=union\ntext both\n"}),
    "union by a file that ends its lines with CR": Case({".gitattributes": "text merge=union\r\n"}),
    "union in .git/info/attributes": Case(info="text merge=union\n"),
    "info/attributes over the tree's": Case(UNION, info="text merge=text\n", merges=False),
    "union in the user's own file": Case(user="text merge=union\n"),
    "the tree's over the user's own file": Case(
        {".gitattributes": "text merge=text\n"}, user="text merge=union\n", merges=False
    ),
    "a lock file that is not merged by text": Case({**UNION, **NO_TEXT}, merges=False),
    "a lock file, only on our side": Case(UNION, ours=NO_TEXT, merges=False),
    "a lock file, only on their side": Case(UNION, theirs=NO_TEXT),
    "a lock file, removed on our side": Case(
        {**UNION, **NO_TEXT}, ours={"sub/.gitattributes": None}
    ),
    "a lock file that is binary": Case(
        {".gitattributes": "text merge=union\nlock binary\n"}, merges=False
    ),
    "a driver of the user's": Case(MINE, config=DRIVER, is_unknown=True),
    "a driver that refuses": Case(MINE, config=REFUSING, is_unknown=True, merges=False),
    "a driver that nothing asks for": Case(UNION, config=DRIVER),
    "a driver that nobody defined": Case(MINE, merges=False),
    "a driver by info/attributes": Case(info="text merge=mine\n", config=DRIVER, is_unknown=True),
    "a driver for everything": Case(config={**DRIVER, "merge.default": "mine"}, is_unknown=True),
    "a driver with an odd name": Case(
        {".gitattributes": "text merge=a.b=c\n"},
        config={"merge.a.b=c.driver": DRIVER["merge.mine.driver"]},
        is_unknown=True,
    ),
    "a driver, only on their side": Case(theirs=MINE, config=DRIVER, merges=False),
    "ends of lines": Case(
        {"text": "a\r\nb\r\nc\r\n"},
        ours={"text": "a\nb\nc\nours\n", ".gitattributes": "text text\n"},
        theirs={"text": "theirs\r\na\r\nb\r\nc\r\n"},
        config={"merge.renormalize": "true"},
    ),
    "ends of lines, without merge.renormalize": Case(
        {"text": "a\r\nb\r\nc\r\n"},
        ours={"text": "a\nb\nc\nours\n", ".gitattributes": "text text\n"},
        theirs={"text": "theirs\r\na\r\nb\r\nc\r\n"},
        merges=False,
    ),
    "a filter": Case(
        {**FORMATTED, "text": "a\nb\nc\n"},
        ours={"text": "A\nB\nC\nD\n"},
        theirs={"text": "z\na\nb\nc\n"},
        config={"merge.renormalize": "true", "filter.up.clean": UPPER, "filter.up.smudge": LOWER},
        is_unknown=True,
    ),
    "renamed on one side": Case(
        {**UNION, "new/.gitattributes": "moved merge=union\n"},
        ours={"sub/lock": None, "new/moved": OURS["sub/lock"]},
    ),
    "renames are off": Case(
        UNION,
        ours={"sub/lock": None, "new/moved": OURS["sub/lock"]},
        config={"merge.renames": "false"},
        merges=None,
    ),
}


class AsGitMergesInACheckout(unittest.TestCase):
    def test_each_case_of_the_table(self) -> None:
        with Repository() as repository:
            git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
            checkout = os.path.join(repository.root, "checkout")
            repository.git("worktree", "add", "--quiet", "--detach", checkout)
            commits = written(repository, CASES.values())
            settings = read(repository)
            for (name, case), (ours, theirs) in zip(CASES.items(), commits):
                with self.subTest(name):
                    write_settings(repository, settings, case)
                    expected = merged_in(repository, checkout, ours, theirs)
                    self.assertIn(case.merges, (bool(expected[0]), None))
                    fresh = Git(git.spawner, git.repository, repository.environ)
                    self.check(case, manager_of(repository, fresh), (ours, theirs), expected)
            self.assertEqual(len(run_sync(checkouts.worktrees(git))), 2)

    def check(
        self,
        case: Case,
        manager: WorktreeManager,
        sides: tuple[str, str],
        expected: tuple[str, list[str]],
    ) -> None:
        looking = manager.using(manager.git.read_only())
        if case.is_unknown:
            with self.assertRaises(Unknown):
                run_sync(dependencies.merge(looking, *sides))
        else:
            self.assertEqual(run_sync(dependencies.merge(looking, *sides)), expected)
        self.assertEqual(run_sync(dependencies.merge(manager, *sides)), expected)

    def test_submodules_of_which_one_side_contains_the_other(self) -> None:
        with Repository() as repository, Repository("lib") as lib:
            steps = [lib.commit({"lib.txt": text}, text) for text in "123"]
            allowed = ("-c", "protocol.file.allow=always")
            repository.git(*allowed, "submodule", "--quiet", "add", lib.path, "sub/lib")

            def at(step: str) -> str:
                repository.git("checkout", "--quiet", step, at=f"{repository.path}/sub/lib")
                return repository.commit(UNION)

            base = at(steps[0])
            theirs = at(steps[2])
            repository.git("reset", "--quiet", "--hard", base)
            ours = at(steps[1])
            git = run_sync(open_repository(Spawner(), repository.path, repository.environ))
            merged, files = run_sync(dependencies.merge(manager_of(repository, git), ours, theirs))
            self.assertEqual(files, [])
            repository.git("merge", "--quiet", "-m", "merge", theirs)
            self.assertEqual(merged, repository.git("rev-parse", "HEAD^{tree}"))
            self.assertIn(steps[2], repository.git("ls-tree", merged, "sub/lib"))


def manager_of(repository: Repository, git: Git) -> WorktreeManager:
    return WorktreeManager(git, os.path.join(repository.root, "worktrees"), "feature/")


def written(repository: Repository, cases: Iterable[Case]) -> list[tuple[str, str]]:
    """Both sides of each case, as commits; format: git-fast-import(1)."""
    stream = b""
    for number, case in enumerate(cases):
        base = 3 * number + 1
        stream += as_commit(base, {**BASE, **case.base})
        stream += as_commit(base + 1, {**OURS, **case.ours}, base)
        stream += as_commit(base + 2, {**THEIRS, **case.theirs}, base)
    marks = os.path.join(repository.root, "marks")
    repository.git("fast-import", "--quiet", f"--export-marks={marks}", stdin=stream)
    with open(marks, encoding="ascii") as file:
        marks_of = (line[1:].split() for line in file)
        commits = [commit for _, commit in sorted(marks_of, key=lambda pair: int(pair[0]))]
    return list(zip(commits[1::3], commits[2::3]))


def as_commit(mark: int, files: Files, parent: int = 0) -> bytes:
    lines = f"commit refs/heads/case{mark}\nmark :{mark}\ncommitter T <t@t> 0 +0000\ndata 0\n"
    lines += f"from :{parent}\n" if parent else ""
    for path, content in files.items():
        if content is None:
            lines += f"D {path}\n"
        else:
            assert isinstance(content, str)
            lines += f"M 100644 inline {path}\ndata {len(content)}\n{content}\n"
    return lines.encode()


def read(repository: Repository) -> str:
    with open(os.path.join(repository.path, ".git", "config"), encoding="utf-8") as file:
        return file.read()


def write_settings(repository: Repository, plain: str, case: Case) -> None:
    own = os.path.join(repository.home, "attributes")
    settings = {"core.attributesFile": own, **case.config}
    repository.write(
        {
            ".git/config": plain + config_text(settings.items()),
            ".git/info/attributes": case.info,
            own: case.user,
        }
    )


def merged_in(
    repository: Repository, checkout: str, ours: str, theirs: str
) -> tuple[str, list[str]]:
    """The tree that plain git makes of it in a checkout, or the files in conflict."""
    repository.git("checkout", "--quiet", "--force", "--detach", ours, at=checkout)
    try:
        repository.git("merge", "--quiet", "-m", "merge", theirs, at=checkout)
    except AssertionError:
        names = repository.git("diff", "--name-only", "--diff-filter=U", at=checkout)
        repository.git("reset", "--quiet", "--hard", at=checkout)
        return "", sorted(names.split("\n"))
    return repository.git("rev-parse", "HEAD^{tree}", at=checkout), []


if __name__ == "__main__":
    unittest.main()
