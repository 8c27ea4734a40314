"""What other machines pushed, recorded in a clone as if it had been made there."""

from __future__ import annotations

import json
import os

from core.git.refs import KEPT
from tests.support.elsewhere import RUN_ID, ElsewhereTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class DependencyTest(ElsewhereTest):
    def test_a_branch_that_the_run_did_not_make_is_taken_as_it_is(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        self.assert_code(space.run_there("auth", run_id="r0"), 0)
        done = space.run_there("api")
        self.assert_code(done, 0)
        said = "auth has no report in run r1: its branch feature/auth is used as it is"
        self.assertIn(said, done.err)
        self.assertEqual(space.there("rev-parse", "feature/api~"), space.tip_there("auth"))

    def test_a_dependency_that_landed_needs_no_branch(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        self.assert_code(space.run_there("auth", run_id="r0"), 0)
        space.git("pull", "--quiet", "origin", "feature/auth")
        space.commit({"more": "1"}, "more")
        space.git("push", "--quiet", "origin", "main", ":feature/auth")
        self.assert_code(space.run_there("api"), 0)
        self.assertEqual(space.there("rev-parse", "feature/api~"), space.commit_of("main"))
        self.assertEqual([each["id"] for each in space.report_of("api")["list"]], ["api"])

    def test_a_result_that_landed_while_the_run_goes_on_needs_no_branch(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        base = space.commit_of("main")
        self.assert_code(space.run_there("auth"), 0)
        tip = space.tip_there("auth")
        space.git("pull", "--quiet", "--no-ff", "origin", "feature/auth")
        space.git("push", "--quiet", "origin", "main", ":feature/auth")
        self.assert_code(space.run_there("api", "--base", base), 0)
        self.assertEqual(space.there("rev-parse", "feature/api~"), tip)

    def test_commits_that_somebody_added_to_a_dependency_are_built_on(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        self.assert_code(space.run_there("auth"), 0)
        space.git("fetch", "--quiet", "origin", "feature/auth:theirs")
        space.git("switch", "--quiet", "theirs")
        more = space.commit({"more": "1"}, "more")
        space.git("push", "--quiet", "origin", "theirs:feature/auth")
        self.assert_code(space.run_there("api"), 0)
        self.assertEqual(space.there("rev-parse", "feature/api~"), more)

    def test_a_result_that_is_not_there_or_not_reported_is_nothing_to_build_on(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        self.assert_code(space.run_there("auth"), 0)
        tip, ref = space.tip_there("auth"), f"refs/rorchestrator/runs/{RUN_ID}/auth"
        space.there("update-ref", "refs/heads/feature/auth", "main")
        done = space.run_there("api")
        self.assert_code(done, 1)
        self.assertIn(f"feature/auth does not contain its result {tip[:12]}", done.err)
        space.there("update-ref", ref, f"{ref}~")
        done = space.run_there("api")
        self.assert_code(done, 1)
        self.assertIn("auth: attempt 1 on ", done.err)
        self.assertFalse(os.path.exists(space.report_path("api")))
        space.there("update-ref", ref, "main")
        self.assertIn(f"auth: {ref} holds no claim and no report", space.run_there("api").err)

    def test_dependencies_in_conflict_end_a_feature_as_anywhere(self) -> None:
        both = ({"write": "same", "content": "one"}, {"write": "same", "content": "other"})
        space = self.use(
            feature("auth", both[0]),
            feature("api", both[1]),
            feature("app", depends_on=["auth", "api"]),
        )
        for id in ("auth", "api"):
            self.assert_code(space.run_there(id), 0)
        self.assert_code(space.run_there("app"), 1)
        report = space.pushed_report("app")
        self.assertEqual((report["status"], report["commit"]), ("conflict", None))
        self.assertIn("same", report["reason"])
        self.assertEqual(space.tip_there("app"), "")


class ChangedTest(ElsewhereTest):
    def add(self, id: str) -> str:
        """Push a commit of the user's to a feature's branch."""
        space = self.space
        space.git("fetch", "--quiet", "origin", f"feature/{id}:theirs")
        space.git("switch", "--quiet", "theirs")
        more = space.commit({"more": "1"}, "more")
        space.git("push", "--quiet", "origin", f"theirs:feature/{id}")
        space.git("switch", "--quiet", "main")
        return more

    def test_commits_that_somebody_added_to_kept_work_are_built_on(self) -> None:
        space = self.use(feature("auth", {"write": "a"}, {"fail": "no"}))
        self.assert_code(space.run_there("auth"), 1)
        more = self.add("auth")
        done = space.run_there("auth")
        self.assertIn("attempt 2 of auth: a new session, on the work", done.err)
        space.there("merge-base", "--is-ancestor", more, "feature/auth")
        self.assertEqual(space.refs_there(KEPT), {})

    def test_a_result_with_more_commits_and_one_that_landed_are_not_made_again(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)
        more = self.add("auth")
        said = "auth already completed in run r1"
        self.assertIn(said, space.run_there("auth").err)
        self.assertEqual(space.tip_there("auth"), more)
        space.git("push", "--quiet", "origin", f"{more}:main", ":feature/auth")
        self.assertIn(said, space.run_there("auth").err)
        space.git("push", "--quiet", "--force", "origin", "main")
        done = space.run_there("auth")
        self.assert_code(done, 0)
        self.assertNotIn(said, done.err)

    def test_kept_work_of_another_prompt_is_left_aside_and_stays_on_the_remote(self) -> None:
        space = self.use(feature("auth", {"write": "bad"}), verify=[["test", "!", "-e", "bad"]])
        space.change(verify_attempts=0)
        space.publish()
        self.assert_code(space.run_there("auth"), 1)
        kept = space.tip_there("auth")
        space.change([feature("auth", {"write": "good"})])
        space.publish()
        done = space.run_there("auth")
        self.assert_code(done, 0)
        self.assertNotIn("bad", space.there("ls-tree", "--name-only", "feature/auth").split())
        self.assertEqual(space.refs_there()[f"refs/rorchestrator/kept/auth/{RUN_ID}.2"], kept)

    def test_what_the_agent_changed_in_the_clone_is_not_pushed_with(self) -> None:
        space = self.use()
        met = space.beside("met")
        script = space.script(
            "plant",
            "#!/bin/sh\ncd $(git rev-parse --git-common-dir)\nmkdir -p hooks\n"
            f"git config core.sshCommand 'touch {met}'\n"
            f"git config credential.helper '!touch {met}'\n"
            f"echo 'touch {met}' > hooks/pre-push\nchmod +x hooks/pre-push\n",
        )
        space.features(feature("auth", {"write": "auth.md"}, {"bash": script}))
        space.publish()
        self.assert_code(space.run_there("auth"), 1)
        report = space.pushed_report("auth")
        self.assertEqual((report["status"], report["commit"]), ("failed", None))
        self.assertFalse(os.path.exists(met))
        self.assertEqual(space.refs_there("refs/heads").keys(), {"refs/heads/main"})

    def test_nothing_that_the_agent_wrote_beside_its_clone_is_executed(self) -> None:
        space = self.use()
        met = space.beside("met")
        config = f'[url "ext::touch {met} "]\\n\\tinsteadOf = file:\\n'
        config += '[protocol "ext"]\\n\\tallow = always\\n'
        plant = (
            "for name in channel.git hand-in.git; do mkdir -p ../../$name; "
            f"printf '{config}' >> ../../$name/config; done"
        )
        space.features(feature("auth", {"write": "auth.md"}, {"bash": plant}))
        space.publish()
        self.assert_code(space.run_there("auth"), 0)
        self.assertFalse(os.path.exists(met))

    def test_secrets_that_the_agent_left_are_neither_pushed_nor_reported(self) -> None:
        secret = "sk-ant-abcdefghijklmnop"
        space = self.use(
            feature("auth", {"write": "auth.md"}, {"write": "id_rsa"}, {"fail": "no"}),
        )
        done = space.run_there("auth", env={"MY_TOKEN": secret})
        self.assert_code(done, 1)
        self.assertIn("files that look secret are not kept", done.err)
        listed = space.there("ls-tree", "--name-only", "feature/auth").split()
        self.assertIn("auth.md", listed)
        self.assertNotIn("id_rsa", listed)
        self.assertNotIn(secret, json.dumps(space.pushed_report("auth")))
