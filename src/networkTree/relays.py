"""Whether what an outlet shows fits what it draws. Pure functions."""

from __future__ import annotations

METER_LAG_S = 15.0
"""Meters average over some seconds: a measurement so soon after a switching tells of the time before it."""
NOTHING_W = 0.5


def relay_doubt(state: bool | None, power_w: object, settled_s: float, idle_watts: float, boot_timeout: float) -> str:
    """Return what is odd about an outlet, "" when nothing is, or when it has no meter.

    ``state``         as it was read
    ``power_w``       as measured; anything but a number is no measurement
    ``settled_s``     from the last switching to the measurement
    ``idle_watts``    what the server draws at most when it is off
    ``boot_timeout``  the server draws something at least so long after it was switched on
    """
    if state is None or isinstance(power_w, bool) or not isinstance(power_w, int | float):
        return ""
    if not state and power_w > idle_watts and settled_s >= METER_LAG_S:
        return f"it shows off and draws {power_w:g} W: its relay may be stuck"
    if state and power_w < NOTHING_W and settled_s >= max(boot_timeout, METER_LAG_S):
        return "it shows on and draws nothing: its relay may not have closed"
    return ""
