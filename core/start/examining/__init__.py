"""`doctor`: what it examines, and the lines that it finds."""
