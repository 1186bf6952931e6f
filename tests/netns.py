"""A network of its own with one host that can really be unreachable: network namespaces, for root only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from peers import missing, peer


@dataclass
class Namespaces:
    """Two namespaces and a cable: in ``here`` (10.213.0.1) the tests run programs, in ``there`` (10.213.0.2) peers."""

    here: str
    there: str

    HERE_ADDRESS = "10.213.0.1"
    THERE_ADDRESS = "10.213.0.2"

    def prefix(self, name: str) -> tuple[str, ...]:
        """Return what goes before a command line to run it in the namespace ``name``."""
        return (peer("ip"), "netns", "exec", name)

    def cable(self, state: str) -> None:
        """Plug the cable in ("up") or pull it out ("down")."""
        _ip("-n", self.there, "link", "set", "wire", state)


@contextmanager
def connected() -> Iterator[Namespaces]:
    peer("ip")
    if os.geteuid() != 0:
        missing("network namespaces need root")
    space = Namespaces(f"ockle-a{os.getpid()}", f"ockle-b{os.getpid()}")
    try:
        for name in (space.here, space.there):
            if _ip("netns", "add", name, check=False):
                missing("network namespaces are not allowed here")
        _ip("-n", space.here, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", space.there)
        for name, address in ((space.here, space.HERE_ADDRESS), (space.there, space.THERE_ADDRESS)):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
            _ip("-n", name, "link", "set", "wire", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield space
    finally:
        for name in (space.here, space.there):
            _ip("netns", "del", name, check=False)


def _ip(*arguments: str, check: bool = True) -> int:
    return subprocess.run([peer("ip"), *arguments], check=check, capture_output=True, timeout=20).returncode
