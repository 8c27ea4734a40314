"""The result of a run as JUnit XML, which Jenkins, GitLab and other CI systems read.

A case a feature, in the form of maven-surefire: attempts before the last one are ``flakyFailure``
or ``flakyError`` of a feature that completed, ``rerunFailure`` or ``rerunError`` of another one.
And a case a check that has a verdict: few systems show the output of a case that passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from ..model.attempt import Attempt
from ..model.check_verdict import CheckVerdict, Scope, Verdict
from ..model.excerpt import excerpt
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.terminal_text import clean, one_line
from ..model.words import counted, duration
from ..reporter.cost_text import spent
from ..reporter.style import shorten
from ..reporter.verdict_table import FAILING, MEANINGS, in_order
from .run_markdown import STYLE, changes, judged_in
from .run_view import CheckView, FeatureView, RunView

ORDER = (
    *("failure", "rerunFailure", "skipped", "error", "rerunError"),
    *("flakyFailure", "flakyError", "system-out"),
)
"""The elements of a case, in the order of surefire's schema."""

SAID_LINES = 40
SAID_CHARACTERS = 4_000
"""Of what Claude said at the end of an attempt."""

NAME_CHARACTERS = 200
"""Of a check."""

_NEVER_RAN = (Status.BLOCKED, Status.SKIPPED, Status.PENDING)
_OWN_RESULTS = (Fault.NONE, Fault.CHECK)

_INVALID = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold."""

_Element = tuple[str, str]
"""The name of an element, and its text."""


def junit(view: RunView) -> str:
    """The document of a run. Texts have to be masked before."""
    report = view.report
    name = clean(report.project_name)
    kept, left = report.up_to_date or (), report.left or ()
    checks = _check_cases(view)
    kinds = [*map(kind_of, view.features), *(_kind_of_verdict(each) for __, each in checks)]
    suite = {
        "name": name,
        "tests": str(len(kinds) + len(kept) + len(left)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped") + len(left)),
        "time": f"{view.seconds:.3f}",
        "timestamp": datetime.fromtimestamp(view.run.started_at).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    run = view.run
    properties = {"run": run.id, "base_branch": run.base_branch, "base_commit": run.base_commit}
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f"<testsuite{_attributes(suite)}>",
            "<properties>",
            *(f"<property{_attributes({'name': n, 'value': v})}/>" for n, v in properties.items()),
            "</properties>",
            *(_case(name, each.id, each.seconds, _elements(each)) for each in view.features),
            *(_case(f"{name}.checks", id, 0.0, _of_verdict(made)) for id, made in checks),
            *(_case(name, id, 0.0, [_element("system-out", "up to date")]) for id in kept),
            *(_case(name, id, 0.0, [_element("skipped", "", message="skipped")]) for id in left),
            "</testsuite>\n",
        ]
    )


def kind_of(feature: FeatureView) -> str:
    """``failure`` by its own result, ``error`` for another reason, or ``skipped``; else empty."""
    status = feature.status
    if status is Status.COMPLETED:
        return ""
    if status in _NEVER_RAN or (status is Status.CANCELLED and not feature.attempts):
        return "skipped"
    return "failure" if feature.known.fault in _OWN_RESULTS else "error"


def _case(suite: str, id: str, seconds: float, elements: list[_Element]) -> str:
    head = {"name": id, "classname": suite, "time": f"{seconds:.3f}"}
    inside = sorted(elements, key=lambda element: ORDER.index(element[0]))
    return "\n".join([f"<testcase{_attributes(head)}>", *(e[1] for e in inside), "</testcase>"])


def _elements(feature: FeatureView) -> list[_Element]:
    kind, known = kind_of(feature), feature.known
    elements = [_element("system-out", "\n".join(_output(feature)))]
    if kind:
        reason = clean(known.reason) or known.status.words
        given = {"message": _first_line(reason)}
        if kind != "skipped":
            given["type"] = _type(known.status, known.fault)
        commands = (f"next: {command}" for command in feature.next_commands)
        elements.append(_element(kind, "\n".join([reason, *commands]), **given))
    for attempt, after in zip(feature.attempts, feature.attempts[1:]):
        elements.append(_rerun(feature, attempt, after, "rerun" if kind else "flaky"))
    return elements


def _rerun(feature: FeatureView, attempt: Attempt, after: Attempt, how: str) -> _Element:
    """An attempt that another one followed."""
    outcome = attempt.outcome or AttemptOutcome(Status.CANCELLED, fault=Fault.INTERRUPTED)
    fault, reason = outcome.fault, clean(outcome.reason)
    failing = [
        check
        for check in feature.checks
        if not check.passed and attempt.started_at <= check.at <= after.started_at
    ]
    if failing and fault is Fault.NONE:
        fault, reason = Fault.CHECK, _check(failing[-1])
    reason = reason or outcome.status.words
    said = excerpt(clean(outcome.result), lines=SAID_LINES, characters=SAID_CHARACTERS)
    name = f"{how}{'Failure' if fault in _OWN_RESULTS else 'Error'}"
    given = {
        "message": f"attempt {attempt.number}: {_first_line(reason)}",
        "type": _type(outcome.status, fault),
    }
    inside = [_element("stackTrace", reason)[1], _element("system-out", said)[1]]
    return name, f"<{name}{_attributes(given)}>{''.join(inside)}</{name}>"


def _output(feature: FeatureView) -> Iterator[str]:
    """What became of the feature, and its checks with the end of their output."""
    if not feature.spans:
        yield f"{clean(feature.name)}: {feature.status.words}"
        return
    cost, attempts = feature.cost, counted(len(feature.attempts), "attempt")
    price = spent(cost.usd, cost.about_usd, STYLE, complete=cost.is_complete)
    ending = f"{feature.status.words} in {duration(feature.seconds)}"
    yield f"{clean(feature.name)}: {ending}, {attempts}, {price}"
    if feature.work:
        commit = feature.work.commit[:12]
        yield f"{clean(feature.known.branch)} at {commit}: {changes(feature.work)}"
    for check in feature.checks:
        yield ""
        yield _check(check)
        yield from check.lines


# -- the verdicts on checks ---------------------------------------------------------------------


def _check_cases(view: RunView) -> list[tuple[str, CheckVerdict]]:
    """The checks that have a verdict, each with a name that no other case has."""
    cases: dict[str, CheckVerdict] = {}
    for id, verdicts in judged_in(view):
        for made in in_order(verdicts):
            whose = " (project)" if made.scope is Scope.PROJECT else ""
            name = f"{id}: {shorten(one_line(made.check), NAME_CHARACTERS, STYLE)}"
            cases[_unused(f"{name}{whose}", cases)] = made
    return list(cases.items())


def _unused(name: str, used: Mapping[str, object]) -> str:
    number, unused = 1, name
    while unused in used:
        number += 1
        unused = f"{name} #{number}"
    return unused


def _kind_of_verdict(made: CheckVerdict) -> str:
    """What fails without being the feature's fault is skipped: nobody has to look at it."""
    if made.verdict is Verdict.NOT_YOURS:
        return "skipped"
    return "failure" if made.verdict in FAILING else ""


