"""net-snmp's snmpd as a power strip and as a PoE switch: one agent with settable tables, started on a free port.

Raritan PX outlets are plain settable numbers (``override -rw``); the PoE ports 1 to 6 behave like ports, see
``snmpd_ports.py``; ports 20 to 89 are plain numbers again, to read many at once.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers import free_port, peer

PX = ".1.3.6.1.4.1.13742.4.1.2.2.1"
POE = ".1.3.6.1.2.1.105.1.1.1"
V3_USER = {
    "version": "3",
    "user": "ockle",
    "auth_protocol": "SHA",
    "auth_password": "authentic-and-long",
    "privacy_protocol": "AES",
    "privacy_password": "private-and-long",
}


def _config() -> str:
    lines = [
        "rocommunity public 127.0.0.1",
        "rwcommunity private 127.0.0.1",
        "rwcommunity private@9 127.0.0.1",
        f"createUser ockle SHA {V3_USER['auth_password']} AES {V3_USER['privacy_password']}",
        "rwuser ockle priv",
        "rouser reader auth",
        f"createUser reader SHA {V3_USER['auth_password']}",
    ]
    for outlet in (1, 2, 3):
        for column, value in ((3, 0), (4, 420), (6, 230_500), (7, 96), (31, 1234)):
            lines.append(f"override -rw {PX}.{column}.{outlet} integer {value}")
    lines.append(f"override -rw {PX}.3.4 integer 2")
    lines.append(f"override -rw {PX}.3.5 integer -1")
    lines.append(f"override -rw {PX}.3.6 integer 7")
    lines.append(f"override -rw {PX}.3.7 octet_str on")
    lines.append(f"override {PX}.3.8 integer 0")
    for port in range(20, 90):
        lines.append(f"override -rw {POE}.3.2.{port} integer {1 + port % 2}")
    script = Path(__file__).with_name("snmpd_ports.py")
    lines.append(f"pass_persist {POE}.3.1 {sys.executable} -S {script}")
    lines.append(f"pass_persist {POE}.6.1 {sys.executable} -S {script}")
    return "\n".join(lines) + "\n"


TABLES = (".1.3.6.1.2.1.17", ".1.0.8802.1.1.2.1", ".1.3.6.1.2.1.105.1.1.1.3.4", ".1.3.6.1.2.1.31.1.1.1")


def _tables() -> str:
    """Return the lines for what is served from the file of cells, the community of a VLAN among them."""
    script = Path(__file__).with_name("snmpd_tables.py")
    lines = ["rocommunity public@12 127.0.0.1", "rocommunity private@12 127.0.0.1"]
    lines += [f"pass_persist -p 1 {oid} {sys.executable} -S {script}" for oid in TABLES]
    return "\n".join(lines) + "\n"


@contextmanager
def running(
    folder: Path, port: int = 0, engine_id: str = "", cells: Mapping[str, tuple[str, int | str]] | None = None
) -> Iterator[dict[str, Any]]:
    """Run an agent until the block ends; gives the options ``host`` and ``port``.

    ``cells``      further objects below ``TABLES``: OID -> type and value as snmpd's pass_persist has them

    ``folder``     keeps its memory, engineBoots among it; another run in it goes on from there
    ``engine_id``  hexadecimal digits; default: one of its own making, in its memory
    """
    program = peer("snmpd")
    port = port or free_port("udp")
    config = folder / "snmpd.conf"
    engine = f"exactEngineID 0x{engine_id}\n" if engine_id else ""
    config.write_text(_config() + engine + (_tables() if cells else ""), "utf-8")
    (folder / "cells.json").write_text(json.dumps(dict(cells or {})), "utf-8")
    config.chmod(0o600)
    memory = str(folder / "memory")
    environment = {
        **os.environ,
        "SNMP_PERSISTENT_DIR": memory,
        "SNMPCONFPATH": memory,  # it is read there, too
        "MIBS": "",
        "OCKLE_PORTS": str(folder / "ports.json"),
        "OCKLE_CELLS": str(folder / "cells.json"),
    }
    with (folder / "snmpd.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-f", "-Lo", "-c", str(config), f"udp:127.0.0.1:{port}"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_answers(port, process, folder / "snmpd.log")
            yield {"host": "127.0.0.1", "port": port}
        finally:
            process.terminate()
            process.wait(10)


# SNMPv1 GET of sysUpTime.0 with the community "public", byte by byte (RFC 1157), so that the wait needs no library
_PROBE = bytes.fromhex("302602010004067075626c6963a019020101020100020100300e300c06082b060102010103000500")


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text("utf-8", "replace")
            try:
                probe.send(_PROBE)
                if probe.recv(1500):
                    return
            except TimeoutError:
                continue
            except ConnectionRefusedError:  # not bound yet
                time.sleep(0.02)
    raise AssertionError(f"snmpd does not answer: {log.read_text('utf-8', 'replace')}")


@contextmanager
def bad_line(port: int, *, lose: float, double: float, seed: int, delay_s: float = 0.0) -> Iterator[int]:
    """Pass datagrams on to ``port`` and back, with these chances of losing or doubling each; gives the port to use.

    ``delay_s``  each is held back for up to so long, so that they overtake each other
    For one client. The dice are seeded, so that a failure can be seen again.
    """
    dice = random.Random(seed)
    near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    near.bind(("127.0.0.1", 0))
    far.connect(("127.0.0.1", port))
    stop_here, stop_there = socket.socketpair()
    client: Any = None

    def carry() -> None:
        nonlocal client
        held: list[tuple[float, int, bytes, bool]] = []  # when it is due, a number, the datagram, whether it goes there
        number = 0
        while True:
            wait = max(0.0, held[0][0] - time.monotonic()) if held else None
            ready, _, _ = select.select([near, far, stop_there], [], [], wait)
            if stop_there in ready:
                return
            for end in ready:
                data, sender = end.recvfrom(65_535)
                if end is near:
                    client = sender
                copies = 0 if dice.random() < lose else 2 if dice.random() < double else 1
                for _ in range(copies):
                    number += 1
                    heapq.heappush(held, (time.monotonic() + dice.random() * delay_s, number, data, end is near))
            while held and held[0][0] <= time.monotonic():
                _, _, data, there = heapq.heappop(held)
                if there:
                    far.send(data)
                else:
                    near.sendto(data, client)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield near.getsockname()[1]
    finally:
        stop_here.close()
        thread.join(10)
        for end in (near, far, stop_there):
            end.close()
