"""Imports all of core/ at once: no fork of this process has to, whatever its command needs."""

from __future__ import annotations

import importlib
import pkgutil

import core

for _each in pkgutil.walk_packages(core.__path__, "core."):
    if not _each.name.endswith("__main__"):
        importlib.import_module(_each.name)
