"""`decompose`: what Claude is asked, what its answer must be, and how it becomes a list."""
