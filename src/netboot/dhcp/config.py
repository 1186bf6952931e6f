"""What the DHCP server is told, in the form that its decisions need: addresses are four bytes, times seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from ...common.errors import OckleError
from ..wire import Wire
from .packet import NOBODY

LEAST_LEASE_S = 60
OFFER_HOLD_S = 60.0
"""An address that was offered is kept for its client this long."""
FIRMWARE_HOLD_S = 600.0
"""A Raspberry Pi 3 uses what it was offered without ever requesting it; other firmware may be as lazy."""
_WHERE = "[plugins.NetBoot]"


@dataclass(frozen=True, slots=True)
class Network:
    """Where clients are. ``first`` to ``last`` can be theirs; ``router`` is NOBODY when they are told of none."""

    name: str
    first: bytes
    last: bytes
    mask: bytes
    broadcast: bytes
    router: bytes = NOBODY
    local: bool = True

    def holds(self, ip: bytes) -> bool:
        return self.first <= ip <= self.last


@dataclass(frozen=True, slots=True)
class Pool:
    """Addresses for those who have none of their own, both ends included."""

    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class DhcpConfig:
    """``server`` is the own address; ``networks`` begins with the one that it is in, the others are behind relays.

    ``boot_files``  by what follows ``dhcp_boot_`` in the options
    ``proxy``       another server gives the addresses: this one only tells what to boot (RFC 4578, ProxyDHCP)
    """

    server: bytes
    networks: tuple[Network, ...]
    pools: tuple[Pool, ...] = ()
    known_only: bool = True
    proxy: bool = False
    lease_s: int = 3600
    lease_most_s: int = 86400
    quarantine_s: float = 600.0
    probe_s: float = 0.0
    dns: bytes = b""
    domain: bytes = b""
    ntp: bytes = b""
    boot_files: Mapping[str, str] | None = None

    def network_of(self, ip: bytes) -> Network | None:
        for one in self.networks:
            if one.first <= ip <= one.last:
                return one
        return None

    def pooled(self, ip: bytes) -> bool:
        for pool in self.pools:  # noqa: SIM110 - asked for each message, and any() takes three times as long
            if pool.first <= ip <= pool.last:
                return True
        return False

    def lease(self, asked: bytes) -> int:
        """Return the seconds of a lease; ``asked`` is option 51, b"" when it was not sent (RFC 2131 section 3.3)."""
        if len(asked) != 4:
            return self.lease_s
        return max(min(int.from_bytes(asked), self.lease_most_s), LEAST_LEASE_S)


BOOT_FILES = ("pi", "bios", "uefi32", "uefi64", "uefi_arm32", "uefi_arm64", "ipxe", "http")


def read_config(settings: Mapping[str, Any], wire: Wire) -> DhcpConfig:
    """Return what the options of [plugins.NetBoot] say. Raises OckleError, one line that names the option."""
    networks = [_network(wire.network, _router(settings, wire))]
    networks += [_relayed(text) for text in settings["dhcp_networks"]]
    pools = tuple(_pool(text, networks) for text in settings["dhcp_pool"])
    ntp = _addresses("dhcp_ntp", settings["dhcp_ntp"])
    if not ntp and "ntp" in settings["services"]:
        ntp = wire.address.packed
    return DhcpConfig(
        server=wire.address.packed,
        networks=tuple(networks),
        pools=pools,
        known_only=settings["dhcp_known_only"],
        proxy=settings["dhcp_mode"] == "proxy",
        lease_s=int(settings["dhcp_lease"]),
        lease_most_s=int(max(settings["dhcp_lease"], settings["dhcp_lease_max"])),
        quarantine_s=settings["dhcp_quarantine"],
        probe_s=settings["dhcp_probe"],
        dns=_addresses("dhcp_dns", settings["dhcp_dns"]),
        domain=settings["dhcp_domain"].encode("ascii", "replace"),
        ntp=ntp,
        boot_files={name: settings[f"dhcp_boot_{name}"] for name in BOOT_FILES},
    )


def _network(network: IPv4Network, router: bytes, local: bool = True) -> Network:
    whole = network.prefixlen >= 31  # RFC 3021: no address of such a network stands for all
    first = network[0] if whole else network[1]
    last = network[-1] if whole else network[-2]
    mask, broadcast = network.netmask.packed, network.broadcast_address.packed
    return Network(str(network), first.packed, last.packed, mask, broadcast, router, local)


def _router(settings: Mapping[str, Any], wire: Wire) -> bytes:
    text = settings["dhcp_router"]
    if not text:
        return wire.address.packed
    return _address("dhcp_router", text)


def _relayed(text: str) -> Network:
    try:
        return _network(IPv4Network(text), NOBODY, local=False)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise OckleError(f"{_WHERE} dhcp_networks: {text!r} is not a network such as 10.9.0.0/24 ({error})") from None


def _pool(text: str, networks: Iterable[Network]) -> Pool:
    low, _, high = text.partition("-")
    try:
        pool = Pool(IPv4Address(low.strip()).packed, IPv4Address((high or low).strip()).packed)
    except AddressValueError:
        raise OckleError(f"{_WHERE} dhcp_pool: {text!r} is not a range such as 10.0.0.100-10.0.0.199") from None
    if pool.last < pool.first:
        raise OckleError(f"{_WHERE} dhcp_pool: {text} ends before it begins")
    if not any(network.holds(pool.first) and network.holds(pool.last) for network in networks):
        known = ", ".join(network.name for network in networks)
        raise OckleError(f"{_WHERE} dhcp_pool: {text} lies in none of the networks {known}; see also dhcp_networks")
    return pool


def _addresses(name: str, texts: Iterable[str]) -> bytes:
    return b"".join(_address(name, text) for text in texts)


def _address(name: str, text: str) -> bytes:
    try:
        return IPv4Address(text).packed
    except AddressValueError:
        raise OckleError(f"{_WHERE} {name}: {text!r} is not an IPv4 address") from None
