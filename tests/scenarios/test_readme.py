"""The pages: their commands run as they stand, links lead somewhere, tables are current."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import redirect_stderr
from enum import Enum
from pathlib import Path
from xml.etree import ElementTree

from core.cli import COMMANDS, command_first, parser
from core.model.outcome import Fault, Status
from core.project.feature_list import load
from tests import messages, pages, picture
from tests.support.once import skip_if_run_elsewhere
from tests.support.page_samples import lasting, samples
from tests.support.paths import HOME_PAGE

setUpModule = skip_if_run_elsewhere

ROOT = Path(__file__).resolve().parent.parent.parent
TEST_COMMAND = "python3 -m unittest discover tests"
README_LIMIT_BYTES = 7_000

SHOP = (
    "README.md",
    "docs/INSTALL.md",
    *(
        f"docs/commands/{name}.md"
        for name in ("doctor", "plan", "run", "status", "watch", "why", "report", "logs", "diff")
    ),
    *(f"docs/commands/{name}.md" for name in ("steering", "review", "prove", "merge", "cleanup")),
    "docs/EVENTS.md",
    "docs/CONFLICTS.md",
    "docs/CHECKS.md",
    "docs/SETUP_CACHE.md",
    "docs/REHEARSAL.md",
    "docs/commands/templates.md",
    "docs/commands/lint.md",
    "docs/commands/init.md",
    "docs/commands/assist.md",
    "docs/commands/import.md",
)
"""Pages whose commands are typed one after the other: README makes the repository for them all."""

FRENCH = "GUIDE-UTILISATION.md"
FRENCH_LIMIT_BYTES = 20_000

OTHERS = (
    *("docs/QUICKSTART.md", "docs/REVIEW.md", "docs/SCALING.md", "CONTRIBUTING.md"),
    *("docs/commands/export.md", f"docs/{FRENCH}"),
)
"""Pages with commands that have a test of their own."""

DURATION = re.compile(r"\b(?:\d+ h )?(?:\d+ min )?\d+(?:,\d+)? s\b")
"""In French, as a command prints it."""

RAW = "https://raw.githubusercontent.com/RollandMELET/RoRchestrator/main/"

CLAUDE = """\
#!/bin/sh
# Stands in for Claude Code: writes a file named after the feature, new each time, and those that
# the feature is to create; among them one test that passes with that file.
[ "$1" = --version ] && { echo '2.1.197 (Claude Code)'; exit 0; }
[ "$1" = --help ] && { echo '-p --output-format --verbose --permission-mode --settings'
  echo '--resume --session-id --allowedTools --disallowedTools --strict-mcp-config'; exit 0; }
read -r line
id=${line#*\\"}; id=${id%%\\"*}
mkdir -p src
echo "# $id $$" >"src/$id.py"
while read -r line; do
  case $line in
  '- path:tests/'*) code="import os, unittest
