"""The DHCP server: takes what has come, writes the leases of all of it at once, then answers."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from ...common.errors import OckleError
from ..hosts import Host
from ..mac import mac_bytes, of_bytes
from ..profiles import Profile
from ..service import BootContext
from ..unknown import UnknownMachine, UnknownMachines
from .chores import Chores
from .clients import identify
from .config import read_config
from .desk import Case, Desk
from .diary import Diary
from .lease_store import LeaseStore
from .leases import State, printable
from .links import MOST_BYTES, Sender, open_frames, open_udp
from .options import CLASS_ID, HOST_NAME, MACHINE_ID, SERVER_ID
from .other_servers import OtherServers, refusal
from .outbox import Going, Outbox
from .packet import Packet, PacketError, Type, hardware_of, parse
from .probes import MOST_TRIES, Probes

BATCH = 64
"""Messages that are taken from the socket at once; then the other services have their turn."""
ASK_AGAIN_S = 600.0


class DhcpServer:
    """A service of the boot server (``service.Service``)."""

    name = "dhcp"

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._report, self._clock, self._wire = context.report, context.clock, context.wire
        self._own = mac_bytes(context.wire.mac)
        self._stack = AsyncExitStack()
        self._counts: Counter[str] = Counter()
        self._addresses: list[str] = []
        self._sockets: list[socket.socket] = []
        self._problem = ""
        self._others: OtherServers | None = None
        self._probes: Probes | None = None

    # -- the service

    async def open(self) -> None:
        context = self._context
        self._config = read_config(context.settings, self._wire)
        self._unknown = UnknownMachines(self._clock.now())
        self._diary = Diary(context)
        self._desk = Desk(self._config, self._host_at, self._profile_of, self._wire.mtu)
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        for one in self._sockets:
            asyncio.get_running_loop().remove_reader(one)
        self._sockets = []
        await self._stack.aclose()

    def live(self) -> dict[str, Any]:
        leases = Counter(lease.state.value for lease in self._desk.leases.all())
        return {
            "addresses": self._addresses,
            "mode": "proxy" if self._config.proxy else "addresses",
            "leases": dict(leases),
            "counts": dict(self._counts),
            "unknown": self._unknown.rows(),
            "unknown_requests": self._unknown.requests,
            "other_servers": self._others.recent() if self._others is not None else [],
            "problem": self._problem,
        }

    def reconfigured(self) -> None:
        self._desk.hosts_changed()

    # -- opening

    async def _open(self) -> None:
        settings, wire, stack = self._context.settings, self._wire, self._stack
        store = LeaseStore(self._context.boards.connect(durable=False), self._clock)
        chores = Chores(store, self._context.boards)
        stack.push_async_callback(asyncio.to_thread, chores.close)
        self._load(store)
        udp = stack.enter_context(open_udp(wire, settings["dhcp_port"], "DHCP"))
        frames = open_frames(wire)
        if frames is not None:
            stack.enter_context(frames)
        elif not wire.loopback:
            self._report.warn("dhcp frames", "without CAP_NET_RAW: replies are broadcast, addresses are not probed")
        self._sender = Sender(wire, udp, frames, settings["dhcp_client_port"], partial(self._trouble, "send"))
        self._outbox = Outbox(
            wire, self._desk, self._diary, store, chores, self._sender, self._resume, self._lease_problem
        )
        listening = [udp]
        if self._config.proxy:
            port = settings["dhcp_proxy_port"]
            listening.append(stack.enter_context(open_udp(wire, port, "ProxyDHCP", address=str(wire.address))))
        if frames is not None:
            await self._look_for_others(settings)
            if not self._config.proxy:
                self._probes = Probes(
                    wire, frames, self._sender, self._config.probe_s, self._is_free, self._is_taken, self._claimed
                )
                stack.callback(self._probes.close)
        self._sockets = listening
        self._addresses = [f"{wire.address}:{one.getsockname()[1]}" for one in listening]
        self._task(self._diary.keep())
        stack.push_async_callback(self._diary.flush)
        self._resume()

    def _load(self, store: LeaseStore) -> None:
        found, bad = store.load()
        for lease in found:
            self._desk.leases.put(lease.ip, lease.key, lease.mac, lease.state, lease.until, lease.hostname)
        if bad:
            self._trouble("leases", f"{bad} leases on disk make no sense and are left out")

    async def _look_for_others(self, settings: Any) -> None:
        """Listen for other servers; raises OckleError when one answers that nobody has spoken of."""
        others = OtherServers(self._wire, settings["dhcp_client_port"], settings["dhcp_port"], self._other_heard)
        try:
            others.open()
        except OckleError as error:
            self._report.warn("dhcp others", f"{error}; other DHCP servers are seen only when somebody chooses them")
            return
        self._others = others
        self._stack.callback(others.close)
        if not (self._config.proxy or settings["dhcp_beside"]):
            found = await others.search(self._sender, settings["dhcp_check"])
            if found:
                raise refusal(found, self._wire)
        self._task(self._ask_again(others))

    async def _ask_again(self, others: OtherServers) -> None:
        while True:
            others.ask(self._sender)
            await asyncio.sleep(ASK_AGAIN_S)

    def _task(self, work: Any) -> None:
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(end)

    # -- what has come

    def _resume(self) -> None:
        """Take in again what comes: what came while leases were written has waited in the socket."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.add_reader(one, self._drain, one, one is not self._sockets[0])

    def _finish(self) -> None:
        self._outbox.commit()
        if self._outbox.busy:
            for one in self._sockets:
                asyncio.get_running_loop().remove_reader(one)

    def _drain(self, one: socket.socket, boot_port: bool) -> None:
        now, wall = self._clock.now(), self._clock.wall()
        for _ in range(BATCH):
            try:
                data, source = one.recvfrom(MOST_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                self._trouble("receive", f"nothing can be received on {self._wire.interface}: {error.strerror}")
                break
            case = self._take(data, now, wall, boot_port)
            if case is not None:
                self._go(Going(case, source, one, boot_port))
        self._finish()

    def _take(self, data: bytes, now: float, wall: float, boot_port: bool) -> Case | None:
        """Return a message with what is to be done, None: nothing at all."""
        counts = self._counts
        hardware = hardware_of(data)
        if not hardware or hardware == self._own:  # also our own question for other servers
            counts["foreign"] += 1
            return None
        host = self._context.hosts.by_mac(of_bytes(hardware))
        stranger: UnknownMachine | None = None
        if host is None and self._config.known_only:
            stranger = self._unknown.seen(hardware, now, wall)
            if stranger is None:
                return None
        try:
            packet = parse(data)
        except PacketError as error:
            counts["malformed"] += 1
            self._report.info(f"dhcp malformed {hardware.hex()}", f"a message of {of_bytes(hardware)}: {error}")
            return None
        counts[packet.type.name.lower()] += 1
        if packet.type is Type.REQUEST and self._others is not None and not self._config.proxy:
            self._others.note(packet.options.get(SERVER_ID, b""))
        if stranger is not None:
            self._describe(stranger, packet)
            return None
        case = self._desk.handle(packet, host, now, boot_port=boot_port)
        if case.answer.trouble:
            self._trouble(
                f"{case.mac} {case.answer.reason}",
                f"{case.host.label if case.host else case.mac}: {case.answer.reason}",
            )
        if not case.reply and case.lease is None:
            return None
        return case

    def _go(self, going: Going) -> None:
        """Put a case into the outbox, unless its address is asked for first."""
        answer, probes = going.case.answer, self._probes
        if answer.reply is Type.OFFER and probes is not None and any(answer.ip):
            if probes.waits(answer.ip):
                return  # the first reply is still held back, and answers this one, too
            if answer.probe and probes.hold(going):
                return
            if not answer.probe and self._config.probe_s:
                probes.ask(answer.ip)  # nobody waits for it, but somebody else's answer is told
        self._outbox.put(going)

    # -- addresses that others use

    def _is_free(self, going: Going) -> None:
        self._outbox.put(going)
        self._finish()

    def _is_taken(self, going: Going, user: bytes, tries: int) -> None:
        """Quarantine an address that somebody answered from, and offer another one."""
        case, now = going.case, self._clock.now()
        ip = case.answer.ip
        self._outbox.put_lease(self._desk.leases.put(ip, b"", user, State.QUARANTINED, now + self._config.quarantine_s))
        if case.host is not None and case.host.ip is not None:
            self._diary.claimed(ip, user, case.packet.hardware, case.host.label)
        else:
            self._trouble(f"taken {ip.hex()}", f"{of_bytes(user)} uses {_text(ip)} of dhcp_pool without a lease")
            again = self._desk.handle(case.packet, case.host, now)
            if again.reply and tries < MOST_TRIES and self._probes is not None:
                going.case = again
                self._probes.hold(going, tries + 1)
        self._finish()

    def _claimed(self, ip: bytes, user: bytes) -> None:
        """Warn when a machine uses an address that is another's."""
        host = self._host_at(ip)
        lease = self._desk.leases.at(ip)
        if host is not None:
            owner, name = mac_bytes(host.mac), host.label
        elif ip == self._config.server:
            owner, name = self._own, "this server"
        elif lease is not None and lease.state is State.BOUND and lease.holds(self._clock.now()):
            owner, name = lease.mac, lease.hostname
        else:
            return
        if owner != user:
            self._diary.claimed(ip, user, owner, name)

    # -- telling

    def _other_heard(self, server: str) -> None:
        if not self._config.proxy and not self._context.settings["dhcp_beside"]:
            self._report.warn(
                f"dhcp other {server}", f"another DHCP server, {server}, answers on {self._wire.interface}"
            )

    def _lease_problem(self, fault: str) -> None:
        if fault:
            self._report.warn(
                "dhcp disk", f"leases cannot be written: {fault}; only hosts with an own address are served"
            )
        elif self._problem:
            self._report.info("dhcp disk again", "leases can be written again")
        self._problem = fault

    def _trouble(self, key: str, text: str) -> None:
        self._report.warn(f"dhcp {key}", text)

    def _profile_of(self, host: Host | None) -> Profile:
        return self._context.profiles.of(host)

    def _host_at(self, ip: bytes) -> Host | None:
        return self._context.hosts.by_ip(IPv4Address(ip))

    def _describe(self, stranger: UnknownMachine, packet: Packet) -> None:
        client = identify(packet)
        stranger.kind = client.kind.value if client.firmware else ""
        stranger.arch, stranger.serial = client.arch, client.serial
        stranger.vendor = printable(packet.options.get(CLASS_ID, b""))
        stranger.machine = packet.options.get(MACHINE_ID, b"").hex()
        stranger.hostname = printable(packet.options.get(HOST_NAME, b""))
        shown = client.kind.value if client.firmware else stranger.vendor or "a machine"
        self._report.info(
            f"dhcp unknown {stranger.mac}",
            f"{stranger.mac} ({shown}) asks for an address and is not in {self._context.hosts.path.name}: no answer",
        )


def _text(ip: bytes) -> str:
    return ".".join(map(str, ip))
