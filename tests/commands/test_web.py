"""``web`` and ``run --web``: the page opens before, during and after a run, and ends when told."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
from collections.abc import Sequence

from core import cli
from core.commands import web
from core.model import events
from core.model.errors import UserError
from core.model.mask import Mask
from tests.support.commands import HAS_PROC, Running, read_text, standing_in, wait_until
from tests.support.runs import RunTest
from tests.support.steered_runs import Run, started
from tests.support.web_pages import Browser
from tests.support.workspace import WorkspaceTest, feature


def url_of(running: Running) -> str:
    """The address that ``web --json`` prints."""
    wait_until(lambda: "\n" in running.out or running.process.poll() is not None, "an address")
    return str(json.loads(running.out)["url"])


class WebTest(WorkspaceTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(feature("auth", name="Sign-in"), feature("api"))

    def serves(self, *words: str, **env: str) -> tuple[Running, Browser]:
        running = self.workspace.start("web", "--port", "0", "--json", *words, env=env)
        return running, Browser(url_of(running))

    def refused(self, *words: str) -> str:
        done = self.workspace.main("web", *words)
        self.assertEqual(done.code, 2)
        return done.err

    def test_the_page_opens_before_during_and_after_a_run(self) -> None:
        running, browser = self.serves()
        self.assertIn("Nothing has run yet", browser.page())
        self.assertIn("Sign-in", browser.page())
        listening = browser.listen()
        with self.workspace.at_work(started("r1", os.getpid())):
            browser.shows("In progress")
            self.assertEqual(browser.press("stop", "api")[1]["text"], "the run has no such feature")
            self.workspace.record(events.run_ended(1.0, "r1", exit_code=0))
            browser.shows("The run is over")
        self.assertEqual(browser.press("pause")[0], 409)
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual((done.code, done.err), (0, ""))
        heard = listening.until_the_end()
        bars = [data["html"] for kind, data in heard if kind == "part" and data["id"] == "-bar"]
        self.assertIn("The run is over", bars[-1])
        self.assertEqual(heard[-1], ("end", {}))

    def test_buttons_ask_the_run_as_the_commands_do(self) -> None:
        _, browser = self.serves("--config", self.workspace.list_file)
        with self.workspace.at_work(started("r1", os.getpid())):
            run = Run(self.workspace)
            run.start()
            self.addCleanup(run.join)
            self.addCleanup(run.over.set)
            status, reply = browser.press("pause")
            self.assertEqual((status, reply["text"], reply["done"]), (200, "pause of True", True))
            self.assertEqual(self.page()._ask(web.ControlAction.PAUSE, ""), reply)
            run.done = False
            status, reply = browser.press("stop", "auth")
            self.assertEqual((status, reply["hint"]), (409, "try again"))
            self.workspace.record(events.run_ended(1.0, "r1", exit_code=0))
        page = browser.page()
        self.assertIn(f"rorchestrator run --config {self.workspace.list_file}", page)

    def test_a_request_to_a_run_that_has_just_ended_is_refused(self) -> None:
        page = self.page()
        with self.assertRaises(UserError) as caught:
            page._ask(web.ControlAction.PAUSE, "")
        self.assertEqual(caught.exception.message, "no run is in progress")

    def test_a_faulty_list_is_no_obstacle_once_something_ran(self) -> None:
        good = read_text(self.workspace.list_file)
        with open(self.workspace.list_file, "w", encoding="utf-8") as file:
            file.write(good.replace('"features"', '"tasks"'))
        self.assertIn("tasks", self.refused())
        with self.workspace.at_work(started("r1", 1)):
            pass
        running, browser = self.serves()
        self.assertIn("The feature list cannot be used", browser.page())
        with open(self.workspace.list_file, "w", encoding="utf-8") as file:
            file.write(good)
        self.workspace.record(started("r2", 1))
        wait_until(lambda: "cannot be used" not in browser.page(), "the next run reads it again")
        running.signal(signal.SIGTERM)
        self.assertEqual(running.end().code, 143)

    # -- addresses --------------------------------------------------------------------------

    def test_people_see_the_address_and_how_to_end_it(self) -> None:
        done = self.workspace.command("web", "--port", "0", "--until-eof")
        self.assertEqual(done.code, 0)
        self.assertRegex(done.out, r"\Ahttp://127\.0\.0\.1:\d+/\?token=[\w-]{22}\n\Z")
        self.assertIn("Ctrl-C", done.err)
        done = self.workspace.command("web", "--port", "0", "--until-eof", "-q")
        self.assertEqual(done.err, "")

    def test_a_port_that_is_in_use_is_an_error_only_if_it_was_asked_for(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            said = self.refused("--port", str(port))
            self.assertIn(f"port {port}", said)
            self.assertIn("next: rorchestrator web --port 0", said)
        with socket.socket() as holder:
            # Whoever has it, it is in use now.
            if holder.connect_ex(("127.0.0.1", web.DEFAULT_PORT)):
                holder.close()
                default = socket.create_server(("127.0.0.1", web.DEFAULT_PORT))
                self.addCleanup(default.close)
            done = self.workspace.command("web", "--json", "--until-eof")
        self.assertEqual(done.code, 0, done.err)
        self.assertNotIn(f":{web.DEFAULT_PORT}/", done.json["url"])

    def test_other_machines_are_let_in_only_if_that_was_asked_for(self) -> None:
        for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
            said = self.refused("--host", host)
            self.assertIn("--allow-remote", said)
            self.assertIn("ssh -L", said)
        running = self.workspace.start(
            *("web", "--host", "0.0.0.0", "--allow-remote", "--port", "0", "--json")
        )
        url = url_of(running)
        self.assertIn(f"//{socket.gethostname()}:", url)
        browser = Browser(url.replace(socket.gethostname(), "127.0.0.1"))
        self.assertEqual(browser.status, 303)
        self.assertIn("Nothing has run yet", browser.page())
        self.assertIn("192.0.2.1", self.refused("--host", "192.0.2.1", "--allow-remote"))

    def test_an_address_of_another_machine_is_named(self) -> None:
        # RFC 5737 keeps this address for documentation.
        done = self.workspace.main("web", "--host", "192.0.2.1", "--port", "0", "--allow-remote")
        self.assertEqual(done.code, 2, done)
        self.assertIn("can't be served at 192.0.2.1: ", done.err)
        self.assertIn("next: give --host an address of this machine", done.err)

    def test_a_port_is_a_number(self) -> None:
        for text in ("x", "-1", "65536", "9" * 5000, "\u0663"):
            self.assertIn("is not a port", self.refused("--port", text))

    def test_the_browser_gets_an_address_that_is_valid_once(self) -> None:
        opened = self.workspace.beside("opened")
        program = self.workspace.script("browser", f'#!/bin/sh\necho "$1" >{opened}\n')
        running, browser = self.serves("--open", BROWSER=program)
        wait_until(lambda: os.path.exists(opened) and read_text(opened), "it was opened")
        url = read_text(opened).strip()
        self.assertEqual([Browser(url).status for _ in range(2)], [303, 401])
        self.assertEqual(browser.get()[0], 200)
        running.signal(signal.SIGTERM)
        self.assertEqual(running.end().code, 143)

    def test_without_a_browser_the_address_is_enough(self) -> None:
        for name in ("xdg-open", "wslview", "sensible-browser", "gio", "open"):
            self.workspace.script(name, "#!/bin/sh\nexit 3\n")
        env = {"BROWSER": "", "PATH": f"{self.workspace.root}:{self.workspace.environ['PATH']}"}
        done = self.workspace.command("web", "--port", "0", "--open", "--until-eof", env=env)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("No browser", done.err)

    # -- what goes wrong --------------------------------------------------------------------

    def page(self, words: Sequence[str] = ("--port", "0")) -> web.Page:
        known = argparse.Namespace(mask=Mask({}), words=["web"])
        arguments = cli.parser("web").parse_args(["web", *words], known)
        with standing_in(self.workspace.folder, self.workspace.environ):
            page = web.Page(arguments)
        self.addCleanup(page.server.server_close)
        known.config = self.workspace.list_file
        return page

    def test_a_mistake_of_ours_ends_the_page(self) -> None:
        page = self.page()
        page.feed._fail(KeyError("a mistake"))
        with self.assertRaises(KeyError):
            page.server.serve()

    def test_a_list_that_became_faulty_before_anything_ran_is_shown_as_it_was(self) -> None:
        page = self.page()
        os.unlink(self.workspace.list_file)
        self.assertEqual(set(page._know().features), {"auth", "api"})


class RunWithPageTest(RunTest):
    """``run --web``: one page for one run."""

    def test_the_page_ends_with_its_run_and_shows_its_end(self) -> None:
        self.workspace.features(self.held("auth"), max_parallel=1)
        running = self.workspace.start("run", "--yes", "--web")
        self.wait_for("auth.began")
        (url,) = re.findall(r"http://\S+", running.err)
        browser = Browser(url)
        browser.shows("In progress: 1 running")
        self.assertEqual(browser.press("pause")[0], 200)
        self.assertEqual(browser.press("resume")[1]["text"], "resumed")
        listening = browser.listen()
        self.workspace.touch("auth.go")
        heard = listening.until_the_end()
        self.assertEqual(heard[-1], ("end", {}))
        self.assertIn("The run is over: 1 of 1", str(heard))
        self.assert_code(running.end(), 0)
        with self.assertRaises(OSError):
            browser.get()

    def test_nothing_of_a_page_is_left_when_its_run_is_killed(self) -> None:
        self.workspace.features(self.held("auth"))
        running = self.workspace.start("run", "--yes", "--web", "-q")
        self.wait_for("auth.began")
        self.assertIn("http://", running.err)
        running.kill()
        self.nothing_runs()

    def test_a_run_goes_on_without_its_page(self) -> None:
        if not HAS_PROC:
            self.skipTest("the page is found by /proc")
        self.workspace.features(self.held("auth"))
        running = self.workspace.start("run", "--yes", "--web")
        self.wait_for("auth.began")
        for pid in self.workspace.processes():
            if "--until-eof" in read_text(f"/proc/{pid}/cmdline"):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: "The web page has ended" in running.err, "it is said")
        self.workspace.touch("auth.go")
        done = running.end()
        self.assert_code(done, 0)
        self.assertEqual(done.err.count("The web page"), 1)