class T(unittest.TestCase):
    def test(self): self.assertTrue(os.path.exists('src/$id.py'))" ;;
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
    found = re.findall(r"^( *)```bash\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


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
        """Type every block of the documents into one shell; what it printed.

        But for the one that runs all tests, this one included.
        """
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

    def test_the_commands_of_the_pages_do_what_they_say(self) -> None:
        printed = self.read_along(*SHOP)
        self.assertIn("4/4 features completed", printed)
        self.assertGreater(float(re.findall(r"^Speedup: (.*)x$", printed, re.MULTILINE)[0]), 1)
        plan = (ROOT / "docs" / "commands" / "plan.md").read_text(encoding="utf-8")
        self.assertIn(plan.split("```text\n")[1].split("```")[0], printed)
        self.assertIn("2/2 features completed", printed)
        self.assertIn("removed api (feature/api): ", printed)
        self.assertRegex(printed, r"this worktree has the ports from [23]\d{4} on")
        self.assertIn("$ test -s src/search.py", printed)
        shop = self.home / "shop"
        self.assertTrue((shop / "src" / "api.py").exists())
        plan = json.loads((shop / "plan.json").read_text())
        self.assertEqual([["auth"], ["api"]], plan["waves"])
        last = (self.home / "events.jsonl").read_text().splitlines()[-1]
        self.assertEqual(json.loads(last)["successful"], 1)
        status = json.loads((shop / "status.json").read_text())
        self.assertEqual(status["features"][0]["status"], "completed")
        rows = documented_events()
        for line in (shop / ".git" / "rorchestrator" / "journal.jsonl").read_text().splitlines():
            event = json.loads(line)
            with self.subTest(event=event["event"]):
                self.assertLessEqual(set(event), rows["every"] | rows[event["event"]])

    def test_the_quick_start_ends_with_the_merged_work_of_all_features(self) -> None:
        install = blocks("docs/INSTALL.md")[0]
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

    def test_the_french_guide_goes_from_installation_to_merge(self) -> None:
        self.env["LANG"] = "fr_FR.UTF-8"
        said = self.read_along(f"docs/{FRENCH}").replace(str(self.home), "/home/vous")
        printed = lasting(DURATION.sub("0 s", said))
        self.assertGreater(len(samples(FRENCH)), 2)
        for sample in samples(FRENCH):
            lines = lasting(DURATION.sub("0 s", sample))
            places = [place for place, line in enumerate(printed) if line == lines[0]]
            found = [printed[place : place + len(lines)] for place in places]
            self.assertIn(lines, found, "\n".join(printed))
        shop = self.home / "boutique"
        tests = ["python3", "-m", "unittest", "discover", "-s", "tests"]
        subprocess.run(tests, cwd=shop, env=self.env, check=True, capture_output=True)
        self.assertTrue((shop / "boutique" / "panier.py").exists())
        self.assertEqual(list((self.home / "boutique-worktrees").iterdir()), [])

    def test_the_commands_for_contributors_work_in_a_fresh_clone(self) -> None:
        self.project = self.folder / "elsewhere"
        self.project.mkdir()
        self.assertIn("OK", self.read_along("CONTRIBUTING.md"))


class PagesTest(unittest.TestCase):
    def test_the_checks_run_the_readmes_own_test_command(self) -> None:
        self.assertIn(f"{TEST_COMMAND}\n", blocks("README.md"))
        self.assertIn("readme_test_command", (ROOT / ".ci" / "run").read_text())

    def test_every_page_with_commands_is_typed_by_a_test(self) -> None:
        names = [str(page.relative_to(ROOT)) for page in pages.pages()]
        self.assertEqual({name for name in names if blocks(name)}, {*SHOP, *OTHERS})

    def test_every_command_that_a_page_names_is_accepted(self) -> None:
        typed = {each for page in pages.pages() for each in typed_commands(page)}
        self.assertGreater(len(typed), 40)
        for command in sorted(typed):
            words = command_first(shlex.split(command))
            with self.subTest(command=command):  # prose may leave out the id
                self.assertTrue(accepted(words) or accepted([*words, "auth"]))

    def test_the_feature_list_of_the_documents_is_one(self) -> None:
        page = (ROOT / "docs" / "FEATURE_LIST.md").read_text(encoding="utf-8")
        (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        with tempfile.TemporaryDirectory(prefix="ror-list-") as folder:
            path = Path(folder) / "feature_list.json"
            path.write_text(block, encoding="utf-8")
            prompts = Path(folder) / "prompts"
            prompts.mkdir()
            for name in ("auth", "api"):
                (prompts / f"{name}.md").write_text("Build it.", encoding="utf-8")
            self.assertEqual([each.id for each in load(str(path)).features], ["auth", "api"])

    def test_the_readme_is_short(self) -> None:
        self.assertLessEqual((ROOT / "README.md").stat().st_size, README_LIMIT_BYTES)

    def test_the_french_guide_is_short_and_keeps_french_typography(self) -> None:
        page = ROOT / "docs" / FRENCH
        self.assertLessEqual(page.stat().st_size, FRENCH_LIMIT_BYTES)
        text = re.sub(r"`[^`]+`|\]\([^)]*\)|^\|[-|]+\|$", "", prose(page), flags=re.MULTILINE)
        self.assertEqual(re.findall(r".*(?:[^\u00a0]»|«[^\u00a0]|[^\u202f][;?!]).*", text), [])
        self.assertEqual(re.findall(r".*[^\u00a0\d]:(?!//).*", text), [])

    def test_the_french_guide_names_each_status_as_the_commands_do(self) -> None:
        text = (ROOT / "docs" / FRENCH).read_text(encoding="utf-8")
        rows = re.findall(r"^\| (\w[^|`]*) \| `(\w+)` \|", text, re.MULTILINE)
        self.assertGreater(len(rows), 7)
        said = {entry.text: entry.said[0] for entry in messages.entries()}
        for french, status in rows:
            self.assertEqual(french, said[status.replace("_", " ")])

    def test_tables_are_those_of_the_code(self) -> None:
        for page in pages.pages():
            text = page.read_text(encoding="utf-8")
            with self.subTest(page=page.name):
                self.assertEqual(pages.filled(text), text, "run: python3 -m tests.pages")

    def test_both_tables_of_commands_name_each_once(self) -> None:
        for path in (ROOT / "README.md", ROOT / "docs" / "commands" / "index.md"):
            links = re.findall(
                r"\[(`[^\]]*`)\]\([^)]*commands/|^\| \[(`.*?`)\]\(", _table(path), re.M
            )
            named = re.findall(r"`(\w+)`", " ".join(map("".join, links)))
            with self.subTest(page=path.name):
                self.assertEqual(sorted(named), sorted(COMMANDS))

    def test_each_command_has_a_table_of_its_options(self) -> None:
        texts = [page.read_text(encoding="utf-8") for page in pages.pages()]
        marked = [found[2] for text in texts for found in pages.MARKED.findall(text)]
        self.assertEqual(sorted(" ".join(marked).split()), sorted(pages.NAMES))

    def test_every_kind_of_event_has_a_row(self) -> None:
        sources = [path.read_text(encoding="utf-8") for path in (ROOT / "core").glob("**/*.py")]
        made = {
            str(node.args[0].value)
            for source in sources
            if "Event(" in source or "_of_list(" in source
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("Event", "_of_list")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        }
        self.assertGreater(len(made), 20)
        of_conflicts = {"resolution_started", "resolution_ended"}
        self.assertEqual(made | of_conflicts, set(documented_events()) - {"every"})

    def test_every_status_and_every_fault_has_a_row(self) -> None:
        pairs: tuple[tuple[str, type[Enum]], ...] = (
            ("HOW_IT_WORKS.md", Status),
            ("LIMITS_AND_BUDGETS.md", Fault),
        )
        for name, values in pairs:
            page = (ROOT / "docs" / name).read_text(encoding="utf-8")
            cells = "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
            known = sorted(value.value for value in values)
            self.assertEqual(sorted(re.findall(r"`(\w+)`", cells)), known)


def _table(page: Path) -> str:
    """The lines of a page's tables."""
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith("| "))


class PictureTest(unittest.TestCase):
    def test_the_one_in_the_readme_shows_what_a_run_prints_today(self) -> None:
        self.assertIn("(docs/run.svg)", (ROOT / "README.md").read_text(encoding="utf-8"))
        drawn = picture.PICTURE.read_text(encoding="utf-8")
        today = picture.drawn(picture.recorded(pace=0.1))
        self.assertEqual(lines_of(drawn), lines_of(today), "run: python3 -m tests.picture")
        self.assertIn("$ rorchestrator run --yes", lines_of(drawn))
        self.assertNotIn("\x1b", drawn)
        self.assertEqual(sum("$ make test" in line for line in lines_of(drawn)), 2)


def lines_of(svg: str) -> list[str]:
    """The lines of a picture in any order, for features run side by side, without figures."""
    lines = ("".join(line.itertext()) for line in ElementTree.fromstring(svg))
    return sorted(re.sub(r"\d+(?:\.\d+)?", "0", line) for line in lines)


class LinksTest(unittest.TestCase):
    def test_every_link_inside_the_project_leads_to_a_file_and_a_heading(self) -> None:
        for page in pages.pages():
            for link in re.findall(r"\]\(([^):]+)\)", prose(page)):
                with self.subTest(page=page.name, link=link):
                    path, _, anchor = link.partition("#")
                    target = (page.parent / path) if path else page
                    self.assertTrue(target.exists())
                    if anchor:
                        self.assertIn(anchor, set(anchors(target)))

    def test_every_page_is_reached_from_the_readme(self) -> None:
        reached = [ROOT / "README.md"]
        for page in reached:
            for path in re.findall(r"\]\(([^)#:]+\.md)[)#]", prose(page)):
                target = (page.parent / path).resolve()
                if target not in reached:
                    reached.append(target)
        self.assertEqual([page for page in pages.pages() if page not in reached], [])

    def test_the_guide_names_every_page_once(self) -> None:
        guide = ROOT / "docs" / "GUIDE.md"
        named = re.findall(r"^\| \[.*?\]\((.*?)\) \|", guide.read_text("utf-8"), re.MULTILINE)
        listed = [(guide.parent / name).resolve() for name in named]
        commands = ROOT / "docs" / "commands"
        index = [commands / "index.md"]
        others = [page for page in pages.pages() if page.parent != commands and page != guide]
        self.assertEqual(sorted(listed), sorted(others + index))

    def test_anchors_are_those_of_a_code_host(self) -> None:
        self.assertEqual(anchor_of("`copy` and `link`"), "copy-and-link")
        self.assertEqual(anchor_of("Faults, limits and budgets"), "faults-limits-and-budgets")
        self.assertEqual(anchor_of("`pause`, [`stop`](x.md)"), "pause-stop")


def accepted(words: list[str]) -> bool:
    """Whether the parser takes a command line."""
    with redirect_stderr(io.StringIO()):
        try:
            parser(words[0]).parse_args(words)
        except SystemExit:
            return False
    return True


def typed_commands(page: Path) -> Iterator[str]:
    """The commands of ours that a page names or types, without what is behind a pipe."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`([^`\n]+)`", prose(page))
    in_blocks = re.findall(r"^[ $]*(rorchestrator .*)$", text, re.MULTILINE)
    for words in (*named, *in_blocks):
        command = re.split(r" [|>#]", words.replace("rorchestrator ", "", 1))[0]
        command = re.sub(r'"\$(\w+)"', r"\1", command)
        whole = not re.search(r"[\[(…{]|COMMAND|self-update", command)
        if whole and command.split(" ")[0] in COMMANDS and " " in command:
            yield re.sub(r'"\$(\w+)"', r"\1", command)  # a variable, as its name


def documented_events() -> dict[str, set[str]]:
    """The kinds of events of the page with their keys; ``every`` has the keys of all."""
    page = (ROOT / "docs" / "EVENTS.md").read_text(encoding="utf-8")
    heads = re.findall(r"^\| `(\w+)` \| [^|]*\|$", page, re.MULTILINE)
    found: dict[str, set[str]] = {"every": set(heads)}
    for kinds, keys in re.findall(r"^\| (`.*?`) \| .*? \| (.*)\|$", page, re.MULTILINE):
        for kind in re.findall(r"`(\w+)`", kinds):
            found[kind] = set(re.findall(r"`(\w+)`", keys))
    for kind in ("started", "ended"):
        found[f"resolution_{kind}"] = found[f"attempt_{kind}"]
    return found


def prose(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> Iterator[str]:
    """The anchors of a page's headings."""
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        yield anchor_of(heading)


def anchor_of(heading: str) -> str:
    """How GitHub names a heading."""
    text = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


if __name__ == "__main__":
    unittest.main()
