"""A DHCP client of raw Ethernet frames, run as a program inside a namespace; prints what came back as JSON.

    python dhcp_ask.py INTERFACE SECONDS REPLIES HEX [HEX ...]

Sends the messages, and prints the frames to port 68 that come within the time, at most so many.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time


def frame(mac: bytes, message: bytes) -> bytes:
    """Return a message as a client without an address sends it."""
    length = 8 + len(message)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    header = header[:10] + struct.pack("!H", 0xFFFF - ones(header)) + header[12:]
    udp = struct.pack("!HHHH", 68, 67, length, 0)  # 0: no checksum
    return b"\xff" * 6 + mac + b"\x08\x00" + header + udp + message


def ones(words: bytes) -> int:
    """Return the one's complement sum."""
    words += b"\0" * (len(words) % 2)
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def main() -> None:
    interface, seconds, replies, *messages = sys.argv[1:]
    everything = 3  # ETH_P_ALL
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(everything)) as wire:
        wire.bind((interface, everything))
        for text in messages:
            message = bytes.fromhex(text)
            wire.send(frame(message[28:34], message))
        found, end = [], time.monotonic() + float(seconds)
        while (left := end - time.monotonic()) > 0:
            wire.settimeout(left)
            try:
                raw, (_name, _protocol, kind, *_) = wire.recvfrom(4096)
            except TimeoutError:
                break
            if kind == socket.PACKET_OUTGOING or raw[12:14] != b"\x08\x00" or raw[23] != 17:
                continue
            ip, udp = raw[14:34], raw[34:]
            if udp[2:4] != struct.pack("!H", 68):
                continue
            pseudo = ip[12:20] + struct.pack("!HH", 17, len(udp))
            found.append({
                "at": time.monotonic() - (end - float(seconds)),
                "to": raw[:6].hex(":"),
                "from": socket.inet_ntoa(ip[12:16]),
                "ip": socket.inet_ntoa(ip[16:20]),
                "sound": ones(ip) == 0xFFFF and ones(pseudo + udp) == 0xFFFF,
                "source_port": int.from_bytes(udp[:2]),
                "message": udp[8:].hex(),
            })  # fmt: skip
            if len(found) == int(replies):
                break
        print(json.dumps(found))


if __name__ == "__main__":
    main()
