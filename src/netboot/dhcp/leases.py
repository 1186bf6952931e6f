"""Which address is whose: in memory, without any I/O. ``lease_store`` keeps it, ``answers`` decides on it.

Times are those of ``Clock.now``. A lease that has ended is remembered until its address is given to somebody else, so a
client that comes back gets the same again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from .config import Network, Pool

SWEEP_EVERY_S = 1.0


class State(StrEnum):
    """Of an address; the value is what the database holds."""

    OFFERED = "offered"
    BOUND = "bound"
    FREE = "free"
    """Released, or its offer was not taken."""
    QUARANTINED = "quarantined"
    """Declined, or somebody else answered from it."""


@dataclass(slots=True)
class Lease:
    """``key`` as ``Packet.key``; ``until``: when the state ends; ``written_until``: as the disk has it."""

    ip: bytes
    key: bytes
    mac: bytes
    state: State
    until: float
    hostname: str = ""
    written_until: float = 0.0

    def copy(self) -> Lease:
        return Lease(self.ip, self.key, self.mac, self.state, self.until, self.hostname, self.written_until)

    def holds(self, now: float) -> bool:
        """Tell whether the address may not be given to anybody else."""
        return self.state is not State.FREE and self.until > now


@dataclass(slots=True)
class _Range:
    """A pool: what was never given away comes first, then what has been free the longest."""

    next: int
    last: int
    freed: OrderedDict[bytes, None]


class Leases:
    """All leases. ``reserved(ip)`` tells addresses that are never given away: those of hosts, the server's own."""

    def __init__(self, pools: Iterable[Pool] = (), reserved: Callable[[bytes], bool] = lambda ip: False) -> None:
        self._by_ip: dict[bytes, Lease] = {}
        self._by_key: dict[bytes, Lease] = {}
        self._reserved = reserved
        self._ranges: dict[Pool, _Range] = {}
        self._swept = float("-inf")
        self.use_pools(pools)

    def use_pools(self, pools: Iterable[Pool]) -> None:
        """Give away addresses of these pools from now on; also to be called when other addresses are reserved."""
        self._ranges = {
            pool: _Range(int.from_bytes(pool.first), int.from_bytes(pool.last), OrderedDict()) for pool in pools
        }
        self._swept = float("-inf")
        for lease in self._by_ip.values():
            if lease.state is State.FREE:
                self._freed(lease.ip)

    def of(self, key: bytes) -> Lease | None:
        """Return the lease of a client, which may have ended; its address is still nobody else's."""
        return self._by_key.get(key)

    def at(self, ip: bytes) -> Lease | None:
        return self._by_ip.get(ip)

    def all(self) -> list[Lease]:
        return list(self._by_ip.values())

    def open(self, ip: bytes, key: bytes, now: float) -> bool:
        """Tell whether an address is free for the client ``key``, as far as leases know."""
        lease = self._by_ip.get(ip)
        if lease is None:
            return True
        if lease.state is State.QUARANTINED:
            return lease.until <= now
        return lease.key == key or not lease.holds(now)

    def is_reserved(self, ip: bytes) -> bool:
        """Tell whether an address is never given to a client that has none of its own."""
        return self._reserved(ip)

    def next_free(self, network: Network, now: float) -> bytes | None:
        """Return an address of the pools in ``network`` that nobody has; None: there is none."""
        for attempt in range(2):
            for pool, one in self._ranges.items():
                if network.holds(pool.first):
                    found = self._from_range(one, now)
                    if found is not None:
                        return found
            if attempt == 0 and not self._sweep(now):
                return None
        return None

    def put(self, ip: bytes, key: bytes, mac: bytes, state: State, until: float, hostname: str = "") -> Lease:
        """Note what has become of an address; whoever had it has it no longer. An offer never shortens a lease."""
        lease = self._by_ip.get(ip)
        if lease is None:
            lease = self._by_ip[ip] = Lease(ip, key, mac, state, until, hostname)
        else:
            if lease.key != key:
                lease.written_until = 0.0
                if self._by_key.get(lease.key) is lease:
                    del self._by_key[lease.key]
            if state is State.OFFERED and lease.state is State.BOUND and lease.mac == mac and lease.until > until:
                state, until = State.BOUND, lease.until
            lease.key, lease.mac, lease.state, lease.until = key, mac, state, until
            lease.hostname = hostname or lease.hostname
        if state is State.QUARANTINED:
            if self._by_key.get(key) is lease:
                del self._by_key[key]
        else:
            self._by_key[key] = lease
        if state is State.FREE:
            self._freed(ip)
        return lease

    def restore(self, lease: Lease | None, ip: bytes) -> None:
        """Put back what ``put`` changed and the disk refused; None = there was nothing."""
        now = self._by_ip.pop(ip, None)
        if now is not None and self._by_key.get(now.key) is now:
            del self._by_key[now.key]
        if lease is not None:
            self._by_ip[ip] = lease
            if lease.state is not State.QUARANTINED:
                self._by_key[lease.key] = lease
        if lease is None or lease.state is State.FREE:
            self._freed(ip)

    def _from_range(self, one: _Range, now: float) -> bytes | None:
        while one.next <= one.last:
            ip = one.next.to_bytes(4)
            if ip not in self._by_ip and not self._reserved(ip):
                return ip
            one.next += 1
        while one.freed:
            ip = next(iter(one.freed))
            lease = self._by_ip.get(ip)
            if (lease is None or not lease.holds(now)) and not self._reserved(ip):
                return ip
            del one.freed[ip]
        return None

    def _freed(self, ip: bytes) -> None:
        for pool, one in self._ranges.items():
            if pool.first <= ip <= pool.last:
                one.freed[ip] = None
                one.freed.move_to_end(ip)

    def _sweep(self, now: float) -> bool:
        """Make ended leases free; tell whether it was time for it."""
        if now - self._swept < SWEEP_EVERY_S:
            return False
        self._swept = now
        for lease in sorted(self._by_ip.values(), key=lambda one: one.until):
            if lease.state is not State.FREE and lease.until <= now:
                lease.state = State.FREE
                self._freed(lease.ip)
        return True


def printable(name: bytes) -> str:
    """Return a host name that a client sent as text that can be shown anywhere; "" for what is none."""
    text = name[:64].rstrip(b"\0").decode("ascii", "replace")
    return text if text.isprintable() and text.isascii() else ""
