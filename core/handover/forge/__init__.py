"""The forges: GitHub through the user's own ``gh``, GitLab through ``glab``."""
