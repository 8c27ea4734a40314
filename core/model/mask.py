"""Masks secrets in text: values of variables with telling names, and keys of known shapes.

The replacement names the secret and contains no character that JSON would escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from .patterns import pattern

SHORTEST = 8
"""Shorter values are not masked: ``1`` and ``true`` are everywhere."""

SHORTEST_LINE = 16
"""The same for a line of a multi-line value, such as a private key."""

LONGEST = 4096
"""No secret is longer. Of a longer word, only this much is left out."""

DEEPEST = 50
"""Deeper values are left out: nobody reads them, and Python has a recursion limit."""

_ANYWHERE = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET")
_AT_THE_END = ("_KEY", "_TOKEN", "_PASS", "_CREDENTIALS", "APIKEY")
_ALONE = ("KEY", "TOKEN", "CREDENTIALS")
_NAMES_A_PLACE = ("_DIR", "_FILE", "_PATH")

_SPACE = r"(?:\s|\\[nrt])+"
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:{_SPACE}(?:[A-Za-z0-9+/=]{{16,}}|[A-Z][A-Za-z-]+: [^\n\r\\]+))*"
    rf"(?:{_SPACE}[A-Za-z0-9+/=]{{1,15}}(?={_SPACE}-----END))?"
    rf"(?:{_SPACE}-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----)?"
)

_VALUE = r"([\"']?)(?!\$|\[masked)([^\s\"'\\]{7,}[^\s\"'\\;,)])"
"""A secret after its name, quoted or not, but not a shell variable."""

_ENDS_WORD = pattern("[;&|()<>]")
"""The end of an unquoted word of a shell."""

_NAME = (
    r"[A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET)[A-Z0-9_]*(?<!_DIR)(?<!_FILE)(?<!_PATH)"
    r"|(?:[A-Z0-9_]*_)?(?:KEY|TOKEN|CREDENTIALS)|[A-Z0-9_]*(?:_PASS|APIKEY)"
)
"""The names of :func:`is_secret`, in capitals only: lower case is prose or code."""

_WORDS = ("token", "password", "passwd", "secret", "api-key", "apikey")

NAMED = (
    (
        ("PASSW", "PASSPHRASE", "SECRET", "KEY=", "TOKEN=", "CREDENTIALS=", "_PASS="),
        rf"\b({_NAME})=()()()" + _VALUE,
        r"\1=\5[masked \1]",
    ),
    (
        tuple(f"{word}{end}" for word in _WORDS for end in "= "),
        r"--()([a-z-]*)(token|password|passwd|secret|api-?key)(=| +)" + _VALUE,
        r"--\2\3\4\5[masked \3]",
    ),
    (
        ("uthorization:", "pi-key:", "pi-Key:"),
        r"\b()([Aa]uthorization|[Xx]-[Aa]pi-[Kk]ey)(: *)((?:[Bb]earer +|[Bb]asic +|[Tt]oken +)?)"
        + _VALUE,
        r"\2\3\4\5[masked header]",
    ),
)
"""Secrets after their names: assignments, options, HTTP headers. Group 6 is the secret."""

SHAPES = (
    (("sk-ant-",), r"\bsk-ant-[A-Za-z0-9_-]{8,}", "[masked Anthropic key]"),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}",
        "[masked GitHub token]",
    ),
    (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "[masked AWS key]"),
    (("xox",), r"\bxox[a-z]-[A-Za-z0-9-]{10,}", "[masked Slack token]"),
    (("PRIVATE KEY",), _PRIVATE_KEY, "[masked private key]"),
    (("://",), r"(?<=://)([^\s/:@\"']*):[^\s/@\"']+@", r"\1:[masked password]@"),
    (("http",), r"\b(https?://)[^\s/:@\"']{20,}@", r"\1[masked token]@"),
    *NAMED,
)
"""Keys of known shapes: strings for a quick test, the pattern, the replacement."""


class Mask:
    """Masks the secrets of an environment: call it with a text, or use :meth:`tree`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._known: dict[str, str] = {}
        self.learn(environ)

    def learn(self, environ: Mapping[str, str], *, all_secret: bool = False) -> None:
        """Mask the secrets of these variables as well; ``all_secret``: whatever their names are."""
        for name, value in environ.items():
            secrets = [value] if all_secret or is_secret(name) else _passwords(value)
            label = re.sub(r"\W", "_", name, flags=re.ASCII) if secrets else ""
            for secret in secrets:
                for spelling in _spellings(secret):
                    self._known.setdefault(spelling, f"[masked {label}]")
        # Longest first: a secret may contain another one.
        self._known = dict(sorted(self._known.items(), key=lambda known: -len(known[0])))

    def learn_named(self, text: str) -> None:
        """Mask the secrets that a command line names, wherever they occur."""
        for signs, shape, _ in NAMED:
            if any(sign in text for sign in signs):
                for found in re.finditer(shape, text):
                    word = found[6] if found[5] else _ENDS_WORD.split(found[6])[0]
                    self.learn({found[1] or "SECRET": word})

    def __call__(self, text: str) -> str:
        """``text`` without secrets."""
        for secret, instead in self._known.items():
            if secret in text:
                text = _replaced(text, secret, instead)
        for signs, shape, instead in SHAPES:
            if any(sign in text for sign in signs):
                text = re.sub(shape, instead, text)
        return text

    def tree(self, value: object, depth: int = 0) -> object:
        """A value as JSON has it, with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if depth > DEEPEST and isinstance(value, (dict, list)):
            return "..."
        if isinstance(value, list):
            return [self.tree(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {self(str(key)): self.tree(item, depth + 1) for key, item in value.items()}
        return value


def is_secret(name: str) -> bool:
    """Whether a variable's name suggests a key, a token or a password."""
    upper = name.upper()
    if upper.endswith(_NAMES_A_PLACE):
        return False
    named = upper in _ALONE or upper.endswith(_AT_THE_END)
    return named or any(word in upper for word in _ANYWHERE)


def whole_words(text: str) -> str:
    """A text without its first word, which was cut and may be half a secret."""
    return re.sub(rf"\A\S{{0,{LONGEST}}}", "", text)


def _passwords(value: str) -> list[str]:
    """The passwords in the URLs of a value, such as a database URL."""
    return re.findall(r"://[^\s/:@\"']*:([^\s/@\"']+)@", value) if "://" in value else []


def _in_url(text: str) -> str:
    """A text, percent-encoded."""
    return re.sub(r"[^\w.~-]", _percent, text, flags=re.ASCII)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))


def _spellings(value: str) -> Iterator[str]:
    """The spellings of a secret in a text: as it is, in JSON, in a URL."""
    lines = [line.strip() for line in value.strip().splitlines()]
    shortest = SHORTEST if len(lines) == 1 else SHORTEST_LINE
    # Also the whole value: some of its lines may be too short to be masked.
    for line in (*lines, value.strip()):
        if len(line) >= shortest:
            in_json = (json.dumps(line, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
            for spelled in (line, *in_json, _in_url(line)):
                yield spelled
                yield spelled.replace("/", "\\/")


def _replaced(text: str, secret: str, instead: str) -> str:
    if not _is_number(secret):
        return text.replace(secret, instead)
    # Not inside of a time or a cost, and not a number in a JSON document.
    return re.sub(rf'(?<![^\\]": )(?<![\w.]){re.escape(secret)}(?![\w.])', instead, text)


def _is_number(secret: str) -> bool:
    return re.fullmatch(r"[-+0-9.eE]+", secret) is not None
