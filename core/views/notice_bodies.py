"""The bodies of notifications: Slack's blocks, Discord's embeds, signed JSON.

Sources: https://docs.slack.dev/reference/block-kit/blocks/section-block,
https://docs.slack.dev/messaging/formatting-message-text,
https://discord.com/developers/docs/resources/webhook#execute-webhook and
https://discord.com/developers/docs/resources/message#embed-object-embed-limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ..model.feature import Occasion, ReceiverType
from ..model.frozen import dataclass
from ..model.translate import _
from .notice import Notice

SLACK_CHARACTERS = 2_900
"""Of a section; Slack refuses a message with one above 3,000."""

DISCORD_TITLE = 250
DISCORD_CHARACTERS = 3_900
"""Of title and description; Discord refuses a message with one above 256 or 4,096."""

RED, AMBER, GREEN = 0xD73A49, 0xDBAB09, 0x2DA44E

SIGNATURE = "X-RoRchestrator-Signature"
TIMESTAMP = "X-RoRchestrator-Timestamp"
DELIVERY = "X-RoRchestrator-Delivery"


@dataclass(frozen=True)
class Body:
    """A request's body and its headers."""

    content: bytes
    headers: Mapping[str, str]


def body_of(type: ReceiverType, notice: Notice, secret: str, now: float) -> Body:
    """The body of a notification; ``now`` (seconds since 1970) is part of the signature."""
    make = {ReceiverType.SLACK: slack, ReceiverType.DISCORD: discord}.get(type, Notice.to_json)
    content = json.dumps(make(notice)).encode()
    headers = {"Content-Type": "application/json", DELIVERY: notice.id}
    if secret:
        stamp = str(int(now))
        headers.update({TIMESTAMP: stamp, SIGNATURE: signature(secret, stamp, content)})
    return Body(content, headers)


def signature(secret: str, stamp: str, content: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 of timestamp, full stop and body, in hexadecimal."""
    import hashlib
    import hmac

    signed = stamp.encode() + b"." + content
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def slack(notice: Notice) -> dict[str, object]:
    """A message for an incoming webhook of Slack."""
    title = _slack_text(notice.title, 300)
    parts = [f"*{title}*", *(_slack_text(line, 400) for line in notice.lines)]
    parts += [
        _("next: {command}").format(command=f"`{_slack_text(command, 300)}`")
        for command in notice.commands
    ]
    return {
        "text": title,
        "blocks": [
            # verbatim: no name becomes a link or a mention
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": _first_lines(parts, SLACK_CHARACTERS),
                    "verbatim": True,
                },
            }
        ],
        "unfurl_links": False,
    }


def discord(notice: Notice) -> dict[str, object]:
    """A message for a webhook of Discord."""
    colour = AMBER if notice.needs_you else GREEN
    if Occasion.FAILED in notice.occasions or Occasion.FEATURE_FAILED in notice.occasions:
        colour = GREEN if notice.is_test else RED
    parts = [_discord_text(line, 400) for line in notice.lines]
    parts += [
        _("next: {command}").format(command=_discord_text(command, 300))
        for command in notice.commands
    ]
    embed = {
        "title": _discord_text(notice.title, DISCORD_TITLE // 2),
        "description": _first_lines(parts, DISCORD_CHARACTERS),
        "color": colour,
    }
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _slack_text(text: str, limit: int) -> str:
    """A text in which Slack sees no mention, no link and no code."""
    cut = _cut(text, limit).replace("`", "'")
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _discord_text(text: str, limit: int) -> str:
    """A text in which Discord sees no mention and no Markdown."""
    escaped = re.sub(r"([\\*_~`|<>\[\]()#])", r"\\\1", _cut(text, limit))
    # A zero-width space: Discord knows no escape for a mention.
    return escaped.replace("@", "@\u200b").replace("://", ":\u200b//")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _first_lines(lines: list[str], limit: int) -> str:
    """The first lines that fit."""
    kept: list[str] = []
    for line in lines:
        if len("\n".join((*kept, line))) > limit:
            break
        kept.append(line)
    return "\n".join(kept)
