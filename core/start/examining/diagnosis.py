"""What `doctor` finds: lines with a level and the command that mends it, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ...model.errors import UserError
from ...model.excerpt import listed
from ...model.frozen import Enum, dataclass
from ...model.terminal_text import one_line
from ...model.translate import N_, _, shown
from ...model.words import counted
from ...reporter.style import Style

SHOWN = 5
"""The details of an error in one line."""


class Level(Enum):
    """How good a line is. Only a fault keeps a run from starting or a feature from completing."""

    OK = N_("ok")
    WARNING = N_("warning")
    FAULT = N_("fault")


TOPICS = (
    *(N_("base branch"), N_("claude"), N_("copy, link"), N_("disk"), N_("hooks")),
    *(N_("identity"), N_("leftovers"), N_("lfs"), N_("list"), N_("project"), N_("prompts")),
    *(N_("python"), N_("repository"), N_("rules"), N_("sign-in"), N_("state"), N_("submodules")),
    *(N_("usage limit"), N_("worktrees"), N_("wrapper")),
)
"""What lines are about, in the words of JSON; other topics are names of programs."""

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "red"}


@dataclass(frozen=True)
class Line:
    """What was found about one topic."""

    topic: str
    level: Level
    said: str
    command: str = ""
    """What to type, or to correct."""

    def to_json(self) -> dict[str, object]:
        """The line as an object for JSON."""
        return {
            "topic": self.topic,
            "level": self.level.value,
            "message": one_line(self.said),
            "command": one_line(self.command) or None,
        }


def ok(topic: str, said: str) -> Line:
    """A line about something that is as it should be."""
    return Line(topic, Level.OK, said)


def warning(topic: str, said: str, command: str = "") -> Line:
    """A line about something that may be intended."""
    return Line(topic, Level.WARNING, said, command)


def fault(topic: str, said: str, command: str = "") -> Line:
    """A line about something that has to be mended."""
    return Line(topic, Level.FAULT, said, command)


def of_error(topic: str, error: UserError) -> Line:
    """The line of an error that ``run`` would end with."""
    return fault(topic, "; ".join((error.message, *listed(error.details, SHOWN))), error.hint)


def attempted(topic: str, examine: Callable[[], Iterable[Line]]) -> list[Line]:
    """The lines of ``examine``; a fault if it raises, because the other topics still count."""
    try:
        return list(examine())
    except UserError as error:
        return [of_error(topic, error)]
    except OSError as error:
        return [fault(topic, str(error))]


def count(lines: Iterable[Line], level: Level) -> int:
    """How many of the lines have this level."""
    return sum(line.level is level for line in lines)


def document(lines: Sequence[Line]) -> dict[str, object]:
    """All lines as one object for JSON."""
    return {
        "faults": count(lines, Level.FAULT),
        "warnings": count(lines, Level.WARNING),
        "lines": [line.to_json() for line in lines],
    }


def text_lines(lines: Sequence[Line], style: Style, *, quiet: bool) -> Iterator[str]:
    """The lines for a terminal, then their sum; with ``quiet``, only what is not ok."""
    width = max((len(_(line.topic)) for line in lines), default=0)
    room = max(len(_(level.value)) for level in Level)
    for line in lines:
        if quiet and line.level is Level.OK:
            continue
        level = _(line.level.value)
        gap = " " * (room - len(level))
        painted = style.paint(level, COLOURS[line.level])
        yield f"{painted}{gap}  {_(line.topic):<{width}}  {one_line(shown(line.said))}"
        if line.command:
            yield f"{' ' * (room + 2)}{style.pick('→', '->')} {one_line(shown(line.command))}"
    faults, warnings = count(lines, Level.FAULT), count(lines, Level.WARNING)
    yield f"{counted(faults, 'fault')}, {counted(warnings, 'warning')}."
