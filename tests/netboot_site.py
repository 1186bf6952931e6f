"""A boot server on loopback for tests: its context, and the server with some of its services in a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from ockle.common.clock import Clock, SystemClock
from ockle.config.templates import plugin_template
from ockle.netboot.boards import Boards
from ockle.netboot.boot_server import BootConfig, BootServer
from ockle.netboot.folder import BootFolder
from ockle.netboot.host_book import HostBook
from ockle.netboot.profiles import Profiles
from ockle.netboot.reporter import Reporter
from ockle.netboot.service import BootContext
from ockle.netboot.wire import Wire

PI = "B8:27:EB:01:02:03"
HOSTS = f"{PI};127.0.7.3;pi3;0\nDC:A6:32:01:02:04;127.0.7.4;pi4;0\n"
READY_S = 20.0


def options(**changes: Any) -> dict[str, Any]:
    """Return the options of [plugins.NetBoot], typed: the defaults, on 127.0.7.1 and free ports, and ``changes``."""
    defaults = plugin_template("NetBoot").defaults("plugins.NetBoot")
    free = {name: 0 for name in defaults if name.endswith("_port") and name != "dhcp_client_port"}
    return {**defaults, **free, "interface": "lo", "address": "127.0.7.1", **changes}


def loopback_wire(address: str = "127.0.7.1") -> Wire:
    return Wire("lo", 1, IPv4Address(address), IPv4Network("127.0.0.0/8"), mtu=65536)


@contextmanager
def context(tmp: Path, hosts: str = HOSTS, clock: Clock | None = None, **changes: Any) -> Iterator[BootContext]:
    """Give what a service gets, with the folders ``boot`` and ``images`` in ``tmp/netboot``. ``changes``: options."""
    clock = clock or SystemClock()
    book = hosts_file(tmp, hosts)
    for name in ("boot", "images"):
        (tmp / "netboot" / name).mkdir(parents=True, exist_ok=True)
    boards = Boards(tmp / "boards.db", clock)
    try:
        yield BootContext(
            settings=options(**changes),
            wire=loopback_wire(),
            hosts=HostBook(book),
            profiles=Profiles(),
            boards=boards,
            clock=clock,
            report=Reporter(logging.getLogger("ockle.netboot"), clock),
            root=tmp / "netboot" / "boot",
            images=tmp / "netboot" / "images",
        )
    finally:
        boards.close()


def hosts_file(etc: Path, text: str = HOSTS) -> Path:
    etc.mkdir(parents=True, exist_ok=True)
    path = etc / "hosts.csv"
    path.write_text(text)
    return path


@dataclass
class Serving:
    """A boot server at work. ``addresses``: service -> HOST:PORT of its sockets."""

    server: BootServer
    etc: Path
    folder: BootFolder
    addresses: Mapping[str, list[str]]

    def at(self, service: str, number: int = 0) -> tuple[str, int]:
        """Return host and port of one of the service's sockets."""
        host, _, port = self.addresses[service][number].rpartition(":")
        return host, int(port)

    def boards(self) -> Boards:
        """Return the boards as another process sees them; the caller closes them."""
        return Boards(self.folder.boards, SystemClock())


@contextmanager
def serving(tmp: Path, *services: str, hosts: str = HOSTS, **changes: Any) -> Iterator[Serving]:
    """Run a boot server with these services in a thread; its folders are ``tmp/etc`` and ``tmp/state``."""
    etc = tmp / "etc"
    hosts_file(etc, hosts)
    for name in ("boot", "images"):
        (etc / "netboot" / name).mkdir(parents=True, exist_ok=True)
    server = BootServer(BootConfig(etc, tmp / "state", options(services=list(services), **changes)))
    up, failed = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            server.run(up.set)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread of the test
            failed.append(error)
        finally:
            up.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert up.wait(READY_S), "the boot server is not up"
        if failed:
            raise failed[0]
        yield Serving(server, etc, BootFolder(tmp / "state"), server.addresses)
    finally:
        server.stop()
        thread.join(READY_S)
    assert not thread.is_alive()
    if failed:
        raise failed[0]
