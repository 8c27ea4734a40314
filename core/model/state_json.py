"""The whole state as JSON and back, for a checkpoint of the fold.

Only values of known classes are made, so that a file can't make anything else. Each value that is
not plain is a list that begins with its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .again import Again
from .attempt import Attempt
from .check_verdict import CheckVerdict, Scope, Verdict
from .costs import Cost, Paid
from .frozen import Enum
from .handover import PullRequest, Push
from .json_values import Json
from .outcome import AttemptOutcome, Fault, Stage, Status, Stray, Usage, Work
from .phase import Phase
from .provenance import Estimate, Provenance
from .review import Answer, Comment, Review
from .state import Check, FeatureState, Landing, Move, Run, RunState, Skip, Wait
from .strategy import Strategy
from .window import Window

VALUES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        *(Attempt, AttemptOutcome, Check, Cost, Estimate, FeatureState, Landing, Paid, Provenance),
        *(Run, RunState, Stray, Usage, Wait, Window, Work),
        *(Again, CheckVerdict, Comment, Move, PullRequest, Push, Review),
    )
}

WORDS: Mapping[str, type[Enum]] = {
    each.__name__: each
    for each in (Answer, Fault, Phase, Scope, Skip, Stage, Status, Strategy, Verdict)
}

EMPTY: Mapping[str, object] = {}
"""The default of a field that is a mapping."""

PLAIN = frozenset((str, int, float, bool, type(None)))


def encoded(value: object) -> Json:
    """A value of the state as JSON. Raises ``TypeError`` for one of another class."""
    made = type(value)
    if made in PLAIN:
        return value
    if made in (tuple, list, frozenset):
        assert isinstance(value, (tuple, list, frozenset))
        return [made.__name__[0], *map(encoded, value)]
    if made is dict:
        assert isinstance(value, dict)
        return ["d", *((encoded(key), encoded(item)) for key, item in value.items())]
    if isinstance(value, Enum):
        return ["e", made.__name__, value.value]
    if VALUES.get(made.__name__) is not made:
        raise TypeError(f"{made.__name__} is no part of the state")
    # Most fields have their defaults: those would be four fifths of the file.
    defaults = vars(made)
    kept = {
        field: item if type(item) in PLAIN else encoded(item)
        for field, item in vars(value).items()
        if item != defaults.get(field, EMPTY)
    }
    return ["v", made.__name__, kept]


def decoded(given: Json) -> object:
    """The value that :func:`encoded` made JSON of.

    Raises ``ValueError``, ``TypeError`` or ``LookupError`` if it made none of it.
    """
    if type(given) is not list:
        return given
    kind, rest = given[0], given[1:]
    if kind == "v":
        name, fields = rest
        for field, item in fields.items():
            if type(item) is list:
                fields[field] = decoded(item)
        return VALUES[name](**fields)
    if kind == "e":
        name, word = rest
        return WORDS[name](word)
    if kind == "d":
        return {decoded(key): decoded(item) for key, item in rest}
    make: Mapping[str, Callable[[map[object]], object]] = {"t": tuple, "l": list, "f": frozenset}
    return make[kind](map(decoded, rest))
