"""Everything known about the protocol of the Claude Code CLI: its arguments, its stream.

Written for 2.1; the streams of 1.0.128 to 2.1.330 are in ``tests/fixtures/claude``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from ..model.costs import SHARE, Paid
from ..model.excerpt import excerpt, listed
from ..model.feature import (
    ALWAYS_DISALLOWED_TOOLS,
    NO_WORKTREES_BY_AGENTS,
    ClaudeOptions,
    Fault,
    Feature,
    Invocation,
    Outcome,
    Status,
    Usage,
)
from ..model.frozen import dataclass, field, replace
from ..model.mask import is_secret
from .permission_bypass import bypasses

Message = Mapping[str, object]

STDERR_TAIL_LINES = 20

RESULT_LINES = 2_000
RESULT_CHARACTERS = 64 * 1024
"""Of what Claude said at the end; its log has all of it."""

COMMAND_CHARACTERS = 1_000
"""Of a command that was denied."""

LONGEST_ID = 200
"""No session's id is longer."""

LARGEST = 2**53
"""What a count may be at most, as in JavaScript; a larger one is nonsense."""

ENVIRONMENT = {
    # The CLI's own ten tries can be silent for three minutes.
    "CLAUDE_CODE_MAX_RETRIES": "3",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # All worktrees of a repository share one memory folder.
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
}
"""What Claude is started with, unless ``claude.env`` says otherwise."""


def argv(options: ClaudeOptions, feature: Feature, session_id: str, *, resume: bool) -> list[str]:
    """The command line of one attempt; the prompt goes to standard input.

    Each option is one word: the CLI's list options swallow the words that follow them.
    """
    confined = _confined(options)
    valued = {**_rules(confined, feature), "--resume" if resume else "--session-id": session_id}
    return _words(confined, UNATTENDED, valued)


UNATTENDED = ("-p", "--output-format=stream-json", "--verbose")


def interactive(options: ClaudeOptions, feature: Feature, session_id: str) -> list[str]:
    """The command line that opens a session for a person, with the rules of the attempts.

    What bounds an attempt, and works without a person only, is left out.
    """
    confined = _confined(options)
    rules = {n: v for n, v in _rules(confined, feature).items() if n not in ONLY_UNATTENDED}
    return _words(confined, [], {**rules, "--resume": session_id})


ONLY_UNATTENDED = ("--fallback-model", "--max-turns", "--max-budget-usd")


def _rules(options: ClaudeOptions, feature: Feature) -> dict[str, object]:
    allowed = feature.allowed_tools if feature.allowed_tools is not None else options.allowed_tools
    denied = (*ALWAYS_DISALLOWED_TOOLS, *options.disallowed_tools)
    return {
        "--permission-mode": options.permission_mode,
        "--allowedTools": ",".join(allowed),
        "--disallowedTools": ",".join(denied),
        "--model": feature.model or options.model,
        "--fallback-model": options.fallback_model,
        "--max-turns": options.max_turns,
        "--max-budget-usd": options.max_budget_usd,
        "--append-system-prompt": options.append_system_prompt,
    }


def _words(options: ClaudeOptions, first: Sequence[str], valued: Mapping[str, object]) -> list[str]:
    words = [f"{name}={value}" for name, value in valued.items() if value not in ("", None)]
    servers = [] if _configures_servers(options) else [NO_SERVERS]
    return [*options.command, *first, *servers, *words, *options.extra_args]


# -- subagents stay in the feature's folder ---------------------------------------------------

NO_WORKTREE_HOOK = {
    "type": "command",
    "command": "echo 'Not in this run: work in the folder that you are in.' >&2; exit 2",
}
"""Measured with 2.1.197 and 2.1.330: the deny rule refuses a call that asks for isolation, but not
an agent whose definition asks for it (``.claude/agents``, ``--agents``); a hook refuses both."""

SETTINGS = "--settings"

NO_HOOKS = ("--bare", "--safe-mode")
"""Options with which the CLI runs no hook."""


