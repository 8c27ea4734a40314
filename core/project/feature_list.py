"""Loads and validates the feature list; reports all faults at once, each with its JSON path."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping

from ..model.branch_name import REF_LIMIT_BYTES, is_branch_name
from ..model.check_rules import check_rules
from ..model.commit_subject import subject
from ..model.english import counted
from ..model.errors import UserError
from ..model.feature import ClaudeOptions, Config, Feature
from ..model.frozen import replace
from ..model.translate import N_
from .keys import CLAUDE_SECTION, EMPTY, TOP
from .list_reader import LIST_LIMIT_BYTES, PROMPT_LIMIT_BYTES, Reader, content_of
from .source_text import decoded, not_json

SEARCHED = (
    "config/feature_list.json",
    "orchestrator/config/feature_list.json",
    ".rorchestrator/config/feature_list.json",
)
"""Searched in the current folder and its parents."""


OPTIONS_LIMIT_BYTES = 100_000
"""For all options of Claude's command line; Linux refuses an argument of 128 KiB."""


def find(start: str, owner: Callable[[str], int] | None = None) -> str:
    """The feature list of the folder ``start`` or of its nearest parent that has one.

    Raises :class:`UserError` if there is none, or if it belongs to a third user: anybody can
    put a list into ``/tmp``.
    """
    start = folder = _absolute(start)
    owner = owner or _owner
    while True:
        for name in SEARCHED:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                if owner(path) not in (0, os.geteuid(), owner(start)):
                    import shlex

                    raise UserError(
                        N_("{path} belongs to another user").format(path=path),
                        hint=N_("inspect it; to use it: --config {path}").format(
                            path=shlex.quote(path)
                        ),
                    )
                return path
        parent = os.path.dirname(folder)
        if parent == folder:
            raise UserError(
                N_("no feature list in {start} or above").format(start=start),
                hint=N_("rorchestrator init writes one; or name one with --config PATH"),
            )
        folder = parent


def find_in(folder: str) -> str:
    """The feature list in ``folder``. Raises :class:`UserError` if it has none."""
    import shlex

    for name in (*SEARCHED, os.path.basename(SEARCHED[0])):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise UserError(
        N_("no feature list in {folder}").format(folder=folder),
        hint=f"rorchestrator init --dir {shlex.quote(folder)}",
    )


def _owner(path: str) -> int:
    return os.stat(path).st_uid


def load(path: str) -> Config:
    """Read and check a feature list and the files that it names.

    Raises :class:`UserError` with all faults, one a line.
    """
    path = _absolute(path)
    return _checked(path, _read_json(path), {})


def of_text(path: str, text: str, files: Mapping[str, str]) -> Config:
    """The list that ``text`` would be at ``path``, with texts of ``files`` that it names.

    So a list is checked before it and its prompt files are written. Raises :class:`UserError`
    with all faults, one a line.
    """
    path = _absolute(path)
    return _checked(path, _json(path, lambda: text), files)


def check_together(config: Config) -> None:
    """Check features with the settings of the list, of which either may be of an earlier state.

    Raises :class:`UserError` with all faults, one a line.
    """
    reader = Reader(config.workspace)
    _check_together(reader, config)
    _raise_faults(reader, config.path)


def _checked(path: str, data: object, files: Mapping[str, str]) -> Config:
    reader = Reader(workspace_of(path), files)
    config = _config(reader, path, data)
    _raise_faults(reader, path)
    return config


def _raise_faults(reader: Reader, path: str) -> None:
    if reader.faults:
        raise UserError(
            N_("{path} has {faults}").format(
                path=path, faults=counted(len(reader.faults), "fault")
            ),
            details=tuple(reader.faults),
            hint=N_("docs/FEATURE_LIST.md lists the keys"),
        )


def workspace_of(path: str) -> str:
    """The workspace of a list: the folder of the list, or the one around ``config/``."""
    folder = os.path.dirname(path)
    return os.path.dirname(folder) if os.path.basename(folder) == "config" else folder


