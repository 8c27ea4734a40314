"""`git status` and `check-ignore`: changed, ignored, hidden files; safe with filters and LFS."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from ..model.frozen import replace
from ..model.patterns import pattern
from ..model.translate import N_
from .door import Git
from .filters_and_drivers import Programs
from .output import WorktreeStatus, parse_status
from .paths import is_plain, is_there


async def status_of(
    git: Git, path: str, *, ignored: bool = False, index: str = ""
) -> WorktreeStatus:
    """The status of a worktree; format: git-status(1), "Porcelain Format Version 2"."""
    arguments = [*STATUS, *(["--ignored=matching"] if ignored else [])]
    from . import index_file, known_settings, staging

    env = staging.env_with_index(git, index)
    has_submodules = True  # as far as we know
    if git.is_read_only:
        status = await _unfiltered_status(git, path, arguments, env)
    else:
        arguments += ["--ignore-submodules=none"]
        has_submodules = not index_file.has_no_submodule(path)
        # The user's filters run for files that may have changed, and those of submodules.
        guarded = has_submodules or await known_settings.may_run_programs(git)
        doing = N_("read the status of {path}").format(path=path)
        finished = await git.run(doing, *arguments, at=path, guarded=guarded, env=env)
        status = parse_status(os.fsdecode(finished.stdout))
    if not (ignored and has_submodules):
        return status
    return await _with_files_in_submodules(git, path, status)


async def begin(git: Git, path: str) -> None:
    """Start what :func:`status_of` will ask a read-only ``git``."""
    strict = git.without(await git.named_programs(path), strict=True)
    git.begin(*STATUS, *SHALLOW, at=path, settings=strict)


async def _with_files_in_submodules(git: Git, path: str, status: WorktreeStatus) -> WorktreeStatus:
    """The status with files in folders of submodules that are not checked out, as ignored.

    git neither lists nor adds them.
    """
    from . import unreadable_entries

    submodules = await _submodules_of(git, path, status)
    folders = [folder for folder in submodules if is_plain(path, folder)]
    files = (file for folder in folders for file in unreadable_entries.files_below(path, folder))
    return replace(status, ignored=(*status.ignored, *files))


async def _submodules_of(git: Git, path: str, status: WorktreeStatus) -> list[str]:
    """The submodules in the index of a worktree with this status."""
    # If nothing is staged, the submodules are those of the commit, which are cached.
    is_clean = not (status.staged or status.unmerged) and git.is_lasting(status.commit)
    from . import index_file, submodules

    is_known = is_clean and git.answers.get("submodules", status.commit) is not None
    if not is_known and index_file.has_no_submodule(path):
        return []
    if is_clean:
        return await submodules.known_paths(git, status.commit)
    return await submodules_in(git, path)


async def submodules_in(git: Git, path: str, env: Mapping[str, str] | None = None) -> list[str]:
    """The paths of the submodules in an index."""
    doing = N_("read the index of {path}").format(path=path)
    listed = await git.run(doing, "ls-files", "--stage", "-z", at=path, env=env)
    return [os.fsdecode(name) for name in SUBMODULE.findall(listed.stdout)]


async def hidden(git: Git, path: str) -> list[str]:
    """Tracked files whose changes are hidden by assume-unchanged or skip-worktree.

    Without those that a sparse checkout leaves out. Format: git-ls-files(1), ``-v``.
    """
    from . import index_file

    if index_file.is_plain(path):
        return []
    finished = await git.run(
        N_("read the index of {path}").format(path=path), "ls-files", "-v", "-z", at=path
    )
    if {entry[:2] for entry in finished.stdout.split(b"\0")} <= SEEN:
        return []
    entries = [entry.split(" ", 1) for entry in os.fsdecode(finished.stdout).split("\0") if entry]
    hidden = [(tag, file) for tag, file in entries if tag.islower() or tag == "S"]
    absent = {file for tag, file in hidden if tag in "sS" and not is_there(path, file)}
    if absent and await _is_sparse(git, path):
        return [file for _, file in hidden if file not in absent]
    return [file for _, file in hidden]


async def empty_folders(git: Git, path: str) -> list[str]:
    """The folders without any file, each with ``/``; of nested ones the outermost."""
    arguments = ("ls-files", "--others", "--directory", "-z")
    doing = N_("read the index of {path}").format(path=path)
    listed = await git.run(doing, *arguments, at=path)
    names = os.fsdecode(listed.stdout).split("\0")
    return [name for name in names if name.endswith("/") and _is_empty(os.path.join(path, name))]


def _is_empty(folder: str) -> bool:
    return not any(files for _, _, files in os.walk(folder))


async def _is_sparse(git: Git, path: str) -> bool:
    asked = ("config", "--type=bool", "--get", "core.sparseCheckout")
    return (await git.try_run(*asked, at=path)).text == "true"


async def clear_hiding_bits(git: Git, path: str, files: Iterable[str], *, index: str = "") -> None:
    """Clear assume-unchanged and skip-worktree of files."""
    from . import staging

    files = list(files)
    for bit in ("--no-assume-unchanged", "--no-skip-worktree"):
        await staging.update_index(git, path, files, bit, index=index)


async def stored_by_lfs(git: Git, path: str, files: Iterable[str]) -> set[str]:
    """The files with ``filter=lfs``, whose pointers Git LFS stores; none if it is not set up."""
    names = b"".join(os.fsencode(file) + b"\0" for file in files)
    if not names:
        return set()
    asked = ("check-attr", "-z", "--stdin", "filter")
    finished = await git.run(N_("read attributes"), *asked, at=path, stdin=names)
    words = os.fsdecode(finished.stdout).split("\0")
    found = {file for file, value in zip(words[::3], words[2::3]) if value == "lfs"}
    is_set_up = ("config", "--get-regexp", r"^filter\.lfs\.(clean|process)$")
    return found if found and (await git.try_run(*is_set_up, at=path)).code == 0 else set()


async def _unfiltered_status(
    git: Git, path: str, arguments: Sequence[str], env: Mapping[str, str]
) -> WorktreeStatus:
    """The status of a worktree as far as it is known without filters."""
    programs = await git.named_programs(path)
    arguments = [*arguments, *SHALLOW]
    strict = git.without(programs, strict=True)
    finished = await git.try_run(*arguments, at=path, env=env, settings=strict, tries=1)
    uncertain: dict[str, str] = {}
    if finished.code != 0:
        lenient = git.without(programs, strict=False)
        doing = N_("read the status of {path}").format(path=path)
        finished = await git.run(doing, *arguments, at=path, env=env, settings=lenient)
        uncertain = await _may_have_changed(git, path, programs, env, lenient)
    status = parse_status(os.fsdecode(finished.stdout))
    status = replace(
        status,
        changed=tuple(f for f in status.changed if f in status.staged or f not in uncertain),
        uncertain=tuple((f, name) for f, name in uncertain.items() if f not in status.staged),
    )
    return await _with_submodules(git, path, status)


async def _may_have_changed(
    git: Git, path: str, programs: Programs, env: Mapping[str, str], settings: Sequence[str]
) -> dict[str, str]:
    """Files with a changed mtime or size that have a filter, each with the filter's name."""
    plain = ("--name-only", "-z", "--diff-filter=M", "--ignore-submodules=all")
    doing = N_("read the status of {path}").format(path=path)
    listed = await git.run(doing, "diff-files", *plain, at=path, env=env, settings=settings)
    asked = ("check-attr", "-z", "--stdin", "filter")
    finished = await git.run(N_("read attributes"), *asked, at=path, stdin=listed.stdout)
    words = os.fsdecode(finished.stdout).split("\0")
    pairs = zip(words[::3], words[2::3])
    return {file: name for file, name in pairs if name in programs.filters}


