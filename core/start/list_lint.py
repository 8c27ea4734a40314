"""The prompts of a feature list as `prompt_lint` takes them: files, rules, what is around them."""

from __future__ import annotations

import os

from ..model.feature import Config, Feature
from .prompt_lint import Around, Prompt, created_paths
from .template_files import repository_around
from .tool_rules import rules_of


def around_prompts(config: Config) -> Around:
    """What surrounds the prompts of a list."""
    top = repository_around(config.project.repo_path)
    folders = (top, config.project.repo_path, config.workspace)
    return Around(
        lambda path: any(os.path.lexists(os.path.join(folder, path)) for folder in folders),
        "\n".join((config.context, *config.quality_rules)),
        tuple(path for each in config.features for path in created_paths(each.creates)),
    )


def prompt_file_of(config: Config, feature: Feature) -> str:
    """The file of a feature's prompt, as the loader finds it; empty if the list has the prompt."""
    folders = (os.path.join(config.workspace, "prompts"), config.workspace)
    paths = [os.path.join(folder, feature.prompt_file) for folder in folders if feature.prompt_file]
    return next((path for path in paths if os.path.lexists(path)), "")


def prompt_of(config: Config, feature: Feature, text: str) -> Prompt:
    """A prompt with what the list says about its feature."""
    checks = (*config.project.verify, *feature.verify)
    lines = tuple(check.line for check in checks)
    return Prompt(text, feature.creates, lines, rules_of(config, feature))
