"""What a reviewer needs to decide about completed features, and the proof of their checks."""
