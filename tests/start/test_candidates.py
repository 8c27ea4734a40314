"""What may stand at the end of a command line, by the hidden command that a shell calls."""

from __future__ import annotations

import json
import os
import tempfile
import unittest

from core.cli import COMMANDS
from tests.support.commands import run_in_process

FEATURES = [
    {"id": "auth", "name": "Sign-in", "tags": ["web", "my tag", "a\x07b"]},
    {"id": "api", "name": "The interface", "tags": ["team:data"]},
]


class Candidates(unittest.TestCase):
    folder: str

    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = temporary.name
        os.mkdir(os.path.join(cls.folder, "config"))
        for name, features in (("config/feature_list.json", FEATURES), ("o.json", FEATURES[1:])):
            with open(os.path.join(cls.folder, name), "w", encoding="utf-8") as file:
                json.dump({"features": features}, file)

    def lines(self, *words: str, shell: str = "zsh", **environ: str) -> list[str]:
        said = run_in_process(["__complete", shell, *words], self.folder, environ)
        self.assertEqual((said.code, said.err), (0, ""))
        return said.out.splitlines()

    def values(self, *words: str, shell: str = "zsh") -> list[str]:
        return [line.split("\t")[0] for line in self.lines(*words, shell=shell)]

    def test_a_command_comes_first(self) -> None:
        self.assertEqual(self.values(""), list(COMMANDS))
        self.assertEqual(self.lines("pl"), [f"plan\t{COMMANDS['plan']}"])
        self.assertEqual(self.values("--config", "o.json", "-q", "cl"), ["cleanup"])
        self.assertEqual(self.values("help", "sch"), ["schema"])
        self.assertEqual(self.values("plam", "--"), [])
        self.assertEqual(self.values("--v"), ["--verbose", "--version"])
        self.assertEqual(self.values("--color", ""), ["auto", "always", "never"])

    def test_nothing_is_said_without_a_word(self) -> None:
        for words in ((), ("bash",)):
            said = run_in_process(["__complete", *words], self.folder, {})
            self.assertEqual((said.code, said.out, said.err), (0, "", ""))

    def test_options_come_with_meanings_and_only_once(self) -> None:
        meaning = "these features, and dependencies that are out of date"
        self.assertEqual(self.lines("run", "--on"), [f"--only\t{meaning}"])
        self.assertEqual(self.values("run", "--only", "api", "--on"), [])
        self.assertEqual(self.values("run", "--only=api", "--on"), [])
        self.assertEqual(self.values("templates", "new", "--set", "a=b", "--se"), ["--set"])
        self.assertEqual(self.values("-q", "status", "--qui"), [])
        self.assertIn("--all-lists", self.values("status", ""))
        self.assertEqual(self.values("run", "--fresh", "--ta"), ["--tag"])
        self.assertEqual(self.values("why", "auth", "--js"), ["--json"])
        self.assertIn("--json", self.values("why", "auth", ""))

    def test_values_are_choices_files_or_free(self) -> None:
        for words, expected in (
            (("run", "--progress", ""), ["auto", "live", "plain", "quiet"]),
            (("run", "--progress=l"), ["--progress=live"]),
            (("completion", "z"), ["zsh"]),
            (("run", "--junit", "a"), [":files"]),
            (("plan", "--config", ""), [":files"]),
            (("plan", "--config="), [":files"]),
            (("run", "--max-cost", ""), []),
            (("run", "--nothing=", ""), self.values("run", "")),
            (("run", "--nothing="), []),
        ):
            with self.subTest(words):
                self.assertEqual(self.values(*words), expected)

    def test_ids_and_tags_are_those_of_the_list(self) -> None:
        for words, expected in (
            (("logs", ""), ["auth", "api"]),
            (("merge", "auth", "a"), ["auth", "api"]),
            (("run", "--only", "ap"), ["api"]),
            (("run", "--only", "auth,"), ["auth,api"]),
            (("run", "--only=auth,a"), ["--only=auth,api"]),
            (("run", "--fresh", ""), ["auth", "api"]),
            (("run", "--fresh", "--tag", "w"), ["web"]),
            (("run", "--tag", ""), ["web", "my tag", "team:data"]),
            (("--config", "o.json", "logs", ""), ["api"]),
            (("logs", "--config=o.json", ""), ["api"]),
            (("logs", "--config=none.json", ""), []),
        ):
            with self.subTest(words):
                self.assertEqual(self.values(*words), expected)
        self.assertEqual(self.lines("logs", "au"), ["auth\tSign-in"])

    def test_a_secret_in_a_name_is_masked(self) -> None:
        lines = self.lines("logs", "ap", SHOP_TOKEN="The interface")
        self.assertEqual(len(lines), 1)
        self.assertNotIn("The interface", lines[0])

    def test_bash_gets_what_follows_the_mark_at_which_it_splits(self) -> None:
        for words, expected in (
            (("run", "--progress", "="), ["auto", "live", "plain", "quiet"]),
            (("run", "--progress", "=", "l"), ["live"]),
            (("run", "--tag", "team", ":", "d"), ["data"]),
            (("run", "--tag", '"my'), ["my tag"]),
            (("run", "--tag", "my\\ t"), ["my tag"]),
            (("logs", "--config", "=", '"o.json"', ""), ["api"]),
            (("logs", "--config", "=", "o.json", ""), ["api"]),
        ):
            with self.subTest(words):
                self.assertEqual(self.values(*words, shell="bash"), expected)


if __name__ == "__main__":
    unittest.main()
