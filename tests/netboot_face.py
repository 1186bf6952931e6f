"""A daemon with the plugin NetBoot, and what a boot server writes beside it: boards, their logs, live.json."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ockle.common.clock import SystemClock
from ockle.netboot.boards import Boards
from ockle.netboot.folder import BootFolder
from ockle.netboot.stages import Stage
from ockle.simulator.relocate import read
from web_site import Sections, WebSite, web_site

PI1, PI2, PI3, STRANGER = "DC:A6:32:00:00:01", "DC:A6:32:00:00:02", "B8:27:EB:00:00:03", "2C:CF:67:AA:BB:CC"
HOSTS = f"""\
# the rack in the cellar
{PI1};10.7.0.11;pi1;1767000000
{PI2};10.7.0.12;pi2;0

# borrowed
{PI3};;pi3;0
"""
PLUGINS = "CoreCommunicationCommands EditingCommunicationCommands AutoControl SocketListener Logger NetBoot".split()  # noqa: SIM905


@dataclass
class BootServerStand:
    """Writes what a boot server writes; ``services`` and the rest are its live.json."""

    folder: BootFolder
    boards: Boards
    services: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    wire: dict[str, str] = field(
        default_factory=lambda: {"interface": "eth1", "address": "10.7.0.1", "network": "10.7.0.0/24"}
    )

    def write(self) -> None:
        live = {"by": "unit", "problem": self.problem, "wire": self.wire, "services": self.services}
        self.folder.write_live(live)

    @contextmanager
    def away(self) -> Iterator[None]:
        """End, and begin again at the end."""
        self.folder.release()
        try:
            yield
        finally:
            self.folder = BootFolder(self.folder.path.parent)
            self.folder.take()
            self.write()

    def begin(self) -> None:
        """Come to where the tests start: pi1 is up, pi2 loads its kernel, a stranger asks."""
        now = time.time()
        self.boards.note(PI1, Stage.UP, kind="Raspberry Pi 4", ip="10.7.0.11", serial="1b2c3d4e", hostname="pi1")
        self.boards.log(PI1, "MOUNTING")
        self.boards.note(PI2, Stage.LOADING, "kernel8.img", kind="Raspberry Pi 4", ip="10.7.0.12")
        self.services = {
            "dhcp": {"addresses": ["10.7.0.1:67"], "unknown": [self.stranger(now)]},
            "tftp": {"addresses": ["10.7.0.1:69"], "transfers": [self.transfer(3_000_000)]},
            "install": {"addresses": ["10.7.0.1:3333", "10.7.0.1:4444"], "transfers": []},
            "ntp": {"addresses": ["10.7.0.1:123"]},
        }
        self.write()

    @staticmethod
    def stranger(now: float, count: int = 4) -> dict[str, Any]:
        who = {"mac": STRANGER, "kind": "Raspberry Pi 5", "hostname": "newpi", "arch": "", "serial": "", "machine": ""}
        return {**who, "vendor": "PXEClient:Arch:00000:UNDI:002001", "first": now - 60, "last": now, "count": count}

    @staticmethod
    def transfer(sent: int) -> dict[str, Any]:
        what = {"mac": PI2, "ip": "10.7.0.12", "file": "kernel8.img", "size": 9_400_000, "begun": 1_767_000_000.0}
        return {**what, "sent": sent, "rate": 2_200_000.0, "retries": 1, "state": "loading"}


@dataclass
class NetbootSite:
    """``web``: the GUI on its daemon; ``stand`` writes in the boot server's place."""

    web: WebSite
    stand: BootServerStand

    @property
    def hosts(self) -> Path:
        return self.web.etc / "hosts.csv"


@contextmanager
def netboot_site(folder: Path) -> Iterator[NetbootSite]:
    """Yield the site; its boot server is this process, and only says that it serves."""
    state = folder / "state"
    place = BootFolder(state)

    def prepare(etc: Path) -> None:
        """The board pi1 is the server pi1; pi2 and pi3 are none."""
        (etc / "hosts.csv").write_text(HOSTS)
        (etc / "testers" / "hello.ini").write_text("[tester]\ntype = HelloProtocol\n")
        server = etc / "servers" / "pi1.ini"
        ini = read(server)
        ini["server"]["tests"] = [*ini["server"]["tests"], "booted"]
        ini["booted"] = {"tester": "hello", "board": "pi1"}
        ini.write()

    settings: Sections = {"plugins": {"plugins": PLUGINS}, "plugins.NetBoot": {"serve": "no", "interface": "eth1"}}
    place.take()
    boards = Boards(place.boards, SystemClock())
    stand = BootServerStand(place, boards)
    try:
        stand.begin()
        with web_site(folder, settings, prepare) as web:
            yield NetbootSite(web, stand)
    finally:
        boards.close()
        stand.folder.release()
