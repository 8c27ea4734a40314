"""What a retry records without a run."""

from __future__ import annotations

import unittest

from core.model.control_action import ControlAction
from core.model.event_values import reply_of
from core.model.fold import fold
from core.model.mask import Mask
from core.model.state import FeatureState
from core.project.open import open_project
from core.project.retrying import retried, said
from tests.support.commands import standing_in
from tests.support.workspace import Workspace, feature


class RetryingTest(unittest.TestCase):
    def test_what_the_user_says_comes_before_the_retry(self) -> None:
        with Workspace([feature("auth")]) as space:
            with standing_in(space.folder, space.environ):
                project = open_project("", "", Mask({}))
            (alone,) = retried(project, FeatureState("auth"))
            self.assertEqual(reply_of(alone).action, ControlAction.RETRY)
            self.assertEqual(said(project, FeatureState("auth"), ""), [])
            made = retried(project, FeatureState("auth"), "Use the clock.", 3)
            self.assertEqual([event.kind for event in made], ["commented", "steered"])
            known = fold(made).feature("auth")
            (comment,) = known.review.open_comments
            self.assertEqual((comment.text, known.owner), ("Use the clock.", project.owner))
            self.assertEqual(made[1].data["attempts"], 3)
            again = retried(project, known, "Use the clock.", 3)
            self.assertEqual(len(fold([*made, *again]).feature("auth").review.comments), 1)


if __name__ == "__main__":
    unittest.main()
