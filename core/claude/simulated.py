"""A simulated Claude Code executable for demos, tests and rehearsals.

It accepts the CLI's arguments and a prompt on standard input, and prints the CLI's stream. Each
line ``simulate: {…}`` of the prompt is one step, a JSON object with a key of :data:`STEPS`;
without such lines it writes ``<feature>.md``. Sessions are saved in the folder
``RORCHESTRATOR_SIMULATION``, and a resumed one continues after its last completed step. Without
that folder, every resumed session is unknown. To a resumed one, comments of a review bring further
steps; without any in them, they are written into ``<feature>.review.md``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Json = Mapping[str, object]

FOLDER = "RORCHESTRATOR_SIMULATION"
DIRECTIVE = "simulate:"
QUOTE = "> "
REVIEWED = "reviewed"
"""In the first line of a prompt with comments, whose lines are quoted."""
COST_USD = 0.05
USAGE = {"input_tokens": 1000, "output_tokens": 100}
VERSION = "0.0.0-simulated"
NO_SESSION = "00000000-0000-4000-8000-000000000000"


def main() -> int:
    """Simulate one attempt; the exit code of the real CLI."""
    words = sys.argv[1:]
    if "--version" in words:
        print(f"{VERSION} (Claude Code)")
        return 0
    resumed = _value("--resume", words)
    sent = sys.stdin.read()
    session = Session(resumed or _value("--session-id", words) or NO_SESSION)
    if resumed and not session.load():
        unknown = f"No conversation found with session ID: {resumed}"
        print(unknown, file=sys.stderr)
        agent = Agent(session)
        agent.cost_usd = 0.0
        agent.result("error_during_execution", is_error=True, turns=0, errors=[unknown])
        return 1
    session.hear(sent)
    agent = Agent(session)
    signal.signal(signal.SIGINT, agent.interrupted)
    agent.emit(
        {
            "type": "system",
            "subtype": "init",
            "cwd": os.getcwd(),
            "model": "simulated",
            "claude_code_version": VERSION,
            "apiKeySource": "none",
        }
    )
    return agent.play()


def _value(option: str, words: Sequence[str]) -> str:
    """The value of ``--option=value``; else empty. argparse would double the time of a start."""
    return next((w[len(option) + 1 :] for w in words if w.startswith(f"{option}=")), "")


class Session:
    """A conversation: its prompt and the number of completed steps."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.prompt = ""
        self.comments = ""
        self.done = 0
        folder = os.environ.get(FOLDER, "")
        self._path = os.path.join(folder, f"{id}.json") if folder else ""

    def load(self) -> bool:
        """Load the session; whether it exists."""
        if not self._path or not os.path.exists(self._path):
            return False
        with open(self._path, encoding="utf-8") as file:
            known = json.load(file)
        self.prompt, self.done = known["prompt"], known["done"]
        self.comments = known.get("comments", "")
        return True

    def hear(self, sent: str) -> None:
        """Take a prompt: the first one is the task, later ones may have comments."""
        if not self.prompt:
            self.prompt = sent
            return
        lines = sent.splitlines()
        if REVIEWED in lines[0]:
            self.comments += "".join(f"{line}\n" for line in lines if line.startswith(QUOTE))

    def save(self) -> None:
        """Save the session, if there is a folder for sessions."""
        if self._path:
            # Atomic, because a signal may end us at any moment.
            with open(f"{self._path}.new", "w", encoding="utf-8") as file:
                known = {"prompt": self.prompt, "comments": self.comments, "done": self.done}
                json.dump(known, file)
            os.replace(f"{self._path}.new", self._path)

    def steps(self) -> list[Json]:
        """The steps in the prompt, and those of the comments."""
        found = re.search(r'the feature "([^"]+)"', self.prompt)
        name = found[1] if found else "simulated"
        content = f"# {name}\n\nWritten by the simulated agent.\n"
        steps = _steps(self.prompt) or [{"write": f"{name}.md", "content": content}]
        if not self.comments:
            return steps
        said = {"write": f"{name}.review.md", "content": self.comments}
        return [*steps, *(_steps(self.comments) or [said])]


def _steps(text: str) -> list[Json]:
    """The steps that the lines of a text name."""
    lines = [line.strip().removeprefix(QUOTE) for line in text.splitlines()]
    return [json.loads(line[len(DIRECTIVE) :]) for line in lines if line.startswith(DIRECTIVE)]


