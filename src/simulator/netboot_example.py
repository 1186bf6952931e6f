"""The example site with a boot server: its Raspberry Pis have no system of their own, and a stranger hangs there."""

from __future__ import annotations

import dataclasses
import random
import socket
from pathlib import Path

from .board import BootServerAt
from .example import example_spec
from .lab import Lab
from .relocate import read
from .spec import BoardSpec, LabSpec, MachineSpec

SERVER = "127.0.50.1"
STRANGER = "stranger"
"""A board that is in no file, at the sixth port: to be found and adopted."""

MACS = {f"pi{number}": f"B8:27:EB:00:00:{number:02X}" for number in range(1, 5)}
EMPTY = frozenset({"pi4"})
"""Boards whose disk is empty: they are installed when they get power for the first time."""

SECTION = "plugins.NetBoot"
PLACES = 2


def netboot_spec(speed: float = 1.0) -> LabSpec:
    """Return the hardware of the example, with boards for Raspberry Pis."""
    spec = example_spec(speed)
    stranger = MachineSpec(STRANGER, (("sw-poe", 6),), 2.2, 1.2, 6, board=BoardSpec("DC:A6:32:00:00:05"))
    return dataclasses.replace(spec, machines=(*map(_as_board, spec.machines), stranger))


def _as_board(machine: MachineSpec) -> MachineSpec:
    if machine.name not in MACS:
        return machine
    board = BoardSpec(MACS[machine.name], installed=machine.name not in EMPTY)
    return dataclasses.replace(machine, board=board)


def add_boot_server(etc: Path, lab: Lab) -> None:
    """Give the site in ``etc``, a copy of the example, a boot server that serves the boards of ``lab``."""
    at = BootServerAt(
        SERVER, _free(socket.SOCK_DGRAM), _free(socket.SOCK_DGRAM), *(_free(socket.SOCK_STREAM) for _ in "hr")
    )
    main = read(etc / "config.ini")
    main["plugins"]["plugins"] = [*main["plugins"]["plugins"], "NetBoot"]
    ports = {"dhcp": at.dhcp, "tftp": at.tftp, "install": at.hello, "install_root": at.root, "install_get": 0, "ntp": 0}
    main[SECTION] = {
        "serve": "thread",
        "interface": "lo",
        "address": SERVER,
        "boot_places": str(PLACES),
        "dhcp_check": "0",
        "dhcp_probe": "0",
        **{f"{name}_port": str(port) for name, port in ports.items()},
    }
    main.write()
    hosts = (f"{mac};{lab.endpoints[name].host};{name};0\n" for name, mac in MACS.items())
    (etc / "hosts.csv").write_text("".join(hosts))
    _write_files(etc / "netboot")
    (etc / "testers" / "boot.ini").write_text("[tester]\ntype = HelloProtocol\n")
    for name in MACS:
        server = read(etc / "servers" / f"{name}.ini")
        tests = server["server"]["tests"]
        server["server"]["tests"] = ["hello", *([tests] if isinstance(tests, str) else tests)]
        server["hello"] = {"tester": "boot", "board": name}
        server.write()
    lab.boot_from(at)


def plug_stranger(lab: Lab) -> None:
    """Give the stranger power; to be called when the boot server is at work, for it asks five times only."""
    lab.press("sw-poe", 6, True)


def _write_files(folder: Path) -> None:
    """Write what is served: nothing that a real board could run."""
    noise = random.Random(1)  # bytes that do not compress, the same each time
    files = {
        "boot/bootcode.bin": 50_000,
        "boot/config.txt": 300,
        "boot/cmdline.txt": 80,
        "boot/kernel8.img": 2_000_000,
        "images/rootfs.tgz": 8_000_000,
    }
    for name, size in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(size))


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((SERVER, 0))
        return int(probe.getsockname()[1])
