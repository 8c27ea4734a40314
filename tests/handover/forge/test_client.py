"""What is asked through ``gh`` and ``glab``, and what is said where they can't answer."""

from __future__ import annotations

import os
import tempfile
from unittest import TestCase

from core.handover.forge.client import GH, GLAB, Client, ForgeError
from core.model.errors import UserError
from core.process.spawner import Finished, Spawner, run_sync
from tests.support.forge_tests import ForgeTest


class ClientTest(ForgeTest):
    def test_a_program_that_is_missing_is_named_with_its_installation(self) -> None:
        self.only_with()
        client = Client(Spawner(), self.repository.environ, GH, "github.com")
        with self.assertRaises(UserError) as caught:
            run_sync(client.api("repos/acme/shop/pulls"))
        self.assertEqual(
            caught.exception.message, "gh was not found; pull requests on github.com need it"
        )
        self.assertEqual(
            caught.exception.hint,
            "https://github.com/cli/cli#installation, or without GitHub: rorchestrator push",
        )

    def test_the_command_that_installs_it_is_that_of_the_system(self) -> None:
        folder = os.path.join(self.repository.root, "installers")
        os.mkdir(folder)
        commands = {
            "apk": ("sudo apk add github-cli", "sudo apk add glab"),
            "pacman": ("sudo pacman -S github-cli", "sudo pacman -S glab"),
            "apt-get": ("sudo apt-get install gh", "sudo apt-get install glab"),
            "brew": ("brew install gh", "brew install glab"),
        }
        for name, expected in commands.items():
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8"):
                os.chmod(path, 0o755)
            found = tuple(each.installation({"PATH": folder}) for each in (GH, GLAB))
            self.assertEqual(found, expected)
            os.unlink(path)

    def test_without_a_login_the_command_that_logs_in_is_named(self) -> None:
        self.there.set(logins={"gh": [], "glab": []})
        for program, host in ((GH, "github.com"), (GLAB, "git.example.org")):
            if program is GLAB:
                self.there.also("glab")
            client = Client(Spawner(), self.repository.environ, program, host)
            with self.subTest(program.name), self.assertRaises(ForgeError) as caught:
                run_sync(client.api("user"))
            self.assertEqual(caught.exception.message, f"{program.name} is not logged in on {host}")
            self.assertEqual(caught.exception.hint, f"{program.name} auth login --hostname {host}")

    def test_a_refusal_has_the_words_of_the_forge(self) -> None:
        with self.assertRaises(ForgeError) as caught:
            run_sync(self.forge.open("feature/auth", "trunk", "Auth", ""))
        self.assertEqual(
            caught.exception.message,
            "gh could not ask github.com: gh: Validation Failed (HTTP 422); base is invalid",
        )
        self.assertEqual(caught.exception.status, 422)

    def test_variables_that_would_mix_text_into_the_answers_are_left_out(self) -> None:
        client = Client(
            Spawner(), {"GH_DEBUG": "api", "GIT_DIR": "x", "GH_TOKEN": "t"}, GH, "github.com"
        )
        self.assertEqual(client.environ["GH_TOKEN"], "t")
        self.assertTrue({"GH_DEBUG", "GIT_DIR"}.isdisjoint(client.environ))
        self.assertEqual(client.environ["GH_PROMPT_DISABLED"], "1")

    def test_all_pages_of_a_list_are_one_list(self) -> None:
        client = self.client()
        run_sync(self.forge.open("feature/auth", "main", "Auth", ""))
        listed = run_sync(client.pages("repos/acme/shop/pulls"))
        self.assertEqual([each["number"] for each in listed if isinstance(each, dict)], [11])


class RefusalTest(TestCase):
    """Answers that no stand-in gives."""

    def refused(self, stdout: bytes, stderr: bytes, code: int = 1) -> ForgeError:
        return Client(Spawner(), {}, GLAB, "gitlab.com").refusal(Finished(code, stdout, stderr))

    def test_a_message_may_be_a_list_and_an_answer_no_json(self) -> None:
        start = "glab could not ask gitlab.com: "
        for stdout, stderr, said in (
            (b'{"message": ["taken"]}', b"glab: 409 Conflict (HTTP 409)", "HTTP 409); taken"),
            (b'{"errors": ["no", {"message": "never"}]}', b"glab: HTTP 400", "HTTP 400; no; never"),
            (b"<html>", b"", "exit 1"),
            (b"[]", b"cannot resolve gitlab.com", "cannot resolve gitlab.com"),
        ):
            with self.subTest(said):
                message = self.refused(stdout, stderr).message
                self.assertTrue(message.startswith(start))
                self.assertTrue(message.endswith(said), message)

    def test_pages_of_an_older_version_are_one_document_each(self) -> None:
        class Old(Spawner):
            async def run(self, *words: object, **options: object) -> Finished:  # type: ignore[override]
                return Finished(0, b'[1, 2]\n[3]{"number": 4} ', b"")

        client = Client(Old(), {"PATH": self.with_gh()}, GH, "github.com")
        self.assertEqual(run_sync(client.pages("x")), [1, 2, 3, {"number": 4}])

    def with_gh(self) -> str:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "gh")
        with open(path, "w", encoding="utf-8"):
            os.chmod(path, 0o755)
        return folder.name
