"""The real `claude` for tests: where it is, and the only environment that it is ever started with.

It gets none of the caller's variables but PATH, a HOME of the test's, a key that is none, and a
Messages API on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

VARIABLE = "RORCHESTRATOR_TEST_CLAUDE"


def executable() -> str | None:
    """The path of the binary, or None where nobody asked for these tests.

    Raises FileNotFoundError when the variable names something that is not there: whoever sets it
    wants the tests to run, not to be skipped.
    """
    wanted = os.environ.get(VARIABLE, "")
    if not wanted:
        return None
    found = shutil.which("claude" if wanted == "auto" else wanted)
    if found is None:
        raise FileNotFoundError(f"{VARIABLE}={wanted}: no such executable")
    return os.path.abspath(found)


def reason_to_skip() -> str:
    """Why the tests with the real binary don't run and how to enable them; empty if they do."""
    if executable() is not None:
        return ""
    return (
        f"the real claude is not enabled: npm install --prefix DIR @anthropic-ai/claude-code, "
        f"then set {VARIABLE}=DIR/node_modules/.bin/claude (or =auto for the one on PATH)"
    )


def environment(home: Path, api_url: str) -> dict[str, str]:
    """The whole environment for the binary, and for what starts it."""
    if urlsplit(api_url).hostname != "127.0.0.1":
        raise ValueError(f"{api_url} is not on loopback")
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": "sk-ant-dummy-not-a-key",
        "ANTHROPIC_BASE_URL": api_url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_TMPDIR": str(temporary),
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
    }


def start(
    arguments: Sequence[str],
    prompt: Path,
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: IO[bytes],
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    """Start the binary with its prompt on stdin; files for its output, as it loses it in pipes."""
    path = executable()
    if path is None:
        raise FileNotFoundError(reason_to_skip())
    with prompt.open("rb") as stdin:
        return subprocess.Popen(
            [path, *arguments],
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
