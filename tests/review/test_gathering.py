"""What a review shows of real features in a real repository."""

from __future__ import annotations

import time
import unittest
from unittest import mock

from core.git.door import Unknown
from core.model import events, events_review
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.mask import Mask
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from core.model.review import Answer, Comment
from core.review import gathering
from core.review.evidence import Kind
from core.review.gathering import reading_of
from core.review.reading import FeatureReading, Reading, document, masked
from core.review.seen import Sight
from tests.support.lives import RUN
from tests.support.once import skip_if_run_elsewhere
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

FEATURES = (
    {"id": "auth", "prompt": "Write src/auth.py with tests.", "verify": ["true"]},
    {"id": "api", "prompt": "Write src/api.py.", "depends_on": ["auth"]},
    {"id": "ui", "prompt": "Make it nice.", "depends_on": ["auth"]},
    {"id": "docs", "prompt": "Write the manual."},
    {"id": "new", "prompt": "Later."},
)


def read(space: Workspace, *ids: str, whole: bool = False) -> Reading:
    project = place_of(space)
    return reading_of(project, project.state(), ids, whole=whole)


def only(space: Workspace, id: str, *, whole: bool = False) -> FeatureReading:
    return read(space, id, whole=whole).features[0]


class Gathering(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = space = Workspace(FEATURES)
        cls.addClassCleanup(space.close)
        auth = space.finish("auth", {"src/auth.py": "1\n2\n", "tests/test_auth.py": "t\n"})
        space.finish("api", {"src/api.py": "1\n", "README.md": "api\n"}, start=auth)
        space.finish("ui", {"ui.js": "u\n" * 300, "README.md": "ui\n"}, start=auth)
        space.git("merge", "--quiet", space.finish("docs", {"manual.md": "m\n"}))

    def test_completed_features_that_have_not_landed_in_the_order_of_attention(self) -> None:
        found = read(self.space)
        self.assertEqual([each.id for each in found.features], ["auth", "api", "ui"])
        self.assertEqual(found.waiting, found.features)
        auth, api, ui = found.features
        self.assertEqual(auth.tip, self.space.commit_of("feature/auth"))
        self.assertEqual([file.path for file in auth.files], ["src/auth.py", "tests/test_auth.py"])
        self.assertEqual((api.start, api.depends_on), (auth.tip, ("auth",)))
        self.assertEqual([file.path for file in api.files], ["README.md", "src/api.py"])
        readme, code = api.files
        self.assertEqual((readme.is_named, readme.others, code.is_named), (False, ("ui",), True))
        self.assertTrue(all(file.is_named for file in ui.files), "its prompt names no file")
        self.assertEqual((ui.insertions, ui.deletions), (301, 1))
        self.assertEqual(
            [each.kind for each in api.evidence], [Kind.UNNAMED, Kind.UNCHECKED, Kind.SHARED]
        )
        self.assertEqual([each.kind for each in auth.evidence], [Kind.DEPENDENTS])

    def test_a_feature_that_is_named_must_be_completed_and_not_landed(self) -> None:
        self.assertEqual(
            [each.id for each in read(self.space, "ui", "auth").features], ["auth", "ui"]
        )
        for id, why in (
            ("docs", "has landed"),
            ("new", "its status is pending"),
            ("nwe", "mean 'new'"),
        ):
            with self.assertRaises(UserError) as raised:
                read(self.space, id)
            self.assertIn(why, raised.exception.message)

    def test_what_git_cannot_tell_is_said(self) -> None:
        with mock.patch.object(gathering, "how_merged_into", side_effect=Unknown("unknown: x")):
            api = only(self.space, "api")
        self.assertEqual(api.notes, ("git can't tell whether it has landed: unknown: x",))

    def test_work_that_cannot_be_read_is_a_fault_and_no_error(self) -> None:
        for name in ("own_work", "news"):
            with mock.patch.object(gathering, name, side_effect=UserError("it is gone")):
                api = only(self.space, "api")
            self.assertEqual((api.fault, api.files), ("it is gone", ()))
            self.assertEqual(api.tip, self.space.commit_of("feature/api"))
            self.assertTrue(api.waits)

    def test_json_has_it_all_and_secrets_are_masked(self) -> None:
        found = masked(read(self.space), Mask({"MY_TOKEN": "src/api.py"}))
        said = document(found)
        self.assertEqual(said["waiting"], ["auth", "api", "ui"])
        self.assertNotIn("src/api.py", str(said))
        self.assertIn("[masked MY_TOKEN]", str(said))


class Answered(unittest.TestCase):
    """A feature with a history: attempts, failing checks, answers."""

    def setUp(self) -> None:
        self.space = Workspace([feature("auth"), feature("api")])
        self.addCleanup(self.space.close)

    def record(self, *made: events.Event) -> None:
        self.space.record(*made)

    def test_what_a_run_tells_is_evidence(self) -> None:
        tip = self.space.finish("auth", {"a": "1\n"})
        now = time.time()
        done = AttemptOutcome(Status.COMPLETED, denied_tools=("Bash", "Bash"), result="Done.")
        checks = [
            events.checked(
                *(now, RUN, "auth"), key="k", command="pytest", passed=passed, ending="exit 1"
            )
            for passed in (False, False, True)
        ]
        work = Work(tip, 1, 1, held_back=(".env",))
        self.record(
            events.attempt_started(
                now, RUN, "auth", attempt=2, session_id="s", resumed=True, log=""
            ),
            events.attempt_ended(now, RUN, "auth", done),
            *checks,
            events.ended(now, RUN, "auth", FeatureOutcome(Status.COMPLETED, work=work)),
        )
        auth = only(self.space, "auth")
        self.assertEqual((auth.attempts, auth.said, auth.denied), (2, "Done.", ("Bash",)))
        self.assertEqual(auth.failed_first, {"pytest": 2})
        kinds = {each.kind for each in auth.evidence}
        expected = {Kind.LEFT, Kind.DENIED, Kind.FAILED_FIRST, Kind.ATTEMPTS, Kind.UNCHECKED}
        self.assertEqual(kinds, expected)
        begun = Decision("auth", Action.START, "new", "key")
        self.record(events.based(now, RUN, begun, start_commit=tip, base_commit=tip))
        self.record(events.ended(now, RUN, "auth", FeatureOutcome(Status.COMPLETED, work=work)))
        self.assertEqual(only(self.space, "auth").failed_first, {})

    def test_a_feature_with_which_a_retry_goes_on_does_not_wait_for_its_reader(self) -> None:
        self.space.finish("auth", {"a": "1\n"})
        self.record(events_review.commented(1.0, "auth", comment=Comment("1", "Why?")))
        action = ControlAction.RETRY
        asked = {"action": action, "request": "", "done": True, "text": "auth runs again"}
        self.record(events.steered(2.0, "", "auth", **asked))
        auth = only(self.space, "auth")
        self.assertFalse(auth.waits)
        self.assertIn("its retry has not ended", auth.notes[0])

    def test_answers_comments_and_what_was_seen_decide_what_waits(self) -> None:
        space, now = self.space, time.time()
        tip = space.finish("auth", {"a": "1\n", "b": "2\n"})
        owner = "config/feature_list.json"
        seen = only(space, "auth").sightings
        comment = Comment("c1", "Why?", "a", 1)
        self.record(events_review.commented(now, "auth", comment=comment, owner=owner))
        auth = only(space, "auth")
        self.assertEqual((auth.waits, auth.comments), (True, (comment,)))
        self.record(events_review.seen(now, "auth", files=seen, owner=owner))
        auth = only(space, "auth")
        self.assertEqual((auth.waits, auth.has_news), (False, False))
        self.assertEqual([file.news for file in auth.files], [None, None])
        self.assertEqual(len(only(space, "auth", whole=True).unseen), 2)
        accepted = events_review.reviewed(
            now, "auth", answer=Answer.ACCEPTED, commit=tip, owner=owner
        )
        self.record(accepted)
        self.assertEqual(only(space, "auth").answer, Answer.ACCEPTED)
        space.commit({"b": "3\n"}, at=space.worktree("auth"))
        auth = only(space, "auth")
        self.assertEqual((auth.answer, auth.waits), (None, True))
        self.assertEqual([file.sight for file in auth.files], [Sight.SEEN, Sight.CHANGED])
        changed = auth.files[1].news
        self.assertIn("-2\n+3\n", changed.patch if changed else "")
        self.assertIn("new commits", auth.notes[0])

    def test_a_renamed_file_was_seen_if_both_names_were(self) -> None:
        space = self.space
        text = "".join(f"{number}\n" for number in range(50))
        start = space.commit({"old.txt": text})
        space.finish("auth", {"old.txt": None, "new.txt": text}, start=start)
        auth = only(space, "auth")
        self.assertEqual([(f.path, f.sight) for f in auth.files], [("new.txt", Sight.NEW)])
        half = {"new.txt": auth.sightings["new.txt"]}
        self.record(events_review.seen(1.0, "auth", files=half, owner="config/feature_list.json"))
        self.assertEqual(only(space, "auth").files[0].sight, Sight.CHANGED)

    def test_files_of_features_at_work_count_too_and_those_of_landed_ones_do_not(self) -> None:
        space = self.space
        space.finish("auth", {"a": "1\n"})
        space.finish("api", {"a": "2\n"})
        now = time.time()
        self.record(events.ended(now, RUN, "api", FeatureOutcome(Status.FAILED, "x")))
        self.assertEqual(only(space, "auth").files[0].others, ("api",))
        landed = Work(space.commit_of("feature/api"), 1, 1)
        self.record(
            events.ended(now, RUN, "api", FeatureOutcome(Status.COMPLETED, work=landed)),
            events.cleaned(now, "api", merged_into="main", kept_ref="", discarded=False, detail=""),
        )
        self.assertEqual(only(space, "auth").files[0].others, ())


if __name__ == "__main__":
    unittest.main()
