"""Network UPS Tools: what upsd says of a UPS, and what that means. What is doubtful is neither "on battery" nor "fine".

Source: the protocol of upsd (RFC 9271), the variables and the words of ``ups.status`` of NUT's developer guide.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceUnreachable, OckleError
from .oserrors import reason

if TYPE_CHECKING:
    from aionut import NUTError

LONGEST_RUNTIME_S = 10 * 86400.0
"""What claims to last longer is mistaken."""
MOST_CHARGE = 110.0
"""Some say a little more than 100 %."""

FIGURES = {
    "ups.load": "load_percent",
    "ups.realpower": "power_w",
    "input.voltage": "input_v",
    "output.voltage": "output_v",
    "battery.voltage": "battery_v",
}
"""Variables that are kept as samples, beside charge and runtime."""


class Supply(StrEnum):
    """What the load lives on."""

    MAINS = "on mains"
    BATTERY = "on battery"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """``charge`` in percent, ``runtime`` in seconds, None: it does not say, or says what cannot be.

    ``low``      its battery is low; ``shutdown``: a program on upsd's side wants everything down
    ``problems`` what is not right with what it says, or with it
    """

    supply: Supply
    status: str
    low: bool = False
    shutdown: bool = False
    charge: float | None = None
    runtime: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def reading_of(variables: Mapping[str, str]) -> Reading:
    """Return what the variables of a UPS mean."""
    status = " ".join(variables.get("ups.status", "").split())
    flags = set(status.upper().split())
    problems: list[str] = []
    supply = _supply(flags, status, problems)
    charge = _figure(variables, "battery.charge", MOST_CHARGE, problems)
    runtime = _figure(variables, "battery.runtime", LONGEST_RUNTIME_S, problems)
    if "RB" in flags:
        problems.append("its battery has to be replaced")
    if "OVER" in flags:
        problems.append("it is overloaded")
    if alarm := variables.get("ups.alarm", "").strip():
        problems.append(f"alarm: {alarm[:200]}")
    figures = {ours: value for name, ours in FIGURES.items() if (value := _number(variables.get(name, ""))) is not None}
    return Reading(
        supply,
        status,
        low="LB" in flags,
        shutdown="FSD" in flags,
        charge=None if charge is None else min(charge, 100.0),
        runtime=runtime,
        figures=figures,
        problems=tuple(problems),
    )


def _supply(flags: set[str], status: str, problems: list[str]) -> Supply:
    if not flags:
        problems.append("it does not say what its load lives on")
    elif "WAIT" in flags:
        problems.append("its driver knows nothing yet")
    elif {"OL", "OB"} <= flags:
        problems.append(f"it says {status}: on mains and on battery at once")
    elif "CAL" in flags and "OB" in flags:
        problems.append("it measures its battery, which it discharges for that")
        return Supply.MAINS
    elif "OB" in flags:
        return Supply.BATTERY
    elif "OL" in flags:
        return Supply.MAINS
    else:
        problems.append(f"it says {status}, which is neither on mains nor on battery")
    return Supply.UNKNOWN


def _figure(variables: Mapping[str, str], name: str, most: float, problems: list[str]) -> float | None:
    if name not in variables:
        return None
    value = _number(variables[name])
    if value is None or not 0 <= value <= most:
        problems.append(f"{name} is {variables[name][:40]!r}, which cannot be")
        return None
    return value


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


async def read_ups(host: str, port: int, ups: str, user: str, password: str, timeout: float) -> Reading:
    """Ask upsd once, over a connection of its own: one that hangs is never in the way of the next.

    Raises DeviceUnreachable (also for stale data), DeviceRefused, DeviceAnswerError; OckleError without the library.
    """
    try:
        from aionut import AIONUTClient, NUTError  # an extra
    except ImportError:
        raise OckleError("UPSes need the library aionut: pip install 'ockle[ups]'") from None
    client = AIONUTClient(host, port, user or None, password or None, timeout, persistent=False)
    where = f"upsd at {host}:{port}"
    try:
        async with asyncio.timeout(2 * timeout):
            return reading_of(await client.list_vars(ups))
    except NUTError as error:
        raise await _translated(client, ups, where, error) from error
    except TimeoutError as error:
        raise DeviceUnreachable(f"{where}: no answer within {timeout:g} s") from error
    except (EOFError, asyncio.LimitOverrunError, OSError, ValueError) as error:
        raise DeviceAnswerError(f"{where}: its answer breaks off or is none: {error}") from error


async def _translated(client: object, ups: str, where: str, error: NUTError) -> DeviceError:
    from aionut import NUTCommandError, NUTLoginError, NUTProtocolError, NUTTimeoutError

    text = str(error)
    if "DATA-STALE" in text or "DRIVER-NOT-CONNECTED" in text:
        return DeviceUnreachable(
            f"{where}: what it knows of {ups} is stale: its driver does not get through to the UPS"
        )
    if "UNKNOWN-UPS" in text:
        known = await _names(client)
        return DeviceAnswerError(f"{where} knows no UPS {ups!r}; it has: {', '.join(known) or 'none'}")
    if isinstance(error, NUTLoginError):
        return DeviceRefused(f"{where} refuses the user: {text}")
    if isinstance(error, NUTCommandError | NUTProtocolError):
        return DeviceAnswerError(f"{where}: {text}")
    if isinstance(error, NUTTimeoutError):
        return DeviceUnreachable(f"{where}: no answer")
    if isinstance(error.__cause__, OSError):
        text = reason(error.__cause__)
    return DeviceUnreachable(f"{where}: {text or type(error).__name__}")


async def _names(client: object) -> list[str]:
    from aionut import AIONUTClient, NUTError

    if not isinstance(client, AIONUTClient):
        return []
    try:
        return sorted(await client.list_ups())
    except (NUTError, OSError, EOFError, ValueError, TimeoutError):
        return []
