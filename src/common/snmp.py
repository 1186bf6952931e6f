"""SNMP as drivers need it: how to speak to an agent, what it can answer, errors sorted by who can mend them.

What goes over the wire is behind ``Wire``, one method wide, so that another SNMP library is another small file.
``snmp_session`` reads and writes through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable

SnmpValue = int | bytes | str
"""INTEGER, Counter, Gauge, TimeTicks → int; OCTET STRING, IpAddress, Opaque → bytes; OBJECT IDENTIFIER → dotted str."""

Pair = tuple[str, int | str | None]
"""A numeric OID without leading dot, and the value to write (None: to be read)."""

TOO_BIG: Final = 1  # RFC 3416 section 3, error-status

_STATUS: Final[dict[int, tuple[type[DeviceError], str]]] = {
    1: (DeviceAnswerError, "tooBig"),
    2: (DeviceAnswerError, "noSuchName"),
    3: (DeviceAnswerError, "badValue"),
    4: (DeviceRefused, "readOnly"),
    5: (DeviceStateError, "genErr"),
    6: (DeviceRefused, "noAccess"),
    7: (DeviceAnswerError, "wrongType"),
    8: (DeviceAnswerError, "wrongLength"),
    9: (DeviceAnswerError, "wrongEncoding"),
    10: (DeviceAnswerError, "wrongValue"),
    11: (DeviceAnswerError, "noCreation"),
    12: (DeviceStateError, "inconsistentValue"),
    13: (DeviceStateError, "resourceUnavailable"),
    14: (DeviceStateError, "commitFailed"),
    15: (DeviceStateError, "undoFailed"),
    16: (DeviceRefused, "authorizationError"),
    17: (DeviceRefused, "notWritable"),
    18: (DeviceAnswerError, "inconsistentName"),
}


class Missing:
    """A value that says that there is none: ``noSuchObject``, ``noSuchInstance``, ``endOfMibView``, ``null`` …"""

    def __init__(self, kind: str) -> None:
        self.kind = kind


@dataclass(frozen=True, slots=True)
class SnmpSettings:
    """How to speak to one agent.

    ``version``     "1", "2c" or "3"
    ``timeout``     seconds for one exchange, all its repetitions together
    ``retries``     how often a GET is repeated within that time; a SET never is
    ``context``     which of an agent's several MIBs is meant (version 3); "" = its own
    ``auth``, ``privacy``  protocol names of the INI templates; "none" = without
    """

    host: str
    port: int = 161
    version: str = "2c"
    community: str = field(default="public", repr=False)
    write_community: str = field(default="", repr=False)
    user: str = ""
    auth: str = "none"
    auth_password: str = field(default="", repr=False)
    privacy: str = "none"
    privacy_password: str = field(default="", repr=False)
    timeout: float = 5.0
    retries: int = 2
    context: str = ""

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response PDU: ``status``, ``index`` (from 1), and its ``bindings`` as they came, whatever was asked.

    ``renewed``  the agent had to be met anew for it: it is no longer the one that was known (SNMPv3)
    """

    status: int
    index: int
    bindings: Sequence[tuple[str, SnmpValue | Missing]]
    renewed: bool = False


class Wire(Protocol):
    """One request, one response. Raises DeviceError when there is none."""

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        """Send a GET or SET of all ``pairs`` in one PDU and return the response PDU."""

    async def close(self) -> None:
        """Give the sockets back."""


def status_error(settings: SnmpSettings, status: int, oid: str) -> DeviceError:
    """Return the error that ``status`` of a response PDU is, blamed on ``oid``."""
    kind, text = _STATUS.get(status, (DeviceAnswerError, f"error status {status}"))
    return kind(f"{settings.where}: {text} for {oid}")


def absent(settings: SnmpSettings, oid: str, value: Missing) -> DeviceError:
    return DeviceAnswerError(f"{settings.where}: the agent has no {oid} ({value.kind})")


def no_answer(settings: SnmpSettings) -> DeviceUnreachable:
    """Return the error for silence; RFC 3584 agents drop requests with a wrong community without a word."""
    hint = "unreachable, or wrong user or privacy key" if settings.version == "3" else "unreachable or wrong community"
    return DeviceUnreachable(f"{settings.where}: no answer within {settings.timeout:g} s ({hint})")
