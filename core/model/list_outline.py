"""`Outline`: what a run remembers of its feature list, to tell later what changed in it."""

from __future__ import annotations

from collections.abc import Mapping

from .feature import Config, Feature, Purpose
from .frozen import dataclass, replace
from .list_commands import config_commands

TAKEN_ELSEWHERE = (Purpose.NOTIFY, Purpose.TEARDOWN)
"""These commands do not run on a feature's work, so they are no reason to run others there."""


@dataclass(frozen=True)
class Outline:
    """A feature list without the texts of its prompts, of which it has only digests."""

    features: tuple[Feature, ...]
    context: str
    """The digest of the text before every prompt."""
    quality_rules: tuple[str, ...]
    settings: Mapping[str, str]
    """The digests of the values that a run keeps, by key: those of project, claude and notify."""
    commands: tuple[tuple[str, ...], ...]
    """The commands that run on the work of features, those of the project included."""
    allowed_tools: tuple[str, ...]
    """What Claude may do for a feature without ``allowed_tools`` of its own."""
    allowed_tools_add: tuple[str, ...]
    model: str
    timeout_seconds: float
    base_branch: str

    def feature(self, id: str) -> Feature | None:
        """A feature; ``None`` if the list does not have it."""
        return next((each for each in self.features if each.id == id), None)

    @property
    def digest(self) -> str:
        """A digest of everything that a running run can take up."""
        return _digest((self.features, self.context, self.quality_rules))


def outline_of(config: Config) -> Outline:
    """The outline of a list."""
    project, claude = config.project, config.claude
    settings = {f"project.{name}": value for name, value in vars(project).items()}
    settings.update((f"claude.{name}", value) for name, value in vars(claude).items())
    settings["notify"] = config.notify
    on_work = (c for c in config_commands(config) if c.purpose not in TAKEN_ELSEWHERE)
    return Outline(
        features=tuple(map(_without_texts, config.features)),
        context=_digest(config.context),
        quality_rules=config.quality_rules,
        settings={name: _digest(value) for name, value in settings.items()},
        commands=tuple(command.argv for command in on_work),
        allowed_tools=claude.allowed_tools,
        allowed_tools_add=claude.allowed_tools_add,
        model=claude.model,
        timeout_seconds=project.timeout_seconds,
        base_branch=project.base_branch,
    )


def _without_texts(feature: Feature) -> Feature:
    prompt, description = _digest(feature.prompt), _digest(feature.description)
    return replace(feature, prompt=prompt, prompt_file="", description=description)


def _digest(value: object) -> str:
    import hashlib

    # Whole, not cut: who writes a prompt must not find another one with the same digest.
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
