"""Starts the simulated agent: as a module it is compiled once, as a script at each start."""

from __future__ import annotations

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from core.claude import simulated  # noqa: E402

sys.exit(simulated.main())
