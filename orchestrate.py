#!/usr/bin/env python3
"""RoRchestrator's command, run from a clone: ``python3 orchestrate.py plan``."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from core.cli import entry_point

if __name__ == "__main__":
    entry_point()
