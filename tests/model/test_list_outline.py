"""Outlines of lists."""

from __future__ import annotations

import unittest

from core.model.feature import (
    ClaudeOptions,
    Command,
    Config,
    Feature,
    Project,
    Receiver,
    ReceiverType,
)
from core.model.frozen import replace
from core.model.list_outline import digest_of, outline_of

FEATURE = Feature("auth", "Sign-in", "a long prompt", "auth.md", "a description")
CONFIG = Config("/list", "/", Project("Shop", "/"), (FEATURE,), context="context")


class OutlineTest(unittest.TestCase):
    def test_it_has_no_text_that_may_hold_a_secret(self) -> None:
        secret = "s3cret"
        command = _command(f"deploy {secret}")
        feature = Feature(
            "auth",
            f"Sign-in {secret}",
            f"a prompt, {secret}",
            "auth.md",
            f"a description, {secret}",
            creates=(f"command:curl {secret}", secret),
            uses=(f"command:wget {secret}",),
            setup=(command,),
            verify=(command,),
            allowed_tools=(f"Bash({secret})",),
        )
        claude = ClaudeOptions(
            allowed_tools=(f"Read({secret})",), allowed_tools_add=(secret,), env={"TOKEN": secret}
        )
        config = replace(CONFIG, features=(feature,), claude=claude, context=secret)
        outline = outline_of(
            replace(config, quality_rules=(secret,)), lambda text: text.replace(secret, "[masked]")
        )
        self.assertNotIn(secret, repr(outline))
        self.assertEqual(outline.feature("api"), None)
        self.assertEqual(
            [*outline.checks["auth"].values(), *outline.allowed_tools.values()],
            ["deploy [masked]", "command:curl [masked]", "Read([masked])"],
        )

    def test_its_digest_is_of_what_a_run_can_take_up(self) -> None:
        digest = outline_of(CONFIG, str).digest
        for config, is_same in (
            (replace(CONFIG, path="/other", workspace="/w", files=("/f",)), True),
            (replace(CONFIG, project=Project("Shop", "/", max_parallel=9)), True),
            (replace(CONFIG, features=(replace(FEATURE, prompt="another"),)), False),
            (replace(CONFIG, features=()), False),
            (replace(CONFIG, context="\ud800"), False),
            (replace(CONFIG, quality_rules=("r",)), False),
        ):
            with self.subTest(config=config):
                self.assertEqual(outline_of(config, str).digest == digest, is_same)

    def test_settings_are_digests_by_key_and_commands_on_work_are_named(self) -> None:
        project = Project("Shop", "/", setup=(_command("make"),), teardown=(_command("down"),))
        notify = (Receiver(ReceiverType.COMMAND, command=_command("tell")),)
        verified = replace(FEATURE, verify=(_command("check"),))
        config = replace(CONFIG, project=project, notify=notify, features=(verified,))
        before, after = outline_of(CONFIG, str), outline_of(config, str)
        changed = [name for name, value in after.settings.items() if before.settings[name] != value]
        self.assertEqual(changed, ["project.setup", "project.teardown", "notify"])
        self.assertEqual(after.commands, (digest_of(("make",)), digest_of(("check",))))


def _command(word: str) -> Command:
    return Command((word,), word)