def _confined(options: ClaudeOptions) -> ClaudeOptions:
    """The options with what keeps subagents from making worktrees in the user's checkout.

    The CLI takes the last ``--settings`` only, so the hook goes into the list's own. Where these
    are a file, or no hook is run, there are no subagents at all.
    """
    denied = (*NO_WORKTREES_BY_AGENTS, *options.disallowed_tools)
    words = (*options.command, *options.extra_args)
    at = _last_settings(words)
    given = words[at].removeprefix(f"{SETTINGS}=") if at >= 0 else "{}"
    merged = _with_hook(given)
    if not merged or not {*words}.isdisjoint(NO_HOOKS):
        return replace(options, disallowed_tools=("Agent", *denied))
    if at < 0:
        extra = (f"{SETTINGS}={merged}", *options.extra_args)
        return replace(options, disallowed_tools=denied, extra_args=extra)
    # In place: behind the list's other words it might be taken for one of their values.
    sign = words[at][: len(words[at]) - len(given)]
    words, end = (*words[:at], sign + merged, *words[at + 1 :]), len(options.command)
    return replace(options, disallowed_tools=denied, command=words[:end], extra_args=words[end:])


def _last_settings(words: Sequence[str]) -> int:
    """Which word holds the value of the last ``--settings``; -1 where there is none."""
    joined = [at for at, word in enumerate(words) if word.startswith(f"{SETTINGS}=")]
    apart = [at for at, word in enumerate(words[1:], 1) if words[at - 1] == SETTINGS]
    return max((*joined, *apart), default=-1)


def _with_hook(settings: str) -> str:
    """JSON of settings with our hook in them; empty where that is not possible."""
    try:
        value = json.loads(settings)
    except (ValueError, RecursionError):
        return ""
    hooks = value.get("hooks", {}) if isinstance(value, dict) else None
    if not isinstance(hooks, dict) or value.get("disableAllHooks"):
        return ""
    # Not beside a hook of the list's own: one that succeeds outweighs one that fails.
    ours = {**hooks, "WorktreeCreate": [{"hooks": [NO_WORKTREE_HOOK]}]}
    return json.dumps({**value, "hooks": ours})


NO_SERVERS = "--strict-mcp-config"
"""Without it the servers of a repository's ``.mcp.json`` are started, unasked."""


def _configures_servers(options: ClaudeOptions) -> bool:
    """Whether the list says itself which MCP servers there are to be."""
    given = {word.split("=", 1)[0] for word in options.extra_args}
    return not given.isdisjoint({"--mcp-config", NO_SERVERS})


def commands(options: ClaudeOptions, features: Iterable[Feature]) -> tuple[Invocation, ...]:
    """How Claude is started for the features: one command where it is the same for all."""
    groups: dict[tuple[object, ...], list[Feature]] = {}
    for feature in features:
        groups.setdefault((feature.model, feature.allowed_tools), []).append(feature)
    env = _shown(options.env)
    return tuple(
        Invocation(
            purpose="claude",
            argv=tuple(argv(options, group[0], "SESSION", resume=False)),
            brief=_brief(options, group[0]),
            features=tuple(f.id for f in group) if len(groups) > 1 else (),
            env=env,
            bypass=bypasses(options),
        )
        for group in groups.values()
    )


def own_command(options: ClaudeOptions) -> tuple[Invocation, ...]:
    """What of Claude's start the list brings along; nothing where that is plain ``claude``.

    Rules and models are no commands: they only bound what the user's own program may do.
    """
    plain = ClaudeOptions()
    words = (*options.command, *options.extra_args)
    if words == plain.command and not options.env:
        return ()
    bypass, env = bypasses(options), _shown(options.env)
    return (Invocation("claude", words, brief=words, env=env, bypass=bypass),)


def _shown(env: Mapping[str, str]) -> dict[str, str]:
    return {n: "[masked]" if is_secret(n) else value for n, value in env.items()}


def _brief(options: ClaudeOptions, feature: Feature) -> tuple[str, ...]:
    """The command line without what is the same with every list."""
    plain = {*argv(replace(ClaudeOptions(), command=()), Feature("", ""), "SESSION", resume=False)}
    begin, rest = len(options.command), argv(options, feature, "SESSION", resume=False)
    end = len(rest) - len(options.extra_args)
    own = [word for word in rest[begin:end] if word not in plain]
    return (*options.command, "-p", *own, *options.extra_args)


