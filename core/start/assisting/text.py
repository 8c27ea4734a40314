"""Findings of the dependency assistant, as lines for a terminal and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...model.excerpt import some
from ...model.frozen import dataclass, field
from ...model.terminal_text import one_line
from ...model.translate import _, shown
from ...model.words import counted, money
from ...reporter.style import Style
from .finding import Finding, Kind, Rule

VERSION = 1
"""Of the JSON document. A new key does not change it."""

COLOURS = {Kind.MISSING: "red", Kind.RISKY: "yellow", Kind.NEEDLESS: "cyan"}

INDENT = " " * 10

EVIDENCE = 4
"""Sentences of evidence that are shown at once, without Claude's."""


@dataclass(frozen=True)
class Opinions:
    """What became of Claude's opinion."""

    count: int = 0
    """How many opinions are evidence."""
    dropped: int = 0
    """How many could not be right: unknown features, cycles, nothing to change."""
    cost_usd: float | None = None
    fault: str = ""
    """Why there is no opinion."""


@dataclass(frozen=True)
class Result:
    """What ``assist`` found and did."""

    path: str
    findings: Sequence[Finding]
    """What is left."""
    accepted: Sequence[Finding] = ()
    changes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The new ``depends_on`` of the changed features."""
    is_written: bool = False
    is_running: bool = False
    """Whether a run is in progress."""
    unknown: Sequence[str] = ()
    """What could not be read, in words."""
    opinions: Opinions | None = None


# -- lines ------------------------------------------------------------------------------------


def finding_lines(finding: Finding, style: Style) -> Iterator[str]:
    """A finding with its evidence and its proposal."""
    kind = style.paint(_kind(finding.kind), COLOURS[finding.kind])
    gap = " " * max(1, len(INDENT) - len(_kind(finding.kind)))
    yield kind + gap + one_line(headline(finding))
    first = [each for each in finding.evidence if each.rule is not Rule.CLAUDE][:EVIDENCE]
    said = [each for each in finding.evidence if each in first or each.rule is Rule.CLAUDE]
    for each in said:
        yield INDENT + one_line(shown(each.text))
    if len(said) < len(finding.evidence):
        more = len(finding.evidence) - len(said)
        yield INDENT + _("and {count} more like these").format(count=more)
    yield f"{INDENT}{style.pick('→', '->')} {one_line(proposal(finding))}"


def _kind(kind: Kind) -> str:
    words = {Kind.MISSING: _("missing"), Kind.RISKY: _("risky"), Kind.NEEDLESS: _("needless")}
    return words[kind]


def headline(finding: Finding) -> str:
    """A finding in a few words."""
    rules = {each.rule for each in finding.evidence}
    others = some(finding.others, between=", ")
    if not finding.others:
        text = _("{feature} uses something that nothing creates")
    elif finding.kind is Kind.MISSING:
        text = _("{feature} needs {others}, but does not depend on it")
    elif finding.kind is Kind.NEEDLESS:
        text = _("{feature} need not depend on {others}")
    elif Rule.CLOSE in rules:
        text = _("{feature} uses what {others} creates under another name")
    elif not finding.is_a_change and Rule.USES in rules:
        text = _("{feature} and {others} need each other")
    else:
        text = _("{feature} and {others} may get in each other's way")
    return text.format(feature=finding.feature, others=others)


def proposal(finding: Finding) -> str:
    """What to do about a finding."""
    adds, removes = some(finding.adds), some(finding.removes)
    if finding.adds and finding.removes:
        text = _("replace {removes} with {adds} in depends_on of {feature}")
    elif finding.adds:
        text = _("add {adds} to depends_on of {feature}")
    elif finding.removes:
        text = _("remove {removes} from depends_on of {feature}")
    else:
        text = _("correct the list by hand")
    return text.format(feature=finding.feature, adds=adds, removes=removes)


def explanation(finding: Finding) -> list[str]:
    """The evidence that was not shown, and what accepting a finding means, in sentences."""
    names = {
        "feature": finding.feature,
        "adds": some(finding.adds),
        "removes": some(finding.removes),
    }
    said = [shown(each.text) for each in finding.evidence[EVIDENCE:]]
    if any(each.rule is Rule.IMPLIED for each in finding.evidence):
        said.append(
            _(
                "{feature} still waits for {removes}, and its branch still contains that work. "
                "Its prompt does not list {removes} as done any more."
            )
        )
    elif finding.removes:
        said.append(
            _(
                "{feature} no longer waits for {removes}, and its branch starts without that work: "
                "accept this only if {feature} needs nothing of it."
            )
        )
    if finding.adds:
        said.append(
            _(
                "{feature} starts when {adds} is completed, and its branch contains that work. "
                "If {adds} fails, {feature} is blocked."
            )
        )
    if finding.restarts:
        said.append(_("{feature} has begun: with other dependencies, it starts over."))
    return [sentence.format(**names) for sentence in said]


def summary(findings: Sequence[Finding]) -> str:
    """How many findings there are, and the next command."""
    if not findings:
        return _("No findings.")
    safe = sum(each.is_safe for each in findings)
    found = counted(len(findings), "finding")
    if not safe:
        return _("{findings}.").format(findings=found)
    return _("{findings}, {safe} of them safe: rorchestrator assist --yes accepts these.").format(
        findings=found, safe=safe
    )


def notes(result: Result) -> Iterator[str]:
    """What to know beside the findings."""
    if result.is_running:
        yield _("A run is in progress: it keeps the list that it began with.")
    for each in result.unknown:
        yield _("Left out of the evidence: {reason}").format(reason=shown(each))
    opinions = result.opinions
    if opinions is not None and opinions.fault:
        yield _("Claude gave no opinion: {reason} ({cost})").format(
            reason=shown(opinions.fault), cost=money(opinions.cost_usd)
        )
    elif opinions is not None:
        yield _("Claude gave {opinions}, and {dropped} that can't be right ({cost}).").format(
            opinions=counted(opinions.count, "opinion"),
            dropped=opinions.dropped,
            cost=money(opinions.cost_usd),
        )


def done_words(result: Result) -> list[str]:
    """What became of the list."""
    if not result.changes:
        return [_("Nothing was accepted; the list is unchanged.")]
    ids = some(tuple(result.changes))
    if not result.is_written:
        return [_("The patch changes depends_on of {features}.").format(features=ids)]
    return [
        _("Changed depends_on of {features} in {path}, and nothing else.").format(
            path=result.path, features=ids
        )
    ]


# -- JSON -------------------------------------------------------------------------------------


def document(result: Result) -> dict[str, object]:
    """The result as one object for JSON; see docs/commands/assist.md."""
    said = result.opinions
    return {
        "version": VERSION,
        "list": result.path,
        "findings": [_finding(each) for each in result.findings],
        "accepted": [_finding(each) for each in result.accepted],
        "changes": {id: list(needed) for id, needed in result.changes.items()},
        "written": result.is_written,
        "run_in_progress": result.is_running,
        "unknown": [one_line(each) for each in result.unknown],
        "claude": None
        if said is None
        else {
            "opinions": said.count,
            "dropped": said.dropped,
            "cost_usd": said.cost_usd,
            "fault": one_line(said.fault) or None,
        },
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind.value,
        "feature": finding.feature,
        "others": list(finding.others),
        "evidence": [
            {"rule": each.rule.value, "text": one_line(each.text)} for each in finding.evidence
        ],
        "add": list(finding.adds),
        "remove": list(finding.removes),
        "safe": finding.is_safe,
        "saves_seconds": finding.saves_seconds,
        "restarts": finding.restarts,
    }
