"""Addresses that somebody else uses: found before they are offered, and told when they are seen."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address

from ..mac import mac_bytes, of_bytes
from ..service import BootContext
from .desk import Desk
from .diary import Diary
from .leases import State
from .links import Sender
from .outbox import Going, Outbox
from .packet import Type
from .probes import MOST_TRIES, Probes


class Disputes:
    """Stands before the outbox. ``finish`` is called when something was put into it later."""

    def __init__(
        self,
        context: BootContext,
        desk: Desk,
        diary: Diary,
        outbox: Outbox,
        sender: Sender,
        frames: socket.socket,
        finish: Callable[[], None],
    ) -> None:
        self._context, self._desk, self._diary, self._outbox, self._finish = context, desk, diary, outbox, finish
        seconds = desk.config.probe_s
        self._asks = seconds > 0
        self._probes = Probes(context.wire, frames, sender, seconds, self._is_free, self._is_taken, self._claimed)
        self.close = self._probes.close

    def put(self, going: Going) -> None:
        """Put a case into the outbox: at once, or when nobody has answered from the address that it offers."""
        answer = going.case.answer
        if answer.reply is Type.OFFER and any(answer.ip):
            if self._probes.waits(answer.ip):
                return  # the first reply is still held back, and answers this one, too
            if answer.probe and self._probes.hold(going):
                return
            if not answer.probe and self._asks:
                self._probes.ask(answer.ip)  # nobody waits for it, but somebody else's answer is told
        self._outbox.put(going)

    def _is_free(self, going: Going) -> None:
        self._outbox.put(going)
        self._finish()

    def _is_taken(self, going: Going, user: bytes, tries: int) -> None:
        """Quarantine an address that somebody answered from, and offer another one."""
        case, now = going.case, self._context.clock.now()
        ip = case.answer.ip
        until = now + self._desk.config.quarantine_s
        self._outbox.put_lease(self._desk.leases.put(ip, b"", user, State.QUARANTINED, until))
        if case.host is not None and case.host.ip is not None:
            self._diary.claimed(ip, user, case.packet.hardware, case.host.label)
        else:
            text = f"{of_bytes(user)} uses {IPv4Address(ip)} of dhcp_pool without a lease"
            self._context.report.warn(f"dhcp taken {ip.hex()}", text)
            again = self._desk.handle(case.packet, case.host, now)
            if again.reply and tries < MOST_TRIES:
                going.case = again
                self._probes.hold(going, tries + 1)
        self._finish()

    def _claimed(self, ip: bytes, user: bytes) -> None:
        """Warn when a machine uses an address that is another's."""
        host, lease = self._context.hosts.by_ip(IPv4Address(ip)), self._desk.leases.at(ip)
        if host is not None:
            owner, name = mac_bytes(host.mac), host.label
        elif ip == self._desk.config.server:
            owner, name = mac_bytes(self._context.wire.mac), "this server"
        elif lease is not None and lease.state is State.BOUND and lease.holds(self._context.clock.now()):
            owner, name = lease.mac, lease.hostname
        else:
            return
        if owner != user:
            self._diary.claimed(ip, user, owner, name)
