"""`Git` runs git commands in one repository: refs, commits, ancestry, identity.

Answers come from exit codes and porcelain formats, never from messages. A failed change raises
:class:`GitError`; a question returns a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ..journal import private_files
from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass
from ..model.patterns import pattern
from ..model.translate import N_
from ..process.scratch_folder import ScratchFolder
from ..process.spawner import Finished, Spawner, start_early
from .ahead import LIST_REFS, NO_FETCH, argv_of, environment
from .answer_cache import Answers
from .refs import DRIVER, HEADS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .filters_and_drivers import Programs
    from .known_settings import Known
    from .output import WorktreeEntry

MERGE_TREE = (2, 38)
"""The first git with ``merge-tree --write-tree``, which merges without a working tree."""

READ_COMMANDS = frozenset(
    {
        *("cat-file", "check-attr", "check-ignore", "commit-tree", "config", "diff-files"),
        *("diff-tree", "for-each-ref", "grep", "ls-files", "ls-tree", "merge-base"),
        *("log", "merge-tree", "rev-list", "rev-parse", "show", "status", "symbolic-ref", "var"),
    }
)
"""The commands of a read-only git."""

WRITES_INDEX = frozenset({"read-tree", "update-index", "write-tree"})
"""A read-only git has these for its temporary index."""


LISTED = ("worktree", "list")
OBJECTS = "objects"


TRANSIENT = pattern(
    rb"\.lock': File exists|failed to read .*worktrees/"
    rb"|bad object worktrees/|could not lock config file"
    # Another worktree is removed while git reads them all.
    rb"|Invalid path '[^']*/worktrees/"
    # The user's gc prunes a worktree that is being added.
    rb"|could not (?:open|create \w+ of) '[^']*worktrees/"
    # The user's gc removes an empty object folder just before git writes into it.
    rb"|unable to create temporary file: No such file or directory"
)
"""Not ``cannot lock ref``: a failed compare-and-swap begins with it too."""
TRIES = 8

REPEATABLE = frozenset(
    (
        *("check-ignore", "commit-tree", "diff", "diff-tree", "for-each-ref", "grep", "ls-files"),
        *("ls-tree", "merge-base", "merge-tree", "rev-list", "rev-parse", "show", "status"),
        *("symbolic-ref", "update-ref", "write-tree"),
    )
)
"""Commands that are safe to run twice: a crash may be a moment without memory."""

REPEAT_SECONDS = 0.2

PATHS_AT_ONCE = 500
"""Paths in one command line, whose length the system limits."""


ID = pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A full object id; what it names never changes."""


LITERAL = ("--literal-pathspecs",)


IDENTITY = pattern(r"(.*) <(.*)> \d+ [+-]\d+\n?\Z", re.DOTALL)
"""An identity as git-var(1) prints it."""


FAILED = (
    N_("git could not {doing}: {said}"),
    N_("git could not {doing}: exit {code}"),
    N_("git could not merge: {said}"),
    N_("git could not move {ref}: {said}"),
)
"""The first one says them all. The others are for the catalogue, which has no single words."""


class GitError(UserError):
    """A git command failed. ``complaint`` is its whole output; the file ``log`` may have it too."""

    def __init__(self, doing: str, finished: Finished, log: str = "") -> None:
        self.complaint = finished.complaint
        said = excerpt(self.complaint, whole=log) or f"exit {finished.code}"
        super().__init__(FAILED[0].format(doing=doing, said=said))


class Unknown(UserError):
    """An answer that needs a program of the user's, or a fetch."""


@dataclass(frozen=True)
class Repository:
    """A repository; ``worktrees_path`` is relative to ``top``."""

    top: str
    common_dir: str
    bare: bool
    shallow: bool
    version: tuple[int, int]


