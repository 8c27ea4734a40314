"""A feature list and its repository: opened, checked, decided about."""
