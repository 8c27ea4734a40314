"""Help before the first run: templates of prompts, and what a prompt lacks."""
