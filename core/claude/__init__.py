"""The protocol of the Claude Code CLI: its arguments, prompts and output stream."""
