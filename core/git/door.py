"""The only place with a git command line: one method a question or a change.

Answers come from exit codes and porcelain formats, never from prose. Methods named for a
change raise :class:`GitError` when git refuses; questions return a value.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from ..journal import private_files
from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass, replace
from ..process.environment import without_git
from ..process.spawner import Finished, Spawner
from ..process.temporary_folder import Aside
from . import unreadable_entries
from .answer_cache import Answers
from .filters_and_drivers import DRIVER, Programs, named_by, withheld

OLDEST = (2, 25)
MERGE_TREE = (2, 38)
"""First version of ``merge-tree --write-tree``, which merges without a working tree."""

QUIET = (
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "core.ignoreStat=false",
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "-c",
    "trailer.separators=:",
)
"""For each call: no housekeeping in the background, no program named by an agent's config, no index
bit that hides changes, and answers that can be read whatever the user's settings are."""

EXPLICIT = ("-c", "safe.bareRepository=all")
"""For calls in a git folder that the user named: ``explicit`` forbids only those git came upon."""

NO_HOOKS = ("-c", "core.hooksPath=/dev/null")
"""For each call but the commit: there the user's hooks have their say."""

ALTERING = frozenset(
    {
        *("GIT_DEFAULT_HASH", "GIT_DIFF_OPTS", "GIT_EXTERNAL_DIFF", "GIT_GLOB_PATHSPECS"),
        *("GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    }
)
"""The user's variables that our own calls do without: they change what git answers."""

NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
"""Neither is enough alone: git before 2.39.4 does not know the first, the second lets git try."""

QUESTIONS = frozenset(
    {
        *("cat-file", "check-attr", "check-ignore", "commit-tree", "config", "diff-files"),
        *("diff-tree", "for-each-ref", "grep", "ls-files", "ls-tree", "merge-base"),
        *("log", "merge-tree", "rev-list", "rev-parse", "show", "status", "symbolic-ref", "var"),
    }
)
"""The commands that a look needs: what else git can do would change something."""

ATTRIBUTES = re.compile(
    rb"(?:^|\0)100[0-7]{3} blob ([0-9a-f]+)\t((?:[^\0]*/)?\.gitattributes|\.gitmodules)(?=\0)"
)
"""Files of a tree that merges of it read; format: git-ls-tree(1)."""

LISTED = ("worktree", "list")
OBJECTS = "objects"

NO_PLACE = frozenset({b"", b".", b"..", b".git"})
"""What no folder of a checkout can be called, though a damaged tree may say so."""

TRANSIENT = re.compile(
    rb"\.lock': File exists|failed to read .*worktrees/"
    rb"|bad object worktrees/|could not lock config file"
    # Another worktree goes while git looks at all of them.
    rb"|Invalid path '[^']*/worktrees/"
    # A gc of the user's prunes what a `worktree add` has just begun.
    rb"|could not (?:open|create \w+ of) '[^']*worktrees/"
    # The same gc removes an empty folder of objects just before git writes one into it.
    rb"|unable to create temporary file: No such file or directory"
)
"""Not ``cannot lock ref`` as such: so begins the refusal of a compare-and-swap as well."""
TRIES = 8

REPEATABLE = frozenset(
    (
        *("check-ignore", "commit-tree", "diff", "diff-tree", "for-each-ref", "grep", "ls-files"),
        *("ls-tree", "merge-base", "merge-tree", "rev-list", "rev-parse", "show", "status"),
        *("symbolic-ref", "update-ref", "write-tree"),
    )
)
"""Commands that may be run twice. One that dies may have lacked memory for a moment."""

REPEAT_SECONDS = 0.2

PATHS_AT_ONCE = 500
"""On one command line, which the system keeps short."""


PATCH = (
    "diff-tree",
    "-r",
    "-p",
    "--full-index",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
)
STATUS = (
    *("status", "--porcelain=v2", "--branch", "-z"),
    *("--untracked-files=all", "--no-renames"),
)
SUBMODULE = re.compile(rb"(?:^|(?<=\0))160000 [0-9a-f]+ 0\t([^\0]+)")
"""A submodule in the index; format: git-ls-files(1)."""

COMMIT_LINE = re.compile(rb"^[0-9a-f]{40,64}\n", re.MULTILINE)
TEXT_INDEX = re.compile(rb"^index .*\n(?!Binary files )", re.MULTILINE)
HUNK = re.compile(rb"^@@ .*", re.MULTILINE)

ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The whole name of an object: what it stands for never changes."""

MARKER = ": leftover conflict marker"
"""What git says of one; its messages are in English here."""

BEING_MADE = ("initializing", "added with --lock")
"""Why git says that a worktree is locked, while we make it."""

HALF_DONE = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase, or git am,",
}
"""Files and folders that git keeps beside HEAD until the user has ended what they stand for."""

FILLED = "refs/rorchestrator/filled/"
"""Below it, in a submodule's clone: the commit that it got from the clone of another worktree."""

LITERAL = ("--literal-pathspecs",)

MODULE_PATH = r"^submodule\..*\.path$"

IDENTITY = re.compile(r"(.*) <(.*)> \d+ [+-]\d+\n?\Z", re.DOTALL)
"""What git-var(1) prints."""

NO_FILTER = ("clean=", "process=", "required=false")


class GitError(UserError):
    """git refused; ``complaint`` is all that it said, which the file ``log`` may have as well."""

    def __init__(self, doing: str, finished: Finished, log: str = "") -> None:
        self.complaint = finished.complaint
        said = excerpt(self.complaint, whole=log) or f"exit {finished.code}"
        super().__init__(f"git could not {doing}: {said}")


class Unknown(UserError):
    """What can't be told without running a program of the user's, or without fetching."""


@dataclass(frozen=True)
class Repository:
    """Where a repository lies; ``top`` is the folder that ``worktrees_path`` is relative to."""

    top: str
    common_dir: str
    bare: bool
    shallow: bool
    version: tuple[int, int]


@dataclass(frozen=True)
class WorktreeEntry:
    """One entry of ``git worktree list``."""

    path: str
    branch: str = ""
    commit: str = ""
    locked: str | None = None
    prunable: bool = False


@dataclass(frozen=True)
class WorktreeStatus:
    """``git status`` of one worktree; ``changed`` and ``untracked`` are paths in it."""

    branch: str
    commit: str
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    """Those of ``changed`` that are new, and in the index already."""
    indexed: tuple[str, ...] = ()
    """Those of ``changed`` of which the index holds what neither HEAD nor the file does."""
    submodules: tuple[str, ...] = ()
    """Submodules with uncommitted work of their own, which no commit here can hold."""
    moved: tuple[str, ...] = ()
    """Those of ``changed`` that are submodules, clean, at another commit than the index has."""
    closed: tuple[str, ...] = ()
    """Folders that git could not look into, for whoever looked: git itself keeps quiet."""
    staged: tuple[str, ...] = ()
    """Those of ``changed`` that differ from HEAD in the index already."""
    uncertain: tuple[tuple[str, str], ...] = ()
    """Files that may have changed, each with the filter that would have to run to tell."""

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """Every path of this repository that no commit holds as it stands."""
        return self.changed + self.unmerged + self.untracked

    def without(self, files: Collection[str]) -> WorktreeStatus:
        """The same, had nobody touched these files."""
        return replace(
            self,
            changed=tuple(file for file in self.changed if file not in files),
            untracked=tuple(file for file in self.untracked if file not in files),
            added=tuple(file for file in self.added if file not in files),
            indexed=tuple(file for file in self.indexed if file not in files),
        )


@dataclass(frozen=True)
class DiffStat:
    """What one commit has that another has not."""

    files: int = 0
    insertions: int = 0
    deletions: int = 0


@dataclass(frozen=True)
class Commit:
    """A commit, its parents, and what it changes of the only one."""

    id: str
    parents: tuple[str, ...]
    stat: DiffStat


class Git:
    """git, in one repository."""

    looks = False
    """Whether it only looks: no program of the user's runs, nothing is fetched or written."""

    log = ""
    """A file for what git said, where that is too long for a message."""

    def __init__(
        self, spawner: Spawner, repository: Repository, environ: Mapping[str, str]
    ) -> None:
        self.spawner = spawner
        self.repository = repository
        self._env = _environment(environ)
        self._aside = Aside()
        self.answers = Answers()
        """What git said of commits that were named by their whole ids: it never changes."""
        self._listed: list[WorktreeEntry] | None = None
        self._real_paths: dict[str, str] = {}
        self._since: dict[tuple[str, str], dict[str, str]] = {}
        self._who: dict[str, str] = {}
        """Who commits, as variables of git's."""
        self._attributes: dict[str, str] = {}
        """Where the attributes of a tree are."""
        self._programs: dict[str, Programs] = {}

    def using(self, spawner: Spawner) -> Git:
        """The same repository, with commands run by another spawner."""
        same = Git.__new__(Git)
        same.__dict__.update(self.__dict__, spawner=spawner)
        return same

    def looking(self) -> Git:
        """The same repository, only to be looked at.

        What it can't tell that way raises :class:`Unknown`. Objects that it makes are in a
        folder of its own, and gone with it.
        """
        same = self.using(self.spawner)
        same.looks = True
        return same

    def acting(self) -> Git:
        """The same repository, in which git may do as the user's settings say."""
        if not self.looks:
            return self
        same = Git(self.spawner, self.repository, self._env)
        same._who, same.log = self._who, self.log
        return same

    @property
    def merges_without_worktree(self) -> bool:
        """Whether this git has ``merge-tree --write-tree``."""
        return self.repository.version >= MERGE_TREE

    # -- the two doors ------------------------------------------------------------------

    async def _try(
        self,
        *arguments: str,
        at: str = "",
        stdin: bytes = b"",
        guarded: bool = False,
        hooks: bool = False,
        env: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
        tries: int = TRIES,
        elsewhere: bool = False,
    ) -> Finished:
        """Run git; ``elsewhere`` in another repository than this one."""
        if self.looks and not self._only_asks(arguments, env or {}):
            raise ValueError(f"git {arguments[0]} does more than look")
        folder = at or self.repository.common_dir
        quiet = QUIET if hooks else (*QUIET, *NO_HOOKS)
        named = EXPLICIT if _is_below(folder, self.repository.common_dir) else ()
        argv = ["git", "-C", folder, *quiet, *named, *settings, *arguments]
        env = {**(env or self._env), **self._restrictions(elsewhere)}
        number = 0
        while True:
            number += 1
            finished = await self.spawner.run(argv, env=env, stdin=stdin, guarded=guarded)
            if finished.code == 0 or number == tries:
                return finished
            if TRANSIENT.search(finished.stderr):
                await self.spawner.pause(_jitter(0.05 * 2**number))
            elif number == 1 and not self._lacks_objects and _may_pass(arguments, finished):
                await self.spawner.pause(REPEAT_SECONDS)
            else:
                return finished

    def _only_asks(self, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a command changes nothing but what is put aside."""
        if arguments[0] == "update-index":
            return env.get("GIT_INDEX_FILE") == self.spare_index()
        return arguments[0] in QUESTIONS or tuple(arguments[:2]) == LISTED

    def spare_index(self) -> str:
        """The path of an index for a look, of which git need not know."""
        return os.path.join(self._aside.folder("index"), "index")

    @property
    def _lacks_objects(self) -> bool:
        """Whether a second try will miss the same objects."""
        return self.looks and self._programs.get("", Programs()).is_partial

    def _restrictions(self, elsewhere: bool) -> Mapping[str, str]:
        """Variables that let git neither fetch nor write, where we only look."""
        if not self.looks:
            return {}
        objects = self._aside.made(OBJECTS)
        if elsewhere or not objects:
            return NO_FETCH
        borrowed = _quoted(os.path.join(self.repository.common_dir, "objects"))
        return {
            **NO_FETCH,
            "GIT_OBJECT_DIRECTORY": objects,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": borrowed,
        }

    async def _do(
        self,
        doing: str,
        *arguments: str,
        at: str = "",
        stdin: bytes = b"",
        guarded: bool = False,
        hooks: bool = False,
        env: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
        tries: int = TRIES,
        elsewhere: bool = False,
    ) -> Finished:
        finished = await self._try(
            *arguments,
            at=at,
            stdin=stdin,
            guarded=guarded,
            hooks=hooks,
            env=env,
            settings=settings,
            tries=tries,
            elsewhere=elsewhere,
        )
        if finished.code != 0:
            raise await self._refused(doing, finished)
        return finished

    async def _refused(self, doing: str, finished: Finished) -> UserError:
        """What to raise where git refused."""
        error = self._error(doing, finished)
        if self.looks and (await self._named_programs()).is_partial:
            return Unknown(f"unknown, for objects are not here and are not fetched: {error}")
        return error

    def _error(self, doing: str, finished: Finished) -> GitError:
        """That git refused; all that it said is in the log, where a message has no room for it."""
        said = finished.complaint
        return GitError(
            doing, finished, self._logged(said) if self.log and excerpt(said) != said else ""
        )

    def _logged(self, said: str) -> str:
        """The log, once it holds a text; an empty string where there is none."""
        try:
            private_files.make_folder(os.path.dirname(self.log), 2)
            descriptor = private_files.open_file(self.log, os.O_WRONLY | os.O_APPEND)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(f"{said}\n")
        except OSError:  # the disk may be full, which git complains of
            return ""
        return self.log

    # -- programs of the user's ---------------------------------------------------------

    async def _named_programs(self, at: str = "") -> Programs:
        """The programs that git's settings name in a worktree, or for the repository."""
        if "" not in self._programs:
            self._programs[""] = await self._read_programs("")
        if at and self._programs[""].varies and at not in self._programs:
            self._programs[at] = await self._read_programs(at)
        return self._programs.get(at, self._programs[""])

    async def _read_programs(self, at: str) -> Programs:
        listed = await self._try("config", "--list", "--name-only", "--includes", "-z", at=at)
        if listed.code != 0:
            raise self._error("read its settings", listed)
        return named_by(os.fsdecode(listed.stdout).split("\0"))

    def _without(self, programs: Programs, *, strict: bool) -> tuple[str, ...]:
        """Options by which git starts none of the programs."""
        if programs.is_empty:
            return ()
        words = os.fsencode(config_text(withheld(programs, strict=strict)))
        # A file, for the name of a filter may hold what an option can't.
        path = self._aside.write(f"{zlib.crc32(words):08x}.config", words)
        return ("-c", f"include.path={path}")

    async def circumstances(self) -> str:
        """A hash of all that answers about commit ids depend on beside the ids; else empty.

        Empty where the user replaces objects or history, so that ids do not mean what they were.
        """
        import hashlib

        common = self.repository.common_dir
        grafts = os.path.join(common, "info", "grafts")
        if os.path.exists(grafts) or await self.refs("refs/replace/"):
            return ""
        listed = (
            await self._do("read its settings", "config", "--list", "--includes", "-z")
        ).stdout
        own = os.path.join(common, "info", "attributes")
        parts = [repr(self.repository.version).encode(), listed]
        for path in (own, _global_attributes(listed, self._env), "/etc/gitattributes"):
            with suppress(OSError), open(path, "rb") as file:
                parts.append(file.read())
        return hashlib.sha256(b"\0\0".join(parts)).hexdigest()

    # -- refs and commits ---------------------------------------------------------------

    async def refs(self, *prefixes: str) -> dict[str, str]:
        """Object ids by full ref name, of all refs below ``prefixes``."""
        wanted = "--format=%(objectname) %(refname)"
        finished = await self._do("list its refs", "for-each-ref", wanted, *prefixes)
        pairs = (line.split(" ", 1) for line in finished.text.split("\n") if line)
        return {name: commit for commit, name in pairs}

    async def commit_of(self, revision: str, *, at: str = "") -> str:
        """The commit that ``revision`` names; empty where there is none.

        ``at`` is the worktree whose HEAD is meant.
        """
        if revision.startswith(("-", "^")):
            return ""
        spelled = f"{revision}^{{commit}}"
        finished = await self._try("rev-parse", "--verify", "--quiet", spelled, at=at)
        return finished.text if finished.code == 0 else ""

    async def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        known = self.answers.get("tree", commit)
        if known is not None:
            return known
        spelled = f"{commit}^{{tree}}"
        finished = await self._do("read a commit", "rev-parse", "--verify", spelled)
        if _are_ids(commit):
            self.answers.put(finished.text, "tree", commit)
        return finished.text

    async def has_path(self, commit: str, path: str) -> bool:
        """Whether a commit holds a file or a folder of that name."""
        spelled = f"{commit}:{os.path.normpath(path)}"
        return (await self._try("cat-file", "-e", spelled)).code == 0

    async def present(self, commit: str, paths: Iterable[str]) -> set[str]:
        """Those paths that a commit holds; folders end with a slash."""
        spelled = {path.rstrip("/"): path for path in paths}
        names, found = list(spelled), set()
        for start in range(0, len(names), PATHS_AT_ONCE):
            asked = names[start : start + PATHS_AT_ONCE]
            arguments = ("ls-tree", "--full-tree", "--name-only", "-z", commit, "--", *asked)
            literally = {**self._env, "GIT_LITERAL_PATHSPECS": "1"}
            finished = await self._do("read a commit", *arguments, env=literally)
            found.update(os.fsdecode(finished.stdout).split("\0"))
        return {path for name, path in spelled.items() if name in found}

    async def has_line(self, commit: str, pattern: str, less: Iterable[str] = ()) -> bool:
        """Whether a line of a commit's files matches a POSIX extended regular expression.

        ``less`` are patterns of files that are not looked into.
        """
        arguments = ("grep", "--quiet", "--no-textconv", "-I", "-E", "-e", pattern, commit)
        finished = await self._try(*arguments, "--", *(f":(exclude){each}" for each in less))
        if finished.code not in (0, 1):
            raise self._error("search a commit", finished)
        return finished.code == 0

    async def ignored_of(self, path: str, files: Iterable[str]) -> set[str]:
        """Those files of a worktree, there or not, that git ignores; a folder ends with ``/``."""
        names = "".join(f"{file}\0" for file in files)
        arguments = ("check-ignore", "-z", "--stdin")
        finished = await self._try(*arguments, at=path, stdin=os.fsencode(names))
        return set(os.fsdecode(finished.stdout).split("\0"))

    async def ignored_as_links(self, path: str, files: Collection[str]) -> set[str]:
        """Those files of a worktree that git ignores even where they are symbolic links.

        A pattern with a slash at its end is of folders: what is in one is ignored, a link is not.
        Format: git-check-ignore(1), ``--verbose``.
        """
        above = {file: f"{os.path.dirname(file)}/" for file in files if os.path.dirname(file)}
        within = await self.ignored_of(path, above.values())
        names = os.fsencode("".join(f"{file}\0" for file in files))
        asked = ("check-ignore", "--verbose", "-z", "--stdin")
        words = os.fsdecode((await self._try(*asked, at=path, stdin=names)).stdout).split("\0")
        by_itself = {
            file
            for pattern, file in zip(words[2::4], words[3::4])
            if not pattern.startswith("!") and not pattern.endswith("/")
        }
        return by_itself | {file for file, folder in above.items() if folder in within}

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``."""
        if _are_ids(older, newer):
            return await self.merge_base(older, newer) == older
        return (await self._try("merge-base", "--is-ancestor", older, newer)).code == 0

    async def independent(self, commits: Sequence[str]) -> list[str]:
        """Those of ``commits`` that no other one contains."""
        arguments = ("merge-base", "--independent", *commits)
        return (await self._do("compare commits", *arguments)).text.split()

    async def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor; empty where the histories have none."""
        pair = (min(one, other), max(one, other))
        known = self.answers.get("base", *pair)
        if known is not None:
            return known
        finished = await self._try("merge-base", *pair)
        base = finished.text if finished.code == 0 else ""
        if base and self._is_lasting(*pair):
            self.answers.put(base, "base", *pair)
        return base

    def _is_lasting(self, *commits: str) -> bool:
        """Whether an answer stays true: a shallow clone may be given more of its history."""
        return _are_ids(*commits) and not self.repository.shallow

    async def count_commits(self, tip: str, without: str) -> int:
        """How many commits ``tip`` has that ``without`` has not."""
        return len(await self._parents(tip, without))

    async def create_ref(self, ref: str, commit: str) -> bool:
        """Create a ref. False where it exists already: then it was not touched."""
        finished = await self._try("update-ref", ref, commit, "")
        if finished.code != 0 and not await self.commit_of(ref):
            raise self._error(f"make {ref}", finished)
        return finished.code == 0

    async def meant_by(self, ref: str, *, at: str = "") -> str:
        """The ref that a symbolic one stands for; empty for one that is none."""
        finished = await self._try("symbolic-ref", "--quiet", ref, at=at)
        return finished.text if finished.code == 0 else ""

    async def move_ref(self, ref: str, commit: str, old: str, *, at: str = "") -> None:
        """Move a ref that still is at ``old`` (compare-and-swap).

        ``at`` is the worktree that has it checked out: so the log of its HEAD tells of it.
        """
        arguments = ("update-ref", "-m", "rorchestrator merge", ref, commit, old)
        await self._do(f"move {ref}", *arguments, at=at)

    async def was_at(self, ref: str, commit: str) -> bool:
        """Whether the log of a ref, where it has one, tells that it was at a commit."""
        finished = await self._try("reflog", "show", "--format=%H", ref, "--")
        return commit in finished.text.split()

    async def delete_ref(self, ref: str, old: str) -> str:
        """Delete a ref that still is at ``old`` (compare-and-swap); why it stays, where it does."""
        finished = await self._try("update-ref", "-d", ref, old)
        if finished.code == 0:
            return ""
        short = ref.removeprefix("refs/heads/")
        if await self.commit_of(ref) != old:
            return f"{short} moved in the meantime"
        return GitError(f"delete {short}", finished).message

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Write a commit of ``tree``, without a lock and without a working tree."""
        given = [word for parent in parents for word in ("-p", parent)]
        arguments = ("commit-tree", "--no-gpg-sign", *given, "-m", message, tree)
        self._aside_objects()
        return (await self._do("write a commit", *arguments, env=await self._identity())).text

    async def own_commits(
        self, tip: str, without: Iterable[str]
    ) -> list[tuple[str, tuple[str, ...]]]:
        """The commits of ``tip`` that none of ``without`` has, oldest first, with their parents."""
        left_out = [f"^{commit}" for commit in without]
        arguments = ("rev-list", "--reverse", "--topo-order", "--parents", tip, *left_out)
        finished = await self._do("list commits", *arguments)
        lines = (line.split() for line in finished.text.splitlines())
        return [(commit, tuple(parents)) for commit, *parents in lines]

    async def authors(self, tip: str, without: str) -> set[tuple[str, str]]:
        """Who wrote each commit that ``without`` has not, and when; and its subject."""
        arguments = ("rev-list", "--format=%ae %at%n%s", tip, f"^{without}")
        lines = (await self._do("list commits", *arguments)).text.split("\n")
        return set(zip(lines[1::3], lines[2::3]))  # after a line with its id

    async def trailer(self, commit: str, key: str) -> str:
        """The value of a trailer of a commit's message; empty where it has none."""
        wanted = f"--format=%(trailers:key={key},valueonly)"
        shown = ("show", "-s", "--no-show-signature", wanted)
        return (await self._do("read a commit", *shown, commit)).text.strip()

    async def commit_again(self, commit: str, tree: str, parent: str) -> str:
        """Write a commit of another tree, with the author and the message of ``commit``."""
        wanted = ("-s", "--no-show-signature", "--date=raw", "--encoding=UTF-8")
        seen = await self._do(
            "read a commit", "show", *wanted, "--format=%an%n%ae%n%ad%n%B", commit
        )
        name, email, date, message = seen.stdout.split(b"\n", 3)
        env = {
            **await self._identity(),
            "GIT_AUTHOR_NAME": os.fsdecode(name),
            "GIT_AUTHOR_EMAIL": os.fsdecode(email),
            "GIT_AUTHOR_DATE": f"@{os.fsdecode(date)}",
        }
        arguments = ("commit-tree", "--no-gpg-sign", "-p", parent, "-F", "-", tree)
        utf8 = ("-c", "i18n.commitEncoding=UTF-8")
        words = message.rstrip(b"\n") + b"\n"
        self._aside_objects()
        doing = "write a commit"
        return (await self._do(doing, *arguments, stdin=words, env=env, settings=utf8)).text

    def _aside_objects(self) -> None:
        """From now on new objects go where they are nobody's, if we only look."""
        if self.looks:
            self._aside.folder(OBJECTS)

    # -- comparing ----------------------------------------------------------------------

    async def diffstat(self, old: str, new: str) -> DiffStat:
        """Files and lines that differ between two commits."""
        finished = await self._do(
            "compare commits", "diff-tree", "-r", "-M", "--shortstat", old, new
        )
        return _parse_shortstat(finished.text)

    async def changed_files(self, pairs: Sequence[tuple[str, str]]) -> list[frozenset[str]]:
        """For each pair of an older and a newer commit, the files that differ."""
        if not pairs:
            return []
        # A second commit of a line is taken for the parent of the first one.
        listed = "".join(f"{new} {old}\n" for old, new in pairs).encode()
        arguments = ("diff-tree", "-r", "--always", "--no-renames", "--name-only", "--stdin")
        finished = await self._do("compare commits", *arguments, stdin=listed)
        return _parse_names(finished.text.splitlines(), [new for _, new in pairs])

    async def added_files(self, old: str, new: str) -> list[str]:
        """The files of one commit that another one has not."""
        arguments = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A")
        finished = await self._do("compare commits", *arguments, old, new)
        return [name for name in os.fsdecode(finished.stdout).split("\0") if name]

    async def files_of(self, commit: str) -> set[str]:
        """The names of all files of a commit."""
        arguments = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        finished = await self._do("list the files of a commit", *arguments)
        return set(os.fsdecode(finished.stdout).split("\0"))

    async def adds_nothing(self, tip: str, target: str) -> bool:
        """Whether ``tip`` changes nothing since it left ``target`` (the three-dot diff)."""
        base = await self.merge_base(target, tip)
        return bool(base) and await self.tree_of(base) == await self.tree_of(tip)

    async def merged_tree(self, one: str, other: str) -> tuple[str, list[str]]:
        """The tree of a merge, empty where there is a conflict, and the files in conflict.

        As ``git merge`` makes it where ``one`` is checked out, by attributes and settings. No
        program runs: raises :class:`Unknown` where one would decide, or this git can't merge so.
        Few conflicts are of no file. Format: git-merge-tree(1), "OUTPUT".
        """
        if not self.merges_without_worktree:
            raise Unknown("unknown, for only git 2.38 or newer merges without a working tree")
        known = self.answers.get("merge", one, other)
        if known is None:
            tree, files = await self._merged_tree(one, other)
            if self._is_lasting(one, other):
                self.answers.put("\0".join((tree, *files)), "merge", one, other)
            return tree, files
        tree, *files = known.split("\0")
        return tree, files

    async def _merged_tree(self, one: str, other: str) -> tuple[str, list[str]]:
        programs = await self._named_programs()
        finished = await self._merge_tree(programs, one, other)
        if os.fsencode(DRIVER) in finished.stderr:
            raise Unknown("a merge driver decides whether they merge, and none runs for a look")
        tree, *files = os.fsdecode(finished.stdout).split("\0")
        if finished.code == 0:
            return tree, []
        if finished.code == 1 and tree:
            return "", sorted({file for file in files if file})
        if programs.renormalizes and programs.filters:
            raise Unknown("a filter decides whether they merge, and none runs for a look")
        raise await self._refused("merge", finished)

    async def _merge_tree(self, programs: Programs, one: str, other: str) -> Finished:
        folder = await self._attributes_of(one)
        self._aside_objects()
        # Attributes are read from the working tree: here it has nothing else.
        place = {"GIT_DIR": self.repository.common_dir, "GIT_WORK_TREE": folder}
        return await self._try(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other),
            at=folder,
            env={**self._env, **place},
            settings=self._without(programs, strict=True),
        )

    async def _attributes_of(self, commit: str) -> str:
        """A folder that has of a commit's files only those that merges read."""
        tree = await self.tree_of(commit)
        if tree not in self._attributes:
            listed = await self._do("list files", "ls-tree", "-r", "-z", "--full-tree", tree)
            found = ATTRIBUTES.findall(listed.stdout)
            files = {path: blob for blob, path in found if NO_PLACE.isdisjoint(_parts(path))}
            contents = await self._contents(files.values())
            for path, content in zip(files, contents):
                self._aside.write(os.path.join(tree, os.fsdecode(path)), content)
            self._attributes[tree] = self._aside.folder(tree)
        return self._attributes[tree]

    async def _contents(self, blobs: Collection[bytes]) -> list[bytes]:
        """What each of the blobs holds; format: git-cat-file(1), "BATCH OUTPUT"."""
        if not blobs:
            return []
        asked = b"".join(blob + b"\n" for blob in blobs)
        finished = await self._do("read files", "cat-file", "--batch", stdin=asked)
        contents: list[bytes] = []
        rest = finished.stdout
        while rest:
            heading, _, rest = rest.partition(b"\n")
            if heading.endswith(b" missing"):
                raise await self._refused("read files", replace(finished, stderr=heading))
            size = int(heading.rsplit(b" ", 1)[1])
            contents.append(rest[:size])
            rest = rest[size + 1 :]
        return contents

    async def learn(self, tips: Collection[str], target: str) -> None:
        """Ask at once for what :meth:`WorktreeManager.merged` will ask for each of the ``tips``."""
        wanted = [tip for tip in tips if self.answers.get("history", tip, target) is None]
        if not wanted or not self._is_lasting(target, *wanted):
            return
        listed = "".join(f"{commit}\n" for commit in (*wanted, f"^{target}")).encode()
        arguments = ("rev-list", "--topo-order", "--parents", "--stdin")
        finished = await self._try(*arguments, stdin=listed)
        if finished.code != 0:
            return  # Each tip is asked for by itself, and tells what is wrong with it.
        lines = {line.split(" ", 1)[0]: line for line in finished.text.splitlines()}
        parents = {commit: line.split()[1:] for commit, line in lines.items()}
        for tip in wanted:
            own = _reachable(tip, parents)
            history = "\n".join(line for commit, line in lines.items() if commit in own)
            self.answers.put(history, "history", tip, target)
            left = {p for commit in own for p in parents[commit] if p not in own}
            left = left if own else {tip}
            if len(left) == 1:
                # Each way out of the branch leads through it: no other commit is a better base.
                self.answers.put(*left, "base", min(tip, target), max(tip, target))
        await self._learn_trees([*wanted, target])
        with suppress(UserError):  # what lacks objects is unknown of one feature, not of all
            await self._patches([c for c in lines if len(parents[c]) < 2])

    async def _learn_trees(self, commits: Iterable[str]) -> None:
        arguments = ("rev-list", "--no-walk", "--stdin", "--format=%T")
        listed = "".join(f"{commit}\n" for commit in commits).encode()
        words = (await self._do("read commits", *arguments, stdin=listed)).text.split()
        # Format: git-rev-list(1), "commit ID", then the line asked for.
        for commit, tree in zip(words[1::3], words[2::3]):
            self.answers.put(tree, "tree", commit)

    async def equivalents(self, tip: str, target: str) -> str:
        """The newest commit of ``target`` that changes the same as one of ``tip``.

        Empty unless each commit of ``tip`` has one.
        """
        commits = await self._parents(tip, without=target)
        if not commits or any(len(parents) > 1 for parents in commits.values()):
            return ""
        wanted = await self._changes(commits)
        if len(wanted) < len(commits):
            return ""
        found = await self._changes_since(tip, target)
        newest = (commit for change, commit in found.items() if change in wanted)
        return next(newest, "") if wanted.keys() <= found.keys() else ""

    async def stands_at(self, path: str, commit: str) -> bool:
        """Whether index and files of a worktree are those of ``commit``, wherever HEAD is."""
        plain = ("--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
        index = await self._try("diff", "--cached", *plain, commit, at=path, guarded=True)
        files = await self._try("diff", *plain, at=path, guarded=True)
        return index.code == 0 and files.code == 0

    async def squashed(self, tip: str, target: str) -> str:
        """The newest commit of ``target`` that changes the same as all of ``tip``; else empty."""
        base = await self.merge_base(tip, target)
        if not base:
            return ""
        own = await self._parents(tip, without=target)
        if own == {tip: [base]}:
            patch = next(iter(await self._changes([tip])), "")
        else:
            patch = await self._patch(base, tip)
        return (await self._changes_since(tip, target)).get(patch, "")

    async def _patch(self, base: str, tip: str) -> str:
        """A hash of what changes from one commit to another."""
        patch = self.answers.get("patch", base, tip)
        if patch is None:
            whole = await self._do("compare commits", *PATCH, base, tip)
            patch = self.answers.put(_change(whole.stdout), "patch", base, tip)
        return patch

    async def _parents(self, tip: str, without: str) -> dict[str, list[str]]:
        """The commits of ``tip`` that ``without`` has not, newest first, with their parents."""
        listed = self.answers.get("history", tip, without)
        if listed is None:
            arguments = ("rev-list", "--topo-order", "--parents", tip, f"^{without}")
            listed = (await self._do("list commits", *arguments)).text
            if self._is_lasting(tip, without):
                self.answers.put(listed, "history", tip, without)
        lines = [line.split() for line in listed.splitlines()]
        return {commit: parents for commit, *parents in lines}

    async def _changes_since(self, tip: str, target: str) -> dict[str, str]:
        """What the commits of ``target`` change since ``tip`` left it, and the newest of each."""
        # From the merge base: its commits are asked for once, whatever number of tips left it.
        start = await self.merge_base(tip, target) or tip
        if (start, target) in self._since:
            return self._since[start, target]
        commits = await self._parents(target, without=start)
        changes = await self._changes(c for c, parents in commits.items() if len(parents) < 2)
        if self._is_lasting(start, target):
            self._since[start, target] = changes
        return changes

    async def _changes(self, commits: Iterable[str]) -> dict[str, str]:
        """What the commits change, with the first one that does; less those that change nothing."""
        wanted = list(commits)
        known = {commit: self.answers.get("patch", commit) for commit in wanted}
        known.update(await self._patches([c for c, patch in known.items() if patch is None]))
        changes: dict[str, str] = {}
        for commit, patch in known.items():
            changes.setdefault(patch or "", commit)
        changes.pop("", None)
        return changes

    async def _patches(self, commits: Sequence[str]) -> dict[str, str]:
        """By commit, a hash of what it changes; empty where that is nothing."""
        if not commits:
            return {}
        listed = "".join(f"{commit}\n" for commit in commits).encode()
        finished = await self._do("compare commits", *PATCH, "--root", "--stdin", stdin=listed)
        named = (line.decode().strip() for line in COMMIT_LINE.findall(finished.stdout))
        patches = dict.fromkeys(commits, "")
        patches.update(zip(named, map(_change, COMMIT_LINE.split(finished.stdout)[1:])))
        for commit, patch in patches.items():
            self.answers.put(patch, "patch", commit)
        return patches

    # -- worktrees ----------------------------------------------------------------------

    async def worktrees(self) -> list[WorktreeEntry]:
        """Every worktree that the repository knows; format: git-worktree(1), "PORCELAIN".

        A command that only looks asks once: with hundreds of them each list takes its time.
        """
        if self.looks and self._listed is not None:
            return self._listed
        finished = await self._do("list its worktrees", "worktree", "list", "--porcelain")
        blocks = os.fsdecode(finished.stdout).strip("\n").split("\n\n")
        self._listed = [_worktree_entry(block) for block in blocks if block]
        return self._listed

    def real_path(self, path: str) -> str:
        """The path without links; a command that only looks finds it once."""
        if not self.looks:
            return os.path.realpath(path)
        if path not in self._real_paths:
            self._real_paths[path] = os.path.realpath(path)
        return self._real_paths[path]

    async def add_worktree(self, path: str, commit: str) -> None:
        """Make a worktree at ``path`` of a branch or, detached, of a commit.

        It is locked, and has no files yet.
        """
        arguments = ("worktree", "add", "--quiet", "--lock", "--no-checkout", "--", path, commit)
        await self._do(f"make the worktree {path}", *arguments)

    async def check_out(self, path: str, new_branch: str = "") -> None:
        """Fill a new worktree with its files, and put it on a branch that is made there.

        Raises where the branch exists.
        """
        # Not `worktree add -b`, which leaves the branch behind where it fails.
        branch = ("-b", new_branch, "--no-track") if new_branch else ()
        arguments = ("checkout", "--force", "--quiet", "--no-recurse-submodules", *branch)
        await self._do(f"check out {path}", *arguments, at=path, guarded=True)

    async def remove_worktree(self, path: str) -> None:
        """Remove a worktree with everything in it: the caller has seen what that is."""
        arguments = ("worktree", "remove", "--force", "--", path)
        await self._do(f"remove the worktree {path}", *arguments, guarded=True)

    async def admin_dir(self, path: str) -> str:
        """The folder below the common one where git keeps this worktree's own state."""
        finished = await self._do("find a worktree", "rev-parse", "--absolute-git-dir", at=path)
        return finished.text

    async def status(self, path: str, *, ignored: bool = False, index: str = "") -> WorktreeStatus:
        """What stands in a worktree; format: git-status(1), "Porcelain Format Version 2"."""
        arguments = [*STATUS, *(["--ignored=matching"] if ignored else [])]
        env = self._env_with_index(index)
        if self.looks:
            status = await self._unfiltered_status(path, arguments, env)
        else:
            arguments += ["--ignore-submodules=none"]
            # A filter of the user's runs for what may have changed.
            told = await self._do(f"look at {path}", *arguments, at=path, guarded=True, env=env)
            status = _parse_status(os.fsdecode(told.stdout))
        return await self._with_covered(path, status) if ignored else status

    async def _with_covered(self, path: str, status: WorktreeStatus) -> WorktreeStatus:
        """A status that counts as ignored what stands where a submodule is not checked out.

        git looks at no file in there and adds none.
        """
        submodules = await self._submodules_of(path, status)
        folders = [folder for folder in submodules if _is_plain(path, folder)]
        covered = (
            file for folder in folders for file in unreadable_entries.files_below(path, folder)
        )
        return replace(status, ignored=(*status.ignored, *covered))

    async def _submodules_of(self, path: str, status: WorktreeStatus) -> list[str]:
        """The paths of the submodules in the index of a worktree that has this status."""
        if status.staged or status.unmerged or not self._is_lasting(status.commit):
            return await self._submodules(path)
        # Nothing is staged: the index has the submodules of the commit, which are asked for once.
        known = self.answers.get("submodules", status.commit)
        if known is None:
            known = "\0".join(await self.gitlinks(status.commit))
            self.answers.put(known, "submodules", status.commit)
        return known.split("\0") if known else []

    async def _submodules(self, path: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The paths of the submodules in an index."""
        listed = await self._do(f"look at {path}", "ls-files", "--stage", "-z", at=path, env=env)
        return [os.fsdecode(name) for name in SUBMODULE.findall(listed.stdout)]

    async def hidden(self, path: str) -> list[str]:
        """The tracked files of a worktree whose changes an index bit hides from ``git status``.

        Not those that a sparse checkout leaves out. Format: git-ls-files(1), ``-v``.
        """
        finished = await self._do(f"look at {path}", "ls-files", "-v", "-z", at=path)
        entries = [
            entry.split(" ", 1) for entry in os.fsdecode(finished.stdout).split("\0") if entry
        ]
        hidden = [(tag, file) for tag, file in entries if tag.islower() or tag == "S"]
        absent = {file for tag, file in hidden if tag in "sS" and not _is_there(path, file)}
        if absent and await self._is_sparse(path):
            return [file for _, file in hidden if file not in absent]
        return [file for _, file in hidden]

    async def _is_sparse(self, path: str) -> bool:
        asked = ("config", "--type=bool", "--get", "core.sparseCheckout")
        return (await self._try(*asked, at=path)).text == "true"

    async def reveal(self, path: str, files: Iterable[str], *, index: str = "") -> None:
        """Clear the bits that hide changes of files from ``git status``."""
        files = list(files)
        for bit in ("--no-assume-unchanged", "--no-skip-worktree"):
            await self._update_index(path, files, bit, index=index)

    async def kept_by_lfs(self, path: str, files: Iterable[str]) -> set[str]:
        """Those files of which git would store a pointer: ``filter=lfs``, and Git LFS is set up."""
        names = b"".join(os.fsencode(file) + b"\0" for file in files)
        if not names:
            return set()
        asked = ("check-attr", "-z", "--stdin", "filter")
        finished = await self._do("read attributes", *asked, at=path, stdin=names)
        words = os.fsdecode(finished.stdout).split("\0")
        found = {file for file, value in zip(words[::3], words[2::3]) if value == "lfs"}
        is_set_up = ("config", "--get-regexp", r"^filter\.lfs\.(clean|process)$")
        return found if found and (await self._try(*is_set_up, at=path)).code == 0 else set()

    async def bare_status(self, path: str, filters: Iterable[str]) -> WorktreeStatus | None:
        """What stands in a worktree, told without running anything, without a lock or a fetch.

        A folder of new files is one entry, and nobody looks into submodules. A file of one of the
        ``filters`` that was only touched may count as changed. ``None`` where a filter's name
        can't be spelled on a command line.
        """
        names = list(filters)
        if any("=" in name or "\n" in name for name in names):
            return None
        off = [w for n in names for end in NO_FILTER for w in ("-c", f"filter.{n}.{end}")]
        arguments = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]
        arguments += ["--no-renames", "--ignore-submodules=dirty"]
        env = {**self._env, **NO_FETCH}
        finished = await self._do(f"look at {path}", *arguments, at=path, env=env, settings=off)
        return _parse_status(os.fsdecode(finished.stdout))

    async def _unfiltered_status(
        self, path: str, arguments: Sequence[str], env: Mapping[str, str]
    ) -> WorktreeStatus:
        """The status of a worktree by what can be told without a filter."""
        programs = await self._named_programs(path)
        # In a submodule git would run the filters of its own settings.
        arguments = [*arguments, "--ignore-submodules=dirty"]
        strict = self._without(programs, strict=True)
        finished = await self._try(*arguments, at=path, env=env, settings=strict, tries=1)
        uncertain: dict[str, str] = {}
        if finished.code != 0:
            lenient = self._without(programs, strict=False)
            doing = f"look at {path}"
            finished = await self._do(doing, *arguments, at=path, env=env, settings=lenient)
            uncertain = await self._may_have_changed(path, programs, env, lenient)
        status = _parse_status(os.fsdecode(finished.stdout))
        status = replace(
            status,
            changed=tuple(f for f in status.changed if f in status.staged or f not in uncertain),
            uncertain=tuple((f, name) for f, name in uncertain.items() if f not in status.staged),
        )
        return await self._with_submodules(path, status)

    async def _may_have_changed(
        self, path: str, programs: Programs, env: Mapping[str, str], settings: Sequence[str]
    ) -> dict[str, str]:
        """Files that are not as git left them and have a filter, each with its name."""
        plain = ("--name-only", "-z", "--diff-filter=M", "--ignore-submodules=all")
        doing = f"look at {path}"
        listed = await self._do(doing, "diff-files", *plain, at=path, env=env, settings=settings)
        asked = ("check-attr", "-z", "--stdin", "filter")
        finished = await self._do("read attributes", *asked, at=path, stdin=listed.stdout)
        words = os.fsdecode(finished.stdout).split("\0")
        pairs = zip(words[::3], words[2::3])
        return {file: name for file, name in pairs if name in programs.filters}

    async def _with_submodules(self, path: str, status: WorktreeStatus) -> WorktreeStatus:
        """A status with the submodules that hold uncommitted work, each of which is looked into."""
        for name in await self._submodules_of(path, status):
            place = os.path.join(path, name)
            if not os.path.lexists(os.path.join(place, ".git")):
                continue
            inner = await (await self._inside(place)).status(place)
            if inner.uncommitted or inner.submodules:
                status = replace(status, submodules=(*status.submodules, name))
            uncertain = [(os.path.join(name, file), which) for file, which in inner.uncertain]
            status = replace(status, uncertain=(*status.uncertain, *uncertain))
        return status

    async def _inside(self, place: str) -> Git:
        """The repository of a submodule, only to be looked at as well."""
        asked = ("rev-parse", "--git-common-dir")
        found = await self._do(f"look into {place}", *asked, at=place, elsewhere=True)
        common = os.path.realpath(os.path.join(place, found.text))
        where = replace(self.repository, top=place, common_dir=common, bare=False)
        return Git(self.spawner, where, self._env).looking()

    async def stage(self, path: str, files: Iterable[str], *, index: str = "") -> None:
        """Put files as they stand (or their absence) into the index."""
        files = list(files)
        # git refuses to look for these: a symbolic link took the place of their folder.
        beyond = [file for file in files if _is_beyond_link(path, file)]
        folders = {file for file in files if unreadable_entries.is_folder(path, file)}
        if folders:
            # Of a folder git takes the submodule; where a file is gone for one, it fails.
            folders -= set(await self._submodules(path, self._env_with_index(index)))
        there = set(files).difference(beyond, folders)
        await self._update_index(path, sorted(there), "--add", "--remove", "--replace", index=index)
        await self.unstage(path, (*beyond, *sorted(folders)), index=index)

    async def unstage(self, path: str, files: Iterable[str], *, index: str = "") -> None:
        """Take files out of the index; in the worktree they stay."""
        await self._update_index(path, files, "--force-remove", index=index)

    async def put_back(self, path: str, files: Iterable[str]) -> None:
        """Make files of a worktree, and their entries in its index, those of HEAD again."""
        names = b"".join(os.fsencode(file) + b"\0" for file in files)
        if names:
            given = ("--pathspec-from-file=-", "--pathspec-file-nul")
            await self._do(
                f"put the files of {path} back",
                *("checkout", "--force", "--quiet", "--no-recurse-submodules", "HEAD", *given),
                at=path,
                stdin=names,
                guarded=True,
                env={**self._env, "GIT_LITERAL_PATHSPECS": "1"},
            )

    async def _update_index(
        self, path: str, files: Iterable[str], *options: str, index: str
    ) -> None:
        names = b"".join(os.fsencode(file) + b"\0" for file in files)
        if names:
            # Else git may put a part of it beside the worktree's own.
            settings: tuple[str, ...] = ("-c", "core.splitIndex=false") if index else ()
            if self.looks:
                # A bit that goes has the file compared, by its filter.
                settings += self._without(await self._named_programs(path), strict=False)
            await self._do(
                f"stage the files of {path}",
                *("update-index", *options, "-z", "--stdin"),
                at=path,
                stdin=names,
                guarded=True,
                env=self._env_with_index(index),
                settings=settings,
            )

    def _env_with_index(self, index: str) -> Mapping[str, str]:
        return {**self._env, "GIT_INDEX_FILE": index} if index else self._env

    async def commit(
        self, path: str, message: str, hooks: str = "", *, amend: bool = False
    ) -> Commit:
        """Commit the index of a worktree, with the user's hooks; its new tip.

        ``hooks`` is a folder of hooks to take instead. They run once: what they print may look
        like a passing fault of git's.
        """
        identity = await self._identity()
        instead = ("-c", f"core.hooksPath={hooks}") if hooks else ()
        amending = ("--amend",) if amend else ()
        arguments = (*instead, "commit", "--quiet", *amending, "-m", message)
        await self._do(
            f"commit in {path}",
            *arguments,
            at=path,
            guarded=True,
            hooks=True,
            env=identity,
            tries=1 if hooks else TRIES,
        )
        return await self.head_commit(path)

    async def head_commit(self, path: str) -> Commit:
        """The commit that HEAD of a worktree is at."""
        # A hook may have left nothing to commit: such a commit differs in nothing.
        seen = (
            "diff-tree",
            "-r",
            "-M",
            "--always",
            "--shortstat",
            "--pretty=tformat:%H %P",
            "HEAD",
        )
        finished = await self._do("read HEAD", *seen, at=path)
        named, _, numbers = finished.text.partition("\n")
        id, *parents = named.split()
        return Commit(id, tuple(parents), _parse_shortstat(numbers))

    async def written_tree(self, path: str) -> str:
        """The tree of a worktree's index."""
        return (await self._do("write a tree", "write-tree", at=path)).text

    async def snapshot_tree(self, path: str, files: Iterable[str], index: str) -> str:
        """A tree of HEAD with ``files`` as they stand, made in an index of its own."""
        env = self._env_with_index(index)
        await self._do("read HEAD", "read-tree", "HEAD", at=path, env=env)
        await self.stage(path, files, index=index)
        return (await self._do("write a tree", "write-tree", at=path, env=env)).text

    async def index_tree(self, path: str, files: Iterable[str], index: str) -> str:
        """A tree of ``files`` alone, as a worktree's index has them; made in another index."""
        wanted = {os.fsencode(file) for file in files}
        listed = await self._do("read the index", "ls-files", "--stage", "-z", at=path)
        entries = (e for e in listed.stdout.split(b"\0") if e.partition(b"\t")[2] in wanted)
        env = self._env_with_index(index)
        given = b"".join(entry + b"\0" for entry in entries)
        await self._do("stage", "update-index", "-z", "--index-info", at=path, stdin=given, env=env)
        return (await self._do("write a tree", "write-tree", at=path, env=env)).text

    async def merge_into_worktree(self, path: str, commit: str, message: str) -> list[str]:
        """Merge ``commit`` inside a worktree; the files in conflict, after undoing the merge.

        For a git that cannot merge without a working tree.
        """
        identity = await self._identity()
        arguments = ("merge", "--quiet", "--no-ff", "--no-gpg-sign", "--no-verify-signatures")
        merged = await self._try(
            *(*arguments, "-m", message, commit),
            at=path,
            guarded=True,
            env=identity,
            settings=("-c", "rerere.enabled=false"),
        )
        if merged.code == 0:
            return []
        listed = await self._try("diff", "--name-only", "--diff-filter=U", "-z", at=path)
        await self._try("merge", "--abort", at=path)
        files = os.fsdecode(listed.stdout).strip("\0").split("\0")
        if files == [""]:
            raise self._error("merge", merged)
        return sorted(files)

    async def begin_merge(self, path: str, commit: str) -> tuple[str, ...]:
        """Begin to merge ``commit`` in a worktree and leave it there; the files in conflict.

        The markers show the base as well. Raises where nothing is left to resolve.
        """
        settings = ("-c", "merge.conflictStyle=diff3", "-c", "rerere.enabled=false")
        arguments = ("merge", "--quiet", "--no-commit", "--no-ff", "--no-verify-signatures")
        identity = await self._identity()
        merged = await self._try(
            *arguments, commit, at=path, guarded=True, env=identity, settings=settings
        )
        files = (await self.status(path)).unmerged
        if not files:
            raise self._error(f"leave a conflict in {path}", merged)
        return files

    async def markers_left(self, commit: str, sides: Iterable[str]) -> list[str]:
        """``file:line`` of conflict markers in a commit that none of the ``sides`` has there.

        By git's own check: a line of a document may look like one, and come from a side.
        """
        plain = ("--check", "--no-renames", "--no-ext-diff", "--no-textconv")
        found: list[set[str]] = []
        for side in sides:
            compared = await self._try("diff-tree", "-r", *plain, side, commit)
            lines = os.fsdecode(compared.stdout).split("\n")
            found.append({line[: -len(MARKER)] for line in lines if line.endswith(MARKER)})
        return sorted(set.intersection(*found))

    async def bring(self, path: str, old: str, new: str) -> None:
        """Bring index and files of a worktree from one commit to another, whatever HEAD says.

        Raises where something differs from ``old`` that is different in ``new``, or where a file
        is in the way that git does not know; nothing has changed then. Ignored files are replaced.
        """
        # Files that were only touched would count as changed.
        await self._try("update-index", "-q", "--refresh", at=path, guarded=True)
        arguments = ("read-tree", "-m", "-u", "--no-recurse-submodules", old, new)
        # Not guarded: where we are killed, git is to come to its end in the user's checkout.
        await self._do(f"bring {path} to {new[:10]}", *arguments, at=path)

    async def equal_files(self, path: str, commit: str, files: Iterable[str]) -> set[str]:
        """Those files of a worktree that hold what a commit has, after the user's filters."""
        listed = await self._do("list files", "ls-tree", "-r", "-z", "--full-tree", commit)
        entries = (entry.partition("\t") for entry in os.fsdecode(listed.stdout).split("\0"))
        wanted = {name: head.split()[-1] for head, _, name in entries if head}
        equal: set[str] = set()
        asked: list[str] = []
        for name in wanted.keys() & set(files):
            place = os.path.join(path, name)
            if os.path.islink(place):
                words = ("hash-object", "--stdin")
                link = await self._do("hash a link", *words, stdin=os.fsencode(os.readlink(place)))
                equal |= {name} if link.text == wanted[name] else set()
            elif os.path.isfile(place) and "\n" not in name:
                asked.append(name)
        names = os.fsencode("".join(f"{name}\n" for name in asked))
        arguments = ("hash-object", "--stdin-paths")
        hashed = await self._do("hash files", *arguments, at=path, stdin=names, guarded=True)
        found = zip(asked, hashed.text.splitlines())
        return equal | {name for name, blob in found if blob == wanted[name]}

    async def head_of(self, path: str) -> str:
        """The ref that a worktree has checked out; empty where it is on no branch."""
        finished = await self._try("symbolic-ref", "--quiet", "HEAD", at=path)
        return finished.text if finished.code == 0 else ""

    async def busy_with(self, path: str) -> str:
        """What of git's own is half done in a worktree; empty where nothing is."""
        folder = await self.admin_dir(path)
        found = (what for name, what in HALF_DONE.items() if _is_there(folder, name))
        return next(found, "")

    def rebased_in(self, branch: str) -> str:
        """The admin folder of the worktree in which a rebase of a branch goes on; else empty."""
        common = self.repository.common_dir
        linked = os.path.join(common, "worktrees")
        names = os.listdir(linked) if os.path.isdir(linked) else []
        for folder in (common, *(os.path.join(linked, name) for name in names)):
            for kind in ("rebase-merge", "rebase-apply"):
                if first_line(os.path.join(folder, kind, "head-name")) == f"refs/heads/{branch}":
                    return folder
        return ""

    # -- submodules ---------------------------------------------------------------------

    async def module_paths(self, path: str, commit: str = "") -> dict[str, str]:
        """The path of each submodule by its name, as the files or a commit of a checkout tell."""
        source = ("--blob", f"{commit}:.gitmodules") if commit else ("--file", ".gitmodules")
        listing = ("config", *source, "-z", "--get-regexp", MODULE_PATH)
        finished = await self._try(*listing, at=path, env=self._offline, elsewhere=True)
        entries = os.fsdecode(finished.stdout).split("\0")
        pairs = (entry.split("\n", 1) for entry in entries if "\n" in entry)
        return {key[len("submodule.") : -len(".path")]: path for key, path in pairs}

    async def pinned(self, path: str, modules: Iterable[str]) -> dict[str, str]:
        """The commits of submodules that the index of a worktree holds, by path."""
        listing = ("ls-files", "--stage", "-z", "--", *modules)
        finished = await self._do("read the index", *listing, at=path, settings=LITERAL)
        return _parse_gitlinks(finished.stdout, commit=1)

    async def update_submodules(self, path: str, sources: Mapping[str, str]) -> None:
        """Check out submodules of a worktree, each from the clone that ``sources`` names."""
        # Given on the command line, so that the shared config is not written.
        local = [w for name, url in sources.items() for w in ("-c", f"submodule.{name}.url={url}")]
        allowed = ("-c", "protocol.file.allow=always", "-c", "clone.defaultRemoteName=origin")
        doing, settings = "check out the submodules", (*allowed, *local)
        arguments = ("submodule", "--quiet", "update")
        # Where the user allows some protocols, no setting allows another one.
        only = self._env.get("GIT_ALLOW_PROTOCOL")
        env = {**self._env, **({} if only is None else {"GIT_ALLOW_PROTOCOL": f"{only}:file"})}
        await self._do(doing, *arguments, at=path, guarded=True, settings=settings, env=env)

    async def set_remotes(self, path: str, settings: Mapping[str, str]) -> None:
        """Let a submodule that was just checked out have these settings of its remotes."""
        for key, value in settings.items():
            await self._do("set the URL of a submodule", "config", key, value, at=path)

    async def mark_as_filled(self, path: str) -> None:
        """Let a submodule know what it was filled with from the clone of another worktree."""
        await self._do("mark a submodule", "update-ref", f"{FILLED}from", "HEAD", at=path)

    async def gitlinks(self, tip: str, start: str = "", *, at: str = "") -> dict[str, str]:
        """The commits of submodules in ``tip``, by path; those that are not so in ``start``."""
        if start:
            arguments = ("diff-tree", "-r", "-z", "--raw", "--no-renames", start, tip)
            words = (await self._do("compare commits", *arguments)).stdout.split(b"\0")
            pairs = zip(words[::2], words[1::2])
            # :mode mode commit commit status
            changed = ((raw.split(b" ")[1::2], file) for raw, file in pairs)
            entries = (b"%b %b\t%b" % (mode, commit, file) for (mode, commit), file in changed)
            return _parse_gitlinks(b"\0".join(entries), commit=1)
        listing = ("ls-tree", "-r", "-z", "--full-tree", tip)
        offline = self._offline
        finished = await self._do("read a commit", *listing, at=at, env=offline, elsewhere=True)
        return _parse_gitlinks(finished.stdout, commit=2)

    async def has_commit(self, commit: str, path: str) -> bool:
        """Whether a clone holds a commit; nothing is fetched to find out."""
        asked = ("cat-file", "-e", f"{commit}^{{commit}}")
        return (await self._try(*asked, at=path, env=self._offline, elsewhere=True)).code == 0

    async def is_on_remote(self, commit: str, path: str) -> bool:
        """Whether a remote of a clone has a commit, as far as the clone knows."""
        asked = ("rev-list", "-n", "1", commit, "--not", "--remotes")
        finished = await self._try(*asked, at=path, env=self._offline, elsewhere=True)
        return finished.code == 0 and not finished.text

    async def has_remote(self, path: str) -> bool:
        """Whether a clone has a remote ``origin``."""
        asked = ("config", "--get", "remote.origin.url")
        return (await self._try(*asked, at=path, env=self._offline, elsewhere=True)).code == 0

    async def was_pinned(self, commit: str, path: str, tip: str) -> bool:
        """Whether a submodule stood at a commit anywhere in the history of ``tip``."""
        asked = ("log", "-1", "--format=%H", "--no-show-signature", f"--find-object={commit}")
        finished = await self._try(*asked, tip, "--", path, settings=LITERAL)
        return finished.code == 0 and bool(finished.text)

    @property
    def _offline(self) -> Mapping[str, str]:
        """For looks into a clone whose settings an agent may have written."""
        return {**self._env, **NO_FETCH}

    def _clone_of_submodule(self, name: str) -> str:
        clone = os.path.join(self.repository.common_dir, "modules", name)
        return clone if os.path.isdir(clone) else ""

    async def unpublished_commits(self, path: str, name: str) -> int:
        """How many commits of a submodule are neither on a remote nor in our clone.

        ``path`` is its checkout, or its git folder. What another worktree's clone had, from which
        it was filled, is kept by that one.
        """
        left_out = ("--not", "--remotes", f"--glob={FILLED}*")
        arguments = ("rev-list", "HEAD", "--branches", *left_out)
        env = self._env
        if _is_there(path, "objects"):
            # The checkout may be gone: to a git that looks for it that is an error.
            env = {**env, "GIT_DIR": path, "GIT_WORK_TREE": path}
        finished = await self._try(*arguments, at=path, env=env, elsewhere=True)
        clone = self._clone_of_submodule(name)
        if finished.code != 0 or not clone:
            return len(finished.text.split()) or finished.code
        listed = ("cat-file", "--batch-check")
        known = await self._do(
            "look for commits", *listed, at=clone, stdin=finished.stdout, elsewhere=True
        )
        return sum(line.endswith(" missing") for line in known.text.splitlines())

    # -- what git would execute -----------------------------------------------------------

    async def hooks_folder(self, path: str = "") -> str:
        """Where the hooks are, of a worktree or of all; relative where each has its own."""
        asked = ("config", "--type=path", "--get", "core.hooksPath")
        finished = await self._try(*asked, at=path, hooks=True)
        return finished.text or os.path.join(self.repository.common_dir, "hooks")

    async def modes(self, commit: str, folder: str) -> dict[str, str]:
        """The modes, by name, of what a folder of a commit holds; format: git-ls-tree(1)."""
        arguments = ("ls-tree", "-z", "--full-tree", commit, "--", f"{os.path.normpath(folder)}/")
        finished = await self._do("read a commit", *arguments)
        entries = (e.partition("\t") for e in os.fsdecode(finished.stdout).split("\0") if e)
        return {os.path.basename(path): entry.split(" ")[0] for entry, _, path in entries}

    async def settings(self, file: str) -> list[tuple[str, str, str]]:
        """File, key and value of all that a config file says, and what it includes.

        Format: git-config(1), ``--show-origin`` and ``--null``.
        """
        return await self._settings("--file", file, "--includes")

    async def settings_in(self, path: str) -> list[tuple[str, str, str]]:
        """The same of all that git goes by in a folder, from every config file."""
        return await self._settings(at=path)

    async def _settings(self, *of: str, at: str = "") -> list[tuple[str, str, str]]:
        arguments = ("config", *of, "--show-origin", "--null", "--list")
        finished = await self._do("read the settings", *arguments, at=at)
        words = os.fsdecode(finished.stdout).split("\0")
        pairs = (
            (origin[len("file:") :], *entry.partition("\n"))
            for origin, entry in zip(words[::2], words[1::2])
            if origin.startswith("file:")
        )
        folder = at or os.curdir
        return [
            (os.path.normpath(os.path.join(folder, origin)), key, value)
            for origin, key, _, value in pairs
        ]

    # -- another repository ---------------------------------------------------------------

    def at(self, repository: Repository) -> Git:
        """git in another repository, with the same environment."""
        return Git(self.spawner, repository, self._env)

    async def init_bare(self, path: str, *, sha256: bool = False) -> None:
        """Make an empty bare repository, with no hooks and nothing of a template."""
        format = ("--object-format=sha256",) if sha256 else ()
        arguments = ("init", "--quiet", "--bare", "--template=", *format, "--", path)
        plain = self.acting()
        await plain._do("make a repository", *arguments, at=os.path.dirname(path))

    async def create_refs(self, refs: Mapping[str, str]) -> None:
        """Create refs, all or none."""
        listed = "".join(f"create {ref} {commit}\n" for ref, commit in refs.items())
        await self._do("write refs", "update-ref", "--stdin", stdin=os.fsencode(listed))

    async def effective_settings(self) -> list[tuple[str, str]]:
        """Key and value of every setting, also those of the user and of the system, in order."""
        finished = await self._do("read its settings", "config", "--null", "--list")
        entries = os.fsdecode(finished.stdout).split("\0")
        pairs = (entry.partition("\n") for entry in entries if entry)
        return [(key, value) for key, _, value in pairs]

    async def room_for(self, commit: str, block_bytes: int) -> int:
        """How much disk the files of a commit take, in whole blocks; 0 where that can't be told.

        Of a sparse checkout, only those that the main checkout has.
        """
        arguments = ("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit)
        # Where blobs are fetched on demand, they are not fetched for this.
        finished = await self._try(*arguments, env={**self._env, **NO_FETCH})
        left_out = await self._left_out()
        entries = (entry.partition(b"\t") for entry in finished.stdout.split(b"\0") if entry)
        sizes = [head.split()[-1] for head, _, path in entries if path not in left_out]
        blocks = (-(-int(size) // block_bytes) if size.isdigit() else 1 for size in sizes)
        return sum(blocks) * block_bytes

    async def _left_out(self) -> set[bytes]:
        """The files that a sparse checkout leaves out."""
        sparse = await self._try("config", "--type=bool", "--get", "core.sparseCheckout")
        if self.repository.bare or sparse.text != "true":
            return set()
        listed = await self._try("ls-files", "-t", "-z", at=self.repository.top)
        entries = (entry.partition(b" ") for entry in listed.stdout.split(b"\0"))
        return {path for tag, _, path in entries if tag == b"S"}

    # -- who commits --------------------------------------------------------------------

    def has_variable(self, name: str) -> bool:
        """Whether the user's own environment sets a variable for git."""
        return name in self._env

    async def pin_identity(self) -> None:
        """From now on commits of ours are by whom they would be by now, whatever is set later."""
        for role in ("AUTHOR", "COMMITTER"):
            asked = ("var", f"GIT_{role}_IDENT")
            finished = await self._try(*asked)
            if finished.code != 0:
                # Nobody's name is known, or git failed by chance: that would stand in all commits.
                finished = await self._try(*asked)
            known = IDENTITY.match(os.fsdecode(finished.stdout))
            name, email = known.groups() if known else ("RoRchestrator", "rorchestrator@localhost")
            self._who[f"GIT_{role}_NAME"], self._who[f"GIT_{role}_EMAIL"] = name, email

    async def _identity(self) -> Mapping[str, str]:
        if not self._who:
            await self.pin_identity()
        return {**self._env, **self._who}


async def open_repository(spawner: Spawner, path: str, environ: Mapping[str, str]) -> Git:
    """The repository that ``path`` lies in.

    Raises :class:`UserError` where there is none, where git is too old, or where git
    refuses it (as it does for a folder of somebody else's).
    """
    if not os.path.isdir(path):
        raise UserError(f"the folder {path} does not exist", hint="mend project.repo_path")
    env = _environment(environ)
    version = await git_version(spawner, env)
    question = ("--is-bare-repository", "--is-shallow-repository", "--git-common-dir")
    argv = ["git", "-C", path, *QUIET, "rev-parse", *question, "--show-cdup"]
    finished = await spawner.run(argv, env=env)
    if finished.code != 0:
        raise _no_repository(path, environ.get("HOME", ""), finished)
    bare, shallow, common, *cdup = finished.text.split("\n")
    common_dir = os.path.realpath(os.path.join(path, common))
    up = cdup[0] if cdup else ""
    top = common_dir if bare == "true" else os.path.realpath(os.path.join(path, up))
    repository = Repository(top, common_dir, bare == "true", shallow == "true", version)
    return Git(spawner, repository, environ)


def _no_repository(path: str, home: str, finished: Finished) -> UserError:
    """Why git does not work in ``path``, in its own words where there is a repository."""
    if _repository_above(path):
        return _refused(f"git refuses the repository of {path}", finished)
    here = os.path.realpath(path)
    if here in (os.path.realpath(home or os.sep), os.sep):
        # Nobody means to commit all of it.
        hint = "type it in the repository, or set project.repo_path"
    else:
        hint = "git init && git add . && git commit -m 'Initial commit'"
    return UserError(f"{path} is not in a git repository", hint=hint)


def _refused(what: str, finished: Finished) -> UserError:
    """What git refuses, and what it said."""
    said = tuple(line for line in excerpt(finished.complaint).splitlines() if line.strip())
    return UserError(what, hint="do what git asks for, then type this again", details=said)


def _repository_above(path: str) -> bool:
    """Whether a folder, or one above it, is or holds what git takes for a repository."""
    folder = os.path.realpath(path)
    if _is_there(folder, ".git") or (_is_there(folder, "HEAD") and _is_there(folder, "objects")):
        return True
    parent = os.path.dirname(folder)
    return parent != folder and _repository_above(parent)


async def git_version(spawner: Spawner, env: Mapping[str, str]) -> tuple[int, int]:
    """git's version. Raises :class:`UserError` where it is missing, too old, or won't start."""
    try:
        finished = await spawner.run(["git", "version"], env=env)
    except UserError:
        raise UserError("git was not found", hint="install git 2.25 or newer") from None
    if finished.code != 0:
        raise _refused("git does not start", finished)
    numbers = re.search(r"(\d+)\.(\d+)", finished.text)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if version < OLDEST:
        raise UserError(
            f"{finished.text or 'this git'} is too old", hint="install git 2.25 or newer"
        )
    return version


def config_text(settings: Iterable[tuple[str, str]]) -> str:
    """Keys and values as a config file has them; format: git-config(1), "Syntax"."""
    return "".join(_config_entry(key, value) for key, value in settings)


def _config_entry(key: str, value: str) -> str:
    section, _, rest = key.partition(".")
    subsection, dot, name = rest.rpartition(".")
    heading = f'{section} "{_escaped(subsection)}"' if dot else section
    words = _escaped(value).replace("\n", "\\n").replace("\t", "\\t").replace("\b", "\\b")
    return f'[{heading}]\n\t{name} = "{words}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(path: str) -> str:
    """A path as git reads it in a list of alternates; format: git(1)."""
    return '"' + _escaped(path).replace("\n", "\\n") + '"'


def _parts(path: bytes) -> list[bytes]:
    return path.lower().split(b"/")


def _jitter(seconds: float) -> float:
    import random  # 3 ms that a start need not take

    return random.uniform(0, seconds)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in without_git(environ).items() if not _alters_answers(n, v)}
    # English messages; but not LC_ALL=C, in which some hooks can't read a UTF-8 file.
    locale = kept.pop("LC_ALL", "")
    return {
        **kept,
        **({"LC_CTYPE": locale} if locale else {}),
        "LC_MESSAGES": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_EDITOR": "true",
    }


def _alters_answers(name: str, value: str) -> bool:
    """Whether a variable of the user's changes what git prints, or how it reads our words."""
    # Only a file takes a trace away from what is read here: /dev/stdout and /proc/self/fd/1 do not.
    traces = not os.path.isabs(value) or value.startswith(("/dev/", "/proc/"))
    return name in ALTERING or (name.startswith("GIT_TRACE") and traces)


def _may_pass(arguments: Sequence[str], failed: Finished) -> bool:
    """Whether a command that failed is worth a second try; a refusal is not."""
    repeatable = arguments[0] in REPEATABLE or tuple(arguments[:2]) == ("worktree", "list")
    refused = any(words in failed.stderr for words in (b"cannot lock ref", os.fsencode(DRIVER)))
    return repeatable and failed.code != 1 and not refused


def _global_attributes(settings: bytes, env: Mapping[str, str]) -> str:
    """The user's own attributes file, as git finds it; ``settings`` as ``config --list -z``."""
    for entry in reversed(os.fsdecode(settings).split("\0")):
        name, _, value = entry.partition("\n")
        if name == "core.attributesfile":
            return os.path.expanduser(value)
    home = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME", ""), ".config")
    return os.path.join(home, "git", "attributes")


def _reachable(tip: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    """The commits of ``tip`` that have an entry in ``parents``."""
    found: set[str] = set()
    todo = [tip]
    while todo:
        commit = todo.pop()
        if commit in parents and commit not in found:
            found.add(commit)
            todo += parents[commit]
    return found


def _are_ids(*names: str) -> bool:
    return all(ID.fullmatch(name) for name in names)


def _change(patch: bytes) -> str:
    """A hash of a patch without the places in it, as git-patch-id(1), but exact.

    git's own ignores white space and, before 2.39, what is in a binary file.
    """
    import hashlib

    return hashlib.sha256(HUNK.sub(b"@@", TEXT_INDEX.sub(b"", patch))).hexdigest()


def _parse_shortstat(text: str) -> DiffStat:
    found = re.findall(r"(\d+) (file|insertion|deletion)", text)
    numbers = {word: int(number) for number, word in found}
    return DiffStat(numbers.get("file", 0), numbers.get("insertion", 0), numbers.get("deletion", 0))


def _worktree_entry(block: str) -> WorktreeEntry:
    entry = WorktreeEntry("")
    for line in block.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "worktree":
            entry = replace(entry, path=rest)
        elif word == "HEAD":
            entry = replace(entry, commit=rest)
        elif word == "branch":
            entry = replace(entry, branch=rest[len("refs/heads/") :])
        elif word == "locked":
            entry = replace(entry, locked=rest)
        elif word == "prunable":
            entry = replace(entry, prunable=True)
    return entry


def _parse_names(lines: Iterable[str], commits: Sequence[str]) -> list[frozenset[str]]:
    """The lines between that of each commit and that of the next."""
    found: list[set[str]] = []
    for line in lines:
        if len(found) < len(commits) and line == commits[len(found)]:
            found.append(set())
        else:
            found[-1].add(line)
    return [frozenset(files) for files in found]


def _parse_status(text: str) -> WorktreeStatus:
    head = {"branch.oid": "", "branch.head": ""}
    changed: list[str] = []
    untracked: list[str] = []
    ignored: list[str] = []
    unmerged: list[str] = []
    added: list[str] = []
    staged: list[str] = []
    indexed: list[str] = []
    submodules: list[str] = []
    moved: list[str] = []
    for entry in text.split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            head[name] = value
        elif kind == "1":
            states, submodule, _, _, _, _, _, path = rest.split(" ", 7)
            if submodule[2:] != "..":
                submodules.append(path)
            if states != ".M" or submodule[:2] != "S.":
                changed.append(path)
            if states[0] != ".":
                staged.append(path)
            if (states, submodule) == (".M", "SC.."):
                moved.append(path)
            if "A" in states:
                added.append(path)
            if "." not in states and states[0] != "D":
                indexed.append(path)
        elif kind == "u":
            unmerged.append(rest.split(" ", 9)[9])
        elif kind == "?":
            untracked.append(rest)
        elif kind == "!":
            ignored.append(rest)
    return WorktreeStatus(
        branch=head["branch.head"],
        commit=head["branch.oid"],
        changed=tuple(changed),
        untracked=tuple(untracked),
        ignored=tuple(ignored),
        unmerged=tuple(unmerged),
        added=tuple(added),
        indexed=tuple(indexed),
        submodules=tuple(submodules),
        staged=tuple(staged),
        moved=tuple(moved),
    )


def _parse_gitlinks(entries: bytes, *, commit: int) -> dict[str, str]:
    """Commit by path of the submodules among entries of mode, further words and path."""
    links: dict[str, str] = {}
    for entry in entries.split(b"\0"):
        words, _, path = entry.partition(b"\t")
        if words.startswith(b"160000 "):
            links[os.fsdecode(path)] = os.fsdecode(words.split(b" ")[commit])
    return links


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def _is_there(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))


def first_line(path: str) -> str:
    """The first line of a small file of git's; empty where it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().rstrip("\n")
    except OSError:
        return ""


def _is_plain(path: str, name: str) -> bool:
    """Whether it is a folder, and no repository."""
    return unreadable_entries.is_folder(path, name) and not os.path.lexists(
        os.path.join(path, name, ".git")
    )


def _is_beyond_link(path: str, file: str) -> bool:
    folder = os.path.dirname(file)
    return bool(folder) and os.path.realpath(os.path.join(path, folder)) != os.path.join(
        os.path.realpath(path), folder
    )
