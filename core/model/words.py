"""Numbers as words, in the language of the user: money, durations, token counts, plurals."""

from __future__ import annotations

from . import english
from .costs import dollars
from .patterns import pattern
from .translate import N_, _, language, ngettext


def waits_for_review(count: int) -> str:
    """That a run waits until so many features are reviewed."""
    return _("waits for your review of {features}").format(features=counted(count, "feature"))


def headed(head: str, rest: str) -> str:
    """``head: rest``, with the space that French has before a colon."""
    return _("{head}: {rest}").format(head=head, rest=rest)


def money(usd: float | None) -> str:
    """Dollars and cents, with more digits below a cent; ``cost unknown`` for ``None``."""
    return _("cost unknown") if usd is None else figure(dollars(usd))


def limit(usd: float) -> str:
    """An amount that the user chose: ``$10.00``; in French whole dollars are ``10 $``."""
    return money(usd).replace(",00", "")


def cents(usd: float) -> str:
    """Dollars and cents, whatever the amount."""
    return figure(f"${usd:.2f}")


def duration(seconds: float) -> str:
    """``0.8s``, ``45s``, ``2m30s``, ``1h05m``."""
    return figure(english.duration(seconds))


def tokens(count: int | None) -> str:
    """``~40k tokens``; ``? tokens`` without an estimate."""
    if count is None:
        return _("? tokens")
    if count >= 1000:
        return _("~{thousands}k tokens").format(thousands=decimal(f"{count / 1000:g}"))
    return _("~{count} tokens").format(count=count)


def counted(count: int, noun: str) -> str:
    """``1 feature``, ``2 features``."""
    return ngettext(f"{{count}} {noun}", f"{{count}} {noun}s", count).format(count=whole(count))


def whole(number: int) -> str:
    """A number, its thousands apart as the language has them: ``12345``, in French ``12 345``."""
    return str(number) if language() == "en" else f"{number:,}".replace(",", "\u202f")


def thousands(number: int) -> str:
    """``12,345``, in French ``12 345``."""
    return f"{number:,}" if language() == "en" else whole(number)


def decimal(number: str) -> str:
    """``1.5``, in French ``1,5``."""
    return number if language() == "en" else number.replace(".", ",")


UNITS = (N_("bytes"), N_("kB"), N_("MB"), N_("GB"), N_("TB"))


def size(count: float) -> str:
    """A number of bytes: ``640 bytes``, ``12.4 MB``."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    number = decimal(f"{count:.1f}" if unit else f"{count:.0f}")
    return f"{number} {_(UNITS[unit])}"


def percent(share: float) -> str:
    """``90 %``, with a space that breaks no line."""
    return f"{100 * share:.0f} %" if language() == "en" else f"{100 * share:.0f}\u00a0%"


_FIGURE = pattern(
    r"(?P<whole>\d{1,3}(?:,\d{3})+)|(?P<usd>\$\d+\.\d+)|"
    r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:\.\d)?)s)?"
)


def figure(text: str) -> str:
    """A number, an amount of money or a duration as English has it; other text as it is."""
    found = None if language() == "en" else _FIGURE.fullmatch(text)
    if not text or found is None:
        return text
    if found["whole"]:
        return text.replace(",", "\u202f")
    if found["usd"]:
        return decimal(f"{found['usd'][1:]}\u00a0$")
    units = (("hours", "h"), ("minutes", "min"), ("seconds", "s"))
    parts = (f"{found[name]}\u00a0{unit}" for name, unit in units if found[name])
    return decimal("\u00a0".join(parts))
