"""Claude's command line, environment and settings."""

from __future__ import annotations

import json
import unittest

from core.claude import command_line
from core.claude.permission_bypass import bypasses
from core.model.feature import (
    ALWAYS_DISALLOWED_TOOLS,
    NO_WORKTREES_BY_AGENTS,
    ClaudeOptions,
    Feature,
)
from core.model.frozen import replace
from core.model.list_commands import shell_command

DENIED = (
    "--disallowedTools=Bash(git stash:*),EnterWorktree,CronCreate,ScheduleWakeup"
    ",Agent(isolation:worktree),Workflow"
)
"""What no list can allow."""


SETTINGS = "--settings=" + json.dumps(
    {"hooks": {"WorktreeCreate": [{"hooks": [command_line.NO_WORKTREE_HOOK]}]}}
)


class CommandLine(unittest.TestCase):
    FEATURE = Feature("auth", "Sign-in")

    def _argv(
        self, options: ClaudeOptions, feature: Feature = FEATURE, *, resume: bool = False
    ) -> list[str]:
        return command_line.argv(options, feature, "5e55", resume=resume)

    def test_by_default_it_asks_for_the_stream_and_names_the_session(self) -> None:
        plain = ClaudeOptions(allowed_tools=("Read", "Bash(git add:*)"))
        self.assertEqual(
            self._argv(plain),
            [
                "claude",
                "-p",
                "--output-format=stream-json",
                "--verbose",
                "--strict-mcp-config",
                "--permission-mode=acceptEdits",
                "--allowedTools=Read,Bash(git add:*)",
                DENIED,
                "--session-id=5e55",
                SETTINGS,
            ],
        )

    def test_only_a_list_that_names_servers_gets_any(self) -> None:
        for given in ("--mcp-config=.mcp.json", "--mcp-config", "--strict-mcp-config"):
            argv = self._argv(ClaudeOptions(extra_args=(given,)))
            self.assertEqual(argv.count("--strict-mcp-config"), given == "--strict-mcp-config")

    def test_each_option_is_one_word_whatever_its_value_holds(self) -> None:
        options = ClaudeOptions(
            command=("npx", "my claude"),
            permission_mode="plan",
            allowed_tools=("Bash(npm run a, b)", "Read"),
            disallowed_tools=("WebFetch", "Bash(rm -rf /:*)"),
            model="opus",
            fallback_model="sonnet",
            max_turns=5,
            max_budget_usd=2.5,
            append_system_prompt="--be brief,\nplease",
            extra_args=("--add-dir=../a b",),
        )
        self.assertEqual(
            self._argv(options, resume=True),
            [
                "npx",
                "my claude",
                "-p",
                "--output-format=stream-json",
                "--verbose",
                "--strict-mcp-config",
                "--permission-mode=plan",
                "--allowedTools=Bash(npm run a, b),Read",
                f"{DENIED},WebFetch,Bash(rm -rf /:*)",
                "--model=opus",
                "--fallback-model=sonnet",
                "--max-turns=5",
                "--max-budget-usd=2.5",
                "--append-system-prompt=--be brief,\nplease",
                "--resume=5e55",
                SETTINGS,
                "--add-dir=../a b",
            ],
        )

    def test_a_feature_overrides_model_and_tools(self) -> None:
        own = replace(self.FEATURE, model="haiku", allowed_tools=("Read",))
        words = self._argv(ClaudeOptions(model="opus"), own)
        self.assertIn("--model=haiku", words)
        self.assertIn("--allowedTools=Read", words)
        added = replace(own, verify=(shell_command("make api"),))
        words = self._argv(ClaudeOptions(allowed_tools_add=("Bash(x)", "Read")), added)
        self.assertIn("--allowedTools=Read,Bash(x),Bash(make api),Bash(make api:*)", words)
        none = self._argv(ClaudeOptions(), replace(self.FEATURE, allowed_tools=()))
        self.assertFalse([word for word in none if word.startswith("--allowedTools")])

    def test_simple_checks_are_allowed_and_what_is_denied_stays_denied(self) -> None:
        options = ClaudeOptions(allowed_tools=("Read",), disallowed_tools=("Bash(npm test:*)",))
        checks = [shell_command("npm test"), shell_command("npm test && rm -r dist")]
        argv = command_line.argv(options, self.FEATURE, "5e55", resume=False, checks=checks)
        self.assertIn("--allowedTools=Read,Bash(npm test),Bash(npm test:*)", argv)
        self.assertIn(f"{DENIED},Bash(npm test:*)", argv)
        opened = command_line.interactive(options, self.FEATURE, "5e55", checks)
        self.assertIn("--allowedTools=Read,Bash(npm test),Bash(npm test:*)", opened)


