"""One file a sub-command: its parser, and ``execute(arguments) -> exit code``."""
