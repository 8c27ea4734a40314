"""The lines of ``status``: heading, table of the features, details below it, strays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from ..model.costs import Cost, total_usd
from ..model.excerpt import some
from ..model.moments import minute, minute_of, moment
from ..model.outcome import Status, Stray
from ..model.state import Run
from ..model.terminal_text import clean, one_line, quoted
from ..model.translate import N_, _, ngettext, shown
from ..model.words import counted, duration, headed, money, percent, size, waits_for_review
from .cost_text import spent
from .project_status import Checkout, FeatureStatus, PredictedConflict, ProjectStatus
from .style import GLYPHS, Style, shorten, table_lines, table_width

COLUMNS = (
    *(N_("FEATURE"), N_("STATUS"), N_("COST"), N_("TIME"), N_("AHEAD"), N_("MERGED"), N_("BRANCH")),
    N_("WORKTREE"),
)

DISPENSABLE = ("WORKTREE", "BRANCH", "AHEAD", "MERGED", "TIME", "COST")
"""The columns that are left out where there is no room, in this order."""

SHORTEST_ID = 8

STRAYS_SHOWN = 10


def status_lines(
    status: ProjectStatus,
    style: Style,
    *,
    quiet: bool = False,
    verbose: bool = False,
    wide: bool = False,
) -> Iterator[str]:
    """The status of a project; ``quiet`` omits the heading, ``verbose`` adds sessions, checks.

    With ``verbose`` or ``wide`` the table has all columns, else those that fit.
    """
    if not quiet:
        yield from _heading(status, style)
    rows = [COLUMNS, *(_row(feature, style, status.owner) for feature in status.features)]
    fitting = rows if verbose or wide else _fitting(rows, style)
    colours = ["", *(_colour(feature) for feature in status.features)]

    def paint(row: int, column: int, cell: str) -> str:
        return style.paint(cell, colours[row]) if column == 1 and colours[row] else cell

    heading, *rest = table_lines(fitting, paint)
    yield style.paint(heading, "bold")
    yield from rest
    if not quiet:
        yield from _total(status, style)
        yield from _verdicts(status)
    has_worktrees = len(fitting[0]) == len(COLUMNS)
    for feature in status.features:
        yield from _details(feature, style, verbose=verbose, has_worktrees=has_worktrees)
    if status.strays:
        yield ""
        yield from map(one_line, stray_lines(status.strays, status.git_folder))


def _fitting(rows: Sequence[Sequence[str]], style: Style) -> Sequence[Sequence[str]]:
    """The rows without the columns that there is no room for, and with shorter ids if needed."""
    for name in DISPENSABLE:
        if table_width(rows) <= style.width:
            return rows
        left = rows[0].index(name)
        rows = [[cell for at, cell in enumerate(row) if at != left] for row in rows]
    rest = table_width([row[1:] for row in rows]) + 2
    room = max(SHORTEST_ID, style.width - rest)
    return [[shorten(row[0], room, style), *row[1:]] for row in rows]


def _colour(feature: FeatureStatus) -> str:
    """The colour of a feature's status; empty for none."""
    if feature.is_active:
        return "cyan"
    was_killed = feature.state.status.active
    return "yellow" if was_killed else GLYPHS.get(feature.state.status, ("", "", ""))[2]


def _total(status: ProjectStatus, style: Style) -> Iterator[str]:
    """What all features cost over all runs, and how many are completed."""
    features = status.features
    if len(features) < 2:
        return
    cost = sum((feature.state.cost for feature in features), Cost())
    said = spent(cost.usd, cost.about_usd, style, complete=cost.is_complete)
    if any(feature.is_active for feature in features):
        said = _("{cost} so far").format(cost=money(cost.known_usd))
    resolved = total_usd(feature.resolution_cost_usd or 0.0 for feature in features)
    more = _(" + {cost} for conflicts").format(cost=money(resolved)) if resolved else ""
    done = sum(feature.state.status is Status.COMPLETED for feature in features)
    yield _("Total: {said}{more} over all runs, {done} of {count} completed").format(
        said=said, more=more, done=done, count=len(features)
    )


