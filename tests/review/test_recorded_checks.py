"""Which commands the recorded checks of a feature are now."""

from __future__ import annotations

import unittest

from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.feature import Command, Config, Feature, Project, Purpose
from core.model.list_commands import shell_command
from core.model.mask import Mask
from core.model.outcome import Work
from core.model.state import FeatureState
from core.review.recorded_checks import (
    RecordedCheck,
    commands_of,
    feature_now,
    recorded_checks,
)

MASK = Mask({"SHOP_TOKEN": "s3cr3t-t0k3n"})
WORDS = Command(("make", "a b"), "make 'a b'")

FEATURE = Feature(
    "auth",
    "Auth",
    creates=("command:make smoke", "path:src/a.py"),
    setup=(shell_command("make deps"),),
    verify=(WORDS, shell_command("curl s3cr3t-t0k3n")),
)


def config(*features: Feature) -> Config:
    setup, teardown = (shell_command("make setup"),), (shell_command("make clean"),)
    verify = (shell_command("make lint"),)
    project = Project("Shop", "/shop", setup=setup, teardown=teardown, verify=verify)
    return Config("/shop/list.json", "/shop", project, features)


def verdict(check: str, commit: str = "c0ffee") -> CheckVerdict:
    return CheckVerdict(check, Scope.OWN, Verdict.KEPT, commit)


def known(*verdicts: CheckVerdict) -> FeatureState:
    by_key = {f"own {each.check}": each for each in verdicts}
    return FeatureState("auth", work=Work("c0ffee", 1, 1), verdicts=by_key)


class RecordedChecks(unittest.TestCase):
    def recorded(self, check: str, *features: Feature) -> RecordedCheck:
        (found,) = recorded_checks(known(verdict(check)), config(*features), MASK)
        return found

    def test_a_command_that_the_list_still_has_is_that_of_the_list(self) -> None:
        self.assertEqual(self.recorded("make 'a b'", FEATURE).command, WORDS)
        self.assertEqual(self.recorded("make lint").command, shell_command("make lint"))

    def test_another_command_runs_as_it_was_recorded(self) -> None:
        self.assertEqual(self.recorded("make 'a b'").command, shell_command("make 'a b'"))

    def test_a_secret_is_that_of_the_list_or_nowhere(self) -> None:
        masked = MASK("curl s3cr3t-t0k3n")
        found = self.recorded(masked, FEATURE)
        self.assertEqual(found.command, shell_command("curl s3cr3t-t0k3n"))
        self.assertIsNone(self.recorded(masked).command)

    def test_a_contract_is_about_files_or_a_command(self) -> None:
        found = self.recorded("path:src/a.py", FEATURE)
        self.assertEqual((str(found.contract), found.command), ("path:src/a.py", None))
        found = self.recorded("command:make smoke", FEATURE)
        self.assertEqual((found.contract, found.command), (None, shell_command("make smoke")))

    def test_only_what_was_recorded_for_the_result_counts(self) -> None:
        given = known(verdict("make old", "0ld"), verdict("make lint", ""))
        self.assertEqual(
            [each.verdict.check for each in recorded_checks(given, config(), MASK)], ["make lint"]
        )
        self.assertEqual(recorded_checks(FeatureState("auth"), config(), MASK), [])

    def test_consent_is_for_what_proving_starts_and_no_more(self) -> None:
        other = Feature("api", "Api", setup=(shell_command("make api"),))
        checks = {"auth": [self.recorded("make 'a b'", FEATURE), self.recorded("path:x")]}
        found = commands_of(config(FEATURE, other), checks)
        self.assertEqual(
            [(each.purpose, each.brief[0], each.features) for each in found],
            [
                (Purpose.SETUP, "make setup", ()),
                (Purpose.TEARDOWN, "make clean", ()),
                (Purpose.SETUP, "make deps", ("auth",)),
                (Purpose.VERIFY, "make 'a b'", ("auth",)),
            ],
        )

    def test_contracts_about_files_start_nothing(self) -> None:
        checks = {"auth": [self.recorded("path:x"), self.recorded("symbol:X")]}
        self.assertEqual(commands_of(config(FEATURE), checks), [])

    def test_a_feature_that_left_the_list_has_no_setup_of_its_own(self) -> None:
        self.assertEqual(feature_now("auth", known(), config(FEATURE)), FEATURE)
        self.assertEqual(feature_now("auth", known(), config()), Feature("auth", "auth"))


if __name__ == "__main__":
    unittest.main()
