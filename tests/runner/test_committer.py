"""Commits with the user's hooks, signing programs and filters that misbehave; all of it is real."""

from __future__ import annotations

import os
import time
import unittest

from core.model.commit_subject import fields_of, subject
from core.model.decision import Action
from core.model.events import Event
from core.model.feature import Feature
from core.model.outcome import Fault, FeatureOutcome, Status
from core.process.cancellation import Cancellation
from core.process.supervisor import Child, Ladder, Supervisor
from tests.support.once import once, skip_if_run_elsewhere
from tests.support.runner import RunnerTest
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

ADD = "git add a.txt"

FORMATS_ONCE = """\
if grep -q messy a.txt; then echo tidy > a.txt; echo 'reformatted a.txt' >&2; exit 1; fi"""

SIGNS = """\
#!/bin/sh
# What git calls gpg.ssh.program with: -Y sign -n git -f KEY FILE
for last; do :; done
{first}
echo signature > "$last.sig"
"""


class Brisk(Supervisor):
    """Gives each signal a fraction of its time."""

    async def end(self, child: Child, ladder: Ladder = ()) -> None:
        await super().end(child, [(number, 0.3) for number, _ in ladder])


class CommitterTest(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.supervisor = Brisk
        self.repository = self.workspace

    def committed(
        self, *, settings: dict[str, object] | None = None, **keys: object
    ) -> FeatureOutcome:
        """A feature whose Claude leaves one file."""
        step = {"write": "a.txt", "content": "messy\n"}
        self.workspace.features(feature("a", step, name="The a", **keys), **(settings or {}))
        return self.run_feature()

    def commits_only(self) -> None:
        """The next run commits, and starts no Claude."""
        outcome = self.run_feature(action=Action.RESUME)
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        self.assertEqual(self.attempts(), [(1, False)])

    def hooks_run(self) -> list[str]:
        """The hooks that the journal tells of."""
        hooks: list[str] = []
        for event in self.events:
            if event.kind == "committed":
                found = event.data["hooks"]
                assert isinstance(found, list)
                hooks += found
        return hooks

    def sign_with(self, first: str) -> None:
        signer = self.workspace.script(self.workspace.beside("signer"), SIGNS.format(first=first))
        for key, value in (
            ("commit.gpgsign", "true"),
            ("gpg.format", "ssh"),
            ("gpg.ssh.program", signer),
            ("user.signingkey", "key::ssh-ed25519 AAAA"),
        ):
            self.repository.git("config", key, value)

    def log_of(self, revision: str = "feature/a", format: str = "%s") -> list[str]:
        return self.repository.git("log", f"--format={format}", revision).split("\n")


class AnotherTry(CommitterTest):
    def test_a_hook_that_formats_and_fails_once_is_given_another_try(self) -> None:
        self.workspace.hook("pre-commit", FORMATS_ONCE)
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.repository.files("feature/a")["a.txt"], b"tidy\n")
        self.assertEqual(self.hooks_run(), ["pre-commit", "pre-commit"])

    def test_a_hook_that_stages_what_it_changes_and_fails_is_given_another_try(self) -> None:
        self.workspace.hook("pre-commit", FORMATS_ONCE.replace("echo 'r", "git add a.txt; echo 'r"))
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.repository.files("feature/a")["a.txt"], b"tidy\n")

    def test_a_hook_that_refuses_twice_is_quoted_and_the_next_run_only_commits(self) -> None:
        self.workspace.hook("pre-commit", "echo x >> a.txt; echo 'line 3 is ugly' >&2; exit 1")
        outcome = self.committed()
        self.assert_failed(outcome, Fault.COMMIT, "your pre-commit hook refused the commit: line 3")
        self.assertIn("`rorchestrator run` then only commits", outcome.reason)
        self.assertEqual(self.hooks_run(), ["pre-commit", "pre-commit"])
        self.workspace.hook("pre-commit", "exit 0")
        self.commits_only()

    def test_a_refusal_that_changed_nothing_is_final_and_not_made_twice(self) -> None:
        self.workspace.hook("pre-commit", "seq 100; exit 1")
        outcome = self.committed()
        self.assert_failed(outcome, Fault.COMMIT, "refused the commit: 81\n82")
        self.assertEqual(self.hooks_run(), ["pre-commit"])

    def test_a_hook_that_a_signal_ended_is_no_refusal(self) -> None:
        once = self.workspace.beside("once")
        self.workspace.hook("pre-commit", f"test -e '{once}' || {{ touch '{once}'; kill -9 $$; }}")
        self.assertEqual(self.committed().status, Status.COMPLETED)

    def test_a_signer_that_fails_once_is_asked_again(self) -> None:
        once = self.workspace.beside("once")
        self.sign_with(
            f"test -e '{once}' || {{ touch '{once}'; echo 'agent is busy' >&2; exit 1; }}"
        )
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertIn("signature", self.repository.git("cat-file", "commit", "feature/a"))

    def test_a_signer_that_refuses_is_named(self) -> None:
        self.sign_with("echo 'no key' >&2; exit 1")
        self.assert_failed(self.committed(), Fault.COMMIT, "commit.gpgsign")

    def test_a_hook_that_makes_the_commit_itself_is_taken_at_its_word(self) -> None:
        itself = "git commit -q --no-verify -m 'by the hook'; exit 1"
        self.workspace.hook("pre-commit", itself)
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.log_of(), ["by the hook", "first"])


