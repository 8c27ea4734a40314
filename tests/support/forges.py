"""A forge for tests: stand-ins for ``gh`` and ``glab``, and a bare repository as the remote."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tests.support.commands import read_text
from tests.support.paths import ROOT
from tests.support.repository import Content, Repository

STAND_IN = "tests.support.forge_stand_in"

HOSTS = {"gh": "github.com", "glab": "gitlab.com"}


class TestForge:
    """Repository and forge of a project ``acme/shop``; the programs are first on PATH."""

    __test__ = False

    def __init__(
        self, repository: Repository, program: str = "gh", *, host: str = "", remote: str = "origin"
    ) -> None:
        self.repository = repository
        self.program = program
        self.path = "acme/shop"
        self.remote = remote
        self.url = f"https://{host or HOSTS[program]}/{self.path}.git"
        self.git_folder = os.path.join(repository.root, f"{remote}.git")
        self.state_file = os.path.join(repository.root, f"{remote}.json")
        repository.git("init", "--quiet", "--bare", "--template=", self.git_folder)
        repository.git("remote", "add", remote, self.url)
        repository.git("config", f"url.{self.git_folder}.insteadOf", self.url)
        repository.git("push", "--quiet", remote, "main")
        logins = {"gh": [], "glab": [], program: [host or HOSTS[program]]}
        project = {"git": self.git_folder, "pulls": []}
        self._write({"logins": logins, "repositories": {self.path: project}, "calls": []})
        bin = os.path.join(repository.root, "bin")
        put_on_path(bin, program)
        repository.environ["PATH"] = f"{bin}{os.pathsep}{os.environ['PATH']}"
        repository.environ["FORGE_STATE"] = self.state_file

    def also(self, program: str) -> None:
        """Put the other stand-in on PATH, too."""
        put_on_path(os.path.join(self.repository.root, "bin"), program)

    def _write(self, state: Any) -> None:
        with open(self.state_file, "w", encoding="utf-8") as file:
            json.dump(state, file)

    @property
    def state(self) -> Any:
        """What the stand-ins know now."""
        return json.loads(read_text(self.state_file))

    def set(self, **values: object) -> None:
        """Change the state: ``logins``, ``refuse``."""
        self._write({**self.state, **values})

    @property
    def pulls(self) -> dict[str, Any]:
        """The newest pull request of each branch."""
        return {pull["head"]: pull for pull in self.state["repositories"][self.path]["pulls"]}

    def change(self, branch: str, **values: object) -> None:
        """Change the pull request of a branch, as a person on the forge does."""
        state = self.state
        for pull in state["repositories"][self.path]["pulls"]:
            if pull["head"] == branch:
                pull.update(values)
        self._write(state)

    def add(self, branch: str, **values: object) -> None:
        """A pull request that somebody else opened."""
        state = self.state
        project = state["repositories"][self.path]
        number = project["next"] = project.get("next", 11) + 1
        url = f"https://github.com/{self.path}/pull/{number - 1}"
        plain = {"number": number - 1, "url": url, "head": branch, "base": "main"}
        rest = {"state": "open", "title": branch, "body": "", "draft": False}
        project["pulls"].append({**plain, **rest, **values})
        self._write(state)

    def know(self, **values: object) -> None:
        """Change what the forge knows of the project: ``people``, ``logs``, ``jobs``."""
        state = self.state
        state["repositories"][self.path].update(values)
        self._write(state)

    def calls(self) -> list[list[str]]:
        """The command lines so far."""
        found: list[list[str]] = self.state["calls"]
        return found

    # -- the repository of the remote ----------------------------------------------------------

    def git(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """git in the bare repository."""
        return self.repository.git(*words, at=self.git_folder, env=env)

    def branches(self) -> dict[str, str]:
        """The branches of the remote with their commits."""
        listed = self.git(
            "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"
        )
        pairs = (line.split() for line in listed.splitlines())
        return {pair[0]: pair[1] for pair in pairs}

    def merge(self, branch: str, *, squash: bool = False) -> str:
        """Merge a branch's pull request into its base, as the button of the forge does."""
        base = self.pulls[branch]["base"]
        tree = self.git("merge-tree", "--write-tree", base, branch)
        parents = ["-p", base] if squash else ["-p", base, "-p", branch]
        message = f"{branch} (#{self.pulls[branch]['number']})"
        commit = self.git("commit-tree", *parents, "-m", message, tree)
        self.git("update-ref", f"refs/heads/{base}", commit)
        self.change(branch, state="merged", sha=self.branches()[branch])
        return commit

    def commit(self, branch: str, files: Mapping[str, Content], message: str = "theirs") -> str:
        """A commit that somebody else pushes to a branch."""
        clone = os.path.join(self.repository.root, "colleague")
        if not os.path.isdir(clone):
            self.repository.git("clone", "--quiet", self.git_folder, clone, "--branch", branch)
        self.repository.git("fetch", "--quiet", "origin", at=clone)
        self.repository.git("checkout", "--quiet", "-B", branch, f"origin/{branch}", at=clone)
        made = self.repository.commit(files, message, at=clone)
        self.repository.git("push", "--quiet", "origin", branch, at=clone)
        return made

    def shown(self, branch: str) -> set[str]:
        """The files that the forge shows as changed: the diff from the merge base with the base."""
        base = self.pulls[branch]["base"]
        return set(self.git("diff", "--name-only", f"{base}...{branch}").splitlines())


def put_on_path(folder: str, program: str) -> None:
    """Write a stand-in into a folder."""
    # As a module it is compiled once, as a script at each start.
    start = f"import sys; sys.path[0] = '{ROOT}'; from {STAND_IN} import main; sys.exit(main())"
    script = f'#!/bin/sh\nexec "{sys.executable}" -S -c "{start}" {program} "$@"\n'
    put_program(folder, program, script)


def put_program(folder: str, name: str, script: str) -> None:
    """Write a program into a folder."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    os.chmod(path, 0o755)
