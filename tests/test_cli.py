"""The command line: help, usage errors, and what becomes of every other error."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import unittest
from unittest import mock

from core import __version__, cli
from core.commands.overview import DESCRIPTION, GROUPS
from core.commands.unknown_words import no_self_update
from core.model.ci_commands import annotation
from core.model.errors import UserError
from tests.support.commands import (
    LIMIT_SECONDS,
    MEASURED,
    CommandResult,
    standing_in,
    streams,
    wait_until,
)
from tests.support.lives import attempt
from tests.support.paths import ROOT
from tests.support.workspace import Workspace, feature

COMMANDS = (
    *("plan", "run", "retry", "skip", "attach", "stop", "pause", "resume"),
    *("web", "status", "report", "logs", "diff", "merge", "cleanup"),
    *("completion", "schema"),
)


def shell(space: Workspace, script: str, **env: str) -> CommandResult:
    """Run a script of bash, in which ``ror`` is the command."""
    words = " ".join(f"'{word}'" for word in space.argv())
    done = subprocess.run(
        ["bash", "-c", f'ror() {{ {words} "$@"; }}\n{script}'],
        cwd=space.path,
        env={**space.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_SECONDS,
    )
    return CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())


class WithWorkspace(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        many = [feature(f"feature-{number}", name="long " * 20) for number in range(400)]
        cls.space = Workspace(many)
        cls.addClassCleanup(cls.space.close)


class Help(WithWorkspace):
    def test_every_help_ends_with_examples_that_parse(self) -> None:
        for words in ((), *((name,) for name in COMMANDS)):
            with self.subTest(words):
                said = self.space.main(*words, "--help")
                self.assertEqual((said.code, said.err), (0, ""))
                self.assertEqual(self.space.main("help", *words), said)
                examples = said.out.split("\nexamples:\n")[1].splitlines()
                self.assertIn(len(examples), (2, 3))
                for example in examples:
                    command = example.split("rorchestrator ")[1]
                    typed = shlex.split(re.split(r" {2,}| \||  >| >", command)[0])
                    self.assertEqual(cli.parser(typed[0]).parse_args(typed).command, typed[0])

    def test_every_command_takes_the_common_options(self) -> None:
        for name in COMMANDS:
            said = self.space.main(name, "--help").out
            for option in ("--config PATH", "--color", "-v, --verbose", "-q, --quiet"):
                self.assertIn(option, said, name)

    def test_help_is_ascii_and_fits_the_terminal(self) -> None:
        for name in COMMANDS:
            said = self.space.main(name, "--help", env={"COLUMNS": "80"}).out
            self.assertTrue(said.isascii(), name)
            text = said.split("examples:")[0].splitlines()
            self.assertEqual([line for line in text if len(line) > 80 and "  " in line], [], name)

    def test_the_version_is_the_packages(self) -> None:
        said = self.space.main("--version")
        self.assertEqual(said, CommandResult(0, f"rorchestrator {__version__}\n", ""))

    def test_the_width_is_the_terminals(self) -> None:
        leader, follower = pty.openpty()  # a new one has no size yet
        wide = "Show the state of each feature, also while a run is in progress."
        try:
            done = subprocess.run(
                self.space.argv("status", "--help"),
                env=self.space.environ,
                cwd=self.space.path,
                stdin=subprocess.DEVNULL,
                stdout=follower,
                timeout=LIMIT_SECONDS,
            )
            self.assertEqual(done.returncode, 0)
            self.assertIn(wide.encode(), os.read(leader, 65536))
        finally:
            os.close(follower)
            os.close(leader)
        for columns in ("71", "0", "²", ""):
            with self.subTest(columns):
                said = self.space.main("plan", "--help", env={"COLUMNS": columns})
                usage = said.out.split("\n\n")[0].splitlines()
                self.assertEqual(said.code, 0)
                if columns == "71":
                    self.assertLessEqual(max(map(len, usage)), 71)

    def test_help_plan_status_and_completion_import_no_slow_modules(self) -> None:
        slow = {"asyncio", "dataclasses", "shutil", "subprocess"}
        completion = ["__complete", "bash", "run", "--only", ""]
        plans = (["plan", "--help"], ["plan"], ["plan", "--json"])
        for words in (["--help"], *plans, ["status"], completion):
            with self.subTest(words):
                done = subprocess.run(
                    [sys.executable, "-S", "-X", "importtime", *self.space.argv(*words)[1:]],
                    env=self.space.environ,
                    cwd=self.space.path,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=LIMIT_SECONDS,
                )
                self.assertEqual(done.returncode, 0)
                imported = {
                    line.split("|")[-1].strip() for line in done.stderr.decode().split("\n")
                }
                self.assertIn("core.cli", imported)
                self.assertEqual(imported & slow, set())

    def test_the_name_alone_shows_the_commands_and_is_no_error(self) -> None:
        said = self.space.main()
        self.assertEqual(said, self.space.main("--help"))
        self.assertEqual((said.code, said.err), (0, ""))
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", said.out)

    def test_the_commands_are_in_groups_and_no_group_is_empty(self) -> None:
        said = self.space.main("--help", env={"COLUMNS": "80"}).out
        shown = re.findall(r"^([a-z ]+):\n((?:  .*\n)+)", said, re.MULTILINE)
        expected = ["plan and run", "look", "steer", "review and land"]
        self.assertEqual([title for title, _ in shown][:4], expected)
        self.assertEqual([title for title, _ in shown][-2:], ["options", "examples"])
        names = [name for _, rows in shown for name in re.findall(r"^  ([a-z]\S*)", rows, re.M)]
        self.assertEqual(sorted({*names} - {"rorchestrator"}), sorted(cli.COMMANDS))
        grouped = [name for group in GROUPS.values() for name in group]
        self.assertEqual(len(grouped), len({*grouped}))

    def test_without_a_list_the_name_alone_says_what_it_is_and_how_to_start(self) -> None:
        said = self.space.main(at=self.space.root)
        self.assertEqual((said.code, said.err), (0, ""))
        lines = said.out.splitlines()
        self.assertEqual("\n".join(lines[:2]), DESCRIPTION)
        self.assertIn(f"no feature list in {self.space.root} or above\n  next: ", said.out)
        self.assertIn("rorchestrator init", said.out)
        self.assertTrue(said.out.endswith("rorchestrator --help shows the commands\n"))
        self.assertLess(len(lines), 9)

    def test_python_m_is_the_command_too(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "core", "--version"],
            env={**self.space.environ, **MEASURED},
            cwd=ROOT,
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(done.stdout.decode(), f"rorchestrator {__version__}\n")


class WhichList(WithWorkspace):
    def _named(self, *words: str, at: str = "") -> str:
        said = self.space.main(*words, at=at)
        self.assertEqual((said.code, said.err), (0, ""), words)
        return said.out

    def test_the_options_of_every_command_may_stand_before_it(self) -> None:
        path = self.space.list_file
        expected = self._named("plan", "--config", path, "-q")
        for words in (
            ("--config", path, "plan", "-q"),
            (f"--config={path}", "-q", "plan"),
            ("-q", "--color", "never", "--base", "main", "plan", "--config", path),
        ):
            self.assertEqual(self._named(*words, at=self.space.root), expected, words)

    def test_a_folder_stands_for_the_list_in_it(self) -> None:
        expected = self._named("plan", "-q")
        for folder in (self.space.path, os.path.dirname(self.space.list_file)):
            self.assertEqual(
                self._named("plan", "-q", "--config", folder, at=self.space.root), expected
            )
        said = self.space.main("plan", "--config", self.space.root)
        self.assertEqual(said.code, 2)
        self.assertIn(f"no feature list in {self.space.root}\n", said.err)
        self.assertIn(f"next: rorchestrator init --dir {self.space.root}", said.err)


class FromAWorktree(unittest.TestCase):
    def test_the_list_is_found_from_every_worktree_of_its_repository(self) -> None:
        with Workspace([feature("auth")]) as space:
            text = space.content("HEAD:config/feature_list.json")
            space.git("rm", "--quiet", "--cached", "-r", "config")
            space.commit({".gitignore": "config\nother\n", "config/feature_list.json": text})
            space.git("rm", "--quiet", "--cached", "-r", "config")
            space.git("commit", "--quiet", "-m", "the list is ignored")
            here = os.path.join(space.root, "here")
            space.git("worktree", "add", "--quiet", here)
            expected = space.main("plan", "-q")
            self.assertEqual(expected.code, 0)
            self.assertEqual(space.main("plan", "-q", at=here), expected)
            self.assertIn("no feature list in ", space.main("plan", at=space.root).err)
            with self.subTest("the list that made a worktree, not the one that is found"):
                other = os.path.join(space.root, "other.json")
                space.document["project"]["repo_path"] = space.path
                space.document["features"] = [feature("api")]
                with open(other, "w") as file:
                    json.dump(space.document, file)
                said = space.main("run", "--yes", "-q", "--config", other)
                self.assertEqual(said.code, 0, said)
                status = space.main("status", "--json", at=space.worktree("api"))
                self.assertIn('"api"', status.out, status)
                self.assertNotIn('"auth"', status.out)
                os.unlink(other)
                status = space.main("status", "--json", at=space.worktree("api"))
                self.assertIn('"auth"', status.out, status)


class UsageErrors(WithWorkspace):
    def test_they_are_said_on_standard_error_with_exit_code_2(self) -> None:
        cases = {
            ("pln",): "unknown command 'pln' (did you mean 'plan'?)",
            ("rum", "--yes"): "unknown command 'rum' (did you mean 'run'?)",
            ("--config", "run"): "a command is missing",
            ("PLAN",): "unknown command 'PLAN' (did you mean 'plan'?)",
            ("nonsense", "plan"): "unknown command 'nonsense'\n",
            ("--nonsense", "plan"): "--nonsense",
            ("plan", "--nonsense"): "plan has no option '--nonsense'\n",
            ("run", "--oly=auth"): "run has no option '--oly=auth' (did you mean '--only'?)\n",
            ("run", "auth"): "run does not take the argument 'auth'\n  next: rorchestrator run "
            "--help shows its arguments, or: rorchestrator run --only auth\n",
            ("status", "auth"): "shows its arguments\n",
            ("plan", "-v", "-q"): "not allowed with",
            ("plan", "--color", "blue"): "invalid choice: 'blue'",
            ("plan", "--max-parallel", "0"): "'0' is not a number of slots",
            ("plan", "--max-parallel", "many"): "'many' is not a number of slots",
            ("plan", "--only", ""): "it must name a feature",
            ("plan", "--config", ""): "it must name a file",
            ("plan", "--only", " , "): "it must name a feature",
            ("logs",): "required: ID",
            ("cleanup",): "cleanup needs exactly one of: ids, --merged, --all, --prune",
            ("cleanup", "--all", "--merged"): "exactly one of",
            ("cleanup", "--all", "x"): "exactly one of",
            ("run",): "no terminal to ask on",
        }
        for words, expected in cases.items():
            with self.subTest(words):
                said = self.space.main(*words)
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn(expected, said.err)
                self.assertNotIn("Traceback", said.err)


class SelfUpdate(WithWorkspace):
    def test_without_the_wrapper_it_says_how_a_newer_version_comes(self) -> None:
        said = self.space.main("self-update")
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn(f"{ROOT} is a clone\n  next: update it: git -C", said.err)
        package = os.path.join(self.space.root, "site-packages", "rorchestrator")
        shutil.copytree(os.path.join(ROOT, "core"), package)
        done = subprocess.run(
            [sys.executable, "-m", "rorchestrator", "self-update", "v2.0.0"],
            env={**self.space.environ, "PYTHONPATH": os.path.dirname(package)},
            cwd=self.space.root,
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn("next: pipx upgrade rorchestrator", done.stderr.decode())
        self.assertIn("pipx upgrade", no_self_update(package).hint)


class Failing(io.TextIOWrapper):
    """A stream that fails as it is told to."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.error = error

    def write(self, words: str) -> int:
        """Fail."""
        raise self.error


