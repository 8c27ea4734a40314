"""The section of a feature in the page."""

from __future__ import annotations

import unittest

from core.git.patches import FileDiff
from core.model import events, events_review
from core.model.costs import Paid
from core.model.frozen import replace
from core.model.handover import PullRequest
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from core.views.html_feature import feature_section
from core.views.run_view import Extras, FeatureView, OwnDiff
from tests.support.html_pages import Page, page_of
from tests.support.run_views import COMPLETED, DONE, STORY, begun, feature_story, view_of
from tests.support.story import AT, RUN

PATCH = """\
diff --git a/<b> b/<b>
--- a/<b>
+++ b/<b>
@@ -1,2 +1,2 @@ def <b>
 same
-old <i>
+new <i>
\\ No newline at end of file
"""


def section(id: str, story: list[events.Event] = STORY, **extras: object) -> Page:
    given = {"checks": {}, "diffs": {}, **extras}
    [feature] = [each for each in view_of(story, Extras(**given)).features if each.id == id]  # type: ignore[arg-type]
    return page_of(feature_section(feature))


class Sections(unittest.TestCase):
    def test_a_failure_is_open_with_its_reason_and_the_next_commands(self) -> None:
        page = section("api")
        [feature] = page.all("details", "feature")
        self.assertEqual((feature["id"], "open" in feature), ("api", True))
        self.assertIn("check: `npm test` ended with exit 1 FAIL src/api.test.ts", page.text)
        self.assertIn("→ rorchestrator logs api --checks", page.text)
        self.assertIn("24s ≥ $0.12 failed", page.text)

    def test_a_success_is_folded_with_its_figures(self) -> None:
        page = section("auth")
        self.assertNotIn("open", page.all("details", "feature")[0])
        self.assertIn("auth Auth +12 −4 12s $0.12 completed", page.text)
        self.assertIn("commit c0ffeec0ffee started from 57a757a757a7", page.text)
        self.assertIn("estimated 1m00s, $0.50", page.text)
        self.assertIn("Claude’s last message Built it.", page.text)

    def test_a_pull_request_is_a_link_if_its_address_is_one_of_the_web(self) -> None:
        for url, links in (("https://github.com/a/b/pull/1", 1), ("javascript:alert(1)", 0)):
            request = PullRequest("github", 1, url, "main", "open")
            told = events_review.pull_request(AT, "auth", request=request)
            page = section("auth", [*STORY, told])
            self.assertIn(f"pull request {url}", page.text)
            self.assertEqual([a["href"] for a in page.all("a")].count(url), links)

    def test_a_feature_that_never_began_says_why_in_its_line(self) -> None:
        page = section("app")
        self.assertNotIn("open", page.all("details", "feature")[0])
        self.assertIn("app api did not complete blocked needs api, auth", page.text)

    def test_every_attempt_is_a_row(self) -> None:
        page = section("api")
        self.assertEqual(len(page.all("tr")), 3)
        self.assertIn("1 timed out no output 10s cost unknown 0 new", page.text)
        self.assertIn("2 completed 10s $0.12 3 claude-opus resumed", page.text)

    def test_an_attempt_that_is_going_on_has_no_figures_yet(self) -> None:
        page = section("auth", STORY[:7])
        self.assertIn("1 running new", page.text)

    def test_checks_show_their_last_lines_open_where_they_failed(self) -> None:
        page = section("api", checks={"api": [("all <fine>",), ("2 failed",)]})
        self.assertIn("npm run lint all <fine> npm test ended with exit 1 2 failed", page.text)
        _, lint, test = page.all("details")[:3]
        self.assertEqual(("open" in lint, "open" in test), (False, True))
        self.assertIn("npm run lint npm test ended with exit 1", section("api").text)

    def test_its_own_diff_is_a_list_of_files_with_their_patches_folded(self) -> None:
        files = (
            FileDiff("<b>", "<a>", 1, 1, PATCH),
            FileDiff("cut", "", 2, 0, PATCH, is_cut=True),
            FileDiff("logo.png", "", None, None, "Binary files differ"),
            FileDiff("huge", "", 9_999, 0, is_cut=True),
        )
        page = section("auth", diffs={"auth": OwnDiff(files, 7)})
        self.assertIn("<a> → <b> +1 −1 @@ -1,2 +1,2 @@ def <b>", page.text)
        self.assertIn("same -old <i> +new <i> \\ No newline", page.text)
        self.assertIn("logo.png binary huge +9,999 −0 and 7 more files", page.text)
        self.assertEqual(len(page.all("pre", "patch")), 2)
        self.assertEqual((len(page.all("span", "plus")), len(page.all("span", "minus"))), (2, 2))
        self.assertEqual(page.text.count("…"), 1)
        self.assertNotIn("Its own changes", section("auth", diffs={"auth": OwnDiff()}).text)

    def test_what_is_special_about_a_feature_is_told(self) -> None:
        work = replace(COMPLETED.work, held_back=(".env", "id_rsa"))  # type: ignore[type-var]
        story = [
            begun(["auth"]),
            *feature_story("auth", AT, DONE, end=replace(COMPLETED, work=work), name="auth")[:-1],
            events.note(AT + 5, RUN, "no output for 450 s", "auth"),
            events.clash(AT + 6, RUN, "auth", other="api", files=("a.py",)),
            events.ended(AT + 20, RUN, "auth", FeatureOutcome(Status.COMPLETED, work=work)),
        ]
        page = section("auth", story)
        self.assertIn("left uncommitted .env , id_rsa", page.text)
        self.assertIn("predicted conflicts api", page.text)
        self.assertIn("Notes no output for 450 s", page.text)

    def test_why_it_ran_is_told_unless_it_is_new(self) -> None:
        view = view_of(STORY)
        [auth] = [each for each in view.features if each.id == "auth"]
        changed = FeatureView(replace(auth.known, why="prompt changed"), RUN, "Auth")
        self.assertIn("why it ran prompt changed", page_of(feature_section(changed)).text)

    def test_an_estimated_cost_says_so(self) -> None:
        cut = AttemptOutcome(Status.CANCELLED, tokens={"claude-opus": 500})
        done = replace(DONE, paid={"claude-opus": Paid(0.2, 1000)})
        failed = FeatureOutcome(Status.CANCELLED, "interrupted")
        page = section("auth", [begun(["auth"]), *feature_story("auth", AT, done, cut, end=failed)])
        self.assertIn("about $0.22 cancelled", page.text)
