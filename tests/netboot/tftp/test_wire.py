"""The boot server on an Ethernet of its own: frames of 1500 bytes, which no loopback has."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netns
from netns import Namespaces
from peers import peer

TESTS = Path(__file__).parents[2]
CONFIG = f"""[main]
[plugins]
plugins = NetBoot
[plugins.NetBoot]
serve = no
services = tftp
interface = wire
address = {Namespaces.HERE_ADDRESS}
"""
CLIENT = """import hashlib, json, sys
from tftp_client import fetch
for options in json.loads(sys.argv[1]):
    data, granted = fetch((sys.argv[2], 69), "kernel8.img", address=sys.argv[3], **options)
    print(json.dumps([hashlib.sha256(data).hexdigest(), granted]))
"""


ASK = """import sys
from tftp_client import Client, rrq
with Client((sys.argv[1], 69), "0.0.0.0") as one:
    one.raw(rrq("missing"))
    print("silence" if one.silence(float(sys.argv[2])) else "answered")
"""


def ip(*arguments: str) -> None:
    subprocess.run([peer("ip"), *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Namespaces, Path]]:
    etc = tmp_path_factory.mktemp("wire") / "etc"
    (etc / "netboot" / "boot").mkdir(parents=True)
    (etc / "config.ini").write_text(CONFIG)
    (etc / "netboot" / "boot" / "kernel8.img").write_bytes(random.Random(1).randbytes(500_000))
    with netns.connected() as found:
        argv = [*found.prefix(found.here), sys.executable, "-m", "ockle", "--etc", str(etc), "netboot", "serve"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                assert "the boot server is at work" in server.stdout.readline()
                yield found, etc
            finally:
                server.terminate()


def fetched(space: Namespaces, *options: dict[str, Any]) -> list[Any]:
    arguments = [json.dumps(options), space.HERE_ADDRESS, space.THERE_ADDRESS]
    done = subprocess.run(
        [*space.prefix(space.there), sys.executable, "-c", CLIENT, *arguments],
        capture_output=True, text=True, timeout=20, check=False, env={"PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_rfc2348_a_block_fits_a_frame_and_windows_arrive(space: tuple[Namespaces, Path]) -> None:
    expected = hashlib.sha256((space[1] / "netboot" / "boot" / "kernel8.img").read_bytes()).hexdigest()
    answers = fetched(
        space[0], {}, {"blksize": 65464}, {"blksize": 1469, "windowsize": 16}, {"blksize": 1000, "windowsize": 3}
    )
    assert [digest for digest, _ in answers] == [expected] * 4
    assert [granted.get("blksize") for _, granted in answers] == [None, "1468", "1468", "1000"]


def test_nothing_is_served_on_another_interface(space: tuple[Namespaces, Path]) -> None:
    """A second cable to the same machine, and a way over it to the address that is served on the first."""
    here, there = space[0].here, space[0].there
    ip("-n", here, "link", "add", "other", "type", "veth", "peer", "name", "other", "netns", there)
    for name, address in ((here, "10.214.0.1"), (there, "10.214.0.2")):
        ip("-n", name, "address", "add", f"{address}/24", "dev", "other")
        ip("-n", name, "link", "set", "other", "up")
    way = ("-n", there, "route", "add", f"{Namespaces.HERE_ADDRESS}/32", "dev", "other", "via", "10.214.0.1")
    ask = [*space[0].prefix(there), sys.executable, "-c", ASK, Namespaces.HERE_ADDRESS]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    for expected, wait_s in (("answered", "5"), ("silence", "0.3")):
        if expected == "silence":
            ip(*way)
        answer = subprocess.run(
            [*ask, wait_s], capture_output=True, text=True, timeout=20, check=False, env=environment
        )
        assert answer.stdout.strip() == expected, answer