class TheBoundary(WithWorkspace):
    def _failing(self, error: BaseException, **env: str) -> tuple[int, str]:
        heard = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        environ = {**self.space.environ, **env}
        with standing_in(self.space.path, environ), streams(Failing(error), heard):
            code = cli.main(["plan"])
        heard.seek(0)
        return code, heard.read()

    def test_a_fault_of_ours_is_one_line_and_a_file_with_the_traceback(self) -> None:
        code, said = self._failing(LookupError("oh\ud800"))
        found = re.fullmatch(
            r"rorchestrator: internal error: LookupError \(details in (.+)\)\n", said
        )
        assert found is not None, said
        with open(found[1]) as file:
            details = file.read()
        os.unlink(found[1])
        self.assertEqual(code, 3)
        self.assertIn("Traceback", details)
        self.assertIn("LookupError: oh", details)

    def test_the_file_about_a_fault_of_ours_holds_no_secret(self) -> None:
        code, said = self._failing(LookupError("hunter2hunter2"), API_KEY="hunter2hunter2")
        path = said.split("details in ")[1].strip(")\n")
        with open(path) as file:
            details = file.read()
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        os.unlink(path)
        self.assertEqual(code, 3)
        self.assertIn("LookupError: [masked API_KEY]", details)

    def test_a_complaint_holds_no_secret(self) -> None:
        error = UserError("no hunter2hunter2", hint="hunter2hunter2")
        code, said = self._failing(error, API_KEY="hunter2hunter2")
        self.assertEqual(
            (code, said), (2, "rorchestrator: no [masked API_KEY]\n  next: [masked API_KEY]\n")
        )

    def test_no_line_commands_a_ci_system_whichever_way_it_leaves(self) -> None:
        def program() -> int:
            print("a\n::add-mask::x", "##[error]y", sep="\n ")
            print(" ::group::z", file=sys.stderr)
            sys.stdout.buffer.write(b"::set-env\r::x\xff\n")
            sys.stdout.write("half a line")
            sys.stdout.write(annotation("error", "ours", title="t"))
            raise UserError("two\n::error::lines", details=("section_start:1:x",))

        on_the_page = (
            "::error title=rorchestrator::rorchestrator: two%0A    ::error::lines%0A"
            "  section_start:1:x\n"
        )
        for name, value, shown in (
            ("GITHUB_ACTIONS", "true", on_the_page),
            ("GITLAB_CI", "1", ""),
            ("TF_BUILD", "True", ""),
        ):
            out, heard = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
            environ = {**self.space.environ, name: value}
            with standing_in(self.space.path, environ), streams(out, heard):
                self.assertEqual(cli.guarded(program), 2)
            out.flush()
            self.assertEqual(
                out.buffer.getvalue(),  # type: ignore[attr-defined]
                b"a\n\\::add-mask::x\n ## [error]y\n\\::set-env\r\\::x\xff\n"
                b"half a line\n::error title=t::ours\n",
            )
            self.assertEqual(
                heard.buffer.getvalue().decode(),  # type: ignore[attr-defined]
                " \\::group::z\nrorchestrator: two\n    \\::error::lines\n"
                "  \\section\\_start:1:x\n" + shown,
            )

    def test_a_full_disk_is_reported_as_such(self) -> None:
        code, said = self._failing(OSError(28, "No space left on device"))
        self.assertEqual(code, 2)
        self.assertTrue(said.startswith("rorchestrator: could not write: No space left"), said)
        self.assertIn("\n  next: ", said)

    def test_another_system_error_is_a_fault_of_ours(self) -> None:
        code, said = self._failing(OSError(9, "Bad file descriptor"))
        self.assertEqual(code, 3)
        os.unlink(said.split("details in ")[1].strip(")\n"))

    def test_an_interruption_is_silent(self) -> None:
        self.assertEqual(self._failing(KeyboardInterrupt()), (130, ""))

    def test_a_reader_that_goes_away_is_silent(self) -> None:
        self.assertEqual(self._failing(BrokenPipeError()), (0, ""))

    def test_a_usage_error_without_a_number_can_not_start_either(self) -> None:
        self.assertEqual(self._failing(SystemExit("why"))[0], 2)

    def test_errors_have_all_their_lines_and_nothing_that_steers_the_terminal(self) -> None:
        error = UserError("one\x1b[31m\x07", "do \u202ethis", details=("first\ud800", "sec\nond"))
        code, said = self._failing(error)
        self.assertEqual(code, 2)
        self.assertEqual(said, "rorchestrator: one�\n  first�\n  sec ond\n  next: do �this\n")

    def test_an_error_without_a_hint_has_no_next_line(self) -> None:
        self.assertEqual(self._failing(UserError("no"))[1], "rorchestrator: no\n")

    def test_a_program_without_a_code_of_its_own_is_guarded_as_well(self) -> None:
        def interrupted() -> None:
            raise KeyboardInterrupt

        self.assertEqual(cli.guarded(lambda: None), 0)
        self.assertEqual(cli.guarded(lambda: 7), 7)
        self.assertEqual(cli.guarded(interrupted), 130)

    def test_an_error_that_nobody_hears_still_has_its_exit_code(self) -> None:
        for error, expected in ((OSError(28, "full"), 2), (UserError("no"), 2)):
            deaf = Failing(OSError(28, "full"))
            with standing_in(self.space.path, self.space.environ), streams(Failing(error), deaf):
                self.assertEqual(cli.main(["plan"]), expected)

    def test_only_systems_with_processes_as_we_know_them_are_served(self) -> None:
        cli._check_system("posix")
        with self.assertRaisesRegex(UserError, "Linux and macOS"):
            cli._check_system("nt")


