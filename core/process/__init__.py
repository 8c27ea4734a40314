"""Child processes: the only place that starts, signals or reaps one."""
