"""Delivers a message to a web server, and says what the status of its answer means for it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..common.errors import ConfigError, DeviceRefused, DeviceUnreachable
from ..common.http import Request, Response, Target, fetch
from ..common.logs import redact, register_secret
from ..config.references import Secret
from .ChannelTemplate import MessageRefused, TryLater

REFUSED = {401, 402, 403, 404, 405, 407, 410, 411, 426, 451, 501, 505}
"""What is wrong for every message: the address, the token, what it may, the method."""
AGAIN = {408, 421, 425, 429}
"""What may be better next time though it is called the client's fault. RFC 9110 section 15.5, RFC 6585, RFC 8470."""
AFTER_S = 30.0
"""How long a receiver is left alone that is asked too often and does not say how long it wants to be."""
SHOWN = 120
TOKEN_LEAST = 16
"""A path that is shorter holds no token, and may be a word that stands in many lines of the log."""


def check_url(url: Secret) -> None:
    """Raise ConfigError when a secret is known here and is no URL that can be sent to."""
    try:
        Target.of(url.reveal().strip())
    except DeviceRefused:
        raise ConfigError("url: not a URL such as https://host/path, without a user name") from None
    except ValueError:  # what it refers to is not on this machine
        return


def target_of(url: str, *, verify: bool = True, ca: str = "") -> Target:
    """Return where a secret URL leads; its path is secret from now on. Raises DeviceRefused."""
    target = Target.of(url, verify=verify, ca=ca)
    if len(target.path) >= TOKEN_LEAST:
        register_secret(target.path)
    return target


async def deliver(target: Target, request: Request, timeout: float) -> str:
    """Send ``request`` and return what the receiver said. Raises as ``ChannelTemplate.send`` does."""
    response = await fetch(target, timeout, request=request)
    status, said = response.status, _said(response)
    what = f"{target.where}: status {status}{f', {said}' if said else ''}"
    if 200 <= status < 300:
        return what
    if 300 <= status < 400:
        there = urlsplit(response.headers.get("location", ""))
        raise DeviceRefused(
            f"{target.where}: status {status}, it is at {there.scheme}://{there.netloc.rpartition('@')[2]}"
        )
    if status in REFUSED:
        raise DeviceRefused(what)
    if status == 429 or "retry-after" in response.headers:
        raise TryLater(what, _after(response.headers.get("retry-after", "")))
    if status >= 500 or status in AGAIN:
        raise DeviceUnreachable(what)
    raise MessageRefused(what)


def _said(response: Response) -> str:
    """Return the first words of an answer, printable, on one line, and without secrets, also where it is cut."""
    words = " ".join(redact(response.text()).split())
    return "".join(one if one.isprintable() else "?" for one in words[:SHOWN])


def _after(text: str) -> float:
    """Return the seconds of a Retry-After, RFC 9110 section 10.2.3: a number or a date."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return AFTER_S
