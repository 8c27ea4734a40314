"""Landing: `merge` of completed features onto a branch, and `cleanup` of their worktrees."""
