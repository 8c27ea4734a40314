"""What users are shown is marked and translated, and the catalogue is that of the code."""

from __future__ import annotations

import ast
import os
import re
import unittest
from collections.abc import Iterator
from string import Formatter
from typing import ClassVar

from core.model.translate import shown
from core.process.language import catalogue
from core.views.html_style import OF_SCRIPTS, SCRIPT
from core.views.web.pages import WORDS
from tests import messages
from tests.support import po_files
from tests.support.french import French
from tests.support.marked_messages import (
    CORE,
    NO_SENTENCES,
    Marked,
    argparse_messages,
    fields,
    marked,
    marked_messages,
    misused,
    modules,
    unmarked,
)
from tests.support.once import once
from tests.support.po_files import Entry

COMMAND = "python3 -m tests.messages"

UNFINISHED: tuple[str, ...] = ()
"""Rooms and modules whose sentences are not marked yet."""


class TheCatalogue(unittest.TestCase):
    def setUp(self) -> None:
        self.entries = messages.entries()

    def test_it_has_exactly_the_sentences_that_are_marked(self) -> None:
        expected = messages.updated(self.entries, [*marked_messages(), *argparse_messages()])
        with open(f"{messages.PATH}.po", encoding="utf-8") as file:
            self.assertTrue(file.read() == po_files.written(expected), f"type: {COMMAND}")

    def test_every_sentence_is_translated(self) -> None:
        left = [each.text for each in self.entries if not each.is_translated]
        self.assertEqual(left, [])

    def test_a_translation_has_the_fields_of_its_sentence(self) -> None:
        for each in self.entries:
            for said in each.said:
                with self.subTest(each.text):
                    self.assertEqual(formats(said), formats(each.text))

    def test_a_translation_is_french_as_it_is_printed(self) -> None:
        for each in self.entries:
            for said in each.said:
                with self.subTest(said):
                    if each.text == "%(heading)s:":
                        continue  # of Python 3.13; the heading has its space already
                    self.assertEqual(list(typographic_faults(said)), [])

    def test_a_translation_begins_and_ends_as_its_sentence(self) -> None:
        for each in self.entries:
            for said in each.said:
                with self.subTest(each.text):
                    self.assertEqual(edges(said), edges(each.text))

    def test_the_compiled_file_is_that_of_the_source(self) -> None:
        with open(f"{messages.PATH}.mo", "rb") as file:
            self.assertTrue(file.read() == po_files.compiled(self.entries), f"type: {COMMAND}")

    def test_gettext_reads_the_compiled_file(self) -> None:
        french = catalogue("fr")
        assert french is not None
        for each in self.entries:
            if not each.many:
                self.assertEqual(french.gettext(each.text), each.said[0])
            else:
                said = [french.ngettext(each.text, each.many, count) for count in (0, 1, 2)]
                self.assertEqual(said, [each.said[0], *each.said])


def formats(text: str) -> set[str]:
    """The fields of a sentence as they are filled: name, conversion and format."""
    return set(re.findall(r"(?<!\{)\{[^{}]*\}|%\(\w+\)\w|%[a-z]\b", text))


def edges(text: str) -> tuple[str, str]:
    """The blanks before and behind a sentence."""
    return text[: len(text) - len(text.lstrip(" \n"))], text[len(text.rstrip(" \n")) :]


def typographic_faults(said: str) -> Iterator[str]:
    """What French printers would not do, and what no search for words would find."""
    if "’" in said:
        yield "an apostrophe that nobody types"
    if re.search(r" [:;?!»](\s|$)|« ", said):
        yield "a space that may break the line before or behind a sign"
    if re.search(r"[\w)][;?!»](\s|$)|[^\W\d]:(\s|$)|«\S(?<!\u00a0)", re.sub(r"[}\]]", "x", said)):
        yield "no space before or behind a sign"
    if re.search(r"\b\d+ %|\d \$", said):
        yield "a space that may break the line in an amount"