class Git:
    """git in one repository."""

    is_read_only = False
    """Whether it runs no program of the user's, fetches nothing and writes nothing."""

    log = ""
    """A file for output of git that is too long for a message."""

    def __init__(
        self, spawner: Spawner, repository: Repository, environ: Mapping[str, str]
    ) -> None:
        self.spawner = spawner
        self.repository = repository
        self.environ = environment(environ)
        self.scratch = ScratchFolder()
        self.answers = Answers()
        """Answers about full commit ids, which never change."""
        self.config_files: dict[str, tuple[Sequence[int], list[tuple[str, str, str]]]] = {}
        """The entries of config files that did not change since, each with its file's stamp."""
        self.known_settings: list[Known] = []
        """Those of every checkout, if they are remembered."""
        self.listed: list[WorktreeEntry] | None = None
        self.real_paths: dict[str, str] = {}
        self.changes_since: dict[tuple[str, str], dict[str, str]] = {}
        self._identity: dict[str, str] = {}
        """Author and committer, as git's environment variables."""
        self.attributes: dict[str, str] = {}
        """By tree, the folder with its ``.gitattributes`` files."""
        self._programs: dict[str, Programs] = {}

    def using(self, spawner: Spawner) -> Git:
        """The same repository with another spawner."""
        same = Git.__new__(Git)
        same.__dict__.update(self.__dict__, spawner=spawner)
        return same

    def read_only(self) -> Git:
        """A read-only git in the same repository.

        It raises :class:`Unknown` for an answer that needs more. Objects that it writes go to a
        temporary folder.
        """
        same = self.using(self.spawner)
        same.is_read_only = True
        return same

    def writable(self) -> Git:
        """A git that may change the same repository and run the user's programs."""
        if not self.is_read_only:
            return self
        same = Git(self.spawner, self.repository, self.environ)
        same._identity, same.log = self._identity, self.log
        return same

    @property
    def merges_without_worktree(self) -> bool:
        """Whether git has ``merge-tree --write-tree``."""
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
        """Run git. ``elsewhere``: in another repository than this one."""
        if self.is_read_only and not self._only_reads(arguments, env or {}):
            raise ValueError(
                N_("git {command} is not a read-only command").format(command=arguments[0])
            )
        common = self.repository.common_dir
        argv = argv_of(at or common, common, *settings, *arguments, hooks=hooks)
        env = self._env(env, elsewhere=elsewhere)
        number, lock = 0, None
        while True:
            number += 1
            finished = await self.spawner.run(argv, env=env, stdin=stdin, guarded=guarded)
            if finished.code == 0:
                return finished
            if number == 1 and b".lock'" in finished.stderr:
                from .left_lock import LeftLock  # costs time, only here

                lock = LeftLock(common, finished.stderr)
            if number == tries > 1 and lock and lock.is_removed(finished.stderr):
                continue
            if number >= tries:
                return finished
            if TRANSIENT.search(finished.stderr):
                await self.spawner.pause(_jitter(0.05 * 2**number))
            elif (
                number == 1 and not self._lacks_objects and _is_worth_retrying(arguments, finished)
            ):
                await self.spawner.pause(REPEAT_SECONDS)
            else:
                return finished

    def begin(self, *arguments: str, at: str, settings: Sequence[str]) -> None:
        """Start a command for whoever runs the same later; see :func:`start_early`."""
        common = self.repository.common_dir
        start_early(argv_of(at, common, *settings, *arguments), self._env(None))

    def _env(self, env: Mapping[str, str] | None, *, elsewhere: bool = False) -> dict[str, str]:
        return {**(env or self.environ), **self.restrictions(elsewhere=elsewhere)}

    def _only_reads(self, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a command changes nothing outside of the temporary folder."""
        if arguments[0] in WRITES_INDEX:
            return env.get("GIT_INDEX_FILE") == self.spare_index()
        return arguments[0] in READ_COMMANDS or tuple(arguments[:2]) == LISTED

    def spare_index(self) -> str:
        """The path of a temporary index for a read-only git."""
        return os.path.join(self.scratch.folder("index"), "index")

    @property
    def _lacks_objects(self) -> bool:
        """Whether objects may be missing that are not fetched: a retry would fail as well."""
        known = self._programs.get("")
        return self.is_read_only and known is not None and known.is_partial

    def restrictions(self, *, elsewhere: bool = False) -> Mapping[str, str]:
        """Variables that keep a read-only git from fetching and writing."""
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
        """The error to raise for a failed command."""
        error = self.error(doing, finished)
        if self.is_read_only and (await self.named_programs()).is_partial:
            return Unknown(
                N_(
                    "unknown: this partial clone lacks objects, and none are fetched: {error}"
                ).format(error=error)
            )
        return error

    def error(self, doing: str, finished: Finished) -> GitError:
        """The error of a failed command; output too long for a message goes to the log."""
        said = finished.complaint
        return GitError(
            doing, finished, self._logged(said) if self.log and excerpt(said) != said else ""
        )

    def _logged(self, said: str) -> str:
        """Append a text to the log; the path of the log, or empty if that failed."""
        try:
            private_files.make_folder(os.path.dirname(self.log), 2)
            descriptor = private_files.open_file(self.log, os.O_WRONLY | os.O_APPEND)
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(f"{said}\n")
        except OSError:  # The disk may be full, which git's message says.
            return ""
        return self.log

    # -- the user's programs ---------------------------------------------------------

    async def named_programs(self, at: str = "") -> Programs:
        """The filters and merge drivers in git's settings, of a worktree or the repository."""
        if "" not in self._programs:
            self._programs[""] = await self._read_programs("")
        if at and self._programs[""].differs_by_worktree and at not in self._programs:
            self._programs[at] = await self._read_programs(at)
        return self._programs.get(at, self._programs[""])

    async def _read_programs(self, at: str) -> Programs:
        listed = await self.try_run("config", "--list", "--name-only", "--includes", "-z", at=at)
        if listed.code != 0:
            raise self.error(N_("read its settings"), listed)
        from .filters_and_drivers import programs_in

        return programs_in(os.fsdecode(listed.stdout).split("\0"))

    def without(self, programs: Programs, *, strict: bool) -> tuple[str, ...]:
        """Options that disable the programs."""
        if programs.is_empty:
            return ()
        import zlib

        from .filters_and_drivers import disabling
        from .output import config_text

        words = os.fsencode(config_text(disabling(programs, strict=strict)))
        # A file, because the name of a filter may not fit on a command line.
        path = self.scratch.write(f"{zlib.crc32(words):08x}.config", words)
        return ("-c", f"include.path={path}")

    async def settings_fingerprint(self) -> str:
        """A hash of everything except ids that answers about commits depend on.

        Empty if replace refs or grafts change the meaning of ids.
        """
        import hashlib

        common = self.repository.common_dir
        grafts = os.path.join(common, "info", "grafts")
        if os.path.exists(grafts) or await self.refs("refs/replace/"):
            return ""
        listed = (
            await self.run(N_("read its settings"), "config", "--list", "--includes", "-z")
        ).stdout
        own = os.path.join(common, "info", "attributes")
        parts = [repr(self.repository.version).encode(), listed]
        for path in (own, global_attributes(listed, self.environ), "/etc/gitattributes"):
            with suppress(OSError), open(path, "rb") as file:
                parts.append(file.read())
        return hashlib.sha256(b"\0\0".join(parts)).hexdigest()

    # -- refs and commits ---------------------------------------------------------------

    async def refs(self, *prefixes: str) -> dict[str, str]:
        """Object ids by full ref name, for all refs below ``prefixes``."""
        finished = await self.run(N_("list its refs"), *LIST_REFS, *prefixes)
        pairs = (line.split(" ", 1) for line in finished.text.split("\n") if line)
        return {name: commit for commit, name in pairs}

    async def refs_with(self, commit: str, *prefixes: str) -> dict[str, str]:
        """Those refs below ``prefixes`` that contain a commit."""
        return await self.refs(f"--contains={commit}", *prefixes)

    async def commit_of(self, revision: str, *, at: str = "") -> str:
        """The commit that ``revision`` names; else empty. ``at`` is the worktree for ``HEAD``."""
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
        finished = await self.run(N_("read the commit"), "rev-parse", "--verify", spelled)
        if _are_ids(commit):
            self.answers.put(finished.text, "tree", commit)
        return finished.text

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``."""
        if _are_ids(older, newer):
            return await self.merge_base(older, newer) == older
        return (await self.try_run("merge-base", "--is-ancestor", older, newer)).code == 0

    async def independent(self, commits: Sequence[str]) -> list[str]:
        """Those of ``commits`` that are not ancestors of another."""
        arguments = ("merge-base", "--independent", *commits)
        return (await self.run(N_("compare commits"), *arguments)).text.split()

    async def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor; empty for unrelated histories."""
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
        """Whether an answer about full ids stays true: a shallow clone may be deepened."""
        return _are_ids(*commits) and not self.repository.shallow

    async def create_ref(self, ref: str, commit: str) -> bool:
        """Create a ref. False if it exists, which leaves it unchanged.

        Raises :class:`UserError` with the ref that is in its way, if there is one.
        """
        finished = await self.try_run("update-ref", ref, commit, "")
        if finished.code != 0 and not await self.commit_of(ref):
            from .ref_conflicts import prevented  # few need it

            why = await prevented(self, ref)
            raise why or self.error(N_("create {ref}").format(ref=ref), finished)
        return finished.code == 0

    async def symbolic_ref(self, ref: str, *, at: str = "") -> str:
        """The target of a symbolic ref; empty for any other ref."""
        finished = await self.try_run("symbolic-ref", "--quiet", ref, at=at)
        return finished.text if finished.code == 0 else ""

    async def upstream_of(self, branch: str) -> tuple[str, int]:
        """The upstream of a branch, and how many of its commits the branch lacks."""
        wanted = "--format=%(upstream:short) %(upstream:track,nobracket)"
        told = await self.run(N_("compare a branch"), "for-each-ref", wanted, HEADS + branch)
        upstream, _, distance = told.text.split("\n")[0].partition(" ")
        found = re.search(r"behind (\d+)", distance)
        return upstream, int(found[1]) if found else 0

    async def move_ref(
        self, ref: str, commit: str, old: str, *, at: str = "", by: str = "merge"
    ) -> None:
        """Move a ref from ``old`` to ``commit`` (compare-and-swap).

        ``at`` is the worktree that has it checked out, so that its HEAD reflog records the move,
        ``by`` the command that does it.
        """
        arguments = ("update-ref", "-m", f"rorchestrator {by}", ref, commit, old)
        await self.run(f"move {ref}", *arguments, at=at)

    async def delete_ref(self, ref: str, old: str) -> str:
        """Delete a ref that is at ``old`` (compare-and-swap); empty, or why the ref stays."""
        finished = await self.try_run("update-ref", "-d", ref, old)
        if finished.code == 0:
            return ""
        short = ref.removeprefix(HEADS)
        if await self.commit_of(ref) != old:
            return N_("{short} moved in the meantime").format(short=short)
        return GitError(N_("delete {short}").format(short=short), finished).message

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Write a commit of ``tree``, without a lock and without a working tree."""
        given = [word for parent in parents for word in ("-p", parent)]
        arguments = ("commit-tree", "--no-gpg-sign", *given, "-m", message, tree)
        self.redirect_objects()
        return (await self.run(N_("write the commit"), *arguments, env=await self.identity())).text

    def redirect_objects(self) -> None:
        """Let a read-only git write new objects to its temporary folder from now on."""
        if self.is_read_only:
            self.scratch.folder(OBJECTS)

    # -- another repository ---------------------------------------------------------------

    def at(self, repository: Repository) -> Git:
        """git in another repository with the same environment."""
        return Git(self.spawner, repository, self.environ)

    # -- identity -----------------------------------------------------------------------

    def has_variable(self, name: str) -> bool:
        """Whether the user's environment sets a variable for git."""
        return name in self.environ

    async def pin_identity(self) -> None:
        """Fix author and committer of our commits, whatever an agent sets later."""
        for role in ("AUTHOR", "COMMITTER"):
            asked = ("var", f"GIT_{role}_IDENT")
            finished = await self.try_run(*asked)
            if finished.code != 0:
                # No identity is configured; or git failed once, which would mark every commit.
                finished = await self.try_run(*asked)
            known = IDENTITY.match(os.fsdecode(finished.stdout))
            name, email = known.groups() if known else ("RoRchestrator", "rorchestrator@localhost")
            self._identity[f"GIT_{role}_NAME"], self._identity[f"GIT_{role}_EMAIL"] = name, email

    async def has_identity(self) -> bool:
        """Whether git knows whom to name in a commit."""
        roles = ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
        return all([(await self.try_run("var", role)).code == 0 for role in roles])

    async def identity(self) -> Mapping[str, str]:
        if not self._identity:
            await self.pin_identity()
        return {**self.environ, **self._identity}


def _quoted(path: str) -> str:
    """A path in git's format of alternates; see git(1)."""
    from .output import escaped

    return '"' + escaped(path).replace("\n", "\\n") + '"'


def _jitter(seconds: float) -> float:
    import random  # costs 3 ms, only here

    return random.uniform(0, seconds)


def _is_worth_retrying(arguments: Sequence[str], failed: Finished) -> bool:
    """Whether a failed command should be run again; a refusal should not."""
    repeatable = arguments[0] in REPEATABLE or tuple(arguments[:2]) == ("worktree", "list")
    refused = any(words in failed.stderr for words in (b"cannot lock ref", os.fsencode(DRIVER)))
    return repeatable and failed.code != 1 and not refused


def global_attributes(settings: bytes, env: Mapping[str, str]) -> str:
    """The path of the user's attributes file; ``settings`` as ``config --list -z``."""
    for entry in reversed(os.fsdecode(settings).split("\0")):
        name, _, value = entry.partition("\n")
        if name == "core.attributesfile":
            return os.path.expanduser(value)
    home = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME", ""), ".config")
    return os.path.join(home, "git", "attributes")


def _are_ids(*names: str) -> bool:
    return all(ID.fullmatch(name) for name in names)
