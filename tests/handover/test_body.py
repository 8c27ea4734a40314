"""The text of a pull request: what it says, and what it can't be made to do."""

from __future__ import annotations

import re
import unittest

from core.handover import body
from core.handover.work import Work
from core.model.attempt import Attempt
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.feature import Command, Config, Feature, Project
from core.model.frozen import replace
from core.model.mask import Mask
from core.model.outcome import AttemptOutcome, Status
from core.model.state import FeatureState
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

HOSTILE = """\
fixes #1, closes acme/shop#2 and resolves https://github.com/acme/shop/issues/3
/merge
 /close
@acme/team look: GH-4, implements PROJ-5 and !6
```
<!-- rorchestrator: our part ends -->
</details> <img src=x> key sk-ant-abcdefghij
"""

CLOSES = re.compile(r"(?<!&)#\d|GH-\d|PROJ-\d|!\d|/issues/\d|^\s*/\w|sk-ant", re.MULTILINE)
"""What a forge would act on, and what nobody may see."""

WORK = Work(
    Feature("auth", "Sign-in", prompt="Build it.", description="For everybody."),
    FeatureState(
        "auth",
        run="r1",
        started_at=10.0,
        ended_at=100.0,
        attempts=(
            Attempt("r1", 1, "s", 10.0, outcome=AttemptOutcome(Status.COMPLETED, cost_usd=0.25)),
        ),
        verdicts={
            "own": CheckVerdict("pytest", Scope.OWN, Verdict.PROVED, "c0ffee", "failed", "passed")
        },
    ),
    "feature/auth",
    "c0ffee",
    "ba5e",
)
FACTS = body.Facts("main", "c0ffee")
MASK = Mask({})


def config(*verify: str) -> Config:
    commands = tuple(Command(("sh", "-c", line), line) for line in verify)
    return Config("list", "ws", Project("Shop", "/shop", verify=commands), (WORK.feature,))


class BodyTest(unittest.TestCase):
    def body(self, work: Work = WORK, *verify: str, facts: body.Facts = FACTS) -> str:
        return body.body_of(work, config(*verify), facts, MASK)

    def test_it_says_what_for_on_what_how_well_and_at_what_price(self) -> None:
        feature = replace(WORK.feature, creates=("path:src/auth.py",), uses=("symbol:db",))
        said = self.body(
            replace(WORK, feature=feature),
            "make test",
            facts=replace(FACTS, built_on=["#11 (`db`)"], notes=["its commits were moved"]),
        )
        for part in (
            "`auth`: Sign-in",
            "For everybody.",
            "```\nBuild it.\n```",
            "**Built on**: #11 (`db`)",
            "- its commits were moved",
            "### Checks\n\n| verdict |",
            "| ✅ proved | `pytest` |",
            "- creates: `path:src/auth.py`",
            "- uses: `symbol:db`",
            "**Cost**: 1 attempt · 1m30s · $0.25",
            "git switch --detach c0ffee\nmake test\n",
        ):
            self.assertIn(part, said)

    def test_what_is_not_known_is_left_out(self) -> None:
        plain = Work(Feature("a", "A"), FeatureState("a"), "feature/a", "c", "b")
        said = self.body(plain)
        self.assertNotIn("### ", said)
        self.assertIn("**Built on**: `main`", said)

    def test_hostile_text_closes_no_issue_mentions_nobody_and_commands_nothing(self) -> None:
        feature = replace(
            WORK.feature, name=HOSTILE, prompt=HOSTILE, description=HOSTILE, creates=(HOSTILE,)
        )
        verdict = CheckVerdict(HOSTILE, Scope.OWN, Verdict.PROVED, "c", HOSTILE, HOSTILE)
        known = replace(WORK.known, verdicts={"own": verdict})
        said = self.body(replace(WORK, feature=feature, known=known), HOSTILE)
        self.assertEqual(CLOSES.findall(said), [])
        self.assertNotIn("<img", "".join(said.split("````")[::2]))
        prompt = said.split("````")[1]
        self.assertNotIn("@acme", prompt)
        self.assertEqual(body.updated(f"a\n{said}", self.body()), f"a\n{self.body()}")

    def test_commands_can_still_be_copied(self) -> None:
        self.assertIn("npm test -- --grep @slow\n", self.body(WORK, "npm test -- --grep @slow"))

    def test_our_part_is_replaced_and_nothing_else(self) -> None:
        old, new = self.body(), self.body(WORK, "make")
        self.assertEqual(body.updated(f"a\n{old}\nb", new), f"a\n{new}\nb")
        for text in ("by hand", f"a {body.END} b {body.BEGIN}", body.BEGIN):
            self.assertEqual(body.updated(text, new), text)

    def test_a_title_is_one_short_line_without_secrets(self) -> None:
        name = "Sign\nin " + "x" * 300 + " sk-ant-abcdefghij"
        title = body.title_of(replace(WORK, feature=replace(WORK.feature, name=name)), MASK)
        self.assertTrue(title.startswith("Sign in xxx"))
        self.assertLessEqual(len(title), body.TITLE_CHARACTERS)
        unnamed = replace(WORK, feature=replace(WORK.feature, name=""))
        self.assertEqual(body.title_of(unnamed, MASK), "auth")

    def test_a_long_text_stays_below_what_the_forges_take(self) -> None:
        long = "word " * 50_000
        entries = tuple(f"path:{'x' * 400}{number}" for number in range(200))
        feature = replace(WORK.feature, name=long, prompt=long, description=long, creates=entries)
        verdicts = {str(n): replace(WORK.known.verdicts["own"], check=long) for n in range(200)}
        work = replace(WORK, feature=feature, known=replace(WORK.known, verdicts=verdicts))
        self.assertLess(len(self.body(work, *[long] * 100)), 65_000)