@once
class Elsewhere(CommitterTest):
    def test_a_hook_that_takes_the_commit_back_ends_as_a_refusal(self) -> None:
        self.workspace.hook("post-commit", "git reset -q --soft HEAD~1")
        self.assert_failed(self.committed(), Fault.COMMIT, "your hooks (post-commit) undid the")
        self.workspace.hook("post-commit", "exit 0")
        self.commits_only()

    def test_a_feature_whose_hook_commits_to_another_branch_does_not_complete(self) -> None:
        self.workspace.hook("pre-commit", "git checkout -q -b other")
        outcome = self.committed()
        self.assert_failed(outcome, Fault.COMMIT, "away from feature/a, which lacks")
        self.workspace.hook("pre-commit", "exit 0")
        tip = self.repository.git("rev-parse", "--short=10", "other")
        command = f"git checkout -B feature/a {tip}"
        self.assertIn(f"in this worktree: {command}; ", outcome.reason)
        self.repository.git(*command.split()[1:], at=self.workspace.worktree("a"))
        self.commits_only()

    def test_files_hidden_by_a_hook_are_committed_as_the_checks_see_them(self) -> None:
        hide = "git update-index --assume-unchanged README.md; echo x >> README.md"
        self.workspace.hook("pre-commit", f"grep -q x README.md || {{ {hide}; }}")
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.repository.files("feature/a")["README.md"], b"hello\nx\n")

    def test_files_left_out_by_a_hook_are_not_checked_in_the_worktree(self) -> None:
        other = {"write": "b.txt"}
        check = [["sh", "-c", "test ! -e a.txt || test -e b.txt"]]
        for left in ("b.txt", "README.md"):
            with self.subTest(left):
                self.workspace.hook("pre-commit", f"git rm -q --cached {left}")
                step = {"write": "a.txt", "content": left}
                self.workspace.features(feature("a", step, other), verify=check)
                outcome = self.run_feature()
                self.assert_failed(outcome, Fault.COMMIT, "left files out of the commit")
                self.assertIn(f"the checks would find them: {left}", outcome.reason)
                again = self.run_feature(action=Action.RESUME)
                self.assert_failed(again, Fault.COMMIT, "left files out of the commit")
        self.workspace.hook("pre-commit", "exit 0")
        self.assertEqual(self.run_feature(action=Action.RESUME).status, Status.COMPLETED)


@once
class NothingLeft(CommitterTest):
    def test_a_hook_that_leaves_nothing_to_commit_ends_the_feature_and_not_the_run(self) -> None:
        for undo in ("git rm -q --cached a.txt; rm a.txt", "git reset -q; rm a.txt"):
            with self.subTest(undo):
                self.workspace.hook("pre-commit", undo)
                outcome = self.committed()
                self.assertEqual(outcome.status, Status.EMPTY, outcome)
                self.assertIn("or did a hook do that?", outcome.reason)

    def test_a_merge_that_was_left_to_be_committed_is_committed(self) -> None:
        self.repository.git("checkout", "-qb", "other")
        self.repository.commit({"other.txt": "x"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"main.txt": "x"})
        merging = {"bash": "git merge -q --no-commit --no-ff other"}
        self.workspace.features(feature("a", merging, {"write": "a.txt"}))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        assert outcome.work is not None
        self.assertEqual(outcome.work.files_changed, 2)