class TheStart(WithWorkspace):
    """What can go wrong around the command."""

    def test_a_deleted_current_folder_is_reported(self) -> None:
        for words in ("plan", "status", "run --yes", "plan --config x.json"):
            with self.subTest(words):
                said = shell(
                    self.space, f'mkdir "$TMPDIR/x"; cd "$TMPDIR/x"; rmdir ../x; ror {words}'
                )
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn("rorchestrator: the current folder was deleted\n", said.err)

    def test_an_old_python_is_refused_before_the_rest_is_imported(self) -> None:
        for program in (
            "import core.cli",
            "import runpy; runpy.run_path('orchestrate.py', run_name='__main__')",
        ):
            with self.subTest(program):
                done = subprocess.run(
                    [sys.executable, "-c", f"import sys; sys.hexversion = 0x03080000; {program}"],
                    env={**self.space.environ, **MEASURED},
                    cwd=ROOT,
                    capture_output=True,
                    timeout=LIMIT_SECONDS,
                )
                said = done.stderr.decode()
                self.assertEqual(done.returncode, 2, said)
                self.assertIn("rorchestrator: Python 3.9 or newer is needed; ", said)
                self.assertIn("\n  next: put a newer one first on PATH", said)

    def test_ctrl_c_while_modules_are_imported_is_silent(self) -> None:
        for module, program in (
            ("argparse", ["orchestrate.py", "plan"]),
            ("argparse", ["-c", "from core.cli import entry_point"]),
            ("core", ["orchestrate.py", "plan"]),
        ):
            with self.subTest(module=module, program=program[0]):
                script = f"""
import runpy, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.modules.pop({module!r}, None)
sys.meta_path.insert(0, Interrupt())
sys.path.insert(0, {ROOT!r})
program = sys.argv = {program!r}
if program[0] == "-c":
    exec(program[1])
else:
    runpy.run_path({ROOT!r} + "/" + program[0], run_name="__main__")
"""
                done = subprocess.run(
                    [sys.executable, "-c", script],
                    env={**self.space.environ, **MEASURED},
                    cwd=self.space.path,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=LIMIT_SECONDS,
                )
                self.assertEqual((done.returncode, done.stderr), (130, b""))

    def test_ctrl_c_around_the_command_is_silent(self) -> None:
        before, cli_main = sys.argv, cli.main

        def interrupted() -> int:
            raise KeyboardInterrupt

        cli.main = interrupted  # type: ignore[assignment,misc]
        try:
            with self.assertRaises(SystemExit) as raised:
                cli.entry_point()
        finally:
            cli.main, sys.argv = cli_main, before
        self.assertEqual(raised.exception.code, 130)

    def test_the_demos_end_silently_where_their_reader_goes_away(self) -> None:
        for name in ("demo_dag.py", "demo_worktree.py", "demo_integrated.py"):
            with self.subTest(name):
                script = f"'{sys.executable}' '{ROOT}/{name}' 2>err | head -n 0; cat err"
                self.assertEqual(shell(self.space, script).out.count("Traceback"), 0)
                self.assertNotIn("BrokenPipe", shell(self.space, script).out)

    def test_ctrl_c_ends_the_demo_in_order(self) -> None:
        with subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "demo_integrated.py")],
            env=self.space.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as child:
            assert child.stderr is not None
            line = b" "
            while line and b"started" not in line:
                line = child.stderr.readline()
            os.killpg(child.pid, signal.SIGINT)
            _, err = child.communicate(timeout=LIMIT_SECONDS)
        self.assertEqual(child.returncode, 130, err)
        self.assertIn(b"Stopping", err)
        self.assertNotIn(b"Traceback", err)
        left = [name for name in os.listdir(self.space.environ["TMPDIR"]) if "demo" in name]
        self.assertEqual(left, [])


