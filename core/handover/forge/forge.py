"""`Forge`: what pull requests need of GitHub and of GitLab, in the same words for both."""

from __future__ import annotations

from ...model.frozen import Enum, dataclass


class State(Enum):
    """The state of a pull request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True)
class OnForge:
    """A pull request as the forge has it."""

    number: int
    url: str
    branch: str
    base: str
    state: State
    title: str = ""
    body: str = ""
    is_draft: bool = False
    is_armed: bool = False
    """Whether it merges on its own as soon as its checks pass."""
    commit: str = ""
    """The commit of its branch, as the forge has seen it."""


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .address import Address
    from .client import Client

    class Forge(Protocol):
        """A repository of a forge. Every method raises :class:`ForgeError` if the forge refuses."""

        name: str
        """``github`` or ``gitlab``."""
        address: Address
        client: Client

        def sign(self, number: int) -> str:
            """How texts on the forge name a pull request: ``#12``, ``!12``."""

        async def find(self, branch: str) -> OnForge | None:
            """The pull request of a branch of this repository: the open one, else the last one."""

        async def view(self, number: int) -> OnForge:
            """One pull request."""

        async def open(
            self, branch: str, base: str, title: str, body: str, *, draft: bool = False
        ) -> OnForge:
            """Open a pull request."""

        async def update(self, number: int, *, base: str = "", body: str = "") -> OnForge:
            """Change the base or the text of a pull request; empty leaves it as it is."""
