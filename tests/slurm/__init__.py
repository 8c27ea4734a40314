"""A real Slurm on this machine, and what is proved with it: `python3 -m tests.slurm`."""
