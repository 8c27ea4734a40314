"""The summary of a run for the page of a CI job, as GitHub-flavoured Markdown with its graph."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence

from ..model.errors import UserError
from ..model.translate import _, shown
from ..model.words import counted
from ..reporter.documents import RunReport
from ..reporter.markdown_text import escaped
from .plan_graph import Node, is_drawn_by_mermaid, mermaid, status_in_run
from .run_files import RunFile
from .run_markdown import heading, markdown
from .run_view import RunView

MOST_BYTES = 1024 * 1024
"""GitHub drops the summary of a step that is larger, as a whole."""

FOLDED_ABOVE = 40
"""Features: a larger graph is folded."""


def summary(view: RunView) -> str:
    """The summary, with the graph if Mermaid draws it."""
    if not view.features:
        return _("## ✅ {project}: nothing to do\n\n{others}\n").format(
            project=escaped(view.report.project_name), others=_others(view)
        )
    others = _others(view)
    return markdown(view, [*([others, ""] if others else []), *_graph(view)])


def _others(view: RunView) -> str:
    """The features that did not run."""
    report = view.report
    counts = {_("up to date"): len(report.up_to_date or ()), _("skipped"): len(report.left or ())}
    return ", ".join(f"{counted(n, 'feature')} {what}" for what, n in counts.items() if n)


def _graph(view: RunView) -> Iterator[str]:
    nodes = [
        Node(each.id, each.name, status_in_run(each.status), each.depends_on, each.status.words)
        for each in view.features
    ]
    drawn = mermaid(nodes)
    if not is_drawn_by_mermaid(nodes, drawn):
        return
    is_folded = len(nodes) > FOLDED_ABOVE
    if is_folded:
        yield "<details><summary>" + _("Graph") + "</summary>"
        yield ""
    yield f"```mermaid\n{drawn}```"
    yield ""
    if is_folded:
        yield "</details>"
        yield ""


class StepSummary(RunFile):
    """Adds the summary to the file of ``GITHUB_STEP_SUMMARY``, which other programs share."""

    def __init__(
        self, path: str, view: Callable[[RunReport], RunView], *, is_optional: bool = True
    ) -> None:
        self.path = path
        self.is_optional = is_optional
        self._view = view

    def at_end(self, report: RunReport) -> None:
        """Add the longest form that has room. Raises :class:`UserError` if that fails."""
        view = self._view(report)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self.path, flags, 0o666)
            try:
                _append(descriptor, (summary(view), markdown(view), f"## {heading(view)}\n"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UserError(
                _("the summary of the step was not written: {strerror}").format(
                    strerror=shown(error.strerror or "")
                )
            ) from None


def _append(descriptor: int, forms: Sequence[str]) -> None:
    """Add the first of the ``forms`` that has room, whole or not at all. Raises ``OSError``."""
    size = os.fstat(descriptor).st_size
    for text in forms:
        content = (f"\n\n{text}" if size else text).encode("utf-8", "replace")
        if size + len(content) < MOST_BYTES:
            break
    else:
        raise OSError(errno.EFBIG, _("it would be larger than the 1 MiB that GitHub takes"))
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(descriptor, size)
        raise
