"""Sub-commands, one file each: ``configure(parser)`` and ``execute(arguments) -> exit code``."""
