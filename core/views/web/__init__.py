"""The web page of a run: an HTTP server on this machine, fed from the journal."""
