"""Named points where a test has the daemon die or stall, as a crash or a hanging disk would.

Nothing is armed unless OCKLE_FAILPOINTS says so when the daemon starts: "switching.journaled=kill" kills it there,
"=kill@3" at the third pass, "=sleep:2.5" blocks for so many seconds; several are separated by commas.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import ConfigError

log = logging.getLogger(__name__)

VARIABLE = "OCKLE_FAILPOINTS"
LONGEST_SLEEP_S = 3600.0

POINTS: Mapping[str, str] = {
    "conductor.launched": "a switching was decided, nothing is noted of it",
    "conductor.ended": "a switching has ended, its consequences are noted and not durable",
    "switching.on": "a start begins",
    "switching.off": "a stop begins",
    "switching.shutdown.noted": "the intent of a shutdown is noted, not durable",
    "switching.shutdown.journaled": "the intent of a shutdown is durable, nothing is sent",
    "control.sending": "the guard allowed a shutdown; it is sent next",
    "control.sent": "a shutdown was accepted, its outcome is not noted",
    "switching.shutdown.answered": "the outcome of a shutdown is noted, not durable",
    "switching.waiting": "a server was looked at that is shutting down",
    "switching.down": "a server is down, its power is still on",
    "switching.noted": "the intents of outlets are noted, not durable",
    "switching.journaled": "the intents of outlets are durable, nothing is sent",
    "outlet.sending": "the guard allowed a SET; it is sent next",
    "outlet.sent": "a SET was sent, nothing is read back",
    "outlet.verified": "an outlet shows what it was asked, nobody was told",
    "switching.verified": "all outlets of a server ended, their outcomes are not noted",
    "switching.concluded": "the outcomes of outlets are noted, not durable",
    "switching.booting": "a server was looked at that boots",
    "store.committing": "a transaction is written, not committed",
    "store.committed": "a transaction is durable, nobody was told",
    "run.noted": "a run and its orders are noted, not durable",
    "run.durable": "a run is durable, who ordered it was not told",
    "run.stage": "a restart is between its stages",
    "run.finished": "a run has ended, that is not durable",
    "run.resuming": "an open run is about to go on after a start",
    "force.noted": "a force, or its end, is noted, not durable",
    "force.durable": "a force, or its end, is durable, nothing is sent for it",
    "hold.noted": "a hold, or its end, is noted, not durable",
    "auto.noted": "the master switch is noted, not durable",
    "engine.loaded": "the store was read at a start, no device was",
    "adopt.begun": "a new configuration may be adopted, nothing has changed",
    "adopt.done": "a new configuration is adopted, what is noted of it is not durable",
}
"""Every point and what it means: what has happened, what has not."""


@dataclass(slots=True)
class _Armed:
    """``left``: passes until it acts, counting this one; ``sleep_s`` None = kill."""

    left: int
    sleep_s: float | None


_armed: dict[str, _Armed] = {}
_counting = threading.Lock()  # points are passed on the device loop and in the store's thread


def failpoint(name: str) -> None:
    """Pass the point ``name``."""
    if name in _armed:
        _act(name)


def arm(text: str) -> None:
    """Arm what ``text`` says, see the module; "" disarms all. Raises ConfigError and leaves all as it was."""
    wanted = dict(_parse(item.strip()) for item in text.split(",") if item.strip())
    _armed.clear()
    _armed.update(wanted)
    if wanted:
        log.warning("FAILPOINTS ARE ARMED, this daemon is going to die or stall: %s", text)


def arm_from_environment() -> None:
    """Arm what the environment says. Raises ConfigError."""
    arm(os.environ.get(VARIABLE, ""))


def _parse(item: str) -> tuple[str, _Armed]:
    name, _, action = item.partition("=")
    if name not in POINTS:
        raise ConfigError(f"{VARIABLE}: there is no failpoint {name!r}; there are {', '.join(POINTS)}")
    what, _, passes = action.partition("@")
    kind, _, seconds = what.partition(":")
    try:
        left = int(passes or 1)
        sleep_s = {"kill": None, "sleep": float(seconds or 1.0)}[kind]
        if left < 1 or not 0 <= (sleep_s or 0.0) <= LONGEST_SLEEP_S:
            raise ValueError(action)
    except (KeyError, ValueError):
        raise ConfigError(f"{VARIABLE}: {item!r}: use NAME=kill, NAME=kill@PASS or NAME=sleep:SECONDS") from None
    return name, _Armed(left, sleep_s)


def _act(name: str) -> None:
    with _counting:
        point = _armed.get(name)
        if point is None:
            return
        point.left -= 1
        if point.left > 0:
            return
        del _armed[name]
    if point.sleep_s is None:
        os.kill(os.getpid(), signal.SIGKILL)
    log.warning("failpoint %s: stalls for %g s", name, point.sleep_s)
    time.sleep(point.sleep_s or 0.0)
