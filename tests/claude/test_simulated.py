"""The simulated Claude Code: its steps, and its stream compared with the real one."""

from __future__ import annotations

import io
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Mapping, Sequence

from core.claude import command_line as claude
from core.claude import end_of_attempt, simulated, stream
from core.model.feature import ClaudeOptions, Feature
from core.model.outcome import AttemptOutcome, Fault, Status, Usage
from tests.support.commands import LIMIT_SECONDS, CommandResult, standing_in, streams
from tests.support.paths import SIMULATED

SESSION = "11111111-2222-4333-8444-555555555555"
Step = Mapping[str, object]


def prompt_of(*steps: Step) -> str:
    """A prompt that asks for these steps."""
    return "\n".join(["Please.", *(f"  simulate: {json.dumps(step)}" for step in steps), "Thanks."])


def outcome_of(said: CommandResult) -> AttemptOutcome:
    """What the runner would make of it."""
    transcript = stream.transcript_of(line.encode() for line in said.out.split("\n"))
    return end_of_attempt.outcome(transcript, code=said.code, stderr=said.err)


def messages_of(said: CommandResult) -> list[dict[str, object]]:
    """The lines of its stream."""
    return [json.loads(line) for line in said.out.splitlines()]


class Simulation(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.realpath(temporary.name)
        self.sessions = os.path.join(self.folder, "sessions")
        os.mkdir(self.sessions)

    def play(self, prompt: str, *words: str, kept: bool = False) -> CommandResult:
        """Play one attempt, in this process."""
        environ = {"PATH": os.environ["PATH"]}
        if kept:
            environ[simulated.FOLDER] = self.sessions
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        argv, handlers = sys.argv, [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
        sys.argv = ["claude", *(words or ("-p", f"--session-id={SESSION}"))]
        try:
            with standing_in(self.folder, environ), streams(out, err, io.StringIO(prompt)):
                code = simulated.main()
        except SystemExit as leaving:
            code = int(str(leaving.code))
        finally:
            sys.argv = argv
            for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers):
                signal.signal(number, handler)
        for captured in (out, err):
            captured.flush()
            captured.seek(0)
        return CommandResult(code, out.read(), err.read())

    def there(self, name: str) -> str:
        """The content of a file in the folder where it works."""
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()


class ItsSteps(Simulation):
    def test_without_any_it_writes_a_file_called_as_the_feature(self) -> None:
        said = self.play('You work on the feature "auth" (Sign-in).')
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("Written by the simulated agent.", self.there("auth.md"))
        self.play("Anything.")
        self.assertTrue(self.there("simulated.md"))

    def test_the_stream_tells_what_it_does_as_the_real_one(self) -> None:
        said = self.play(prompt_of({"write": "a/b.txt"}, {"say": "Hm."}))
        kinds = [(m["type"], m.get("subtype")) for m in messages_of(said)]
        self.assertEqual(
            kinds,
            [("system", "init"), *[("assistant", None)] * 3, ("result", "success")],
        )
        self.assertEqual({m["session_id"] for m in messages_of(said)}, {SESSION})
        self.assertIn('"file_path": "a/b.txt", "content": "a/b.txt\\n"', said.out)
        self.assertEqual(self.there("a/b.txt"), "a/b.txt\n")
        outcome = outcome_of(said)
        self.assertEqual(outcome.status, Status.COMPLETED)
        self.assertEqual((outcome.cost_usd, outcome.num_turns), (simulated.COST_USD, 2))
        self.assertEqual((outcome.session_id, outcome.result), (SESSION, "Done."))
        self.assertEqual(outcome.usage, Usage(input_tokens=1000, output_tokens=100))

    def test_a_command_runs_in_a_session_of_its_own(self) -> None:
        said = self.play(prompt_of({"bash": "ps -o sid= -p $$ > sid; echo heard; exit 7"}))
        self.assertEqual(said.code, 0)
        self.assertNotIn("heard\n", said.out)
        self.assertNotEqual(int(self.there("sid")), os.getsid(0))

    def test_cost_and_time_are_as_they_are_asked_for(self) -> None:
        started = time.monotonic()
        said = self.play(prompt_of({"sleep": 0.05}, {"cost": 1.25}))
        self.assertGreaterEqual(time.monotonic() - started, 0.05)
        self.assertEqual(outcome_of(said).cost_usd, 1.25)

    def test_it_waits_for_a_file(self) -> None:
        go = os.path.join(self.folder, "go")
        later = f"(while ! [ -e asked ]; do sleep 0.01; done; sleep 0.1; touch {go}) &"
        said = self.play(prompt_of({"bash": later}, {"bash": "touch asked"}, {"wait": go}))
        self.assertEqual(said.code, 0)

    def test_a_log_that_is_no_stream_is_printed_verbatim(self) -> None:
        said = self.play(prompt_of({"print": "no JSON\n", "times": 2}, {"stderr": "hm"}))
        self.assertEqual(said.out.count("\nno JSON\nno JSON\n"), 1)
        self.assertEqual(said.err, "hm\n")
        self.assertEqual(outcome_of(said).status, Status.COMPLETED)

    def test_it_fails_as_the_api_does(self) -> None:
        said = self.play(prompt_of({"fail": "Overloaded", "status": 529}, {"write": "never.txt"}))
        outcome = outcome_of(said)
        self.assertEqual(said.code, 1)
        self.assertEqual((outcome.status, outcome.fault), (Status.FAILED, Fault.TRANSIENT))
        self.assertIn("Overloaded", outcome.reason)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "never.txt")))

    def test_it_leaves_without_a_result(self) -> None:
        said = self.play(prompt_of({"stderr": "the cause"}, {"exit": 3}))
        outcome = outcome_of(said)
        self.assertEqual((said.code, outcome.status), (3, Status.FAILED))
        self.assertIsNone(outcome.cost_usd)
        self.assertIn("the cause", outcome.reason)

    def test_it_lingers_after_its_result(self) -> None:
        said = self.play(prompt_of({"linger": 0.01}, {"write": "never.txt"}))
        self.assertEqual((said.code, messages_of(said)[-1]["subtype"]), (0, "success"))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "never.txt")))

    def test_interrupted_it_still_tells_its_cost(self) -> None:
        steps = ({"cost": 0.75}, {"bash": "kill -INT $PPID; exec sleep 60"}, {"write": "never.txt"})
        said = self.play(prompt_of(*steps))
        self.assertEqual(said.code, 1)
        last = messages_of(said)[-1]
        self.assertEqual((last["subtype"], last["is_error"]), ("error_during_execution", True))
        self.assertEqual(last["total_cost_usd"], 0.75)

    def test_the_simulated_agent_ignores_signals_on_request(self) -> None:
        deaf = {"ignore": ["SIGINT", "SIGTERM"]}
        kill = {"bash": "kill -INT $PPID; kill -TERM $PPID"}
        self.assertEqual(self.play(prompt_of(deaf, kill)).code, 0)
        self.assertEqual(self.play(prompt_of({"ignore": "nonsense"})).code, 0)


