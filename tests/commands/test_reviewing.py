"""The questions of `review` at a terminal: real processes, git's own pager, hostile names."""

from __future__ import annotations

import io
import os
import signal
import unittest
from unittest import mock

from core.commands import reviewing
from core.commands.reviewing import ACCEPT, COMMENT, LATER, QUIT, REJECT, SHOW
from core.model.errors import UserError
from core.model.review import Answer, Review
from core.review import gathering
from tests.support.commands import Running, streams, wait_until
from tests.support.once import once
from tests.support.terminals import PseudoTerminal
from tests.support.workspace import Workspace, WorkspaceTest, feature

HOSTILE = "b\x1b[31m\nx\udcff"
ENV = {"TERM": "xterm", "GIT_PAGER": "cat", "PAGER": "cat", "NO_COLOR": "1"}


class Reviewing(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth"), feature("api", depends_on=["auth"])]))
        self.tip = self.workspace.finish("auth", {"a.py": "one\n", HOSTILE: "two\n", "b": b"\0"})
        self.workspace.finish("api", {"api.py": "1\n"}, start=self.tip)
        self.terminal = PseudoTerminal()
        self.addCleanup(self.terminal.__exit__)

    def start(self, *words: str, **env: str) -> Running:
        theirs = self.terminal.theirs
        return self.workspace.start("review", *words, terminal=theirs, env={**ENV, **env})

    def until(self, text: str, at: PseudoTerminal | None = None) -> None:
        """Wait for new output."""
        new: list[str] = []

        def there() -> bool:
            new.append((at or self.terminal).read())
            return text in "".join(new)

        wait_until(there, text)

    def type(self, line: str) -> None:
        os.write(self.terminal.ours, line.encode())

    def review(self, id: str) -> Review:
        return self.workspace.state().feature(id).review

    def end(self, running: Running) -> int:
        wait_until(
            lambda: self.terminal.read() is not None and running.process.poll() is not None,
            "its end",
        )
        return running.end().code

    def test_one_after_the_other_is_shown_and_answered(self) -> None:
        running = self.start()
        self.until("auth: Enter shows the diff; [a]ccept, [c]omment, [r]eject, [l]ater, [q]uit? ")
        self.assertIn("[1/2] auth\r\n", self.terminal.written)
        self.type("\n")
        self.until("[d]iff again")
        self.assertIn("+one", self.terminal.written)
        self.assertIn("Binary files", self.terminal.written)
        self.assertNotIn("\x1b[31m\nx", self.terminal.written)
        self.type("c\n")
        self.until("an empty line ends it")
        self.type("a.py:1 Use two.\nOr three.\n\n")
        self.until("[n]ext, [c]omment again")
        (comment,) = self.review("auth").comments
        self.assertEqual((comment.path, comment.line), ("a.py", 1))
        self.assertEqual(comment.text, "Use two.\nOr three.")
        self.assertEqual(set(self.review("auth").seen), {"a.py", HOSTILE, "b"})
        self.type("what\nn\n")
        self.until("api: Enter shows")
        self.type("A\n")
        self.until("To land what is accepted: rorchestrator merge api")
        self.assertEqual(self.end(running), 0)
        self.assertEqual(self.review("api").answer, Answer.ACCEPTED)

    @once
    def test_a_rejection_has_a_reason_and_what_is_named_is_asked_about_again(self) -> None:
        running = self.start("auth")
        self.until("Enter shows")
        self.type("r\n")
        self.until("Why?")
        self.type("Too slow.\n\n")
        self.until("auth is rejected.")
        self.assertEqual(self.end(running), 0)
        review = self.review("auth")
        self.assertEqual((review.answer, review.comments[0].text), (Answer.REJECTED, "Too slow."))
        running = self.start("auth")
        self.until("Nothing is new since you saw it; Enter shows all of it.")
        self.type("d\nr\n\n")
        self.until("Why?")
        self.assertIn("+one", self.terminal.written)
        self.assertEqual(self.end(running), 0)
        self.assertEqual(len(self.review("auth").comments), 1)

    @once
    def test_the_question_fits_the_terminal_as_wide_as_it_is_by_then(self) -> None:
        running = self.start("auth")
        self.until("Enter shows")
        self.terminal.resize(40, 24)
        self.type("what\n")
        self.until("[a]ccept,\r\n")
        self.type("q\n")
        self.assertEqual(self.end(running), 0)

    def test_ctrl_c_at_a_question_ends_its_line_and_records_nothing(self) -> None:
        for typed, shown in (("", "Enter shows"), ("c\na word\n", "an empty line ends it")):
            running = self.start("auth")
            self.type(typed)
            self.until(shown)
            running.signal(signal.SIGINT)
            self.assertEqual(self.end(running), 130)
            self.assertTrue(self.terminal.written.endswith("\r\n"))
        self.assertEqual(self.review("auth"), Review())

    def test_later_and_quit_and_the_end_of_the_input_record_nothing(self) -> None:
        for keys in ("l\nq\n", "l\n\x04", "c\n\nq\n", "\x04"):
            with self.subTest(keys):
                running = self.start()
                self.until("Enter shows")
                self.type(keys)
                self.assertEqual(self.end(running), 0)
        self.assertEqual(self.review("auth"), Review())

    @once
    def test_an_answer_to_what_has_moved_is_refused_and_asked_again(self) -> None:
        running = self.start("auth")
        self.until("Enter shows")
        moved = self.workspace.commit({"a.py": "other\n"}, at=self.workspace.worktree("auth"))
        self.type("a\n")
        self.until("auth has changed since it was read")
        self.until("Enter shows")
        self.assertIsNone(self.review("auth").answer)
        self.type("\na\n")
        self.until("auth is accepted.")
        self.assertIn("+other", self.terminal.written)
        self.assertEqual(self.end(running), 0)
        self.assertTrue(self.review("auth").is_accepted(moved))

    @once
    def test_what_another_terminal_answered_meanwhile_is_not_asked(self) -> None:
        running = self.start()
        self.until("auth: Enter shows")
        self.assertEqual(self.workspace.main("review", "api", "--accept").code, 0)
        self.type("a\n")
        self.until("rorchestrator merge auth api")
        self.assertEqual(self.end(running), 0)

    @once
    def test_work_that_cannot_be_read_has_no_diff(self) -> None:
        with mock.patch.object(gathering, "own_work", side_effect=UserError("it is gone")):
            running = self.start("api", "--quiet", TERM="dumb")
        self.until("Enter shows")
        self.assertIn("it is gone", self.terminal.written)
        self.type("\nl\n")
        self.assertEqual(self.end(running), 0)
        self.assertNotIn("diff --git", self.terminal.written)
        self.assertNotIn("Waiting for", self.terminal.written)

    @once
    def test_quiet_shows_the_diff_without_remarks(self) -> None:
        self.workspace.git("config", "core.pager", "false")
        self.terminal.resize(50, 24)
        running = self.start("api", "-q")
        self.until("api: Enter shows the diff; [a]ccept, [c]omment,\r\n[r]eject")
        self.type("\nl\n")
        self.assertEqual(self.end(running), 0)
        self.assertIn("+1", self.terminal.written)
        self.assertNotIn("not used", self.terminal.written)

    @once
    def test_while_a_run_goes_on_two_terminals_answer_and_none_is_lost(self) -> None:
        space, go, other = self.workspace, self.workspace.beside("go"), PseudoTerminal()
        self.addCleanup(other.__exit__)
        space.change([*space.document["features"], feature("ui", {"write": "u"}, {"wait": go})])
        run = space.start("run", "--yes", "--only", "ui")
        wait_until(lambda: space.events("attempt_started")[2:], "the run goes on")
        one = self.start("auth")
        two = space.start("review", "api", terminal=other.theirs, env=ENV)
        self.until("auth: Enter shows")
        self.until("api: Enter shows", other)
        self.type("a\n")
        os.write(other.ours, b"c\napi.py:1 More.\n\n")
        self.until("auth is accepted.")
        self.until("Recorded. To give it to Claude", other)
        self.assertEqual(self.end(one), 0)
        self.assertTrue(self.review("auth").is_accepted(self.tip))
        moved = space.commit({"api.py": "2\n"}, at=space.worktree("api"))
        os.write(other.ours, b"a\n")
        self.until("nothing was recorded", other)
        self.assertIsNone(self.review("api").answer)
        os.write(other.ours, b"a\n")
        self.until("api is accepted.", other)
        self.assertEqual(two.end().code, 0)
        self.assertTrue(self.review("api").is_accepted(moved))
        space.touch("go")
        self.assertEqual(run.end().code, 0)
        self.assertEqual([each.text for each in self.review("api").comments], ["More."])
        self.assertTrue(self.review("auth").is_accepted(self.tip))

    @once
    def test_a_feature_that_landed_meanwhile_is_not_asked_about(self) -> None:
        running = self.start("api", "auth")
        self.until("auth: Enter shows")
        self.workspace.git("merge", "--quiet", "feature/api")
        self.type("l\n")
        self.until("api has nothing to review: it has landed")
        self.assertEqual(self.end(running), 0)

    @once
    def test_a_comment_without_words_is_asked_for_again(self) -> None:
        running = self.start("auth")
        self.until("Enter shows")
        self.type("c\na.py:1\n\n")
        self.until("the comment is empty")
        self.type("q\n")
        self.assertEqual(self.end(running), 0)
        self.assertEqual(self.review("auth"), Review())

    @once
    def test_all_asks_about_what_was_answered_too(self) -> None:
        self.assertEqual(self.workspace.main("review", "auth", "--accept").code, 0)
        running = self.start("--all")
        self.until("[1/2] auth (accepted)")
        self.assertNotIn("Nothing is new", self.terminal.written)
        self.type("q\n")
        self.assertEqual(self.end(running), 0)

    def test_what_is_no_text_is_no_answer(self) -> None:
        given = io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8")
        with streams(None, None, given):
            self.assertEqual(reviewing._line(), "\n")

    def test_no_key_means_two_things(self) -> None:
        keys = [key for keys in (ACCEPT, COMMENT, REJECT, SHOW, LATER, QUIT) for key in keys]
        self.assertEqual(len(set(keys)), len(keys))


if __name__ == "__main__":
    unittest.main()
