"""What is ours is for the user alone, and nothing is written through a link that came along."""

from __future__ import annotations

import os
import stat
import tempfile
import unittest

from core.journal import private_files
from core.journal.control import Requests
from core.journal.journal import Journal
from core.model.control_action import ControlAction
from core.model.errors import StateError, UserError
from core.worktree.secret_copies import SecretCopies
from tests.support.workspace import Workspace, feature


class OurOwn(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = os.path.realpath(folder.name)

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def test_missing_folders_are_made_private(self) -> None:
        private_files.make_folder(self.path("git", "state", "logs"), 2)
        private_files.make_folder(self.path("git", "state", "logs"), 2)
        modes = [
            stat.S_IMODE(os.stat(self.path("git", *names)).st_mode)
            for names in (("state",), ("state", "logs"))
        ]
        self.assertEqual(modes, [0o700, 0o700])
        os.close(private_files.open_file(self.path("file"), os.O_WRONLY))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("file")).st_mode), 0o600)

    def test_a_link_is_not_followed(self) -> None:
        os.mkdir(self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), self.path("state"))
        os.symlink(self.path("elsewhere", "file"), self.path("file"))
        for write in (
            lambda: private_files.make_folder(self.path("state")),
            lambda: private_files.make_folder(self.path("state", "logs"), 2),
            lambda: private_files.open_file(self.path("file"), os.O_WRONLY),
        ):
            with self.assertRaisesRegex(OSError, "it is a symbolic link"):
                write()
        self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_other_faults_are_reported_unchanged(self) -> None:
        os.close(private_files.open_file(self.path("file"), os.O_WRONLY))
        with self.assertRaises(FileExistsError):
            private_files.make_folder(self.path("file"))
        with self.assertRaises(NotADirectoryError):
            private_files.open_file(self.path("file", "x"), os.O_WRONLY)

    def test_each_secret_file_is_put_aside_in_a_folder_of_its_own(self) -> None:
        os.makedirs(self.path("tree", "sub"))
        for name in (".env", "sub/a.key"):
            with open(self.path("tree", name), "w", encoding="utf-8") as file:
                file.write(name)
        os.symlink("nowhere", self.path("tree", ".env.local"))
        for number in ("", ".2"):
            aside = SecretCopies(self.root, "auth", "run")
            self.assertEqual(aside.folder, "")
            aside.put(self.path("tree"), [".env", "sub/a.key", ".env.local"])
            self.assertEqual(aside.folder, self.path(f"rorchestrator/aside/auth/run{number}"))
            self.assertEqual(os.readlink(os.path.join(aside.folder, ".env.local")), "nowhere")
            mode = os.stat(os.path.join(aside.folder, "sub", "a.key")).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600)
        with self.assertRaisesRegex(UserError, "gone in .* could not be copied: No such file"):
            aside.put(self.path("tree"), ["gone"])


