"""Exit codes: one table for all commands.

``status`` says "not everything is on" with a code of its own (7): 3 to 5 mean that it could not find out, and a script
must never take "cannot reach the daemon" for "is off".
"""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
UNREACHABLE = 3
DENIED = 4
TIMEOUT = 5
ABORTED = 6
NOT_ON = 7

MEANINGS = {
    OK: "done; status: everything asked for is on; config diff: no difference",
    FAILED: "a target failed, also for status, test and wait; doctor: a fault; config diff: there are differences",
    USAGE: "wrong usage, unknown server, faults in the configuration, or refused by the daemon",
    UNREACHABLE: "cannot reach the daemon",
    DENIED: "the daemon wants a token, or one with a higher role",
    TIMEOUT: "no end within the limit; the run goes on in the daemon",
    ABORTED: "not confirmed, interrupted, or another order came first",
    NOT_ON: "status: something is off, switching or unknown, and nothing failed; doctor: there are warnings",
}

BY_ERROR = {
    "denied": DENIED,
    "timeout": TIMEOUT,
    "conflict": ABORTED,
    "device": FAILED,
    "internal": FAILED,
    "stopping": UNREACHABLE,
    "throttled": DENIED,
    "busy": UNREACHABLE,
}
"""Exit code by the code of a daemon's error; any other is USAGE."""


class CliError(Exception):
    """Ends the command with one line for the user and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
