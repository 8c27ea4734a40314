"""The host and the repository that a remote's URL names."""

from __future__ import annotations

import unittest

from core.handover.forge.address import Address, address_of

SHOP = Address("github.com", "acme/shop")

URLS = {
    "https://github.com/acme/shop.git": SHOP,
    "https://github.com/acme/shop": SHOP,
    "https://github.com/acme/shop/": SHOP,
    "https://x-access-token:s3cret@GitHub.com/acme/shop.git": SHOP,
    "git@github.com:acme/shop.git": SHOP,
    "github.com:acme/shop": SHOP,
    "ssh://git@github.com/acme/shop.git": SHOP,
    "ssh://git@ssh.github.com:443/acme/shop.git": SHOP,
    "git://github.com/acme/shop.git": SHOP,
    "git@work:acme/shop.git": Address("work", "acme/shop"),
    "https://gitlab.example.org:8443/a/b/c/shop.git": Address("gitlab.example.org", "a/b/c/shop"),
    "ssh://git@altssh.gitlab.com:443/acme/shop.git": Address("gitlab.com", "acme/shop"),
    "/srv/git/shop.git": None,
    "../shop.git": None,
    "file:///srv/git/shop.git": None,
    "https://github.com/": None,
    "https://github.com/acme": None,
    "": None,
}


class AddressTest(unittest.TestCase):
    def test_every_form_of_a_url_names_the_same_repository(self) -> None:
        for url, expected in URLS.items():
            with self.subTest(url):
                self.assertEqual(address_of(url), expected)

    def test_an_owner_may_be_a_group_of_groups(self) -> None:
        self.assertEqual(Address("gitlab.com", "a/b/shop").owner, "a/b")
