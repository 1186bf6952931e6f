"""The DHCP server: takes what has come, writes the leases of all of it at once, then answers."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from ...common.errors import OckleError
from ..hosts import Host
from ..profiles import Profile
from ..service import BootContext
from .chores import Chores
from .config import read_config
from .desk import Desk
from .diary import Diary
from .disputes import Disputes
from .lease_store import LeaseStore
from .links import MOST_BYTES, Sender, open_frames, open_udp
from .other_servers import OtherServers, refusal
from .outbox import Going, Outbox
from .reception import Reception

BATCH = 64
"""Messages that are taken from the socket at once; then the other services have their turn."""
ASK_AGAIN_S = 600.0


class DhcpServer:
    """A service of the boot server (``service.Service``)."""

    name = "dhcp"

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._report, self._wire = context.report, context.wire
        self._stack = AsyncExitStack()
        self._addresses: list[str] = []
        self._sockets: list[socket.socket] = []
        self._problem = ""
        self._others: OtherServers | None = None
        self._disputes: Disputes | None = None

    # -- the service

    async def open(self) -> None:
        context = self._context
        self._config = read_config(context.settings, self._wire)
        self._diary = Diary(context)
        self._desk = Desk(self._config, self._host_at, self._profile_of, self._wire.mtu)
        self._reception = Reception(context, self._desk, self._chosen)
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
        others = self._others.recent() if self._others is not None else []
        problem = self._problem
        if others and self._alone and not problem:
            problem = f"another DHCP server answers on {self._wire.interface}: {', '.join(others)}"
        return {
            "addresses": self._addresses,
            "mode": "proxy" if self._config.proxy else "addresses",
            "leases": dict(leases),
            "counts": dict(self._reception.counts),
            "unknown": self._reception.unknown.rows(),
            "other_servers": others,
            "problem": problem,
        }

    def reconfigured(self) -> None:
        self._desk.hosts_changed()

    @property
    def _alone(self) -> bool:
        """Whether there should be no other DHCP server."""
        return not (self._config.proxy or self._context.settings["dhcp_beside"])

    # -- opening

    async def _open(self) -> None:
        settings, wire, stack = self._context.settings, self._wire, self._stack
        store = LeaseStore(self._context.boards.connect(durable=False), self._context.clock)
        chores = Chores(store, self._context.boards)
        stack.push_async_callback(asyncio.to_thread, chores.close)  # last of all: it finishes what was begun
        self._load(store)
        udp = stack.enter_context(open_udp(wire, settings["dhcp_port"], "DHCP"))
        frames = open_frames(wire)
        if frames is not None:
            stack.enter_context(frames)
        elif not wire.loopback:
            self._report.warn("dhcp frames", "without CAP_NET_RAW: replies are broadcast, addresses are not probed")
        self._sender = Sender(wire, udp, frames, settings["dhcp_client_port"], partial(self._report.warn, "dhcp send"))
        self._outbox = Outbox(
            wire, self._desk, self._diary, store, chores, self._sender, self._resume, self._lease_problem
        )
        stack.callback(self._outbox.close)
        listening = [udp]
        if self._config.proxy:
            port = settings["dhcp_proxy_port"]
            listening.append(stack.enter_context(open_udp(wire, port, "ProxyDHCP", address=str(wire.address))))
        if frames is not None:
            await self._look_for_others(settings)
            if not self._config.proxy:
                self._disputes = Disputes(
                    self._context, self._desk, self._diary, self._outbox, self._sender, frames, self._finish
                )
                stack.callback(self._disputes.close)
        self._sockets = listening
        self._addresses = [f"{wire.address}:{one.getsockname()[1]}" for one in listening]
        self._task(self._diary.keep())
        stack.push_async_callback(self._diary.flush)
        self._resume()

    def _load(self, store: LeaseStore) -> None:
        found, bad = store.load()
        for one in found:
            lease = self._desk.leases.put(one.ip, one.key, one.mac, one.state, one.until, one.hostname)
            lease.written_until = one.until
        if bad:
            self._report.warn("dhcp leases", f"{bad} leases on disk make no sense and are left out")

    async def _look_for_others(self, settings: Mapping[str, Any]) -> None:
        """Listen for other servers; raises OckleError when one answers that nobody has spoken of."""
        others = OtherServers(self._wire, settings["dhcp_client_port"], settings["dhcp_port"], self._other_heard)
        try:
            others.open()
        except OckleError as error:
            self._report.warn("dhcp others", f"{error}; other DHCP servers are seen only when somebody chooses them")
            return
        self._others = others
        self._stack.callback(others.close)
        if self._alone:
            found = await others.search(self._sender, settings["dhcp_check"])
            if found:
                raise refusal(found, self._wire)
        self._task(self._ask_again(others))

    async def _ask_again(self, others: OtherServers) -> None:
        while True:
            others.ask(self._sender)
            await asyncio.sleep(ASK_AGAIN_S)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
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
        put = self._disputes.put if self._disputes is not None else self._outbox.put
        try:
            for _ in range(BATCH):
                try:
                    data, source = one.recvfrom(MOST_BYTES)
                except BlockingIOError:
                    break
                except OSError as error:
                    self._report.warn(
                        "dhcp receive", f"nothing can be received on {self._wire.interface}: {error.strerror}"
                    )
                    break
                case = self._reception.take(data, boot_port=boot_port)
                if case is not None:
                    put(Going(case, source, one, boot_port))
        finally:
            self._finish()

    # -- telling

    def _chosen(self, server: bytes) -> None:
        if self._others is not None:
            self._others.note(server)

    def _other_heard(self, server: str) -> None:
        if self._alone:
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

    def _profile_of(self, host: Host | None) -> Profile:
        return self._context.profiles.of(host)

    def _host_at(self, ip: bytes) -> Host | None:
        return self._context.hosts.by_ip(IPv4Address(ip))
