"""Whether this machine's clock is right, and who says so: asked from the kernel, which the host's own NTP client tells.

Source: adjtimex(2), struct timex of linux/timex.h; clock_adjtime needs no privilege when nothing is set.
"""

from __future__ import annotations

import ctypes
import math
import time
from dataclasses import dataclass, replace

from .packet import UNSYNCHRONISED_LEAP, UNSYNCHRONISED_STRATUM, Source

STA_INS, STA_DEL, STA_UNSYNC = 0x0010, 0x0020, 0x0040
TIME_ERROR = 5
GROWTH = 500e-6
"""Seconds by which the kernel lets the greatest error grow each second, until the clock is set again."""
OLDEST_S = 1024.0
LOCAL_CLOCK = bytes((127, 127, 1, 0))
"""The reference of a server that has nobody but its own machine's clock: the address of that driver in ntpd."""


class _Timex(ctypes.Structure):
    """struct timex; padded generously, the kernel writes no more than its own size."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 64),
    )


@dataclass(frozen=True, slots=True)
class KernelClock:
    """``error``: seconds that the clock may be wrong at most, as its keeper has told; it grows with time."""

    synchronised: bool
    leap: int
    error: float


def kernel_clock() -> KernelClock:
    """Ask the kernel; where it does not answer the clock counts as unsynchronised."""
    state = _Timex()
    try:
        library = ctypes.CDLL(None, use_errno=True)
        result = library.adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return KernelClock(False, UNSYNCHRONISED_LEAP, 16.0)
    if result in (-1, TIME_ERROR) or state.status & STA_UNSYNC:
        return KernelClock(False, UNSYNCHRONISED_LEAP, 16.0)
    leap = 1 if state.status & STA_INS else 2 if state.status & STA_DEL else 0
    return KernelClock(True, leap, state.maxerror / 1e6)


def precision() -> int:
    """Return log2 of the seconds that reading the clock takes and resolves to, found out by reading it."""
    least = 1.0
    before = time.time_ns()
    for _ in range(200):
        now = time.time_ns()
        if now > before:
            least = min(least, (now - before) / 1e9)
        before = now
    return max(-30, min(-1, math.ceil(math.log2(least))))


@dataclass(frozen=True, slots=True)
class Belief:
    """What is told of a clock that nobody on this machine vouches for.

    ``stratum``  of a server whose distance to a reference is not known
    ``trusted``  the clock counts as right although nobody sets it
    """

    stratum: int
    trusted: bool


def source(kernel: KernelClock, above: Source | None, belief: Belief, now: int, own_precision: int) -> Source:
    """Return what may honestly be told.

    ``above``  what the NTP server of this machine tells of the same clock, None = there is none, or it is not right
    ``now``    nanoseconds since 1970
    """
    if above is not None and above.stratum < UNSYNCHRONISED_STRATUM - 1:
        return replace(above, stratum=above.stratum + 1, precision=own_precision, identity=bytes((127, 0, 0, 1)))
    if kernel.synchronised:
        reference = now - int(min(kernel.error / GROWTH, OLDEST_S) * 1e9)
        return Source(kernel.leap, belief.stratum, own_precision, 0.0, kernel.error, LOCAL_CLOCK, reference)
    if belief.trusted:
        return Source(0, belief.stratum, own_precision, 0.0, 1.0, LOCAL_CLOCK, now)
    return Source(UNSYNCHRONISED_LEAP, UNSYNCHRONISED_STRATUM, own_precision, 0.0, 16.0, b"INIT", 0)
