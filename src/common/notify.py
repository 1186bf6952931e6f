"""Tells systemd how the daemon does: the datagrams of sd_notify(3), without a library.

Every function is harmless outside systemd: without ``$NOTIFY_SOCKET`` nothing is sent and the answer is False.
The manager never holds the daemon up: a datagram that cannot be delivered within a second is dropped.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)

_SEND_LIMIT_S = 1.0


def ready(status: str = "") -> bool:
    """Starting (or reloading) is done."""
    return _notify(READY="1", **_status(status))


def reloading() -> bool:
    """The configuration is being read again; ``ready`` has to follow.

    systemd wants the moment on its own clock (CLOCK_MONOTONIC, microseconds) to tell a late datagram from a new one.
    """
    return _notify(RELOADING="1", MONOTONIC_USEC=str(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000))


def stopping(status: str = "") -> bool:
    """SIGTERM was taken; from here on only the way down."""
    return _notify(STOPPING="1", **_status(status))


def status(text: str) -> bool:
    """The line that ``systemctl status`` shows."""
    return _notify(STATUS=text)


def watchdog() -> bool:
    """Still alive. To be sent by the loop that must not get stuck, not by a thread of its own."""
    return _notify(WATCHDOG="1")


def watchdog_interval_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """How often to call ``watchdog``: half of what the unit's WatchdogSec allows; None when nobody watches."""
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not usec.isascii() or not usec.isdecimal() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2e6


def _status(text: str) -> dict[str, str]:
    return {"STATUS": text} if text else {}


def _notify(**fields: str) -> bool:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):  # (vsock: is for machines that report to their host)
        return False
    # a line break in a text would begin the next field
    message = "\n".join(f"{name}={' '.join(value.splitlines())}" for name, value in fields.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(_SEND_LIMIT_S)
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(message.encode())
    except OSError as error:
        log.debug("cannot notify the service manager at %s: %s", address, error)
        return False
    return True
