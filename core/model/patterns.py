"""Regular expressions that are compiled at their first use, for a short start-up.

``plan`` imports some forty and uses ten; all together take five milliseconds to compile.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import compile as pattern

    __all__ = ["pattern"]
else:
    import re

    class pattern:
        """A pattern as ``re.compile`` makes it; only for its methods, not for those of ``re``."""

        def __init__(self, text, flags=0):
            self._given = (text, flags)

        def __getattr__(self, name):
            found = getattr(re.compile(*self._given), name)
            self.__dict__[name] = found  # From now on, without this method.
            return found