class TheEntryPoint(WithWorkspace):
    def _leave(self, out: io.TextIOBase | None, err: io.TextIOBase | None, *words: str) -> object:
        before = sys.argv
        sys.argv = ["rorchestrator", *words]
        try:
            with standing_in(self.space.path, self.space.environ), streams(out, err):
                with self.assertRaises(SystemExit) as raised:
                    cli.entry_point()
                for stream in (sys.stdin, sys.stdout, sys.stderr):
                    if stream not in (out, err):
                        stream.close()
        finally:
            sys.argv = before
        return raised.exception.code

    def test_without_threads_the_exit_is_at_once_but_for_what_others_registered(self) -> None:
        told: list[object] = []
        registered = mock.patch("atexit._run_exitfuncs", lambda: told.append("registered"))
        at_once = mock.patch("os._exit", told.append)
        with mock.patch.dict(sys.modules), registered, at_once, self.assertRaises(SystemExit):
            del sys.modules["threading"]
            cli._leave(3)
        self.assertEqual(told, ["registered", 3])

    def test_a_character_that_the_stream_can_not_encode_is_no_reason_to_fail(self) -> None:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
        self.assertEqual(self._leave(out, err, "status", "--config", "é\udcff"), 2)
        err.flush()
        self.assertIn(rb"\xe9", err.buffer.getvalue())

    def test_closed_streams_are_no_reason_to_fail(self) -> None:
        self.assertEqual(self._leave(None, None, "--version"), 0)

    def test_output_for_a_closed_pipe_is_dropped(self) -> None:
        for words in (["--version"], ["plan", "--json"]):
            source, target = os.pipe()
            os.close(source)
            err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
            with self.subTest(words), open(target, "w", encoding="utf-8") as broken:
                self.assertEqual(self._leave(broken, err, *words), 0)


