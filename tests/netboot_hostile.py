"""Sends nonsense to every port of a boot server, and asks for what it must not get.

``python netboot_hostile.py SERVER VICTIM-MAC SECONDS SEED`` prints as JSON what it sent and what it was given.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from contextlib import suppress

COOKIE = bytes((99, 130, 83, 99))
OWN = bytes.fromhex("020BAD0BAD01")
PAUSE_S = 0.002


def dhcp(dice: random.Random, mac: bytes) -> bytes:
    """Return a message that was sound before bytes of it were changed, cut off or added."""
    kind = dice.choice((1, 3, 4, 7, 8, 0, 99))
    hlen, hops = dice.choice((6, 6, 6, 0, 16, 255)), dice.choice((0, 0, 17))
    head = struct.pack("!BBBBIHH", 1, 1, hlen, hops, dice.getrandbits(32), 0, 0x8000)  # answers are for all to see
    fixed = head + dice.choice((bytes(16), dice.randbytes(16))) + mac.ljust(16, b"\0") + bytes(192)
    options = bytes((53, 1, kind)) + dice.choice((b"", b"\x34\1\3", b"\x32\4\0\0\0\0", b"\x0c\xff" + b"A" * 40))
    data = bytearray(fixed + COOKIE + options + dice.choice((b"\xff", b"")))
    for _ in range(dice.choice((0, 0, 1, 6))):
        data[dice.randrange(len(data))] = dice.getrandbits(8)
    return bytes(data[: dice.choice((len(data), len(data), dice.randrange(len(data)))) or 1])


def tftp(dice: random.Random) -> bytes:
    return dice.choice((
        b"\0\1kernel\0octet\0windowsize\0" + b"64\0",  # and never acknowledged
        b"\0\1../../etc/passwd\0octet\0",
        b"\0\1kernel\0octet",
        b"\0\1" + b"k" * 1400,
        b"\0\1kernel\0octet\0blksize\0" + dice.choice((b"0", b"-1", b"99999", b"\xff")) + b"\0",
        b"\0\2kernel\0octet\0",
        struct.pack("!HH", dice.choice((3, 4, 5, 6, 77)), dice.getrandbits(16)) + dice.randbytes(dice.randrange(20)),
        dice.randbytes(dice.randrange(1, 600)),
    ))  # fmt: skip


def words(dice: random.Random) -> bytes:
    return dice.choice((
        b"IS_FORMATTED\nRECEIVED_BOOT\n",
        b"IS_INSTALLED\nIS_UNINSTALLED\n" * 30,
        b"A" * 200_000,
        b"GET /../../config.ini HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nRange: bytes=-1-\r\n\r\n",
        dice.randbytes(2000),
        b"",
    ))  # fmt: skip


class Stream:
    """A connection that says something once, reads now and then, and is left open."""

    def __init__(self, server: str, port: int, said: bytes) -> None:
        self.got = 0
        self._socket = socket.create_connection((server, port), 3)
        self._socket.settimeout(0.001)
        with suppress(OSError):
            self._socket.send(said)

    def read(self) -> int:
        with suppress(OSError):
            return len(self._socket.recv(1 << 16))
        return 0

    def close(self) -> None:
        self._socket.close()


def main(server: str, victim: str, seconds: float, seed: int) -> None:
    dice = random.Random(seed)
    sent: Counter[str] = Counter()
    given: Counter[str] = Counter()
    mac = bytes.fromhex(victim.replace(":", ""))
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    asker.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    asker.bind(("", 68))
    asker.setblocking(False)
    loads = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    streams: dict[int, list[Stream]] = {3333: [], 4444: [], 4445: []}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            asker.sendto(dhcp(dice, dice.choice((OWN, OWN, mac, dice.randbytes(6)))), ("255.255.255.255", 67))
            sent["dhcp"] += 1
        with suppress(OSError):
            dice.choice(loads).sendto(tftp(dice), (server, 69))
            sent["tftp"] += 1
        with suppress(OSError):
            clock.sendto(dice.randbytes(dice.choice((0, 1, 47, 48, 48, 68, 500))), (server, 123))
            sent["ntp"] += 1
        with suppress(BlockingIOError):
            answer = asker.recv(2048)
            given["dhcp"] += answer[28:34] == OWN
        port = dice.choice(list(streams))
        if dice.random() < 0.05:
            with suppress(OSError):
                streams[port].append(Stream(server, port, words(dice)))
                sent[str(port)] += 1
        if streams[port]:
            given[str(port)] += dice.choice(streams[port]).read()
            if len(streams[port]) > 60:
                streams[port].pop(0).close()
        time.sleep(PAUSE_S)
    print(json.dumps({"sent": sent, "given": given}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
