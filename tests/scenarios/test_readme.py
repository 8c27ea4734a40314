"""The documents' commands, run as they stand, in the order in which they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEST_COMMAND = "python3 -m unittest discover tests"
RAW = "https://raw.githubusercontent.com/RollandMELET/RoRchestrator/main/"
HOME_PAGE = "https://github.com/RollandMELET/RoRchestrator.git"

CLAUDE = """\
#!/bin/sh
# Stands in for Claude Code: writes a file named after the feature, new each time, and those that
# the feature is to create; among them one test that passes.
[ "$1" = --version ] && { echo '2.1.197 (Claude Code)'; exit 0; }
read -r line
id=${line#*\\"}; id=${id%%\\"*}
mkdir -p src
echo "# $id $$" >"src/$id.py"
while read -r line; do
  case $line in
  '- path:tests/'*) code='import unittest
class T(unittest.TestCase):
    def test(self): pass' ;;
  '- path:'*) code='class Task: pass
class TaskStorage: pass' ;;
  *) continue ;;
  esac
  file=${line#*:}
  mkdir -p "$(dirname "$file")"
  echo "$code" >"$file"
done
echo '{"type":"system","subtype":"init","claude_code_version":"2.1.197"}'
echo '{"type":"result","subtype":"success","is_error":false,"num_turns":2,"result":"Done.",' \\
  '"total_cost_usd":0.5}'
"""

CURL = f"""\
#!/bin/sh
# Stands in for curl: serves the project's own files under their public address.
while [ $# -gt 1 ]; do [ "$1" = -o ] && {{ to=$2; shift; }}; shift; done
case $1 in {RAW}*) exec cp "$PROJECT/${{1#{RAW}}}" "$to" ;; esac
exit 22
"""


def blocks(document: str) -> list[str]:
    """The blocks of commands of a document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```bash\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


class DocumentsTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-readme-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(os.path.realpath(folder.name))
        self.home = self.folder / "home"
        self.home.mkdir()
        self.project = self.folder / "RoRchestrator"
        hidden = shutil.ignore_patterns(".git", "__pycache__", "fixtures", "reports", ".*cache")
        shutil.copytree(ROOT, self.project, ignore=hidden)
        self.env = self.make_environment()
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "all"]):
            self.git(*words)
        self.git("tag", "v1.0.0")

    def make_environment(self) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir()
        scripts = {
            "claude": CLAUDE,
            "curl": CURL,
            "python3": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
        }
        for name, text in scripts.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        config = self.folder / "gitconfig"
        config.write_text(
            "[user]\n\tname = Reader\n\temail = reader@localhost\n"
            f'[url "{self.project}"]\n\tinsteadOf = {HOME_PAGE}\n'
        )
        return {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONIOENCODING": "utf-8",
            "GIT_CONFIG_GLOBAL": str(config),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PROJECT": str(self.project),
            "RORCHESTRATOR": str(self.project),
        }

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.project), *words], check=True, env=self.env)

    def read_along(self, *documents: str) -> str:
        """Type every block of the documents into one shell; what it printed."""
        commands = [block for name in documents for block in blocks(name)]
        script = "set -euo pipefail\n" + "\n".join(
            block for block in commands if block.strip() != TEST_COMMAND
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_the_commands_of_the_readme_do_what_it_says(self) -> None:
        printed = self.read_along("README.md")
        self.assertIn("4/4 features completed", printed)
        self.assertIn("2/2 features completed", printed)
        self.assertIn("removed api (feature/api): ", printed)
        self.assertRegex(printed, r"this worktree has the ports from [23]\d{4} on")
        self.assertIn("$ test -s src/search.py", printed)
        shop = self.home / "shop"
        self.assertTrue((shop / "src" / "api.py").exists())
        plan = json.loads((shop / "plan.json").read_text())
        self.assertEqual([["auth"], ["api"]], plan["waves"])
        last = (shop / "events.jsonl").read_text().splitlines()[-1]
        self.assertEqual(json.loads(last)["successful"], 1)
        status = json.loads((shop / "status.json").read_text())
        self.assertEqual(status["features"][0]["status"], "completed")

    def test_the_quick_start_ends_with_the_merged_work_of_all_features(self) -> None:
        install = blocks("README.md")[2]
        self.assertIn("install/wrapper.sh", install)
        subprocess.run(
            ["bash", "-euc", install], cwd=self.folder, env=self.env, check=True, timeout=120
        )
        self.env["PATH"] = f"{self.home / 'bin'}{os.pathsep}{self.env['PATH']}"
        printed = self.read_along("docs/QUICKSTART.md")
        self.assertIn("3/3 features completed", printed)
        self.assertIn("Everything is up to date", printed)
        files = sorted(path.name for path in (self.home / "todo" / "src").iterdir())
        own = {"cli-interface.py", "task-model.py", "task-storage.py"}
        self.assertEqual(set(files), own | {"__init__.py", "cli.py", "storage.py", "task.py"})

    def test_the_commands_for_contributors_work_in_a_fresh_clone(self) -> None:
        self.project = self.folder / "elsewhere"
        self.project.mkdir()
        self.assertIn("OK", self.read_along("CONTRIBUTING.md"))

    def test_the_checks_run_the_readmes_own_test_command(self) -> None:
        self.assertIn(f"{TEST_COMMAND}\n", blocks("README.md"))
        self.assertIn("readme_test_command", (ROOT / ".ci" / "run").read_text())


class LinksTest(unittest.TestCase):
    def test_every_link_to_a_file_of_the_project_leads_somewhere(self) -> None:
        for document in ROOT.glob("**/*.md"):
            if "fixtures" in document.parts or "prompts" in document.parts:
                continue
            for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
                with self.subTest(document=document.name, link=link):
                    self.assertTrue((document.parent / link).exists())

    def test_every_key_of_the_feature_list_stands_in_the_readme(self) -> None:
        from core.project import feature_list as config

        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        groups = {
            "project.": config._PROJECT,
            "prompts.": config._PROMPTS,
            "claude.": config._CLAUDE,
            "features[].": config._FEATURE,
        }
        for prefix, keys in groups.items():
            for key in keys:
                with self.subTest(key=prefix + key):
                    self.assertTrue(f"`{prefix}{key}`" in readme or f"`.{key}`" in readme)

    def test_every_option_of_every_command_stands_in_the_readme(self) -> None:
        from core.cli import COMMANDS, parser

        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for command in COMMANDS:
            with redirect_stdout(StringIO()) as printed, suppress(SystemExit):
                parser(command).parse_args([command, "--help"])
            options = set(re.findall(r"--[a-z-]+", printed.getvalue()))
            self.assertIn("--help", options)
            for option in options:
                with self.subTest(command=command, option=option):
                    self.assertIn(option, readme)
        self.assertIn("rorchestrator", parser().prog)


if __name__ == "__main__":
    unittest.main()
