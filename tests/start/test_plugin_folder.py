"""Where the plugin for Claude Code is."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.model.errors import UserError
from core.start.plugin_folder import plugin_folder


class PluginFolder(unittest.TestCase):
    def test_it_is_in_the_package_or_in_the_clone(self) -> None:
        self.assertTrue(os.path.isfile(os.path.join(plugin_folder(), ".claude-plugin/plugin.json")))
        with tempfile.TemporaryDirectory() as folder:
            package = os.path.join(folder, "rorchestrator")
            with self.assertRaisesRegex(UserError, "is missing"):
                plugin_folder(package)
            inside = os.path.join(package, "claude_plugin")
            os.makedirs(inside)
            self.assertEqual(plugin_folder(package), inside)


if __name__ == "__main__":
    unittest.main()
