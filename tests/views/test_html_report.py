"""The page of a run: well-formed, addressable, and deaf to what outsiders write."""

from __future__ import annotations

import re
import time
import unittest
from base64 import b64encode
from hashlib import sha256

from core.git.patches import FileDiff
from core.model import events
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.model.provenance import Provenance
from core.views.html_report import document, html
from core.views.run_view import Extras, OwnDiff
from tests.support.html_pages import Page
from tests.support.run_views import (
    COMPLETED,
    DONE,
    PROVENANCE,
    STORY,
    begun,
    feature_story,
    view_of,
)
from tests.support.story import AT, RUN

HOSTILE = "</script></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'><b id='x'>"

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section"),
    *("h1", "h2", "h3", "p", "ul", "ol", "li", "dl", "dt", "dd", "div", "span", "small", "b"),
    *("a", "code", "pre", "time", "details", "summary", "br", "script"),
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("svg", "symbol", "use", "g", "rect", "path", "circle", "line", "text"),
}


class TheWholePage(unittest.TestCase):
    def test_it_is_well_formed_and_its_parts_can_be_addressed(self) -> None:
        page = Page(html(view_of(STORY)))
        self.assertLessEqual(page.tags, ELEMENTS)
        parts = {"-head", "-failures", "-graph", "-timeline", "-costs", "-features", "-waste"}
        parts.add("-notes")
        self.assertLessEqual({"auth", "api", "app", "docs"} | parts, set(page.ids))
        targets = {link["href"][1:] for link in page.all("a")}
        self.assertLessEqual(targets, set(page.ids))

    def test_the_next_commands_are_at_its_top(self) -> None:
        text = Page(html(view_of(STORY))).text
        self.assertLess(text.index("→ rorchestrator review (what"), text.index("Not completed"))
        self.assertIn("→ rorchestrator merge (lands what is completed)", text)
        self.assertNotIn("rorchestrator review", Page(html(view_of(STORY[:7]))).text)

    def test_failures_come_before_the_folded_successes(self) -> None:
        ids = [id for id in Page(html(view_of(STORY))).ids if not id.startswith("-")]
        self.assertEqual(ids, ["api", "app", "auth", "docs"])

    def test_features_that_never_began_come_last_and_many_of_them_are_folded(self) -> None:
        failed = FeatureOutcome(Status.FAILED, "no")
        blocked = FeatureOutcome(Status.BLOCKED, "z did not complete")
        for count, words in ((20, False), (21, True)):
            ids = [f"b{number}" for number in range(count)]
            story = [begun([*ids, "z"]), *feature_story("z", AT, DONE, end=failed)]
            story += [events.ended(AT, RUN, id, blocked) for id in ids]
            page = Page(html(view_of(story)))
            self.assertEqual([id for id in page.ids if id[0] != "-"], ["z", *ids])
            self.assertEqual(f"{count} features that never began" in page.text, words)

    def test_it_holds_the_documented_json(self) -> None:
        view = view_of(STORY)
        data = Page(html(view)).data
        self.assertEqual(data, document(view))
        self.assertEqual([each["feature_id"] for each in data["results"]], data["features"])

    def test_it_allows_its_own_style_sheet_and_script_and_nothing_else(self) -> None:
        content = html(view_of(STORY))
        [policy] = [m["content"] for m in Page(content).all("meta") if "http-equiv" in m]
        self.assertTrue(policy.startswith("default-src 'none'; "))
        for tag, source in (("style", "style-src"), ("script", "script-src")):
            [inner] = re.findall(rf"<{tag}>(.*?)</{tag}>", content, re.DOTALL)
            digest = b64encode(sha256(inner.encode()).digest()).decode()
            self.assertIn(f"{source} 'sha256-{digest}'", policy)
        self.assertNotRegex(content, r"\sstyle=|\son[a-z]+=|https?://")

    def test_a_run_in_progress_and_one_without_failures_are_pages_as_well(self) -> None:
        running = Page(html(view_of(STORY[:7])))
        self.assertIn("Features auth", running.text)
        done = [begun(["auth"]), *feature_story("auth", AT, DONE, end=COMPLETED)]
        ids = Page(html(view_of(done))).ids
        self.assertFalse({"-failures", "-waste"}.intersection(ids))

    def test_a_run_in_which_all_failed_has_no_list_of_completed_ones(self) -> None:
        failed = FeatureOutcome(Status.FAILED, "no")
        story = [begun(["auth"]), *feature_story("auth", AT, DONE, end=failed)]
        self.assertNotIn("-features", Page(html(view_of(story))).ids)

    def test_the_same_view_makes_the_same_page(self) -> None:
        self.assertEqual(html(view_of(STORY)), html(view_of(STORY)))


class Outsiders(unittest.TestCase):
    def test_no_text_from_outside_becomes_an_element(self) -> None:
        id = HOSTILE.replace(" ", "")
        told = replace(PROVENANCE, command=HOSTILE, model=HOSTILE, depends_on={id: (HOSTILE,)})
        bad = replace(DONE, result=HOSTILE, model=HOSTILE, claude_version=HOSTILE, reason=HOSTILE)
        failed = FeatureOutcome(Status.FAILED, HOSTILE)
        story = [begun([id], told), *feature_story(id, AT, bad, end=failed, name=HOSTILE)]
        diff = OwnDiff((FileDiff(HOSTILE, HOSTILE, 1, 1, f"\n@@ {HOSTILE}\n+{HOSTILE}\n"),))
        extras = Extras({id: [(HOSTILE,)]}, {id: diff})
        page = Page(html(view_of(story, extras, project_name=HOSTILE)))
        self.assertLessEqual(page.tags, ELEMENTS)
        self.assertEqual(len(page.all("script")), 2)
        self.assertEqual([name for _, a in page.elements for name in a if name[:2] == "on"], [])
        self.assertEqual(page.data["project_name"], HOSTILE)

    def test_control_characters_reach_no_page(self) -> None:
        odd = "a\x1b[31mb\x07\u202ec\udc80\x00"
        failed = FeatureOutcome(Status.FAILED, odd)
        story = [begun(["auth"]), *feature_story("auth", AT, DONE, end=failed, name=odd)]
        content = html(view_of(story, project_name=odd))
        self.assertNotRegex(content, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")
        content.encode()


LIMIT_SECONDS = 4.0
"""It takes 0.3 seconds. Measuring coverage, and other tests beside it, take their time."""


class Speed(unittest.TestCase):
    def test_the_page_of_three_hundred_features_takes_no_long_time(self) -> None:
        ids = [f"feature-{number}" for number in range(300)]
        needs = {id: tuple(ids[max(0, n - 3) : n : 2]) for n, id in enumerate(ids)}
        story = [begun(ids, Provenance(depends_on=needs))]
        for number, id in enumerate(ids):
            story += feature_story(id, AT + number, DONE, end=COMPLETED)
        view = view_of(story)
        begin = time.process_time()
        html(view)
        self.assertLess(time.process_time() - begin, LIMIT_SECONDS)