@once
class Limits(CommitterTest):
    def test_a_hook_that_hangs_is_named_and_ended_with_its_tree(self) -> None:
        self.workspace.hook("pre-commit", "sleep 60 & sleep 60")
        self.on_event = self.note_soon
        outcome = self.committed(settings={"commit_timeout_seconds": 1.9})
        limit = "your pre-commit hook did not end within 2 s (project.commit_timeout_seconds)"
        self.assert_failed(outcome, Fault.COMMIT, limit)
        (note,) = (text for text in self.notes() if "hook" in text)
        self.assertRegex(note, r"^your pre-commit hook has been running for \d s; 2 s at most$")
        self.assertEqual(self.workspace.processes(), [])
        self.workspace.hook("pre-commit", "exit 0")
        self.commits_only()

    def note_soon(self, event: Event, stop: Cancellation) -> None:
        if event.kind == "committing":
            self.runners[-1].committer.note_seconds = 1.0

    def test_a_signer_that_hangs_is_ended(self) -> None:
        self.sign_with("exec sleep 60")
        outcome = self.committed(settings={"commit_timeout_seconds": 0.4})
        self.assert_failed(outcome, Fault.COMMIT, "git (a filter or a signing program) did not end")
        self.assertEqual(self.workspace.processes(), [])

    def test_a_filter_that_hangs_at_the_look_is_ended(self) -> None:
        self.repository.git("config", "filter.slow.clean", "sleep 60")
        self.repository.commit({".gitattributes": "b.txt filter=slow\n", "c": ""})
        does = {"bash": "echo 'c filter=slow' > .gitattributes; echo x > c"}
        self.workspace.features(feature("a", does), commit_timeout_seconds=0.4)
        self.assert_failed(self.run_feature(), Fault.COMMIT, "did not end within")
        self.assertEqual(self.workspace.processes(), [])

    def test_a_post_commit_hook_that_hangs_costs_nothing_but_time(self) -> None:
        self.workspace.hook("post-commit", "sleep 60")
        outcome = self.committed(settings={"commit_timeout_seconds": 2})
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        self.assertRegex("\n".join(self.notes()), r"your post-commit hook was stopped after \d s")
        self.assertEqual(len(self.log_of()), 2)

    def test_the_time_of_the_run_ends_a_commit_too(self) -> None:
        self.workspace.hook("pre-commit", "sleep 60")

        def over(event: Event, stop: Cancellation) -> None:
            if event.kind == "committing":
                self.runners[-1].preparation.steps.deadline = time.monotonic() + 0.3

        self.on_event = over
        outcome = self.committed()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertEqual(self.workspace.processes(), [])

    def test_a_stopped_feature_does_not_wait_for_a_hook(self) -> None:
        self.workspace.hook("pre-commit", f"touch '{self.workspace.beside('began')}'; sleep 60")
        self.stop_when("began")
        outcome = self.committed()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertEqual(self.workspace.processes(), [])
        self.workspace.hook("pre-commit", "exit 0")
        self.on_event = lambda event, stop: None
        self.commits_only()


