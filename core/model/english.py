"""Numbers as English words, for what is recorded: durations and plurals."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """``0.8s``, ``45s``, ``2m30s``, ``1h05m``."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    return f"{minutes // 60}h{minutes % 60:02}m"


def counted(count: int, noun: str) -> str:
    """``1 feature``, ``2 features``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
