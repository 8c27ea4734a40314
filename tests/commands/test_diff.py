"""``diff``: a feature's own work, shown by git."""

from __future__ import annotations

import os
import unittest

from core.model import events
from core.model.decision import Action, Decision
from tests.support.commands import terminal, wait_until
from tests.support.lives import RUN, attempt
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere


class Diff(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        features = [feature("auth"), feature("api", depends_on=["auth"]), feature("new")]
        cls.space = Workspace(features)
        cls.addClassCleanup(cls.space.close)
        start = cls.space.finish("auth")
        cls.space.finish("api", {"api.txt": "café\n"}, start=start)

    def test_a_pipe_gets_a_patch_that_applies(self) -> None:
        said = self.space.command("diff", "api")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("\n+++ b/api.txt\n@@ -0,0 +1 @@\n+café\n", said.out)
        self.assertNotIn("auth.txt", said.out)
        self.space.git("apply", "--check", stdin=said.out.encode())

    def test_no_line_of_it_commands_a_ci_system(self) -> None:
        place = Workspace([feature("auth")])
        self.addCleanup(place.close)
        lines = {"a.txt": "::add-mask::x\n##[error]y\n"}
        start = place.commit(lines, "lines that a CI system obeys")
        place.finish("auth", {"a.txt": f"{lines['a.txt']}z\n"}, start=start)
        env = {"GITHUB_ACTIONS": "true"}
        said = place.main("diff", "auth", env=env)
        self.assertIn("\n \\::add-mask::x\n ## [error]y\n+z\n", said.out)
        stat = place.main("diff", "auth", "--stat", env=env)
        self.assertEqual(stat.out, " a.txt | 1 +\n 1 file changed, 1 insertion(+)\n")
        # A patch in a file is to be applied.
        self.assertIn("\n ::add-mask::x\n", place.command("diff", "auth", env=env).out)

    def test_stat_shows_files_and_colours_follow_the_options(self) -> None:
        said = self.space.command("diff", "api", "--stat").out
        self.assertEqual(said, " api.txt | 1 +\n 1 file changed, 1 insertion(+)\n")
        self.space.git("config", "color.ui", "always")
        self.addCleanup(self.space.git, "config", "--unset", "color.ui")
        for words, env, painted in (
            ([], {}, True),
            ([], {"NO_COLOR": "1"}, False),
            (["--color", "never"], {}, False),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
        ):
            with self.subTest(words, env=env):
                said = self.space.command("diff", "api", *words, env=env).out
                self.assertEqual("\x1b[" in said, painted)

    def test_a_terminal_gets_the_users_pager_and_no_program_of_the_repository(self) -> None:
        space, ran = self.space, self.space.beside("ran")
        keys = ("core.pager", "diff.external", "diff.mine.textconv")
        for key in keys:
            space.git("config", key, f"touch {ran}; cat")
            self.addCleanup(space.git, "config", "--unset", key)
        paged = space.beside("paged")
        pager = f"cat > {paged}.new && mv {paged}.new {paged}"
        space.git("config", "--global", "core.pager", pager)
        space.git("config", "--global", "diff.submodule", "diff")
        own = os.path.join(space.git_folder, "config.worktree")
        space.write({own: "[pager]\n\tdiff = false\n"})
        self.addCleanup(os.unlink, own)
        with terminal() as (_, theirs):
            done = space.start("diff", "api", terminal=theirs, env={"TERM": "xterm"})
            wait_until(lambda: os.path.exists(paged), "it is paged")
            self.assertEqual(done.end().code, 0)
        with open(paged, encoding="utf-8") as file:
            self.assertIn("\x1b[32m+\x1b[m\x1b[32mcafé\x1b[m\n", file.read())
        self.assertFalse(os.path.exists(ran))
        said = space.command("diff", "api")
        self.assertIn(
            "git settings name it: core.pager, diff.external, diff.mine.textconv", said.err
        )
        self.assertEqual(space.command("diff", "api", "--quiet").err, "")

    def test_work_in_progress_is_shown_and_said(self) -> None:
        with Workspace([feature("auth")]) as space:
            path = space.worktree("auth")
            space.git("worktree", "add", "--quiet", "-b", "feature/auth", path)
            base = space.commit_of("main")
            prepared, begun = attempt("auth", worktree=path)
            admin = space.git("rev-parse", "--absolute-git-dir", at=path)
            space.write({os.path.join(admin, "rorchestrator"): "auth\n"})
            decision = Decision("auth", Action.START, "new", "key")
            based = events.based(begun.at, RUN, decision, start_commit=base, base_commit=base)
            with space.at_work(prepared, based, begun):
                self.assertEqual(space.command("diff", "auth").err, "auth has no work yet\n")
                space.write({"new.txt": "new\n"}, at=path)
                said = space.command("diff", "auth")
            self.assertIn("+new\n", said.out, said.err)
            self.assertIn("auth: with 1 uncommitted file of its worktree", said.err)

    def test_without_work_it_says_so(self) -> None:
        said = self.space.command("diff", "new")
        self.assertEqual((said.code, said.out, said.err), (0, "", "new has no work yet\n"))
        said = self.space.command("diff", "nwe")
        self.assertEqual(said.code, 2)
        self.assertIn("did you mean 'new'", said.err)


if __name__ == "__main__":
    unittest.main()
