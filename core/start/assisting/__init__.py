"""`assist`: findings on the dependencies of a list, with their evidence, and its changes."""
