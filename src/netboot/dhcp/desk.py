"""A message in, what is to be done out: everything of the server but sockets, disk and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..hosts import Host
from ..mac import of_bytes
from ..profiles import Profile
from . import answers, proxy
from .answers import Answer, Ask
from .clients import Client, identify
from .config import DhcpConfig
from .leases import Lease, Leases, State, printable
from .options import HOST_NAME
from .packet import Packet
from .replies import Replies


@dataclass(slots=True)
class Case:
    """A message and what came of it.

    ``lease``    what is to be written down before ``reply`` leaves; None = nothing
    ``before``   what it was, to be put back if the disk refuses
    ``reply``    b"" = silence
    """

    packet: Packet
    client: Client
    host: Host | None
    answer: Answer
    lease: Lease | None = None
    before: Lease | None = None
    reply: bytes = b""

    @property
    def mac(self) -> str:
        return self.host.mac if self.host is not None else of_bytes(self.packet.hardware)


class Desk:
    """Decides, changes the leases, and builds the reply.

    ``host_at``     address -> the host that has it for its own
    ``profile_of``  what a host boots
    """

    def __init__(
        self,
        config: DhcpConfig,
        host_at: Callable[[bytes], Host | None],
        profile_of: Callable[[Host | None], Profile],
        mtu: int = 1500,
    ) -> None:
        self.config = config
        self._host_at, self._profile_of = host_at, profile_of
        self.leases = Leases(config.pools, self._reserved)
        self._replies = Replies(config, mtu)

    def hosts_changed(self) -> None:
        """Give away what is no longer a host's, from now on."""
        self.leases.use_pools(self.config.pools)

    def handle(self, packet: Packet, host: Host | None, now: float, *, boot_port: bool = False) -> Case:
        """Return what is to be done about a message of ``host``. ``boot_port``: it came to port 4011."""
        client = identify(packet)
        ask = Ask(packet, client, host is not None, host.ip.packed if host is not None and host.ip else None)
        if self.config.proxy or boot_port:
            answer = proxy.decide(ask, self.config, boot_port=boot_port)
        else:
            answer = answers.decide(ask, self.config, self.leases, now)
        case = Case(packet, client, host, answer)
        if answer.mark is not None:
            self._mark(case, answer.mark, now)
        if answer.reply is not None:
            case.reply = self._reply(case)
        return case

    def undo(self, case: Case) -> None:
        """Take back what a message did to the leases: the disk has refused it."""
        if case.lease is not None:
            self.leases.restore(case.before, case.lease.ip)

    def _mark(self, case: Case, mark: State, now: float) -> None:
        packet, answer = case.packet, case.answer
        old = self.leases.at(answer.ip)
        case.before = old.copy() if old is not None else None
        name = printable(packet.options[HOST_NAME]) if HOST_NAME in packet.options else ""
        lease = self.leases.put(answer.ip, packet.key, packet.hardware, mark, now + answer.hold_s, name)
        # what firmware is offered must outlive a crash; but one that asks in a loop must not wear out a card
        enough = lease.written_until - now > answer.hold_s / 2
        if mark is not State.OFFERED or (case.client.firmware and not enough):
            lease.written_until = lease.until
            case.lease = lease

    def _reply(self, case: Case) -> bytes:
        host = case.host
        return self._replies.build(
            case.packet,
            case.client,
            case.answer,
            name=host.name if host is not None else "",
            boot_file=self._profile_of(host).boot_file,
        )

    def _reserved(self, ip: bytes) -> bool:
        config = self.config
        return ip in {config.server, config.networks[0].router} or self._host_at(ip) is not None
