"""A forge without a project around it: for tests of what speaks to it."""

from __future__ import annotations

import os
import shutil
import unittest

from core.handover.forge.client import Client
from core.handover.forge.which import forge_of
from core.process.spawner import Spawner, run_sync
from tests.support.forges import TestForge
from tests.support.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.handover.forge.forge import Forge


class ForgeTest(unittest.TestCase):
    """A repository with the branches ``feature/auth`` and ``feature/api`` on the forge."""

    program = "gh"

    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.there = TestForge(self.repository, self.program)
        for id in ("auth", "api"):
            self.repository.git("checkout", "--quiet", "-b", f"feature/{id}")
            self.repository.commit({f"{id}.txt": "1\n"}, id)
        self.repository.git("push", "--quiet", "origin", "--all")
        self.forge = self.forge_at(self.there.url)

    def forge_at(self, *urls: str) -> Forge:
        """The forge of a remote with these URLs."""
        return run_sync(forge_of(Spawner(), self.repository.environ, urls, "origin"))

    def client(self) -> Client:
        """The client of the forge."""
        return self.forge.client

    def only_with(self, *programs: str) -> None:
        """Leave only these stand-ins on PATH, and a shell for them."""
        folder = os.path.join(self.repository.root, "only")
        os.mkdir(folder)
        for name in programs:
            source = shutil.which(name, path=self.repository.environ["PATH"])
            assert source, name
            os.symlink(source, os.path.join(folder, name))
        self.repository.environ["PATH"] = folder
