"""``run --remote``: runs one feature in a temporary clone, then pushes or bundles its result."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress

from ..engines.feature_report import FeatureReport
from ..engines.hand_in import Ended, HandIn, Interrupted
from ..engines.one_feature import Asked, OneFeature
from ..git.channel import absolute
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import headed
from ..process.signals import SignalReceived, Signals
from ..process.temporary_folder import PREFIX, temporary_folder
from ..project.decisions import check_permissions
from ..project.selection import Selection
from ..views.output_file import STDOUT, OutputFile
from .options import Display, asking, display_of, run_options, same_words
from .run_views import ViewOptions
from .running import run_features

EXCLUDED = (
    *("tag", "merge", "rehearse", "detach", "web", "fresh", "sequential", "fail_fast"),
    "max_parallel",
)
"""Options of a run that make no sense for one feature on any machine."""


def run_elsewhere(arguments: argparse.Namespace, looking: ViewOptions) -> int:
    """Run one feature in a clone of its own; exit 0 only if it completed and was handed in."""
    asked = _asked(arguments)
    OutputFile("--report", arguments.report)
    if arguments.bundle:
        OutputFile("--bundle", arguments.bundle)
    with Signals() as handlers:
        try:
            with temporary_folder() as folder:
                try:
                    return _Elsewhere(arguments, asked, folder, handlers).run(looking)
                finally:
                    handlers.ignore()  # A second signal would leave a part of the folder.
        except SignalReceived as heard:
            handlers.ignore()
            print(_("\nStopped, and the temporary clone is removed."), file=sys.stderr)
            return 128 + heard.number


def _asked(arguments: argparse.Namespace) -> Asked:
    """The typed options. Raises :class:`UserError` if one is missing or excludes another."""
    _check_options(arguments)
    _check_files(arguments.report, arguments.bundle or "")
    config = arguments.config or ""
    if os.path.isabs(config):
        raise UserError(
            _("with --remote, --config is a path in the repository, not {path}").format(
                path=config
            ),
            hint=_("such as --config config/feature_list.json"),
        )
    return Asked(
        arguments.only[0],
        absolute(arguments.remote),
        arguments.run_id,
        config,
        arguments.base or "",
        bool(arguments.bundle),
    )


def _check_options(arguments: argparse.Namespace) -> None:
    lacking = [
        name
        for name, value in (
            ("--only ID", arguments.only),
            ("--run-id R", arguments.run_id),
            ("--report FILE", arguments.report),
        )
        if not value
    ]
    if lacking:
        raise UserError(
            _("run --remote needs {names} as well").format(names=", ".join(lacking)),
            hint="rorchestrator run --only ID --remote URL --run-id R --report FILE",
        )
    given = [name for name in EXCLUDED if getattr(arguments, name) not in (None, False)]
    if given:
        raise UserError(
            _("--{name} can't be used with --remote").format(name=given[0].replace("_", "-")),
            hint=_("leave it out: --remote runs one feature, without a terminal"),
        )
    if len(arguments.only) != 1:
        raise UserError(
            _("run --remote runs one feature, and --only names {count}").format(
                count=len(arguments.only)
            ),
            hint=_("start one machine, or one job, for each of them"),
        )


def _check_files(report: str, bundle: str) -> None:
    """Raise :class:`UserError` unless each option names a file of its own."""
    hint = "rorchestrator run --only ID --remote URL --run-id R --report FILE"
    for option, path in (("--report", report), ("--bundle", bundle)):
        if path == STDOUT:
            raise UserError(
                _("{option} is written to a file, not to standard output").format(option=option),
                hint=hint,
            )
    if os.path.realpath(report) == os.path.realpath(bundle):
        raise UserError(
            _("--report and --bundle name the same file, {path}").format(path=report),
            hint=hint,
        )


class _Elsewhere:
    """One attempt on this machine, with what it prints."""

    def __init__(
        self, arguments: argparse.Namespace, asked: Asked, folder: str, handlers: Signals
    ) -> None:
        self.arguments = arguments
        self.asked = asked
        self.handlers = handlers
        self.display: Display = display_of(arguments)
        self.attempt = OneFeature(asked, folder, arguments.mask, self._say)

    def run(self, looking: ViewOptions) -> int:
        """Run the feature, unless it completed before; hand it in."""
        before = self.attempt.look()
        if before is not None:
            return self._is_done(before)
        project = self.attempt.open()
        if not self.arguments.allow_bypass:
            check_permissions(project.config, same_words(self.arguments.words))
        failure, code = self._ended(looking)
        try:
            handed_in = self._hand_in(failure)
        except (UserError, OSError):
            self._keep_all()
            raise
        if failure is not None and not isinstance(failure, Interrupted):
            raise failure
        return code if handed_in else code or ExitCode.INCOMPLETE

    def _ended(self, looking: ViewOptions) -> tuple[UserError | None, int]:
        """Claim the attempt and run the feature: why it could not run, and the exit code.

        Signals are ignored afterwards: what may be claimed on the remote must get its report.
        """
        try:
            try:
                self.attempt.begin()
                return None, self._features(looking)
            finally:
                self.handlers.ignore()
        except (UserError, SignalReceived) as error:
            self.handlers.ignore()  # Such a signal may have come before, in place of another error.
            if not self.attempt.claimed:
                raise
            code = 128 + error.number if isinstance(error, SignalReceived) else error.exit_code
            if isinstance(error, UserError) and code <= ExitCode.INTERNAL:
                return error, code
            self._say(N_("interrupted: handing in the report"))
            return Interrupted(N_("interrupted")), code

    def _features(self, looking: ViewOptions) -> int:
        arguments, project = self.arguments, self.attempt.project
        arguments.yes = True
        arguments.max_parallel = 1  # so that the feature has the budget and the machine alone
        options = run_options(arguments, Selection((self.asked.feature,), deps=False))
        return run_features(
            *(project, options, asking(arguments), self.display, None, looking),
            resolve=arguments.resolve,
            elsewhere=self.handlers,
        )

    def _is_done(self, report: FeatureReport) -> int:
        """Nothing to do: an attempt completed and pushed everything."""
        self._say(
            N_("{id} already completed in run {run}: attempt {number}, {commit}").format(
                id=report.feature,
                run=report.run_id,
                number=report.attempt,
                commit=report.commit[:10],
            )
        )
        self._write(report)
        if self.arguments.bundle:
            self.attempt.bundle_again(report, self.arguments.bundle)
        if self.display.json:
            print(json.dumps({"event": "report", **report.document}), flush=True)
        return ExitCode.UP_TO_DATE

    def _hand_in(self, failure: UserError | None) -> bool:
        """Write the report, then push or bundle it with the work; whether that is done."""
        hand_in = HandIn(self.attempt)
        ended = hand_in.ended(failure)
        unwritten = self._unwritten(ended.report)
        for note in hand_in.notes:
            self._complain(note)
        if self.arguments.bundle:
            hand_in.bundle(ended, self.arguments.bundle)
            self._say(N_("branch and report are in {path}").format(path=self.arguments.bundle))
            return self._is_written(unwritten)
        saved, unsaved = "", None
        try:
            saved = self._saved(hand_in, ended)
        except UserError as error:  # It is pushed in any case.
            unsaved = error
        sent = hand_in.push(ended)
        if sent.is_done:
            _remove(saved)
            self._say(_handed_in(ended.report))
            return self._is_written(unwritten)
        self._complain(N_("nothing was pushed: {said}").format(said=sent.said))
        if unsaved is not None:
            raise unsaved
        self._tell_saved(ended.report, saved, is_late=sent.is_late)
        return False

    def _saved(self, hand_in: HandIn, ended: Ended) -> str:
        """Write the bundle that stays if the push fails or never ends; its path."""
        path = self._new_file()
        try:
            hand_in.bundle(ended, path)
        except UserError:
            _remove(path)
            raise
        return path

    def _new_file(self) -> str:
        """A new file beside the report: an earlier attempt, or another process, may have one."""
        folder, name = os.path.split(self.arguments.report)
        report = os.path.join(os.path.realpath(folder), name)
        number, end = 1, ""
        while True:
            path = f"{report}{end}.bundle"
            OutputFile("--report", path)
            with suppress(FileExistsError), open(path, "x"):
                return path
            number += 1
            end = f".{number}"

    def _tell_saved(self, report: FeatureReport, path: str, *, is_late: bool) -> None:
        """Say how to push later what is in a bundle; one of no use is removed."""
        file, words = shell_word(path), N_("the work is kept; to push it: {command}")
        command = f"rorchestrator push --bundle {file} --remote URL"
        if is_late:
            words = N_("the work is kept; to look at it: {command}")
            command = f"git fetch {file} {report.branch}"
        elif not report.commit:
            words = N_("the report is kept; to push it: {command}")
        if is_late and not report.commit:
            _remove(path)
        else:
            self._complain(words.format(command=command))

    def _keep_all(self) -> None:
        """Keep the clone itself where even a bundle could not be written."""
        asked = self.asked
        kept = f"{self.attempt.folder}-{asked.run_id}-{asked.feature}"
        kept = kept.replace(PREFIX, "rorchestrator-kept-")
        os.rename(self.attempt.folder, kept)
        self._complain(N_("the clone with all work is kept: {path}").format(path=kept))

    def _unwritten(self, report: FeatureReport) -> UserError | None:
        """Write the report; the error if that failed, because the work is pushed in any case."""
        try:
            self._write(report)
        except UserError as error:
            return error
        return None

    def _is_written(self, unwritten: UserError | None) -> bool:
        if unwritten is not None:
            self._complain(f"{unwritten.message}; {unwritten.hint}")
        return unwritten is None

    def _write(self, report: FeatureReport) -> None:
        text = json.dumps(report.to_json(), indent=1)
        OutputFile("--report", self.arguments.report).write(f"{text}\n")

    def _say(self, words: str) -> None:
        if not self.display.quiet:
            self._complain(words)

    def _complain(self, words: str) -> None:
        print(headed("rorchestrator", one_line(shown(words))), file=sys.stderr, flush=True)


def _handed_in(report: FeatureReport) -> str:
    if not report.commit:
        return N_("the report is pushed; there was no work to keep")
    words = N_("{branch} is pushed at {commit}, with its report")
    if not report.is_complete:
        words = N_("{branch} is pushed at {commit}: the work that was kept, with its report")
    return words.format(branch=report.branch, commit=report.commit[:10])


def _remove(path: str) -> None:
    """Remove a file, if there is one."""
    with suppress(OSError):
        os.unlink(path)
