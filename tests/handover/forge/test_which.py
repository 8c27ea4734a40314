"""Which program a remote needs."""

from __future__ import annotations

from core.handover.forge.address import Address
from core.model.errors import UserError
from tests.support.forge_tests import ForgeTest
from tests.support.forges import put_program
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class WhichForgeTest(ForgeTest):
    def logged_in(self, **hosts: str) -> None:
        self.there.also("glab")
        self.there.set(logins={name: hosts.get(name, "").split() for name in ("gh", "glab")})

    def test_the_two_hosts_that_everybody_knows_need_no_question(self) -> None:
        self.assertEqual(self.forge_at("git@gitlab.com:a/b/shop.git").name, "gitlab")
        self.assertEqual(self.forge_at("https://github.com/acme/shop").name, "github")
        self.assertEqual(self.forge_at("https://acme.ghe.com/acme/shop").name, "github")
        self.assertEqual(self.there.calls(), [])

    def test_another_host_belongs_to_the_program_that_is_logged_in(self) -> None:
        url = "https://git.example.org/acme/shop"
        self.there.set(logins={"gh": ["git.example.org"], "glab": []})
        self.assertEqual(self.forge_at(url).name, "github")  # glab is not installed
        self.logged_in(gh="git.example.org")
        self.assertEqual(self.forge_at(url).name, "github")
        self.logged_in(glab="git.example.org")
        self.assertEqual(self.forge_at(url).name, "gitlab")

    def test_where_no_login_tells_it_the_name_of_the_host_does(self) -> None:
        self.logged_in()
        self.assertEqual(self.forge_at("https://gitlab.example.org/acme/shop").name, "gitlab")
        self.assertEqual(self.forge_at("https://github.example.org/acme/shop").name, "github")

    def test_where_nothing_tells_it_both_logins_are_named(self) -> None:
        self.logged_in()
        with self.assertRaises(UserError) as caught:
            self.forge_at("https://code.example.org/acme/shop")
        self.assertEqual(
            caught.exception.hint,
            "gh auth login --hostname code.example.org, or: "
            "glab auth login --hostname code.example.org",
        )

    def test_a_folder_is_no_forge_and_push_is_named(self) -> None:
        with self.assertRaises(UserError) as caught:
            self.forge_at("/srv/git/shop.git", "")
        self.assertIn("rorchestrator push", caught.exception.hint)

    def test_the_first_url_with_a_host_counts(self) -> None:
        forge = self.forge_at("/srv/mirror.git", "git@github.com:acme/shop.git")
        self.assertEqual(forge.address, Address("github.com", "acme/shop"))

    def test_an_alias_of_the_ssh_settings_is_looked_up(self) -> None:
        folder = self.repository.root + "/bin"
        said = "printf 'user git\\nhostname github.com\\n'"
        put_program(folder, "ssh", f'#!/bin/sh\n[ "$*" = "-G -- work" ] && {said}\n')
        self.assertEqual(self.forge_at("git@work:acme/shop.git").address.host, "github.com")
        self.logged_in(gh="other")
        self.assertEqual(self.forge_at("git@other:acme/shop.git").address.host, "other")