@unittest.skipUnless(os.path.exists("/dev/full"), "this system has no /dev/full")
class AFullDisk(WithWorkspace):
    def test_an_excerpt_says_that_it_is_shortened_even_if_only_the_end_is_missing(self) -> None:
        for words in (["plan", "-q"], ["plan", "--json"]):
            err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
            with self.subTest(words), open("/dev/full", "w", encoding="utf-8") as full:
                with standing_in(self.space.path, self.space.environ), streams(full, err):
                    self.assertEqual(cli.main(words), 2)
                err.seek(0)
                self.assertIn("could not write: No space left on device", err.read())

    def test_the_exit_code_reports_a_full_disk_if_nothing_can_be_printed(self) -> None:
        for words in ("plan", "plan --json", "plan --nonsense"):
            said = shell(self.space, f"ror {words} > /dev/full 2> /dev/full")
            self.assertEqual(said, CommandResult(2, "", ""))

    def test_no_traceback_and_no_complaint_of_pythons_own_is_seen(self) -> None:
        for words in ("plan", "plan --json"):
            said = shell(self.space, f"ror {words} > /dev/full")
            self.assertEqual(said.code, 2)
            self.assertIn("No space left on device", said.err)
            self.assertNotIn("Traceback", said.err)
            self.assertNotIn("Exception ignored", said.err)


