"""What is remembered of boards and hosts because they asked for an address."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ...common.errors import OckleError
from ..mac import of_bytes
from ..service import BootContext
from ..stages import Stage
from .chores import Note
from .desk import Case
from .leases import printable
from .options import HOST_NAME
from .packet import Type

FLUSH_S = 5.0
"""hosts.csv is written as a whole: not for each host that asks."""
MOST_MACHINES = 4096


class Diary:
    """Boards' stages, times of use in hosts.csv, and machines that share a hardware address."""

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._used: dict[str, tuple[float, str]] = {}
        self._machines: OrderedDict[bytes, bytes] = OrderedDict()  # hardware address -> option 97, sorted

    def note(self, case: Case) -> Note | None:
        """Return what is to be noted of the board, None = nothing. A running system never changes its board's stage."""
        kind, client = case.answer.reply, case.client
        if kind is None and case.answer.trouble and client.firmware and case.host is not None:
            known = {"kind": client.kind.value, "arch": client.arch}
            return Note(case.mac, Stage.ASKING, f"gets no address: {case.answer.reason}", known)
        if kind is None or kind is Type.NAK:
            return None
        if case.host is not None:
            name = printable(case.packet.options.get(HOST_NAME, b""))
            self._used[case.host.mac] = (self._context.clock.wall(), name)
        board = None if client.firmware else self._context.boards.get(case.mac)
        if not client.firmware and (board is None or kind is Type.OFFER):
            return None
        ip = ".".join(map(str, case.answer.ip))
        known = {"ip": ip} if any(case.answer.ip) else {}
        if board is not None:
            return Note(case.mac, None, "", known) if known and board.ip != ip else None
        self._same_address(case)
        known |= {"kind": client.kind.value, "arch": client.arch}
        if client.serial:
            known["serial"] = client.serial
        if kind is Type.OFFER:
            return Note(case.mac, Stage.ASKING, "", known)
        return Note(case.mac, Stage.ADDRESSED, ip if known.get("ip") else "", known)

    def _same_address(self, case: Case) -> None:
        """Warn of two machines with one hardware address. The bytes of option 97 may come in two orders (RFC 4578)."""
        machine, hardware = bytes(sorted(case.client.machine)), case.packet.hardware
        if not machine:
            return
        before = self._machines.get(hardware, machine)
        if before != machine:
            self._context.report.warn(
                f"dhcp same {case.mac}", f"two machines have the MAC address {case.mac}: their machine numbers differ"
            )
        self._machines[hardware] = machine
        self._machines.move_to_end(hardware)
        if len(self._machines) > MOST_MACHINES:
            self._machines.popitem(last=False)

    def claimed(self, ip: bytes, mac: bytes, owner: bytes, name: str) -> None:
        """Warn of a machine that uses an address of another's."""
        text = ".".join(map(str, ip))
        self._context.report.warn(
            f"dhcp claim {text} {mac.hex()}",
            f"{of_bytes(mac)} uses the address {text}, which is that of {name or of_bytes(owner)}",
        )

    async def keep(self) -> None:
        """Write times of use to hosts.csv now and then, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await asyncio.to_thread(self._context.hosts.used_all, used)
        except (OckleError, OSError) as error:
            self._context.report.warn("dhcp used", f"{self._context.hosts.path.name} cannot be written: {error}")
