"""What `push` and `pr` print; what they hand over is tested in ``tests/handover``."""

from __future__ import annotations

from core.commands import handing_over
from core.commands.options import Display
from core.handover.report import Ending, Handed, HandoverOptions
from core.model.handover import PullRequest
from core.reporter.style import Style
from tests.support.handovers import HandoverTest
from tests.support.workspace import feature

URL = "https://github.com/acme/shop/pull/11"


class LinesTest(HandoverTest):
    def lines(self, ending: Ending, *ids: str, **display: bool) -> list[str]:
        options = HandoverOptions(ids, pull_requests=True)
        return list(handing_over._lines(ending, options, Display(**display), Style()))  # type: ignore[arg-type]

    def test_what_is_held_is_shown_in_any_case(self) -> None:
        held = Ending("auth", "feature/auth", reason="publish:\ngit push")
        expected = ["held auth (feature/auth): publish:", "    git push"]
        self.assertEqual(self.lines(held), expected)
        self.assertEqual(self.lines(held, quiet=True), expected)

    def test_what_landed_is_shown_if_it_was_asked_for(self) -> None:
        landed = Ending("auth", "feature/auth", Handed.LANDED, reason="squashed")
        landed.request = PullRequest("github", 11, URL)
        self.assertEqual(self.lines(landed), [])
        shown = ["landed auth (feature/auth): squashed", f"    up to date: {URL}"]
        self.assertEqual(self.lines(landed, "auth"), shown)
        self.assertEqual(self.lines(landed, verbose=True), shown)
        self.assertEqual(self.lines(landed, "auth", quiet=True), [])

    def test_what_was_merged_into_another_branch_has_no_base(self) -> None:
        merged = Ending("auth", "feature/auth", Handed.THERE, commit="c0ffeec0ffee")
        self.assertEqual(self.lines(merged), ["up to date auth (feature/auth): c0ffeec0ff"])

    def test_json_has_it_all_and_quiet_says_nothing(self) -> None:
        self.open(feature("auth"))
        said = self.push("--json")
        self.assertEqual(
            said.json, {"remote": "origin", "forge": "", "base": "main", "features": []}
        )
        self.assertEqual(self.push("--quiet").out, "")
