"""The boot server on an Ethernet of its own: frames of 1500 bytes, which no loopback has."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netns
from netns import Namespaces

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
