"""Outlines of lists."""

from __future__ import annotations

import unittest

from core.model.feature import Command, Config, Feature, Project, Receiver, ReceiverType
from core.model.frozen import replace
from core.model.list_outline import outline_of

FEATURE = Feature("auth", "Sign-in", "a long prompt", "auth.md", "a description")
CONFIG = Config("/list", "/", Project("Shop", "/"), (FEATURE,), context="context")


class OutlineTest(unittest.TestCase):
    def test_it_has_no_text_of_a_prompt(self) -> None:
        outline = outline_of(CONFIG)
        for text in ("a long prompt", "auth.md", "a description", "context'"):
            self.assertNotIn(text, repr(outline))
        self.assertEqual(outline.feature("api"), None)
        found = outline.feature("auth")
        assert found is not None
        self.assertEqual((found.name, len(found.prompt)), ("Sign-in", 64))

    def test_its_digest_is_of_what_a_run_can_take_up(self) -> None:
        digest = outline_of(CONFIG).digest
        for config, is_same in (
            (replace(CONFIG, path="/other", workspace="/w", files=("/f",)), True),
            (replace(CONFIG, project=Project("Shop", "/", max_parallel=9)), True),
            (replace(CONFIG, features=(replace(FEATURE, prompt="another"),)), False),
            (replace(CONFIG, features=()), False),
            (replace(CONFIG, context="\ud800"), False),
            (replace(CONFIG, quality_rules=("r",)), False),
        ):
            with self.subTest(config=config):
                self.assertEqual(outline_of(config).digest == digest, is_same)

    def test_settings_are_digests_by_key_and_commands_on_work_are_named(self) -> None:
        project = Project("Shop", "/", setup=(_command("make"),), teardown=(_command("down"),))
        notify = (Receiver(ReceiverType.COMMAND, command=_command("tell")),)
        verified = replace(FEATURE, verify=(_command("check"),))
        config = replace(CONFIG, project=project, notify=notify, features=(verified,))
        before, after = outline_of(CONFIG), outline_of(config)
        changed = [name for name, value in after.settings.items() if before.settings[name] != value]
        self.assertEqual(changed, ["project.setup", "project.teardown", "notify"])
        self.assertEqual(after.commands, (("make",), ("check",)))


def _command(word: str) -> Command:
    return Command((word,), word)
