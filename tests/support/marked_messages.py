"""The sentences that core/ marks for translation, and the texts that it does not."""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.support.paths import ROOT

CORE = os.path.join(ROOT, "core")
MARKS = ("_", "N_", "ngettext", "counted")


@dataclass(frozen=True)
class Marked:
    """A sentence in its module; ``many`` is its form for more than one thing."""

    module: str
    line: int
    text: str
    many: str = ""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of ``core/`` by its path in there, parsed."""
    for root, folders, names in os.walk(CORE):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(root, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, CORE), ast.parse(file.read())


@cache
def marked_messages() -> tuple[Marked, ...]:
    """All sentences that are marked in ``core/``."""
    return tuple(each for module, tree in modules() for each in marked(module, tree))


def marked(module: str, tree: ast.AST) -> Iterator[Marked]:
    """The sentences that are marked in one module."""
    for call in _calls(tree):
        texts = [each.value for each in call.args if _is_text(each)]
        name = _name(call)
        if name == "counted" and texts:
            yield Marked(module, call.lineno, f"{{count}} {texts[0]}", f"{{count}} {texts[0]}s")
        elif name == "ngettext" and len(texts) == 2:
            yield Marked(module, call.lineno, *texts)
        elif name in ("_", "N_") and texts:
            yield Marked(module, call.lineno, texts[0])


def argparse_messages() -> Iterator[Marked]:
    """What argparse of this Python says, in its own words."""
    with open(argparse.__file__, encoding="utf-8") as file:
        yield from marked("argparse.py", ast.parse(file.read()))


def misused(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Marks around what no catalogue can have, such as an f-string."""
    for call in _calls(tree):
        text = call.args[1:2] if _name(call) == "counted" else call.args[:1]
        if any(isinstance(each, (ast.JoinedStr, ast.BinOp)) for each in text):
            yield call.lineno, f"{_name(call)}() of a text that is put together"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) == "format":
            of = node.func.value if isinstance(node.func, ast.Attribute) else None
            if isinstance(of, ast.Call) and _name(of) in MARKS:
                texts = [each.value for each in of.args if _is_text(each)]
                given = {each.arg for each in node.keywords}
                for text in texts:
                    if fields(text) - given and None not in given:
                        yield node.lineno, f"a field of {text!r} is not filled"


def fields(text: str) -> set[str]:
    """The names of the fields of a sentence: ``{name}`` and ``%(name)s``."""
    named = set(re.findall(r"%\((\w+)\)", text))
    return named | {found.split(".")[0] for found in re.findall(r"(?<!\{)\{(\w[\w.]*)", text)}


def unmarked(tree: ast.Module, other: str = "^$") -> Iterator[tuple[int, str]]:
    """Texts of several words that no mark is around: what a user might be shown in English.

    ``other`` is a pattern of those that are no sentences; see :data:`NO_SENTENCES`.
    """
    hidden = {id(node) for node in _not_shown(tree)}
    for node in ast.walk(tree):
        if id(node) in hidden or not _is_text(node) or COMMAND.fullmatch(node.value):
            continue
        if SEVERAL_WORDS.search(node.value) and not re.search(other, node.value):
            yield node.lineno, node.value


COMMAND = re.compile(
    r"rorchestrator:? | ?rorchestrator [a-z-]+( list| show| new)?( --?[a-z-]+=?| [A-Z]+)* ?"
    r"|attach ID"
    r"|(logs|why) |cd |.* && .*|\[timed out\]| ?--?[a-z-]+ ([A-Z]+)?|Claude Code"
    r"|(worktree|branch) [a-z]+ "
    r"|git (-C|worktree|branch|checkout|config|pull|push|stash|status|commit|remote|add|fetch"
    r"|switch|revert|log)\b.*"
    r"|claude (--?|auth|plugin|update).*|(sudo|chmod|pipx|gh|glab|ssh|python3|rm|df|export) .*"
)
"""What a user types, not reads."""

