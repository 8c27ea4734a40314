"""The only room with a git command line."""
