"""The scripts of our initramfs against our server: installed with a checksum, resumed, marked, cut off, killed."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from netboot_board import FolderBoard, root_file_system
from netboot_hello import board, journal, put_image, until
from netboot_site import Serving, serving
from ockle.common.clock import SystemClock
from ockle.config.types import Secret
from ockle.netboot.boards import Boards
from ockle.netboot.folder import BootFolder
from ockle.netboot.stages import MarkState, Stage

MAC = "02:00:00:00:00:01"
HOSTS = f"{MAC};127.0.0.1;here;0\n"
FILES = {"big": random.Random(2).randbytes(3 << 20), "etc/issue": b"installed\n"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path / "server", "install", hosts=HOSTS) as server:
        put_image(server, root_file_system(**FILES))
        yield server


def test_a_bare_board_is_installed_verified_and_booted(served: Serving, tmp_path: Path) -> None:
    pi = FolderBoard(tmp_path / "board")
    assert pi.hello(*served.at("install")) == "boot", pi.said
    assert (pi.root / "big").read_bytes() == FILES["big"]
    assert not list(pi.root.glob(".ockle*"))
    until(lambda: board(served, MAC).stage is Stage.BOOTED)
    lines = journal(served, MAC)
    assert any(line.startswith("has verified its root file system") for line in lines)
    order = ["hello", "formatting", "installing", "installed", "booted"]
    stages = [line.partition(":")[0] for line in lines]
    assert sorted(order, key=stages.index) == order
    assert board(served, MAC).arch == os.uname().machine
    assert pi.hello(*served.at("install")) == "boot"
    until(
        lambda: journal(served, MAC)[-1] == "booted: has booted" and "booting: was told to boot" in journal(served, MAC)
    )


def test_a_board_that_is_marked_is_installed_anew_once(served: Serving, tmp_path: Path) -> None:
    pi = FolderBoard(tmp_path / "board")
    pi.install()
    with closing(served.boards()) as boards:
        boards.want_reinstall(MAC)
    assert pi.hello(*served.at("install")) == "boot", pi.said
    assert not (pi.root / "old").exists() and (pi.root / "etc" / "issue").exists()
    until(lambda: board(served, MAC).reinstall is MarkState.NONE)
    (pi.root / "mine").touch()
    assert pi.hello(*served.at("install")) == "boot"
    assert (pi.root / "mine").exists()


def test_the_token_is_said_and_not_shown(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "install", hosts=HOSTS, install_token=Secret("open-sesame")) as server:
        put_image(server, root_file_system())
        pi = FolderBoard(tmp_path / "board", settings={"token": "open-sesame"})
        assert pi.hello(*server.at("install")) == "boot", pi.said
        assert "sesame" not in pi.said
        assert not [line for line in journal(server, MAC) if "sesame" in line]


class Cutter:
    """Passes connections on to a port, and cuts the first ones off after so many bytes."""

    def __init__(self, to: tuple[str, int], cuts: list[int]) -> None:
        self._to, self.cuts = to, cuts
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.7.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                inside, _ = self._listener.accept()
                most = self.cuts.pop(0) if self.cuts else -1
                with inside, socket.create_connection(self._to, 10) as outside:
                    self.asked.append(inside.recv(4096))
                    outside.sendall(self.asked[-1])
                    while most and (part := outside.recv(most if 0 < most < 65536 else 65536)):
                        inside.sendall(part)
                        most = most - len(part) if most > 0 else most

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_a_transfer_that_is_cut_off_goes_on_where_it_was(
    served: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutter = Cutter(served.at("install", 2), [700_000, 0, 1_000_000])
    monkeypatch.setattr("ockle.netboot.install.listening.Listener.port", cutter.port)
    pi = FolderBoard(tmp_path / "board")
    try:
        assert pi.hello(*served.at("install")) == "boot", pi.said
    finally:
        cutter.close()
    assert (pi.root / "big").read_bytes() == FILES["big"]
    offsets = [int(asked.partition(b"bytes=")[2].partition(b"-")[0] or b"0") for asked in cutter.asked]
    assert len(offsets) == 4 and offsets[0] == 0 and 0 < offsets[1] == offsets[2] < offsets[3]
    assert any("cut off after" in line for line in journal(served, MAC))


def test_an_image_that_is_replaced_between_two_tries_is_loaded_from_its_beginning(
    served: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutter = Cutter(served.at("install", 2), [700_000, *[0] * 60])
    monkeypatch.setattr("ockle.netboot.install.listening.Listener.port", cutter.port)
    pi = FolderBoard(tmp_path / "board", settings={"fetch_pause": 1, "fetch_tries": 60})
    result: list[str] = []
    thread = threading.Thread(target=lambda: result.append(pi.hello(*served.at("install"))))
    thread.start()
    until(lambda: len(cutter.asked) > 1)
    beside = put_image(served, root_file_system(new=b"new"), "new")
    beside.replace(beside.with_name("rootfs.tgz"))
    cutter.cuts.clear()
    thread.join(30)
    cutter.close()
    assert result == ["boot"], pi.said
    assert (pi.root / "new").read_bytes() == b"new" and not (pi.root / "big").exists()


def test_a_damaged_image_is_not_booted(served: Serving, tmp_path: Path) -> None:
    put_image(served, root_file_system(**FILES)[:-100_000])
    pi = FolderBoard(tmp_path / "board")
    assert pi.hello(*served.at("install")) == ""
    until(lambda: board(served, MAC).stage is Stage.FAILED)
    assert "rootfs.tgz cannot be unpacked" in board(served, MAC).note
    put_image(served, root_file_system(**FILES))
    assert pi.hello(*served.at("install")) == "boot", pi.said


# -- a server that dies


SERVER = """
import sys, logging
from pathlib import Path
from ockle.netboot.boot_server import BootConfig, BootServer
from netboot_site import options
logging.basicConfig(level=logging.INFO)
tmp = Path(sys.argv[1])
changes = dict(zip(("install_port", "install_root_port", "install_get_port"), map(int, sys.argv[2:])))
server = BootServer(BootConfig(tmp / "etc", tmp / "state", options(services=["install"], **changes)))
server.run(lambda: print(*server.addresses["install"], flush=True))
"""


SLOW_FETCH = """
fetch_once() {
    touch "$work/fetching"
    while [ -e "$work/slow" ]; do sleep 1; done
    wget -q -c -O "$image" "http://$master:$port/$sum" >&2
}
"""
SLOW_FORMAT = """
make_file_system() {
    rm -rf "$new_root"
    mkdir -p "$new_root"
    touch "$work/made"
    while [ -e "$work/slow" ]; do sleep 1; done
}
"""
"""It is at work until the test says so."""


@contextmanager
def child(tmp: Path, *ports: int) -> Iterator[tuple[subprocess.Popen[str], list[tuple[str, int]]]]:
    """Run a boot server in a process of its own; give the process and its addresses."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp), *map(str, ports)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        addresses = [one.rpartition(":") for one in process.stdout.readline().split()]
        yield process, [(host, int(port)) for host, _, port in addresses]
    finally:
        process.kill()
        process.communicate(timeout=10)


