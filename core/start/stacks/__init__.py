"""What a repository is built with: one file for each ecosystem, all of them pure."""
