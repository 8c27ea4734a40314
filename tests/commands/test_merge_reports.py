"""``report --merge``: its forms, its exit code, and what it refuses."""

from __future__ import annotations

import os

from tests.support.commands import read_text
from tests.support.elsewhere import ElsewhereTest
from tests.support.once import once
from tests.support.workspace import feature


class MergeReportsTest(ElsewhereTest):
    def test_files_and_the_remote_give_the_same_report_in_every_form(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        for id in ("auth", "api"):
            self.assert_code(space.run_there(id), 0)
        files = [space.report_path(id) for id in ("api", "auth")]
        page, trace = space.beside("page.html"), space.beside("trace.json")
        at = space.home  # no repository around it

        def report(*words: str) -> str:
            done = space.main("report", "--merge", *words, at=at)
            self.assert_code(done, 0)
            return done.out

        said = report(*files, "--html", page, "--trace", trace)
        self.assertIn("2/2 features completed", said)
        self.assertIn(f"Report: {page}", said)
        self.assertIn("feature/api", read_text(page))
        self.assertIn("traceEvents", read_text(trace))
        there = ("--remote", space.url, "--run-id", "r1")
        self.assertEqual(report(*files, "--markdown"), report(*there, "--markdown"))
        self.assertEqual(report(*files, "--json"), report(*files, *there, "--json"))
        self.assertIn("<!DOCTYPE html>", report(*files, "--html", "-"))

    def test_a_part_of_the_list_is_named_and_what_is_missing_is_an_exit_code(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        self.assert_code(space.run_there("auth"), 0)
        self.assertEqual(space.merged("--only", "auth").code, 0)
        done = space.merged()
        self.assert_code(done, 1)
        self.assertIn("api: cancelled · not reported", done.out)
        self.assertNotIn("→", done.out)

    def test_a_file_that_is_no_report_does_not_hide_the_others(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)
        done = space.main("report", "--merge", space.list_file, space.report_path("auth"))
        self.assert_code(done, 1)
        self.assertIn("1/1 features completed", done.out)
        self.assertIn("feature_list.json is not a report of run --report", done.err)

    @once
    def test_the_page_is_opened(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)
        opened, page = space.beside("opened"), space.beside("page.html")
        browser = space.script("browser", f'#!/bin/sh\necho "$@" > {opened}\n')
        words = ("--merge", space.report_path("auth"), "--html", page, "--open")
        done = space.main("report", *words, "--trace", f"{page}.trace", env={"BROWSER": browser})
        self.assert_code(done, 0)
        self.assertIn(f"Trace: {page}.trace\n", done.out)
        space.wait_for("opened")
        for name in ("xdg-open", "wslview", "sensible-browser", "gio", "open"):
            space.script(name, "#!/bin/sh\nexit 3\n")
        env = {"BROWSER": "", "PATH": f"{space.root}:{space.environ['PATH']}"}
        done = space.main("report", *words, env=env)
        self.assert_code(done, 2)
        self.assertIn(f"next: open {page} in a browser", done.err)

    def test_what_is_missing_or_makes_no_sense_is_said(self) -> None:
        space = self.use(feature("auth"))
        for words, said in (
            (("--merge",), "there is no report"),
            (("--merge", "--run-id", "r1"), "needs files, or --remote URL and --run-id R"),
            (("--merge", "no.json"), "no.json can't be read"),
            (("--merge", space.list_file), "is not a report of run --report"),
            (("--merge", "x", "--remote", space.url), "--remote needs --run-id R"),
            (("--merge", "x", "--open"), "--open opens the page"),
            (
                ("--merge", "--remote", space.url, "--run-id", "r9"),
                "no machine has started a feature",
            ),
            (("--remote", space.url), "--remote needs --merge"),
            (("--run-id", "r1"), "--run-id needs --merge"),
        ):
            with self.subTest(words):
                done = space.main("report", *words)
                self.assert_code(done, 2)
                self.assertIn(said, done.err)
        self.assertEqual(os.listdir(space.temporary), [])