class AsAProcess(WithWorkspace):
    def test_a_pipe_that_closes_early_is_silent(self) -> None:
        for words in ("plan", "plan --json", "status", "--help"):
            with self.subTest(words):
                said = shell(self.space, f"ror {words} | head -n 1; exit ${{PIPESTATUS[0]}}")
                self.assertEqual((said.code, said.err), (0, ""))
                self.assertEqual(said.out.count("\n"), 1)

    def test_closed_streams_leave_the_exit_code_as_it_is(self) -> None:
        for words, expected in {
            "plan >&-": 0,
            "plan --nonsense 2>&-": 2,
            "plan <&- >&- 2>&-": 0,
        }.items():
            with self.subTest(words):
                self.assertEqual(shell(self.space, f"ror {words}"), CommandResult(expected, "", ""))

    def test_ascii_streams_get_ascii(self) -> None:
        for env in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}):
            said = shell(self.space, "ror plan", **env)
            self.assertEqual(said.code, 0)
            self.assertTrue(said.out.isascii())
            self.assertIn("  | feature-0: long", said.out)

    def test_an_interruption_ends_with_130_and_without_a_word(self) -> None:
        log = os.path.join(self.space.root, "log.jsonl")
        with open(log, "w") as file:
            file.write("Hello.\n")
        follow = ("logs", "feature-0", "-q", "--follow")
        at_work = self.space.at_work(*attempt("feature-0", log=log))
        with at_work:
            running = self.space.start(*follow)
            wait_until(lambda: running.out == "Hello.\n", "its first line")
            running.signal(signal.SIGINT)
            self.assertEqual(running.end(), CommandResult(130, "Hello.\n", ""))


