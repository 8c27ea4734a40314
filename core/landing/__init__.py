"""Finished features merged onto a branch, with their checks."""
