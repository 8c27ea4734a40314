"""Fills the tables of the pages from the code: ``python3 -m tests.pages``.

A table stands between ``<!-- options NAMES -->``, ``<!-- keys -->`` or ``<!-- figures -->`` and
``<!-- end -->``. The names are commands, or ``everywhere`` for the options that every command has.
The figures are those that ``python3 -m tests.bench --publish`` wrote. A test fails where a page
differs. The schema of the feature list and the options for the completion of a shell are written
too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from core.cli import COMMANDS
from core.model.feature import ClaudeOptions, Feature, Project, Retry
from core.project import keys, notify_keys
from core.project.list_reader import Key
from core.project.schema import schema_text
from core.start import candidates
from tests.bench.report import PUBLISHED, published, table

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(
    r"(<!-- (options|keys|figures)((?: [a-z]+)*) -->\n).*?(<!-- end -->)", re.DOTALL
)
"""A table between its markers: what it is made of, and for whom."""

NAMES = (*COMMANDS, "everywhere")
EVERYWHERE = ("--config", "--base", "--color", "--lang", "--verbose", "--quiet")


def pages() -> list[Path]:
    """All pages for users and contributors, README first."""
    named = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    return named + sorted((ROOT / "docs").glob("**/*.md"))


def filled(text: str) -> str:
    """The text of a page with its tables made anew."""
    makers = {"options": options_table, "keys": keys_table, "figures": figures_table}
    return MARKED.sub(lambda found: found[1] + makers[found[2]](found[3].split()) + found[4], text)


def options_table(names: list[str]) -> str:
    """The options of some commands, one row each, as Markdown."""
    several = len(names) > 1
    head = ["command", "option", "meaning"] if several else ["option", "meaning"]
    rows = [head, ["---"] * len(head)]
    for name in names:
        for action in options(name):
            option = spelled(action)
            meaning = str(action.help).replace("|", "\\|")
            rows.append([f"`{name}`", option, meaning] if several else [option, meaning])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def figures_table(names: list[str]) -> str:
    """The figures that were published last, with what they were measured on."""
    with open(PUBLISHED, encoding="utf-8") as file:
        document = json.load(file)
    where = "Measured on {at}: Python {python}, git {git}, {system}, {cpus} cores."
    lines = [where.format(**document), "", *table(published(document))]
    return "".join(f"{line}\n" for line in lines)


DEFAULTS = {
    "project": Project("", ""),
    "project.retry": Retry(),
    "claude": ClaudeOptions(),
    "features[]": Feature("", ""),
}


def keys_table(names: list[str]) -> str:
    """Every key of the feature list, one row each, as Markdown."""
    rows = [["key", "type, default", "meaning"], ["---"] * 3]
    groups = {
        "project": keys.PROJECT,
        "project.retry": keys.RETRY,
        "prompts": keys.PROMPTS,
        "claude": keys.CLAUDE,
        "features[]": keys.FEATURE,
        "notify[]": notify_keys.NOTIFY,
    }
    for prefix, group in groups.items():
        for name, key in group.items():
            kind = key.check.words + _default(prefix, name, key)
            rows.append([f"`{prefix}.{name}`", kind, key.meaning])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _default(prefix: str, name: str, key: Key) -> str:
    if key.needed:
        return ", required"
    value = OWN_DEFAULTS.get(f"{prefix}.{name}", getattr(DEFAULTS.get(prefix), name, None))
    if name == "allowed_tools" or value in (None, "", ()) or isinstance(value, (Retry, dict)):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return f", `{json.dumps(int(value) if whole else value)}`"


OWN_DEFAULTS = {"project.repo_path": ".", "features[].priority": 0}
"""What the loader fills in, where the value has no default of its own."""


def options(name: str) -> Iterator[argparse.Action]:
    """The options of one command without those of every command, or only the latter."""
    command = argparse.ArgumentParser(prog=name)
    import_module(f"core.commands.{'plan' if name == 'everywhere' else name}").configure(command)
    for action in command._actions:
        shared = any(option in EVERYWHERE for option in action.option_strings)
        is_hidden = action.help == argparse.SUPPRESS or "--help" in action.option_strings
        if shared == (name == "everywhere") and not is_hidden:
            yield action


def spelled(action: argparse.Action) -> str:
    """How an option is typed."""
    value = str(action.metavar or "") or ",".join(action.choices or ())
    if action.choices:
        value = f"{{{value}}}"
    if not action.option_strings:
        return f"`{value} …`" if action.nargs == "*" else f"`{value}`"
    words = ", ".join(f"`{option}`" for option in action.option_strings)
    if action.nargs == 0:
        return words
    value = value.replace("...", "…")
    return f"{words[:-1]}[={value}]`" if action.nargs == "?" else f"{words[:-1]} {value}`"


def made_files() -> dict[Path, str]:
    """The files that the code makes, with their texts."""
    table = {name: [_described(each) for each in _actions(name)] for name in COMMANDS}
    rows = ",\n".join(
        f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]"
        for name, rows in table.items()
    )
    return {
        ROOT / "config" / "feature_list.schema.json": schema_text(),
        Path(candidates.TABLE): f"{{\n{rows}\n}}\n",
    }


def _actions(name: str) -> list[argparse.Action]:
    command = argparse.ArgumentParser(prog=name)
    import_module(f"core.commands.{name}").configure(command)
    return [each for each in command._actions if each.help != argparse.SUPPRESS]


def _described(action: argparse.Action) -> dict[str, object]:
    """An option, as ``core/start/candidates.py`` reads it."""
    described: dict[str, object] = {"names": action.option_strings, "meaning": action.help}
    if action.nargs != 0:
        described["value"] = list(map(str, action.choices or ())) or _kind(action)
    if action.nargs == "?" and action.option_strings:
        described["may_lack"] = True
    if action.nargs == "*" or isinstance(action, argparse._AppendAction):
        described["repeats"] = True
    return described


def _kind(action: argparse.Action) -> str:
    kinds = {"ID": "id", "ID[,ID...]": "ids", "FILE": "file", "PATH": "file"}
    return kinds.get(str(action.metavar), "tag" if action.dest == "tag" else "text")


def main() -> int:
    """Write the pages whose tables changed."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")
            print(f"written: {page.relative_to(ROOT)}")
    for path, text in made_files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
