"""The wire of ``SnmpSession`` on gufo-snmp: plain GETs at a fraction of pysnmp's cost.

gufo-snmp writes nothing, leaves out without a word whatever it cannot make sense of, and panics over some malformed
datagrams (0.13.0). So it is believed only where it delivers; SETs, all that it leaves out, and agents over which it has
panicked are pysnmp's.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

from gufo.snmp import SnmpVersion
from gufo.snmp.aio import SnmpSession as GufoSession

from .errors import DeviceUnreachable
from .snmp import Answer, Missing, Pair, SnmpSettings, SnmpValue, Wire, no_answer

log = logging.getLogger(__name__)

VERSIONS = {"1": SnmpVersion.v1, "2c": SnmpVersion.v2c}
"""What it is used for: the keys, clocks and reports of version 3 are pysnmp's business."""


class GufoWire:
    """One agent, seen by gufo-snmp."""

    def __init__(self, settings: SnmpSettings) -> None:
        self._settings = settings
        self._session: GufoSession | None = None
        self._busy = asyncio.Lock()  # a session reads one answer at a time
        self._thorough: Wire | None = None
        self._unfit = False

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        if write:
            return await self._other().exchange(pairs, write=True)
        oids = [oid for oid, _ in pairs]
        async with self._busy:
            found = {} if self._unfit else await self._get(oids)
        bindings: list[tuple[str, SnmpValue | Missing]] = [(oid, found[oid]) for oid in oids if oid in found]
        rest = [oid for oid in oids if oid not in found]
        if not rest:
            return Answer(0, 0, bindings)
        answer = await self._other().exchange([(oid, None) for oid in rest], write=False)
        index = oids.index(rest[answer.index - 1]) + 1 if 1 <= answer.index <= len(rest) else 0
        return Answer(answer.status, index, [*bindings, *answer.bindings])

    async def close(self) -> None:
        self._session = None  # its socket goes with it
        if self._thorough is not None:
            await self._thorough.close()
            self._thorough = None

    async def _get(self, oids: list[str]) -> dict[str, SnmpValue]:
        """Return what is answered and understood; raises DeviceUnreachable when nothing is heard."""
        settings = self._settings
        each = settings.timeout / (settings.retries + 1)
        for _ in range(settings.retries + 1):
            if self._session is None:
                self._session = await self._connect(each)
            try:
                found = await self._session.get_many(oids)
            except TimeoutError:
                continue
            except ConnectionRefusedError:  # the host says that nobody listens: it may be starting
                await asyncio.sleep(each)
                continue
            except Exception:  # noqa: BLE001 - foreign code met bytes that it cannot read: pysnmp says what is wrong
                return {}
            except BaseException as error:
                if type(error).__name__ != "PanicException":  # of Rust; it derives from BaseException
                    raise
                log.warning("%s: gufo-snmp panicked (%s): pysnmp speaks to it from now on", settings.where, error)
                self._unfit, self._session = True, None
                return {}
            return {oid: value for oid, value in found.items() if isinstance(value, int | bytes | str)}
        self._session = None  # the name may have another address by now
        raise no_answer(settings)

    async def _connect(self, each: float) -> GufoSession:
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout):
                addresses = await asyncio.get_running_loop().getaddrinfo(
                    settings.host, settings.port, type=socket.SOCK_DGRAM
                )
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise DeviceUnreachable(f"{settings.where}: the name has no address") from error
        host, port = addresses[0][4][:2]
        version = VERSIONS[settings.version]
        return GufoSession(str(host), int(port), community=settings.community, version=version, timeout=each)

    def _other(self) -> Wire:
        if self._thorough is None:
            from .snmp_pysnmp import PysnmpWire  # 20 MB: where gufo-snmp suffices nobody pays for it

            self._thorough = PysnmpWire(self._settings)
        return self._thorough