class LinksThatCameAlong(unittest.TestCase):
    """An archive, whose ``.git`` and whose files hold links to a folder of the user's."""

    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.theirs = os.path.join(self.space.root, "theirs")
        os.mkdir(self.theirs)
        self.file = os.path.join(self.theirs, "file")

    def link(self, *parts: str, to: str = "") -> None:
        path = os.path.join(self.space.path, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(to or self.theirs, path)

    def assert_refused(self, *words: str, naming: str, code: int = 2) -> None:
        said = self.space.main(*words)
        self.assertEqual(said.code, code, said)
        self.assertIn(naming, said.err)
        self.assertEqual(os.listdir(self.theirs), [])

    def test_the_state_folder(self) -> None:
        self.link(".git", "rorchestrator")
        for words in (("run", "--yes"), ("merge",), ("cleanup", "--all"), ("skip", "auth")):
            self.assert_refused(*words, naming="it is a symbolic link")
        said = self.space.main("merge")
        self.assertIn("next: remove the link ", said.err)

    def test_neither_marks_nor_requests_go_through_it(self) -> None:
        self.link(".git", "rorchestrator")
        requests = Requests(self.space.state_folder)
        for write in (
            lambda: self.space.finished("auth"),
            lambda: requests.leave("run", ControlAction.STOP),
        ):
            with self.assertRaisesRegex(StateError, "it is a symbolic link"):
                write()
        self.assertEqual(os.listdir(self.theirs), [])

    def test_no_file_is_removed_through_a_folder_of_requests_that_is_one(self) -> None:
        self.space.write({"id_rsa": "a key"}, at=self.theirs)
        self.link(".git", "rorchestrator", "requests")
        self.assertEqual(self.space.main("run", "--yes").code, 0)
        self.assertEqual(os.listdir(self.theirs), ["id_rsa"])

    def test_nobody_waits_at_a_pipe_in_the_place_of_a_file(self) -> None:
        self.assertEqual(self.space.main("run", "--yes").code, 0)
        (run,) = os.listdir(os.path.join(self.space.state_folder, "logs"))
        self.assertEqual(self.said_of_a_pipe("lock", "status"), "")
        for name, words in {
            f"logs/{run}/auth.1.stderr": (),
            f"logs/{run}/auth.1.jsonl": ("logs", "auth"),
            "journal.jsonl": ("status",),
        }.items():
            said = self.said_of_a_pipe(name, *(words or ("logs", "auth")))
            self.assertEqual("it is not a regular file" in said, bool(words), said)
        with self.assertRaises(OSError):
            private_files.open_file(os.path.join(self.space.state_folder, "lock"), os.O_WRONLY)

    def said_of_a_pipe(self, name: str, *words: str) -> str:
        """What a command complains of where a file of the state folder is a pipe."""
        path = os.path.join(self.space.state_folder, name)
        if os.path.exists(path):
            os.unlink(path)
        os.mkfifo(path)
        return self.space.main(*words).err

    def test_files_and_folders_in_it(self) -> None:
        for name in ("lock", "journal.jsonl"):
            self.link(".git", "rorchestrator", name, to=self.file)
            self.assert_refused("run", "--yes", naming="it is a symbolic link")
            os.unlink(os.path.join(self.space.state_folder, name))
        self.link(".git", "rorchestrator", "logs")
        said = self.space.main("run", "--yes")
        self.assertIn("it is a symbolic link", said.out + said.err)
        self.assertEqual(os.listdir(self.theirs), [])

    def test_the_folder_of_the_worktrees(self) -> None:
        self.space.change(worktrees_path="wt/trees")
        self.link("wt")
        for words in (("plan",), ("run", "--yes")):
            self.assert_refused(*words, naming="a link in the repository leads to ")

    def test_the_folder_of_the_reports(self) -> None:
        self.link("reports")
        for words in (("plan",), ("run", "--yes")):
            self.assert_refused(*words, naming="reports is a link; reports are not")

    def test_files_in_the_folder_of_the_reports(self) -> None:
        self.link("reports", ".gitignore", to=self.file)
        self.assertEqual(self.space.main("run", "--yes").code, 0)
        self.assertEqual(os.listdir(self.theirs), [])
        self.assertEqual(len(os.listdir(os.path.join(self.space.path, "reports"))), 8)

    def test_a_latest_report_that_is_a_link_is_replaced(self) -> None:
        self.link("reports", "latest.html", to=self.file)
        self.assertEqual(self.space.main("run", "--yes").code, 0)
        self.assertEqual(os.listdir(self.theirs), [])
        self.assertFalse(os.path.islink(os.path.join(self.space.path, "reports", "latest.html")))

    def test_a_report_folder_replaced_by_a_link_during_the_run_is_refused(self) -> None:
        place = os.path.join(self.space.path, "reports")
        link = {"bash": f"ln -s {self.theirs} {place}"}
        self.space.change([feature("auth", link, {"write": "a"})])
        self.assert_refused("run", "--yes", naming="reports could not be written to", code=1)


class WhatLooksSecret(unittest.TestCase):
    """A worktree whose new files no ref may hold."""

    FILES = (".env", "keys/id_rsa", "ignored/a.pem")

    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.space.commit({".gitignore": "ignored\n", ".env.test": "old\n"}, "ignore")
        self.space.finished("auth")
        self.there = self.space.worktree("auth")
        self.space.write({name: f"{name}\n" for name in (*self.FILES, "work.txt")}, at=self.there)

    def assert_aside(self, folder: str) -> None:
        for name in self.FILES:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), f"{name}\n")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def files_of_kept(self) -> set[str]:
        refs = self.space.git("for-each-ref", "--format=%(refname)", "refs/rorchestrator/kept")
        return {name for ref in refs.split() for name in self.space.files(ref)}

    def test_cleanup_puts_it_aside_and_into_no_ref(self) -> None:
        self.space.git("add", ".env", at=self.there)
        self.space.write({".env": ".env\n", ".env.test": "tracked, and changed\n"}, at=self.there)
        said = self.space.main("cleanup", "auth", "--discard")
        self.assertEqual(said.code, 0, said)
        (line,) = [line for line in said.out.splitlines() if "put aside" in line]
        self.assert_aside(line.partition("looks secret: ")[2])
        kept = self.files_of_kept()
        self.assertEqual(kept & {*self.FILES, "work.txt", ".env.test"}, {"work.txt", ".env.test"})
        self.assertFalse(os.path.exists(self.there))
        blob = self.space.git("hash-object", "--stdin", stdin=b"keys/id_rsa\n")
        self.space.git("cat-file", "-e", blob, fails=True)

    def test_a_secret_is_put_aside_even_if_nothing_else_would_be_lost(self) -> None:
        os.unlink(os.path.join(self.there, "work.txt"))
        self.space.git("merge", "-q", "feature/auth")
        (done,) = self.space.main("cleanup", "auth", "--discard", "--json").json
        self.assertEqual(self.files_of_kept() & {*self.FILES}, set())
        self.assert_aside(done["aside"])

    def test_a_new_start_puts_it_aside_as_well(self) -> None:
        self.assertEqual(self.space.main("run", "--yes", "--fresh").code, 0)
        (note,) = [
            text
            for event in Journal(self.space.state_folder).read()
            if "looks secret" in (text := str(event.data.get("text", "")))
        ]
        self.assert_aside(note.partition("put aside in ")[2])
        self.assertEqual(self.files_of_kept() & {*self.FILES, "work.txt"}, {"work.txt"})

    def test_a_worktree_stays_if_its_secret_file_cannot_be_put_aside(self) -> None:
        os.symlink(self.space.root, os.path.join(self.space.state_folder, "aside"))
        said = self.space.main("cleanup", "auth", "--discard")
        self.assertEqual(said.code, 1)
        self.assertIn(
            "looks like a secret and could not be copied: it is a symbolic link", said.out
        )
        self.assertTrue(os.path.exists(os.path.join(self.there, ".env")))


if __name__ == "__main__":
    unittest.main()