def _of_verdict(made: CheckVerdict) -> list[_Element]:
    said = f"{made.verdict.value}: {MEANINGS[made.verdict]}"
    output = [
        said,
        f"at the start: {clean(made.before) or '-'}",
        f"now: {clean(made.after) or '-'}",
    ]
    output += [f"proves nothing: {one_line(file)}" for file in made.proves_nothing]
    elements = [_element("system-out", "\n".join(output))]
    kind, type = _kind_of_verdict(made), made.verdict.value
    if kind == "skipped":
        elements.append(_element(kind, "", message=said))
    elif kind:
        elements.append(_element(kind, "\n".join(output), message=said, type=type))
    elif made.verdict is Verdict.FLAKY:
        trace = _element("stackTrace", said)[1]
        head = _attributes({"message": said, "type": type})
        elements.append(("flakyFailure", f"<flakyFailure{head}>{trace}</flakyFailure>"))
    return elements


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _check(check: CheckView) -> str:
    return f"check `{clean(check.command)}` {'passed' if check.passed else clean(check.ending)}"


def _type(status: Status, fault: Fault) -> str:
    return status.value if fault is Fault.NONE else fault.value


def _element(name: str, text: str, **attributes: str) -> _Element:
    return name, f"<{name}{_attributes(attributes)}>{_text(text)}</{name}>"


def _attributes(given: Mapping[str, str]) -> str:
    quoted = {"\n": "&#10;", "\t": "&#9;", '"': "&quot;"}
    found = []
    for name, value in given.items():
        text = _text(value)
        for character, reference in quoted.items():
            text = text.replace(character, reference)
        found.append(f' {name}="{text}"')
    return "".join(found)


def _text(text: str) -> str:
    valid = _INVALID.sub("\ufffd", text)
    return valid.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
