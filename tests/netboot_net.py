"""A wire for machines that boot: a network namespace with a bridge, taps for virtual machines, and hosts on cables.

For root only. The bridge has the address of the boot server; nothing leads out of it.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers import missing, peer

_NUMBERS = itertools.count(1)


@dataclass
class Lan:
    """``name``: the namespace, in which whoever serves is started."""

    name: str
    hosts: list[str] = field(default_factory=list)

    BRIDGE = "lan"
    NETWORK = "10.214.0.0/24"
    ADDRESS = "10.214.0.1"

    def inside(self, *command: object, host: str = "") -> list[str]:
        """Return the command line that runs ``command`` on the wire: beside the bridge, or on a ``host``."""
        return [peer("ip"), "netns", "exec", host or self.name, *map(str, command)]

    def popen(self, *command: object, host: str = "", **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.inside(*command, host=host), **options)

    def run(self, *command: object, host: str = "", timeout: float = 20) -> subprocess.CompletedProcess[str]:
        argv = self.inside(*command, host=host)
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)

    def tap(self, name: str) -> str:
        """Make the network card of a virtual machine and plug it in."""
        _ip("-n", self.name, "tuntap", "add", "dev", name, "mode", "tap")
        _ip("-n", self.name, "link", "set", name, "master", self.BRIDGE, "up")
        return name

    def host(self, address: str = "", mac: str = "") -> str:
        """Plug in a host with a card ``eth0`` and return its namespace. ``address``: none, as before DHCP."""
        name = f"{self.name}h{len(self.hosts)}"
        if _ip("netns", "add", name, check=False):
            missing("network namespaces are not allowed here")
        self.hosts.append(name)
        port = f"p{len(self.hosts)}"
        _ip("-n", self.name, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("-n", self.name, "link", "set", port, "master", self.BRIDGE, "up")
        if mac:
            _ip("-n", name, "link", "set", "eth0", "address", mac)
        if address:
            _ip("-n", name, "address", "add", f"{address}/24", "broadcast", "+", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        return name


@contextmanager
def lan() -> Iterator[Lan]:
    peer("ip")
    if os.geteuid() != 0:
        missing("network namespaces need root")
    wire = Lan(f"ockle-n{os.getpid()}-{next(_NUMBERS)}")
    try:
        if _ip("netns", "add", wire.name, check=False):
            missing("network namespaces are not allowed here")
        # a bridge that learns and forwards from the first moment on, without the tests of spanning tree
        if _ip(
            "-n", wire.name, "link", "add", "name", wire.BRIDGE, "type", "bridge", "forward_delay", "0", check=False
        ):
            missing("bridges are not allowed here")
        _settle(wire)
        _ip("-n", wire.name, "address", "add", f"{wire.ADDRESS}/24", "broadcast", "+", "dev", wire.BRIDGE)
        _ip("-n", wire.name, "link", "set", wire.BRIDGE, "up")
        _ip("-n", wire.name, "link", "set", "lo", "up")
        yield wire
    finally:
        for name in (wire.name, *wire.hosts):
            _ip("netns", "del", name, check=False)


def _settle(wire: Lan) -> None:
    """Let the bridge have its IPv6 address at once: who answers routers' solicitations needs it."""
    setting = f"/proc/sys/net/ipv6/conf/{wire.BRIDGE}/accept_dad"
    if Path(setting).exists() or Path("/proc/net/if_inet6").exists():
        wire.run("sh", "-c", f"echo 0 >{setting}")


def machines_possible() -> None:
    """Skip, or fail where peers are required, when there can be no virtual machines on a wire."""
    if not Path("/dev/net/tun").exists():
        missing("there is no /dev/net/tun for the network cards of virtual machines")


def _ip(*arguments: str, check: bool = True) -> int:
    command: Sequence[str] = [peer("ip"), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert not check or done.returncode == 0, f"{command}: {done.stderr}"
    return done.returncode