class Agent:
    """Executes the steps of a session and reports them in the CLI's stream."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.cost_usd = COST_USD
        self.turns = 1
        self.exit_code: int | None = None

    def emit(self, message: Json) -> None:
        """Print one message of the stream."""
        print(json.dumps({**message, "session_id": self.session.id}), flush=True)

    def play(self) -> int:
        """Execute the remaining steps, then report success; the exit code."""
        self.session.save()
        for step in self.session.steps()[self.session.done :]:
            name = next(key for key in step if key in STEPS)
            STEPS[name](self, step)
            self.session.done += 1
            self.session.save()
            if self.exit_code is not None:
                return self.exit_code
        self.say({"say": "Done."})
        self.result("success", result="Done.")
        return 0

    def tool(self, name: str, given: Json) -> None:
        """Print a tool use."""
        self.turns += 1
        content = [{"type": "tool_use", "id": f"t{self.turns}", "name": name, "input": given}]
        self.emit({"type": "assistant", "message": {"role": "assistant", "content": content}})

    def say(self, step: Json) -> None:
        """Print a text message."""
        content = [{"type": "text", "text": step["say"]}]
        self.emit({"type": "assistant", "message": {"role": "assistant", "content": content}})

    def result(
        self,
        subtype: str,
        *,
        is_error: bool = False,
        turns: int | None = None,
        result: str | None = None,
        errors: Sequence[str] = (),
    ) -> None:
        """Print a result line."""
        message: dict[str, object] = {
            "type": "result",
            "subtype": subtype,
            "is_error": is_error,
            "num_turns": self.turns if turns is None else turns,
            "duration_ms": 1,
            "total_cost_usd": self.cost_usd,
            "usage": USAGE if self.cost_usd else {},
            "permission_denials": [],
        }
        if result is None:
            message["errors"] = list(errors)
        else:
            message["result"] = result
        self.emit(message)

    def interrupted(self, *_: object) -> None:
        """On SIGINT, report the cost so far and exit."""
        self.result("error_during_execution", is_error=True)
        raise SystemExit(1)

    # -- steps ----------------------------------------------------------------------------

    def write(self, step: Json) -> None:
        """Write a file: ``{"write": "a.txt", "content": "…"}``."""
        path = str(step["write"])
        content = str(step.get("content", f"{path}\n"))
        self.tool("Write", {"file_path": path, "content": content})
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def bash(self, step: Json) -> None:
        """Run a shell command in its own process session, as the CLI does: ``{"bash": "make"}``."""
        import subprocess  # slow to import, only needed here

        self.tool("Bash", {"command": step["bash"]})
        subprocess.run(
            ["/bin/sh", "-c", str(step["bash"])],
            check=False,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def sleep(self, step: Json) -> None:
        """Sleep: ``{"sleep": 1.5}``."""
        time.sleep(float(str(step["sleep"])))

    def wait(self, step: Json) -> None:
        """Wait for a file: ``{"wait": "/tmp/go"}``."""
        while not os.path.exists(str(step["wait"])):
            time.sleep(0.01)

    def cost(self, step: Json) -> None:
        """Set the cost in USD: ``{"cost": 0.5}``."""
        self.cost_usd = float(str(step["cost"]))

    def print_raw(self, step: Json) -> None:
        """Print raw text: ``{"print": "not JSON\\n"}``; ``times`` repeats it."""
        sys.stdout.write(str(step["print"]) * int(str(step.get("times", 1))))
        sys.stdout.flush()

    def complain(self, step: Json) -> None:
        """Print on standard error: ``{"stderr": "…"}``."""
        print(step["stderr"], file=sys.stderr, flush=True)

    def fail(self, step: Json) -> None:
        """Exit with an API error: ``{"fail": "Overloaded", "status": 529}``."""
        self.cost_usd = 0.0
        self.emit(
            {
                "type": "result",
                "subtype": "success",
                "is_error": True,
                "api_error_status": step.get("status"),
                "num_turns": 1,
                "result": step["fail"],
                "total_cost_usd": 0,
            }
        )
        self.exit_code = 1

    def leave(self, step: Json) -> None:
        """Exit without a result: ``{"exit": 3}``."""
        self.exit_code = int(str(step["exit"]))

    def linger(self, step: Json) -> None:
        """Print a result and keep running: ``{"linger": 60}`` seconds."""
        self.result("success", result="Done.")
        time.sleep(float(str(step["linger"])))
        self.exit_code = 0

    def ignore(self, step: Json) -> None:
        """Ignore signals from now on: ``{"ignore": ["SIGINT", "SIGTERM"]}``."""
        names = step["ignore"]
        for name in names if isinstance(names, list) else []:
            signal.signal(signal.Signals[name], signal.SIG_IGN)


STEPS: Mapping[str, Callable[[Agent, Json], None]] = {
    "write": Agent.write,
    "bash": Agent.bash,
    "sleep": Agent.sleep,
    "wait": Agent.wait,
    "say": Agent.say,
    "cost": Agent.cost,
    "print": Agent.print_raw,
    "stderr": Agent.complain,
    "fail": Agent.fail,
    "exit": Agent.leave,
    "linger": Agent.linger,
    "ignore": Agent.ignore,
}
"""The keys of ``simulate:`` lines."""


if __name__ == "__main__":
    sys.exit(main())
