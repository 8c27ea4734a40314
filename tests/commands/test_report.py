"""``report``: any run as a page, as Markdown, as JSON or as a trace."""

from __future__ import annotations

import glob
import json
import os
import unittest

from core.model import events
from core.model.events import Event
from core.model.frozen import replace
from core.model.outcome import Fault, FeatureOutcome, Status
from core.model.strategy import Strategy
from tests.support.commands import CommandResult, read_text
from tests.support.html_pages import Page
from tests.support.run_views import COMPLETED, DONE, begun, feature_story
from tests.support.story import AT, RUN
from tests.support.workspace import Workspace, feature

OLD, KILLED, OTHER = "20250101T100000-aaaaaa", "20250101T110000-bbbbbb", "20250202T100000-cccccc"


def of(run: str, at: float, story: list[Event]) -> list[Event]:
    """A story as that of another run, at another time."""
    return [replace(event, run=run, at=at + event.at - AT) for event in story]


ROUNDED = ("results", "total_duration_ms", "wall_ms", "speedup", "duration_ms")
"""The journal has whole milliseconds, so what is computed from it can differ by one."""


def without_rounded(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key not in ROUNDED}


class AfterSomeRuns(unittest.TestCase):
    """A run of an older version, a killed one, one of another list, and a real one."""

    space: Workspace
    done: CommandResult

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = space = Workspace(
            [
                feature("auth", {"write": "auth.txt"}, name="Sign-in"),
                feature("bad", {"write": "bad.txt"}),
                feature("app", name="App", depends_on=["bad"]),
            ],
            project={"verify": ["test ! -e bad.txt"], "verify_attempts": 1},
        )
        cls.addClassCleanup(space.close)
        completes = feature_story("old", AT + 1, DONE, end=COMPLETED)
        killed = FeatureOutcome(Status.CANCELLED, "the run was killed", Fault.INTERRUPTED)
        other = begun(["b"])
        space.record(
            *of(OLD, 1.7e9, [begun(["old"], None), *completes]),
            *of(OLD, 1.7e9 + 30, [events.run_ended(AT, RUN, exit_code=0)]),
            *of(KILLED, 1.71e9, [begun(["old"]), *completes[:5]]),
            *of(KILLED, 1.72e9, [events.ended(AT, RUN, "old", killed)]),
            *of(OTHER, 1.73e9, [replace(other, data={**other.data, "list": "other.json"})]),
            *of(OTHER, 1.73e9 + 9, [events.run_ended(AT, RUN, exit_code=0)]),
        )
        cls.done = space.run()

    def report(self, *words: str, code: int = 0) -> CommandResult:
        said = self.space.main("report", *words)
        self.assertEqual(said.code, code, said)
        return said

    def pages(self, pattern: str = "report_*.html") -> list[str]:
        return sorted(glob.glob(os.path.join(self.space.folder, "reports", pattern)))

    def test_a_run_writes_its_page_and_prints_its_path(self) -> None:
        [path] = [line[8:] for line in self.done.out.splitlines() if line.startswith("Report: ")]
        self.assertIn(path, self.pages())
        page = Page(read_text(path))
        self.assertIn("Shop 1 of 3 features completed", page.text)
        self.assertIn("bad.txt +1 −0", page.text)
        self.assertIn("app bad did not complete (failed) blocked", page.text)
        self.assertEqual(read_text(path), read_text(self.pages("latest.html")[0]))

    def test_the_page_is_written_again_and_the_report_is_printed(self) -> None:
        before = self.pages("*")
        said = self.report().out
        self.assertIn("1/3 features completed", said)
        self.assertIn(f"Report: {self.space.folder}/reports/report_", said)
        self.assertEqual(self.pages("*"), before)

    def test_the_json_of_the_last_run_is_its_written_report_with_the_results(self) -> None:
        document = self.report("--json").json
        self.assertEqual(without_rounded(document), without_rounded(self.space.report()))
        results = {each["feature_id"]: each for each in document["results"]}
        self.assertEqual(
            {id: without_rounded(each) for id, each in results.items()},
            {id: without_rounded(each) for id, each in self.space.results().items()},
        )
        self.assertEqual(document["by_status"], {"completed": 1, "failed": 1, "blocked": 1})
        self.assertEqual(document["exit_code"], 1)
        self.assertIn("run --yes", document["command"])
        self.assertGreater(document["estimated_cost_usd"], 0)

    def test_markdown_is_printed_for_a_pull_request(self) -> None:
        said = self.report("--markdown")
        self.assertIn("## ❌ Shop: 1 of 3 features completed", said.out)
        self.assertIn("| `auth` Sign-in | ✅ completed |", said.out)

    def test_a_run_is_known_by_the_beginning_of_its_id(self) -> None:
        for word in (OLD, OLD[:13], "20250202"):
            self.assertTrue(self.report(word, "--json").json["run"].startswith(word))
        self.assertEqual(
            self.report("latest", "--json").json["run"], self.report("--json").json["run"]
        )

    def test_a_run_that_is_unknown_or_ambiguous_is_answered_with_those_there_are(self) -> None:
        said = self.report("2024", code=2).err
        self.assertIn("there is no run '2024'", said)
        run = self.space.state().run
        assert run is not None
        self.assertIn(f"name one of these: {run.id}, {OTHER}, {KILLED}", said)
        said = self.report("20250101", code=2).err
        self.assertIn("'20250101' could be several runs", said)
        self.assertIn(f"name one of these: {KILLED}, {OLD}", said)

    def test_a_run_of_an_older_version_tells_what_it_recorded(self) -> None:
        document = self.report(OLD, "--json").json
        self.assertEqual((document["successful"], document["wall_ms"]), (1, 30_000))
        self.assertEqual(document["versions"]["rorchestrator"], None)
        self.assertEqual((document["up_to_date"], document["left_out"]), (None, None))
        self.assertEqual(document["waves"], [["old"]])
        self.assertEqual(document["branches_created"], [])

    def test_a_killed_run_ends_when_it_last_did_something(self) -> None:
        document = self.report(KILLED, "--json").json
        self.assertEqual((document["wall_ms"], document["exit_code"]), (3_000, None))
        [result] = document["results"]
        self.assertEqual((result["status"], result["error"]), ("cancelled", "the run was killed"))
        # The next run ended its feature months later.
        self.assertEqual((result["duration_ms"], document["speedup"]), (1_000, 0.33))

    def test_the_page_of_an_earlier_run_leaves_the_latest_alone(self) -> None:
        latest = read_text(self.pages("latest.html")[0])
        said = self.report(OLD)
        [path] = [line[8:] for line in said.out.splitlines() if line.startswith("Report: ")]
        self.assertIn("1 of 1 feature completed", Page(read_text(path)).text)
        self.assertEqual(read_text(self.pages("latest.html")[0]), latest)
        for made in glob.glob(f"{path[:-5]}.*"):
            os.unlink(made)

    def test_the_page_goes_to_a_file_or_to_stdout(self) -> None:
        path = self.space.beside("pages", "page.html")
        self.assertIn(f"Report: {path}", self.report("--html", path).out)
        self.assertEqual(Page(read_text(path)).text, Page(self.report("--html", "-").out).text)

    def test_a_trace_is_written_or_printed(self) -> None:
        path = self.space.beside("trace.json")
        self.assertIn(f"Trace: {path}", self.report("--trace", path).out)
        names = {row["name"] for row in json.loads(read_text(path))["traceEvents"]}
        self.assertLessEqual({"auth", "attempt 1", "checks", "commit"}, names)
        self.assertEqual(self.report("--trace", "-").json, json.loads(read_text(path)))

    def test_the_page_is_opened_with_the_program_of_the_desktop(self) -> None:
        said = self.space.beside("opened")
        program = self.space.script("viewer", f'#!/bin/sh\nprintf %s "$1" > {said}\n')
        page = self.space.beside("open.html")
        env = {"BROWSER": program}
        done = self.space.main("report", "--open", "--html", page, env=env)
        self.assertEqual((done.code, read_text(said)), (0, page))
        done = self.space.main("report", "--open", "--json", env=env)
        self.assertEqual((done.code, read_text(said)), (0, self.pages()[-1]))
        self.assertEqual(done.json["total_features"], 3)

    def test_a_page_that_cannot_be_opened_is_named(self) -> None:
        page = self.space.beside("open.html")
        for name in ("xdg-open", "wslview", "sensible-browser", "gio", "open"):
            self.space.script(name, "#!/bin/sh\nexit 3\n")
        env = {"BROWSER": "", "PATH": f"{self.space.root}:{self.space.environ['PATH']}"}
        done = self.space.main("report", "--open", "--html", page, env=env)
        self.assertEqual(done.code, 2)
        self.assertIn(f"next: open {page} in a browser", done.err)

    def test_options_that_exclude_each_other_are_refused(self) -> None:
        for words, told in (
            (("--open", "--html", "-"), "--open opens a file, and --html - writes none"),
            (("--html", "-", "--json"), "--html and --json both print to standard output"),
            (("--html", "-", "--trace", "-"), "--html and --trace both print to standard output"),
            (("--html", ""), "it must name a file"),
        ):
            self.assertIn(told, self.report(*words, code=2).err)

    def test_files_that_can_not_be_written_are_named(self) -> None:
        with open(self.space.beside("file"), "w"):
            pass
        path = self.space.beside("file", "page.html")
        self.assertIn(f"--html {path} can't be written", self.report("--html", path, code=2).err)
        for name in ("--html", "--trace"):
            done = self.report(name, self.space.list_file, code=2)
            self.assertIn(f"{name} {self.space.list_file} would replace the feature list", done.err)

    def test_a_folder_of_reports_that_can_not_be_written_to_is_named(self) -> None:
        folder = os.path.join(self.space.folder, "reports")
        os.rename(folder, f"{folder}~")
        try:
            with open(folder, "w"):
                pass
            said = self.report(code=2).err
            self.assertIn(f"the page could not be written to {folder}", said)
            self.assertIn("rorchestrator report --html FILE", said)
        finally:
            os.unlink(folder)
            os.rename(f"{folder}~", folder)

    def test_only_a_report_of_the_same_run_completes_what_the_journal_tells(self) -> None:
        [path] = self.pages("report_*.json")
        content = read_text(path)
        document = {**json.loads(content), "up_to_date": ["x"]}
        try:
            for change, expected in (({}, ["x"]), ({"run": "another"}, None)):
                with open(path, "w") as file:
                    json.dump({**document, **change}, file)
                self.assertEqual(self.report("--json").json["up_to_date"], expected)
            for damaged in ("[]", "{"):
                with open(path, "w") as file:
                    file.write(damaged)
                self.assertIsNone(self.report("--json").json["up_to_date"])
        finally:
            with open(path, "w") as file:
                file.write(content)


