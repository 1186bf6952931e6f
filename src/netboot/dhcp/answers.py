"""What a message is answered, if at all (RFC 2131 section 4.3). Pure: looks at leases, changes nothing.

Silence has its reason, too: it is what a person is told who wonders why a board gets no address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .clients import Client
from .config import FIRMWARE_HOLD_S, OFFER_HOLD_S, DhcpConfig, Network
from .leases import Leases, State
from .options import LEASE_TIME, REQUESTED, SERVER_ID
from .packet import ETHERNET, MOST_HOPS, NOBODY, Packet, Type


@dataclass(slots=True)  # not frozen: that would take a tenth of the time of an answer
class Ask:
    """A message and what is known of its sender.

    ``static``  its own address, None = it has none
    ``known``   whether hosts.csv has it
    """

    packet: Packet
    client: Client
    known: bool = False
    static: bytes | None = None


@dataclass(slots=True)
class Answer:
    """``reply`` None: silence, for ``reason``.

    ``ip``       the address that it is about, ``seconds`` how long it is given for
    ``mark``     what becomes of the address, until ``hold_s`` from now; None = nothing changes
    ``probe``    it has to be asked first whether anybody uses the address
    ``trouble``  a person should know of it
    """

    reply: Type | None
    reason: str = ""
    ip: bytes = NOBODY
    seconds: int = 0
    mark: State | None = None
    hold_s: float = 0.0
    probe: bool = False
    trouble: bool = False
    network: Network | None = field(default=None, compare=False)


NOT_A_REQUEST = Answer(None, "it is no request")
TOO_FAR = Answer(None, f"it passed more than {MOST_HOPS} relays")
NO_HARDWARE = Answer(None, "it has no Ethernet address")
UNKNOWN = Answer(None, "hosts.csv does not know it")
NOT_OURS = Answer(None, "it has chosen another server")
NO_RECORD = Answer(None, "nothing is known of that address")
NOTHING_ASKED = Answer(None, "it asks for no address")
NO_BOOTP = Answer(None, "a BOOTP client needs an address of its own in hosts.csv")


def usable(packet: Packet) -> Answer | None:
    """Return why a message is not looked at any further; None: it is."""
    if packet.op != 1:
        return NOT_A_REQUEST
    if packet.hops > MOST_HOPS:
        return TOO_FAR
    hardware = packet.hardware
    if packet.htype != ETHERNET or len(hardware) != 6 or hardware[0] & 1 or not any(hardware):
        return NO_HARDWARE
    return None


def decide(ask: Ask, config: DhcpConfig, leases: Leases, now: float) -> Answer:
    """Return what ``ask`` is answered. ``config.proxy`` is not for here but for ``proxy.decide``."""
    packet = ask.packet
    refused = usable(packet)
    if refused is not None:
        return refused
    if config.known_only and not ask.known:
        return UNKNOWN
    network = _network(packet, config)
    if network is None:
        return Answer(None, f"it comes by the relay {_text(packet.giaddr)}, whose network dhcp_networks does not name")
    decision = _DECISIONS.get(packet.type)
    return decision(ask, config, network, leases, now) if decision else Answer(None, "it is a server's message")


def _network(packet: Packet, config: DhcpConfig) -> Network | None:
    """Return where the client is: at the relay that sent it; else where its address is, if that is ours."""
    if packet.giaddr != NOBODY:
        return config.network_of(packet.giaddr)
    if packet.ciaddr != NOBODY:
        return config.network_of(packet.ciaddr) or config.networks[0]
    return config.networks[0]


# -- DISCOVER


def _discover(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    packet = ask.packet
    if ask.static is not None:
        return _offer_static(ask, ask.static, config, network, leases, now)
    lease = leases.of(packet.key)
    if lease is not None and _ours(lease.ip, config, network, leases) and leases.open(lease.ip, packet.key, now):
        return _offer(ask, lease.ip, config, network, probe=not lease.holds(now))
    wanted = packet.options.get(REQUESTED, b"")
    if len(wanted) == 4 and _ours(wanted, config, network, leases) and leases.open(wanted, packet.key, now):
        return _offer(ask, wanted, config, network)
    free = leases.next_free(network, now)
    if free is None:
        return Answer(None, f"no address of dhcp_pool is free in {network.name}", trouble=True)
    return _offer(ask, free, config, network)


def _offer_static(ask: Ask, ip: bytes, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    if not network.holds(ip):
        return _elsewhere(ip, network)
    if leases.open(ip, ask.packet.key, now) or _same_machine(ask, ip, leases):
        return _offer(ask, ip, config, network, probe=False)
    if config.probe_s and network.local:
        return _offer(ask, ip, config, network)
    return Answer(None, f"its own address {_text(ip)} is in use by another machine", trouble=True)


def _offer(ask: Ask, ip: bytes, config: DhcpConfig, network: Network, *, probe: bool = True) -> Answer:
    seconds = config.lease(ask.packet.options.get(LEASE_TIME, b""))
    hold = min(float(seconds), FIRMWARE_HOLD_S) if ask.client.firmware else OFFER_HOLD_S
    asked_first = probe and network.local and config.probe_s > 0
    return Answer(Type.OFFER, "", ip, seconds, State.OFFERED, hold, asked_first, network=network)


# -- REQUEST


def _request(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    packet = ask.packet
    server = packet.options.get(SERVER_ID)
    wanted = packet.options.get(REQUESTED, b"")
    if server is not None:
        if server != config.server:
            return _taken_elsewhere(ask, leases)
        return _grant(ask, wanted if len(wanted) == 4 else packet.ciaddr, config, network, leases, now, selecting=True)
    if packet.ciaddr != NOBODY:
        return _grant(ask, packet.ciaddr, config, network, leases, now, renewing=True)
    if len(wanted) == 4:
        return _grant(ask, wanted, config, network, leases, now)
    return NOTHING_ASKED


def _grant(
    ask: Ask,
    ip: bytes,
    config: DhcpConfig,
    network: Network,
    leases: Leases,
    now: float,
    *,
    selecting: bool = False,
    renewing: bool = False,
) -> Answer:
    """Answer a REQUEST for ``ip`` in one of the states of RFC 2131 section 4.3.2; INIT-REBOOT is neither flag."""
    key = ask.packet.key
    if ask.static is not None:
        if ip != ask.static:
            return _nak(network, f"it wants {_text(ip)}, but its own address is {_text(ask.static)}")
        if not network.holds(ip):
            return _elsewhere(ip, network)
        if leases.open(ip, key, now) or _same_machine(ask, ip, leases):
            return _ack(ask, ip, config, network)
        return _nak(network, f"its own address {_text(ip)} is in use by another machine")
    if not network.holds(ip):
        return _nak(network, f"it wants {_text(ip)}, which is not in {network.name}")
    lease = leases.of(key)
    free = leases.open(ip, key, now)
    recorded = lease is not None and lease.ip == ip
    if free and _ours(ip, config, network, leases) and (recorded or selecting or renewing):
        return _ack(ask, ip, config, network)
    if selecting or (lease is not None and lease.holds(now)):
        return _nak(network, f"it wants {_text(ip)}, which it cannot have")
    if renewing and not (free and not leases.is_reserved(ip)):
        return _nak(network, f"it wants {_text(ip)}, which another machine has")
    return NO_RECORD


def _taken_elsewhere(ask: Ask, leases: Leases) -> Answer:
    """Free the address of a client that takes what another server offered: it uses none of ours any more."""
    lease = leases.of(ask.packet.key)
    if lease is not None and lease.state is not State.FREE and lease.mac == ask.packet.hardware:
        return Answer(None, NOT_OURS.reason, lease.ip, mark=State.FREE)
    return NOT_OURS


def _ack(ask: Ask, ip: bytes, config: DhcpConfig, network: Network) -> Answer:
    seconds = config.lease(ask.packet.options.get(LEASE_TIME, b""))
    return Answer(Type.ACK, "", ip, seconds, State.BOUND, seconds, network=network)


def _nak(network: Network, reason: str) -> Answer:
    return Answer(Type.NAK, reason, network=network)


# -- the others


def _decline(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    ip = ask.packet.options.get(REQUESTED, b"")
    if ask.packet.options.get(SERVER_ID, config.server) != config.server:
        return NOT_OURS
    if not _owns(ask, ip, leases):
        return NO_RECORD
    reason = f"it says that another machine has {_text(ip)}"
    return Answer(None, reason, ip, mark=State.QUARANTINED, hold_s=config.quarantine_s, trouble=True)


def _release(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    ip = ask.packet.ciaddr
    if ask.packet.options.get(SERVER_ID, config.server) != config.server:
        return NOT_OURS
    lease = leases.at(ip)
    if lease is None or not _owns(ask, ip, leases) or lease.state is State.FREE:
        return NO_RECORD
    return Answer(None, "it gives its address back", ip, mark=State.FREE)


def _inform(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    if ask.packet.ciaddr == NOBODY:
        return NOTHING_ASKED
    return Answer(Type.ACK, network=network)


def _bootp(ask: Ask, config: DhcpConfig, network: Network, leases: Leases, now: float) -> Answer:
    """A BOOTP client has its address for ever (RFC 1534): it gets its own, or none."""
    if ask.static is None:
        return NO_BOOTP
    if not network.holds(ask.static):
        return _elsewhere(ask.static, network)
    if not leases.open(ask.static, ask.packet.key, now) and not _same_machine(ask, ask.static, leases):
        return Answer(None, f"its own address {_text(ask.static)} is in use by another machine", trouble=True)
    return Answer(Type.BOOTP, "", ask.static, network=network)


_DECISIONS = {
    Type.DISCOVER: _discover,
    Type.REQUEST: _request,
    Type.DECLINE: _decline,
    Type.RELEASE: _release,
    Type.INFORM: _inform,
    Type.BOOTP: _bootp,
}


def _owns(ask: Ask, ip: bytes, leases: Leases) -> bool:
    """Tell whether the sender has ``ip``: by its lease and, as anybody can send an identifier, its hardware address."""
    lease = leases.at(ip)
    return lease is not None and lease.key == ask.packet.key and lease.mac == ask.packet.hardware


def _ours(ip: bytes, config: DhcpConfig, network: Network, leases: Leases) -> bool:
    """Tell whether an address is there to be given to anybody in ``network``."""
    return network.holds(ip) and config.pooled(ip) and not leases.is_reserved(ip)


def _same_machine(ask: Ask, ip: bytes, leases: Leases) -> bool:
    """Tell whether an address is held by the same machine with another identifier: its firmware, say."""
    lease = leases.at(ip)
    return lease is not None and lease.mac == ask.packet.hardware and lease.state is not State.QUARANTINED


def _elsewhere(ip: bytes, network: Network) -> Answer:
    return Answer(None, f"its own address {_text(ip)} is not in {network.name}, where it asks", trouble=True)


def _text(ip: bytes) -> str:
    return ".".join(map(str, ip))
