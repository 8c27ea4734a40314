"""Child processes: the only room that starts, signals or reaps one."""
