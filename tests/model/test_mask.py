"""Secrets in text: which variables count, in which spellings they are found, what stays."""

from __future__ import annotations

import json
import unittest

from core.model import mask
from core.model.mask import Mask, is_secret, whole_words

PEM = """\
-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
MIIEpAIBAAKCAQEA7bq98dPzX0hYVYr7Jm1x3Zb1Uu0f7fJkTqF1sV0lq1m6h2Zk
kZ9xYwq4WmQ0M1lT9w==
-----END RSA PRIVATE KEY-----"""

PGP = """\
-----BEGIN PGP PRIVATE KEY BLOCK-----
Version: GnuPG v2

lQOYBF1234567890abcdefghijkl
=abcd
-----END PGP PRIVATE KEY BLOCK-----"""


class Names(unittest.TestCase):
    def test_secret_variables_are_recognised_by_name_in_any_case(self) -> None:
        for name in (
            *("ANTHROPIC_API_KEY", "anthropic_api_key", "GITHUB_TOKEN", "CLIENT_SECRET"),
            *("PGPASSWORD", "DB_PASSWORD_OLD", "MYSQL_PASSWD", "AWS_SECRET_ACCESS_KEY"),
            *("GPG_PASSPHRASE", "SECRET_KEY_BASE", "TOKEN", "DB_PASS", "OPENAI_APIKEY"),
        ):
            with self.subTest(name):
                self.assertTrue(is_secret(name))

    def test_names_of_places_and_of_other_things_do_not_count(self) -> None:
        for name in (
            *("PATH", "HOME", "PWD", "KEYBOARD", "TOKENS", "CLAUDE_CODE_MAX_OUTPUT_TOKENS"),
            *("PASSWORD_STORE_DIR", "SSH_KEY_PATH", "SECRET_FILE", "MONKEY", ""),
        ):
            with self.subTest(name):
                self.assertFalse(is_secret(name))


class Values(unittest.TestCase):
    def test_a_secret_is_replaced_by_its_name_wherever_it_stands(self) -> None:
        masked = Mask({"API_KEY": "hunter2hunter2", "HOME": "/home/someone"})
        self.assertEqual(
            masked("x-api-key:hunter2hunter2, twice hunter2hunter2! /home/someone"),
            "x-api-key:[masked API_KEY], twice [masked API_KEY]! /home/someone",
        )

    def test_a_short_value_is_no_secret(self) -> None:
        text = "1 true 1234567 is what it says"
        environ = {"A_KEY": "1", "B_TOKEN": "true", "C_SECRET": "1234567", "D_KEY": " "}
        self.assertEqual(Mask(environ)(text), text)

    def test_it_is_found_as_json_spells_it(self) -> None:
        for secret in ('quo"te\\back/slash', "schlüssel-wörter", "tab\tin\tit/here"):
            masked = Mask({"API_KEY": secret})
            for ascii in (True, False):
                spelled = json.dumps({"it": secret}, ensure_ascii=ascii)
                for text in (spelled, spelled.replace("/", "\\/")):
                    with self.subTest(text):
                        self.assertEqual(masked(text), '{"it": "[masked API_KEY]"}')

    def test_it_is_found_as_a_url_spells_it(self) -> None:
        masked = Mask({"API_KEY": "p@ss/wörd+1"})
        self.assertEqual(masked("?key=p%40ss%2Fw%C3%B6rd%2B1&x"), "?key=[masked API_KEY]&x")

    def test_the_password_in_the_url_of_a_variable_is_one_wherever_it_stands(self) -> None:
        urls = "postgres://me:hunter2hunter2@db/x, redis://:hunter3hunter3@cache"
        masked = Mask({"SERVICES": urls, "HOME_PAGE": "https://example.com:8080/a@b"})
        self.assertEqual(
            masked("hunter2hunter2 hunter3hunter3 8080/a"),
            "[masked SERVICES] [masked SERVICES] 8080/a",
        )

    def test_each_line_of_a_multiline_value_is_a_secret(self) -> None:
        masked = Mask({"DEPLOY_KEY": "abcdefghijklmnop\n  short\nqrstuvwxyz0123456\n"})
        self.assertEqual(
            masked("abcdefghijklmnop qrstuvwxyz0123456 short"),
            "[masked DEPLOY_KEY] [masked DEPLOY_KEY] short",
        )

    def test_a_value_of_short_lines_is_found_as_a_whole(self) -> None:
        masked = Mask({"DEPLOY_KEY": "abcdefgh12\nijklmnop34\n"})
        text = "x abcdefgh12\nijklmnop34 y"
        self.assertEqual(masked(text), "x [masked DEPLOY_KEY] y")
        self.assertEqual(masked(json.dumps(text)), '"x [masked DEPLOY_KEY] y"')

    def test_a_secret_that_holds_another_one_is_masked_whole(self) -> None:
        masked = Mask({"A_KEY": "middle-part", "B_KEY": "begin-middle-part-end"})
        self.assertEqual(masked("begin-middle-part-end"), "[masked B_KEY]")

    def test_a_number_is_masked_as_a_word_and_not_as_a_figure_of_a_document(self) -> None:
        masked = Mask({"PIN_PASSWORD": "20260102"})
        self.assertEqual(
            masked("pin=20260102, 20260102T1430"), "pin=[masked PIN_PASSWORD], 20260102T1430"
        )
        document = json.dumps({"wall_ms": 20260102, "said": "20260102", "x": '{"a": 20260102}'})
        found = json.loads(masked(document))
        self.assertEqual(found["wall_ms"], 20260102)
        self.assertEqual(found["said"], "[masked PIN_PASSWORD]")
        self.assertNotIn("20260102", found["x"])

    def test_a_name_with_odd_characters_leaves_json_whole(self) -> None:
        masked = Mask({'a"\\b_KEY': "hunter2hunter2"})
        self.assertEqual(json.loads(masked('"hunter2hunter2"')), "[masked a__b_KEY]")

    def test_further_variables_can_be_learnt(self) -> None:
        masked = Mask({})
        masked.learn({"GITHUB_TOKEN": "hunter2hunter2"})
        self.assertEqual(masked("hunter2hunter2"), "[masked GITHUB_TOKEN]")

    def test_a_secret_that_a_command_names_is_known_from_then_on(self) -> None:
        masked = Mask({})
        for line in ("A_TOKEN=hunter2hunter2;./x", "./x --token='hunter3&hunter3'", "true"):
            masked.learn_named(line)
        self.assertEqual(masked("hunter2hunter2"), "[masked A_TOKEN]")
        self.assertEqual(masked("hunter3&hunter3"), "[masked SECRET]")


