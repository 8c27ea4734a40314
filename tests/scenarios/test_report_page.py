"""The page of a run in a real browser: without errors, script or room, in both themes."""

from __future__ import annotations

import os
import tempfile

from core.git.patches import FileDiff
from core.model import events
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.model.provenance import Provenance
from core.views.html_report import html
from core.views.run_view import Extras, OwnDiff
from tests.support.browser import BrowserTest, Page
from tests.support.once import skip_if_run_elsewhere
from tests.support.run_views import (
    COMPLETED,
    DONE,
    FAILED,
    LATE,
    STORY,
    begun,
    checked,
    feature_story,
    view_of,
)
from tests.support.story import AT, RUN

setUpModule = skip_if_run_elsewhere

HOSTILE = (
    "</script></title></style><script>alert(1)</script>"
    '<img src=x onerror=alert(2)><svg onload=alert(3)>"onmouseover="alert(4)'
)

WIDTHS = (360, 768, 1280)

OPEN_ALL = "for (const each of document.querySelectorAll('details')) each.open = true"


def large() -> str:
    """A page with sixty features that have long names, checks and diffs."""
    ids = [f"a-feature-with-quite-a-long-name-{number}" for number in range(60)]
    needs = {id: tuple(ids[max(0, n - 7) : n : 3]) for n, id in enumerate(ids)}
    story = [begun(ids, Provenance(command="rorchestrator " + "x" * 300, depends_on=needs))]
    for number, id in enumerate(ids):
        at, bad = AT + 7 * number, number % 10 == 9
        attempts = (LATE, DONE) if bad else (DONE,)
        life = feature_story(id, at, *attempts, end=FAILED if bad else COMPLETED, name="long " * 60)
        story += [*life[:-1], checked(id, at + 30, "npm test " * 30, passed=not bad), life[-1]]
    story.append(events.run_ended(AT + 500, RUN, exit_code=1))
    patch = "\n@@ -1 +1 @@\n-old\n+" + "a long line " * 50
    diff = OwnDiff((FileDiff("src/" * 40 + "a.py", "", 1, 1, patch),))
    extras = Extras({id: [("x" * 300,)] for id in ids}, dict.fromkeys(ids, diff))
    return html(view_of(story, extras, project_name="word" * 60))


def hostile() -> str:
    """A page in which every text from outside wants to run a script."""
    id = HOSTILE.replace(" ", "/")
    told = Provenance(version=HOSTILE, command=HOSTILE, model=HOSTILE, depends_on={id: (HOSTILE,)})
    done = replace(DONE, result=HOSTILE, model=HOSTILE, claude_version=HOSTILE, reason=HOSTILE)
    failed = FeatureOutcome(Status.FAILED, HOSTILE)
    life = feature_story(id, AT, done, end=failed, name=HOSTILE)
    story = [begun([id], told), *life[:-1], checked(id, AT + 9, HOSTILE, passed=False), life[-1]]
    diff = OwnDiff((FileDiff(HOSTILE, HOSTILE, 1, 1, f"\n@@ {HOSTILE}\n+{HOSTILE}\n"),))
    extras = Extras({id: [(HOSTILE,)]}, {id: diff})
    return html(view_of(story, extras, project_name=HOSTILE))


class InABrowser(BrowserTest):
    folder: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        pages = {"small": html(view_of(STORY)), "large": large(), "hostile": hostile()}
        for name, content in pages.items():
            with open(os.path.join(cls.folder, f"{name}.html"), "w", encoding="utf-8") as file:
                file.write(content)

    def open(self, name: str, address: str = "", **how: object) -> Page:
        return self.page(f"file://{self.folder}/{name}.html{address}", **how)  # type: ignore[arg-type]

    def test_it_fits_every_width_in_both_themes_and_says_no_error(self) -> None:
        backgrounds = set()
        for theme in ("light", "dark"):
            page = self.open("large", theme=theme)
            page.evaluate(
                "for (const each of document.querySelectorAll('details')) each.open = true"
            )
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                with self.subTest(theme=theme, width=width):
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    self.assertEqual(wide, width)
            backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(backgrounds), 2)
        self.assertEqual(self.said, [])

    def test_it_can_be_read_without_script(self) -> None:
        page = self.open("small", script=False)
        self.assertIn("2 of 4 features completed", page.inner_text("h1"))
        self.assertTrue(page.is_visible("text=FAIL src/api.test.ts"))
        self.assertFalse(page.is_visible("text=started from 57a7"))
        page.click("#auth > summary")
        self.assertTrue(page.is_visible("#auth >> text=started from"))
        self.assertEqual(page.locator("button").count(), 0)
        self.assertEqual(self.said, [])

    def test_an_address_opens_its_feature(self) -> None:
        page = self.open("small", "#docs")
        self.assertTrue(page.is_visible("#docs >> text=started from"))
        page.click(".dag a[href='#auth']")
        page.wait_for_selector("#auth[open]")
        page.click("text=Fold all")
        self.assertEqual(page.locator("details.feature[open]").count(), 0)
        page.click("text=Open all")
        self.assertEqual(page.locator("details.feature[open]").count(), 4)
        self.assertEqual(self.said, [])

    def test_hostile_texts_are_shown_and_run_nothing(self) -> None:
        for script in (True, False):
            page = self.open("hostile", script=script)
            self.assertIn("<script>alert(1)</script>", page.inner_text("body"))
            self.assertEqual(page.locator("img").count(), 0)
            page.hover(".over")
        self.assertEqual(self.said, [])

    def test_its_policy_lets_no_other_script_run(self) -> None:
        page = self.open("small")
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'),"
            "{textContent: 'window.ran = true'}))"
        )
        self.assertEqual(page.evaluate("window.ran === undefined"), True)
        self.assertEqual(len(self.said), 1)
        self.assertIn("Content Security Policy", self.said[0])

    def test_it_is_printed_in_light_colours_and_not_cut_off(self) -> None:
        page = self.open("large", theme="dark", width=700)
        page.emulate_media(media="print")
        colour = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        self.assertEqual(colour, "rgb(29, 33, 39)")
        self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), 700)
        self.assertEqual(page.locator("button").first.is_visible(), False)
        self.assertTrue(page.pdf().startswith(b"%PDF"))

    def test_labels_of_the_graph_stay_in_their_nodes(self) -> None:
        page = self.open("large")
        outside = page.evaluate(
            "[...document.querySelectorAll('.dag .node')].filter(node => {"
            "const box = node.querySelector('rect').getBoundingClientRect();"
            "const label = node.querySelector('svg').getBoundingClientRect();"
            "return label.right > box.right || label.bottom > box.bottom + 1}).length"
        )
        self.assertEqual(outside, 0)
