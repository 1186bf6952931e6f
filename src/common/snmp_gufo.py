"""The wire of ``SnmpSession`` on gufo-snmp: plain GETs at a fraction of pysnmp's cost.

gufo-snmp writes nothing, leaves out without a word whatever it cannot make sense of, and panics over some malformed
datagrams (0.13.0). So it is believed only where it delivers; SETs, all that it leaves out, and agents over which it has
panicked are pysnmp's.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from gufo.snmp import SnmpVersion
from gufo.snmp.aio import SnmpSession as GufoSession

from .datagram_address import find_address
from .errors import DeviceUnreachable
from .repeat import repeated
from .snmp import Answer, Missing, Pair, SnmpSettings, SnmpValue, Wire, no_answer

log = logging.getLogger(__name__)

VERSIONS = {"1": SnmpVersion.v1, "2c": SnmpVersion.v2c}
"""What it is used for: the keys, clocks and reports of version 3 are pysnmp's business."""


class GufoWire:
    """One agent, seen by gufo-snmp."""

    def __init__(self, settings: SnmpSettings) -> None:
        self._settings = settings
        self._idle: GufoSession | None = None  # with nothing under way: a session reads one answer at a time
        self._thorough: Wire | None = None
        self._unfit = False

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        if write:
            return await self._other().exchange(pairs, write=True)
        oids = [oid for oid, _ in pairs]
        found = {} if self._unfit else await self._get(oids)
        bindings: list[tuple[str, SnmpValue | Missing]] = [(oid, found[oid]) for oid in oids if oid in found]
        rest = [oid for oid in oids if oid not in found]
        if not rest:
            return Answer(0, 0, bindings)
        answer = await self._other().exchange([(oid, None) for oid in rest], write=False)
        index = oids.index(rest[answer.index - 1]) + 1 if 1 <= answer.index <= len(rest) else 0
        return Answer(answer.status, index, [*bindings, *answer.bindings])

    async def close(self) -> None:
        self._idle = None  # its socket goes with it
        if self._thorough is not None:
            await self._thorough.close()
            self._thorough = None

    async def _get(self, oids: list[str]) -> dict[str, SnmpValue]:
        """Return what is answered and understood; raises DeviceUnreachable when nothing is heard."""
        settings = self._settings
        found = await repeated(lambda: self._ask(oids), settings.timeout, settings.retries)
        if found is None:
            self._idle = None  # the name may have another address by now
            raise no_answer(settings)
        return found

    async def _ask(self, oids: list[str]) -> dict[str, SnmpValue] | None:
        """Ask once; None: nothing was heard."""
        idle, self._idle = self._idle, None
        session = idle or await self._connect()
        try:
            found = await session.get_many(oids)
        except (TimeoutError, ConnectionRefusedError):  # the host says that nobody listens: it may be starting
            return None
        except Exception:  # noqa: BLE001 - foreign code met bytes that it cannot read: pysnmp says what is wrong
            return {}
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of Rust; it derives from BaseException
                raise
            log.warning("%s: gufo-snmp panicked (%s): pysnmp speaks to it from now on", self._settings.where, error)
            self._unfit = True
            return {}
        self._idle = session
        return {oid: value for oid, value in found.items() if isinstance(value, int | bytes | str)}

    async def _connect(self) -> GufoSession:
        settings = self._settings
        try:
            address = await find_address(settings.host, settings.port, settings.timeout)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise DeviceUnreachable(f"{settings.where}: the name has no address") from error
        host, port = address[:2]
        version = VERSIONS[settings.version]
        return GufoSession(
            str(host), int(port), community=settings.community, version=version, timeout=settings.timeout
        )

    def _other(self) -> Wire:
        if self._thorough is None:
            from .snmp_pysnmp import PysnmpWire  # 20 MB: where gufo-snmp suffices nobody pays for it

            self._thorough = PysnmpWire(self._settings)
        return self._thorough