class InFrench(WithWorkspace):
    def test_french_is_chosen_by_an_option_or_by_the_environment(self) -> None:
        for words, env in (
            (("--lang", "fr", "--help"), {}),
            (("--help", "--lang=fr"), {}),
            (("--help",), {"LANG": "fr_FR.UTF-8"}),
            (("--help",), {"LC_ALL": "fr_CA.UTF-8"}),
            (("--help",), {"LANGUAGE": "fr:en"}),
        ):
            with self.subTest((words, env)):
                said = self.space.main(*words, env=env)
                self.assertEqual(said.code, 0)
                self.assertIn("planifier et lancer :\n  plan ", said.out)
                self.assertNotIn("usage", said.out)

    def test_english_is_the_default_and_what_scripts_get(self) -> None:
        for words, env in (
            ((), {}),
            ((), {"LANG": "de_DE.UTF-8"}),
            (("--lang", "en"), {"LANG": "fr_FR.UTF-8"}),
            ((), {"LC_ALL": "C", "LANGUAGE": "fr"}),
        ):
            with self.subTest((words, env)):
                self.assertIn("plan and run:\n", self.space.main(*words, "--help", env=env).out)
        said = self.space.main("--help", env={"LANG": "fr_FR.UTF-8"}, encoding="ascii")
        self.assertIn("plan and run:\n", said.out)

    def test_errors_are_french_too_those_of_argparse_as_well(self) -> None:
        french = {"LANG": "fr_FR.UTF-8"}
        for words, expected in {
            "pln": "rorchestrator : commande inconnue 'pln' (vouliez-vous dire 'plan' ?)",
            "zzz": "commande inconnue 'zzz'\n  à faire : rorchestrator --help montre",
            "plan --colr": "plan n'a pas d'option '--colr' (vouliez-vous dire '--color' ?)",
            "plan --zz": "à faire : rorchestrator plan --help montre ses options",
            "plan auth": "ou : rorchestrator plan --only auth",
            "plan --color": "rorchestrator plan : erreur : argument --color",
            "plan --lang de": "choix incorrect : 'de'",
            "--zz plan": "option inconnue '--zz'",
        }.items():
            with self.subTest(words):
                said = self.space.main(*words.split(), env=french)
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn(expected, said.err)

    def test_the_first_steps_are_a_page_in_the_readers_language(self) -> None:
        pages = {"C.UTF-8": "QUICKSTART.md", "fr_FR.UTF-8": "GUIDE-UTILISATION.md"}
        for language, page in pages.items():
            said = self.space.main(env={"LANG": language}, at=self.space.root)
            self.assertIn(f"/docs/{page}\n", said.out)
            self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", page)))

    def test_json_is_english(self) -> None:
        french = {"LANG": "fr_FR.UTF-8"}
        self.assertEqual(
            self.space.main("plan", "--json", env=french), self.space.main("plan", "--json")
        )

    def test_english_imports_no_gettext_of_ours(self) -> None:
        program = (
            "import sys, core.cli\n"
            "loaded = sys.modules.pop('gettext')\n"  # by argparse
            "core.cli.main(['plan'])\n"
            "sys.exit('gettext' in sys.modules or 'core.process.catalogue' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.space.folder,
            env={**self.space.environ, "PYTHONPATH": ROOT},
            stdout=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
