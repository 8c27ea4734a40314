"""Numbers as words: money, durations, token counts, plurals."""

from __future__ import annotations

from .costs import dollars


def money(usd: float | None) -> str:
    """Dollars and cents, with more digits below a cent; ``cost unknown`` for ``None``."""
    if usd is None:
        return "cost unknown"
    return dollars(usd)


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


def tokens(count: int | None) -> str:
    """``~40k tokens``; ``? tokens`` without an estimate."""
    if count is None:
        return "? tokens"
    return f"~{count / 1000:g}k tokens" if count >= 1000 else f"~{count} tokens"


def counted(count: int, noun: str) -> str:
    """``1 feature``, ``2 features``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
