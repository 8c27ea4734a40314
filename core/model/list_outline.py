"""`Outline`: what a run remembers of its feature list, to tell later what changed in it.

It is written to a file, so it has digests of everything that may hold a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .contracts import contract
from .feature import Command, Config, Feature, Purpose
from .frozen import dataclass, replace
from .list_commands import config_commands

TAKEN_ELSEWHERE = (Purpose.NOTIFY, Purpose.TEARDOWN)
"""These commands do not run on a feature's work, so they are no reason to run others there."""


@dataclass(frozen=True)
class Outline:
    """A feature list with digests of its texts and commands."""

    features: tuple[Feature, ...]
    context: str
    """The digest of the text before every prompt."""
    quality_rules: str
    """The digest of the checklist after every prompt."""
    settings: Mapping[str, str]
    """The digests of the values that a run keeps, by key: those of project, claude and notify."""
    commands: tuple[str, ...]
    """The digests of the commands that run on the work of features, also those of the project."""
    checks: Mapping[str, Mapping[str, str]]
    """By feature: what its work has to pass, as masked text by digest."""
    allowed_tools: Mapping[str, str]
    """What Claude may do for a feature without rules of its own, as masked text by digest."""
    allowed_tools_add: tuple[str, ...]
    """The digests of the rules that every feature has as well."""
    model: str
    timeout_seconds: float
    base_branch: str

    def feature(self, id: str) -> Feature | None:
        """A feature; ``None`` if the list does not have it."""
        return next((each for each in self.features if each.id == id), None)

    @property
    def digest(self) -> str:
        """A digest of everything that a running run can take up."""
        return digest_of((self.features, self.context, self.quality_rules))


def outline_of(config: Config, mask: Callable[[str], str]) -> Outline:
    """The outline of a list; ``mask`` removes secrets."""
    project, claude = config.project, config.claude
    settings = {f"project.{name}": value for name, value in vars(project).items()}
    settings.update((f"claude.{name}", value) for name, value in vars(claude).items())
    settings["notify"] = config.notify
    on_work = (c for c in config_commands(config) if c.purpose not in TAKEN_ELSEWHERE)
    return Outline(
        features=tuple(map(_without_texts, config.features)),
        context=digest_of(config.context),
        quality_rules=digest_of(config.quality_rules),
        settings={name: digest_of(value) for name, value in settings.items()},
        commands=tuple(digest_of(command.argv) for command in on_work),
        checks={each.id: _masked(checks_of(each), mask) for each in config.features},
        allowed_tools=_masked(by_digest(claude.allowed_tools), mask),
        allowed_tools_add=_digests(claude.allowed_tools_add),
        model=claude.model,
        timeout_seconds=project.timeout_seconds,
        base_branch=project.base_branch,
    )


def checks_of(feature: Feature) -> dict[str, str]:
    """What the work of a feature has to pass besides the project's checks, by digest."""
    promised = [entry for entry in feature.creates if contract(entry) is not None]
    return {**{digest_of(c.argv): c.line for c in feature.verify}, **by_digest(promised)}


def by_digest(texts: Iterable[str]) -> dict[str, str]:
    """Texts by their digests."""
    return {digest_of(text): text for text in texts}


def digest_of(value: object) -> str:
    """The SHA-256 of a value as text."""
    import hashlib

    # Whole, not cut: who writes a prompt must not find another one with the same digest.
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()


def _masked(texts: Mapping[str, str], mask: Callable[[str], str]) -> dict[str, str]:
    return {digest: mask(text) for digest, text in texts.items()}


def _digests(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(digest_of, texts))


def _without_texts(feature: Feature) -> Feature:
    tools = feature.allowed_tools
    return replace(
        feature,
        name=digest_of(feature.name),
        prompt=digest_of(feature.prompt),
        prompt_file="",
        description=digest_of(feature.description),
        creates=_digests(feature.creates),
        uses=_digests(feature.uses),
        setup=_commands(feature.setup),
        verify=_commands(feature.verify),
        allowed_tools=None if tools is None else _digests(tools),
    )


def _commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    return tuple(Command((digest_of(command.argv),), "") for command in commands)
