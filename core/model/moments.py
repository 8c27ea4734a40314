"""Times for people: in the local zone, with their date."""

from __future__ import annotations


def moment(at: float) -> str:
    """A time in seconds since 1970 as ``2026-11-29 14:02:31``."""
    from datetime import datetime

    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def minute(at: float) -> str:
    """The same without seconds: ``2026-11-29 14:02``."""
    from datetime import datetime

    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def minute_of(iso: str) -> str:
    """A time of the journal or the lock (ISO 8601); as it is if it is none."""
    from datetime import datetime

    try:
        return minute(datetime.fromisoformat(iso).timestamp())
    except (ValueError, OverflowError, OSError):
        return iso


def clock(at: float, day_of: float) -> str:
    """``14:02:31``; with its date if that is not the date of ``day_of``."""
    from datetime import datetime

    local = datetime.fromtimestamp(at)
    if local.date() == datetime.fromtimestamp(day_of).date():
        return local.strftime("%H:%M:%S")
    return moment(at)