def _verdicts(status: ProjectStatus) -> Iterator[str]:
    """The checks that counted as passed, and did not simply pass."""
    made = [each for feature in status.features for each in feature.state.verdicts.values()]
    if not made:
        return
    from ..model.check_verdict import Verdict

    for verdict in (Verdict.NOT_YOURS, Verdict.FLAKY):
        checks = list(dict.fromkeys(each.check for each in made if each.verdict is verdict))
        text = ngettext(
            "{count} check is flaky: {checks}", "{count} checks are flaky: {checks}", len(checks)
        )
        if verdict is Verdict.NOT_YOURS:
            text = ngettext(
                "{count} check failed at the start commit, too: not yours ({checks})",
                "{count} checks failed at the start commit, too: not yours ({checks})",
                len(checks),
            )
        if checks:
            named = shown(some([f"`{check}`" for check in checks]))
            yield one_line(text.format(count=len(checks), checks=named))


def stray_lines(strays: Iterable[tuple[str, Stray]], git_folder: str) -> Iterator[str]:
    """Branches and worktrees of no feature, and the commands that remove them."""
    where = quoted(git_folder)
    for number, (id, stray) in enumerate(strays):
        if number == STRAYS_SHOWN:
            yield _("… and more: {commands}").format(
                commands="git worktree list; git branch --list 'worktree-agent-*'"
            )
            return
        words = [f"worktree remove {quoted(stray.worktree)}"] if stray.worktree else []
        words += [f"branch -d {quoted(stray.branch)}"] if stray.branch else []
        whose = headed(id, "") if id else ""
        commands = " && ".join(f"git -C {where} {word}" for word in words)
        yield _(
            "{whose}{stray} belongs to no feature and is left alone. To remove it: {commands}"
        ).format(whose=whose, stray=shown(str(stray)), commands=commands)


def _heading(status: ProjectStatus, style: Style) -> Iterator[str]:
    base = f"{status.base_branch} ({status.base_commit[:10]})"
    claude = shown(status.claude) or _("not found: install it, or set claude.command in the list")
    yield style.paint(one_line(status.project_name), "bold")
    yield one_line(
        _("Repository: {repository}, base {base}").format(repository=status.repository, base=base)
    )
    yield one_line(_("Claude: {claude}").format(claude=claude))
    yield one_line(_("In progress: {progress}").format(progress=_progress(status)))
    for window in status.windows:
        reset = (
            ""
            if window.resets_at is None
            else _(", reset {time}").format(time=minute(window.resets_at))
        )
        yield one_line(
            _("Usage: {window} {share}{reset}").format(
                window=_(window.name), share=percent(window.percent / 100), reset=reset
            )
        )
    if status.setups:
        taken = size(sum(each.bytes for each in status.setups))
        entries = ngettext("{count} entry", "{count} entries", len(status.setups))
        yield _("Setup cache: {entries}, {size}").format(
            entries=entries.format(count=len(status.setups)), size=taken
        )
    if status.other_lists:
        others = ", ".join(status.other_lists)
        yield one_line(
            _("Other lists: {others} (--all-lists shows their features)").format(others=others)
        )
    yield ""


def _progress(status: ProjectStatus) -> str:
    """Which command is in progress, and what it waits for."""
    holder, run = status.holder, status.run
    if holder is None:
        return _("nothing") + _last_run(run)
    words = _("{command}, pid {pid}, since {time}").format(
        command=holder.command, pid=holder.pid, time=minute_of(holder.started_at)
    )
    if run is not None and run.owner not in ("", status.owner):
        words += _(", of {owner}").format(owner=run.owner)
    if run is not None and run.paused_until and run.ended_at is None:
        words += _(", waiting for a usage limit until {time}").format(
            time=minute_of(run.paused_until)
        )
    if status.is_paused:
        words += _("; paused (to continue: rorchestrator resume)")
    if status.unreviewed:
        waits = waits_for_review(status.unreviewed)
        words += _("; {waits} (to continue: rorchestrator review)").format(waits=waits)
    return words


def _last_run(run: Run | None) -> str:
    if run is None:
        return ""
    if run.ended_at is None:
        return _("; the last run was killed, it began {time}").format(time=minute(run.started_at))
    return _("; the last run ended {time}, exit code {exit_code}").format(
        time=minute(run.ended_at), exit_code=run.exit_code
    )


def _row(feature: FeatureStatus, style: Style, owner: str) -> list[str]:
    state, checkout = feature.state, feature.checkout
    other = "" if feature.in_list else state.owner
    seconds = feature.duration_seconds
    cells = (
        f"{feature.id} ({other})" if other not in ("", owner) else feature.id,
        _(feature.status.replace("_", " ")) + _review(feature),
        _cost(feature, style) + _resolution_cost(feature),
        "-" if seconds is None else duration(seconds),
        str(checkout.ahead),
        _merged(feature),
        checkout.branch or "-",
        _worktree(checkout),
    )
    return list(map(one_line, cells))


