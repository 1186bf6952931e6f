"""The network that the boards are on: one interface and one address of this machine, never all of them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from ..common.errors import OckleError
from .mac import parse_mac


@dataclass(frozen=True, slots=True)
class Wire:
    """``index`` is the kernel's number of the interface, ``mac`` its address, ``mtu`` bytes of its largest packet."""

    interface: str
    index: int
    address: IPv4Address
    network: IPv4Network
    mac: str = "00:00:00:00:00:00"
    mtu: int = 1500

    @property
    def loopback(self) -> bool:
        return self.address.is_loopback

    @property
    def devices(self) -> tuple[str, ...]:
        """What the sockets of one port are bound to, one each; "" = nothing, on loopback.

        Linux takes what is for an address from every interface, so an address alone keeps nobody out. Loopback is
        where this machine itself comes from.
        """
        return ("",) if self.loopback else (self.interface, "lo")


def bind(sock: socket.socket, device: str, address: tuple[str, int]) -> None:
    """Bind to one of ``Wire.devices``, and to an address. Raises OSError."""
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
    sock.bind(address)


def find_wire(interface: str, address: str) -> Wire:
    """Return the wire that the two options name; one of them may be "".

    On loopback every address of 127.0.0.0/8 is there. Raises OckleError when the two do not fit, or name nothing.
    """
    names = [name for _index, name in socket.if_nameindex()]
    if not interface and not address:
        raise OckleError(
            f"[plugins.NetBoot] interface is not set: write the one that the boards are on, of {', '.join(names)}"
        )
    if interface and interface not in names:
        raise OckleError(f"[plugins.NetBoot] interface: there is no {interface} here; there are {', '.join(names)}")
    wanted = IPv4Address(address) if address else None
    found = [wire for name in ([interface] if interface else names) for wire in _wires(name, wanted)]
    if found:
        return found[0]
    if wanted is None:
        raise OckleError(f"the interface {interface} has no IPv4 address: give it one, the boot server needs it")
    if interface:
        raise OckleError(f"the interface {interface} does not have the address {wanted}: mend one of the two options")
    raise OckleError(f"no interface of this machine has the address {wanted}: mend [plugins.NetBoot] address")


def _wires(name: str, wanted: IPv4Address | None) -> list[Wire]:
    import psutil  # a sixth of the daemon's start, and only who serves needs it

    entries = psutil.net_if_addrs().get(name, [])
    mac = next((parse_mac(one.address) for one in entries if one.family == socket.AF_PACKET and one.address), "")
    stats = psutil.net_if_stats().get(name)
    wires = []
    for entry in entries:
        if entry.family != socket.AF_INET:
            continue
        own = IPv4Interface(f"{entry.address}/{entry.netmask or 32}")
        address = wanted if wanted is not None and own.ip.is_loopback and wanted in own.network else own.ip
        if wanted is None or address == wanted:
            mtu = stats.mtu if stats is not None else 1500
            wires.append(Wire(name, socket.if_nametoindex(name), address, own.network, mac, mtu))
    return wires
