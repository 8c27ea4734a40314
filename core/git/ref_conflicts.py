"""Refs that are in the way of a new one: git keeps no ref below another one."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.errors import UserError
from ..model.terminal_text import shell_word
from ..model.translate import N_
from .refs import HEADS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .door import Git


def above(ref: str) -> tuple[str, ...]:
    """The names above a ref, none of which may be a ref itself; the nearest one last."""
    return tuple(ref[:at] for at, c in enumerate(ref) if c == "/")[1:]


def around(ref: str) -> tuple[str, ...]:
    """Patterns of git-ls-remote(1) for everything that can be in the way of a ref."""
    return (*above(ref), f"{ref}/*")


def in_the_way(ref: str, others: Iterable[str]) -> str:
    """The one of ``others`` that prevents a ref; empty if none does."""
    return each_in_the_way([ref], others).get(ref, "")


def each_in_the_way(refs: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Those of ``refs`` that one of ``others`` prevents, each with that one."""
    known = set(others)
    folders = {name: other for other in sorted(known, reverse=True) for name in above(other)}
    found = {
        ref: next((name for name in above(ref) if name in known), folders.get(ref, ""))
        for ref in refs
    }
    return {ref: other for ref, other in found.items() if other}


async def prevented(git: Git, ref: str) -> UserError | None:
    """Why a repository can't have a ref; ``None`` if no other ref is in its way."""
    other = in_the_way(ref, await git.refs(*above(ref)))
    if not other:
        return None
    words: tuple[str, ...] = ("git", "update-ref", "-d", shell_word(other))
    if other.startswith(HEADS):
        words = ("git", "branch", "-m", shell_word(other[len(HEADS) :]), "NEW")
    return UserError(
        prevented_by(ref, other),
        hint=N_("rename or delete it: {command}").format(command=" ".join(words)),
    )


def prevented_by(ref: str, other: str) -> str:
    """That a ref prevents another one."""
    return N_("{other} is in the way of {ref}: git keeps no ref below another one").format(
        other=other, ref=ref
    )


def prevented_there(ref: str, other: str, remote: str = "URL") -> str:
    """The same of a remote, with the next step."""
    command = f"git push {remote} --delete {shell_word(other)}"
    return N_("{why}; rename or delete it there: {command}").format(
        why=prevented_by(ref, other), command=command
    )
