"""The last run in a growing journal: a view of what changed is that of everything."""

from __future__ import annotations

import os
import tempfile
import unittest
from collections.abc import Sequence

from core.journal.journal import Journal
from core.journal.lock import Holder
from core.model.events import Event
from core.model.frozen import replace
from core.model.outcome import Status
from core.views.run_view import NO_EXTRAS, Extras
from core.views.web.run_story import Known, RunStory
from tests.support.boards import NAMES, running
from tests.support.run_views import STORY, begun
from tests.support.story import AT


class RunStoryTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.journal = Journal(os.path.join(temporary.name, "state"))
        self.holder: Holder | None = Holder(1, "now", "run")
        self.known = Known("Shop", NAMES, "main", "ba5e" * 10)
        self.story = RunStory(
            self.journal.path, lambda: self.known, lambda: self.holder, lambda: AT + 100
        )

    def write(self, *story: Event) -> None:
        self.journal.open()
        for event in story:
            self.journal.append(event)
        self.journal.close()

    def test_after_each_event_what_changed_is_all_that_changed(self) -> None:
        first, *rest = STORY
        self.write(first)
        self.story.follow()
        view = self.story.view()
        for event in rest:
            self.write(event)
            self.story.follow()
            view, changed = self.story.changed_view(view)
            self.assertLessEqual(set(changed), {event.feature, *self.active(view.features)})
        whole = self.story.view()
        features = [replace(each, is_critical=False) for each in whole.features]
        self.assertEqual([replace(each, is_critical=False) for each in view.features], features)
        self.assertEqual((view.report, view.now), (whole.report, whole.now))

    def active(self, features: Sequence[object]) -> set[str]:
        return {each.id for each in features if each.status.active}  # type: ignore[attr-defined]

    def test_nothing_new_is_no_change(self) -> None:
        self.holder = None
        self.assertFalse(self.story.follow())
        self.write(begun(["auth"]))
        self.assertTrue(self.story.follow())
        self.assertTrue(self.story.was_killed)
        self.assertFalse(self.story.follow())
        self.holder = Holder(1, "now", "run")
        self.assertTrue(self.story.follow())
        self.assertEqual((self.story.is_current, self.story.was_killed), (True, False))

    def test_a_killed_run_has_no_active_feature(self) -> None:
        self.holder = None
        self.write(begun(["auth", "api"]), *running("auth"))
        self.story.follow()
        view = self.story.view()
        self.assertEqual(
            [each.status for each in view.features], [Status.CANCELLED, Status.PENDING]
        )
        self.assertEqual(view.now, AT)

    def test_without_a_run_the_list_stands_for_one(self) -> None:
        self.story.follow()
        view = self.story.view()
        self.assertEqual([each.name for each in view.features], ["Sign-in", "REST", "App"])
        self.assertEqual(view.features[1].depends_on, ("auth",))
        self.assertEqual((self.story.features, self.story.run_id), ([], ""))

    def test_only_the_extras_that_may_have_changed_are_asked_for(self) -> None:
        asked: list[tuple[str, ...]] = []

        def extras(report: object, about: Sequence[Event]) -> Extras:
            asked.append(tuple(dict.fromkeys(event.feature for event in about)))
            return NO_EXTRAS

        self.known = replace(self.known, extras=extras)
        self.write(*STORY[:-1])
        self.story.follow()
        view = self.story.view()
        self.write(STORY[-1])
        self.story.follow()
        self.story.changed_view(view)
        self.story.view()
        self.assertEqual(asked, [("auth", "docs", "api", "app"), ("api", "app")])


if __name__ == "__main__":
    unittest.main()
