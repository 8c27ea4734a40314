"""One feature, from its worktree to its result: setup, Claude, checks, commit."""

from .claude_runner import ClaudeRunner

__all__ = ["ClaudeRunner"]
