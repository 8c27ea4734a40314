"""Takes secrets out of text: values of variables that are named like one, and well-known keys.

What stands in their place names them, and holds no character that JSON would have to escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

SHORTEST = 8
"""A shorter value is no secret worth the name: ``1`` and ``true`` stand everywhere."""

SHORTEST_LINE = 16
"""Of a value of many lines, as a private key is; its lines are looked for one by one."""

LONGEST = 4096
"""No secret is longer; of a longer word only so much is left out."""

DEEPEST = 50
"""Beyond that, nested values are left out: nobody reads them, and Python would give up."""

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
"""A secret behind its name, in quotes or not; no variable of a shell."""

_ENDS_WORD = re.compile("[;&|()<>]")
"""What ends a word of a shell that stands in no quotes."""

_NAME = (
    r"[A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET)[A-Z0-9_]*(?<!_DIR)(?<!_FILE)(?<!_PATH)"
    r"|(?:[A-Z0-9_]*_)?(?:KEY|TOKEN|CREDENTIALS)|[A-Z0-9_]*(?:_PASS|APIKEY)"
)
"""As :func:`is_secret` has it, in capitals: in small letters it is prose, or code."""

NAMED = (
    (
        ("PASSW", "PASSPHRASE", "SECRET", "KEY=", "TOKEN=", "CREDENTIALS=", "_PASS="),
        rf"\b({_NAME})=()()()" + _VALUE,
        r"\1=\5[masked \1]",
    ),
    (
        ("--",),
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
"""Secrets behind their names: assignments, options and headers of HTTP. The sixth group is it."""

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
"""Keys that are known by their looks: what tells quickly that there is none, and the pattern."""


class Mask:
    """Masks the secrets of an environment, in text (by a call) and in nested values."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._known: dict[str, str] = {}
        self.learn(environ)

    def learn(self, environ: Mapping[str, str]) -> None:
        """Mask the secrets of these variables, too."""
        for name, value in environ.items():
            label = re.sub(r"\W", "_", name, flags=re.ASCII)
            for secret in [value] if is_secret(name) else _passwords(value):
                for spelling in _spellings(secret):
                    self._known.setdefault(spelling, f"[masked {label}]")
        # A secret that holds another one goes first.
        self._known = dict(sorted(self._known.items(), key=lambda known: -len(known[0])))

    def learn_named(self, text: str) -> None:
        """Mask the secrets that a command line names, also where they stand alone."""
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
    """Whether a variable is called as one that holds a key, a token or a password."""
    upper = name.upper()
    if upper.endswith(_NAMES_A_PLACE):
        return False
    named = upper in _ALONE or upper.endswith(_AT_THE_END)
    return named or any(word in upper for word in _ANYWHERE)


def whole_words(text: str) -> str:
    """A text whose beginning was cut off, less the word that was cut: it may be half a secret."""
    return re.sub(rf"\A\S{{0,{LONGEST}}}", "", text)


def _passwords(value: str) -> list[str]:
    """The passwords in the URLs of a value, as that of a database has one."""
    return re.findall(r"://[^\s/:@\"']*:([^\s/@\"']+)@", value) if "://" in value else []


def _in_url(text: str) -> str:
    """A text as it stands in a URL."""
    return re.sub(r"[^\w.~-]", _percent, text, flags=re.ASCII)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))


def _spellings(value: str) -> Iterator[str]:
    """The ways in which a secret may stand in a text: as it is, and as JSON has it."""
    lines = [line.strip() for line in value.strip().splitlines()]
    shortest = SHORTEST if len(lines) == 1 else SHORTEST_LINE
    # Of many lines also all together: some of them may be too short to be one.
    for line in (*lines, value.strip()):
        if len(line) >= shortest:
            in_json = (json.dumps(line, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
            for spelled in (line, *in_json, _in_url(line)):
                yield spelled
                yield spelled.replace("/", "\\/")


def _replaced(text: str, secret: str, instead: str) -> str:
    if not _is_number(secret):
        return text.replace(secret, instead)
    # Not in the middle of a time or of a cost, and not a number of a JSON document.
    return re.sub(rf'(?<![^\\]": )(?<![\w.]){re.escape(secret)}(?![\w.])', instead, text)


def _is_number(secret: str) -> bool:
    return re.fullmatch(r"[-+0-9.eE]+", secret) is not None