@once
class AsInACheckout(CommitterTest):
    """Hooks get what git gives them in the main checkout, and nothing of ours."""

    def test_a_hook_may_make_repositories_of_its_own(self) -> None:
        # As the tests of many tools do, in a temporary folder.
        own = (
            'd=$(mktemp -d); cd "$d"; git init -q . || exit 1; git config user.email me@test\n'
            'touch t; git add t; git commit -q --no-verify -m own || exit 1; rm -rf "$d"'
        )
        self.workspace.hook("pre-commit", own)
        self.workspace.hook("commit-msg", own)
        before = self.repository.git("config", "--list", "--local")
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.repository.git("config", "--list", "--local"), before)
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})
        self.assertEqual(self.log_of(), ["feat(a): The a", "first"])

    def test_a_hook_gets_the_variables_of_a_commit_in_the_main_checkout(self) -> None:
        seen = self.workspace.beside("seen")
        self.workspace.hook("pre-commit", f"pwd >> '{seen}'; env | grep ^GIT_ | sort >> '{seen}'")
        self.repository.write({"b": ""})
        self.repository.git("add", "b")
        self.repository.git("commit", "-qm", "plain")
        with open(seen) as file:
            plain = dict(line.split("=", 1) for line in file.read().splitlines()[1:])
        os.unlink(seen)
        self.committed()
        with open(seen) as file:
            place, *lines = file.read().splitlines()
        ours = dict(line.split("=", 1) for line in lines)
        self.assertEqual(place, self.workspace.worktree("a"))
        self.assertEqual(plain.pop("GIT_INDEX_FILE"), ".git/index")  # no such path in a worktree
        extra = {"GIT_TERMINAL_PROMPT": "0"}
        for variables in (plain, ours):
            del variables["GIT_AUTHOR_DATE"]
            variables.pop("GIT_EDITOR", None)
        self.assertEqual(ours, {**plain, **extra})

    def test_changes_of_the_settings_by_a_hook_are_named(self) -> None:
        self.workspace.hook("post-commit", "git config core.bare true; git config a.b secret")
        self.assertEqual(self.committed().status, Status.COMPLETED)
        what = "the repository's settings changed while the commit and its hooks ran: "
        self.assertIn(f"{what}a.b; core.bare false → true", self.notes())

    def test_a_hook_that_changes_what_git_executes_is_named(self) -> None:
        self.workspace.hook("pre-commit", "git config core.pager evil")
        outcome = self.committed()
        self.assertEqual(outcome.fault, Fault.TAMPERED)
        self.assertIn("while the commit of a and its hooks ran: core.pager", outcome.reason)

    def test_hooks_that_each_worktree_has_its_own_of_run_there(self) -> None:
        self.repository.git("config", "core.hooksPath", ".husky")
        self.repository.write({".husky/pre-commit": "echo $0 > seen; git add seen\n"})
        os.chmod(os.path.join(self.repository.path, ".husky", "pre-commit"), 0o755)
        self.repository.commit({})
        self.assertEqual(self.committed().status, Status.COMPLETED)
        self.assertEqual(self.repository.content("feature/a:seen"), b".husky/pre-commit\n")
        left = os.listdir(
            self.repository.git("rev-parse", "--git-dir", at=self.workspace.worktree("a"))
        )
        self.assertEqual([name for name in left if name.startswith("rorchestrator-hooks")], [])

    def test_hooks_that_the_worktree_does_not_have_are_missed_once(self) -> None:
        self.repository.git("config", "core.hooksPath", ".husky/_")
        self.workspace.features(feature("a"), feature("b"))
        self.assertEqual([o.status for o in self.run_features("a", "b")], [Status.COMPLETED] * 2)
        told = [text for text in self.notes() if "hooksPath" in text]
        what = "no hook runs: core.hooksPath is .husky/_, which the worktree does not have"
        self.assertEqual(told, [what])


class OneAtATime(CommitterTest):
    def test_two_features_do_not_commit_at_once(self) -> None:
        # As with a hook that uses the stash, which all worktrees share.
        lock, clash = self.workspace.beside("lock"), self.workspace.beside("clash")
        alone = f"mkdir '{lock}' || touch '{clash}'; sleep 0.3; rmdir '{lock}'"
        self.workspace.hook("pre-commit", alone)
        self.workspace.features(feature("a"), feature("b"))
        outcomes = self.run_together("a", "b")
        self.assertEqual([o.status for o in outcomes], [Status.COMPLETED] * 2)
        self.assertFalse(os.path.exists(clash))

    def test_a_commit_that_waits_for_its_turn_can_be_stopped(self) -> None:
        began = self.workspace.beside("began")
        self.workspace.hook("pre-commit", f"touch '{began}'; sleep 60")
        self.stop_when("began")
        self.workspace.features(feature("a"), feature("b"))
        outcomes = self.run_together("a", "b")
        self.assertEqual([o.fault for o in outcomes], [Fault.INTERRUPTED] * 2)


@once
class Subjects(CommitterTest):
    def test_the_template_is_filled_in_once_and_on_one_line(self) -> None:
        named = Feature("a", "The {id}", description="two\nlines", tags=("JIRA-7", "ui"))
        cases = {
            "feat({id}): {name}": "feat(a): The {id}",
            "{tags}: {description}": "JIRA-7, ui: two lines",
            "plain": "plain",
        }
        for template, expected in cases.items():
            with self.subTest(template):
                self.assertEqual(subject(template, named), expected)
        self.assertEqual(fields_of("{a} {{b}} {}"), ["a", "b", ""])

    def test_a_commit_msg_hook_that_refuses_the_subject_costs_no_second_claude(self) -> None:
        self.workspace.hook("commit-msg", "grep -q '^JIRA-7 ' $1 || { echo 'no ticket'; exit 1; }")
        outcome = self.committed(tags=["JIRA-7"])
        self.assert_failed(outcome, Fault.COMMIT, "your commit-msg hook refused the commit: no tic")
        self.assertIn("project.commit_subject", outcome.reason)
        step = {"write": "a.txt", "content": "messy\n"}
        self.workspace.features(
            feature("a", step, name="The a", tags=["JIRA-7"]), commit_subject="{tags} {name}"
        )
        self.commits_only()
        self.assertEqual(self.log_of(), ["JIRA-7 The a", "first"])


if __name__ == "__main__":
    unittest.main()