class Subagents(unittest.TestCase):
    """No subagent gets a worktree of its own, whatever settings the list brings."""

    FEATURE = Feature("auth", "Sign-in")

    def argv(self, options: ClaudeOptions) -> list[str]:
        return command_line.argv(options, self.FEATURE, "5e55", resume=False)

    def test_the_hook_goes_into_the_settings_of_the_list_and_replaces_its_own(self) -> None:
        hook = json.loads(SETTINGS.partition("=")[2])["hooks"]["WorktreeCreate"]
        theirs = {"env": {"A": "b"}, "hooks": {"Stop": [], "WorktreeCreate": [{"hooks": []}]}}
        merged = json.dumps({"env": {"A": "b"}, "hooks": {"Stop": [], "WorktreeCreate": hook}})
        given = json.dumps(theirs)
        for words, expected in (
            ((f"--settings={given}", "--x"), [f"--settings={merged}", "--x"]),
            (("--settings", given, "--x"), ["--settings", merged, "--x"]),
            (
                ("--settings=x.json", "--settings", given),
                ["--settings=x.json", "--settings", merged],
            ),
        ):
            with self.subTest(words):
                options = ClaudeOptions(extra_args=words)
                self.assertEqual(self.argv(options)[-len(expected) :], expected)
                self.assertIn(DENIED, self.argv(options))
                (command,) = command_line.commands(options, [self.FEATURE])
                self.assertEqual(command.brief, ("claude", "-p", *words))
        wrapped = ClaudeOptions(command=("wrapper", "--settings", given))
        self.assertEqual(self.argv(wrapped)[:4], ["wrapper", "--settings", merged, "-p"])
        self.assertNotIn(SETTINGS, self.argv(wrapped))

    def test_subagents_are_off_where_our_hook_would_not_run(self) -> None:
        denied = DENIED.replace("Agent(", "Agent,Agent(")
        for words in (
            ("--settings=settings.json",),
            ("--settings", "settings.json"),
            ("--settings=[1]",),
            ('--settings={"hooks": []}',),
            ('--settings={"disableAllHooks": true}',),
            (f"--settings={'[' * 100_000}",),
            ("--bare",),
            ("--safe-mode",),
        ):
            with self.subTest(str(words)[:80]):
                argv = self.argv(ClaudeOptions(extra_args=words))
                self.assertIn(denied, argv)
                self.assertEqual(argv[-len(words) :], list(words))
                self.assertNotIn(SETTINGS, argv)

    def test_a_person_who_opens_the_session_has_the_same_rules(self) -> None:
        argv = command_line.interactive(ClaudeOptions(), self.FEATURE, "5e55")
        self.assertEqual(argv[-1], SETTINGS)
        self.assertIn(DENIED, argv)

    def test_our_own_options_are_no_bypass_of_the_list(self) -> None:
        self.assertEqual(bypasses(ClaudeOptions()), ())
        given = ClaudeOptions(extra_args=(SETTINGS,))
        self.assertEqual(bypasses(given), ())


class Environment(unittest.TestCase):
    def test_our_variables_override_the_users_and_the_lists_override_ours(self) -> None:
        base = {"PATH": "/bin", "CLAUDECODE": "1", "DISABLE_AUTOUPDATER": "0", "KEY": "secret"}
        options = ClaudeOptions(env={"CLAUDE_CODE_MAX_RETRIES": "0", "KEY": "other"})
        self.assertEqual(
            command_line.environment(base, options),
            {
                "PATH": "/bin",
                "KEY": "other",
                "CLAUDE_CODE_MAX_RETRIES": "0",
                "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
                "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            },
        )
        self.assertEqual(base["CLAUDECODE"], "1")


class Commands(unittest.TestCase):
    """What ``plan`` shows of the commands that a list runs."""

    def test_features_with_the_same_command_share_one_entry(self) -> None:
        (command,) = command_line.commands(ClaudeOptions(), [Feature("a", "a"), Feature("b", "b")])
        self.assertEqual(command.features, ())
        self.assertEqual(command.brief, ("claude", "-p"))
        exact = command_line.argv(ClaudeOptions(), Feature("a", "a"), "SESSION", resume=False)
        self.assertEqual(command.argv, tuple(exact))

    def test_features_with_options_of_their_own_have_a_command_of_their_own(self) -> None:
        features = [Feature("a", "a"), Feature("b", "b", model="opus"), Feature("c", "c")]
        common, other = command_line.commands(ClaudeOptions(), features)
        self.assertEqual((common.features, other.features), (("a", "c"), ("b",)))
        self.assertEqual(other.brief, ("claude", "-p", "--model=opus"))

    def test_the_brief_form_names_the_rules_beside_the_default_ones(self) -> None:
        options = ClaudeOptions(allowed_tools_add=("Bash(x)",))
        checks = [shell_command("make ok")]
        features = [Feature("a", "a"), Feature("b", "b", verify=(shell_command("y"),))]
        common, other = command_line.commands(options, features, checks)
        rules = "--allowedTools=...,Bash(x),Bash(make ok),Bash(make ok:*)"
        self.assertEqual(common.brief, ("claude", "-p", rules))
        self.assertEqual(other.brief, ("claude", "-p", f"{rules},Bash(y),Bash(y:*)"))
        self.assertIn(f"{command_line.DEFAULT_RULES},Bash(x),Bash(make ok)", " ".join(common.argv))

    def test_the_brief_form_holds_all_that_is_the_lists_own(self) -> None:
        options = ClaudeOptions(
            command=("./claude", "--x"),
            permission_mode="plan",
            allowed_tools=("Bash(rm:*)",),
            disallowed_tools=("WebFetch",),
            append_system_prompt="Be evil.",
            extra_args=("--verbose", "--y"),
        )
        (command,) = command_line.commands(options, [Feature("a", "a")])
        denied = ",".join((*ALWAYS_DISALLOWED_TOOLS, *NO_WORKTREES_BY_AGENTS, "WebFetch"))
        self.assertEqual(
            command.brief,
            (
                *("./claude", "--x", "-p", "--permission-mode=plan"),
                *("--allowedTools=Bash(rm:*)", f"--disallowedTools={denied}"),
                *("--append-system-prompt=Be evil.", "--verbose", "--y"),
            ),
        )

    def test_variables_are_shown_and_secrets_among_them_are_not_however_short(self) -> None:
        options = ClaudeOptions(env={"NODE_OPTIONS": "--require x", "API_KEY": "short"})
        (command,) = command_line.commands(options, [Feature("a", "a")])
        self.assertEqual(command.env, {"NODE_OPTIONS": "--require x", "API_KEY": "[masked]"})


if __name__ == "__main__":
    unittest.main()