def environment(base: Mapping[str, str], options: ClaudeOptions) -> dict[str, str]:
    """The environment of an attempt, on top of ``base``."""
    inherited = {name: value for name, value in base.items() if name != "CLAUDECODE"}
    return {**inherited, **ENVIRONMENT, **options.env}


def parse(line: bytes) -> list[Message]:
    """The messages on one line of output; none where it isn't JSON of the stream's kind.

    A line may hold an array: ``"verbose": true`` in the user's settings does that.
    """
    if b'"type"' not in line:
        return []  # Seen at a glance: an agent may print millions of them.
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return []
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, dict) and isinstance(v.get("type"), str)]


_MAY_HOLD_RESULT = re.compile(rb'\s*(\[|\{(?!\s*"type"\s*:\s*"(?!result")))')


def may_hold_result(begin: bytes) -> bool:
    """Whether a line that begins so may hold a result: the only one to be read however long.

    The type comes first in most messages, but not in every version's results.
    """
    return _MAY_HOLD_RESULT.match(begin) is not None


@dataclass(frozen=True)
class Transcript:
    """What the stream has told so far, as far as the outcome depends on it."""

    began: bool = False
    """Whether Claude got as far as an ``init`` line: from then on its session exists."""
    version: str = ""
    authentication: str = ""
    result: Message | None = None
    text: str = ""
    """Of the last result that answers our prompt, not a background task's notification."""
    waiting: bool = False
    """Whether the last thing of weight was a result: Claude has nothing left to do."""
    error: str = ""
    """The class that the last failed answer was given."""
    limited: bool = False
    """Whether a usage limit rejects requests."""
    resets_at: float | None = None
    """When it is lifted, in seconds since 1970, if the stream says so."""
    answered: bool = False
    """Whether the model has said anything that was no error."""
    cost_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    paid: Mapping[str, Paid] = field(default_factory=dict)
    """By model, what the results reported."""
    session_cost_usd: float | None = None
    """Of all processes of the session, where the CLI carries it over."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """By model, the input and cache tokens of all messages."""
    recent: tuple[str, ...] = ()
    """The ids of the last messages: a message comes in several lines, each with its usage."""
    unpaid: bool = False
    """Whether the model answered after the last result: no result reports what that cost."""


RECENT = 16
"""How many messages may come in turns, by subagents side by side."""


def observe(transcript: Transcript, message: Message) -> Transcript:
    """The transcript after one more message of the stream."""
    kind, subtype = message["type"], message.get("subtype")
    if kind == "system" and subtype == "init":
        return replace(
            transcript,
            began=True,
            waiting=False,
            version=_text(message, "claude_code_version"),
            authentication=_text(message, "apiKeySource"),
        )
    if kind == "assistant":
        error = _text(message, "error")
        answered = transcript.answered or not error
        return replace(
            _counted(transcript, message),
            waiting=False,
            error=error or transcript.error,
            answered=answered,
        )
    if kind == "result":
        answers = "origin" not in message or transcript.result is None
        text = _text(message, "result") if answers else transcript.text
        cost_usd, usage = _spent(transcript, message)
        share = message.get(SHARE)
        return replace(
            transcript,
            result=message,
            text=text,
            waiting=True,
            cost_usd=cost_usd,
            usage=usage,
            paid=_paid(transcript.paid, message),
            session_cost_usd=_dollars(message.get("total_cost_usd")) if share else None,
            unpaid=False,
        )
    if kind == "rate_limit_event":
        limit = message.get("rate_limit_info")
        rejected = isinstance(limit, dict) and limit.get("status") == "rejected"
        resets_at = _moment(limit.get("resetsAt")) if isinstance(limit, dict) else None
        return replace(transcript, limited=rejected, resets_at=resets_at if rejected else None)
    return transcript


def _counted(transcript: Transcript, message: Message) -> Transcript:
    """The transcript with the tokens of one more message; its further lines count nothing."""
    inner = message.get("message")
    usage = inner.get("usage") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(usage, dict):
        return transcript
    id, model = _text(inner, "id"), _text(inner, "model")
    count = sum(_whole(usage, name) for name in INPUT_TOKENS)
    if not count or id in transcript.recent:
        return transcript
    tokens = {**transcript.tokens, model: transcript.tokens.get(model, 0) + count}
    recent = (*transcript.recent, id)[-RECENT:]
    return replace(transcript, tokens=tokens, recent=recent, unpaid=True)


SHARES_ITS_SETTINGS = (2, 1, 59)
"""From this version on several at once don't damage ``~/.claude.json``, which all of them write."""