def prepared(tmp: Path) -> Boards:
    """Make the folders of a boot server, and the board that is to be installed anew."""
    (tmp / "etc" / "netboot" / "images").mkdir(parents=True)
    (tmp / "etc" / "hosts.csv").write_text(HOSTS)
    (tmp / "etc" / "netboot" / "images" / "rootfs.tgz").write_bytes(root_file_system(**FILES))
    boards = Boards(BootFolder(tmp / "state").boards, SystemClock())
    boards.want_reinstall(MAC)
    return boards


@contextmanager
def busy(pi: FolderBoard, at: tuple[str, int], mark: str) -> Iterator[list[str]]:
    """Have the board say hello and come to where it makes the file ``mark``; afterwards it goes on and ends."""
    pi.install()
    (pi.folder / "slow").touch()
    result: list[str] = []
    thread = threading.Thread(target=lambda: result.append(pi.hello(*at)))
    thread.start()
    until((pi.folder / mark).exists, mark)
    yield result
    (pi.folder / "slow").unlink(missing_ok=True)
    thread.join(30)
    pi.functions = ""


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def test_a_server_killed_between_the_mark_and_its_confirmation_formats_no_board_twice(tmp_path: Path) -> None:
    """kill -9 while the board formats: it has no system then, is installed by the next server, and never again."""
    pi = FolderBoard(tmp_path / "board", functions=SLOW_FORMAT)
    with closing(prepared(tmp_path)) as boards:
        with child(tmp_path) as (first, addresses), busy(pi, addresses[0], "made") as result:
            kill(first)
        assert result == [""], pi.said  # it had no answer to what to load
        assert boards.poll() and boards.get(MAC).reinstall is MarkState.STARTED  # type: ignore[union-attr]
        with child(tmp_path, *(port for _, port in addresses)) as (_second, again):
            assert pi.hello(*again[0]) == "boot", pi.said
            assert (pi.root / "etc" / "issue").exists()
            (pi.root / "mine").touch()
            until(lambda: boards.poll() or boards.get(MAC).reinstall is MarkState.NONE)  # type: ignore[union-attr]
            assert pi.hello(*again[0]) == "boot", pi.said
            assert (pi.root / "mine").exists(), "it was formatted twice"


def test_a_server_killed_while_it_sends_is_told_the_end_by_the_board(tmp_path: Path) -> None:
    """The board goes on loading from the next server, without its connection, and confirms on another one."""
    pi = FolderBoard(tmp_path / "board", functions=SLOW_FETCH, settings={"fetch_tries": 20, "fetch_pause": 1})
    with (
        closing(prepared(tmp_path)) as boards,
        child(tmp_path) as (first, addresses),
        busy(pi, addresses[0], "fetching") as result,
    ):
        kill(first)
        with child(tmp_path, *(port for _, port in addresses)) as (_second, again):
            (pi.folder / "slow").unlink()
            until(lambda: result)
            assert result == [""] and (pi.root / "etc" / "issue").exists(), pi.said
            (pi.root / "mine").touch()
            assert pi.hello(*again[0]) == "boot", pi.said
            assert (pi.root / "mine").exists(), "it was formatted twice"
            until(lambda: boards.poll() or boards.get(MAC).reinstall is MarkState.NONE)  # type: ignore[union-attr]
            until(lambda: boards.poll() or boards.get(MAC).stage is Stage.BOOTED)  # type: ignore[union-attr]
