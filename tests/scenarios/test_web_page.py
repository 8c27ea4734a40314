"""The page of a run in a real browser: a whole run, buttons, keys, a lost connection."""

from __future__ import annotations

import json
import os
import unittest

from tests.support.browser import BrowserTest, Page
from tests.support.commands import Running, wait_until
from tests.support.contrast import CONTRAST
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

HOSTILE = "<img src=x onerror=hacked()></details></main><script>hacked()</script>'\"&amp;"

SHOTS = os.environ.get("RORCHESTRATOR_TEST_SHOTS", "")
"""A folder for pictures of the page, to be looked at."""


SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
NOTHING_NOW = "[...document.querySelectorAll('.now')].every(each => !each.textContent)"
"""No feature says what Claude does in it."""

MILLISECONDS = 30_000
"""How long anything in a page may take."""


class WebPageTest(BrowserTest, WorkspaceTest):
    def setUp(self) -> None:
        BrowserTest.setUp(self)
        WorkspaceTest.setUp(self)

    def opened(self, url: str) -> Page:
        """A page, loaded; what it complains about is in ``said``."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 900})
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda message: self.said.append(message.text))
        page.goto(url)
        return page

    def serves(self, port: int = 0) -> tuple[Running, str]:
        running = self.workspace.start("web", "--port", str(port), "--json")
        self.addCleanup(running.close)
        wait_until(lambda: "\n" in running.out, "an address")
        return running, str(json.loads(running.out)["url"])

    def shows(self, page: Page, part: str, words: str) -> None:
        """Wait until a part of the page has these words."""
        page.locator(f'[data-part="{part}"]').filter(has_text=words).first.wait_for()

    def press(self, page: Page, part: str, button: str) -> None:
        page.locator(f'[data-part="{part}"] button', has_text=button).click()

    def picture(self, page: Page, name: str, **more: bool) -> None:
        if SHOTS:
            page.screenshot(path=os.path.join(SHOTS, f"{name}.png"), **more)

    def test_a_run_from_its_start_to_its_end(self) -> None:
        go, later = self.workspace.beside("go"), self.workspace.beside("later")
        self.workspace.features(
            feature("auth", {"say": HOSTILE}, {"wait": go}, {"write": "auth.md"}, name=HOSTILE),
            feature("broken", {"bash": "true"}),
            feature("api", {"say": "hello"}, {"wait": later}, {"write": "api.md"}),
            feature("ui", depends_on=["auth"], name="Web interface"),
            max_parallel=3,
        )
        _, url = self.serves()
        page = self.opened(url)
        self.assertNotIn("token", page.url)
        self.shows(page, "-bar", "Nothing has run yet")
        self.press(page, "-bar", "Run")
        self.assertIn("rorchestrator run", page.locator("#-dialog-command").inner_text())
        page.keyboard.press("Escape")
        run = self.workspace.start("run", "--yes")
        self.shows(page, "-bar", "In progress")
        self.shows(page, "broken", "empty")
        self.assertTrue(page.locator("#broken").evaluate("each => each.open"))

        # What Claude does and says.
        self.shows(page, "auth", "<img src=x")
        self.press(page, "auth", "Claude")
        page.locator("#-claude-text", has_text="<script>hacked()").wait_for()
        page.keyboard.press("Escape")
        self.assertTrue(page.locator("#-claude").is_hidden())

        # What is open stays open, and the focus stays where it is.
        page.locator("#auth > summary").click()
        page.locator('[data-part="auth"] [data-action="stop"]').focus()

        # Buttons.
        self.press(page, "-bar", "Pause")
        self.shows(page, "-bar", "Paused")
        self.press(page, "-bar", "Resume")
        self.shows(page, "-bar", "In progress")
        self.press(page, "api", "Stop")
        page.locator("#-no").click()
        self.press(page, "api", "Stop")
        page.locator("#-yes").click()
        self.shows(page, "api", "cancelled")
        self.assertTrue(page.locator("#auth").evaluate("each => each.open"))
        self.look_at(page)

        # The end, and what comes after it.
        self.workspace.touch("go")
        self.shows(page, "-bar", "The run is over: 2 of 4 features completed")
        self.assertEqual(run.end().code, 1)
        self.assertIn("2 of 4", page.title())
        wait_until(lambda: page.evaluate(NOTHING_NOW), "nothing is said to go on")
        self.shows(page, "ui", "Web interface")
        self.press(page, "api", "Retry")
        self.assertIn("rorchestrator retry api", page.locator("#-dialog-command").inner_text())
        self.picture(page, "over-dialog")
        page.keyboard.press("Escape")
        self.assertEqual(len(self.workspace.events("run_started")), 1)
        self.assertEqual(page.evaluate("typeof hacked"), "undefined")
        self.assertEqual(page.locator("main img, main script").count(), 0)
        self.assertEqual(self.said, [])

    def look_at(self, page: Page) -> None:
        """Each width and each theme: it fits, it can be read."""
        self.press(page, "auth", "Claude")
        page.locator("#-claude-text", has_text="hacked").wait_for()
        for theme in ("light", "dark"):
            for name, (width, height) in SIZES.items():
                page.emulate_media(color_scheme=theme)
                page.set_viewport_size({"width": width, "height": height})
                self.picture(page, f"{name}-{theme}-claude")
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(wider, 0)
                self.assertEqual(page.evaluate(CONTRAST), [])
                if SHOTS:
                    page.evaluate("document.getElementById('-claude').hidden = true")
                    self.picture(page, f"{name}-{theme}", full_page=True)
                    page.evaluate("document.getElementById('-claude').hidden = false")
        page.keyboard.press("Escape")

    def test_a_lost_connection_is_said_and_comes_back_by_itself(self) -> None:
        self.workspace.features(feature("auth"))
        running, url = self.serves()
        page = self.opened(url)
        self.shows(page, "-bar", "Nothing has run yet")
        running.kill()
        lost = page.locator("#-lost")
        lost.filter(has_text="Connection lost").wait_for()
        self.picture(page, "lost")
        self.assertEqual(page.evaluate(CONTRAST), [])
        self.workspace.command("run", "--yes")
        self.serves(int(url.split(":")[2].split("/")[0]))
        lost.wait_for(state="hidden")
        self.shows(page, "-bar", "The run is over: 1 of 1")
        self.shows(page, "auth", "completed")
        # Only the network complained.
        self.assertTrue(all("ERR_" in said for said in self.said), self.said)

    def test_it_can_be_used_with_the_keyboard_alone(self) -> None:
        self.workspace.features(
            feature("auth", {"say": "hello"}, {"wait": self.workspace.beside("go")})
        )
        run = self.workspace.start("run", "--yes")
        _, url = self.serves()
        page = self.opened(url)
        self.shows(page, "auth", "Stop")
        self.shows(page, "auth", "hello")
        page.locator('[data-part="-bar"] button').first.focus()
        reached = []
        for _ in range(20):
            reached.append(page.evaluate("document.activeElement.textContent"))
            if "Claude" in reached[-1]:
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("#-claude-text", has_text="hello").wait_for()
        page.keyboard.press("Escape")
        focused = "document.activeElement.dataset.claude"
        self.assertEqual(page.evaluate(focused), "auth")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("#-dialog").wait_for()
        page.keyboard.press("Enter")
        self.shows(page, "-bar", "The run is over")
        self.assertEqual(run.end().code, 1)
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    unittest.main()
