"""A stand-in for the Messages API on loopback, so that the real `claude` runs offline in tests.

    scripts = {"[task-model]": [write("src/task.py", SOURCE), overloaded(times=2), text("Done.")]}
    with MessagesApi(scripts) as api:
        ...  # run claude with ANTHROPIC_BASE_URL=api.url
    assert api.billed(script="[task-model]").calls == 2

A script belongs to every conversation whose prompt (the user's text before the first answer) holds
its marker; where several markers occur, the script given first wins. How far a conversation has
come is read from the request itself, from those of the script's answers that are in it, so a
resumed session goes on where it was. Faults and hangs stand before the answer that they delay.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import socketserver
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any, Union, final
from urllib.parse import urlsplit

Json = dict[str, Any]
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Usage:
    """Tokens, as the API names them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        mine, theirs = asdict(self), asdict(other)
        return Usage(**{name: mine[name] + theirs[name] for name in mine})

    def cost_usd(self) -> float:
        """What the CLI makes of this with `--model=claude-sonnet-4-5`, by its own price table."""
        cache = 3.75 * self.cache_creation_input_tokens + 0.30 * self.cache_read_input_tokens
        return (3 * self.input_tokens + 15 * self.output_tokens + cache) / 1_000_000


PRICED_MODEL = "claude-sonnet-4-5"
TYPICAL = Usage(13, 241, 1700, 9900)
SMALL = Usage(5, 3)


@dataclass(frozen=True)
class Tool:
    """A tool call. A relative `file_path` in its input is taken from the session's folder."""

    name: str
    input: Mapping[str, object]


@dataclass(frozen=True)
class Answer:
    """One assistant message: text, tool calls, or both."""

    text: str = ""
    tools: tuple[Tool, ...] = ()
    usage: Usage = TYPICAL
    delay_seconds: float = 0


@dataclass(frozen=True)
class Fault:
    """An HTTP error instead of the next answer; `times` per script, None: always."""

    status: int
    kind: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None


@dataclass(frozen=True)
class Hang:
    """Silence until the client leaves or the stand-in stops; cut off after `seconds`, if given."""

    seconds: float | None = None
    times: int | None = None


Turn = Union[Answer, Fault, Hang]

FINAL = {"x-should-retry": "false"}
UNAUTHORIZED = Fault(401, "authentication_error", "invalid x-api-key", FINAL)
NOT_FOUND = Fault(404, "not_found_error", "Not Found")
NO_SCRIPT = Fault(400, "invalid_request_error", "no script has its marker in this prompt", FINAL)


def text(words: str) -> Answer:
    return Answer(words)


def write(path: str, content: str) -> Answer:
    return Answer(tools=(Tool("Write", {"file_path": path, "content": content}),))


def bash(command: str) -> Answer:
    return Answer(tools=(Tool("Bash", {"command": command, "description": "Run it"}),))


def overloaded(times: int | None = None) -> Fault:
    return Fault(529, "overloaded_error", "Overloaded", times=times)


