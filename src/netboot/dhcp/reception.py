"""What has come: known or not, sound or not, and what the desk makes of it. Strangers must cost next to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..mac import mac_bytes, of_bytes
from ..service import BootContext
from ..unknown import UnknownMachine, UnknownMachines
from .clients import identify
from .desk import Case, Desk
from .leases import printable
from .options import CLASS_ID, HOST_NAME, MACHINE_ID, SERVER_ID
from .packet import Packet, PacketError, Type, hardware_of, parse


class Reception:
    """``chosen`` is called with the server that a client's REQUEST names; ``counts``: messages by what they are."""

    def __init__(self, context: BootContext, desk: Desk, chosen: Callable[[bytes], None]) -> None:
        self._context, self._desk, self._chosen = context, desk, chosen
        self._own = mac_bytes(context.wire.mac)
        self.unknown = UnknownMachines(context.clock.now())
        self.counts: Counter[str] = Counter()

    def take(self, data: bytes, *, boot_port: bool) -> Case | None:
        """Return a message with what is to be done about it, None: nothing."""
        context = self._context
        hardware = hardware_of(data)
        if not hardware or hardware == self._own:  # also our own question for other servers
            self.counts["foreign"] += 1
            return None
        now = context.clock.now()
        host = context.hosts.by_mac(of_bytes(hardware))
        stranger: UnknownMachine | None = None
        if host is None and self._desk.config.known_only:
            self.counts["unknown"] += 1
            stranger = self.unknown.seen(hardware, now, context.clock.wall())
            if stranger is None:
                return None
        try:
            packet = parse(data)
        except PacketError as error:
            self.counts["malformed"] += 1
            context.report.info(f"dhcp malformed {hardware.hex()}", f"a message of {of_bytes(hardware)}: {error}")
            return None
        if packet.type is Type.REQUEST and SERVER_ID in packet.options:
            self._chosen(packet.options[SERVER_ID])
        if stranger is not None:
            self._describe(stranger, packet)
            return None
        self.counts[packet.type.name.lower()] += 1
        case = self._desk.handle(packet, host, now, boot_port=boot_port)
        if case.answer.trouble:
            name = host.label if host is not None else case.mac
            context.report.warn(f"dhcp {name} {case.answer.reason}", f"{name}: {case.answer.reason}")
        return case if case.reply or case.lease is not None or case.answer.trouble else None

    def _describe(self, stranger: UnknownMachine, packet: Packet) -> None:
        client = identify(packet)
        stranger.kind = client.kind.value if client.firmware else ""
        stranger.arch, stranger.serial = client.arch, client.serial
        stranger.vendor = printable(packet.options.get(CLASS_ID, b""))
        stranger.machine = packet.options.get(MACHINE_ID, b"").hex()
        stranger.hostname = printable(packet.options.get(HOST_NAME, b""))
        shown = client.kind.value if client.firmware else stranger.vendor or "a machine"
        self._context.report.info(
            f"dhcp unknown {stranger.mac}",
            f"{stranger.mac} ({shown}) asks for an address and is not in {self._context.hosts.path.name}: no answer",
        )
