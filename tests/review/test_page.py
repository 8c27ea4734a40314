"""The page of a review."""

from __future__ import annotations

import unittest

from core.git.patches import FileDiff
from core.model.attempt import Attempt
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Status
from core.model.review import Answer, Comment, Review
from core.model.state import FeatureState
from core.review.evidence import Evidence, Kind
from core.review.page import OPEN_LINES, page_of
from core.review.reading import FeatureReading, FileReading, Reading
from core.review.seen import Sight
from tests.support.html_pages import Page

EVIL = "</script></title><script>alert(1)</script><img src=x onerror=alert(2)>"


def diff(path: str, lines: int = 1) -> FileDiff:
    return FileDiff(path, insertions=lines, deletions=0, patch=f"\n@@ -0,0 +1 @@\n+{EVIL}\n")


def file(path: str, sight: Sight = Sight.NEW, lines: int = 1) -> FileReading:
    made = diff(path, lines)
    return FileReading(made, sight, None if sight is Sight.SEEN else made)


def reading(*features: FeatureReading, hardest: str = "") -> Reading:
    return Reading(EVIL, EVIL, "ba5e", features, hardest)


DONE = Attempt("r", 1, "s", 1.0, outcome=AttemptOutcome(Status.COMPLETED, result=EVIL))
KEPT = CheckVerdict(EVIL, Scope.OWN, Verdict.KEPT, "c", "passed", "passed")
AUTH = FeatureReading(
    FeatureState(
        "auth",
        branch=EVIL,
        attempts=(DONE,),
        verdicts={"own": KEPT},
        review=Review(comments=(Comment("1", EVIL, EVIL, 3),)),
    ),
    *(EVIL, (EVIL,), "c0ffee"),
    files=(file(EVIL), file("seen.py", Sight.SEEN)),
    taken_back=(EVIL,),
    evidence=(Evidence(Kind.SIZE, EVIL, 1),),
    notes=(EVIL,),
    fault=EVIL,
)


class ThePage(unittest.TestCase):
    def test_it_shows_all_and_nothing_from_outside_becomes_a_part_of_it(self) -> None:
        page = Page(page_of(reading(AUTH, hardest="auth")))
        self.assertEqual(len(page.scripts), 2)
        self.assertNotIn("img", page.tags)
        said = " ".join(page.texts)
        for words in (
            "Spend most of your time on",
            "Evidence",
            "unchanged since you saw them: seen.py",
        ):
            self.assertIn(words, said)
        self.assertIn("no longer changed: ", said)
        self.assertIn("rorchestrator review auth --accept --at c0ffee", said)
        self.assertIn("auth", page.ids)

    def test_what_waits_and_is_short_is_unfolded(self) -> None:
        waiting = replace(AUTH, known=FeatureState("auth"), files=(file("a.py"),), taken_back=())
        short = page_of(reading(waiting))
        self.assertIn('id="auth" open>', short)
        self.assertIn('<details open><summary class="file">', short)
        long = page_of(reading(replace(waiting, files=(file("a.py", lines=OPEN_LINES + 1),))))
        self.assertIn('<details><summary class="file">', long)

    def test_an_answer_is_shown_and_needs_no_command(self) -> None:
        for answer, tone in ((Answer.ACCEPTED, "good"), (Answer.REJECTED, "bad")):
            known = FeatureState("auth", review=Review(answer, "c0ffee"))
            made = FeatureReading(known, "auth", (), "c0ffee")
            said = page_of(reading(made))
            self.assertIn(f'<span class="{tone}">{answer.value}</span>', said)
            self.assertNotIn("--accept", said.partition("<script")[0])

    def test_nothing_to_review_is_a_page_too(self) -> None:
        self.assertIn("Nothing to review", " ".join(Page(page_of(reading())).texts))


if __name__ == "__main__":
    unittest.main()
