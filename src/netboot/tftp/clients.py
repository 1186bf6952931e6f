"""Who asks: how each client sees the files, and how much it may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ...common.allowance import Allowance
from .content import Content
from .events import Event, Trouble
from .names import View
from .rules import Rules
from .sockets import Address, Link
from .transfer import Transfer

PATIENCE_S = 3.0
"""A transfer that was silent for so long gives way when all places are taken."""
KEPT_S = 30.0
"""What is known of a client is asked for again after this time."""
UNKNOWN_KEPT_S = 2.0
"""… where not even its MAC address is known."""
MOST_CLIENTS = 4096


@dataclass(slots=True, eq=False)
class Session:
    """One transfer with its socket and its file. ``heard``: the moment of the client's last datagram."""

    number: int
    client: Client
    peer: Address
    request: bytes
    link: Link
    content: Content
    transfer: Transfer
    begun: float
    heard: float
    told: int = 0
    receive: Callable[[int], bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.receive = self.link.socket.recv

    @property
    def sent(self) -> int:
        """Bytes that the client has acknowledged."""
        transfer, size = self.transfer, self.content.size
        count = transfer.acked * transfer.block
        return count if size is None else min(count, size)


@dataclass(slots=True, eq=False)
class Client:
    """Who asks, by its address."""

    ip: str
    view: View
    known_until: float
    allowance: Allowance | None
    sessions: set[Session] = field(default_factory=set)


class Clients:
    """The clients of late, by address."""

    def __init__(self, rules: Rules, view_of: Callable[[str], View], tell: Callable[[Event], None]) -> None:
        self._rules = rules
        self._view_of = view_of
        self._tell = tell
        self._by_ip: dict[str, Client] = {}

    def asking(self, ip: str, now: float) -> Client | None:
        """Return who asks; None when it has asked too often: it is not answered, and will ask again."""
        client = self._by_ip.get(ip)
        if client is None:
            if len(self._by_ip) >= MOST_CLIENTS:
                self._drop_oldest()
            rate = self._rules.client_rate
            allowance = Allowance(rate, 2 * rate, now) if rate else None
            client = self._by_ip[ip] = Client(ip, View(), now, allowance)
        if now >= client.known_until:
            client.view = self._view_of(ip)
            client.known_until = now + (KEPT_S if client.view.mac else UNKNOWN_KEPT_S)
        if client.allowance is not None:
            if client.allowance.peek(now) < 1:
                self._tell(Trouble(f"tftp-rate {ip}", f"TFTP: {ip} asks too often; some of it is not answered"))
                return None
            client.allowance.take(now)
        return client

    def forget_views(self) -> None:
        """Ask anew how clients see the files."""
        for client in self._by_ip.values():
            client.known_until = 0.0

    def forget(self, now: float) -> None:
        """Forget those that have been quiet for long; call it now and then."""
        for ip, client in list(self._by_ip.items()):
            if now >= client.known_until and not client.sessions:
                del self._by_ip[ip]

    def _drop_oldest(self) -> None:
        for ip, client in self._by_ip.items():
            if not client.sessions:
                del self._by_ip[ip]
                return

    def who_gives_way(self, client: Client, count: int, now: float) -> Session | None:
        """Return the session that has to end so that ``client`` may have another.

        ``count``  sessions there are in all
        Raises     LookupError when there is no place and nobody has to make one: who asked will ask again

        A client beyond its own share loses its most silent one: it has lost interest, or it is several behind one
        address. Without any place left the client with most sessions loses one; where all have one, a silent one does.
        """
        if len(client.sessions) >= self._rules.client_transfers:
            return _most_silent(client.sessions)
        if count < self._rules.transfers:
            return None
        greedy = max(self._by_ip.values(), key=lambda one: len(one.sessions))
        if len(greedy.sessions) > len(client.sessions) + 1:
            return _most_silent(greedy.sessions)
        silent = _most_silent(session for one in self._by_ip.values() for session in one.sessions)
        if now - silent.heard < PATIENCE_S:
            raise LookupError
        return silent


def _most_silent(sessions: Iterable[Session]) -> Session:
    return min(sessions, key=lambda session: session.heard)
