"""A feature list run on a cluster with Slurm: one job for each feature."""