@dataclass(frozen=True)
class Request:
    """A request as it came, and what it says about its conversation.

    `position` is the number of the script's answers that the conversation already holds. `side`
    marks what the CLI asks beside its conversations (titles, token counts): it uses up no turn.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    session: str
    script: str
    folder: str
    position: int
    side: bool


@dataclass(frozen=True)
class Charge:
    """The usage that one answer reported."""

    session: str
    script: str
    model: str
    side: bool
    usage: Usage


@dataclass(frozen=True)
class Bill:
    """A sum of charges."""

    calls: int
    usage: Usage


@final
class MessagesApi:
    """The server: it listens inside its `with` block, and leaves no thread behind."""

    def __init__(self, scripts: Mapping[str, Sequence[Turn]]) -> None:
        self.requests: list[Request] = []
        self.charges: list[Charge] = []
        self.stopping = threading.Event()
        self._scripts = scripts
        self._used: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> MessagesApi:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def calls(self, script: str) -> list[Request]:
        """The requests of a script's conversations in order of arrival, failed ones included."""
        return [each for each in list(self.requests) if each.script == script and not each.side]

    def billed(self, *, script: str | None = None, session: str | None = None) -> Bill:
        """What was charged in all, or to one script, to one session, or to one script in it."""
        usages = [
            charge.usage
            for charge in list(self.charges)
            if script in (None, charge.script) and session in (None, charge.session)
        ]
        return Bill(len(usages), sum(usages, Usage()))

    def take(self, method: str, path: str, headers: Mapping[str, str], body: Json) -> Request:
        messages = body.get("messages", [])
        prompt = _prompt(messages)
        script = next((marker for marker in self._scripts if marker in prompt), "")
        request = Request(
            method,
            path,
            headers,
            body,
            session=_session(headers, body),
            script=script,
            folder=_folder(body),
            position=_position(self._scripts.get(script, ()), messages),
            side=urlsplit(path).path != "/v1/messages" or not _is_conversation(body, prompt),
        )
        self.requests.append(request)
        return request

    def turn(self, request: Request) -> Turn:
        """What to do with a request for a message; this uses up a fault that has a count."""
        if request.side:
            return Answer('{"title": "A session"}', usage=SMALL)
        if not request.script:
            return NO_SCRIPT
        position = 0
        for index, turn in enumerate(self._scripts[request.script]):
            due = position == request.position
            if isinstance(turn, Answer):
                if due:
                    return turn
                position += 1
            elif due and self._use(request.script, index, turn.times):
                return turn
        return Answer("There is nothing left to do.")

    def _use(self, script: str, index: int, times: int | None) -> bool:
        with self._lock:
            used = self._used.get((script, index), 0)
            self._used[script, index] = used + 1
        return times is None or used < times

    def charge(self, request: Request, usage: Usage) -> None:
        model = request.body["model"]
        self.charges.append(Charge(request.session, request.script, model, request.side, usage))


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() joins only threads that are no daemons
    request_queue_size = 64

    def __init__(self, api: MessagesApi) -> None:
        self.api = api
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the resolver for our name

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent on clients that are killed in mid-answer: some tests are about that."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End the connections on which nothing was asked, so that no thread waits for more."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def do_HEAD(self) -> None:
        self._take()
        self._reply(200, "application/json", b"")

    def do_GET(self) -> None:
        self._take()
        self._fail(NOT_FOUND)

    def do_POST(self) -> None:
        request = self._take()
        path = urlsplit(self.path).path
        if path == "/v1/messages":
            self._play(self.server.api.turn(request), request)
        elif path == "/v1/messages/count_tokens":
            self._reply_json(200, {"input_tokens": 100})
        else:
            self._fail(NOT_FOUND)

    def _take(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(raw) if raw else {}
        return self.server.api.take(self.command, self.path, headers, body)

    def _play(self, turn: Turn, request: Request) -> None:
        self.close_connection = True
        if isinstance(turn, Fault):
            self._fail(turn)
        elif isinstance(turn, Hang):
            self._wait(turn.seconds)
        elif self._wait(turn.delay_seconds):
            self._answer(turn, request)

    def _wait(self, seconds: float | None) -> bool:
        """Whether the time passed with the client still there to hear the answer."""
        end = float("inf") if seconds is None else time.monotonic() + seconds
        while not self._client_left() and not self.server.api.stopping.is_set():
            rest = end - time.monotonic()
            if rest <= 0:
                return True
            self.server.api.stopping.wait(min(rest, POLL_SECONDS))
        return False

    def _client_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _answer(self, answer: Answer, request: Request) -> None:
        message = _message(answer, request)
        self.server.api.charge(request, answer.usage)  # first: once sent, a test may look
        if request.body.get("stream"):
            events = (f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in _events(message))
            self._reply(200, "text/event-stream", "".join(events).encode())
        else:
            self._reply_json(200, message)

    def _fail(self, fault: Fault) -> None:
        error = {"type": fault.kind, "message": fault.message}
        self._reply_json(fault.status, {"type": "error", "error": error}, fault.headers)

    def _reply_json(self, status: int, body: Json, headers: Mapping[str, str] = {}) -> None:
        self._reply(status, "application/json", json.dumps(body).encode(), headers)

    def _reply(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
        for name, value in {**own, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _texts(content: object) -> Iterator[str]:
    """The texts of a message's content or of the system prompt: a string, or a list of blocks."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (block["text"] for block in content if block.get("type") == "text")


def _prompt(messages: Sequence[Json]) -> str:
    """What the user asked before the first answer, without the CLI's own reminders."""
    texts = []
    for message in messages:
        if message["role"] == "assistant":
            break
        if message["role"] == "user":
            texts += [t for t in _texts(message["content"]) if "<system-reminder>" not in t[:40]]
    return "\n".join(texts)


def _position(script: Sequence[Turn], messages: Sequence[Json]) -> int:
    """How many of the script's answers are in the conversation.

    The CLI adds assistant messages of its own (API errors, "No response requested." on a resume),
    and drops an answer whose tools were killed: so they are compared, not counted.
    """
    answers = [turn for turn in script if isinstance(turn, Answer)]
    position = 0
    for message in messages:
        if message["role"] == "assistant" and position < len(answers):
            position += _holds(message["content"], answers[position])
    return position


def _holds(content: object, answer: Answer) -> bool:
    blocks = content if isinstance(content, list) else []
    called = [block["name"] for block in blocks if block.get("type") == "tool_use"]
    said = answer.text in "".join(_texts(content))
    return said and called == [tool.name for tool in answer.tools]


def _folder(body: Json) -> str:
    """The session's working directory, from the environment block that the CLI sends along."""
    contents = [body.get("system"), *(m["content"] for m in body.get("messages", []))]
    for words in (words for content in contents for words in _texts(content)):
        found = re.search(r"^[ -]*(?:Primary w|W)orking directory: (.+)$", words, re.MULTILINE)
        if found:
            return found.group(1)
    return ""


def _session(headers: Mapping[str, str], body: Json) -> str:
    if "x-claude-code-session-id" in headers:
        return headers["x-claude-code-session-id"]
    found = re.search(r"session_(?:id\W+)?([0-9a-f-]{36})", str(body.get("metadata")))
    return found.group(1) if found else ""


def _is_conversation(body: Json, prompt: str) -> bool:
    """Agents bring their tools; titles, classifiers and probes don't. Old CLIs warm up agents."""
    tools = {tool.get("name") for tool in body.get("tools", [])}
    return prompt != "Warmup" and not tools.isdisjoint({"Bash", "Edit", "Read"})


def _message(answer: Answer, request: Request) -> Json:
    blocks: list[Json] = [{"type": "text", "text": answer.text}] if answer.text else []
    for tool in answer.tools:
        arguments = _absolute(tool.input, request.folder)
        name = {"type": "tool_use", "id": "toolu_" + uuid.uuid4().hex, "name": tool.name}
        blocks.append({**name, "input": arguments})
    return {
        "id": "msg_" + uuid.uuid4().hex,
        "type": "message",
        "role": "assistant",
        "model": request.body["model"],
        "content": blocks,
        "stop_reason": "tool_use" if answer.tools else "end_turn",
        "stop_sequence": None,
        "usage": asdict(answer.usage),
    }


def _absolute(arguments: Mapping[str, object], folder: str) -> Json:
    if "file_path" not in arguments:
        return dict(arguments)
    return {**arguments, "file_path": str(PurePosixPath(folder, str(arguments["file_path"])))}


def _events(message: Json) -> Iterator[Json]:
    """The server-sent events that stream a message."""
    opening: Json = {
        "content": [],
        "stop_reason": None,
        "usage": {**message["usage"], "output_tokens": 1},
    }
    yield {"type": "message_start", "message": {**message, **opening}}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            start = {**block, "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    used = {"output_tokens": message["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": ending, "usage": used}
    yield {"type": "message_stop"}
