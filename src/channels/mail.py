"""Mails of alerts. Pure: a message and addresses in, an e-mail out.

Source: RFC 5322; RFC 3834 section 5 (Auto-Submitted); RFC 2156 (Importance). Nothing that comes from
outside can begin a header of its own: line breaks go first, and the policy refuses what is left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr

from ..common.alert_message import AlertMessage
from ..common.errors import ConfigError
from ..common.problems import Severity

_POLICY = SMTP.clone(cte_type="7bit")  # any server takes it
_SUBJECT_MOST = 200
_ADDRESS = re.compile(
    r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,253}|[^\s@<>,;:\"()\[\]\\]{1,64}@\[[0-9A-Fa-f:.]+\]"
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom."""

    sender: Address
    recipients: tuple[Address, ...]


def envelope(sender: str, recipients: Sequence[str]) -> Envelope:
    """Return the addresses of a configuration. Raises ConfigError."""
    if not recipients:
        raise ConfigError("to: no address; write at least one")
    return Envelope(_address("from", sender), tuple(_address("to", one) for one in recipients))


def _address(option: str, text: str) -> Address:
    name, spec = parseaddr(text)
    if not _ADDRESS.fullmatch(spec) or not spec.isascii() or not text.isprintable():
        raise ConfigError(f"{option}: {text[:80]!r} is no address such as ops@example.org or Ops <ops@example.org>")
    return Address(display_name=name, addr_spec=spec)


def mail(message: AlertMessage, addresses: Envelope) -> EmailMessage:
    """Return the e-mail of a message. All of one alert are one thread, and each try of one has the same Message-ID."""
    domain = addresses.sender.domain.strip("[]")
    found = EmailMessage(_POLICY)
    found["From"] = addresses.sender
    found["To"] = addresses.recipients
    found["Subject"] = subject(message)
    found["Date"] = formatdate(message.at, localtime=True)
    found["Message-ID"] = f"<{_token(message.id)}@{domain}>"
    if message.alert:
        thread = f"<alert-{message.alert}.{_token(message.site or 'ockle')}@{domain}>"
        found["In-Reply-To"] = thread
        found["References"] = thread
    found["Auto-Submitted"] = "auto-generated"
    if message.severity is Severity.CRITICAL and message.kind != "recovery":
        found["Importance"] = "high"
    found.set_content(text(message))
    return found


def subject(message: AlertMessage) -> str:
    """Return ``[Lab] critical: web1: failed to start``."""
    word = {"recovery": "over", "test": "test", "digest": "digest"}.get(message.kind, message.severity.value)
    head = f"[{message.site}] " if message.site else ""
    line = " ".join(f"{head}{word}: {message.title}".split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= _SUBJECT_MOST else line[: _SUBJECT_MOST - 1] + "…"


def text(message: AlertMessage) -> str:
    """Return the body."""
    parts = [message.title, "\n".join(f"- {line}" for line in message.lines), message.url]
    return "\n\n".join(part for part in parts if part) + "\n"


def _token(text: str) -> str:
    """Return what may stand before the ``@`` of a Message-ID."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.").replace("..", ".") or "ockle"
