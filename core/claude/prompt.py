"""Prompts for Claude: first attempt, resume, failing check, merge conflict; standing rules."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..model.excerpt import some
from ..model.feature import Config, Feature
from ..model.frozen import dataclass
from ..model.review import Comment
from ..model.terminal_text import clean, one_line

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
An earlier attempt at this feature ended. This folder holds its work: look at it
first (`git status`, `git log`, `git diff`) and continue from there."""

RESUME = """\
Continue: this session was interrupted before the feature "{id}" was finished.
Look at what is done (`git status`, `git diff`): a command that was running at the interruption
may or may not have had its effect. Then finish the feature as originally requested. You run
unattended: do not ask."""

FAILING_CHECK = """\
Continue: the work on the feature "{id}" was committed and then checked, and a check failed.

{checks}

Fix the cause in this folder, not the check. The original task still applies. You run
unattended: do not ask."""

FAILING_CHECKS = """\
Continue: the work on the feature "{id}" was committed and then checked, and {count} checks failed.

{checks}

Fix the causes in this folder, not the checks. The original task still applies. You run
unattended: do not ask."""

PASSED_BEFORE = "It passed on the commit that this branch started from."

OUTPUT = """\
The end of its output:

```
{output}
```"""

SHOWN_CHECKS = 10
OUTPUT_LINES = 200
"""Of all checks together."""


COMMENTS = """\
Continue: the work on the feature "{id}" was reviewed, and there is something to do about it.

{comments}

Deal with each comment in this folder. The branch may hold commits that are not yours: look first
(`git status`, `git log`), build on them and keep them. If an earlier prompt of this session had a
comment of the same id, it is the same comment: do not do it twice. Say in your closing message for
each id what you did. The original task still applies. You run unattended: do not ask."""

COMMENTS_ON_EARLIER_WORK = """\
## What was said about an earlier attempt
This feature starts over. A review said this about its earlier work, which this folder does not
hold, so that the places are those of the earlier files. Take it into account from the start.

{comments}"""


CONFLICT = """\
## The merge
This folder is a scratch worktree in the middle of a `git merge` that stopped at conflicts. In each
conflict, ours is between `<<<<<<<` and `|||||||`, the common base between `|||||||` and
`=======`, and theirs between `=======` and `>>>>>>>`.

- The base: {base}
- Ours, `HEAD`: {ours}
- Theirs, `MERGE_HEAD`: {theirs}"""

RESOLVING = """\
## How you work here
- Resolve these conflicts and nothing else: change no other file, except one that either side
  touched and that the resolution affects.
- Keep the intent of both sides. Do not discard either; both are checked afterwards.
- Leave no conflict marker. Mark each resolved file with `git add FILE`, or with `git rm FILE` if
  it should be deleted.
- Do not commit, do not abort the merge, do not switch, reset or stash; run nothing else. The merge
  is committed for you.
- You run unattended: nobody can answer, so do not ask. Say in your closing message what you did."""

UNRESOLVED = """\
Continue: your resolution of the conflict of the feature "{id}" cannot land yet.

{what}

Fix it in this folder, in the files that either side touched, and mark them as resolved again
with `git add`. The original task still applies. You run unattended: do not ask."""

SHOWN_FILES = 50


