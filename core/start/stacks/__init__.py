"""What a repository is built with: one file for each language, all of them pure."""
