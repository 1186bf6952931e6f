"""A poller in a process of its own: ``python snmp_poll.py LIBRARY PORTS ROUNDS UDP-PORT …`` prints figures as JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ockle.common import snmp_wires
from ockle.common.device import Device
from ockle.common.snmp import SnmpSettings, Wire
from ockle.outlets.poe import PoE


def pysnmp(settings: SnmpSettings) -> Wire:
    from ockle.common.snmp_pysnmp import PysnmpWire

    return PysnmpWire(settings)


def gufo(settings: SnmpSettings) -> Wire:
    from ockle.common.snmp_gufo import GufoWire

    return GufoWire(settings)


LIBRARIES = {"pysnmp": pysnmp, "gufo": gufo}


def resident_mb() -> float:
    """Memory of this process that is in RAM now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def switch(number: int, udp_port: int, ports: int) -> list[PoE]:
    device = Device(f"sw{number}")
    outlets = [
        PoE(f"sw{number}.{port}", {"host": "127.0.0.1", "port": udp_port}, {"port": port})
        for port in range(1, ports + 1)
    ]
    for outlet in outlets:
        outlet.device = device
    return outlets


async def watch_lag(lags: list[float]) -> None:
    """Take down how late the loop is, all the time."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append(time.perf_counter() - began - 0.005)


async def poll(switches: Sequence[list[PoE]]) -> None:
    """Read every outlet once, all switches at the same time, as the daemon does when it starts."""
    for answers in await asyncio.gather(*(PoE.read_many(outlets) for outlets in switches)):
        wrong = [answer for answer in answers if not isinstance(answer, bool)]
        if wrong:
            raise RuntimeError(f"{len(wrong)} outlets cannot be read: {wrong[0]}")


async def work(library: str, ports: int, rounds: int, udp_ports: Sequence[int]) -> dict[str, object]:
    snmp_wires.wire_for = LIBRARIES[library]
    switches = [switch(number, udp_port, ports) for number, udp_port in enumerate(udp_ports)]
    before = resident_mb()
    await poll(switches)  # first contact: sessions, who they are, how much they take
    walls, cpus, lags = [], [], list[float]()
    watch = asyncio.create_task(watch_lag(lags))
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        await poll(switches)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    watch.cancel()
    lags.sort()
    return {
        "wall_s": walls,
        "cpu_s": cpus,
        "lag_s": lags[int(len(lags) * 0.99)] if lags else 0.0,
        "added_mb": resident_mb() - before,
        "mb": resident_mb(),
    }


if __name__ == "__main__":
    name, of_ports, of_rounds, *udp = sys.argv[1:]
    print(json.dumps(asyncio.run(work(name, int(of_ports), int(of_rounds), [int(port) for port in udp]))))
