"""``ockle piman mapper``: power-cycles ports and says which MAC address is at each."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

from ..drivers.bridge_reader import read_bridge
from ..drivers.bridge_tables import Bridge
from ..drivers.port_finder import Numbering, poe_port
from .codes import OK, CliError
from .connect import connect
from .netboot_ports import follow_mapping
from .output import safe, say, tell
from .piman_power import FAILED, Switch

WAIT_S = 30.0
LOOK_EVERY_S = 2.0
RESULT = "mac_mapper.txt"

Found = dict[int, str]
"""Port -> MAC address."""


def map_ports(args: argparse.Namespace, host: str, group: int, ports: list[int], file: str) -> int:
    """Map ``ports``; by the daemon where it knows the switch. Writes mac_mapper.txt, and ``file`` as piman did."""
    switch = Switch(args, host, group)
    known = switch.known(ports[0])
    found = by_daemon(args, known["pdu"], group, ports) if known else directly(switch, ports)
    rows = [f"{host},{mac};{port}" for port, mac in found.items()]
    say("['SWITCH ADDRESS,MAC ADDRESS;PORT']")
    for row in rows:
        say(row)
    _write(Path(RESULT), "".join(f"{row}\n" for row in rows), "w")
    if file:
        _write(Path(file), "".join(f"{mac};{port}\n" for port, mac in found.items()), "a")
    return OK if len(found) == len(ports) else FAILED


def _write(path: Path, text: str, mode: str) -> None:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", FAILED) from error


def by_daemon(args: argparse.Namespace, pdu: str, group: int, ports: list[int]) -> Found:
    """Have the daemon map them; it leaves out ports that feed a server."""
    question: dict[str, Any] = {"pdu": pdu, "ports": [f"{group}.{port}" for port in ports], "wait_s": WAIT_S}
    with connect(args, 60.0) as connection:
        job = follow_mapping(connection, connection.call("netbootMapPorts", {**question, "confirm": pdu}))
    for row in job["rows"]:
        if row["state"] == "left out":
            tell(f"{safe(row['at'])}: left out, {safe(row['text'])}")
    return {int(row["port"].rpartition(".")[2]): row["mac"] for row in job["rows"] if row["mac"]}


def directly(switch: Switch, ports: list[int]) -> Found:
    """Cycle all ports, then look for up to half a minute who is there."""
    for port in ports:
        switch.cycle(port)
    tell(f"waiting up to {WAIT_S:g} s for them to show themselves ...")
    deadline = time.monotonic() + WAIT_S
    while True:
        found = seen_at(asyncio.run(read_bridge(switch.host, switch.settings())), switch.group, ports)
        if len(found) == len(ports):
            return found
        if time.monotonic() >= deadline:
            for port in set(ports) - found.keys():
                tell(f"{switch.host} {switch.group}.{port}: nothing came")
            return found
        time.sleep(LOOK_EVERY_S)


def seen_at(bridge: Bridge, group: int, ports: list[int]) -> Found:
    """Return who is at each of ``ports``; a port with several addresses tells nothing."""
    found: Found = {}
    for number, macs in bridge.macs.items():
        at = poe_port(bridge, bridge.ports[number], Numbering()) or (group, number)
        if at[0] == group and at[1] in ports and len(macs) == 1:
            found[at[1]] = next(iter(macs))
    return {port: found[port] for port in ports if port in found}
