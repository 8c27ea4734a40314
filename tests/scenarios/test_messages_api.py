"""The stand-in for the Messages API, spoken to with plain HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from tests.support import real_claude, todo_project
from tests.support.messages_api import (
    FINAL,
    SMALL,
    TYPICAL,
    UNAUTHORIZED,
    Answer,
    Bill,
    Fault,
    Hang,
    MessagesApi,
    Tool,
    Turn,
    Usage,
    bash,
    overloaded,
    text,
    write,
)

Json = dict[str, Any]
SESSION = "11111111-2222-4333-8444-555555555555"
HEADERS = {"X-Claude-Code-Session-Id": SESSION, "x-api-key": "dummy"}
TOOLS = [{"name": "Bash"}, {"name": "Read"}, {"name": "Write"}]
ENVIRONMENT = "# Environment\n - Primary working directory: /repo/it's here\n - Platform: linux\n"
REMINDER = "<system-reminder>\n[other] is in a file of the project\n</system-reminder>"


def conversation(prompt: str, *answers: Json, **more: object) -> Json:
    """The body of a request as the CLI sends it, after these answers."""
    user = {
        "role": "user",
        "content": [{"type": "text", "text": REMINDER}, {"type": "text", "text": prompt}],
    }
    messages: list[Json] = [user]
    for answer in answers:
        messages += [
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": "go on"},
        ]
    return {
        "model": "some-model",
        "messages": messages,
        "system": [{"type": "text", "text": ENVIRONMENT}],
        "tools": TOOLS,
        "max_tokens": 32000,
        **more,
    }


def said(words: str) -> Json:
    return {"content": [{"type": "text", "text": words}]}


class Client:
    """Asks one stand-in; one connection a question."""

    def __init__(self, api: MessagesApi) -> None:
        address = urlsplit(api.url)
        self.address = (str(address.hostname), int(address.port or 0))

    def send(
        self,
        body: Json,
        method: str = "POST",
        path: str = "/v1/messages?beta=true",
        headers: Mapping[str, str] = HEADERS,
    ) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        connection.request(method, path, json.dumps(body) if body else None, dict(headers))
        return connection

    def ask(self, body: Json, **request: Any) -> tuple[int, dict[str, str], str]:
        connection = self.send(body, **request)
        response = connection.getresponse()
        words = response.read().decode()
        connection.close()
        return response.status, dict(response.getheaders()), words

    def answer(self, body: Json) -> Json:
        message: Json = json.loads(self.ask(body)[2])
        return message


class MessagesApiTest(unittest.TestCase):
    def start(self, *turns: Turn, **scripts: list[Turn]) -> tuple[MessagesApi, Client]:
        named = {f"[{name}]": script for name, script in scripts.items()}
        api = MessagesApi({"[task]": turns, **named})
        api.__enter__()
        self.addCleanup(api.__exit__)
        return api, Client(api)

    def test_it_listens_on_loopback_only(self) -> None:
        api, _ = self.start()
        self.assertEqual(urlsplit(api.url).hostname, "127.0.0.1")

    def test_a_text_ends_the_turn(self) -> None:
        _, client = self.start(text("Done."))
        message = client.answer(conversation("do [task]"))
        self.assertEqual(message["content"], [{"type": "text", "text": "Done."}])
        self.assertEqual(message["stop_reason"], "end_turn")
        self.assertEqual(message["model"], "some-model")
        self.assertEqual(message["usage"]["output_tokens"], TYPICAL.output_tokens)

    def test_a_tool_call_takes_a_relative_path_from_the_sessions_folder(self) -> None:
        _, client = self.start(write("src/task.py", "x = 1\n"))
        message = client.answer(conversation("do [task]"))
        (block,) = message["content"]
        self.assertEqual(message["stop_reason"], "tool_use")
        self.assertEqual((block["type"], block["name"]), ("tool_use", "Write"))
        self.assertEqual(
            block["input"], {"file_path": "/repo/it's here/src/task.py", "content": "x = 1\n"}
        )

    def test_an_absolute_path_and_other_input_stay_as_they_are(self) -> None:
        _, client = self.start(
            Answer("both", (Tool("Write", {"file_path": "/x"}), Tool("Bash", {"command": "ls"})))
        )
        blocks = client.answer(conversation("do [task]"))["content"]
        self.assertEqual(
            [block.get("input") for block in blocks[1:]], [{"file_path": "/x"}, {"command": "ls"}]
        )
        self.assertNotEqual(blocks[1]["id"], blocks[2]["id"])

    def test_older_clis_name_the_folder_in_an_env_block(self) -> None:
        api, client = self.start(text("Done."))
        client.ask(conversation("do [task]", system="<env>\nWorking directory: /old\n</env>"))
        self.assertEqual(api.requests[0].folder, "/old")

    def test_a_streamed_answer_is_the_same_message_in_events(self) -> None:
        _, client = self.start(Answer("Ünd", (Tool("Bash", {"command": "ls"}),)))
        status, headers, words = client.ask(conversation("do [task]", stream=True))
        self.assertEqual((status, headers["Content-Type"]), (200, "text/event-stream"))
        pairs = [each.split("\n") for each in words.strip().split("\n\n")]
        events = [json.loads(data[len("data: ") :]) for _, data in pairs]
        self.assertEqual([name for name, _ in pairs], [f"event: {e['type']}" for e in events])
        kinds = [event["type"] for event in events]
        block = ["content_block_start", "content_block_delta", "content_block_stop"]
        self.assertEqual(kinds, ["message_start", *block, *block, "message_delta", "message_stop"])
        self.assertEqual(events[2]["delta"]["text"], "Ünd")
        self.assertEqual(json.loads(events[5]["delta"]["partial_json"]), {"command": "ls"})
        self.assertEqual(events[0]["message"]["usage"]["output_tokens"], 1)
        self.assertEqual(events[-2]["usage"]["output_tokens"], TYPICAL.output_tokens)
        self.assertEqual(events[-2]["delta"]["stop_reason"], "tool_use")

    def test_the_conversation_says_which_turn_is_next(self) -> None:
        _, client = self.start(bash("one"), bash("two"), text("three"))
        first = client.answer(conversation("[task]"))
        second = client.answer(conversation("[task]", first))
        third = client.answer(conversation("[task]", first, second))
        self.assertEqual(second["content"][0]["input"]["command"], "two")
        self.assertEqual(third["content"][0]["text"], "three")
        again = client.answer(conversation("[task]", first))
        self.assertEqual(again["content"][0]["input"]["command"], "two")

    def test_assistant_messages_of_the_clis_own_are_not_counted(self) -> None:
        _, client = self.start(bash("one"), text("two"))
        first = client.answer(conversation("[task]"))
        resumed = conversation(
            "[task]", said("API Error: 500"), first, said("No response requested.")
        )
        self.assertEqual(client.answer(resumed)["content"][0]["text"], "two")

    def test_after_the_last_turn_nothing_is_left_to_do(self) -> None:
        _, client = self.start(text("one"))
        message = client.answer(conversation("[task]", said("one")))
        self.assertEqual(message["content"][0]["text"], "There is nothing left to do.")

    def test_the_script_given_first_wins_and_reminders_do_not_count(self) -> None:
        api, client = self.start(text("mine"), other=[text("other")])
        client.answer(conversation("[task] after [other]"))
        client.answer(conversation("only [other]"))
        self.assertEqual([each.script for each in api.requests], ["[task]", "[other]"])

    def test_a_prompt_without_a_script_is_an_error_that_is_not_retried(self) -> None:
        _, client = self.start(text("mine"))
        status, headers, words = client.ask(conversation("something else"))
        self.assertEqual((status, headers["x-should-retry"]), (400, "false"))
        self.assertIn("no script", words)

    def test_an_error_without_a_count_stays(self) -> None:
        api, client = self.start(UNAUTHORIZED, text("never"))
        for _ in range(3):
            status, headers, words = client.ask(conversation("[task]"))
            self.assertEqual((status, headers["x-should-retry"]), (401, "false"))
            self.assertEqual(json.loads(words)["error"]["type"], "authentication_error")
        self.assertEqual(api.billed().calls, 0)

    def test_an_overloaded_api_recovers_after_its_count(self) -> None:
        api, client = self.start(bash("one"), overloaded(times=2), text("two"))
        first = client.answer(conversation("[task]"))
        statuses = [client.ask(conversation("[task]", first))[0] for _ in range(4)]
        self.assertEqual(statuses, [529, 529, 200, 200])
        self.assertEqual(api.billed().calls, 3)
        self.assertEqual(len(api.calls("[task]")), 5)

    def test_faults_follow_each_other_in_the_order_given(self) -> None:
        slow_down = Fault(429, "rate_limit_error", "slow down", {"retry-after": "3"}, times=1)
        _, client = self.start(
            slow_down, Fault(500, "api_error", "oops", FINAL, times=1), text(".")
        )
        replies = [client.ask(conversation("[task]")) for _ in range(3)]
        self.assertEqual([status for status, _, _ in replies], [429, 500, 200])
        self.assertEqual(replies[0][1]["retry-after"], "3")

    def test_a_slow_answer_takes_its_time(self) -> None:
        _, client = self.start(Answer("slow", delay_seconds=0.2))
        before = time.monotonic()
        client.answer(conversation("[task]"))
        self.assertGreaterEqual(time.monotonic() - before, 0.2)

    def test_a_hang_is_cut_off_after_its_time(self) -> None:
        api, client = self.start(Hang(0.1, times=1), text("back"))
        with self.assertRaises(http.client.RemoteDisconnected):
            client.ask(conversation("[task]"))
        self.assertEqual(client.answer(conversation("[task]"))["content"][0]["text"], "back")
        self.assertEqual(api.billed().calls, 1)

    def test_a_request_closed_before_the_answer_is_not_charged(self) -> None:
        api, client = self.start(Answer("slow", delay_seconds=0.3))
        connection = client.send(conversation("[task]"))
        wait_for(lambda: bool(api.requests))
        connection.close()
        client.answer(conversation("[task]"))
        self.assertEqual(api.billed().calls, 1)

    def test_closing_the_server_ends_hanging_and_idle_connections_and_every_thread(self) -> None:
        before = threading.active_count()
        with MessagesApi({"[task]": [Hang()]}) as api:
            client = Client(api)
            hanging = client.send(conversation("[task]"))
            idle = http.client.HTTPConnection(*client.address)
            idle.connect()
            wait_for(lambda: bool(api.requests) and threading.active_count() == before + 3)
        self.assertEqual(threading.active_count(), before)
        with self.assertRaises(http.client.RemoteDisconnected):
            hanging.getresponse()
        with self.assertRaises(ConnectionError):
            client.send({}, "HEAD", "/")
        hanging.close()
        idle.close()

    def test_side_requests_use_up_no_turn_and_are_charged(self) -> None:
        api, client = self.start(overloaded(times=1), text("mine"))
        for body in (
            conversation("title for [task]", tools=[]),
            conversation("search for [task]", tools=[{"name": "web_search"}]),
            conversation("Warmup"),
        ):
            self.assertEqual(client.answer(body)["usage"]["output_tokens"], SMALL.output_tokens)
        self.assertTrue(all(each.side for each in api.requests))
        self.assertEqual(api.billed(session=SESSION), Bill(3, SMALL + SMALL + SMALL))
        self.assertEqual(client.ask(conversation("[task]"))[0], 529)

    def test_other_requests_of_the_cli_are_answered(self) -> None:
        api, client = self.start(text("mine"))
        count = client.ask(conversation("[task]"), path="/v1/messages/count_tokens?beta=true")
        self.assertEqual(json.loads(count[2]), {"input_tokens": 100})
        self.assertEqual(client.ask({}, method="HEAD", path="/")[0], 200)
        for method in ("GET", "POST"):
            status, _, words = client.ask({}, method=method, path="/api/hello")
            self.assertEqual((status, json.loads(words)["error"]["type"]), (404, "not_found_error"))
        self.assertEqual(api.calls("[task]"), [])
        self.assertEqual(api.billed().calls, 0)

    def test_requests_are_recorded_as_they_came(self) -> None:
        api, client = self.start(text("mine"))
        body = conversation("[task]")
        client.ask(body)
        (request,) = api.requests
        self.assertEqual((request.method, request.path), ("POST", "/v1/messages?beta=true"))
        self.assertEqual((request.session, request.headers["x-api-key"]), (SESSION, "dummy"))
        self.assertEqual((request.body, request.position), (body, 0))

    def test_older_clis_name_the_session_in_the_metadata(self) -> None:
        api, client = self.start(text("mine"))
        other = SESSION.replace("1", "9")
        for user in (f"user_0a_account__session_{other}", json.dumps({"session_id": other})):
            body = conversation("[task]", metadata={"user_id": user})
            client.ask(body, headers={})
        self.assertEqual([each.session for each in api.requests], [other, other])

    def test_the_bill_is_kept_per_script_and_session(self) -> None:
        mine, its = Usage(1, 2, 3, 4), Usage(10, 20, 30, 40)
        api, client = self.start(Answer("mine", usage=mine), other=[Answer("its", usage=its)])
        client.ask(conversation("[task]", stream=True))
        client.ask(conversation("[task]"))
        client.ask(conversation("[other]"))
        self.assertEqual(api.billed(script="[task]"), Bill(2, Usage(2, 4, 6, 8)))
        self.assertEqual(api.billed(script="[other]", session=SESSION), Bill(1, its))
        self.assertEqual(api.billed(), Bill(3, Usage(12, 24, 36, 48)))
        self.assertEqual(api.billed(session="another"), Bill(0, Usage()))

    def test_usage_has_its_price(self) -> None:
        million = 1_000_000
        self.assertAlmostEqual(Usage(million, million, million, million).cost_usd(), 22.05)


class RealClaudeTest(unittest.TestCase):
    def set(self, value: str) -> None:
        patched = mock.patch.dict(os.environ, {real_claude.VARIABLE: value})
        patched.start()
        self.addCleanup(patched.stop)

    def test_without_the_variable_the_tests_skip_and_say_how_to_enable_them(self) -> None:
        self.set("")
        self.assertIsNone(real_claude.executable())
        self.assertIn("npm install", real_claude.reason_to_skip())
        self.assertIn(real_claude.VARIABLE, real_claude.reason_to_skip())

    def test_the_variable_names_the_binary(self) -> None:
        self.set(sys.executable)
        self.assertEqual(real_claude.executable(), os.path.abspath(sys.executable))
        self.assertEqual(real_claude.reason_to_skip(), "")

    def test_a_variable_that_names_nothing_is_an_error_and_no_reason_to_skip(self) -> None:
        self.set("/no/such/claude")
        with self.assertRaises(FileNotFoundError):
            real_claude.reason_to_skip()

    def test_the_environment_has_nothing_of_the_callers_but_the_path(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, SECRET="x"):
            home = Path(folder, "home")
            variables = real_claude.environment(home, "http://127.0.0.1:1")
            self.assertTrue(home.is_dir())
        kept = {name for name, value in variables.items() if os.environ.get(name) == value}
        self.assertLessEqual(kept, {"PATH", "LANG"})
        self.assertNotIn("SECRET", variables)
        self.assertEqual(variables["HOME"], str(home))

    def test_a_url_off_loopback_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            real_claude.environment(Path("unused"), "https://api.example.com")


class TodoProjectTest(unittest.TestCase):
    def run_tests(self, features: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            for feature in features:
                for path, content in todo_project.FILES[feature].items():
                    target = Path(folder, path)
                    target.parent.mkdir(exist_ok=True)
                    target.write_text(content, "utf-8")
            command = [sys.executable, "-m", "unittest", "discover", "-s", "tests"]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    def test_the_finished_app_passes_its_own_tests(self) -> None:
        done = self.run_tests(todo_project.FEATURES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 19 tests", done.stderr)

    def test_each_feature_needs_the_one_before(self) -> None:
        for feature in todo_project.FEATURES[1:]:
            with self.subTest(feature):
                done = self.run_tests((feature,))
                self.assertIn("No module named 'src.", done.stderr)

    def test_each_runs_the_tests_and_one_leaves_its_work_uncommitted(self) -> None:
        commands = {
            feature: [
                tool.input["command"]
                for turn in todo_project.turns(feature)
                if isinstance(turn, Answer)
                for tool in turn.tools
                if tool.name == "Bash"
            ]
            for feature in todo_project.FEATURES
        }
        self.assertEqual(commands["task-storage"], [todo_project.TESTS])
        self.assertIn("git commit", str(commands["task-model"]))

    def test_the_scripts_begin_with_the_last_dependent(self) -> None:
        markers = {feature: f"# {feature}" for feature in todo_project.FEATURES}
        self.assertEqual(next(iter(todo_project.scripts(markers))), "# cli-interface")


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
