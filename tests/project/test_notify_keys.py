"""The entries of `notify`: what is right loads, what is wrong is told, and no URL is quoted."""

from __future__ import annotations

import os
import unittest

from core.model.feature import NEEDS_YOU, Invocation, Occasion, Purpose, Receiver, ReceiverType
from core.model.list_commands import config_commands
from core.project.notify_keys import OCCASIONS
from tests.support.feature_lists import STRING, InAWorkspace, list_of

SECRET = "a URL is a secret: put it into an environment variable, and name that in url_env"
INVALID = "is not a valid name of an environment variable"


class Notify(InAWorkspace):
    def receivers(self, *entries: object) -> tuple[Receiver, ...]:
        return self.load(list_of(notify=list(entries))).notify

    def faults_of(self, *entries: object) -> list[str]:
        return self.faults(list_of(notify=list(entries)))

    def test_each_type_loads_with_its_defaults(self) -> None:
        slack, hook, own, desktop = self.receivers(
            {"type": "slack", "url_env": "SLACK_URL", "_why": "the team"},
            {"type": "webhook", "url_env": "HOOK", "secret_env": "HOOK_KEY", "on": ["budget"]},
            {"type": "command", "command": ["bin/tell", "a b"], "on": ["needs_you", "started"]},
            {"type": "desktop", "on": []},
        )
        self.assertEqual(slack, Receiver(ReceiverType.SLACK, "SLACK_URL"))
        self.assertEqual(slack.on, (*NEEDS_YOU, Occasion.FINISHED))
        self.assertEqual((hook.secret_env, hook.on), ("HOOK_KEY", (Occasion.BUDGET,)))
        self.assertEqual(own.on, (Occasion.STARTED, *NEEDS_YOU))
        assert own.command is not None
        program = os.path.join(self.workspace, "bin", "tell")
        self.assertEqual(own.command.argv, (program, "a b"))
        self.assertEqual(own.command.line, f"{program} 'a b'")
        self.assertEqual(desktop.on, ())

    def test_the_secrets_and_the_commands_of_a_list_are_known(self) -> None:
        loaded = self.load(
            list_of(
                notify=[
                    {"type": "webhook", "url_env": "HOOK", "secret_env": "KEY"},
                    {"type": "command", "command": ["tell"]},
                ]
            )
        )
        self.assertEqual(loaded.notify_variables, {"HOOK", "KEY"})
        expected = Invocation(Purpose.NOTIFY, ("tell",), ("tell",))
        self.assertEqual(config_commands(loaded), [expected])

    def test_a_url_in_the_list_is_refused_and_not_quoted(self) -> None:
        url = "https://hooks.example/s3cret"
        self.assertEqual(
            self.faults_of({"type": "slack", "url": url}, {"type": "slack", "url_env": url}),
            [f"notify[0].url: {SECRET}", f"notify[1].url_env: {SECRET}"],
        )

    def test_the_keys_must_fit_the_type(self) -> None:
        self.assertEqual(
            self.faults_of(
                {"type": "slack"},
                {"type": "command", "url_env": "A", "command": ["a"]},
                {"type": "discord", "url_env": "A", "secret_env": "B"},
                {"type": "desktop", "command": ["a"]},
                {"type": "command"},
            ),
            [
                "notify[0]: the type slack needs url_env",
                "notify[1].url_env: the type command has no such key",
                "notify[2].secret_env: the type discord has no such key",
                "notify[3].command: the type desktop has no such key",
                "notify[4]: the type command needs command",
            ],
        )

    def test_wrong_values_are_told(self) -> None:
        self.assertEqual(
            self.faults(list_of(notify={})), ["notify: expected a list of objects, not an object"]
        )
        known = ", ".join(OCCASIONS)
        self.assertEqual(
            self.faults_of(
                7,
                {"type": "slak", "url_env": "A"},
                {"url_env": "1A"},
                {"type": "slack", "url_env": 1},
                {"type": "slack", "url_env": "A", "on": ["finishd", "x"]},
            ),
            [
                "notify[0]: expected an object, not a number",
                "notify[1].type: unknown type 'slak' (did you mean 'slack'?)",
                f"notify[2].url_env: {INVALID}",
                "notify[2]: type is missing",
                f"notify[3].url_env: {STRING}a number",
                "notify[4].on[0]: unknown occasion 'finishd' (did you mean 'finished'?)",
                f"notify[4].on[1]: unknown occasion 'x' (one of {known})",
            ],
        )


if __name__ == "__main__":
    unittest.main()
