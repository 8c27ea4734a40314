"""Rust: cargo."""

from __future__ import annotations

import re

from .ci_files import commands_of_ci
from .stack import Stack
from .tree import Tree

MANIFEST = "Cargo.toml"
LOCKFILE = "Cargo.lock"


def detect(tree: Tree) -> Stack | None:
    """Rust in the folder; ``None`` without a ``Cargo.toml``."""
    if not tree.has(MANIFEST):
        return None
    text = tree.text(MANIFEST)
    lock = tree.first(LOCKFILE)
    whole = " --workspace" if re.search(r"^\[workspace", text, re.MULTILINE) else ""
    in_ci = "\n".join(commands_of_ci(tree))
    verify = []
    if "cargo fmt" in in_ci or tree.has("rustfmt.toml", ".rustfmt.toml"):
        verify.append("cargo fmt --check")
    if "cargo clippy" in in_ci or tree.has("clippy.toml", ".clippy.toml"):
        strict = " -- -D warnings" if re.search(r"-D\s*warnings", in_ci) else ""
        verify.append(f"cargo clippy{whole}{strict}")
    verify.append(f"cargo test{whole}")
    return Stack(
        "Rust",
        tuple(filter(None, (MANIFEST, lock))),
        setup=("cargo fetch --locked" if lock else "cargo fetch",),
        verify=tuple(verify),
        allowed=("cargo build", "cargo check", "cargo fmt"),
        programs=("cargo",),
        ignored=("target/",),
        port_variable="ROCKET_PORT" if re.search(r"^rocket\b", text, re.MULTILINE) else "",
    )