def old_version(version: str) -> str:
    """A warning where several Claudes of this version at once are a risk; else nothing."""
    found = re.match(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})(?![-0-9])", version)
    if not found or tuple(map(int, found.groups())) >= SHARES_ITS_SETTINGS:
        return ""
    safe = ".".join(map(str, SHARES_ITS_SETTINGS))
    return f"Claude Code {found[0]} is old: {safe} or newer is safer with several at once"


def transcript_of(lines: Iterable[bytes]) -> Transcript:
    """The transcript of a whole stream."""
    transcript = Transcript()
    for line in lines:
        for message in parse(line):
            transcript = observe(transcript, message)
    return transcript


def outcome(
    transcript: Transcript, *, code: int, ended: Fault = Fault.NONE, stderr: str = ""
) -> Outcome:
    """How an attempt ended.

    ``code`` is the exit status, negative for a signal. ``ended`` says why we ended it
    before its result, if we did (``TIMEOUT``, ``INTERRUPTED`` or ``OUTPUT``): such an attempt is
    never a success. Ending a Claude that lingers after its result is not meant by that: its
    ``code`` is then 0.
    """
    result = transcript.result
    fault, reason = _judge(transcript, code, stderr)
    if ended is not Fault.NONE:
        fault, reason = ended, _ENDED_REASONS[ended]
    cost_usd = None if transcript.unpaid else transcript.cost_usd
    return Outcome(
        status=_STATUS.get(fault, Status.FAILED) if reason else Status.COMPLETED,
        reason=excerpt(reason),
        fault=fault,
        cost_usd=cost_usd,
        usage=transcript.usage,
        duration_ms=_whole(result, "duration_ms"),
        num_turns=_whole(result, "num_turns"),
        session_id=_text(result or {}, "session_id")[:LONGEST_ID],
        result=excerpt(transcript.text, lines=RESULT_LINES, characters=RESULT_CHARACTERS),
        denied_tools=_denied_tools(result),
        resets_at=transcript.resets_at if fault is Fault.LIMIT else None,
        paid=transcript.paid,
        tokens=transcript.tokens if cost_usd is None else {},
        session_cost_usd=transcript.session_cost_usd,
    )


_STATUS = {
    Fault.TIMEOUT: Status.TIMED_OUT,
    Fault.STALL: Status.TIMED_OUT,
    Fault.INTERRUPTED: Status.CANCELLED,
}

_ENDED_REASONS = {
    Fault.TIMEOUT: "no result in time",
    Fault.INTERRUPTED: "interrupted",
    Fault.STALL: "not a word for too long",
    Fault.OUTPUT: "it printed more than a log may hold",
}


def _judge(transcript: Transcript, code: int, stderr: str) -> tuple[Fault, str]:
    """The fault of an attempt and the reason in words; no words where it succeeded."""
    result = transcript.result
    if result is None:
        return _judge_silence(transcript, code, stderr)
    if result.get("subtype") != "success":
        return _judge_stop(result)
    if result.get("is_error") is not False:
        said = _text(result, "result")
        return _fault_of_answer(transcript, said), said or "Claude reported an error"
    if _whole(result, "num_turns") < 1:
        said = _text(result, "result")
        return Fault.REQUEST, said or "the prompt never reached the model"
    if code != 0:
        return Fault.TRANSIENT, f"Claude reported success, but ended with {_ending(code)}"
    return Fault.NONE, ""


