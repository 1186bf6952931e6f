"""SNMP as drivers need it: read some objects, write some objects, errors sorted by who can mend them.

What goes over the wire is behind ``Wire``, one method wide, so that another SNMP library is another small file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable

SnmpValue = int | bytes | str
"""INTEGER, Counter, Gauge, TimeTicks → int; OCTET STRING, IpAddress → bytes; OBJECT IDENTIFIER → dotted str."""

Pair = tuple[str, int | str | None]
"""A numeric OID without leading dot, and the value to write (None: to be read)."""

BATCH_START: Final = 48
TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2

_STATUS: Final[dict[int, tuple[type[DeviceError], str]]] = {  # RFC 3416 section 3, error-status
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

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` and ``index`` (from 1) of the response PDU, and one value for each object asked."""

    status: int
    index: int
    values: Sequence[SnmpValue | Missing]


class Wire(Protocol):
    """One request, one response. Raises DeviceError when there is none."""

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        """Send a GET or SET of all ``pairs`` in one PDU and return the response PDU."""

    async def close(self) -> None:
        """Give the sockets back."""


class SnmpSession:
    """One agent. Only for use on the device loop.

    ``wire``  default: pysnmp, which is imported at the first exchange
    """

    def __init__(self, settings: SnmpSettings, wire: Wire | None = None) -> None:
        self.settings = settings
        self._wire = wire
        self._batch = BATCH_START  # shrinks when the agent cannot take as much

    async def get(self, oids: Sequence[str]) -> list[SnmpValue | DeviceError]:
        """Read every one of ``oids``, many in one datagram; an object that cannot be read is its error, in its place.

        Raises DeviceError when the agent as a whole does not answer or refuses.
        """
        found: list[SnmpValue | DeviceError] = []
        while len(found) < len(oids):
            size = self._batch
            answers = await self._get_batch(oids[len(found) : len(found) + size])
            if answers is None:
                self._batch = max(1, size // 2)
            else:
                found += answers
        return found

    async def get_one(self, oid: str) -> SnmpValue:
        """Read one object; raises DeviceError."""
        (value,) = await self.get([oid])
        if isinstance(value, DeviceError):
            raise value
        return value

    async def set(self, pairs: Sequence[tuple[str, int | str]]) -> None:
        """Write ``pairs`` in one PDU; int → INTEGER, str → OCTET STRING.

        Raises DeviceError; also when the agent says noError and returns "no such object" as the value (snmpsim does).
        """
        answer = await self._exchange(pairs, write=True)
        if answer.status:
            raise self._problem(answer.status, pairs[max(0, min(answer.index, len(pairs)) - 1)][0])
        for (oid, _), value in zip(pairs, answer.values, strict=True):
            if isinstance(value, Missing):
                raise self._absent(oid, value)

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()
            self._wire = None

    async def _get_batch(self, oids: Sequence[str]) -> list[SnmpValue | DeviceError] | None:
        """Read ``oids`` with one GET, repeated without those that made it fail; None = too big, use smaller ones."""
        found: dict[int, SnmpValue | DeviceError] = {}
        rest = list(range(len(oids)))
        while rest:
            answer = await self._exchange([(oids[place], None) for place in rest], write=False)
            if answer.status == TOO_BIG and len(rest) > 1:
                return None
            if answer.status:
                # a v1 agent fails the whole PDU for one missing object and names it: the others are asked again
                if not 1 <= answer.index <= len(rest):
                    raise self._problem(answer.status, oids[rest[0]])
                culprit = rest.pop(answer.index - 1)
                found[culprit] = self._problem(answer.status, oids[culprit])
                continue
            for place, value in zip(rest, answer.values, strict=True):
                found[place] = self._absent(oids[place], value) if isinstance(value, Missing) else value
            rest = []
        return [found[place] for place in range(len(oids))]

    async def _exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        if self._wire is None:
            from .snmp_pysnmp import PysnmpWire  # 20 MB: only where SNMP is really spoken

            self._wire = PysnmpWire(self.settings)
        answer = await self._wire.exchange(pairs, write=write)
        if not answer.status and len(answer.values) != len(pairs):
            raise DeviceAnswerError(f"{self.settings.where}: {len(pairs)} objects asked, {len(answer.values)} answered")
        return answer

    def _problem(self, status: int, oid: str) -> DeviceError:
        kind, text = _STATUS.get(status, (DeviceAnswerError, f"error status {status}"))
        return kind(f"{self.settings.where}: {text} for {oid}")

    def _absent(self, oid: str, value: Missing) -> DeviceError:
        return DeviceAnswerError(f"{self.settings.where}: the agent has no {oid} ({value.kind})")


def no_answer(settings: SnmpSettings) -> DeviceUnreachable:
    """Return the error for silence; RFC 3584 agents drop requests with a wrong community without a word."""
    hint = "unreachable, or wrong user or privacy key" if settings.version == "3" else "unreachable or wrong community"
    return DeviceUnreachable(f"{settings.where}: no answer within {settings.timeout:g} s ({hint})")