def _review(feature: FeatureStatus) -> str:
    """The reviewer's answer to a completed feature, or how many comments wait for Claude."""
    if feature.state.status is not Status.COMPLETED:
        return ""
    comments = len(feature.state.review.open_comments)
    if feature.answer is not None:
        return f" ({_(feature.answer.value)})"
    return f" ({counted(comments, 'comment')})" if comments else ""


def _cost(feature: FeatureStatus, style: Style) -> str:
    cost, has_attempts = feature.state.cost, bool(feature.state.attempts)
    if not (has_attempts or cost.usd):
        return "-"
    if feature.is_active and cost.usd is None:
        return "-"  # The cost of an attempt is known once it ends.
    if cost.usd is None and cost.about_usd is None:
        return _("unknown")
    return spent(cost.usd, cost.about_usd, style, complete=cost.is_complete or feature.is_active)


def _resolution_cost(feature: FeatureStatus) -> str:
    """The cost of resolving its conflicts, which is not part of the feature's own."""
    usd = feature.resolution_cost_usd
    return f" + {money(usd)}" if usd else ""


def _merged(feature: FeatureStatus) -> str:
    checkout = feature.checkout
    if checkout.merged:
        return shown(checkout.merged)
    if feature.state.status is not Status.COMPLETED:
        return "-"
    return _("unknown") if checkout.unknown or checkout.problem else _("no")


def _worktree(checkout: Checkout) -> str:
    words = _shorter(checkout.worktree or "-")
    words += "".join(f" ({change})" for change in _changes(checkout))
    return _("{words} (problem: see below)").format(words=words) if checkout.problem else words


def _changes(checkout: Checkout) -> Iterator[str]:
    """What is not committed in a worktree, in words."""
    maybe = checkout.maybe_changed
    if checkout.uncommitted:
        yield counted(len(checkout.uncommitted), "uncommitted file")
    if maybe:
        filters = ", ".join(
            _("filter {name}").format(name=name)
            for name in dict.fromkeys(name for _path, name in maybe)
        )
        yield _("{files} maybe changed ({filters})").format(
            files=counted(len(maybe), "file"), filters=filters
        )


def _shorter(path: str) -> str:
    """The path, or its form relative to the current folder if that is shorter."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return min(path, relative, key=len)


def _details(
    feature: FeatureStatus, style: Style, *, verbose: bool, has_worktrees: bool
) -> Iterator[str]:
    state, checkout = feature.state, feature.checkout
    unknown = (
        _("merged: {unknown}").format(unknown=shown(checkout.unknown)) if checkout.unknown else ""
    )
    conflicts = map(_conflict, checkout.conflicts)
    changes = () if has_worktrees else _changes(checkout)
    recorded = map(shown, (checkout.by_hand, checkout.problem))
    stale = shown(feature.out_of_date)
    stale = stale and headed(_("out of date once it is completed"), stale)
    git_knows = (*recorded, unknown, *conflicts)
    texts = (shown(state.reason), stale, *changes, *git_knows, _pull_request(feature))
    for text in filter(None, texts):
        first, *rest = clean(text).splitlines() or [""]  # control characters only
        yield ""
        yield headed(style.paint(feature.id, "bold"), first)
        for line in rest:
            yield f"    {line}"
    if verbose and state.started_at is not None:
        ended = (
            _(", ended {time}").format(time=moment(state.ended_at))
            if state.ended_at is not None
            else ""
        )
        yield _("    {id}: started {time}{ended}").format(
            id=feature.id, time=moment(state.started_at), ended=ended
        )
    if verbose and state.session_id:
        yield _("    {id}: session {session_id}").format(
            id=feature.id, session_id=one_line(state.session_id)
        )
    if verbose and state.last_check is not None:
        check = one_line(headed(state.last_check.command, shown(state.last_check.ending)))
        yield _("    {id}: last check {check}").format(id=feature.id, check=check)


def _pull_request(feature: FeatureStatus) -> str:
    """Its pull request, as the forge told it last, until the work has landed here."""
    request = feature.state.pull_request
    if request is None or feature.checkout.merged:
        return ""
    return f"{request.url} ({_(request.state)})"


def _conflict(conflict: PredictedConflict) -> str:
    other, files = conflict.other, shown(some(conflict.files))
    if conflict.unknown:
        return _("may not merge with {other}: {files} ({unknown})").format(
            other=other, files=files, unknown=shown(conflict.unknown)
        )
    return _("will not merge with {other}: {files}").format(other=other, files=files)
