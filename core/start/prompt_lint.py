"""What a prompt lacks: an acceptance check, a file, plain words, paths that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from ..model.contracts import Kind, contracts
from ..model.frozen import dataclass
from ..model.translate import N_
from .prompt_text import Line, commands_of, lines_of, names_a_file, paths_of
from .tool_rules import ToolRules, rule_for

LONGEST = 12_000
"""Characters of a prompt, about 3,000 tokens: a longer one is mostly more than one feature."""

LONGEST_LINE = 2_000
"""Characters of a line that are compared with the context."""

VAGUE = (
    *("etc.", "and so on", "and the like", "somehow", "some kind of", "or something", "stuff"),
    *("as needed", "as appropriate", "where appropriate", "if appropriate", "appropriately"),
    *("properly", "nicely", "user-friendly", "user friendly", "intuitive", "robust", "elegant"),
    *("best practices", "clean code", "high quality", "production-ready", "state of the art"),
    *("good performance", "fast enough", "good enough", "reasonable", "reasonably", "and more"),
    *("tbd", "to be defined", "to be decided", "make it better", "if possible", "and/or"),
)
"""Words that leave the decision to whoever reads them."""

_VAGUE = re.compile(
    "|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in VAGUE), re.IGNORECASE
)

_ACCEPTANCE = re.compile(
    r"^\s*#+.*\b(accept\w*|done|criteria|checks?|tests?|verif\w*)\b"
    r"|\bacceptance\b|\bdone when\b|\bdefinition of done\b",
    re.IGNORECASE,
)

_NO_DEPENDENCY = re.compile(
    r"\b(?:add(?:s)? no|no (?:new|further|other|more)?)\s*"
    r"(?:\w+ )?(?:dependenc(?:y|ies)|gems?|packages?|librar(?:y|ies))\b"
    r"|\b(?:there is no|without|no) network\b",
    re.IGNORECASE,
)
_INSTALLS = re.compile(
    r"(?:npm|pnpm|yarn|bun|uv|poetry|cargo|bundle|composer|dotnet|go)\s+(?:add|get|install\s+[\w@])"
    r"|(?:uv\s+)?pip3?\s+install\s+[\w\"']|npm\s+i\s+\S|gem\s+install"
)

CHANGE = ("change", "edit", "modify", "touch", "rewrite", "delete", "remove", "rename", "write")
USE = ("use", "call", "import", "run", "add", "install")

_NOT = r"\b(?:do not|don't|never|must not|may not|should not|not)\b[\w ,]*?"
_BUT = re.compile(r"[.;:]\s|,? but ")


@dataclass(frozen=True)
class Prompt:
    """A prompt, and what the list says about its feature."""

    text: str
    creates: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    """The checks of the feature and of the project."""
    rules: ToolRules = ToolRules((), is_free=True)


@dataclass(frozen=True)
class Around:
    """What surrounds all prompts of a list."""

    exists: Callable[[str], bool]
    """Whether a path exists in the repository."""
    context: str = ""
    created: tuple[str, ...] = ()
    """The paths and patterns that features of the list create."""


@dataclass(frozen=True)
class Finding:
    """Something that a prompt lacks; line 0 is the whole prompt."""

    rule: str
    line: int
    text: str


def findings(prompt: Prompt, around: Around) -> list[Finding]:
    """All findings about a prompt, by line."""
    lines = lines_of(prompt.text)
    found = [
        *_of_the_whole(prompt, lines),
        *_vague(lines),
        *_contradictions(lines, around.context),
        *_missing_paths(lines, around),
        *_refused(prompt, lines),
    ]
    return sorted(found, key=lambda each: each.line)


def created_paths(creates: Sequence[str]) -> tuple[str, ...]:
    """The paths among the contracts of a feature."""
    return tuple(each.what for each in contracts(creates) if each.kind is Kind.PATH)


def _of_the_whole(prompt: Prompt, lines: Sequence[Line]) -> Iterator[Finding]:
    says_when = any(_ACCEPTANCE.search(line.text) for line in lines if line.language is None)
    if not (says_when or prompt.verify or contracts(prompt.creates)):
        yield Finding(
            "acceptance",
            0,
            N_("no acceptance check: say which command or result shows that it works"),
        )
    if not (names_a_file(lines) or created_paths(prompt.creates)):
        yield Finding(
            "file", 0, N_("no file is named: say where the work begins, or what it creates")
        )
    if len(prompt.text) > LONGEST:
        size = N_("{count:,} characters, more than {longest:,}").format(
            count=len(prompt.text), longest=LONGEST
        )
        yield Finding(
            "length",
            0,
            N_("too long ({size}): make two features, or move facts to files").format(size=size),
        )


def _vague(lines: Sequence[Line]) -> Iterator[Finding]:
    for line in lines:
        for word in dict.fromkeys(found.lower() for found in _VAGUE.findall(line.words)):
            yield Finding(
                "vague",
                line.number,
                N_("vague: {word!r}; say exactly what is meant").format(word=word),
            )


CONTRADICTIONS = {
    (True, True): N_("the context forbids changing {name}"),
    (True, False): N_("the context forbids using {name}"),
    (False, True): N_("the context requires changing {name}"),
    (False, False): N_("the context requires using {name}"),
}
"""What is said of a demand of the prompt, by whether it is one, and whether it is to change."""


def _contradictions(lines: Sequence[Line], context: str) -> Iterator[Finding]:
    """What the context forbids and the prompt demands, or the other way round."""
    ours = list(_demands(lines))
    theirs = {(verbs, name): is_wanted for _, verbs, name, is_wanted in _demands(lines_of(context))}
    for number, verbs, name, is_wanted in ours:
        if theirs.get((verbs, name), is_wanted) != is_wanted:
            said = CONTRADICTIONS[is_wanted, verbs is CHANGE]
            yield Finding("context", number, said.format(name=name))
    if _NO_DEPENDENCY.search(context):
        for number, command in commands_of(lines):
            if _INSTALLS.match(command):
                text = N_("the context allows no new dependency or network: {command}").format(
                    command=command
                )
                yield Finding("context", number, text)


def _demands(lines: Sequence[Line]) -> Iterator[tuple[int, tuple[str, ...], str, bool]]:
    """What is to be changed or used, or is not to be: names between backticks, by clause."""
    for line in lines:
        for clause in _BUT.split(line.text[:LONGEST_LINE]) if line.language is None else ():
            for name in re.findall(r"`([^`]+)`", clause):
                for verbs in (CHANGE, USE):
                    demand = _demand(clause, verbs, name)
                    if demand is not None:
                        yield line.number, verbs, name, demand


def _demand(clause: str, verbs: tuple[str, ...], name: str) -> bool | None:
    """Whether a clause demands (or forbids) to do something with a name; else ``None``."""
    one, quoted = "|".join(verbs), re.escape(f"`{name}`")
    if re.search(rf"{_NOT}\b(?:{one})\b.*{quoted}", clause, re.IGNORECASE):
        return False
    is_passive = "read-only|never changed|not changed|never edited|not edited|never touched"
    if verbs is CHANGE and re.search(rf"{quoted}.* (?:is|are|stays?) (?:{is_passive})\b", clause):
        return False
    begins = r"^[\s\d.)*+-]*(?:then |also |first |please )?"
    if re.search(rf"(?:{begins}|\bmust |\band )(?:{one})\b[^`]*{quoted}", clause, re.IGNORECASE):
        return True
    return None


def _missing_paths(lines: Sequence[Line], around: Around) -> Iterator[Finding]:
    for number, path in paths_of(lines):
        if not (around.exists(path) or any(_covers(each, path) for each in around.created)):
            text = N_(
                "{path} does not exist, and no feature creates it (add 'path:{path}')"
            ).format(path=path)
            yield Finding("path", number, text)


def _covers(created: str, path: str) -> bool:
    return fnmatchcase(path, created) or path.startswith(created.rstrip("/") + "/")


def _refused(prompt: Prompt, lines: Sequence[Line]) -> Iterator[Finding]:
    named = [*commands_of(lines), *((0, check) for check in prompt.verify)]
    said: set[str] = set()
    for number, command in named:
        for part in prompt.rules.refused(command):
            if part not in said:
                said.add(part)
                yield Finding("command", number, _refusal(part, prompt.rules))


def _refusal(command: str, rules: ToolRules) -> str:
    if rules.forbid(command):
        return N_("a rule of disallowed_tools forbids: {command}").format(command=command)
    return N_("no rule of allowed_tools allows: {command} (add {rule!r})").format(
        command=command, rule=rule_for(command)
    )