def claude_of(path: str) -> ClaudeOptions:
    """The Claude options of a list that may have faults elsewhere.

    Raises :class:`UserError` if the list is not JSON, or if these options have a fault.
    """
    data = _read_json(path)
    reader = Reader(os.path.dirname(path))
    given = data.get("claude", {}) if isinstance(data, dict) else {}
    options = CLAUDE_SECTION.check(reader, "claude", given)
    assert isinstance(options, ClaudeOptions)
    if reader.faults:
        raise UserError(N_("{path} has faults").format(path=path), details=tuple(reader.faults))
    return options


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise UserError(
            N_("the current folder was deleted"), hint=N_("cd into an existing folder")
        ) from None


def read(path: str) -> str:
    """The text of a list. Raises ``OSError``, or ``ValueError`` if it is not a text file."""
    return decoded(content_of(path, LIST_LIMIT_BYTES))


def _read_json(path: str) -> object:
    return _json(path, lambda: read(path))


def _json(path: str, text: Callable[[], str]) -> object:
    try:
        return json.loads(text(), object_pairs_hook=_without_repeats)
    except FileNotFoundError:
        raise UserError(
            N_("{path} does not exist").format(path=path),
            hint=N_("create it, or name another list with --config PATH"),
        ) from None
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {strerror}").format(path=path, strerror=error.strerror)
        ) from None
    except json.JSONDecodeError as error:
        raise not_json(path, error) from None
    except (ValueError, RecursionError) as error:
        raise UserError(
            N_("{path} is not a feature list: {error}").format(path=path, error=error)
        ) from None


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object. Raises ``ValueError`` for a duplicate key, which JSON parsers ignore."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(N_("duplicate key {name!r} in an object").format(name=name))
        found[name] = value
    return found


def _config(reader: Reader, path: str, data: object) -> Config:
    fields = reader.fields("", data, TOP)
    prompts = fields.pop("prompts", {})
    assert isinstance(prompts, dict)
    fields.update(prompts, path=path, workspace=reader.workspace, files=reader.files)
    config = replace(EMPTY, **fields)  # type: ignore[arg-type]
    _check_together(reader, config)
    return config


def _check_together(reader: Reader, config: Config) -> None:
    _check_lengths(reader, config)
    _check_branches(reader, config)
    _check_subjects(reader, config)


def _check_lengths(reader: Reader, config: Config) -> None:
    for feature in config.features:
        if len(config.context) + len(feature.prompt) > PROMPT_LIMIT_BYTES:
            limit = N_("{limit} MiB").format(limit=PROMPT_LIMIT_BYTES >> 20)
            reader.fault(
                N_("feature {id}").format(id=feature.id),
                N_("context and prompt together are longer than {limit}").format(limit=limit),
            )
        if len(" ".join(_options(config, feature)).encode()) > OPTIONS_LIMIT_BYTES:
            reader.fault(
                N_("feature {id}").format(id=feature.id),
                N_("Claude's options together are too long"),
            )


def _options(config: Config, feature: Feature) -> Iterator[str]:
    """The texts that go into Claude's command line and environment."""
    claude = config.claude
    yield from claude.command
    yield from claude.extra_args
    yield from claude.allowed_tools
    yield from claude.allowed_tools_add
    yield from claude.disallowed_tools
    yield from feature.allowed_tools or ()
    yield from check_rules((*config.project.verify, *feature.verify))
    yield from (claude.model, claude.fallback_model, feature.model, claude.append_system_prompt)
    for name, value in claude.env.items():
        yield name + value


def _check_branches(reader: Reader, config: Config) -> None:
    """Check prefix and id together: each may be valid, but not the branch (``HE`` and ``AD``)."""
    for feature in config.features:
        branch = config.project.branch_prefix + feature.id
        if not is_branch_name(branch):
            reader.fault(
                N_("feature {id}").format(id=feature.id),
                N_("{branch!r} is not a valid branch name (branch_prefix)").format(branch=branch),
            )
        elif len(branch.split("/")[-1].encode()) > REF_LIMIT_BYTES:
            reader.fault(
                N_("feature {id}").format(id=feature.id),
                N_("{branch!r} is too long for a branch name").format(branch=branch),
            )


def _check_subjects(reader: Reader, config: Config) -> None:
    for feature in config.features:
        if not subject(config.project.commit_subject, feature):
            reader.fault(
                N_("feature {id}").format(id=feature.id),
                N_("project.commit_subject gives an empty subject"),
            )
