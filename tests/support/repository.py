"""A real git repository in a temporary folder, with a home and a git config of its own."""

from __future__ import annotations

import atexit
import io
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import ClassVar, Union

Content = Union[str, bytes, None]

CONFIG = """\
[user]
\tname = Test
\temail = test@localhost
[init]
\tdefaultBranch = main
[maintenance]
\tauto = false
[core]
\tfsync = none
"""


AT_ONCE = {"start_interval_seconds": 0, "retry": {"attempts": 1}, "keep_awake": False}
"""Settings of a project whose tests are not about waiting, nor about the machine."""


@cache
def _git_on(path: str) -> str:
    found = shutil.which("git", path=path)
    assert found, f"no git on {path}"
    return found


def _run_git(
    at: str, *arguments: str, env: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    # With `cwd` or `close_fds`, subprocess would fork, which is slow in a large process.
    return subprocess.run(
        [_git_on(env["PATH"]), "-C", at, *arguments],
        env=env,
        input=stdin,
        capture_output=True,
        close_fds=False,
    )


def _just_committed(at: str) -> str:
    """What ``HEAD`` names right after a commit; empty if git has to say it."""
    try:
        folder = os.path.join(at, ".git")
        if os.path.isfile(folder):  # of a worktree
            folder = os.path.join(at, _line(folder).removeprefix("gitdir: "))
        head = _line(os.path.join(folder, "HEAD"))
        if not head.startswith("ref: "):
            return head
        shared = os.path.join(folder, "commondir")
        if os.path.exists(shared):
            folder = os.path.join(folder, _line(shared))
        return _line(os.path.join(folder, head.removeprefix("ref: ")))
    except OSError:
        return ""


def _data(content: bytes) -> bytes:
    """Bytes as ``git fast-import`` reads them."""
    return b"data %d\n%b\n" % (len(content), content)


def _next_blob(given: io.BytesIO) -> bytes:
    """The next one that ``git cat-file --batch`` printed."""
    kind, size = given.readline().split()[1:]
    assert kind == b"blob", kind
    return given.read(int(size) + 1)[:-1]


def _line(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().rstrip("\n")


class Repository:
    """A repository on the branch ``main`` with one commit; gone with everything at the end.

    ``root`` is the temporary folder, ``path`` the repository in it, ``environ`` what its git
    gets to see. Use it as a context manager, or call :meth:`close`.
    """

    _original: ClassVar[Repository | None] = None

    def __init__(self, name: str = "repository", *, empty: bool = False, bare: bool = False):
        self._temporary = tempfile.TemporaryDirectory(prefix="ror-")
        self.root = os.path.realpath(self._temporary.name)
        self.path = os.path.join(self.root, name)
        self.home = os.path.join(self.root, "home")
        self.config = os.path.join(self.home, "gitconfig")
        os.makedirs(self.home)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "XDG_CONFIG_HOME": os.path.join(self.home, "xdg"),
            "GIT_CONFIG_GLOBAL": self.config,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        os.makedirs(self.path)
        if empty or bare:
            self.git("init", "--quiet", "--template=", *(["--bare"] if bare else []))
        else:
            shutil.copytree(self._with_one_commit(), self.path, dirs_exist_ok=True)

    @staticmethod
    def _with_one_commit() -> str:
        """What every repository is a copy of: a copy costs less than four calls of git."""
        if Repository._original is None:
            Repository._original = Repository(empty=True)
            Repository._original.commit({"README.md": "hello\n"}, "first")
            atexit.register(Repository._original.close)
        return Repository._original.path

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary folder with all that is in it."""
        self._temporary.cleanup()

    def git(
        self,
        *arguments: str,
        at: str = "",
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        fails: bool = False,
    ) -> str:
        """What git prints, less the last line end. An assertion error where it fails."""
        environ = {**self.environ, **(env or {})}
        done = _run_git(at or self.path, *arguments, env=environ, stdin=stdin)
        said = os.fsdecode(done.stderr)
        assert (done.returncode != 0) == fails, f"git {' '.join(arguments)}: {said}"
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, files: Mapping[str, Content], *, at: str = "") -> None:
        """Write files, given by path; ``None`` removes one."""
        for name, content in files.items():
            path = os.path.join(at or self.path, name)
            if content is None:
                os.unlink(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, Content], message: str = "change", *, at: str = "") -> str:
        """Write files and commit all there is; the new commit."""
        self.write(files, at=at)
        self.git("add", "--all", "--force", at=at)
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", message, at=at)
        return _just_committed(at or self.path) or self.commit_of("HEAD", at=at)

    def commit_on(
        self, start: str, files: Mapping[str, Content], message: str, author: str = ""
    ) -> str:
        """A commit on top of another one, on no branch and in no worktree; the new commit."""
        who = f"<test@localhost> {int(time.time())} +0000"
        stream = [
            b"commit refs/made\nmark :1\n",
            f"author {author or 'Test'} {who}\ncommitter Test {who}\n".encode(),
            _data(message.encode() + b"\n"),
            f"from {start}\n".encode(),
        ]
        for name, content in files.items():
            path = re.sub(r'["\\]', r"\\\g<0>", name).replace("\n", "\\n")
            if content is None:
                stream.append(f'D "{path}"\n'.encode())
            else:
                given = content if isinstance(content, bytes) else content.encode()
                stream += [f'M 100644 inline "{path}"\n'.encode(), _data(given)]
        # Nothing is to be left of the ref.
        stream.append(b"\nget-mark :1\nreset refs/made\nfrom " + b"0" * 40 + b"\n\n")
        return self.git("fast-import", "--quiet", "--force", stdin=b"".join(stream))

    def branch(self, name: str, start: str = "HEAD") -> str:
        """Make a branch without switching to it; where it starts."""
        self.git("branch", "--no-track", name, start)
        return self.commit_of(name)

    def commit_of(self, revision: str, *, at: str = "") -> str:
        """The commit that a revision names; empty where there is none."""
        known = "" if at else self._loose_branch(revision)
        if known:
            return known
        spelled = f"{revision}^{{commit}}"
        refs = ("rev-parse", "--verify", "--quiet", spelled)
        return _run_git(at or self.path, *refs, env=self.environ).stdout.decode().strip()

    def _loose_branch(self, name: str) -> str:
        """The commit of a branch that has a file of its own; empty if git has to say it."""
        refs = os.path.join(self.path, ".git", "refs")
        name = name.removeprefix("refs/heads/")
        try:
            found = _line(os.path.join(refs, "heads", name))
        except OSError:
            return ""
        plain = len(found) == 40 and not os.path.exists(os.path.join(refs, "tags", name))
        return found if plain else ""

    def files(self, revision: str) -> dict[str, bytes]:
        """Contents by path of all files in a commit."""
        listed = self.git("ls-tree", "-r", "-z", revision).split("\0")[:-1]
        names = [line.split("\t", 1)[1] for line in listed]
        asked = "".join(f"{line.split()[2]}\n" for line in listed).encode()
        done = _run_git(self.path, "cat-file", "--batch", env=self.environ, stdin=asked)
        given = io.BytesIO(done.stdout)
        return {name: _next_blob(given) for name in names}

    def content(self, blob: str) -> bytes:
        """What a blob holds, byte by byte."""
        return subprocess.run(
            ["git", "cat-file", "blob", os.fsencode(blob)],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    def seen_by_user(self) -> tuple[str, str, bytes, bytes]:
        """What must not change for the user: status, HEAD, index and shared config."""
        folder = self.git("rev-parse", "--absolute-git-dir")
        held = []
        for name in ("HEAD", "index", "config"):
            path = os.path.join(folder, name)
            with open(path if os.path.exists(path) else os.devnull, "rb") as file:
                held.append(file.read())
        read_only = {"GIT_OPTIONAL_LOCKS": "0"}
        status = self.git("status", "--porcelain=v2", "--branch", "--ignored", env=read_only)
        return (status, os.fsdecode(held[0]), held[1], held[2])
