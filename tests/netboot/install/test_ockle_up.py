"""packaging/netboot/ockle-up: the installed system says that it is up, with whatever program it has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netboot_hello import board, until
from netboot_site import Serving, serving
from ockle.netboot.stages import Stage
from peers import free_port, peer

SCRIPT = Path(__file__).parents[3] / "packaging" / "netboot" / "ockle-up"
MAC = "02:00:00:00:00:01"
NEEDED = ("sh", "cat", "sed", "tr", "uname", "sleep")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path / "server", "install", hosts=f"{MAC};127.0.0.1;here;0\n") as server:
        yield server


def run(tmp: Path, *words: str, program: str = "busybox") -> subprocess.CompletedProcess[str]:
    """Run it where only ``program`` and the plainest tools are on the path."""
    for name in (*NEEDED, program):
        (tmp / name).symlink_to(sys.executable if name == "python3" else peer(name))
    (tmp / "cmdline").write_text("root=/dev/initrd master=127.0.7.1 quiet\n")
    environment = {"PATH": str(tmp), "OCKLE_CMDLINE": str(tmp / "cmdline"), "OCKLE_TRIES": "2", "OCKLE_PAUSE": "0"}
    return subprocess.run(
        [tmp / "sh", SCRIPT, *words], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.peer
@pytest.mark.parametrize("program", ["busybox", "bash", "python3"])
def test_the_server_is_told_with_any_of_the_programs(served: Serving, tmp_path: Path, program: str) -> None:
    host, port = served.at("install")
    done = run(tmp_path, host, str(port), program=program)
    assert done.returncode == 0, done.stderr
    until(lambda: board(served, MAC).stage is Stage.UP)
    assert board(served, MAC).hostname


def test_the_kernels_command_line_names_the_server(tmp_path: Path) -> None:
    done = run(tmp_path, "", str(free_port(host="127.0.7.1")))
    assert done.returncode == 1
    assert "127.0.7.1 does not answer on port" in done.stderr


def test_without_a_server_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    done = subprocess.run(
        ["sh", SCRIPT], env={"PATH": "/usr/bin:/bin", "OCKLE_CMDLINE": str(tmp_path / "empty")},
        capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "add master=ADDRESS" in done.stderr
