"""``python3 -m tests.slurm [--all] [TEST]``: the scenarios on a real Slurm of three nodes.

Slurm and its jobs run as an ordinary user: as root, everything is copied to a temporary folder and
started again as ``nobody``.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.slurm.cluster import PACKAGES, missing_programs
from tests.support.paths import ROOT

ORDINARY = "nobody"

NEEDED = "import sys; sys.exit(sys.version_info < (3, 9))"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also the scenarios that take longer")
    parser.add_argument("test", nargs="?", default="", help="only tests with this in their name")
    options = parser.parse_args()
    missing = missing_programs()
    if missing:
        print(f"{', '.join(missing)} is missing: apt-get install {PACKAGES}", file=sys.stderr)
        return 1
    if os.geteuid() == 0:
        return as_ordinary_user(sys.argv[1:])
    from tests.slurm import scenarios

    loader = unittest.TestLoader()
    if options.test:
        loader.testNamePatterns = [f"*{options.test}*"]
    classes = [scenarios.InCi, *([scenarios.All] if options.all else [])]
    suites = [loader.loadTestsFromTestCase(each) for each in classes]
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(suites))
    print("\n".join(("| | |", "|---|---|", *scenarios.FIGURES)))
    return 0 if result.wasSuccessful() else 1


def as_ordinary_user(words: list[str]) -> int:
    """Run the same as a user who is not root, from a copy that this user can read."""
    user = pwd.getpwnam(ORDINARY)
    folder = tempfile.mkdtemp()
    try:
        os.chmod(folder, 0o755)
        copy = os.path.join(folder, "source")
        for name in ("core", "tests"):
            ignored = shutil.ignore_patterns("__pycache__", "fuzz", "faults", "fixtures")
            shutil.copytree(os.path.join(ROOT, name), os.path.join(copy, name), ignore=ignored)
        shutil.copy(os.path.join(ROOT, "orchestrate.py"), copy)
        temporary = os.path.join(folder, "tmp")
        os.mkdir(temporary)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files, "."):
                os.lchown(os.path.join(parent, name), user.pw_uid, user.pw_gid)
        who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        environ = {"PATH": os.environ.get("PATH", os.defpath), "TMPDIR": temporary}
        environ.update(HOME=temporary, LANG="C.UTF-8", PYTHONDONTWRITEBYTECODE="1")
        python = next((each for each in pythons() if can_use(each, who, environ)), "")
        if not python:
            raise SystemExit(f"tests.slurm: {ORDINARY} can run none of {', '.join(pythons())}")
        argv = ["setpriv", *who, python, "-m", "tests.slurm", *words]
        return subprocess.run(argv, cwd=copy, env=environ).returncode
    finally:
        shutil.rmtree(folder)


def pythons() -> list[str]:
    """Interpreters to try."""
    return [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]


def can_use(python: str, who: list[str], environ: dict[str, str]) -> bool:
    """Whether the ordinary user can run an interpreter, and it is new enough."""
    argv = ["setpriv", *who, python, "-c", NEEDED]
    try:
        done = subprocess.run(argv, env=environ, cwd="/", capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
