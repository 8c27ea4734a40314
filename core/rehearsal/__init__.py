"""A run without Claude, in a temporary copy of the repository."""
