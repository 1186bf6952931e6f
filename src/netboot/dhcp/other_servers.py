"""Other DHCP servers on the same network: asked for before this one starts, and noticed later.

Two that give addresses to the same machines make each boot a matter of luck; that is found out before it happens.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable

from ...common.errors import OckleError
from ..mac import mac_bytes
from ..wire import Wire
from .links import MOST_BYTES, Sender, open_udp
from .options import CLIENT_ID, SERVER_ID, WANTED
from .packet import BROADCAST_FLAG, NOBODY, Packet, PacketError, Type, parse
from .routes import EVERYBODY_IP, EVERYBODY_MAC, frame

MOST_KEPT = 64
RECENT_S = 3600.0
AGAIN_S = 1.5
"""The question is asked again after this time, as long as nobody answers: a datagram may get lost."""


class OtherServers:
    """Listens for answers that this server did not send; ``told`` is called with the address of who sent each.

    Only broadcasts can be heard: what another server sends to one client alone passes unseen.
    """

    def __init__(self, wire: Wire, client_port: int, server_port: int, told: Callable[[str], None]) -> None:
        self._wire, self._ports = wire, (client_port, server_port)
        self._mac, self._own = mac_bytes(wire.mac), wire.address.packed
        self._told = told
        self._socket: socket.socket | None = None
        self._heard = asyncio.Event()
        self.found: dict[str, float] = {}

    def open(self) -> None:
        """Begin to listen. Raises OckleError."""
        # to broadcasts alone: what is sent to this machine's own DHCP client is not ours
        self._socket = open_udp(
            self._wire, self._ports[0], "the answers of other DHCP servers", address="255.255.255.255"
        )
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def search(self, sender: Sender, seconds: float) -> list[str]:
        """Ask for an address as a client does; return who offers one within ``seconds``, at once when somebody does."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self.found and loop.time() < end:
            self.ask(sender)
            try:
                async with asyncio.timeout(min(AGAIN_S, end - loop.time())):
                    await self._heard.wait()
            except TimeoutError:
                continue
        return sorted(self.found)

    def ask(self, sender: Sender) -> None:
        """Send a DISCOVER that nobody will follow up."""
        packet = Packet(
            op=1,
            xid=secrets.token_bytes(4),
            hardware=self._mac,
            flags=BROADCAST_FLAG,
            options={53: bytes((Type.DISCOVER,)), CLIENT_ID: b"\0ockle looks for other servers", WANTED: b"\1\3"},
        )
        sender.send_frame(frame(self._mac, EVERYBODY_MAC, NOBODY, EVERYBODY_IP, self._ports, packet.encode()))

    def note(self, server: bytes) -> None:
        """Note the address of a server that answered, or that somebody has chosen."""
        if len(server) != 4 or server in {self._own, NOBODY}:
            return
        name = socket.inet_ntoa(server)
        if len(self.found) < MOST_KEPT or name in self.found:
            self.found[name] = asyncio.get_running_loop().time()
        self._heard.set()
        self._told(name)

    def recent(self) -> list[str]:
        """Return who was heard within the last hour."""
        since = asyncio.get_running_loop().time() - RECENT_S
        self.found = {name: at for name, at in self.found.items() if at > since}
        return sorted(self.found)

    def _read(self) -> None:
        for _ in range(64):
            try:
                assert self._socket is not None  # noqa: S101 - its reader is removed before it is closed
                data = self._socket.recv(MOST_BYTES)
            except OSError:
                return
            try:
                packet = parse(data)
            except PacketError:
                continue
            if packet.op == 2 and packet.type in {Type.OFFER, Type.ACK} and packet.yiaddr != NOBODY:
                self.note(packet.options.get(SERVER_ID, b""))


def refusal(found: list[str], wire: Wire) -> OckleError:
    """Return the error of a server that does not start because others answer."""
    return OckleError(
        f"another DHCP server answers on {wire.interface}: {', '.join(found)}. Stop it, or set dhcp_mode = proxy (it"
        " gives the addresses, Ockle tells what to boot), or dhcp_beside = true (it leaves the machines of hosts.csv"
        " alone)"
    )
