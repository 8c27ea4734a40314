"""Completed features handed to others: pushes, pull requests, feedback; landings undone."""
