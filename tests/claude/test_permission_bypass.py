"""Feature lists that need the user's consent before Claude starts."""

from __future__ import annotations

import json
import unittest

from core.claude.permission_bypass import bypasses
from core.model.feature import ClaudeOptions


class Bypass(unittest.TestCase):
    """Which lists let Claude do anything unasked."""

    def test_every_spelling_is_found_and_named_by_its_place(self) -> None:
        skip = "--dangerously-skip-permissions"
        cases: dict[str, ClaudeOptions] = {
            "claude.permission_mode": ClaudeOptions(permission_mode="bypassPermissions"),
            "claude.extra_args[0]": ClaudeOptions(extra_args=(skip,)),
            "claude.extra_args[1]": ClaudeOptions(
                extra_args=("--x", "--allow-dangerously-skip-permissions")
            ),
            "claude.command[1]": ClaudeOptions(command=("claude", skip)),
            "claude.command[2]": ClaudeOptions(command=("sh", "-c", f'claude {skip} "$@"')),
            "claude.env.ARGS": ClaudeOptions(env={"ARGS": skip}),
        }
        for place, options in cases.items():
            with self.subTest(place):
                self.assertEqual(bypasses(options), (place,))
        for words, where in (
            (("--permission-mode=bypassPermissions",), 0),
            (("--permission-mode", "bypassPermissions"), 1),
            (("--permission-mode", "BypassPermissions"), 1),
            (('--settings={"permissions":{"defaultMode":"bypassPermissions"}}',), 0),
            (('--settings={"permissions":{"defaultMode":"bypass\\u0050ermissions"}}',), 0),
            (("--settings", "settings.json"), 0),
            (("--settings=settings.json",), 0),
            (("--settings", "[1]"), 0),
            (("--settings", "[" * 100_000), 0),
            (("--settings",), 0),
        ):
            with self.subTest(str(words)[:80]):
                found = (f"claude.extra_args[{where}]",)
                self.assertEqual(bypasses(ClaudeOptions(extra_args=words)), found)
        command = ("claude", "--settings", "settings.json")
        self.assertEqual(bypasses(ClaudeOptions(command=command)), ("claude.command[1]",))

    def test_a_mode_that_asks_for_permission_is_no_bypass(self) -> None:
        for options in (
            ClaudeOptions(),
            ClaudeOptions(permission_mode="plan", env={"A": "b"}),
            ClaudeOptions(extra_args=("--permission-mode=acceptEdits", "--add-dir", "x")),
            ClaudeOptions(extra_args=("--settings", '{"permissions": {"deny": ["Bash"]}}')),
            ClaudeOptions(extra_args=('--settings={"a": 1}',)),
        ):
            self.assertEqual(bypasses(options), ())

    def test_other_ways_to_answer_for_the_user_are_found(self) -> None:
        answers = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "x"}]}]}}
        for words, where in (
            (("--permission-prompt-tool=mcp__x__yes",), 0),
            (("--x", "--permission-prompts", "x"), 1),
            (("--plugin-dir=../x",), 0),
            (("--agents", "agents.json"), 0),
            (("--agents", '{"a": {"permissionMode": "bypass\\u0050ermissions"}}'), 0),
            ((f"--settings={json.dumps(answers)}",), 0),
            (('--settings={"env": {"BASH_ENV": "x"}}',), 0),
        ):
            with self.subTest(words):
                found = (f"claude.extra_args[{where}]",)
                self.assertEqual(bypasses(ClaudeOptions(extra_args=words)), found)
        helper = '{"a": {"description": "d", "prompt": "p"}}'
        stop = {"hooks": {"Stop": []}, "env": {"A": 1}}
        fine = (f"--agents={helper}", "--settings", json.dumps(stop), '--settings={"env": 1}')
        self.assertEqual(bypasses(ClaudeOptions(extra_args=fine)), ())


class Variables(unittest.TestCase):
    def found(self, **env: str) -> list[str]:
        prefix = "claude.env."
        return [place[len(prefix) :] for place in bypasses(ClaudeOptions(env=env))]

    def test_what_leads_to_other_settings_or_puts_code_into_claude_or_its_shell(self) -> None:
        names = (
            *("HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "USERPROFILE", "ZDOTDIR"),
            *("CLAUDE_CODE_MANAGED_SETTINGS_PATH", "CLAUDE_CODE_REMOTE_SETTINGS_PATH"),
            *("CLAUDE_CODE_PLUGIN_SEED_DIR", "CLAUDE_BG_SESSION_PERMISSION_RULES"),
            *("CLAUDE_CODE_EVEN_MORE_DANGEROUSLY_SKIP_PERMISSIONS", "CLAUDE_CODE_EXECPATH"),
            *("CLAUDE_ENV_FILE", "CLAUDE_CODE_SHELL_PREFIX", "CLAUDE_CODE_GIT_BASH_PATH"),
            *("CLAUDE_CODE_IGNORE_PERSISTED_TRUST", "CLAUDE_CODE_DISABLE_REDIRECT_DENY_RECHECK"),
            *("LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "ENV"),
            *("BASH_FUNC_git%%", "PROMPT_COMMAND", "LESSOPEN", "SSH_ASKPASS"),
            *("GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL", "GIT_EXEC_PATH", "GIT_SSH_COMMAND"),
            *("GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "GIT_TEMPLATE_DIR"),
        )
        self.assertEqual(self.found(**dict.fromkeys(names, "/x")), list(names))

    def test_variables_that_affect_no_permission_are_allowed(self) -> None:
        names = (
            *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "HTTPS_PROXY"),
            *("CLAUDE_CODE_MAX_RETRIES", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_TMPDIR"),
            *("CLAUDE_CODE_SUBAGENT_MODEL", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "API_TIMEOUT_MS"),
            *("BASH_DEFAULT_TIMEOUT_MS", "DISABLE_TELEMETRY", "RAILS_ENV", "NODE_ENV", "TZ"),
            *("GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_TERMINAL_PROMPT", "LANG"),
            *("GIT_LFS_SKIP_SMUDGE", "PYTHONPATH", "RUBYOPT", "TMPDIR", "DATABASE_URL"),
        )
        self.assertEqual(self.found(**dict.fromkeys(names, "/x")), [])

    def test_the_value_of_some_variables_decides(self) -> None:
        for name, value, redirects in (
            ("PATH", "/opt/node/bin:/usr/bin", False),
            ("PATH", "bin:/usr/bin", True),
            ("PATH", "/usr/bin:", True),
            ("NODE_OPTIONS", "--max-old-space-size=4096 --no-warnings", False),
            ("NODE_OPTIONS", "--require ./evil.js", True),
            ("NODE_OPTIONS", "--no-warnings -r ./evil.js", True),
            ("NODE_OPTIONS", "--import=./evil.js", True),
            ("BUN_OPTIONS", "--preload ./evil.ts", True),
            ("EDITOR", "true", False),
            ("GIT_EDITOR", ":", False),
            ("GIT_PAGER", "cat", False),
            ("PAGER", "", False),
            ("EDITOR", "./evil", True),
            ("GIT_SEQUENCE_EDITOR", "sh evil", True),
            ("SHELL", "/bin/bash", False),
            ("CLAUDE_CODE_SHELL", "/usr/bin/zsh", False),
            ("CLAUDE_CODE_SHELL", "./bash", True),
        ):
            with self.subTest(name, value=value):
                self.assertEqual(self.found(**{name: value}), [name] if redirects else [])


if __name__ == "__main__":
    unittest.main()
