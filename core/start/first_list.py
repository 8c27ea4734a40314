"""The texts that `init` writes: feature list, context and a first prompt, from a survey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..model.check_rules import is_simple
from ..model.excerpt import some
from ..model.feature import DEFAULT_ALLOWED_TOOLS
from ..model.terminal_text import one_line
from .prompt_text import without_variables
from .stacks.ci_files import FILES
from .survey import Survey
from .tool_rules import READS_ONLY, parts_of, rule_for

SCHEMA = "feature_list.schema.json"
"""The schema, beside the list."""

CONTEXT = "_context.md"

FEATURE = "describe-development"
"""The id of the first feature. It suits every repository, and its result is worth having."""

PROMPT = f"{FEATURE}.md"

COMMENT = (
    f"{CONTEXT} stands before every prompt: put there what holds for all features. The feature "
    "below is an example that suits every repository; rorchestrator templates list shows how to "
    "begin others."
)

TOKENS = 20_000

READMES = ("README.md", "README.rst", "README.txt", "README", "readme.md", "Readme.md")
GUIDES = (
    *("CLAUDE.md", "AGENTS.md", "CONTRIBUTING.md", "docs/CONTRIBUTING.md"),
    *("ARCHITECTURE.md", "docs/ARCHITECTURE.md", ".github/CONTRIBUTING.md"),
)
"""Documents that a developer reads first."""


def list_text(survey: Survey) -> str:
    """The feature list."""
    document: dict[str, object] = {
        "$schema": f"./{SCHEMA}",
        "_comment": COMMENT,
        "project": dict(_project(survey)),
        "prompts": {"context_file": CONTEXT},
    }
    rules = rules_to_add(survey)
    if rules:
        document["claude"] = {"allowed_tools_add": rules}
    document["features"] = [
        {
            "id": FEATURE,
            "name": "Describe development in the README",
            "prompt_file": PROMPT,
            "creates": [f"path:{readme_of(survey)}"],
            "estimated_tokens": TOKENS,
        }
    ]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _project(survey: Survey) -> Iterator[tuple[str, object]]:
    yield "name", survey.name
    yield "repo_path", "."
    if survey.base_branch:
        yield "base_branch", survey.base_branch
    stacks = survey.choice.stacks
    one = next((stack.one_at_a_time for stack in stacks if stack.one_at_a_time), "")
    if one:
        yield "_max_parallel", one
        yield "max_parallel", 1
    yield "worktrees_path", survey.worktrees_path
    if survey.branch_prefix:
        yield "branch_prefix", survey.branch_prefix
    port = port_variable(survey)
    if port:
        yield "port_variable", port
    if survey.copy:
        yield "copy", list(survey.copy)
    setup, verify = setup_of(survey), verify_of(survey)
    if setup:
        yield "setup", setup
    if setup and setup_cache_of(survey):
        yield "setup_cache", setup_cache_of(survey)
    if verify:
        yield "verify", verify


def setup_of(survey: Survey) -> list[str]:
    """The commands that set up a worktree."""
    return list(dict.fromkeys(line for stack in survey.choice.stacks for line in stack.setup))


def setup_cache_of(survey: Survey) -> list[str]:
    """The folders of the setup cache: none if some stack makes what can't be copied."""
    stacks = [stack for stack in survey.choice.stacks if stack.setup]
    if not all(stack.setup_cache for stack in stacks):
        return []
    return list(dict.fromkeys(folder for stack in stacks for folder in stack.setup_cache))


def verify_of(survey: Survey) -> list[str]:
    """The checks."""
    return list(dict.fromkeys(line for stack in survey.choice.stacks for line in stack.verify))


def port_variable(survey: Survey) -> str:
    """The first variable from which a server of the repository reads its port."""
    return next((s.port_variable for s in survey.choice.stacks if s.port_variable), "")


