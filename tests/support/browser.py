"""A headless Chromium, driven by playwright: both are development tools.

With ``RORCHESTRATOR_TEST_BROWSER``, the path of a Chromium, these tests can't be skipped.
"""

from __future__ import annotations

import os
import shutil
import unittest
from typing import Any

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

WANTED = os.environ.get("RORCHESTRATOR_TEST_BROWSER", "")
CHROMIUM = WANTED or shutil.which("chromium") or ""

HAS_BROWSER = bool(WANTED) or bool(sync_playwright and CHROMIUM)

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)

Page = Any
"""A page of playwright's, which is not installed where types are checked."""


@unittest.skipUnless(HAS_BROWSER, "needs chromium and playwright")
class BrowserTest(unittest.TestCase):
    """Tests with one browser; each page is closed after its test, and has said nothing."""

    browser: Any

    @classmethod
    def setUpClass(cls) -> None:
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        self.said: list[str] = []

    def page(
        self, url: str, *, width: int = 1280, theme: str = "light", script: bool = True
    ) -> Page:
        """A page, loaded; what it says on the console, its errors and dialogs are in ``said``."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            java_script_enabled=script,
        )
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda asked: asked.url == url.split("#")[0] or self.said.append(asked.url)
        )
        page.goto(url)
        return page
