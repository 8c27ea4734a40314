"""`Git`: runs git commands in one repository; refs, commits and ancestry.

Answers come from exit codes and porcelain formats, never from prose. A change that git refuses
raises :class:`GitError`; questions return a value.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ..journal import private_files
from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass
from ..process.environment import without_git
from ..process.spawner import Finished, Spawner
from ..process.temporary_folder import ScratchFolder
from .answer_cache import Answers
from .filters_and_drivers import DRIVER, Programs, named_by, withheld
from .output import WorktreeEntry, config_text, escaped
from .paths import is_below
from .refs import HEADS

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


LISTED = ("worktree", "list")
OBJECTS = "objects"


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


ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The whole name of an object: what it stands for never changes."""


LITERAL = ("--literal-pathspecs",)


IDENTITY = re.compile(r"(.*) <(.*)> \d+ [+-]\d+\n?\Z", re.DOTALL)
"""What git-var(1) prints."""


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


class Git:
    """git, in one repository."""

    is_read_only = False
    """Whether it only looks: no program of the user's runs, nothing is fetched or written."""

    log = ""
    """A file for what git said, where that is too long for a message."""

    def __init__(
        self, spawner: Spawner, repository: Repository, environ: Mapping[str, str]
    ) -> None:
        self.spawner = spawner
        self.repository = repository
        self.environ = environment(environ)
        self.scratch = ScratchFolder()
        self.answers = Answers()
        """What git said of commits that were named by their whole ids: it never changes."""
        self.listed: list[WorktreeEntry] | None = None
        self.real_paths: dict[str, str] = {}
        self.since: dict[tuple[str, str], dict[str, str]] = {}
        self._who: dict[str, str] = {}
        """Who commits, as variables of git's."""
        self.attributes: dict[str, str] = {}
        """Where the attributes of a tree are."""
        self._programs: dict[str, Programs] = {}

    def using(self, spawner: Spawner) -> Git:
        """The same repository, with commands run by another spawner."""
        same = Git.__new__(Git)
        same.__dict__.update(self.__dict__, spawner=spawner)
        return same

    def read_only(self) -> Git:
        """The same repository, only to be looked at.

        What it can't tell that way raises :class:`Unknown`. Objects that it makes are in a
        folder of its own, and gone with it.
        """
        same = self.using(self.spawner)
        same.is_read_only = True
        return same

    def writable(self) -> Git:
        """The same repository, in which git may do as the user's settings say."""
        if not self.is_read_only:
            return self
        same = Git(self.spawner, self.repository, self.environ)
        same._who, same.log = self._who, self.log
        return same

    @property
    def merges_without_worktree(self) -> bool:
        """Whether this git has ``merge-tree --write-tree``."""
        return self.repository.version >= MERGE_TREE

    # -- running git ------------------------------------------------------------------

    async def try_run(
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
        if self.is_read_only and not self._only_asks(arguments, env or {}):
            raise ValueError(f"git {arguments[0]} does more than look")
        folder = at or self.repository.common_dir
        quiet = QUIET if hooks else (*QUIET, *NO_HOOKS)
        named = EXPLICIT if is_below(folder, self.repository.common_dir) else ()
        argv = ["git", "-C", folder, *quiet, *named, *settings, *arguments]
        env = {**(env or self.environ), **self._restrictions(elsewhere)}
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
        return os.path.join(self.scratch.folder("index"), "index")

    @property
    def _lacks_objects(self) -> bool:
        """Whether a second try will miss the same objects."""
        return self.is_read_only and self._programs.get("", Programs()).is_partial

    def _restrictions(self, elsewhere: bool) -> Mapping[str, str]:
        """Variables that let git neither fetch nor write, where we only look."""
        if not self.is_read_only:
            return {}
        objects = self.scratch.existing(OBJECTS)
        if elsewhere or not objects:
            return NO_FETCH
        borrowed = _quoted(os.path.join(self.repository.common_dir, "objects"))
        return {
            **NO_FETCH,
            "GIT_OBJECT_DIRECTORY": objects,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": borrowed,
        }

    async def run(
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
        finished = await self.try_run(
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
            raise await self.refusal(doing, finished)
        return finished

    async def refusal(self, doing: str, finished: Finished) -> UserError:
        """What to raise where git refused."""
        error = self.error(doing, finished)
        if self.is_read_only and (await self.named_programs()).is_partial:
            return Unknown(f"unknown, for objects are not here and are not fetched: {error}")
        return error

    def error(self, doing: str, finished: Finished) -> GitError:
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

    # -- the user's programs ---------------------------------------------------------

    async def named_programs(self, at: str = "") -> Programs:
        """The programs that git's settings name in a worktree, or for the repository."""
        if "" not in self._programs:
            self._programs[""] = await self._read_programs("")
        if at and self._programs[""].varies and at not in self._programs:
            self._programs[at] = await self._read_programs(at)
        return self._programs.get(at, self._programs[""])

    async def _read_programs(self, at: str) -> Programs:
        listed = await self.try_run("config", "--list", "--name-only", "--includes", "-z", at=at)
        if listed.code != 0:
            raise self.error("read its settings", listed)
        return named_by(os.fsdecode(listed.stdout).split("\0"))

    def without(self, programs: Programs, *, strict: bool) -> tuple[str, ...]:
        """Options by which git starts none of the programs."""
        if programs.is_empty:
            return ()
        words = os.fsencode(config_text(withheld(programs, strict=strict)))
        # A file, for the name of a filter may hold what an option can't.
        path = self.scratch.write(f"{zlib.crc32(words):08x}.config", words)
        return ("-c", f"include.path={path}")

    async def settings_fingerprint(self) -> str:
        """A hash of all that answers about commit ids depend on beside the ids; else empty.

        Empty where the user replaces objects or history, so that ids do not mean what they were.
        """
        import hashlib

        common = self.repository.common_dir
        grafts = os.path.join(common, "info", "grafts")
        if os.path.exists(grafts) or await self.refs("refs/replace/"):
            return ""
        listed = (
            await self.run("read its settings", "config", "--list", "--includes", "-z")
        ).stdout
        own = os.path.join(common, "info", "attributes")
        parts = [repr(self.repository.version).encode(), listed]
        for path in (own, _global_attributes(listed, self.environ), "/etc/gitattributes"):
            with suppress(OSError), open(path, "rb") as file:
                parts.append(file.read())
        return hashlib.sha256(b"\0\0".join(parts)).hexdigest()

    # -- refs and commits ---------------------------------------------------------------

    async def refs(self, *prefixes: str) -> dict[str, str]:
        """Object ids by full ref name, of all refs below ``prefixes``."""
        wanted = "--format=%(objectname) %(refname)"
        finished = await self.run("list its refs", "for-each-ref", wanted, *prefixes)
        pairs = (line.split(" ", 1) for line in finished.text.split("\n") if line)
        return {name: commit for commit, name in pairs}

    async def commit_of(self, revision: str, *, at: str = "") -> str:
        """The commit that ``revision`` names; empty where there is none.

        ``at`` is the worktree whose HEAD is meant.
        """
        if revision.startswith(("-", "^")):
            return ""
        spelled = f"{revision}^{{commit}}"
        finished = await self.try_run("rev-parse", "--verify", "--quiet", spelled, at=at)
        return finished.text if finished.code == 0 else ""

    async def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        known = self.answers.get("tree", commit)
        if known is not None:
            return known
        spelled = f"{commit}^{{tree}}"
        finished = await self.run("read a commit", "rev-parse", "--verify", spelled)
        if _are_ids(commit):
            self.answers.put(finished.text, "tree", commit)
        return finished.text

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``."""
        if _are_ids(older, newer):
            return await self.merge_base(older, newer) == older
        return (await self.try_run("merge-base", "--is-ancestor", older, newer)).code == 0

    async def independent(self, commits: Sequence[str]) -> list[str]:
        """Those of ``commits`` that no other one contains."""
        arguments = ("merge-base", "--independent", *commits)
        return (await self.run("compare commits", *arguments)).text.split()

    async def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor; empty where the histories have none."""
        pair = (min(one, other), max(one, other))
        known = self.answers.get("base", *pair)
        if known is not None:
            return known
        finished = await self.try_run("merge-base", *pair)
        base = finished.text if finished.code == 0 else ""
        if base and self.is_lasting(*pair):
            self.answers.put(base, "base", *pair)
        return base

    def is_lasting(self, *commits: str) -> bool:
        """Whether an answer stays true: a shallow clone may be given more of its history."""
        return _are_ids(*commits) and not self.repository.shallow

    async def create_ref(self, ref: str, commit: str) -> bool:
        """Create a ref. False where it exists already: then it was not touched."""
        finished = await self.try_run("update-ref", ref, commit, "")
        if finished.code != 0 and not await self.commit_of(ref):
            raise self.error(f"make {ref}", finished)
        return finished.code == 0

    async def symbolic_ref(self, ref: str, *, at: str = "") -> str:
        """The ref that a symbolic one stands for; empty for one that is none."""
        finished = await self.try_run("symbolic-ref", "--quiet", ref, at=at)
        return finished.text if finished.code == 0 else ""

    async def move_ref(self, ref: str, commit: str, old: str, *, at: str = "") -> None:
        """Move a ref that still is at ``old`` (compare-and-swap).

        ``at`` is the worktree that has it checked out: so the log of its HEAD tells of it.
        """
        arguments = ("update-ref", "-m", "rorchestrator merge", ref, commit, old)
        await self.run(f"move {ref}", *arguments, at=at)

    async def delete_ref(self, ref: str, old: str) -> str:
        """Delete a ref that still is at ``old`` (compare-and-swap); why it stays, where it does."""
        finished = await self.try_run("update-ref", "-d", ref, old)
        if finished.code == 0:
            return ""
        short = ref.removeprefix(HEADS)
        if await self.commit_of(ref) != old:
            return f"{short} moved in the meantime"
        return GitError(f"delete {short}", finished).message

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Write a commit of ``tree``, without a lock and without a working tree."""
        given = [word for parent in parents for word in ("-p", parent)]
        arguments = ("commit-tree", "--no-gpg-sign", *given, "-m", message, tree)
        self.redirect_objects()
        return (await self.run("write a commit", *arguments, env=await self.identity())).text

    def redirect_objects(self) -> None:
        """From now on new objects go where they are nobody's, if we only look."""
        if self.is_read_only:
            self.scratch.folder(OBJECTS)

    # -- another repository ---------------------------------------------------------------

    def at(self, repository: Repository) -> Git:
        """git in another repository, with the same environment."""
        return Git(self.spawner, repository, self.environ)

    # -- who commits --------------------------------------------------------------------

    def has_variable(self, name: str) -> bool:
        """Whether the user's own environment sets a variable for git."""
        return name in self.environ

    async def pin_identity(self) -> None:
        """From now on commits of ours are by whom they would be by now, whatever is set later."""
        for role in ("AUTHOR", "COMMITTER"):
            asked = ("var", f"GIT_{role}_IDENT")
            finished = await self.try_run(*asked)
            if finished.code != 0:
                # Nobody's name is known, or git failed by chance: that would stand in all commits.
                finished = await self.try_run(*asked)
            known = IDENTITY.match(os.fsdecode(finished.stdout))
            name, email = known.groups() if known else ("RoRchestrator", "rorchestrator@localhost")
            self._who[f"GIT_{role}_NAME"], self._who[f"GIT_{role}_EMAIL"] = name, email

    async def identity(self) -> Mapping[str, str]:
        if not self._who:
            await self.pin_identity()
        return {**self.environ, **self._who}


def _quoted(path: str) -> str:
    """A path as git reads it in a list of alternates; format: git(1)."""
    return '"' + escaped(path).replace("\n", "\\n") + '"'


def _jitter(seconds: float) -> float:
    import random  # 3 ms that a start need not take

    return random.uniform(0, seconds)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
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


def _are_ids(*names: str) -> bool:
    return all(ID.fullmatch(name) for name in names)
