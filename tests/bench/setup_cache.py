"""Worktree and setup of a feature with ``project.setup_cache``: the second and later ÷ the first.

The setup is ``npm ci`` of 400 packages with 20,000 files, from archives on disk; without npm, it
unpacks them with tar. Measured from the journal, from ``preparing`` to ``attempt_started``. The
first one runs the setup and stores what it makes, the others get copies.

Run: python3 -m tests.bench.setup_cache [--image btrfs|xfs]

It measures in TMPDIR. ``--image`` (as root, with mkfs.btrfs or mkfs.xfs) measures in a file
system that clones files, in an image in TMPDIR.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from unittest import mock

from core.worktree.tree_copy import FileCopier

from .agents import write_agent, write_list
from .measure import TOOL, median, repository, run, scratch

PACKAGES = 400
FILES = 50
FEATURES = 6
TIMES = 5
LIMIT = 0.2
"""Where the file system clones."""

COPY_LIMIT = 1.0
"""Elsewhere: a copy takes less than the setup."""

IMAGE_BYTES = 6 * 1024**3

UNPACK = (
    'for each in "$PACKED"/*.tgz; do to=node_modules/$(basename "$each" .tgz); '
    'mkdir -p "$to" && tar -xzf "$each" --strip-components=1 -C "$to"; done'
)


def write_packages(folder: str) -> dict[str, str]:
    """Archives of packages; the dependencies of a ``package.json`` on them."""
    os.mkdir(folder)
    chance = random.Random(1)
    words = [f"const value{n} = require('./part{n}');\n" for n in range(400)]
    for number in range(PACKAGES):
        name = f"package-{number:03}"
        with tarfile.open(os.path.join(folder, f"{name}.tgz"), "w:gz", compresslevel=3) as archive:
            files = {"package.json": json.dumps({"name": name, "version": "1.0.0"})}
            for part in range(1, FILES):
                size = min(40, int(chance.lognormvariate(4.0, 1.0)) + 1)
                place = ("lib", "dist/esm", "dist/cjs", "types")[part % 4]
                files[f"{place}/part{part}.js"] = "".join(chance.choices(words, k=size * 3))
            for path, content in files.items():
                info = tarfile.TarInfo(f"package/{path}")
                info.size, info.mode = len(content), 0o644
                archive.addfile(info, io.BytesIO(content.encode()))
    return {
        f"package-{number:03}": f"file:{folder}/package-{number:03}.tgz"
        for number in range(PACKAGES)
    }


def write_project(path: str, packages: Mapping[str, str], env: Mapping[str, str]) -> None:
    """Commit a project that needs the packages."""
    manifest = {"name": "bench", "version": "1.0.0", "private": True, "dependencies": packages}
    for name, text in (("package.json", json.dumps(manifest)), (".gitignore", "node_modules/\n")):
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(text)
    if shutil.which("npm"):
        lock = ["npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund"]
        run(lock, cwd=path, env=env)
    run(["git", "add", "-A"], cwd=path, env=env)
    run(["git", "commit", "-q", "-m", "project"], cwd=path, env=env)


def waits(path: str) -> list[float]:
    """The seconds from ``preparing`` to ``attempt_started`` of each feature, in their order."""
    begun: dict[str, float] = {}
    found: dict[str, float] = {}
    with open(os.path.join(path, ".git", "rorchestrator", "journal.jsonl")) as file:
        for event in map(json.loads, file):
            at = datetime.fromisoformat(str(event["at"])).timestamp()
            if event["event"] == "preparing":
                begun[event["feature"]] = at
            elif event["event"] == "attempt_started":
                found[event["feature"]] = at - begun[event["feature"]]
    return list(found.values())


def measure(where: str) -> bool:
    """Measure in TMPDIR; whether the limit is kept."""
    ratios, firsts, laters = [], [], []
    with scratch() as (folder, env):
        does_clone = clones(folder)
        packages = write_packages(os.path.join(folder, "packed"))
        env["PACKED"] = os.path.join(folder, "packed")
        command = "npm ci --offline --no-audit --no-fund" if shutil.which("npm") else UNPACK
        agent = write_agent(folder, 0)
        listed = os.path.join(folder, "feature_list.json")
        # A chain, so that none is prepared while it waits for a slot.
        ids = {f"f{number}": [f"f{number - 1}"] * (number > 0) for number in range(FEATURES)}
        write_list(listed, agent, ids, 1, "../worktrees")
        with open(listed) as file:
            document = json.load(file)
        document["project"].update(setup=[command], setup_cache=["node_modules"])
        with open(listed, "w") as file:
            json.dump(document, file)
        for turn in range(TIMES + 1):
            for name in ("repository", "worktrees"):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
            path = repository(folder, env)
            write_project(path, packages, env)
            os.sync()  # What was removed is not what is measured.
            run([*TOOL, "run", "--yes", "--config", listed], cwd=path, env=env)
            first, *later = waits(path)
            if turn:  # The first time warms up.
                firsts.append(first)
                laters += later
                ratios.append(statistics.median(later) / first)
    seconds = f"{statistics.median(laters):.2f} s against {statistics.median(firsts):.2f} s"
    how = "clones" if does_clone else "plain copies"
    words = f"{PACKAGES * FILES} files, {how} on {where}: {seconds}"
    return median(words, ratios, LIMIT if does_clone else COPY_LIMIT)


def clones(folder: str) -> bool:
    """Whether the file system of a folder clones files."""
    copier = FileCopier()
    source = os.path.join(folder, "one")
    with open(source, "wb") as file:
        file.write(b"x" * 65536)
    copier.copy(source, os.path.join(folder, "other"))
    return copier.clones


@contextlib.contextmanager
def image(kind: str) -> Iterator[str]:
    """A new file system of a kind, in an image; its folder."""
    with tempfile.TemporaryDirectory() as folder:
        file, place = os.path.join(folder, "image"), os.path.join(folder, "mounted")
        with open(file, "wb") as made:
            made.truncate(IMAGE_BYTES)
        os.mkdir(place)
        subprocess.run([f"mkfs.{kind}", "-q", file], check=True)
        subprocess.run(["mount", "-o", "loop", file, place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)


def kind_of(folder: str) -> str:
    """The file system of a folder."""
    argv = ["stat", "-f", "-c", "%T", folder]
    return subprocess.run(argv, capture_output=True, text=True).stdout.strip() or "this disk"


def main() -> int:
    """Measure in TMPDIR, or in an image there."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench.setup_cache")
    parser.add_argument(
        "--image", choices=("btrfs", "xfs"), help="measure in a file system that clones"
    )
    kind = parser.parse_args().image
    if not kind:
        return 0 if measure(kind_of(tempfile.gettempdir())) else 1
    with image(kind) as folder, mock.patch.object(tempfile, "tempdir", folder):
        return 0 if measure(kind) else 1


if __name__ == "__main__":
    sys.exit(main())
