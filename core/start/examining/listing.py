"""`doctor` on the feature list: faults, prompts, commands without a rule, copied folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ...claude.command_line import allowed_rules
from ...model.english import counted
from ...model.errors import UserError
from ...model.excerpt import some
from ...model.feature import ClaudeOptions, Config, Feature
from ...model.frozen import dataclass, replace
from ...model.list_commands import config_commands
from ...model.mask import Mask
from ...model.translate import N_
from ...project import feature_list
from ...project.list_path import list_path
from ...project.obstructions import WORKTREES, check_reports, check_worktrees_path
from ...project.open import OpenProject
from ...project.warnings import cautions, check_supplies, matched_files
from ..prompt_text import commands_of, lines_of
from ..tool_rules import rule_for, rules_of
from .absolute_paths import holder_of_path
from .diagnosis import Line, attempted, fault, of_error, ok, warning


@dataclass(frozen=True)
class Listing:
    """The feature list as far as it can be read."""

    path: str = ""
    """Empty if there is no list."""
    config: Config | None = None
    """``None`` if it has faults."""
    claude: ClaudeOptions = ClaudeOptions()
    lines: tuple[Line, ...] = ()

    @property
    def features(self) -> tuple[Feature, ...]:
        """Its features, if it has no faults."""
        return self.config.features if self.config else ()

    @property
    def folder(self) -> str:
        """A folder in its repository."""
        if self.config:
            return self.config.project.repo_path
        folder = os.path.dirname(os.path.abspath(self.path)) if self.path else os.curdir
        return folder if os.path.isdir(folder) else os.curdir

    @property
    def words(self) -> list[str]:
        """The texts in which it can name a program: commands and rules."""
        if not self.config:
            return []
        rules = [rule for f in self.features for rule in allowed_rules(self.claude, f)]
        lines = [f"{' '.join(command.brief)} " for command in config_commands(self.config)]
        return [*lines, *rules]


def read(given: str, mask: Mask) -> Listing:
    """The list of ``--config``, or the one that is found; never raises :class:`UserError`."""
    try:
        path = list_path(given)
    except UserError as error:
        if given:
            return Listing(lines=(of_error("list", error),))
        return Listing(lines=(warning("list", error.message, error.hint),))
    try:
        config = feature_list.load(path)
    except UserError as error:
        listing = Listing(path, lines=(of_error("list", error),))
        with suppress(UserError):
            listing = replace(listing, claude=feature_list.claude_of(path))
        mask.learn(listing.claude.env)
        return listing
    mask.learn(config.claude.env)
    lengths = [len(feature.prompt) for feature in config.features]
    lines = [
        ok("list", f"{path}: {counted(len(config.features), 'feature')}"),
        ok(
            "prompts",
            N_("all readable, up to {most:,} characters").format(most=max(lengths, default=0)),
        ),
        *permission_lines(config),
    ]
    return Listing(config.path, config, config.claude, tuple(lines))


def permission_lines(config: Config) -> Iterator[Line]:
    """Commands in ``verify`` and in prompts that Claude is refused, because no rule allows them."""
    missing: dict[str, list[str]] = {}
    forbidden: set[str] = set()
    for feature in config.features:
        rules = rules_of(config, feature)
        for command, where in _named(config, feature):
            for part in rules.refused(command):
                if rules.forbid(part):
                    forbidden.add(part)
                places = missing.setdefault(part, [])
                if where not in places:
                    places.append(where)
    if not missing:
        yield ok("rules", N_("every command of verify and of the prompts is allowed to Claude"))
        return
    for command, places in missing.items():
        if command in forbidden:
            said = N_("a rule of disallowed_tools forbids {command!r} ({places})").format(
                command=command, places=some(places)
            )
            yield warning(
                "rules", said, N_("name another command, or change claude.disallowed_tools")
            )
            continue
        said = N_("no rule lets Claude run {command!r} ({places})").format(
            command=command, places=some(places)
        )
        yield warning(
            "rules",
            said,
            N_("add to claude.allowed_tools_add: {rule}").format(rule=rule_for(command)),
        )


def _named(config: Config, feature: Feature) -> Iterator[tuple[str, str]]:
    """The commands that a feature names, and where."""
    for check in config.project.verify:
        yield check.line, "project.verify"
    for check in feature.verify:
        yield check.line, N_("verify of {id}").format(id=feature.id)
    for _, command in commands_of(lines_of(config.context)):
        yield command, "prompts.context"
    for _, command in commands_of(lines_of(feature.prompt)):
        yield command, N_("prompt of {id}").format(id=feature.id)


def project_lines(project: OpenProject, said_before: Sequence[Line]) -> Iterator[Line]:
    """What ``plan`` warns of, the places that a run writes to, and copied folders."""
    before = {line.said for line in said_before}
    for caution in cautions(project):
        if caution.said not in before:
            yield warning("project", caution.said, caution.command or "rorchestrator plan")
    yield from attempted("project", lambda: _places(project))
    yield from attempted("copy, link", lambda: _supplies(project))


def _places(project: OpenProject) -> Iterator[Line]:
    folder = project.worktrees.folder
    check_worktrees_path(project.git.repository, folder, os.environ.get(WORKTREES, ""))
    check_reports(project.config.workspace)
    yield ok("project", N_("worktrees go to {folder}").format(folder=folder))


def _supplies(project: OpenProject) -> Iterator[Line]:
    check_supplies(project)
    top = project.git.repository.top
    matched = matched_files(project)
    names = sorted({name for found in matched.values() for name in found})
    folders = [os.path.join(top, name) for name in names]
    for folder in folders:
        path = holder_of_path(folder, top)
        if path:
            inner = os.path.relpath(folder, top)
            said = N_("{inner} has absolute paths into your checkout ({path})").format(
                inner=inner, path=os.path.relpath(path, top)
            )
            create = N_("create {inner} in project.setup instead").format(inner=inner)
            yield warning(
                "copy, link",
                N_("{said}, so worktrees would use its files").format(said=said),
                create,
            )
            return
    yield ok("copy, link", some(names) or N_("nothing"))


def base_fault(error: UserError) -> Line:
    """The line of a base branch that cannot be used."""
    return fault("base branch", error.message, error.hint)
