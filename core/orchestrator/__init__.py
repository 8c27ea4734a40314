"""One run: which feature starts next, and control requests meanwhile."""
