"""Frozen values and words: a fast `dataclass(frozen=True)`, `field`, `replace` and `Enum`.

With the real ``dataclasses``, ``plan`` takes 103 ms instead of 62 and ``status`` 105 instead of 55
(Python 3.13; 95 instead of 57 and 88 instead of 53 on 3.9): their import takes 8 to 12 ms, and
each of some sixty classes half a millisecond. So every class that ``plan`` or ``status`` imports
is one of these. Type checkers see the real ones. There is no inheritance, and mutable values use
``dataclasses``.

The members of an ``Enum`` are strings. With the real ``enum``, they take a twentieth of a ``plan``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
    from enum import Enum

    __all__ = ["Enum", "dataclass", "field", "replace"]
else:

    class field:
        """A field with a new default for each value."""

        def __init__(self, *, default_factory):
            self.make = default_factory

    def dataclass(*, frozen):
        """Turn the annotated names of a class into the fields of a frozen value."""
        assert frozen, "mutable values use dataclasses.dataclass"
        return _decorate

    def _decorate(cls):
        names = tuple(cls.__annotations__)
        given = {name: vars(cls)[name] for name in names if name in vars(cls)}
        factories = {name: value.make for name, value in given.items() if type(value) is field}
        defaults = {name: value for name, value in given.items() if name not in factories}
        for name in factories:
            delattr(cls, name)

        def __init__(self, *values, **named):
            state = self.__dict__
            state.update(defaults)
            if values:
                state.update(zip(names, values))
            state.update(named)
            for name, make in makers:
                if name not in state:
                    state[name] = make()
            if len(state) != count or len(values) > count or not known.issuperset(named):
                raise TypeError(f"{cls.__name__} takes {', '.join(names)}")

        known, count, makers = frozenset(names), len(names), tuple(factories.items())
        cls._names = names
        cls.__init__ = __init__
        cls.__setattr__ = cls.__delattr__ = _refuse
        cls.__eq__, cls.__hash__, cls.__repr__ = _equals, _hash, _show
        return cls

    def _refuse(self, name, *_):
        raise AttributeError(f"{type(self).__name__}.{name} is frozen")

    def _values(self):
        return tuple(getattr(self, name) for name in self._names)

    def _equals(self, other):
        return _values(self) == _values(other) if type(self) is type(other) else NotImplemented

    def _hash(self):
        return hash(_values(self))

    def _show(self):
        pairs = zip(self._names, _values(self))
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def replace(value, /, **changes):
        """A copy of ``value`` with some fields changed."""
        known = value.__dict__
        copy = object.__new__(type(value))
        state = copy.__dict__
        state.update(known)
        state.update(changes)
        if len(state) != len(known):
            raise TypeError(f"{type(value).__name__} takes {', '.join(known)}")
        return copy

    class _Members(type):
        """The class of a kind of words, which knows all of them."""

        def __init__(cls, name, bases, body):
            cls._members = {}
            for word, value in body.items():
                if type(value) is str and not word.startswith("_"):
                    member = cls._members[value] = object.__new__(cls)
                    member.__dict__.update(name=word, value=value)
                    setattr(cls, word, member)

        def __call__(cls, value):
            try:
                return cls._members[value]
            except (KeyError, TypeError):  # unknown, or a list or an object
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __iter__(cls):
            return iter(cls._members.values())

    class Enum(metaclass=_Members):
        """A kind of words: ``Kind(value)`` is a member, ``Kind`` itself lists them."""

        __setattr__ = __delattr__ = _refuse

        def __reduce__(self):
            return type(self), (self.value,)

        def __repr__(self):
            return f"{type(self).__name__}.{self.name}"
