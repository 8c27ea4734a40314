"""Which inputs of a feature changed since its last start, by the names that the list gives them.

The journal has only hashes. What the prompt was is known from the file that Claude was given.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..claude.prompt import STANDING, PromptWriter
from ..dag.feature_inputs import DEPENDENCY, FORM
from ..dag.incremental import MADE
from ..journal.private_files import only_regular
from ..model.decision import Decision
from ..model.feature import Config, Feature
from ..model.frozen import dataclass
from ..model.state import FeatureState
from ..model.translate import N_

PROMPT = "prompt"

PROMPT_BYTES = 16 * 1024 * 1024
"""More than any prompt: the CLI refuses 10 MiB."""

DIFF_LINES = 40

_KEYS = {
    "checks": ("project.verify", "verify"),
    "options": ("claude", "model", "allowed_tools"),
}
"""The keys of the list that an input is made of."""

_OURS = f"\n{STANDING.partition(chr(10))[0]}\n"
"""The heading of the part of a prompt that is not the user's."""


@dataclass(frozen=True)
class ChangedInput:
    """An input that has another value than the last time."""

    input: str
    """Its name in the journal: ``prompt``, ``options``, ``checks``, ``dependency auth``."""
    names: tuple[str, ...] = ()
    """The keys, files or features behind it, as far as they are known."""
    diff: tuple[str, ...] = ()
    """Its old and its new text as the lines of a diff; empty if the old one is unknown."""

    @property
    def dependency(self) -> str:
        """The dependency that changed; empty if it is another kind of input."""
        return self.input[len(DEPENDENCY) :] if self.input.startswith(DEPENDENCY) else ""


def changed_inputs(
    config: Config,
    feature: Feature,
    known: FeatureState,
    decision: Decision,
    mask: Callable[[str], str],
) -> tuple[ChangedInput, ...]:
    """The inputs that differ from those of the feature's last start; none if it has none."""
    if not known.inputs or FORM not in known.inputs:
        return ()  # It never started, or version 1.0 hashed other texts.
    ours = (FORM, MADE)
    names = (name for name in {**known.inputs, **decision.inputs} if name not in ours)
    differing = [name for name in names if known.inputs.get(name) != decision.inputs.get(name)]
    return tuple(_changed(name, config, feature, known, mask) for name in differing)


def _changed(
    name: str,
    config: Config,
    feature: Feature,
    known: FeatureState,
    mask: Callable[[str], str],
) -> ChangedInput:
    if name.startswith(DEPENDENCY):
        return ChangedInput(name, (name[len(DEPENDENCY) :],))
    if name in _KEYS:
        return ChangedInput(name, _KEYS[name])
    old = _old_prompt(known) if name == PROMPT else ""
    if not old:
        return ChangedInput(name)
    writer = PromptWriter(config)
    new = _of_user(writer.first(feature))
    return ChangedInput(name, _missing_parts(writer, feature, old), _diff(mask(old), mask(new)))


def _old_prompt(known: FeatureState) -> str:
    """The user's part of the prompt that the feature started with; empty if it is unknown."""
    first = next((attempt for attempt in known.attempts if not attempt.resumed), None)
    stem, ending = os.path.splitext(first.log if first else "")
    if ending != ".jsonl":
        return ""
    try:
        with open(f"{stem}.prompt", "rb", opener=only_regular) as file:
            return _of_user(file.read(PROMPT_BYTES).decode("utf-8", "replace"))
    except OSError:
        return ""


def _of_user(prompt: str) -> str:
    return prompt[: prompt.rfind(_OURS)].strip() + "\n" if _OURS in prompt else prompt


def _missing_parts(writer: PromptWriter, feature: Feature, old: str) -> tuple[str, ...]:
    """The keys of the parts of the prompt that are not in the ``old`` one as they are now."""
    parts = writer.parts(feature).items()
    return tuple(key for key, text in parts if text and f"\n{text}\n" not in old)


def _diff(old: str, new: str) -> tuple[str, ...]:
    import difflib

    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    more = len(lines) - DIFF_LINES
    return tuple(
        lines if more <= 0 else [*lines[:DIFF_LINES], N_("… {more} more lines").format(more=more)]
    )
