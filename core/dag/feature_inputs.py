"""Hashes of what a feature's result depends on: prompt, options, checks, dependencies.

Only the user's own text is hashed, so that a new version of this tool makes nothing out of date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..model.feature import DEFAULT_ALLOWED_TOOLS, ClaudeOptions, Config, Feature
from ..model.frozen import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..claude.prompt import PromptWriter, Wording

FORM = "form"
"""The input with the version of the other hashes. Version 1.0 wrote none."""

CURRENT = "2"

DEPENDENCY = "dependency "
"""Prefix of inputs that are the keys of dependencies."""

DEFAULT_MODE = ClaudeOptions().permission_mode


def inputs(prompts: PromptWriter, feature: Feature, keys: Mapping[str, str]) -> dict[str, str]:
    """The hashed inputs of a feature; ``keys`` are the keys of its dependencies.

    Without name, tags, priority, estimates and limits, which do not change the result.
    """
    config = prompts.config
    checks = [c.line for c in (*config.project.verify, *feature.verify)]
    return {
        FORM: CURRENT,
        "prompt": digest(_prompt(prompts.wording(feature))),
        "options": digest(_options(config.claude, feature)),
        **({"checks": digest(checks)} if checks else {}),
        **_dependencies(feature, keys),
    }


def inputs_of_1_0(
    config: Config,
    feature: Feature,
    features: Mapping[str, Feature],
    keys: Mapping[str, str],
) -> dict[str, str]:
    """The inputs as version 1.0 hashed them, to compare with its journals."""
    from . import inputs_1_0

    checks = (*config.project.verify, *feature.verify)
    words = [word for command in checks for word in ("", *command.argv)]
    return {
        "prompt": digest(inputs_1_0.prompt(config, feature, features)),
        "options": digest(inputs_1_0.options(config.claude, _with_added(config.claude, feature))),
        **({"checks": digest(words)} if checks else {}),
        **_dependencies(feature, keys),
    }


def digest(value: object) -> str:
    """A short, stable hash (the first 80 bits of SHA-256 over canonical JSON)."""
    import hashlib

    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _prompt(wording: Wording) -> list[object]:
    return [*wording.texts, *map(list, (wording.uses, wording.creates, wording.rules))]


def _with_added(options: ClaudeOptions, feature: Feature) -> Feature:
    """The feature with all rules of the list in its own; 1.0 knew no others."""
    return replace(
        feature, allowed_tools=(*options.replaced_by(feature), *options.allowed_tools_add)
    )


def _options(options: ClaudeOptions, feature: Feature) -> list[object]:
    """The user's own options, without our defaults, API keys and URLs.

    Rules that are ours are not: those of the checks, which follow from ``verify``.
    """
    allowed = options.replaced_by(feature)
    own = replace(
        options,
        permission_mode="" if options.permission_mode == DEFAULT_MODE else options.permission_mode,
        allowed_tools=("default",) if allowed == DEFAULT_ALLOWED_TOOLS else allowed,
    )
    return [
        own.permission_mode,
        [*own.allowed_tools, *own.allowed_tools_add],
        list(own.disallowed_tools),
        feature.model or own.model,
        own.fallback_model,
        own.append_system_prompt,
        list(own.extra_args),
        sorted(f"{name}={value}" for name, value in own.env.items() if "MODEL" in name),
    ]


def _dependencies(feature: Feature, keys: Mapping[str, str]) -> dict[str, str]:
    """Keys, not commit ids, so that a manual fix on a branch makes nothing out of date."""
    return {DEPENDENCY + id: keys[id] for id in sorted(feature.depends_on)}
