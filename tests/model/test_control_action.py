"""The actions of control requests."""

from __future__ import annotations

import unittest

from core.cli import COMMANDS
from core.model import events
from core.model.control_action import ControlAction
from core.model.events import Event
from core.model.frozen import replace


class ControlActions(unittest.TestCase):
    def test_each_but_record_is_called_like_its_command(self) -> None:
        actions = {action.value for action in ControlAction}
        self.assertEqual(actions - set(COMMANDS), {ControlAction.RECORD.value})

    def test_an_event_names_its_action_and_one_of_a_newer_version_none_that_we_know(self) -> None:
        for action in ControlAction:
            event = events.steered(1, "r", "a", action=action, request="q", done=True, text="")
            self.assertEqual(event.data["action"], action.value)
            self.assertIs(events.control_action_of(event), action)
        newer: list[Event] = [replace(event, data={"action": odd}) for odd in ("fly", 7, None)]
        self.assertEqual([events.control_action_of(each) for each in newer], [None] * 3)