def rules_to_add(survey: Survey) -> list[str]:
    """Rules for commands that neither the defaults nor the checks themselves allow.

    The commands of the setup are allowed as they are, without further arguments: an installer
    could get any package otherwise.
    """
    checks = [part for line in verify_of(survey) for part in _parts(line)]
    named = [*checks, *(line for stack in survey.choice.stacks for line in stack.allowed)]
    installs = [part for line in setup_of(survey) for part in _parts(line)]
    rules = [*map(rule_for, filter(_needs_rule, named))]
    rules += (f"Bash({part})" for part in installs if _needs_rule(part) and is_simple(part))
    known = {*DEFAULT_ALLOWED_TOOLS, *map(rule_for, filter(is_simple, verify_of(survey)))}
    return [rule for rule in dict.fromkeys(rules) if rule not in known]


def _parts(line: str) -> list[str]:
    """The commands of a line without their variables, as rules are compared with them."""
    return [without_variables(part.strip("()")) for part in parts_of(line)]


def _needs_rule(command: str) -> bool:
    return command.split()[0] not in READS_ONLY


def readme_of(survey: Survey) -> str:
    """The README that the first feature changes or creates."""
    found = survey.tree.first(*READMES) if not survey.inner else ""
    if survey.inner:
        found = survey.tree.first(*(f"{survey.inner}/{name}" for name in READMES))
    return found or f"{survey.inner}/README.md".lstrip("/")


# -- the context ----------------------------------------------------------------------------------


def context_text(survey: Survey) -> str:
    """The text before every prompt, filled with what was found."""
    parts = [
        f"# Context: {survey.name}",
        *_section("The project", _facts(survey)),
        *_section("Commands", _commands(survey)),
        *_section("Working here", _manners(survey)),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = [f"- {line}" for line in lines]
    if found:
        yield f"## {title}"
        yield "\n".join(found)


def _facts(survey: Survey) -> Iterator[str]:
    tree, inner = survey.tree, survey.inner
    if inner:
        yield f"Features are about `{_plain(inner)}`, a folder of the repository."
    for stack in survey.choice.stacks:
        files = ", ".join(f"`{_plain(name)}`" for name in stack.files)
        yield f"{stack.name}, by {files}." if files else f"{stack.name}."
    guides = [name for name in (readme_of(survey), *GUIDES) if tree.has(name)]
    if guides:
        yield f"Read first: {', '.join(f'`{_plain(name)}`' for name in guides)}."
    scope = tree.below(inner) if inner else tree
    folders = [f"`{_plain(name)}/`" for name in scope.folders(1) if not name.startswith(".")]
    if folders:
        yield f"Folders: {some(folders, 12)}."
    of_ci = tree.matching(FILES)
    if of_ci:
        yield f"CI: {some([f'`{_plain(name)}`' for name in of_ci], 5)}."


def _commands(survey: Survey) -> Iterator[str]:
    for line in setup_of(survey):
        yield f"Done already in this worktree: `{line}`"
    for line in verify_of(survey):
        yield f"Must pass at the end: `{line}`"


def _manners(survey: Survey) -> Iterator[str]:
    yield "Existing style wins: look at neighbouring code before you write."
    yield "Tests go with the code that they test, and run without network."
    variable = port_variable(survey) or "RORCHESTRATOR_PORT"
    yield (
        f"Other features run at the same time: a server for tests listens on the port in "
        f"`{variable}`, never on a fixed one."
    )


def _plain(name: str) -> str:
    """A name without what would end a span of code."""
    return re.sub("`", "'", one_line(name))


def prompt_text(survey: Survey) -> str:
    """The prompt of the first feature."""
    readme = readme_of(survey)
    what = "Extend" if survey.tree.has(readme) else "Create"
    parts = [
        "# Describe development in the README",
        "## Objective",
        f'{what} `{readme}`: a section "Development" tells somebody who has just cloned the '
        "repository how to set it up, how to run its tests, and where its code is.",
        "## Specification",
        "\n".join(
            (
                "- Every command in the section was tried in this worktree and works.",
                "- The section has at most 30 lines; the rest of the file stays as it is.",
                "- No other file is changed.",
            )
        ),
        "## Acceptance",
        f'- `{readme}` has a section "Development" with the commands for setup and tests.',
    ]
    return "\n\n".join(parts) + "\n"
