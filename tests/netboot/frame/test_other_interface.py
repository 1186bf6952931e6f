"""Nothing is served on another interface, though packets there are for the right address; this machine itself is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from netns import Namespaces, connected
from ockle.netboot.ntp.packet import query
from own_daemon import written
from peers import peer

CONFIG = """[main]
state_dir = {state}
[plugins.NetBoot]
services = install, ntp
interface = wire
ntp_port = 1123
"""
ASK = f"""
import socket, sys
where = sys.argv[1]
try:
    socket.create_connection((where, 3333), 2).close()
    print("install")
except OSError:
    pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(float(sys.argv[2]))
    sock.connect((where, 1123))
    try:
        sock.send({query(1)!r})
        sock.recv(100)
        print("ntp")
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespaces]:
    folder = tmp_path_factory.mktemp("served")
    etc = written(folder / "etc", {"config.ini": CONFIG.format(state=folder / "state"), "hosts.csv": ""})
    with connected() as found:
        command = [*found.prefix(found.here), sys.executable, "-m", "ockle", "--etc", str(etc), "netboot", "serve"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                assert "the boot server is at work" in server.stdout.readline()
                yield found
            finally:
                server.terminate()


def served(space: Namespaces, name: str, wait_s: float = 5.0) -> list[str]:
    command = [*space.prefix(name), sys.executable, "-c", ASK, space.HERE_ADDRESS, str(wait_s)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.split()


def test_only_the_wire_and_this_machine_are_served(space: Namespaces) -> None:
    assert served(space, space.there) == ["install", "ntp"]
    assert served(space, space.here) == ["install", "ntp"]
    ip("-n", space.here, "link", "add", "other", "type", "veth", "peer", "name", "other", "netns", space.there)
    for name, address in ((space.here, "10.214.0.1"), (space.there, "10.214.0.2")):
        ip("-n", name, "address", "add", f"{address}/24", "dev", "other")
        ip("-n", name, "link", "set", "other", "up")
    ip("-n", space.there, "route", "add", f"{space.HERE_ADDRESS}/32", "dev", "other", "via", "10.214.0.1")
    assert served(space, space.there, 0.3) == []


def ip(*arguments: str) -> None:
    subprocess.run([peer("ip"), *arguments], check=True, capture_output=True, timeout=20)
