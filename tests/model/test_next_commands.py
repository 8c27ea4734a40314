"""Commands to type next carry the options of the one that names them."""

from __future__ import annotations

import unittest

from core.model.next_commands import completed
from tests.support.workspace import Workspace, feature

GIVEN = {
    "config": "my lists/a.json",
    "only": ["api", "web"],
    "base": None,
    "tag": "",
    "json": False,
}


class Texts(unittest.TestCase):
    def test_each_command_gets_what_it_lacks(self) -> None:
        config = "--config 'my lists/a.json'"
        cases = {
            "→ rorchestrator run  (on)": f"→ rorchestrator run {config} --only api,web  (on)",
            "rorchestrator run --only x --fresh": f"rorchestrator run {config} --only x --fresh",
            "rorchestrator submit --engine slurm, or name a run": (
                f"rorchestrator submit {config} --engine slurm, or name a run"
            ),
            "write it: rorchestrator export gitlab-ci": (
                f"write it: rorchestrator export {config} gitlab-ci"
            ),
            "see `rorchestrator plan`": f"see `rorchestrator plan {config} --only api,web`",
            "rorchestrator retry auth": f"rorchestrator retry {config} auth",
            "rorchestrator logs a, or rorchestrator status": (
                f"rorchestrator logs {config} a, or rorchestrator status {config}"
            ),
            "rorchestrator merge a --config b.json": "rorchestrator merge a --config b.json",
            "rorchestrator merge a --config b.json; rorchestrator stop": (
                f"rorchestrator merge a --config b.json; rorchestrator stop {config}"
            ),
            "rorchestrator run is running": "rorchestrator run is running",
            "rorchestrator run (pid 7) is in progress": "rorchestrator run (pid 7) is in progress",
            ".git/rorchestrator run": ".git/rorchestrator run",
            "rorchestrator: status": "rorchestrator: status",
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(completed(text, GIVEN), expected)
                self.assertEqual(completed(text, {}), text)

    def test_options_without_a_value_are_words_too(self) -> None:
        given = {"tag": "web", "no_deps": True, "base": "v1"}
        found = completed("rorchestrator run", given)
        self.assertEqual(found, "rorchestrator run --base v1 --tag web --no-deps")


class Said(unittest.TestCase):
    def test_errors_and_reports_name_this_list_and_these_features(self) -> None:
        with Workspace([feature("auth", prompt='simulate: {"bash": "exit 3"}')]) as space:
            path = space.list_file
            said = space.main("plan", "--only", "nope", "--config", path)
            self.assertIn(
                f"next: rorchestrator status --config {path} lists all features", said.err
            )
            said = space.main("stop", "--config", path)
            self.assertIn(f"rorchestrator run --config {path} starts a run", said.err)
            said = space.main("stop")
            self.assertIn("rorchestrator run starts a run", said.err)
            said = space.main("--help")
            self.assertNotIn("--config", said.out.split("examples:")[1])


if __name__ == "__main__":
    unittest.main()
