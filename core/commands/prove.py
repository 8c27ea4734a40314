"""``prove``: options, consent and result; runs the recorded checks again."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence

from ..git.refs import SEEN
from ..journal.lock import Holder
from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.outcome import Status
from ..model.state import RunState
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..project.selection import check_known
from ..reporter.documents import local_time
from ..reporter.style import style_of
from ..review.proof import Proof
from ..review.proof_text import proof_lines
from ..review.prove import Prove, Stopped, provable
from ..review.recorded_checks import commands_of, recorded_checks
from .ask_consent import check_consent
from .options import add_common_options, asking, opened

EXAMPLES = N_("""\
examples:
  rorchestrator prove
  rorchestrator prove auth --yes --json
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Run the recorded checks of completed features again, each in a clean checkout of the "
        "recorded\ncommit, and compare with the journal. Exit code 1 if anything differs. "
        "Nothing is changed."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the features (default: all that are completed and have not landed)"),
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("consent to the commands without asking")
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Prove features; exit 1 if anything is not as the journal says."""
    project = opened(arguments)
    # A run would remove our checkouts.
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), "prove"))
    try:
        # Read again: a run may have moved branches before we got the lock.
        project = replace(project, refs=run_sync(project.git.refs(*SEEN)))
        return _prove(project, project.state(), arguments)
    finally:
        project.lock.release()


def _prove(project: OpenProject, state: RunState, arguments: argparse.Namespace) -> int:
    ids = _ids(project, state, arguments.ids)
    config, mask = project.config, project.mask
    recorded = {id: recorded_checks(state.feature(id), config, mask) for id in ids}
    check_consent(asking(arguments), project, commands_of(config, recorded))

    def say(words: str) -> None:
        if not arguments.quiet:
            print(one_line(shown(words)), file=sys.stderr, flush=True)

    prove = Prove(project.writable(), state, ids, say=say)
    try:
        proof = asyncio.run(prove.prove())
    except Stopped:
        print(_("Stopped: nothing was changed."), file=sys.stderr)
        received = prove.signals.received
        return ExitCode.INCOMPLETE if received is None else 128 + received
    _show(proof, arguments)
    return ExitCode.INCOMPLETE if proof.differs else ExitCode.UP_TO_DATE


def _ids(project: OpenProject, state: RunState, given: Sequence[str]) -> list[str]:
    """The features to prove. Without any, the journal is not that of the run."""
    check_known("", given, {**project.dag.features, **state.features})
    if not (given or any(each.status is Status.COMPLETED for each in state.features.values())):
        raise UserError(
            _("the journal has no completed feature of this list: there is nothing to prove"),
            hint=_("rorchestrator run, or restore the journal of the run"),
        )
    return provable(state, given)


def _show(proof: Proof, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(proof.to_json(), indent=2))
        return
    for line in proof_lines(proof, style_of(sys.stdout, arguments.color), quiet=arguments.quiet):
        print(line)
