"""Answers routers' solicitations: "there is no router": else iPXE waits 13 s for one before it boots by IPv4.

``python netboot_router.py INTERFACE`` serves until it is ended. Source: RFC 4861 sections 4.1 and 4.2.
"""

from __future__ import annotations

import socket
import struct
import sys

SOLICITATION, ADVERTISEMENT = 133, 134
ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
HOPS = 255


def main(interface: str) -> None:
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as wire:
        group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("@I", index)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, HOPS)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        print("answering", flush=True)
        while True:
            if wire.recv(2048)[0] == SOLICITATION:
                # lifetime 0: not a default router; the kernel fills the checksum in
                answer = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 64, 0, 0, 0, 0)
                wire.sendto(answer, (ALL_NODES, 0, 0, index))


if __name__ == "__main__":
    main(sys.argv[1])
