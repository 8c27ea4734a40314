"""Prose, code, commands and paths of a prompt."""

from __future__ import annotations

import unittest

from core.start import prompt_text
from core.start.prompt_text import lines_of

TEXT = """\
Change `src/api.py`, then run `make lint` and `go` on.

```bash
# comment
$ npm test  # all
./check fast
cat >x
{
```
~~~
pytest -q
words of output
~~~

    PORT=1 npm start
    prose of code
- one

    - an entry
```console
$ ls
output of it
"""


class Texts(unittest.TestCase):
    def test_code_is_told_from_prose(self) -> None:
        lines = lines_of(TEXT)
        prose = [line.number for line in lines if line.language is None]
        self.assertEqual(prose, [1, 2, 14, 17, 18, 19])
        self.assertEqual({line.language for line in lines}, {None, "", "bash", "console"})
        self.assertEqual(lines[0].words, "Change  , then run   and   on.")
        self.assertEqual(lines[2].words, "")

    def test_commands_are_found_with_their_lines(self) -> None:
        self.assertEqual(
            list(prompt_text.commands_of(lines_of(TEXT))),
            [
                (1, "make lint"),
                (5, "npm test"),
                (6, "./check fast"),
                (7, "cat >x"),
                (11, "pytest -q"),
                (15, "PORT=1 npm start"),
                (21, "ls"),
            ],
        )

    def test_a_command_is_known_by_its_first_word(self) -> None:
        for text in ("pytest", "npm test", "bin/rails test", "./run", "A=1 B=2 go test ./..."):
            self.assertTrue(prompt_text.is_command(text), text)
        for text in ("", "npm", "go", "src/api.py", "bin/setup.rb", "bin/", "A=1 ", "make_it now"):
            self.assertFalse(prompt_text.is_command(text), text)

    def test_paths_have_a_folder_and_an_ending(self) -> None:
        for text, expected in {
            "`src/api.py` and ./lib/a-b.test.js.": ["src/api.py", "lib/a-b.test.js"],
            "src/a.py, src/a.py": ["src/a.py"],
            "https://example.com/a/b.html, /etc/x.conf, ~/x/a.py": [],
            "app/**/gs1/a.rb, a/{b,c}.rb, ../up/x.py, a/<id>.md, and/or, api/v1": [],
            "README.md": [],
        }.items():
            with self.subTest(text):
                found = [path for _, path in prompt_text.paths_of(lines_of(text))]
                self.assertEqual(found, expected)
        self.assertEqual(list(prompt_text.paths_of(lines_of("```\na/b.py\n```"))), [])

    def test_a_file_is_named_with_or_without_its_folder(self) -> None:
        for text in ("see `README.md`", "a/b.unknown", "```\napp.py\n```"):
            self.assertTrue(prompt_text.names_a_file(lines_of(text)), text)
        for text in ("Node.JS2 is used", "call self.save() or json.loads(x)", "version 1.2"):
            self.assertFalse(prompt_text.names_a_file(lines_of(text)), text)


if __name__ == "__main__":
    unittest.main()
