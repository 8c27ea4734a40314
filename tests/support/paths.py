"""The paths of the command and of the simulated agent in this source tree."""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORCHESTRATE = os.path.join(ROOT, "orchestrate.py")
SIMULATED = os.path.join(ROOT, "core", "claude", "simulated.py")

HOME_PAGE = "https://github.com/RollandMELET/RoRchestrator.git"
"""What the pages clone; tests put a repository of their own in its place."""

AGENT = [sys.executable, "-S", os.path.join(ROOT, "tests", "support", "agent.py")]
"""The simulated agent. Without the site module it starts in half the time."""