class Shapes(unittest.TestCase):
    def test_well_known_keys_are_recognised_by_their_form(self) -> None:
        for text, expected in {
            "key sk-ant-api03-AbC_dEf-123456, next": "key [masked Anthropic key], next",
            "ghp_" + "a1B2" * 9: "[masked GitHub token]",
            "github_pat_" + "a1_B2" * 9: "[masked GitHub token]",
            "id=AKIAIOSFODNN7EXAMPLE.": "id=[masked AWS key].",
            "xoxb-123456789012-abcdef": "[masked Slack token]",
            "https://me:hunter2@example.com/x": "https://me:[masked password]@example.com/x",
            f"a\n{PEM}\nb": "a\n[masked private key]\nb",
            f"a\n{PGP}\nb": "a\n[masked private key]\nb",
            json.dumps(f"{PGP}\nb"): '"[masked private key]\\nb"',
            f"https://{'aB1' * 9}@example.com/x": "https://[masked token]@example.com/x",
            json.dumps(f"{PEM}\nb"): '"[masked private key]\\nb"',
            "DB_PASSWORD=hunter2hunter2 ./check": "DB_PASSWORD=[masked DB_PASSWORD] ./check",
            "env: A_TOKEN='hunter2hunter2'": "env: A_TOKEN='[masked A_TOKEN]'",
            "./up --api-key=hunter2hunter2 x": "./up --api-key=[masked api-key] x",
            './up --db-password "hunter2hunter2"': './up --db-password "[masked password]"',
            "curl -H 'Authorization: Bearer abcdefgh12' x": (
                "curl -H 'Authorization: Bearer [masked header]' x"
            ),
            "X-Api-Key: abcdefgh12": "X-Api-Key: [masked header]",
            PEM.rsplit("\n", 1)[0] + " and more": "[masked private key] and more",
        }.items():
            with self.subTest(text):
                self.assertEqual(Mask({})(text), expected)

    def test_an_option_is_recognised_by_each_of_its_names(self) -> None:
        for name in ("token", "password", "passwd", "secret", "api-key", "apikey"):
            for end in "= ":
                text = f"curl --my-{name}{end}abcdefgh1234 x"
                self.assertEqual(Mask({})(text), f"curl --my-{name}{end}[masked {name}] x")

    def test_text_that_only_resembles_an_escape_stays(self) -> None:
        for text in (
            *("sk-ant-", "task-antelope", "ghp_short", "AKIA", "XAKIAIOSFODNN7EXAMPLE9", "xoxo"),
            *("https://example.com:8080/a@b", "git@github.com:a/b", "BEGIN PRIVATE KEY-----"),
            "https://github.com/a/b and me@example.com",
            "https://me@example.com/x",
            *(
                "token=hunter2hunter2",
                "A_TOKEN=$OTHER_TOKEN ./x",
                "A_KEY=short",
                "A_KEY_FILE=/a/b/c/d",
            ),
            *("SECRET_PATH=/run/secrets/a", "--password-file /a/b/c/d", "--token $TOKEN_OF_MINE"),
            *(
                "API_KEY=[masked API_KEY]",
                "A_KEY='[masked]'",
                "authorization: none",
                "MONKEY=bananabanana",
            ),
        ):
            with self.subTest(text):
                self.assertEqual(Mask({})(text), text)


class Trees(unittest.TestCase):
    def test_every_text_in_a_value_is_masked_and_nothing_else_changes(self) -> None:
        masked = Mask({"API_KEY": "hunter2hunter2"})
        value = {"a": ["hunter2hunter2", 1, None], "hunter2hunter2": {"b": True, "c": 0.5}}
        expected = {"a": ["[masked API_KEY]", 1, None], "[masked API_KEY]": {"b": True, "c": 0.5}}
        self.assertEqual(masked.tree(value), expected)

    def test_the_deepest_nesting_is_survived(self) -> None:
        value: object = "hunter2hunter2"
        for _ in range(mask.DEEPEST * 100):
            value = [value]
        found = Mask({"API_KEY": "hunter2hunter2"}).tree(value)
        self.assertEqual(str(found), "[" * 51 + "'...'" + "]" * 51)


class Cuts(unittest.TestCase):
    def test_half_a_word_at_a_cut_goes(self) -> None:
        self.assertEqual(whole_words("cret of mine"), " of mine")
        self.assertEqual(whole_words(" of mine"), " of mine")
        self.assertEqual(whole_words("x" * 5000), "x" * (5000 - mask.LONGEST))


if __name__ == "__main__":
    unittest.main()
