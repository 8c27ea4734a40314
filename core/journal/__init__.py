"""The state folder: journal, lock, control requests."""