@once
class TheMarks(unittest.TestCase):
    unmarked: ClassVar[list[str]]
    misused: ClassVar[list[str]]
    translating: ClassVar[list[str]]
    """Modules that translate what they say."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.unmarked, cls.misused, cls.translating = [], [], []
        for module, tree in modules():
            place = f"core/{module}"
            cls.unmarked += [f"{place}:{line}: {text!r}" for line, text in _unmarked(module, tree)]
            if module != os.path.join("model", "words.py"):
                cls.misused += [f"{place}:{line}: {fault}" for line, fault in misused(tree)]
            if _translates(tree):
                cls.translating.append(module)

    def test_every_sentence_is_marked(self) -> None:
        unfinished = tuple(f"core/{name}" for name in UNFINISHED)
        self.assertEqual([each for each in self.unmarked if not each.startswith(unfinished)], [])

    def test_what_is_unfinished_is_there_and_still_unfinished(self) -> None:
        for name in UNFINISHED:
            with self.subTest(name):
                self.assertTrue(any(each.startswith(f"core/{name}") for each in self.unmarked))

    def test_no_mark_is_around_a_text_that_is_put_together(self) -> None:
        self.assertEqual(self.misused, [])

    def test_the_script_of_the_page_says_what_the_page_hands_it(self) -> None:
        with open(os.path.join(CORE, "views", "web", "web.js"), encoding="utf-8") as file:
            said = re.findall(r'say\((?:[\w.= ]+ \? )?"([^"]+)"(?: : "([^"]+)")?', file.read())
        self.assertEqual(
            {text for both in said for text in both if text}, set(WORDS) - {*OF_SCRIPTS}
        )
        for text in OF_SCRIPTS:
            self.assertIn(f'"{text}"', SCRIPT)

    def test_what_is_recorded_stays_english(self) -> None:
        found = [
            module
            for module in self.translating
            if module.split(os.sep)[0] in RECORDING and module not in SHOWING
        ]
        self.assertEqual(found, [])


def _unmarked(module: str, tree: ast.Module) -> list[tuple[int, str]]:
    return list(unmarked(tree, NO_SENTENCES.get(module, "^$")))


RECORDING = (
    *("process", "claude", "journal", "git", "dag", "worktree", "runner", "project"),
    *("orchestrator", "landing", "rehearsal"),
)
"""Rooms whose sentences are recorded or printed as JSON: they mark them with ``N_``."""

SHOWING = (
    os.path.join("rehearsal", "findings.py"),
    os.path.join("project", "control_requests.py"),
)
"""Modules in there that also print for a terminal."""


TOO_SHORT = (
    *(
        "at {commit}",
        "HEAD {before} → {now}",
        "{limit} MiB",
        "{path} is {error}",
        "{path} has {faults}",
        "exit {code}",
    ),
    "{head}: {rest}",
)
"""Parts of sentences that are hardly words."""


@once
class WhatIsRecorded(unittest.TestCase):
    def test_every_sentence_is_found_again_and_shown_in_french(self) -> None:
        recorded = {
            each.text
            for each in marked_messages()
            if each.module.split(os.sep)[0] in (*RECORDING, "model") and each.module not in SHOWING
        }
        with French():
            for each in messages.entries():
                if each.text in recorded and not each.many and each.text not in TOO_SHORT:
                    with self.subTest(each.text):
                        self.assertEqual(shown(filled(each.text)), filled(each.said[0]))


def filled(text: str) -> str:
    """A sentence with a name in each of its fields, a number if it is a count."""
    parts = [
        (literal, "" if field is None else "3" if field == "count" else f"a{field[:1]}")
        for literal, field, _, _ in Formatter().parse(text)
    ]
    return "".join(literal + value for literal, value in parts)


def _translates(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").endswith(("model.translate", "model.words"))
        and any(alias.name != "N_" for alias in node.names)
        for node in ast.walk(tree)
    )


class TheGuards(unittest.TestCase):
    """Each guard, fed bad source: one that can't fail guards nothing."""

    def test_a_sentence_without_a_mark_is_found(self) -> None:
        source = (
            '"""A docstring is none."""\nimport re\n'
            'print("two words")\nprint(f"{x} is gone")\nprint(_("is marked"))\n'
            're.compile("a pattern")\nprint("word", "a-b", "--x y", f"{x} {y}")\n'
        )
        self.assertEqual(list(unmarked(ast.parse(source))), [(3, "two words"), (4, " is gone")])

    def test_a_mark_around_no_constant_is_found(self) -> None:
        source = '_(f"{x} is gone")\n_("a" + b)\n_(CONSTANT)\n_("{a} {b}").format(a=1)\n'
        source += '_("{a}").format(**all)\nngettext("{a}", "{b}", 2).format(b=1)\n"{c}".format()\n'
        faults = [line for line, _ in misused(ast.parse(source))]
        self.assertEqual(sorted(faults), [1, 2, 4, 6])

    def test_marked_sentences_are_found_with_their_plural(self) -> None:
        source = '_("one")\nngettext("a {n}", "b {n}", n)\ncounted(2, "wave")\n_(X)\ncounted(n, x)'
        self.assertEqual(
            list(marked("m.py", ast.parse(source))),
            [
                Marked("m.py", 1, "one"),
                Marked("m.py", 2, "a {n}", "b {n}"),
                Marked("m.py", 3, "{count} wave", "{count} waves"),
            ],
        )
        self.assertEqual(fields("%(prog)s {a!r} {b:.2f} {{c}}"), {"prog", "a", "b"})

    def test_bad_typography_is_found(self) -> None:
        for said in ("l’état", "quoi ?", "quoi?", "« ici »", "«ici»", "90 %", "5 $", "fin:"):
            self.assertNotEqual(list(typographic_faults(said)), [], said)
        for said in ("quoi\u00a0? oui", "«\u00a0ici\u00a0»", "http://x", "12:30", "{a}\u00a0: {b}"):
            self.assertEqual(list(typographic_faults(said)), [], said)

    def test_a_sentence_of_a_recording_room_is_not_translated(self) -> None:
        for source, is_fault in (
            ("from ..model.translate import N_", False),
            ("from ..model.translate import N_, _", True),
            ("from ..model.words import money", True),
            ("from ..model.english import counted", False),
        ):
            self.assertEqual(_translates(ast.parse(source)), is_fault)


