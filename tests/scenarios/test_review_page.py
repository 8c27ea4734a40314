"""The session of docs/REVIEW.md: every command is typed, and what is printed is compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator

from tests.support.once import skip_if_run_elsewhere
from tests.support.page_samples import DOCS, lasting
from tests.support.paths import ORCHESTRATE

setUpModule = skip_if_run_elsewhere

BLOCK = re.compile(r"^```(bash|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

CLAUDE = """\
#!/bin/sh
# Stands in for Claude Code: builds the feature of its worktree, and does what a comment asks for.
[ "$1" = --version ] && { echo '2.1.330 (Claude Code)'; exit 0; }
[ "$1" = --help ] && { echo '-p --output-format --verbose --permission-mode --settings'
  echo '--resume --session-id --allowedTools --disallowedTools --strict-mcp-config'; exit 0; }
prompt=$(cat)
id=${PWD##*/}
mkdir -p src test
said="Added src/$id.py with a test."
case $prompt in
*'Use scrypt'*)
  printf 'from hashlib import scrypt\\n\\n\\ndef hashed(word, salt):\\n' >src/auth.py
  printf '    return scrypt(word, salt=salt, n=2**14, r=8, p=1)\\n' >>src/auth.py
  said='Passwords are hashed with scrypt now.' ;;
*)
  printf 'from hashlib import md5\\n\\n\\ndef hashed(word):\\n    return md5(word)\\n' >"src/$id.py"
  printf 'from src import %s\\n' "$id" >"test/test_$id.py" ;;
esac
echo '{"type":"system","subtype":"init","claude_code_version":"2.1.330"}'
echo '{"type":"result","subtype":"success","is_error":false,"num_turns":2,"result":"'"$said"'",' \\
  '"total_cost_usd":0.5}'
"""


def typed_and_printed(page: str) -> Iterator[tuple[str, str]]:
    """Each block of commands, and what the page says that it prints; empty if it does not say."""
    found = [(kind, text) for kind, text in BLOCK.findall(page)]
    for place, (kind, text) in enumerate(found):
        follows = found[place + 1] if place + 1 < len(found) else ("", "")
        if kind == "bash":
            yield text, follows[1] if follows[0] == "text" else ""


class ReviewPage(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-review-")
        self.addCleanup(folder.cleanup)
        self.home = os.path.realpath(folder.name)
        programs = os.path.join(self.home, "bin")
        os.mkdir(programs)
        for name, script in {
            "claude": CLAUDE,
            "rorchestrator": f'#!/bin/sh\nexec "{sys.executable}" "{ORCHESTRATE}" "$@"\n',
        }.items():
            path = os.path.join(programs, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(script)
            os.chmod(path, 0o755)
        self.env = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": self.home,
            "LANG": "C.UTF-8",
            "PYTHONIOENCODING": "utf-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_NAME": "Reader" for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": "reader@localhost" for role in ("AUTHOR", "COMMITTER")},
        }

    def session(self, blocks: list[str]) -> list[str]:
        """Type the blocks into one shell; what each printed."""
        mark = "@@ the next block @@"
        script = "set -euo pipefail\n" + f"echo '{mark}'\n".join(blocks)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.home,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.split(f"{mark}\n")

    def test_the_session_prints_what_the_page_says(self) -> None:
        page = (DOCS / "REVIEW.md").read_text(encoding="utf-8")
        blocks = list(typed_and_printed(page))
        printed = self.session([block for block, _ in blocks])
        self.assertGreater(sum(bool(said) for _, said in blocks), 4)
        for (block, said), found in zip(blocks, printed):
            if said:
                with self.subTest(block):
                    self.assertEqual(lasting(found), lasting(said))


if __name__ == "__main__":
    unittest.main()