def _judge_stop(result: Message) -> tuple[Fault, str]:
    subtype = _text(result, "subtype")
    errors = result.get("errors")
    given = errors if isinstance(errors, list) else []
    said = "; ".join(error for error in given if isinstance(error, str))
    if "No conversation found" in said:
        return Fault.SESSION, said
    known = {
        "error_max_turns": (Fault.TURNS, "the maximum number of turns is used up"),
        "error_max_budget_usd": (Fault.ALLOWANCE, "the maximum budget is used up"),
        "error_max_structured_output_retries": (Fault.NONE, "no valid structured output"),
        "error_during_execution": (Fault.TRANSIENT, "Claude was interrupted at work"),
    }
    fault, words = known.get(subtype, (Fault.NONE, f"Claude stopped: {subtype or 'no subtype'}"))
    return fault, f"{words} ({said})" if said and "ede_diagnostic" not in said else words


USAGE_LIMIT = r"^you.ve (hit|reached) your|usage limit|limit reached"

_ANSWERS: Sequence[tuple[Fault, str]] = (
    (Fault.ACCOUNT, r"not logged in|invalid api key|run /login|credit balance|authenticat|oauth"),
    (Fault.LIMIT, USAGE_LIMIT),
    (Fault.RATE, r"rate.?limit|\(429\)|too many requests"),
    (Fault.REQUEST, r"prompt is too long|violate our|output token maximum|selected model"),
    (Fault.TRANSIENT, r"overloaded|unable to connect|timed out|connection|server error|\b5\d\d\b"),
)

_CLASSES = {
    "authentication_failed": Fault.ACCOUNT,
    "oauth_org_not_allowed": Fault.ACCOUNT,
    "billing_error": Fault.ACCOUNT,
    "rate_limit": Fault.RATE,
    "overloaded": Fault.TRANSIENT,
    "server_error": Fault.TRANSIENT,
    "invalid_request": Fault.REQUEST,
    "model_not_found": Fault.REQUEST,
    "max_output_tokens": Fault.REQUEST,
}
"""Of an assistant message's ``error``; ``unknown`` is left to the status."""


def _fault_of_answer(transcript: Transcript, said: str) -> Fault:
    """By the exact signs first: limit event, error class, HTTP status; the words drift."""
    assert transcript.result is not None
    if transcript.limited:
        return Fault.LIMIT
    if re.search(USAGE_LIMIT, said, re.IGNORECASE):
        return Fault.LIMIT
    if transcript.error in _CLASSES:
        return _CLASSES[transcript.error]
    status = transcript.result.get("api_error_status")
    if isinstance(status, int):
        return _fault_of_status(status, said)
    return _fault_of_words(said)


def _fault_of_status(status: int, said: str) -> Fault:
    if status in (401, 402, 403) or "credit balance" in said.lower():
        return Fault.ACCOUNT
    if status == 429:
        return Fault.RATE
    return Fault.TRANSIENT if status >= 500 or status == 408 else Fault.REQUEST


def _fault_of_words(said: str) -> Fault:
    for fault, pattern in _ANSWERS:
        if re.search(pattern, said, re.IGNORECASE):
            return fault
    return Fault.REQUEST


_COMPLAINTS: Sequence[tuple[Fault, str]] = (
    (Fault.SESSION, r"no conversation found|already in use|requires a valid session"),
    (Fault.REQUEST, r"input must be provided|exceeds 10MB|no messages returned"),
    (Fault.ACCOUNT, r"not logged in|invalid api key|run /login"),
    (
        Fault.USAGE,
        # In lower case, as its option parser has it: any crash may begin with "Error: ".
        r"^(?-i:error): |is invalid|unknown option|cannot be used with root|requires --verbose"
        r"|invalid session id",
    ),
)


def _judge_silence(transcript: Transcript, code: int, stderr: str) -> tuple[Fault, str]:
    """An attempt without a result: what it said on standard error is all there is."""
    tail = "\n".join(stderr.strip().splitlines()[-STDERR_TAIL_LINES:])
    if code in (126, 127) and not transcript.began:
        return Fault.PROGRAM, tail or "claude could not be started"
    if code > 0 and not transcript.began:
        for fault, pattern in _COMPLAINTS:
            if re.search(pattern, tail, re.IGNORECASE | re.MULTILINE):
                return fault, tail
    reason = f"Claude ended without a result ({_ending(code)})"
    return Fault.TRANSIENT, f"{reason}: {tail}" if tail else reason


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"