async def _with_submodules(git: Git, path: str, status: WorktreeStatus) -> WorktreeStatus:
    """The status with the submodules that contain uncommitted work."""
    for name in await _submodules_of(git, path, status):
        place = os.path.join(path, name)
        if not os.path.lexists(os.path.join(place, ".git")):
            continue
        inner = await status_of(await _inside(git, place), place)
        if inner.uncommitted or inner.submodules:
            status = replace(status, submodules=(*status.submodules, name))
        uncertain = [(os.path.join(name, file), which) for file, which in inner.uncertain]
        status = replace(status, uncertain=(*status.uncertain, *uncertain))
    return status


async def _inside(git: Git, place: str) -> Git:
    """A read-only git in the repository of a submodule."""
    asked = ("rev-parse", "--git-common-dir")
    found = await git.run(
        N_("open the submodule {place}").format(place=place), *asked, at=place, elsewhere=True
    )
    common = os.path.realpath(os.path.join(place, found.text))
    where = replace(git.repository, top=place, common_dir=common, bare=False)
    return Git(git.spawner, where, git.environ).read_only()


async def ignored_of(git: Git, path: str, files: Iterable[str]) -> set[str]:
    """The files, existing or not, that git ignores; a folder ends with ``/``."""
    names = "".join(f"{file}\0" for file in files)
    arguments = ("check-ignore", "-z", "--stdin")
    finished = await git.try_run(*arguments, at=path, stdin=os.fsencode(names))
    return set(os.fsdecode(finished.stdout).split("\0"))


async def ignored_as_links(git: Git, path: str, files: Collection[str]) -> set[str]:
    """The files that git ignores even if they are symbolic links.

    A pattern with a trailing slash matches folders, but no links. Format:
    git-check-ignore(1), ``--verbose``.
    """
    above = {file: f"{os.path.dirname(file)}/" for file in files if os.path.dirname(file)}
    within = await ignored_of(git, path, above.values())
    names = os.fsencode("".join(f"{file}\0" for file in files))
    asked = ("check-ignore", "--verbose", "-z", "--stdin")
    words = os.fsdecode((await git.try_run(*asked, at=path, stdin=names)).stdout).split("\0")
    by_itself = {
        file
        for pattern, file in zip(words[2::4], words[3::4])
        if not pattern.startswith("!") and not pattern.endswith("/")
    }
    return by_itself | {file for file, folder in above.items() if folder in within}


SEEN = frozenset((b"H ", b"M ", b""))
"""How an entry without one of the bits begins; format: git-ls-files(1), ``-v``."""


STATUS = (
    *("status", "--porcelain=v2", "--branch", "-z"),
    *("--untracked-files=all", "--no-renames"),
)


SHALLOW = ("--ignore-submodules=dirty",)
"""In submodules, git would run filters from their own settings."""


SUBMODULE = pattern(rb"(?:^|(?<=\0))160000 [0-9a-f]+ 0\t([^\0]+)")
"""A submodule in the index; format: git-ls-files(1)."""
