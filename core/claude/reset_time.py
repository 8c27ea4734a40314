"""Parses the reset time in usage limit messages: "resets 3pm", "limit reached|1749924000".

The event in the stream is exact and preferred; the wording of messages changes between versions.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

EPOCH = re.compile(r"\|\s*(\d{10})(\d{3})?\b")
"""``Claude AI usage limit reached|1749924000``: seconds since 1970, or milliseconds."""

RESETS = re.compile(
    r"resets?\s+(?:at\s+)?"
    r"(?:(?P<month>[A-Z][a-z]{2})[a-z]*\.?\s+(?P<day>\d{1,2})(?:,)?\s+(?:at\s+)?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>[ap]m)?"
    r"(?:\s*\((?P<zone>[A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*)\))?",
    re.IGNORECASE,
)
"""``resets 1:30am (Europe/Berlin)``, ``resets Oct 9, 10am``, ``resets 14:00``."""

JUST_OVER = timedelta(hours=1)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def resets_at(text: str, now: float) -> float | None:
    """The reset time in a message, in seconds since 1970; ``None`` if it names none.

    A time of day is the next one after ``now``, or one of the last hour, because a reset may be
    late. It is in the named zone, else local time.
    """
    epoch = EPOCH.search(text)
    if epoch:
        return float(epoch[1])
    found = RESETS.search(text)
    if not found or not (found["half"] or found["minute"]):
        return None
    zone = _zone(found["zone"])
    return _next(found, datetime.fromtimestamp(now, zone) if zone else _local(now), zone)


def _local(now: float) -> datetime:
    return datetime.fromtimestamp(now)


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    if name.upper() in ("UTC", "GMT"):
        return timezone.utc
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None  # unknown here; local time is the best guess


def _next(found: re.Match[str], here: datetime, zone: tzinfo | None) -> float | None:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    try:
        at = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if found["month"] and found["month"].lower() in MONTHS:
            month = MONTHS.index(found["month"].lower()) + 1
            at = at.replace(month=month, day=int(found["day"]))
            if at < here - timedelta(days=1):
                at = at.replace(year=at.year + 1)
        elif at <= here - JUST_OVER:
            at += timedelta(days=1)
    except ValueError:
        return None
    return at.timestamp()
