"""Plans of other tools: one reader for each format, and the merge into the feature list."""
