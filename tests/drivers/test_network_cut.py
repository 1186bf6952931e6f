"""What only a network of its own can show: hosts that do not answer, and a cable that is pulled in mid-session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netns
import peers_sshd

pytestmark = pytest.mark.peer
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def space() -> Iterator[netns.Namespaces]:
    with netns.connected() as space:
        yield space


def in_namespace(space: netns.Namespaces, program: str, *arguments: str, path: str = "") -> Any:
    """Run Python in the near namespace and return the JSON it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings"), "PATH": path or os.environ["PATH"]}
    command = [*space.prefix(space.here), sys.executable, "-W", "error", "-c", program, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


PING = """
import json, sys
from pathlib import Path
from ockle.testers.ping import Ping
Path("/proc/sys/net/ipv4/ping_group_range").write_text(sys.argv[2])
tester = Ping("ping", {"count": 2, "interval": "50ms", "timeout": "2s"}, {"host": sys.argv[1]})
print(json.dumps([tester.test(), tester.last_error]))
"""
SOCKET_ALLOWED, SOCKET_DENIED = "0 2147483647", "1 0"


@pytest.mark.parametrize("group_range", [SOCKET_ALLOWED, SOCKET_DENIED], ids=["socket", "program"])
def test_ping_tells_a_host_that_answers_from_one_that_does_not(space: netns.Namespaces, group_range: str) -> None:
    assert in_namespace(space, PING, space.THERE_ADDRESS, group_range) == [True, ""]
    passed, reason = in_namespace(space, PING, "10.213.0.77", group_range)
    assert not passed
    assert "10.213.0.77: none of 2 echo requests was answered" in reason
    passed, reason = in_namespace(space, PING, "192.0.2.1", group_range)
    assert not passed
    assert reason


def test_a_pulled_cable_fails_the_ping(space: netns.Namespaces) -> None:
    space.cable("down")
    try:
        assert in_namespace(space, PING, space.THERE_ADDRESS, SOCKET_ALLOWED)[0] is False
    finally:
        space.cable("up")
    assert in_namespace(space, PING, space.THERE_ADDRESS, SOCKET_ALLOWED)[0] is True


def test_ping_says_what_is_missing(space: netns.Namespaces, tmp_path: Path) -> None:
    passed, reason = in_namespace(space, PING, space.THERE_ADDRESS, SOCKET_DENIED, path=str(tmp_path))
    assert not passed
    assert "ping_group_range='0 2147483647'" in reason
    assert "iputils-ping" in reason
    assert "\n" not in reason


SSH = """
import json, subprocess, sys
from ockle.common.errors import DeviceError
from ockle.controllers.ssh_controller import SSHController
driver = SSHController("fs1", json.loads(sys.argv[1]), {"host": sys.argv[2]})
seen = []
def look():
    try:
        seen.append(driver.run_sync(driver.get_state()))
    except DeviceError as error:
        seen.append(f"{type(error).__name__}: {error}")
look()
driver.run_sync(driver.shut_down())
subprocess.run(["ip", "-n", sys.argv[3], "link", "set", "wire", "down"], check=True)
look()
subprocess.run(["ip", "-n", sys.argv[3], "link", "set", "wire", "up"], check=True)
look()
driver.close()
print(json.dumps(seen))
"""


def test_a_machine_behind_a_pulled_cable_is_not_down(space: netns.Namespaces, tmp_path: Path) -> None:
    server = peers_sshd.make(tmp_path, space.THERE_ADDRESS, port=2222, prefix=space.prefix(space.there))
    server.launch()
    try:
        options = json.dumps(server.settings(shutdown_command="exit 0", timeout="2s"))
        before, cut, after = in_namespace(space, SSH, options, space.THERE_ADDRESS, space.there)
    finally:
        server.stop()
    assert (before, after) == (True, True)
    assert cut.startswith("DeviceUnreachable:")
    assert "its session is still open" in cut
