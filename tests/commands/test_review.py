"""``review`` without a terminal: the evidence, JSON, and answers as options."""

from __future__ import annotations

import unittest

from core.commands import review
from tests.support.commands import read_text
from tests.support.workspace import Workspace, WorkspaceTest, feature


class Shown(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("auth"), feature("api", depends_on=["auth"])])
        cls.addClassCleanup(cls.space.close)
        start = cls.space.finish("auth", {"auth.py": "1\n"})
        cls.space.finish("api", {"api.py": "1\n"}, start=start)

    def test_without_a_terminal_it_prints_what_waits_and_how_to_answer(self) -> None:
        said = self.space.main("review")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("Waiting for your review, to land on main: 2 of 2 features\n", said.out)
        self.assertLess(said.out.index("[1/2] auth"), said.out.index("[2/2] api"))
        self.assertIn("  rorchestrator review auth --accept\n", said.out)

    def test_json_has_the_features_in_order(self) -> None:
        found = self.space.main("review", "--json").json
        self.assertEqual([each["id"] for each in found["features"]], ["auth", "api"])
        self.assertEqual(found["features"][1]["start_commit"], found["features"][0]["commit"])
        self.assertEqual(
            [e["id"] for e in self.space.main("review", "api", "--json").json["features"]], ["api"]
        )

    def test_a_page_is_written_and_replaces_no_file_of_the_list(self) -> None:
        path = self.space.beside("review.html")
        self.assertEqual(self.space.main("review", "--html", path).code, 0)
        self.assertIn("<!DOCTYPE html>", read_text(path))
        self.assertIn("auth.py", self.space.main("review", "--html", "-").out)
        refused = self.space.main("review", "--html", self.space.list_file)
        self.assertIn("would replace the feature list", refused.err)

    def test_what_makes_no_sense_is_refused_with_what_to_type(self) -> None:
        for words, said in (
            (("--accept",), "an answer needs the id"),
            (("auth", "--accept", "--comment", "x"), "--accept does not go with a comment"),
            (("auth", "api", "--comment", "x"), "take one feature"),
            (("auth", "api", "--accept", "--at", "c0ffee"), "take one feature"),
            (("auth", "--at", "c0ffee"), "--at needs an answer"),
            (("auth", "--retry"), "--retry needs an answer"),
            (("auth", "--accept", "--retry"), "--retry needs a comment"),
            (("auth", "--accept", "--html", "x"), "--html does not go with an answer"),
            (("nwe",), "unknown feature 'nwe'"),
            (("auth", "--comment", " "), "the comment is empty"),
            (("auth", "--file", "missing"), "--file missing can't be read: No such file"),
            (("auth", "--file", "latin"), "it is not UTF-8"),
            (("auth", "--comment", "x" * (review.LARGEST_COMMENT + 1)), "at most 60000 characters"),
        ):
            with self.subTest(words[:4]):
                self.space.write({"latin": b"caf\xe9"})
                done = self.space.main("review", *words)
                self.assertEqual(done.code, 2)
                self.assertIn(said, done.err)
        self.assertEqual(self.space.events("commented"), [])


class Answers(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth"), feature("api")]))
        self.tip = self.workspace.finish("auth", {"auth.py": "1\n"})
        self.workspace.finish("api", {"api.py": "1\n"})

    def test_features_are_accepted_and_no_longer_wait(self) -> None:
        said = self.workspace.main("review", "auth", "api", "--accept")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn(f"auth is accepted at {self.tip[:10]}\n", said.out)
        self.assertIn("0 of 2 features", self.workspace.main("review").out)
        self.assertNotIn("To answer", self.workspace.main("review").out)

    def test_a_comment_comes_from_a_file_or_from_stdin(self) -> None:
        self.workspace.write({"said.txt": "auth.py:1 Use two.\n"})
        said = self.workspace.main("review", "auth", "--file", "said.txt")
        self.assertIn("to give it to Claude: rorchestrator retry auth\n", said.out)
        words = ("review", "auth", "--reject", "--file", "-", "--json")
        reply = self.workspace.main(*words, stdin=b"Start over.\n").json
        (answered,) = reply["features"]
        self.assertEqual((answered["id"], answered["answer"]), ("auth", "rejected"))
        self.assertEqual(
            (answered["commit"], answered["comment"]["text"]), (self.tip, "Start over.")
        )
        first, second = self.workspace.state().feature("auth").review.comments
        self.assertEqual((first.path, first.line, first.text), ("auth.py", 1, "Use two."))
        self.assertEqual(second.text, "Start over.")
        self.assertEqual(self.workspace.main("review", "api", "--reject", "--quiet").out, "")

    def test_an_answer_can_be_bound_to_the_commit_that_was_read(self) -> None:
        self.assertEqual(
            self.workspace.main("review", "auth", "--accept", "--at", self.tip[:8]).code, 0
        )
        said = self.workspace.main("review", "auth", "--accept", "--at", "c0ffee")
        self.assertEqual(said.code, 1)
        self.assertIn("auth has changed since it was read", said.err)
        rejected = self.workspace.main("review", "api", "--reject")
        self.assertIn("to start it over: rorchestrator retry api", rejected.out)


class WithClaude(WorkspaceTest):
    """The whole way of a feature: read, commented, retried, read again, accepted."""

    def test_after_a_retry_only_what_is_new_is_shown(self) -> None:
        self.use(Workspace([feature("auth", {"write": "a.py"}, {"write": "b.py"})]))
        space = self.workspace
        run = space.run()
        self.assertIn("→ rorchestrator review  (what the features changed", run.out)
        comment = 'a.py:1 simulate: {"write": "a.py", "content": "better\\n"}'
        refused = space.main("review", "auth", "--comment", comment, "--retry")
        self.assertEqual(refused.code, 2)
        self.assertEqual(space.events("commented"), [], "nothing to repeat")
        self.assertEqual(space.main("review", "auth", "--comment", "And b.py.").code, 0)
        words = ("review", "auth", "--comment", comment, "--retry", "--yes")
        self.assertEqual(space.command(*words).code, 0)
        (auth,) = space.main("review", "--json").json["features"]
        self.assertEqual([c["sent"] for c in auth["comments"]], [True, True])
        self.assertTrue(auth["waits"])
        sights = {file["path"]: file["sight"] for file in auth["files"]}
        self.assertEqual((sights["a.py"], sights["b.py"]), ("changed", "seen"))
        (new,) = [file["new"]["patch"] for file in auth["files"] if file["path"] == "a.py"]
        self.assertIn("\n+better\n", new)
        self.assertEqual(space.main("review", "auth", "--accept").code, 0)
        self.assertEqual(space.main("merge", "--accepted").code, 0)
        self.assertIn("Nothing to review", space.main("review").out)


if __name__ == "__main__":
    unittest.main()
