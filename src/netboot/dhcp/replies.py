"""The message that an answer becomes. What is the same for many clients is made once and kept."""

from __future__ import annotations

import struct

from .answers import Answer
from .boot_options import BootOptions, boot_options
from .clients import Client
from .config import DhcpConfig, Network
from .options import (
    BROADCAST,
    CLIENT_ID,
    DNS,
    DOMAIN,
    HOST_NAME,
    LEASE_TIME,
    MACHINE_ID,
    MASK,
    MESSAGE_TYPE,
    MOST_BYTES,
    NTP,
    REBINDING,
    RELAY_AGENT,
    RENEWAL,
    ROUTER,
    SERVER_ID,
    TEXT,
    WANTED,
    encode_option,
    encode_options,
)
from .packet import BROADCAST_FLAG, NOBODY, OVERHEAD, USUAL_BYTES, Packet, Type, assemble

MOST_KEPT = 4096
_TIMES = struct.Struct("!BBIBBIBBI")
_FILE_FIELD = 127


class Replies:
    """Builds answers for one configuration. ``mtu``: bytes of the largest packet that the own network takes."""

    def __init__(self, config: DhcpConfig, mtu: int = 1500) -> None:
        self._config = config
        self._most = max(mtu - OVERHEAD, USUAL_BYTES)
        self._server = encode_option(SERVER_ID, config.server)
        self._heads = {one: encode_option(MESSAGE_TYPE, bytes((one,))) + self._server for one in Type if one}
        self._kept: dict[object, tuple[bytes, bytes]] = {}

    def build(self, packet: Packet, client: Client, answer: Answer, *, name: str = "", boot_file: str = "") -> bytes:
        """Return the bytes of ``answer`` to ``packet``.

        ``name``       the client's host name, "" = none is known
        ``boot_file``  of its profile, "" = that of its architecture
        """
        kind, network = answer.reply, answer.network
        if kind is None or network is None:
            raise ValueError("silence has no bytes")
        asked = packet.options
        if kind is Type.NAK:
            return self._nak(packet, answer)
        file, block = self._block(asked.get(WANTED, b""), client, network, packet.giaddr, boot_file)
        parts = [self._heads[kind] if kind is not Type.BOOTP else b""]
        if answer.seconds:
            seconds = answer.seconds
            parts.append(_TIMES.pack(
                LEASE_TIME, 4, seconds, RENEWAL, 4, seconds // 2, REBINDING, 4, seconds * 7 // 8,
            ))  # fmt: skip
        parts.append(block)
        if name and HOST_NAME in asked.get(WANTED, b""):
            parts.append(encode_option(HOST_NAME, name.encode()))
        if client.machine:
            parts.append(encode_option(MACHINE_ID, client.machine))
        reply = Packet(
            op=2,
            xid=packet.xid,
            hardware=packet.hardware,
            flags=packet.flags,
            ciaddr=packet.ciaddr if kind is Type.ACK else NOBODY,
            yiaddr=answer.ip,
            siaddr=self._config.server,
            giaddr=packet.giaddr,
            file=file,
        )
        return self._assembled(packet, reply, parts)

    def _nak(self, packet: Packet, answer: Answer) -> bytes:
        """RFC 2131 table 3: no address, no lease; a relay is to broadcast it, the client may have no usable address."""
        flags = packet.flags | BROADCAST_FLAG if packet.giaddr != NOBODY else packet.flags
        reply = Packet(op=2, xid=packet.xid, hardware=packet.hardware, flags=flags, giaddr=packet.giaddr)
        return self._assembled(
            packet, reply, [self._heads[Type.NAK], encode_option(TEXT, answer.reason.encode()[:200])]
        )

    def _assembled(self, packet: Packet, reply: Packet, parts: list[bytes]) -> bytes:
        """Add what is echoed (RFC 6842, RFC 3046: option 82 is the last), and keep to what the client takes."""
        asked = packet.options
        if CLIENT_ID in asked:
            parts.append(encode_option(CLIENT_ID, asked[CLIENT_ID]))
        relay = encode_option(RELAY_AGENT, asked[RELAY_AGENT]) if RELAY_AGENT in asked else b""
        most = USUAL_BYTES
        if len(asked.get(MOST_BYTES, b"")) == 2:
            most = min(max(int.from_bytes(asked[MOST_BYTES]) - OVERHEAD, USUAL_BYTES), self._most)
        return assemble(reply, b"".join(parts), most, last=relay)

    def _block(
        self, wanted: bytes, client: Client, network: Network, giaddr: bytes, boot_file: str
    ) -> tuple[bytes, bytes]:
        """Return the field ``file`` and the options that clients of a kind have in common, in the order they want."""
        key = (wanted, client.kind, client.architecture, network.name, giaddr, boot_file)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST_KEPT:  # somebody plays with option 55
                self._kept.clear()
            boot = boot_options(client, self._config, boot_file)
            found = self._kept[key] = (_field(boot), self._common(wanted, network, giaddr, boot))
        return found

    def _common(self, wanted: bytes, network: Network, giaddr: bytes, boot: BootOptions) -> bytes:
        config = self._config
        if config.proxy:
            return encode_options(boot.options)
        there = {
            MASK: network.mask,  # before the router (RFC 2132 section 3.3)
            ROUTER: b"" if network.router == NOBODY else network.router,
            DNS: config.dns,
            DOMAIN: config.domain,
            NTP: config.ntp,
            BROADCAST: network.broadcast,
        }
        if not network.local:
            there[ROUTER] = giaddr
        order = [MASK, *(code for code in dict.fromkeys(wanted or there) if code in there and code != MASK)]
        return encode_options([*((code, there[code]) for code in order), *boot.options])


def _field(boot: BootOptions) -> bytes:
    return boot.file if len(boot.file) <= _FILE_FIELD else b""
