"""Help before the first run: what it needs, templates, what a prompt lacks, completion."""