SEVERAL_WORDS = re.compile(r"[^\W\d_]{2,}[^\w\s]? +[^\W\d_]|^ [^\W\d_]{2,}|[^\W\d_]{2,}[:,;]? $")


def _not_shown(tree: ast.Module) -> Iterator[ast.AST]:
    """What is no sentence for users: docstrings, types, patterns, and what is marked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Call) and _name(node) in (*MARKS, *NOT_SHOWN):
            for part in [*node.args, *(each.value for each in node.keywords)]:
                yield from ast.walk(part)


NO_SENTENCES = {
    "__init__.py": "",  # For a Python that can read no catalogue of ours.
    "claude/command_line.py": r"^echo ",
    "claude/prompt.py": "",
    "claude/simulated.py": r"^No conversation|simulated agent|^ \(Claude Code\)$",
    "claude/end_of_attempt.py": r"\|.*\|\w|^rate|[Nn]o conversation found|^credit balance$",
    "dag/feature_inputs.py": r"^dependency $",
    "dag/inputs_1_0.py": "",
    "dag/schedule.py": r"^tuple\[",
    "engines/github_actions.py": r"^push $|^(Each feature has|Pins the|Joins the|One run at)",
    "engines/github_workflow.py": "",
    "engines/export_file.py": r"^# Made by",
    "engines/exported.py": r"^npm install",
    "engines/gitlab_ci.py": "",
    "git/door.py": r"^(exit|move) $",
    "git/hooks.py": r"^#!/bin/sh",
    "git/merging.py": r"^: leftover conflict marker$",
    "git/output.py": r"^added with --lock$",
    "commands/merge_reports.py": r"^git ls-remote",
    "engines/sending.py": r"^\(branch is currently",
    "engines/hand_in.py": r"^report of attempt $|^ of $|^ in run $",
    "engines/merged_report.py": r"^git ls-remote",
    "engines/one_feature.py": r"^--only: $|^\(stale info\)$|^attempt $|^ of $|^ in run $",
    "git/channel.py": r"^does not support|^error: failed to push|^To $|^ref: $|^100644 blob $",
    "git/remotes.py": r"^error: failed to push|^To $",
    "git/replica.py": r"^create $",
    "git/submodules.py": r"^ push origin $|^ missing$",
    "git/tampering.py": r"^ in $|^core\.worktree in $",
    "handover/body.py": r"^<!-- rorchestrator: ",
    "handover/forge/client.py": r"^Content-Type: ",
    "handover/forge/gitlab.py": r"^Draft: $",
    "handover/feedback.py": r"^ pull --no-rebase $",
    "handover/place.py": r"^merge $|^ and $|The base of $|^, which needs them|^a side of",
    "handover/forge/github_remarks.py": r"\{",
    "landing/cleanup.py": r"^ switch --detach$|^ branch $|^empty difference$",
    "landing/resolution.py": r"^Bash\(|^You were interrupted|^Claude's resolution|^\n\n|^ with $",
    "landing/layers.py": r"^(not|would) ask",
    "landing/stack.py": r"^merge $|^\n|a side of|^Claude resolved the conflict",
    "landing/target_branch.py": r"^ (submodule|switch --detach|update(-index)?|status)$",
    "model/contracts.py": r"A-Za-z",
    "model/feature.py": r"^Bash\(",
    "model/frozen.py": "",
    "model/mask.py": "",
    "model/state_json.py": "",
    "model/testing_tools.py": r"^\^Ran ",
    "process/awake.py": r"^--why=",
    "process/browser.py": r"^gio open$",
    "process/own_program.py": "",
    "process/supervisor.py": r"^tuple\[",
    "project/keys.py": "",
    "project/notify_keys.py": r"^`slack`|^for `|occasions\]|^list of |^name of ",
    "project/own_work.py": r"^what the work began with$|^git log",
    "project/schema.py": "",
    "project/source_text.py": r"^(Extra|Invalid|Unterminated|Expecting) ",
    "project/value_checks.py": r"^(list|text|object) o[fr] |^(true|whole|number|letters,) ",
    "rehearsal/rehearsal.py": r"^The rehearsal of $",
    "runner/steps.py": r"^\[in $|^ after $",
    "runner/surroundings.py": r"^ in $|^ref: ",
    "start/assisting/opinion.py": "",
    "start/completion.py": "",
    "start/decomposing/prompt.py": "",
    "start/decomposing/schema.py": "",
    "start/examining/doctor.py": r"^base branch$",
    "start/first_list.py": "",
    "start/importing/checklist.py": "",
    "start/importing/checks.py": "",
    "start/importing/issues.py": "",
    "start/importing/items.py": "",
    "start/importing/prd.py": "",
    "start/importing/prompt.py": "",
    "start/importing/spec_kit.py": r"^This ",
    "start/examining/listing.py": r"^(base branch|copy, link)$",
    "start/examining/machine.py": r"^cp $|^rorchestrator self-update $",
    "start/prompt_lint.py": r"^(and (so|the|more)|some kind|or some|as (needed|app)|where appro"
    r"|if (appro|poss)|user fri|best prac|clean code|high qual|state of|good (perf|en)|fast en"
    r"|to be |make it)|\||\\b",
    "start/examining/repository.py": r"^usage limit$|^git -C|^ (fetch|submodule|worktree) ",
    "start/stacks/generic.py": r"^(\./gradlew|mix|dotnet|swift|zig|deno|composer|meson|cmake|ctest)"
    r"|^(PHP|CI files)",
    "start/stacks/go.py": "",
    "start/stacks/node.py": r"^(pnpm|yarn|bun|npm|CI=|react-scripts|Node with|no test)",
    "start/stacks/python.py": r"^(\^|poetry|pipenv|uv |POETRY|PIPENV|ruff|pip |Python with)"
    r"|^ (discover|manage)",
    "start/stacks/ruby.py": r"^(bundle|RAILS|Ruby with| test$| db:| generate)",
    "start/stacks/rust.py": "",
    "start/survey.py": r"^mkdir $",
    "start/decomposing/talk.py": "",
    "views/delivery.py": r"^(on|end) run|^display notification",
    "review/page.py": r"<|^ open$",
    "views/html_feature.py": r"<|^ open$|^ class=",
    "views/html_parts.py": r"<|^ ?class=",
    "views/html_report.py": r"<|default-src|base-uri",
    "views/html_style.py": "",
    "views/html_verdicts.py": r"<",
    "views/junit.py": "",
    "views/plan_graph.py": r"^(flowchart|digraph)|classDef",
    "views/plan_svg.py": r"<|^ (xmlns|stroke)",
    "views/status_marks.py": r"<|width=",
    "views/svg_dag.py": r"<|^ class=|node |critical",
    "views/svg_timeline.py": r"<|role=|^claude lost$",
    "views/trace.py": "",
    "views/web/access.py": "",
    "views/web/beside.py": r"import |sys\.path",
    "views/web/listeners.py": "",
    "views/web/pages.py": r"<|^ (data|id|hidden)|\.js\"",
    "views/web/server.py": r"/(html|plain|event)|GET",
    "views/web/site.py": r"^text/",
    "worktree/admin_files.py": r"^gitdir: ",
    "worktree/baseline.py": r"^link to $",
    "worktree/committing.py": r"^\n|^failed to write commit object$",
    "worktree/dependencies.py": r"^merge $|^ and $|^\n\nThe base of",
    "worktree/escaping_paths.py": r"^import $",
    "worktree/keeping.py": r"^HEAD of|^(uncommitted|staged) work of|, kept by RoRchestrator$",
}
"""By module: patterns of texts that no user is shown as sentences, such as what masks a secret."""

NOT_SHOWN = ("compile", "sub", "fullmatch", "findall", "search", "strptime", "strftime")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in MARKS:
            yield node


def _name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
