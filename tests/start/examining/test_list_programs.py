"""`doctor` on the programs that a list starts."""

from __future__ import annotations

import unittest

from core.model.feature import Command, Config, Feature, Project
from core.start.examining.list_programs import program_lines


def commands(*lines: str) -> tuple[Command, ...]:
    return tuple(Command(("/bin/sh", "-c", line), line) for line in lines)


class Programs(unittest.TestCase):
    def named(self, *lines: str) -> list[str]:
        project = Project("Shop", "/x", setup=commands(*lines))
        found = program_lines(Config("/x/l", "/x", project, ()), {"PATH": "/usr/bin:/bin"})
        return [line.said.split()[0] for line in found]

    def test_each_that_is_not_on_path_is_named_once(self) -> None:
        lines = ("cd web && A=1 no-such-npm ci", "no-such-npm test || no-such-yarn test")
        self.assertEqual(self.named(*lines), ["no-such-npm", "no-such-yarn"])

    def test_those_of_the_shell_and_of_the_worktree_and_what_is_unclear_are_left_out(self) -> None:
        lines = ("ls", "test -f x", ".venv/bin/x y", "$X y", "{ no-such-x; }", "export A=1")
        self.assertEqual(self.named(*lines), [])

    def test_features_and_the_other_stages_have_commands_too(self) -> None:
        own = Feature("auth", "Auth", setup=commands("no-such-a"), verify=commands("no-such-b"))
        project = Project("S", "/x", verify=commands("no-such-c"), teardown=commands("no-such-d"))
        found = list(program_lines(Config("/x/l", "/x", project, (own,)), {"PATH": "/bin"}))
        self.assertEqual([line.said.split()[0][-1] for line in found], ["c", "d", "a", "b"])
        self.assertIn("the list runs it: no-such-c", found[0].said)


if __name__ == "__main__":
    unittest.main()
