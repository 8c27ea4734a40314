"""The prompts that Claude gets: first, resumed, with a failing check, with a merge conflict."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.excerpt import some
from ..model.feature import Config, Feature
from ..model.frozen import dataclass

STANDING = """\
## How you work here
- You run unattended: nobody can answer, so do not ask. Decide, and say in your closing
  message what you decided.
- Work only in this folder. It is a git worktree of its own, already on branch `{branch}`:
  do not switch branches, do not rebase, do not touch other worktrees, do not use `git stash`.
- Finish the whole feature before you stop. What you leave uncommitted is committed for you.
- Your subagents work in this folder too. A worktree of their own (`isolation: "worktree"`) is
  refused: work in it would belong to no feature.
- Commits of your own hold no build products: no `__pycache__`, no tool caches, no
  `node_modules`, no virtual environment, unless the task asks for them."""

KEPT_WORK = """\
## What is here already
An earlier attempt at this feature was interrupted. This folder holds its work: look at it
first (`git status`, `git log`, `git diff`) and go on from there."""

RESUME = """\
Go on: this session was interrupted before the feature "{id}" was finished.
Look at what is done (`git status`, `git diff`): a command that was running when you were
interrupted may have had its effect, or not. Then finish the feature as first asked. You run
unattended: do not ask."""

FAILING_CHECK = """\
Go on: the work on the feature "{id}" was committed and then checked, and a check failed.

{what}

The end of what it printed:

```
{output}
```

Fix the cause in this folder, not the check. Everything that was asked for still holds. You
run unattended: do not ask."""


CONFLICT = """\
## The merge
This folder is a scratch worktree in the middle of a `git merge` that stopped at conflicts. In each
of them, what is between `<<<<<<<` and `|||||||` is ours, between `|||||||` and `=======` the base
that both began with, and between `=======` and `>>>>>>>` theirs.

- The base: {base}
- Ours, `HEAD`: {ours}
- Theirs, `MERGE_HEAD`: {theirs}"""

RESOLVING = """\
## How you work here
- Resolve these conflicts and nothing else: no other file needs a change, unless one that either
  side touched has to follow.
- Keep the intent of both sides. Neither of them is to be thrown away, and both are checked
  afterwards.
- Leave no conflict marker. When a file is resolved, mark it so: `git add FILE`, or `git rm FILE`
  where it is to be gone.
- Do not commit, do not abort the merge, do not switch, reset or stash; run nothing else. The merge
  is committed for you.
- You run unattended: nobody can answer, so do not ask. Say in your closing message what you did."""

UNRESOLVED = """\
Go on: what you made of the conflict of the feature "{id}" can't land yet.

{what}

Mend it in this folder, in the files that either side touched, and mark them resolved again with
`git add`. Everything that was asked for still holds. You run unattended: do not ask."""

SHOWN_FILES = 50


@dataclass(frozen=True)
class Side:
    """One side of a merge: a commit, what it is called, and what it changed since the base."""

    commit: str
    name: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        names = some(self.files, SHOWN_FILES)
        return f"{self.commit[:12]}, {self.name}; it changed {names or 'nothing'}"


def resolve(
    config: Config,
    feature: Feature,
    others: Sequence[Feature],
    into: str,
    *,
    base: str,
    ours: Side,
    theirs: Side,
    files: Sequence[str],
) -> str:
    """The whole prompt for a feature that does not merge with ``into``, on which ``others`` are."""
    parts = [
        f'Task: resolve the conflict that keeps the feature "{feature.id}" ({feature.name}) '
        f"from landing on `{into}`.",
        config.context.strip(),
        CONFLICT.format(base=base[:12], ours=ours, theirs=theirs),
        _bullets("## Files in conflict", files),
        *(_asked(other, "ours") for other in others),
        _asked(feature, "theirs"),
        RESOLVING,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _asked(feature: Feature, side: str) -> str:
    title = f'## What was asked for "{feature.id}" ({feature.name}), on the side of {side}'
    told = (feature.description.strip(), feature.prompt.strip())
    return "\n\n".join(filter(None, (title, *told)))


def unresolved(feature: Feature, what: str, output: str) -> str:
    """What Claude is told where its resolution can't land, with the end of a check's ``output``."""
    end = output.strip()
    said = f"{what}\n\nThe end of what it printed:\n\n```\n{end}\n```" if end else what
    return UNRESOLVED.format(id=feature.id, what=said)


@dataclass(frozen=True)
class Wording:
    """Everything in a feature's prompt that the user wrote, in the order of the prompt."""

    texts: tuple[str, ...]
    uses: tuple[str, ...]
    creates: tuple[str, ...]
    rules: tuple[str, ...]


class PromptWriter:
    """Writes the prompts of a list's features; their hashed inputs come from the same wording."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._features = {feature.id: feature for feature in config.features}

    def wording(self, feature: Feature) -> Wording:
        """What the user wrote for a feature: the only part of its prompt that is hashed."""
        texts = (self.config.context, feature.description, feature.prompt)
        return Wording(
            tuple(text.strip() for text in texts),
            feature.uses,
            feature.creates,
            self.config.quality_rules,
        )

    def first(self, feature: Feature, *, kept_work: bool = False, feedback: str = "") -> str:
        """The whole prompt of a feature's first attempt.

        ``kept_work`` says that the worktree holds the work of an earlier attempt, ``feedback``
        what is wrong with it.
        """
        user = self.wording(feature)
        parts = [
            # The first line is ours: a prompt that begins with /word is taken for a command.
            f'Task: bring the feature "{feature.id}" ({feature.name}) to completion.',
            *user.texts,
            self._dependencies(feature),
            _bullets("## What this feature uses", user.uses),
            _bullets("## What this feature has to create", user.creates),
            _bullets("## Before you finish, check each of these", user.rules, "- [ ] "),
            STANDING.format(branch=self.config.branch_of(feature.id)),
            KEPT_WORK if kept_work else "",
            feedback,
        ]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _dependencies(self, feature: Feature) -> str:
        entries = [self._dependency(self._features[id]) for id in feature.depends_on]
        return _bullets("## What is already done, and merged into this folder", entries, "")

    def _dependency(self, needed: Feature) -> str:
        entry = f"- {needed.id} ({needed.name}), from branch `{self.config.branch_of(needed.id)}`"
        return f"{entry}: {', '.join(needed.creates)}" if needed.creates else entry


def resume(feature: Feature, feedback: str = "") -> str:
    """The prompt of a session that knows its task already."""
    return (feedback or RESUME.format(id=feature.id)) + "\n"


def failing_check(feature: Feature, what: str, output: str) -> str:
    """What Claude is told when a check of its work failed; ``output`` is the end of it."""
    return FAILING_CHECK.format(id=feature.id, what=what, output=output.strip() or "(nothing)")


def _bullets(title: str, items: Sequence[str], bullet: str = "- ") -> str:
    return "\n".join([title, *(bullet + item for item in items)]) if items else ""
