"""RoRchestrator: a feature list in, verified git branches out."""

import sys

__version__ = "1.1.0.dev"

if sys.hexversion < 0x03090000:  # Other files of ours are no Python for it.
    sys.stderr.write(
        "rorchestrator: Python 3.9 or newer is needed; "
        f"{sys.executable} is {sys.version.split()[0]}\n"
        "  next: put a newer one first on PATH (for jobs of Slurm: submit --prologue FILE)\n"
    )
    sys.exit(2)
