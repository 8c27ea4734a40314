"""A run in French, from the plan to the merge: what a user is shown, and what stays English."""

from __future__ import annotations

import re
import unittest
from typing import ClassVar

from core.model.translate import shown
from core.project.keys import PROJECT
from tests.support.commands import read_text
from tests.support.french import French
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

FRENCH = {"LANG": "fr_FR.UTF-8"}

ENGLISH = re.compile(
    r"\b(the|and|of|is|are|was|were|run|runs|attempts?|completed|failed|blocked|cost|slots?|wave"
    r"|features?|branches|has|have|not|with|from|ended|started|check|unknown|yes)\b"
)
"""Words that no French sentence of ours has; those of commands, files and names are left out."""


def foreign(text: str) -> list[str]:
    """The lines with an English word that is not part of a command, a path or a quotation."""
    shown = re.sub(r"`[^`]*`|'[^']*'|\brorchestrator( [a-z]+)?|\S*[/=.~-]\S*|verify", "", text)
    return [line for line in shown.splitlines() if ENGLISH.search(line)]


class WholeRun(unittest.TestCase):
    """One list with a feature that completes, one that fails, and one that is blocked."""

    space: ClassVar[Workspace]

    @classmethod
    def setUpClass(cls) -> None:
        bad = feature("bad", name="Deux", verify=["test ! -e bad.md"], estimated_tokens=40_000)
        cls.space = Workspace(
            [
                feature("auth", name="Une", estimated_tokens=30_000),
                bad,
                feature("late", name="Trois", depends_on=["bad"], estimated_tokens=1_500),
            ],
            project={"usd_per_million_tokens": 5, "verify_attempts": 0},
        )
        cls.addClassCleanup(cls.space.close)
        cls.planned = cls.space.main("plan", env=FRENCH)
        cls.ran = cls.space.main("run", "--yes", env=FRENCH)

    def test_the_plan_is_french(self) -> None:
        said = self.planned.out
        self.assertEqual(foreign(said), [])
        self.assertTrue(said.startswith("PLAN D'EXÉCUTION Shop\n"), said)
        self.assertIn("\nVAGUE 1 [PARALLÈLE]\n", said)
        self.assertIn("\nVAGUE 2\n", said)
        self.assertIn("auth : Une (~30 k tokens, 0,15 $) [nouve", said)
        self.assertIn("Estimation : ~71,5 k tokens, 0,36 $\n", said)

    def test_the_lines_and_the_report_of_the_run_are_french(self) -> None:
        self.assertEqual(self.ran.code, 1)
        self.assertEqual(foreign(self.ran.out + self.ran.err), [])
        self.assertIn("❌ 1/3 fonctionnalités terminées en ", self.ran.out)
        self.assertIn("Par état : terminée (1), échouée (1), bloquée (1)", self.ran.out)
        self.assertIn("bloquée · bad n'a pas abouti (échouée)", self.ran.out)

    def test_commands_that_look_are_french(self) -> None:
        for words, expected in {
            "status": "FONCTIONNALITÉ  ÉTAT",
            "why": "a été bloquée",
            "why bad": "bad échouée : ",
            "history": "DURÉE MÉDIANE",
            "logs auth": "auth : tentative 1 sur 1",
            "report --markdown": "terminé : 1 sur 3 fonctionnalités",
            "merge --dry-run": "passerait de",
            "cleanup --all --dry-run": "conservée",
            "doctor": "pris en charge",
            "lint": "aucun fichier n'est nommé",
        }.items():
            with self.subTest(words):
                said = self.space.main(*words.split(), env=FRENCH)
                self.assertIn(expected, said.out)
                if words not in ("logs auth", "doctor"):
                    self.assertEqual(foreign(said.out + said.err), [])

    def test_the_page_is_french(self) -> None:
        page = self.space.main("report", "--html", "-", env=FRENCH).out
        self.assertIn('<html lang="fr">', page)
        self.assertIn("<h2>Non terminées</h2>", page)
        self.assertIn("Tout replier", page.encode().decode("unicode_escape"))

    def test_what_is_recorded_is_english(self) -> None:
        reasons = [event["reason"] for event in self.space.events("ended") if event["reason"]]
        self.assertEqual(len(reasons), 2)
        for text in (*reasons, str(self.space.report()), str(self.space.results())):
            self.assertNotRegex(text, "échou|abouti|vérification|exécution")
        for words in ("plan", "status", "why", "history", "report"):
            french = self.space.main(words, "--json", env=FRENCH).out
            self.assertNotRegex(french, "échou|abouti|vérification|exécution", words)

    def test_a_faulty_list_is_described_in_french(self) -> None:
        path = self.space.list_file
        before = read_text(path)
        self.addCleanup(self.space.write, {"config/feature_list.json": before})
        broken = before.replace('"verify_attempts"', '"verify_attemps"')
        self.space.write({"config/feature_list.json": broken})
        said = self.space.main("plan", env=FRENCH).err
        self.assertIn("feature_list.json contient 1 erreur\n", said)
        self.assertIn("clé inconnue (vouliez-vous dire 'verify_attempts' ?)", said)
        self.assertIn("verify_attempts", PROJECT)


class Recorded(unittest.TestCase):
    """Sentences of journals are found although others fit, too."""

    def test_no_english_word_is_left_between_those_of_a_sentence(self) -> None:
        with French():
            for text, expected in {
                "Claude Code 2.1.330, authentication: unknown": "authentification\u00a0: inconnu",
                "api has nothing to review: its status is running": (
                    "rien à relire pour api\u00a0: état «\u00a0en cours\u00a0»"
                ),
                "git can't tell whether it has landed: unknown: only git 2.38 or newer merges "
                "without a working tree": "si elle est fusionnée\u00a0: inconnu",
            }.items():
                self.assertIn(expected, shown(text))


if __name__ == "__main__":
    unittest.main()
