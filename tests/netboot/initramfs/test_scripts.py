"""The scripts of the initramfs, run by busybox, against a server that knows no more than piman's."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from netboot_board import FolderBoard, root_file_system


@dataclass
class Piman:
    """A server as piman's is: a date at connect, ``format`` or ``boot``, the image to whoever connects."""

    image: bytes
    reinstall: bool = False
    heard: list[str] = field(default_factory=list)
    control: tuple[str, int] = ("", 0)
    files: int = 0
    threads: list[threading.Thread] = field(default_factory=list)

    def wait(self) -> None:
        """Wait until all connections have ended."""
        while self.threads:
            self.threads.pop().join(20)

    def speak(self, connection: socket.socket) -> None:
        connection.sendall(b"busybox date -s 202601021530.45\nEOM\n")
        with suppress(ConnectionError), connection, connection.makefile("rb") as lines:
            for raw in lines:
                line = raw.decode().strip()
                self.heard.append(line)
                if line == "IS_UNINSTALLED" or (line == "IS_INSTALLED" and self.reinstall):
                    connection.sendall(b"format\nEOM\n")
                elif line == "IS_INSTALLED":
                    connection.sendall(b"boot\nEOM\n")
                elif line == "IS_FORMATTED":
                    break

    def give(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(self.image)


@contextmanager
def piman(image: bytes, *, reinstall: bool = False) -> Iterator[Piman]:
    server = Piman(image, reinstall)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    server.control, server.files = sockets[0].getsockname(), sockets[1].getsockname()[1]

    def accept(listener: socket.socket, work: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            server.threads.append(threading.Thread(target=work, args=(connection,), daemon=True))
            server.threads[-1].start()

    for listener, work in zip(sockets, (server.speak, server.give), strict=True):
        threading.Thread(target=accept, args=(listener, work), daemon=True).start()
    try:
        yield server
        server.wait()
    finally:
        for listener in sockets:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def test_a_bare_board_installs_itself_from_a_piman_server(tmp_path: Path) -> None:
    with piman(root_file_system(**{"etc/hostname": b"pi3\n"})) as server:
        board = FolderBoard(tmp_path, settings={"root_port": server.files, "answer_wait": 1})
        assert board.hello(*server.control) == "boot", board.said
    assert board.formatted
    assert (board.root / "etc" / "hostname").read_text() == "pi3\n"
    assert not (board.root / ".ockle-installing").exists()
    assert (tmp_path / "dates").read_text() == "-u -s 202601021530.45\n"
    in_order = ["IS_UNINSTALLED", "RECEIVED_FORMAT", "FORMATTING", "FINISHED FORMATTING", "IS_FORMATTED"]
    assert [line for line in server.heard if line in in_order] == in_order


def test_an_installed_board_boots(tmp_path: Path) -> None:
    with piman(b"") as server:
        board = FolderBoard(tmp_path)
        board.install()
        assert board.hello(*server.control) == "boot", board.said
    assert not board.formatted
    assert (board.root / "old").exists()
    assert "RECEIVED_BOOT" in server.heard


def test_a_piman_server_has_it_installed_anew(tmp_path: Path) -> None:
    with piman(root_file_system(), reinstall=True) as server:
        board = FolderBoard(tmp_path, settings={"root_port": server.files, "answer_wait": 1})
        board.install()
        assert board.hello(*server.control) == "boot", board.said
    assert board.formatted
    assert not (board.root / "old").exists()


def test_a_root_file_system_cut_off_is_told_and_not_booted(tmp_path: Path) -> None:
    whole = root_file_system(big=bytes(200_000))
    with piman(whole[: len(whole) // 2]) as server:
        board = FolderBoard(tmp_path, settings={"root_port": server.files, "answer_wait": 1})
        assert board.hello(*server.control) == ""
        server.wait()
        assert "FAILED the root file system did not come whole" in server.heard
        assert "IS_FORMATTED" not in server.heard
        # what is on the disk now does not pass for a system
        server.heard.clear()
        server.image = whole
        assert board.hello(*server.control) == "boot"
        server.wait()
        assert "IS_UNINSTALLED" in server.heard


def test_an_image_without_a_system_is_told_and_not_booted(tmp_path: Path) -> None:
    out = io.BytesIO()
    tarfile.open(fileobj=out, mode="w:gz").close()
    with piman(out.getvalue()) as server:
        board = FolderBoard(tmp_path, settings={"root_port": server.files, "answer_wait": 1})
        assert board.hello(*server.control) == ""
    assert "FAILED the root file system has no /sbin/init" in server.heard


def test_a_kernel_option_cannot_name_a_disk_that_the_configuration_does_not(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(bytes(4 << 20))
    with piman(root_file_system()) as server:
        board = FolderBoard(tmp_path / "board", cmdline=f"ockle.device={other} quiet")
        assert board.hello(*server.control) == ""
    assert any(line.startswith(f"FAILED {other} is not among the disks") for line in server.heard)
    assert "IS_UNINSTALLED" not in server.heard
    assert not any(other.read_bytes())


def test_a_disk_that_is_mounted_is_not_formatted(tmp_path: Path) -> None:
    board = FolderBoard(tmp_path)
    (tmp_path / "mounts").write_text(f"proc /proc proc rw 0 0\n{board.disk}p1 /data ext4 rw 0 0\n")
    board.settings = {"mounts": tmp_path / "mounts"}
    with piman(root_file_system()) as server:
        assert board.hello(*server.control) == ""
    assert f"FAILED {board.disk} is mounted: it is not formatted" in server.heard
    assert not board.formatted


def test_a_file_system_that_cannot_be_mounted_is_never_formatted_unasked(tmp_path: Path) -> None:
    board = FolderBoard(tmp_path)
    disk = bytearray(board.disk.read_bytes())
    disk[1080:1082] = b"\x53\xef"
    board.disk.write_bytes(disk)
    (tmp_path / "disk.broken").touch()
    with piman(root_file_system()) as server:
        assert board.hello(*server.control) == ""
    assert "IS_UNINSTALLED" not in server.heard
    assert f"FAILED {board.disk} cannot be mounted" in server.heard
    assert board.disk.read_bytes() == disk


def test_no_disk_at_all_is_told(tmp_path: Path) -> None:
    board = FolderBoard(tmp_path)
    board.disk.unlink()
    with piman(b"") as server:
        assert board.hello(*server.control) == ""
    assert f"FAILED there is no disk {board.disk}" in server.heard


@pytest.mark.parametrize("word", ["rm -rf /", "reinstall", "$(reboot)"])
def test_an_unknown_command_is_refused(tmp_path: Path, word: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[str] = []

    def speak() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(f"{word}\nEOM\nboot\nEOM\n".encode())
            heard.extend(line.decode().strip() for line in lines)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    board = FolderBoard(tmp_path)
    board.install()
    with listener:
        assert board.hello(*listener.getsockname()) == "boot"
        thread.join(10)
    assert f"does not know how to {word}" in heard
