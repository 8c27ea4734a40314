"""Context managers: a fast `suppress` and `contextmanager`, for a short start-up.

The import of ``contextlib`` takes a millisecond at each start. So what every command imports has
these. Type checkers see the real ones. No block raises ``StopIteration``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import contextmanager, suppress

    __all__ = ["contextmanager", "suppress"]
else:

    class suppress:
        """Ends a block silently at one of the exceptions."""

        def __init__(self, *kinds):
            self._kinds = kinds

        def __enter__(self):
            pass

        def __exit__(self, kind, error, trace):
            return kind is not None and issubclass(kind, self._kinds)

    def contextmanager(steps):
        """A context manager of a generator function: it yields once, where the block runs."""

        def made(*values, **named):
            return _Managed(steps(*values, **named))

        return made

    class _Managed:
        def __init__(self, steps):
            self._steps = steps

        def __enter__(self):
            return next(self._steps)

        def __exit__(self, kind, error, trace):
            try:
                if error is None:
                    next(self._steps)
                else:
                    self._steps.throw(error)
            except StopIteration:
                return error is not None
            except BaseException as raised:
                if raised is not error:
                    raise
                error.__traceback__ = trace  # without the lines of this method
                return False
            raise RuntimeError(self._steps)  # It yielded again.
