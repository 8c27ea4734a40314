"""Help before the first run: templates of prompts, what a prompt lacks, completion in the shell."""
