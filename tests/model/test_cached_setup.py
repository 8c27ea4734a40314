"""An entry of the setup cache as JSON."""

from __future__ import annotations

import unittest

from core.model.cached_setup import CachedSetup


class CachedSetupTest(unittest.TestCase):
    def test_its_age_is_never_negative(self) -> None:
        entry = CachedSetup("k", ("node_modules",), 4096, 1, 100.0)
        self.assertEqual(entry.to_json(160.4)["age_seconds"], 60)
        self.assertEqual(
            entry.to_json(50.0),
            {
                "key": "k",
                "folders": ["node_modules"],
                "bytes": 4096,
                "files": 1,
                "age_seconds": 0,
            },
        )
