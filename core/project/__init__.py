"""A feature list and its repository: loaded, checked, compared with the recorded state."""
