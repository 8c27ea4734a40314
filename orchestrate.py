#!/usr/bin/env python3
"""RoRchestrator's command, run from a clone: ``python3 orchestrate.py plan``."""

# Without a future import: an old Python has to get as far as core/__init__.py, which says so.
import os
import sys


def main() -> None:
    """Import and run the command; Ctrl-C is heard from the first moment on."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        from core.cli import entry_point

        entry_point()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
