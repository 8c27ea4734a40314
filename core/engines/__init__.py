"""A feature list run on many machines: the contract for one feature, and engines that exist."""
