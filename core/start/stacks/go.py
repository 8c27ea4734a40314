"""Go: modules."""

from __future__ import annotations

from .stack import Stack
from .tree import Tree

MANIFEST = "go.mod"
LOCKFILE = "go.sum"


def detect(tree: Tree) -> Stack | None:
    """Go in the folder; ``None`` without a ``go.mod``."""
    if not tree.has(MANIFEST):
        return None
    has_packages = "require" in tree.text(MANIFEST)
    return Stack(
        "Go",
        tuple(filter(None, (MANIFEST, tree.first(LOCKFILE)))),
        setup=("go mod download",) if has_packages and not tree.has("vendor/modules.txt") else (),
        verify=("go vet ./...", "go test ./..."),
        allowed=("go build", "gofmt", "go run"),
        programs=("go",),
        port_variable="PORT" if "github.com/gin-gonic/gin" in tree.text(MANIFEST) else "",
    )
