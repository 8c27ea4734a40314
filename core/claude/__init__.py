"""The protocol of the Claude Code CLI: arguments, prompts, output stream."""