class TheTool(unittest.TestCase):
    def test_a_changed_sentence_is_fuzzy_a_new_one_empty_and_a_former_one_gone(self) -> None:
        old = [
            Entry("the old sentence of a test", said=["la vieille"], places=["a.py"]),
            Entry("kept", said=["gardé"], places=["a.py"]),
            Entry("of another Python", said=["d'un autre"], places=[messages.OF_PYTHON]),
            Entry("gone", said=["parti"], places=["a.py"]),
        ]
        found = [
            Marked("a.py", 1, "the old sentence of the test"),
            Marked("a.py", 2, "kept"),
            Marked("b.py", 2, "kept"),
            Marked("b.py", 3, "{count} day", "{count} days"),
        ]
        new = {each.text: each for each in messages.updated(old, found)}
        self.assertEqual(
            set(new), {"the old sentence of the test", "kept", "of another Python", "{count} day"}
        )
        self.assertTrue(new["the old sentence of the test"].fuzzy)
        self.assertEqual(new["the old sentence of the test"].said, ["la vieille"])
        self.assertEqual((new["kept"].said, new["kept"].places), (["gardé"], ["a.py", "b.py"]))
        self.assertFalse(new["{count} day"].is_translated)

    def test_a_po_file_is_read_as_it_was_written(self) -> None:
        entries = [
            Entry('two\nlines "quoted" \\ \t', said=["deux\nlignes"], places=["a.py", "b.py"]),
            Entry("{count} day", "{count} days", ["{count} jour", "{count} jours"], ["a.py"]),
            Entry("changed", said=["vieux"], places=["a.py"], fuzzy=True),
        ]
        self.assertEqual(po_files.read(po_files.written(entries)), entries)
        with self.assertRaises(ValueError):
            po_files.read("msgid nonsense")


class TheFolder(unittest.TestCase):
    def test_every_catalogue_is_there_with_its_source(self) -> None:
        folder = os.path.join(CORE, "locale")
        self.assertEqual(os.listdir(folder), ["fr"])
        self.assertEqual(
            sorted(os.listdir(os.path.dirname(messages.PATH))),
            ["rorchestrator.mo", "rorchestrator.po"],
        )


if __name__ == "__main__":
    unittest.main()