def _text(message: Message, key: str) -> str:
    value = message.get(key)
    return value if isinstance(value, str) else ""


def _whole(message: Message | None, key: str) -> int:
    value = message.get(key) if message else None
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= LARGEST else 0


def _spent(transcript: Transcript, result: Message) -> tuple[float | None, Usage]:
    """USD and tokens of this process so far.

    The figures of a result line are cumulative over the process, and since 2.1.330 over the
    earlier processes of a resumed session too: the share of each line, where it is given, is
    what adds up.
    """
    share = result.get(SHARE)
    total = _dollars(result.get("total_cost_usd"))
    if isinstance(share, dict) and (share or not transcript.unpaid):
        models = [model if isinstance(model, dict) else {} for model in share.values()]
        before = 0.0 if transcript.result is None else transcript.cost_usd
        return (
            _sum_of([before, *(_dollars(model.get("costUSD")) for model in models)]),
            transcript.usage + _of_models(models),
        )
    usage = _usage(result)
    answered = bool(transcript.tokens) or usage != Usage()
    if isinstance(share, dict) or (total == 0 and answered) or _fell(transcript, total):
        return None, usage  # The model answered, and its price is missing.
    return total, usage


def _fell(transcript: Transcript, total: float | None) -> bool:
    """Whether a total that can only grow is less than an earlier one; or was, before."""
    seen = _dollars((transcript.result or {}).get("total_cost_usd"))
    known = transcript.cost_usd
    return bool(seen) and (known is None or total is None or total < known)


def _paid(known: Mapping[str, Paid], result: Message) -> Mapping[str, Paid]:
    """What each model cost, and for how many tokens, with one more result."""
    share = result.get(SHARE)
    models = share if isinstance(share, dict) else result.get("modelUsage")
    paid = {} if share is None else dict(known)
    for name, model in models.items() if isinstance(models, dict) else ():
        cost_usd = _dollars(model.get("costUSD")) if isinstance(model, dict) else None
        tokens = sum(_whole(model, theirs) for theirs in INPUT_OF_MODEL) if cost_usd else 0
        if cost_usd and tokens:
            paid[name] = Paid(cost_usd, tokens) + paid.get(name, Paid(0.0, 0))
    return paid


def _sum_of(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    return None if None in known else sum(filter(None, known), 0.0)


MILLISECONDS = 1e11
"""A time above this, in the year 5138, is given in milliseconds."""


def _moment(value: object) -> float | None:
    """Seconds since 1970, up to the year 5138; ``None`` for what is no such time."""
    at = _dollars(value)
    if at is None or at < MILLISECONDS:
        return at
    return at / 1000 if at / 1000 < MILLISECONDS else None


def _dollars(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= LARGEST else None  # not NaN, which is never in order


INPUT_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
INPUT_OF_MODEL = ("inputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")

_MODEL_USAGE = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_creation_input_tokens": "cacheCreationInputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
}


def _usage(result: Message) -> Usage:
    """Tokens by ``modelUsage``, which counts subagents too; else by ``usage``."""
    models = result.get("modelUsage")
    if isinstance(models, dict) and models:
        return _of_models([model for model in models.values() if isinstance(model, dict)])
    usage = result.get("usage")
    return _tokens(usage, {k: k for k in _MODEL_USAGE}) if isinstance(usage, dict) else Usage()


def _of_models(models: Iterable[Message]) -> Usage:
    return sum((_tokens(model, _MODEL_USAGE) for model in models), Usage())


def _tokens(counts: Message, names: Mapping[str, str]) -> Usage:
    return Usage(**{ours: _whole(counts, theirs) for ours, theirs in names.items()})


def _denied_tools(result: Message | None) -> tuple[str, ...]:
    denials = result.get("permission_denials") if result else None
    if not isinstance(denials, list):
        return ()
    return tuple(listed(_denied_tool(each) for each in denials if isinstance(each, dict)))


def _denied_tool(denial: Message) -> str:
    name = _text(denial, "tool_name") or "a tool"
    given = denial.get("tool_input")
    command = _text(given, "command") if isinstance(given, dict) else ""
    return f"{name}({excerpt(command, characters=COMMAND_CHARACTERS)})" if command else name
