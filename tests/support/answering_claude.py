"""`AnsweringClaude`: a stand-in that gives the structured outputs of a script, call by call."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from tests.support.commands import read_text

SCRIPT = """\
#!/bin/sh
cd '{folder}' || exit 9
n=1
while [ -e "$n.prompt" ]; do n=$((n + 1)); done
cat > "$n.part"
printf '%s\\n' "$OLDPWD" "$@" > "$n.words"
mv "$n.part" "$n.prompt"
. "./$n.sh"
"""

COST_USD = 0.03

INIT = {"type": "system", "subtype": "init", "cwd": "/", "claude_code_version": "2.1.330"}


def proposed(id: str, **more: object) -> dict[str, object]:
    """A feature as Claude proposes it, without a finding of the linter."""
    prompt = f"Write `src/{id}.py`.\n\n## Acceptance\n\n`python3 -m unittest` passes.\n"
    return {
        "id": id,
        "name": id.capitalize(),
        "prompt": prompt,
        "depends_on": [],
        "creates": [f"path:src/{id}.py"],
        "uses": [],
        "verify": [],
        "estimated_tokens": 30000,
        **more,
    }


def result(value: object = None, **more: object) -> dict[str, object]:
    """The last line of a call, with this structured output unless it is None."""
    output = {} if value is None else {"structured_output": value}
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "num_turns": 2,
        "result": "",
        "total_cost_usd": COST_USD,
        "usage": {"input_tokens": 10, "output_tokens": 3},
        **output,
        **more,
    }


class AnsweringClaude:
    """The program ``claude`` in a folder of its own; its calls are numbered from 1 on."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._calls = os.path.join(folder, "calls")
        os.makedirs(self._calls)
        self.program = os.path.join(folder, "claude")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(SCRIPT.format(folder=self._calls))
        os.chmod(self.program, 0o755)

    def path(self, name: str) -> str:
        """A file in the folder of the calls, which is where a call runs."""
        return os.path.join(self._calls, name)

    def answers(self, *values: object) -> None:
        """Give these structured outputs, one a call."""
        for number, value in enumerate(values, 1):
            self.prints(number, INIT, result(value))

    def prints(self, number: int, *lines: Mapping[str, object], before: str = "cat") -> None:
        """Let a call print these lines; ``before`` is the command that gets their file."""
        with open(self.path(f"{number}.lines"), "w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in lines)
        self.does(number, f"{before} {number}.lines")

    def does(self, number: int, script: str) -> None:
        """Let a call run this shell script."""
        with open(self.path(f"{number}.sh"), "w", encoding="utf-8") as file:
            file.write(f"{script}\n")

    @property
    def calls(self) -> int:
        """How many there were."""
        return sum(name.endswith(".prompt") for name in os.listdir(self._calls))

    def prompt(self, number: int) -> str:
        """What a call got on its standard input."""
        return read_text(self.path(f"{number}.prompt"))

    def words(self, number: int) -> list[str]:
        """The folder in which a call was started, and its arguments."""
        return read_text(self.path(f"{number}.words")).splitlines()

    def schema(self, number: int) -> Any:
        """The JSON Schema that a call got."""
        (word,) = (w for w in self.words(number) if w.startswith("--json-schema="))
        return json.loads(word.partition("=")[2])
