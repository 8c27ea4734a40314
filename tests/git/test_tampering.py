"""Changes to hooks and settings that git executes, in real repositories."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Callable
from unittest import mock

from core.git import file_stamps, tampering
from core.git.door import Git
from core.git.opening import open_repository
from core.git.tampering import EXECUTES, ExecutableFingerprint, Tampered, take_fingerprint
from core.process.spawner import Spawner, run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class Counting(Spawner):
    """Counts the commands."""

    count = 0

    async def run(self, *words: object, **options: object):  # type: ignore[no-untyped-def, override]
        self.count += 1
        return await super().run(*words, **options)  # type: ignore[arg-type]


class SealTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.spawner = Counting()
        self.git: Git = run_sync(
            open_repository(self.spawner, self.repository.path, self.repository.environ)
        )

    def path(self, *parts: str) -> str:
        return os.path.join(self.repository.path, ".git", *parts)

    def write(self, name: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def sealed(self) -> ExecutableFingerprint:
        return run_sync(take_fingerprint(self.git))

    def complaint(self, sealed: ExecutableFingerprint) -> str:
        """What was told, less what is always the same; empty where all is well."""
        try:
            run_sync(sealed.check(self.git))
        except Tampered as error:
            self.assertIn("Inspect and revert it, then run again", error.hint)
            return error.message.partition("were changed: ")[2]
        return ""


class Hooks(SealTest):
    def test_changes_of_hooks_are_named(self) -> None:
        cases: dict[str, Callable[[], object]] = {
            ".git/hooks/pre-push was added": lambda: self.write("hooks/pre-push"),
            ".git/hooks/pre-commit was changed": lambda: self.write("hooks/pre-commit", "x"),
            ".git/hooks/post-commit was removed": lambda: os.unlink(self.path("hooks/post-commit")),
            ".git/hooks/pre-rebase was changed": lambda: os.chmod(
                self.path("hooks/pre-rebase"), 0o644
            ),
            ".git/hooks/linked was changed": lambda: self.write("elsewhere", "more"),
        }
        for name in ("pre-commit", "post-commit", "pre-rebase"):
            self.write(f"hooks/{name}")
        os.symlink(self.write("elsewhere"), self.path("hooks/linked"))
        for expected, change in cases.items():
            with self.subTest(expected):
                sealed = self.sealed()
                self.assertEqual(self.complaint(sealed), "")
                change()
                self.assertEqual(self.complaint(sealed), expected)
                self.assertEqual(self.complaint(sealed), expected)  # still, and not only once

    def test_several_changes_are_all_named(self) -> None:
        sealed = self.sealed()
        self.write("hooks/a")
        self.write("hooks/b")
        self.assertEqual(self.complaint(sealed), ".git/hooks/a was added; .git/hooks/b was added")

    def test_samples_and_a_hook_written_anew_as_it_was_are_no_change(self) -> None:
        path = self.write("hooks/pre-commit")
        sealed = self.sealed()
        self.write("hooks/pre-commit.sample")
        os.unlink(path)
        self.write("hooks/pre-commit")
        self.assertEqual(self.complaint(sealed), "")

    def test_a_hook_that_is_no_file_blocks_nobody(self) -> None:
        os.makedirs(self.path("hooks"), exist_ok=True)
        os.mkfifo(self.path("hooks/pre-commit"))
        os.symlink("nowhere", self.path("hooks/pre-push"))
        sealed = self.sealed()
        self.assertEqual(self.complaint(sealed), "")
        os.mkfifo(self.path("hooks/post-commit"))
        self.assertEqual(self.complaint(sealed), ".git/hooks/post-commit was added")

    def test_a_folder_of_hooks_elsewhere_is_watched_too(self) -> None:
        folder = os.path.join(self.repository.root, "hooks")
        os.mkdir(folder)
        self.repository.git("config", "core.hooksPath", folder)
        sealed = self.sealed()
        with open(os.path.join(folder, "pre-commit"), "w", encoding="utf-8"):
            pass
        self.assertEqual(self.complaint(sealed), f"{folder}/pre-commit was added")

    def test_hooks_that_each_worktree_has_its_own_of_are_not_watched(self) -> None:
        self.repository.git("config", "core.hooksPath", ".husky")
        sealed = self.sealed()
        self.repository.write({".husky/pre-commit": "#!/bin/sh\n"})
        self.assertEqual(self.complaint(sealed), "")


class Settings(SealTest):
    def test_a_setting_that_runs_a_program_is_named_and_its_value_is_not(self) -> None:
        sealed = self.sealed()
        self.repository.git("config", "filter.x.clean", "sh -c 'secret'")
        self.assertEqual(self.complaint(sealed), "filter.x.clean in .git/config was added")

    def test_a_change_and_a_removal_are_distinguished(self) -> None:
        self.repository.git("config", "core.fsmonitor", "good")
        self.repository.git("config", "alias.st", "status")
        sealed = self.sealed()
        self.repository.git("config", "core.fsmonitor", "evil")
        self.repository.git("config", "--unset", "alias.st")
        self.assertEqual(
            self.complaint(sealed),
            "alias.st in .git/config was removed; core.fsmonitor in .git/config was changed",
        )

    def test_a_second_value_of_the_same_key_is_a_change(self) -> None:
        self.repository.git("config", "credential.helper", "good")
        sealed = self.sealed()
        self.repository.git("config", "--add", "credential.helper", "!evil")
        self.assertIn("credential.helper", self.complaint(sealed))

    def test_settings_that_run_nothing_may_change_and_git_is_asked_once(self) -> None:
        sealed = self.sealed()
        self.repository.git("config", "user.name", "Somebody")
        self.repository.git("remote", "add", "origin", "https://example.com/x.git")
        self.repository.git("config", "branch.main.remote", "origin")
        self.assertEqual(self.complaint(sealed), "")
        asked = self.spawner.count
        self.assertEqual(self.complaint(sealed), "")
        self.assertEqual(self.spawner.count, asked)

    def test_as_long_as_no_file_changes_git_is_not_asked(self) -> None:
        sealed = self.sealed()
        asked = self.spawner.count
        for _ in range(3):
            self.assertEqual(self.complaint(sealed), "")
        self.assertEqual(self.spawner.count, asked)

    def test_settings_are_read_once_unless_a_change_might_not_show(self) -> None:
        cases = {  # what is appended to the file first, the time it must have been left alone
            "once": ("", -1, 1),
            "the file was written just now": ("", 10**18, 2),
            "it includes another one": ("[include]\n\tpath = more\n", -1, 2),
        }
        for name, (text, settled, expected) in cases.items():
            with self.subTest(name), mock.patch.object(file_stamps, "SETTLED_NS", settled):
                self.write("config", text, 0o644)
                self.git.config_files.clear()
                self.spawner.count = 0
                found = [run_sync(tampering.shared_settings(self.git)) for _ in range(2)]
                self.assertEqual(found[0], found[1])
                self.assertEqual(self.spawner.count, expected)
        self.repository.git("config", "user.name", "Else")
        self.assertEqual(run_sync(tampering.shared_settings(self.git))["user.name"], "Else")

    def test_an_included_file_is_watched_also_where_it_lies_elsewhere(self) -> None:
        included = os.path.join(self.repository.root, "shared.gitconfig")
        with open(included, "w", encoding="utf-8") as file:
            file.write("[user]\n\tname = x\n")
        self.repository.git("config", "include.path", "../../shared.gitconfig")
        sealed = self.sealed()
        self.assertEqual(self.complaint(sealed), "")
        with open(included, "a", encoding="utf-8") as file:
            file.write("[diff]\n\texternal = evil\n")
        self.assertEqual(self.complaint(sealed), f"diff.external in {included} was added")

    def test_a_file_that_git_can_no_longer_read_is_reported(self) -> None:
        sealed = self.sealed()
        self.write("config.worktree", "[broken\n", 0o644)
        self.assertEqual(
            self.complaint(sealed), "a line that git cannot read in .git/config.worktree was added"
        )

    def test_the_settings_of_a_worktree_are_watched_from_when_it_is_there(self) -> None:
        sealed = self.sealed()
        own = self.write("worktrees/auth/config.worktree", "[alias]\n\tx = y\n", 0o644)
        run_sync(sealed.watch(self.git, own))
        self.assertEqual(self.complaint(sealed), "")
        self.write("worktrees/auth/config.worktree", '[filter "x"]\n\tsmudge = evil\n', 0o644)
        name = "filter.x.smudge in .git/worktrees/auth/config.worktree was added"
        self.assertEqual(self.complaint(sealed), name)

    def test_a_worktree_that_had_no_settings_is_looked_at_again_once_it_gets_some(self) -> None:
        sealed = self.sealed()
        head = self.write("worktrees/auth/HEAD", "", 0o644)
        run_sync(sealed.watch(self.git, self.path("worktrees/auth/config.worktree")))
        os.utime(os.path.dirname(head), (0, 0))
        with mock.patch.object(file_stamps, "SETTLED_NS", -1):
            self.assertEqual(self.complaint(sealed), "")
            for soon in (float("inf"), 0.0):
                sealed._next_look = soon
                with mock.patch.object(os.path, "lexists", side_effect=AssertionError):
                    self.assertEqual(self.complaint(sealed), "")
        sealed._next_look = 0.0
        self.write("worktrees/auth/config.worktree", "[alias]\n\tx = y\n", 0o644)
        name = "alias.x in .git/worktrees/auth/config.worktree was added"
        self.assertEqual(self.complaint(sealed), name)

    def test_a_worktree_where_somebody_worked_is_looked_at_however_recent_the_last_look_is(
        self,
    ) -> None:
        sealed = self.sealed()
        admin = os.path.dirname(self.write("worktrees/auth/HEAD", "", 0o644))
        run_sync(sealed.watch(self.git, self.path("worktrees/auth/config.worktree")))
        with mock.patch.object(file_stamps, "SETTLED_NS", -1):
            self.assertEqual(self.complaint(sealed), "")
        sealed._next_look = float("inf")
        self.write("worktrees/auth/config.worktree", "[alias]\n\tx = y\n", 0o644)
        self.assertEqual(self.complaint(sealed), "")
        sealed.doubt(admin)
        name = "alias.x in .git/worktrees/auth/config.worktree was added"
        self.assertEqual(self.complaint(sealed), name)

    def test_changes_from_before_a_worktree_was_watched_are_found(self) -> None:
        sealed = self.sealed()
        self.write("hooks/pre-commit")
        self.repository.git("config", "alias.x", "!evil")
        run_sync(sealed.watch(self.git, self.path("worktrees/auth/config.worktree")))
        self.assertEqual(
            self.complaint(sealed),
            ".git/hooks/pre-commit was added; alias.x in .git/config was added",
        )


class Submodules(SealTest):
    """git runs hooks and filters of theirs as well."""

    def module(self, *parts: str) -> str:
        """Make what git keeps of a submodule; its folder in the git folder."""
        folder = os.path.join(*parts)
        self.write(os.path.join(folder, "HEAD"), "ref: refs/heads/main\n", 0o644)
        self.write(os.path.join(folder, "config"), "[core]\n\tworktree = ../x\n", 0o644)
        return folder

    def test_hooks_and_settings_below_modules_are_watched_also_of_nested_ones(self) -> None:
        one, named = self.module("modules", "one"), self.module("modules", "libs", "two")
        nested = self.module(one, "modules", "three")
        os.symlink(self.path("modules"), self.path(one, "modules", "loop"))
        cases = {
            f".git/{one}/hooks/post-checkout was added": lambda: self.write(
                f"{one}/hooks/post-checkout"
            ),
            f"filter.x.clean in .git/{named}/config was added": lambda: self.write(
                f"{named}/config", '[filter "x"]\n\tclean = evil\n'
            ),
            f"core.fsmonitor in .git/{nested}/config.worktree was added": lambda: self.write(
                f"{nested}/config.worktree", "[core]\n\tfsmonitor = evil\n"
            ),
            f"core.worktree in .git/{one}/config was changed": lambda: self.write(
                f"{one}/config", "[core]\n\tworktree = /home\n"
            ),
        }
        for expected, change in cases.items():
            with self.subTest(expected):
                sealed = self.sealed()
                self.assertEqual(self.complaint(sealed), "")
                change()
                self.assertEqual(self.complaint(sealed), expected)

    def test_a_submodule_added_by_the_user_is_no_change_but_its_hooks_are(self) -> None:
        sealed = self.sealed()
        new = self.module("modules", "new")
        self.assertEqual(self.complaint(sealed), "")
        self.write(f"{new}/hooks/post-merge")
        self.assertEqual(self.complaint(sealed), f".git/{new}/hooks/post-merge was added")

    def test_a_submodule_may_move_inside_its_checkout(self) -> None:
        self.write("worktrees/mine/gitdir", f"{self.path('..', 'mine', '.git')}\n", 0o644)
        self.write("worktrees/mine/config.worktree", "", 0o644)
        cases = [
            (("modules", "one"), "../../../moved", ""),
            (("modules", "two"), "../../../../moved", "changed"),
            (("worktrees", "mine", "modules", "three"), "../../../../../mine/lib", ""),
            (("worktrees", "mine", "modules", "four"), "../../../../../lib", "changed"),
        ]
        modules = [self.module(*parts) for parts, _, _ in cases]
        self.write("worktrees/mine/config.worktree", "[core]\n\tworktree = ../../x\n", 0o644)
        for module, (_, place, expected) in zip(modules, cases):
            with self.subTest(module):
                sealed = self.sealed()
                self.write(f"{module}/config", f"[core]\n\tworktree = {place}\n", 0o644)
                self.assertEqual(bool(self.complaint(sealed)), bool(expected))
        sealed = self.sealed()
        own = "worktrees/mine/config.worktree"
        self.write(own, "[core]\n\tworktree = ../../../../mine/lib\n", 0o644)
        self.assertEqual(self.complaint(sealed), f"core.worktree in .git/{own} was changed")

    def test_a_worktree_that_comes_while_somebody_looks_is_no_change(self) -> None:
        sealed = self.sealed()
        self.module("worktrees", "auth", "modules", "one")
        self.write("config", "[user]\n\tname = x\n", 0o644)
        entries, come = tampering._entries, [self.path("worktrees/auth/config.worktree")]

        async def meanwhile(git: Git, file: str) -> list[tuple[str, str, str]]:
            found = await entries(git, file)
            while come:
                await sealed.watch(git, come.pop())
            return found

        with mock.patch.object(tampering, "_entries", meanwhile):
            self.assertEqual(self.complaint(sealed), "")

    def test_a_submodule_removed_completely_is_no_change(self) -> None:
        own = self.write("worktrees/mine/config.worktree", "[core]\n\tpager = x\n", 0o644)
        gone = self.module("modules", "gone")
        self.write(f"{gone}/hooks/pre-commit")
        sealed = self.sealed()
        for folder in (os.path.dirname(own), self.path(gone)):
            shutil.rmtree(folder)
        self.assertEqual(self.complaint(sealed), "")

    def test_submodules_of_worktrees_are_watched_both_the_users_and_ours(self) -> None:
        mine = self.module("worktrees", "mine", "modules", "one")
        sealed = self.sealed()
        ours = self.module("worktrees", "auth", "modules", "one")
        self.assertEqual(self.complaint(sealed), "")
        self.write(f"{ours}/hooks/pre-push")
        run_sync(sealed.watch(self.git, self.path("worktrees/auth/config.worktree")))
        self.assertEqual(self.complaint(sealed), "")
        self.write(f"{ours}/config", "[alias]\n\tx = !evil\n")
        self.assertEqual(self.complaint(sealed), f"alias.x in .git/{ours}/config was added")
        self.write("worktrees/mine/config.worktree", "[man]\n\tviewer = evil\n", 0o644)
        self.write(f"{mine}/hooks/pre-push")
        self.assertEqual(len(self.complaint(sealed).split("; ")), 3)


class Keys(unittest.TestCase):
    def test_every_key_that_runs_something_is_known_and_others_are_not(self) -> None:
        for key in (
            *("core.fsmonitor", "core.hookspath", "core.sshcommand", "core.pager", "core.editor"),
            *("core.askpass", "core.gitproxy", "core.worktree", "sequence.editor", "pager.log"),
            *("filter.lfs.process", "diff.external", "diff.x.command", "diff.x.textconv"),
            *("merge.x.driver", "alias.st", "gpg.program", "gpg.ssh.defaultkeycommand"),
            *("credential.helper", "credential.https://x.helper", "include.path"),
            *("includeif.gitdir:x.path", "protocol.ext.allow", "url.x.insteadof"),
            *("remote.o.uploadpack", "remote.o.receivepack", "remote.o.vcs", "remote.o.proxy"),
            *("submodule.x.update", "interactive.difffilter", "uploadpack.packobjectshook"),
            *("trailer.x.cmd", "trailer.x.command", "mergetool.x.cmd", "extensions.worktreeconfig"),
            *("gc.recentobjectshook", "mergetool.x.path", "difftool.x.path", "difftool.x.cmd"),
            *("merge.tool", "diff.guitool", "guitool.x.cmd", "browser.x.path", "man.viewer"),
            *("web.browser", "help.browser", "instaweb.httpd", "instaweb.modulepath"),
            *("sendemail.smtpserver", "sendemail.tocmd", "sendemail.sendmailcmd", "imap.tunnel"),
            *("hook.x.command", "hook.x.event", "init.templatedir", "core.attributesfile"),
            *("lfs.customtransfer.x.path", "lfs.extension.x.clean", "svn.authorsprog"),
            *("lfs.standalonetransferagent", "tar.x.command", "core.virtualfilesystem"),
        ):
            self.assertTrue(EXECUTES.match(key), key)
        for key in (
            *("user.name", "branch.main.remote", "branch.main.merge", "remote.origin.url"),
            *("remote.origin.fetch", "core.bare", "core.autocrlf", "gc.auto", "commit.template"),
            *("lfs.repositoryformatversion", "merge.conflictstyle", "diff.renames", "help.format"),
        ):
            self.assertFalse(EXECUTES.match(key), key)


if __name__ == "__main__":
    unittest.main()
