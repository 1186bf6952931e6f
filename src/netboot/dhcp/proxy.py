"""ProxyDHCP (PXE 2.1 section 2.2): another server gives the addresses, this one tells firmware what to boot.

Also for port 4011, where a firmware asks again that wants it from a boot server.
"""

from __future__ import annotations

from .answers import NOT_A_REQUEST, UNKNOWN, Answer, Ask, usable
from .config import DhcpConfig
from .options import ARCHITECTURE, CLASS_ID, SERVER_ID
from .packet import Type

NO_FIRMWARE = Answer(None, "it is no firmware that boots from the network")


def decide(ask: Ask, config: DhcpConfig, *, boot_port: bool = False) -> Answer:
    """Return what a message is answered by a server that gives no addresses. ``boot_port``: it came to port 4011."""
    packet = ask.packet
    refused = usable(packet)
    if refused is not None:
        return refused
    if config.known_only and not ask.known:
        return UNKNOWN
    asks = (b"PXEClient", b"HTTPClient")
    if not packet.options.get(CLASS_ID, b"").startswith(asks) and not (boot_port and ARCHITECTURE in packet.options):
        return NO_FIRMWARE
    network = config.network_of(packet.giaddr) or config.networks[0]
    if packet.type is Type.DISCOVER and not boot_port:
        return Answer(Type.OFFER, network=network)
    if packet.type in {Type.REQUEST, Type.INFORM} and boot_port:
        if packet.options.get(SERVER_ID, config.server) != config.server:
            return NOT_A_REQUEST
        return Answer(Type.ACK, network=network)
    return NO_FIRMWARE
