"""``pr``: pushes completed features, and opens or updates a pull request for each."""

from __future__ import annotations

import argparse
import sys

from ..model.errors import UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from ..process.spawner import run_sync
from . import handing_over
from .options import add_run_id_option, opened

EXAMPLES = N_("""\
examples:
  rorchestrator pr
  rorchestrator pr auth --draft
  rorchestrator pr --sync
  rorchestrator pr --run-id 4711-1
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Push the branches of completed features, and open or update a pull request for each "
        "through\nyour own gh, or a merge request through glab. The base of a feature that depends "
        "on another one\nis that one's branch, until it lands."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("--draft", action="store_true", help=_("open them as drafts"))
    parser.add_argument(
        "--sync",
        action="store_true",
        help=_("only update existing pull requests after others have landed"),
    )
    add_run_id_option(parser, _("first fetch the results of this run on many machines"))
    handing_over.configure(parser, _("show what would be pushed and opened; change nothing"))


def execute(arguments: argparse.Namespace) -> int:
    """Push, and open or update the pull requests; exit 1 if a feature is held."""
    options = replace(
        handing_over.options_of(arguments),
        pull_requests=True,
        draft=arguments.draft,
        sync=arguments.sync,
    )
    if arguments.run_id:
        _fetch(arguments)
    return handing_over.hand_over(arguments, options)


def _fetch(arguments: argparse.Namespace) -> None:
    """Fetch the results of a run on many machines, and say which."""
    from ..engines.fetch_run import Source, fetch_run
    from ..project.remote import find_remote

    if arguments.dry_run:
        raise UserError(
            _("--run-id fetches results, and --dry-run changes nothing"),
            hint=_("leave out one of them"),
        )
    project = opened(arguments).writable()
    remote = run_sync(find_remote(project, arguments.remote or ""))
    source = Source(remote.name, remote.urls.fetch)
    found = fetch_run(project, source, arguments.run_id, "pr")
    if arguments.quiet or arguments.json:
        return
    if found.gone:
        said = _("not fetched, because {remote} no longer has the commits: {ids}").format(
            remote=remote.name, ids=", ".join(found.gone)
        )
        print(one_line(said), file=sys.stderr)
    said = _("fetched: {ids}").format(ids=", ".join(found.ids) or _("nothing new"))
    print(one_line(said), file=sys.stderr)