@dataclass(frozen=True)
class Side:
    """One side of a merge: a commit, its name, and the files that it changed since the base."""

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
    needed_by: Feature | None = None,
) -> str:
    """The prompt for a feature that conflicts with ``into``, where ``others`` have landed.

    ``needed_by`` is a feature that waits for the merge, because it depends on both sides.
    """
    task = f'resolve the conflict that keeps the feature "{feature.id}" ({feature.name}) '
    task += f"from landing on `{into}`."
    if needed_by is not None:
        task = f'resolve the conflict between features that "{needed_by.id}" ({needed_by.name}) '
        task += "depends on. It starts from the result."
    parts = [
        f"Task: {task}",
        config.context.strip(),
        CONFLICT.format(base=base[:12], ours=ours, theirs=theirs),
        _bullets("## Files in conflict", files),
        *(_task_of(other, "ours") for other in others),
        _task_of(feature, "theirs"),
        RESOLVING,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _task_of(feature: Feature, side: str) -> str:
    title = f'## The task of "{feature.id}" ({feature.name}), which is {side}'
    texts = (feature.description.strip(), feature.prompt.strip())
    return "\n\n".join(filter(None, (title, *texts)))


def unresolved(feature: Feature, what: str, output: str) -> str:
    """The prompt after a resolution that cannot land, with the end of a check's ``output``."""
    end = output.strip()
    details = f"{what}\n\nThe end of its output:\n\n```\n{end}\n```" if end else what
    return UNRESOLVED.format(id=feature.id, what=details)


@dataclass(frozen=True)
class Wording:
    """The user's own text in a feature's prompt, in the order of the prompt."""

    texts: tuple[str, ...]
    uses: tuple[str, ...]
    creates: tuple[str, ...]
    rules: tuple[str, ...]


class PromptWriter:
    """Writes the prompts of a list's features; hashes are made from the same :class:`Wording`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._features = {feature.id: feature for feature in config.features}

    def wording(self, feature: Feature) -> Wording:
        """The user's own text for a feature, the only part of its prompt that is hashed."""
        texts = (self.config.context, feature.description, feature.prompt)
        return Wording(
            tuple(text.strip() for text in texts),
            feature.uses,
            feature.creates,
            self.config.quality_rules,
        )

    def parts(self, feature: Feature) -> dict[str, str]:
        """The parts of the prompt that are made of the user's text, by the key of the list."""
        user = self.wording(feature)
        context, description, prompt = user.texts
        file = f"prompt_file {feature.prompt_file}" if feature.prompt_file else "prompt"
        rules = _bullets("## Before you finish, check each of these", user.rules, "- [ ] ")
        return {
            "prompts.context_file": context,
            "description": description,
            file: prompt,
            "uses": _bullets("## What this feature uses", user.uses),
            "creates": _bullets("## What this feature has to create", user.creates),
            "prompts.quality_rules": rules,
        }

    def first(self, feature: Feature, *, kept_work: bool = False, feedback: str = "") -> str:
        """The prompt of a feature's first attempt.

        ``kept_work``: the worktree has the work of an earlier attempt; ``feedback`` says what is
        wrong with it, or was wrong before the feature started over.
        """
        *texts, uses, creates, rules = self.parts(feature).values()
        parts = [
            # Claude takes a prompt that begins with /word for a command, so our line comes first.
            f'Task: bring the feature "{feature.id}" ({feature.name}) to completion.',
            *texts,
            self._dependencies(feature),
            uses,
            creates,
            rules,
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
    """The prompt of a resumed session, which knows its task."""
    return (feedback or RESUME.format(id=feature.id)) + "\n"


@dataclass(frozen=True)
class Failing:
    """A failing check: what failed, and the end of what it printed."""

    what: str
    output: str
    passed_before: bool = False
    """Whether it passed at the commit that the feature started from."""


def failing_checks(feature: Feature, failing: Sequence[Failing]) -> str:
    """The prompt after failing checks, each with the end of its output."""
    shown = failing[:SHOWN_CHECKS]
    lines = OUTPUT_LINES // max(1, len(shown))
    parts = [_failing(each, lines) for each in shown]
    parts += [each.what for each in failing[SHOWN_CHECKS:]]
    words = FAILING_CHECK if len(failing) == 1 else FAILING_CHECKS
    return words.format(id=feature.id, count=len(failing), checks="\n\n".join(parts))


def _failing(check: Failing, lines: int) -> str:
    end = "\n".join(check.output.strip().splitlines()[-lines:])
    before = PASSED_BEFORE if check.passed_before else ""
    output = OUTPUT.format(output=end or "(nothing)")
    return "\n\n".join(filter(None, (check.what, before, output)))


def comments(feature: Feature, given: Sequence[Comment], *, is_new: bool = False) -> str:
    """The part of a prompt with comments; ``is_new`` if the feature starts over."""
    text = "\n\n".join(map(_comment, given))
    return (COMMENTS_ON_EARLIER_WORK if is_new else COMMENTS).format(id=feature.id, comments=text)


def _comment(given: Comment) -> str:
    """A comment with its id and place; quoted, so that it cannot be taken for our own words."""
    line = f":{given.line}" if given.line else ""
    place = f" on {json.dumps(given.path + line, ensure_ascii=False)}" if given.path else ""
    author = f", by {one_line(given.author)}" if given.author else ""
    quoted = "\n".join(f"> {line}".rstrip() for line in clean(given.text.strip()).splitlines())
    return f"Comment {given.id}{place}{author}:\n{quoted}"


def _bullets(title: str, items: Sequence[str], bullet: str = "- ") -> str:
    return "\n".join([title, *(bullet + item for item in items)]) if items else ""