class WithoutARun(unittest.TestCase):
    def test_without_any_run_there_is_nothing_to_report(self) -> None:
        with Workspace([feature("auth")]) as space:
            said = space.main("report")
            self.assertEqual(said.code, 2)
            self.assertIn("no run has started in this repository yet", said.err)
            self.assertIn("next: rorchestrator run", said.err)


class AfterAMerge(unittest.TestCase):
    def test_what_has_landed_is_not_to_be_merged(self) -> None:
        story = [begun(["auth"]), *feature_story("auth", AT + 1, DONE, end=COMPLETED)]
        strategy = Strategy.SQUASH
        with Workspace([feature("auth")]) as space:
            space.record(*of("r9", 1.7e9, [*story, events.run_ended(AT, RUN, exit_code=0)]))
            self.assertIn("rorchestrator merge", space.main("report").out)
            landing = events.landing(
                1.8e9,
                "merge-1",
                "auth",
                into="main",
                commit="c",
                result="r",
                strategy=strategy,
                tip="t",
            )
            merged = events.merged(
                1.8e9, "merge-1", "auth", into="main", commit="c", strategy=strategy
            )
            space.record(landing, merged)
            for command in ("report", "watch"):
                said = space.main(command)
                self.assertIn("1/1 features completed", said.out)
                self.assertNotIn("rorchestrator merge", said.out)


class DuringARun(unittest.TestCase):
    def test_a_run_in_progress_is_shown_so_far(self) -> None:
        story = [begun(["auth"]), *feature_story("auth", AT + 1, DONE, end=COMPLETED)[:5]]
        with Workspace([feature("auth")]) as space:
            with space.at_work(*of("r9", 1.7e9, story)):
                said = space.main("report")
                self.assertIn("0/1 features completed", said.out)
                path = os.path.join(space.folder, "reports", "so_far.html")
                self.assertIn(f"Report: {path}", said.out)
                self.assertIn("still running", Page(read_text(path)).text)
                self.assertEqual(space.main("report", "--json").json["exit_code"], None)
            # Nobody holds the lock any more: it was killed.
            [result] = space.main("report", "--json").json["results"]
            self.assertEqual(result["error"], "the run was killed")
            space.main("report")
            names = os.listdir(os.path.join(space.folder, "reports"))
            self.assertIn("latest.html", names)
