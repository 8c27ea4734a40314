"""Faults on purpose: crashes, signals, agents that misbehave, and a world that does."""