class ItsSessions(Simulation):
    def test_a_resumed_session_continues_after_the_last_finished_step(self) -> None:
        steps = ({"write": "one.txt"}, {"exit": 1}, {"write": "two.txt"})
        first = self.play(prompt_of(*steps), f"--session-id={SESSION}", kept=True)
        self.assertEqual(first.code, 1)
        os.unlink(os.path.join(self.folder, "one.txt"))
        second = self.play("Go on.", f"--resume={SESSION}", kept=True)
        self.assertEqual(second.code, 0)
        self.assertEqual(self.there("two.txt"), "two.txt\n")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "one.txt")))
        self.assertEqual({m["session_id"] for m in messages_of(second)}, {SESSION})

    def test_a_session_is_saved_whole_or_not_at_all(self) -> None:
        session = simulated.Session(SESSION)
        session._path = os.path.join(self.sessions, "kept.json")
        session.save()
        with open(session._path, encoding="utf-8") as reader:
            session.prompt = "longer"
            session.save()
            self.assertEqual(json.load(reader)["prompt"], "", "it was written over")
        self.assertTrue(session.load())
        self.assertEqual(os.listdir(self.sessions), ["kept.json"])

    def test_an_unknown_session_is_refused_as_the_real_one_refuses_it(self) -> None:
        for kept in (True, False):
            said = self.play("Go on.", f"--resume={SESSION}", kept=kept)
            self.assertEqual(said.code, 1)
            self.assertIn(f"No conversation found with session ID: {SESSION}", said.err)
            self.assertEqual(outcome_of(said).fault, Fault.SESSION)


class AsAProgram(Simulation):
    def run_it(self, words: Sequence[str], prompt: str) -> CommandResult:
        done = subprocess.run(
            [sys.executable, SIMULATED, *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]},
            input=prompt.encode(),
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        return CommandResult(done.returncode, done.stdout.decode(), done.stderr.decode())

    def test_it_takes_the_command_line_of_the_real_one(self) -> None:
        options = ClaudeOptions(model="opus", max_turns=3, append_system_prompt="Be brief.")
        _, *words = claude.argv(options, Feature("auth", "auth"), SESSION, resume=False)
        said = self.run_it(words, prompt_of({"write": "made.txt"}))
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertEqual(outcome_of(said).session_id, SESSION)
        self.assertTrue(self.there("made.txt"))

    def test_it_is_a_script(self) -> None:
        heard = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        argv, sys.argv = sys.argv, ["claude", "--version"]
        try:
            with streams(heard, heard), self.assertRaises(SystemExit) as raised:
                runpy.run_path(SIMULATED, run_name="__main__")
        finally:
            sys.argv = argv
        self.assertEqual(raised.exception.code, 0)

    def test_it_tells_its_version(self) -> None:
        said = self.run_it(["--version"], "")
        self.assertEqual(said, CommandResult(0, "0.0.0-simulated (Claude Code)\n", ""))


class Comments(Simulation):
    def again(self, *lines: str) -> None:
        text = "\n".join(['Continue: the work on the feature "auth" was reviewed.', *lines])
        self.play(text, "-p", f"--resume={SESSION}", kept=True)

    def test_comments_bring_further_steps_or_are_written_into_a_file(self) -> None:
        self.play('You work on the feature "auth" (Sign-in).', kept=True)
        self.again("> Use the clock.", "Deal with it.")
        self.assertEqual(self.there("auth.review.md"), "> Use the clock.\n")
        self.play(prompt_of({"write": "a.txt"}), kept=True)
        self.again(f"> simulate: {json.dumps({'write': 'b.txt'})}")
        self.assertEqual(self.there("b.txt"), "b.txt\n")


if __name__ == "__main__":
    unittest.main()
