"""Root file systems on their way: many readers, slow ones, files that change, and what a client lacks."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netboot_hello import PI_ADDRESS, board, hello, journal, load, put_image, until
from netboot_site import Serving, serving
from ockle.common.errors import OckleError
from ockle.netboot.install.images import open_image
from ockle.netboot.mounts import Mounts
from ockle.netboot.stages import Stage
from peers import peer

IMAGE = random.Random(1).randbytes(3 << 20)
HOSTS = "".join(f"B8:27:EB:00:01:{number:02X};127.0.8.{number};pi{number};0\n" for number in range(1, 40))


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.netboot.install.transfers.LOOK_S", 0.1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, "install", hosts=HOSTS, install_stall=1.0) as server:
        put_image(server, IMAGE)
        yield server


def mac(number: int) -> str:
    return f"B8:27:EB:00:01:{number:02X}"


def transfers(served: Serving) -> list[dict[str, Any]]:
    live = served.folder.read_live()
    found: list[dict[str, Any]] = live.get("services", {}).get("install", {}).get("transfers", [])
    return found


def stalled(served: Serving, source: str) -> socket.socket:
    """Connect and read nothing but the first bytes."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(15)
    connection.bind((source, 0))
    connection.connect(served.at("install", 1))
    connection.recv(10)
    return connection


def rest(connection: socket.socket) -> int:
    count = 0
    while part := connection.recv(1 << 16):
        count += len(part)
    return count


def test_many_load_at_once_and_get_every_byte(served: Serving) -> None:
    wrong: list[int] = []

    def one(number: int) -> None:
        if load(served, f"127.0.8.{number}") != IMAGE:
            wrong.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong


def test_a_stalled_reader_delays_nobody_and_is_given_up(served: Serving) -> None:
    put_image(served, IMAGE * 8)
    lazy = stalled(served, "127.0.8.1")
    with lazy:
        assert load(served, "127.0.8.2") == IMAGE * 8
        until(lambda: board(served, mac(1)).stage is Stage.FAILED, "giving up")
        assert "the board has taken nothing for 1 s" in board(served, mac(1)).note
        with pytest.raises(ConnectionResetError):
            rest(lazy)


def test_a_transfer_is_shown_while_it_lasts(served: Serving) -> None:
    put_image(served, IMAGE * 8)
    with stalled(served, "127.0.8.1"):
        (shown,) = until(lambda: transfers(served))
        assert (shown["mac"], shown["ip"], shown["file"]) == (mac(1), "127.0.8.1", "rootfs.tgz")
        assert shown["size"] == len(IMAGE) * 8 and shown["state"] == "sending"
        assert 0 < shown["sent"] < shown["size"] and shown["begun"] > 0 and shown["rate"] >= 0
    until(lambda: [one["state"] for one in transfers(served)] == ["cut off"])


def test_a_board_that_connects_anew_has_given_up_its_former_transfer(tmp_path: Path) -> None:
    with serving(tmp_path, "install", hosts=HOSTS) as served:
        put_image(served, IMAGE * 8)
        with stalled(served, "127.0.8.1") as old:
            assert load(served, "127.0.8.1") == IMAGE * 8
            with pytest.raises(ConnectionResetError):
                rest(old)
        assert "the board has connected anew" in "".join(journal(served, mac(1)))


def test_who_comes_when_all_places_are_taken_waits_for_one(tmp_path: Path) -> None:
    with serving(tmp_path, "install", hosts=HOSTS, install_transfers=1, install_stall=0.8) as served:
        put_image(served, IMAGE * 8)
        with stalled(served, "127.0.8.1"):
            assert load(served, "127.0.8.2") == IMAGE * 8


def test_a_file_that_is_replaced_or_removed_meanwhile_is_sent_as_it_was(served: Serving) -> None:
    path = put_image(served, IMAGE * 8)
    with stalled(served, "127.0.8.1") as connection:
        beside = path.with_name("new")
        beside.write_bytes(b"new")
        beside.replace(path)
        path.unlink()
        assert rest(connection) == len(IMAGE) * 8 - 10
    until(lambda: any("has loaded" in line for line in journal(served, mac(1))))


@pytest.mark.parametrize("change", ["shorter", "overwritten"])
def test_a_file_that_changes_meanwhile_is_never_taken_for_whole(served: Serving, change: str) -> None:
    path = put_image(served, IMAGE * 8)
    with stalled(served, "127.0.8.1") as connection:
        if change == "shorter":
            os.truncate(path, 1 << 20)
        else:
            with path.open("r+b") as file:
                file.write(b"another content")
        with pytest.raises(ConnectionResetError):
            rest(connection)
    until(lambda: board(served, mac(1)).stage is Stage.FAILED)
    assert ("shorter" if change == "shorter" else "was changed") in board(served, mac(1)).note


PROBLEMS = {
    "fifo": "rootfs.tgz is no regular file",
    "folder": "rootfs.tgz is no regular file",
    "empty": "rootfs.tgz is empty",
    "absent": "rootfs.tgz is not in",
    "outside": "rootfs.tgz leads out of",
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_what_is_no_root_file_system_is_refused_and_never_waited_for(served: Serving, kind: str) -> None:
    path = put_image(served, b"")
    if kind != "empty":
        path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "outside":
        path.symlink_to("/etc/hostname")
    with pytest.raises(ConnectionResetError):
        load(served, "127.0.8.1")
    assert board(served, mac(1)).stage is Stage.FAILED
    assert PROBLEMS[kind] in board(served, mac(1)).note


def test_memory_does_not_grow_with_the_file(served: Serving) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    path = put_image(served, b"")
    os.truncate(path, 400 << 20)
    count, begun = 0, resident()
    with socket.create_connection(served.at("install", 1), 15, source_address=("127.0.8.1", 0)) as connection:
        buffer = bytearray(1 << 20)
        while got := connection.recv_into(buffer):
            count += got
    assert count == 400 << 20
    assert resident() - begun < 20 << 20


# -- over HTTP


def get(served: Serving, *fields: str, path: str = "/", source: str = "127.0.8.1") -> tuple[bytes, bytes]:
    with socket.create_connection(served.at("install", 2), 15, source_address=(source, 0)) as connection:
        lines = [f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        whole = b""
        while part := connection.recv(1 << 16):
            whole += part
    head, _, body = whole.partition(b"\r\n\r\n")
    return head, body


def test_the_rest_of_a_file_is_sent_from_any_offset(served: Serving) -> None:
    digest = hashlib.sha256(IMAGE).hexdigest()
    head, body = get(served, path=f"/{digest}")
    assert head.startswith(b"HTTP/1.1 200") and body == IMAGE
    head, body = get(served, "Range: bytes=1000000-", path=f"/{digest}")
    assert head.startswith(b"HTTP/1.1 206") and body == IMAGE[1000000:]
    assert any("from 0 MiB on" in line for line in journal(served, mac(1)))


def test_another_file_under_the_same_name_is_not_mixed_with_the_former(served: Serving) -> None:
    digest = hashlib.sha256(IMAGE).hexdigest()
    put_image(served, b"new")
    head, _body = get(served, "Range: bytes=1000-", path=f"/{digest}")
    assert head.startswith(b"HTTP/1.1 404")


def test_a_stranger_gets_nothing_over_http(served: Serving) -> None:
    with pytest.raises(ConnectionError):
        assert get(served, source="127.0.7.99") == (b"", b"")
        raise ConnectionError


def test_a_request_that_never_ends_is_left(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.netboot.install.transfers.REQUEST_S", 0.2)
    with socket.create_connection(served.at("install", 2), 15, source_address=("127.0.8.1", 0)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        assert connection.recv(10) == b""


@pytest.mark.peer
def test_curl_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path, "install") as served:
        put_image(served, IMAGE)
        part = tmp_path / "part"
        part.write_bytes(IMAGE[:1234567])
        host, port = served.at("install", 2)
        url = f"http://{host}:{port}/{hashlib.sha256(IMAGE).hexdigest()}"
        command = [peer("curl"), "-sS", "--fail", "-C", "-", "--interface", PI_ADDRESS, "-o", str(part), url]
        subprocess.run(command, check=True, timeout=20, capture_output=True)
        assert part.read_bytes() == IMAGE


def test_a_checksum_is_taken_once_and_again_for_another_content(served: Serving) -> None:
    def digest() -> str:
        with hello(served, "127.0.8.1") as pi:
            pi.say("IMAGE")
            answer = pi.hear()
            return (pi.hear() if answer == "wait" else answer).split()[3]

    assert digest() == hashlib.sha256(IMAGE).hexdigest()
    put_image(served, b"other")
    assert digest() == hashlib.sha256(b"other").hexdigest()


def test_a_board_that_has_everything_and_does_not_close_keeps_nobody_from_being_served(served: Serving) -> None:
    """It is neither given up as stalled nor stopped when the board connects anew."""
    with socket.create_connection(served.at("install", 1), 15, source_address=("127.0.8.1", 0)) as lazy:
        assert rest(lazy) == len(IMAGE)
        until(lambda: any(one["state"] == "done" for one in transfers(served)))
        assert load(served, "127.0.8.1") == IMAGE
        put_image(served, IMAGE * 8)
        with stalled(served, "127.0.8.2"):  # the watch for stalled ones still works, a second and more later
            until(lambda: board(served, mac(2)).stage is Stage.FAILED)
    assert board(served, mac(1)).stage is Stage.INSTALLING


def test_a_network_file_system_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas" / "rootfs.tgz").write_bytes(b"x")
    (tmp_path / "link.tgz").symlink_to("nas/rootfs.tgz")
    (tmp_path / "mountinfo").write_text(f"9 1 0:9 / {tmp_path}/nas rw - nfs4 server:/nas rw\n")
    for name in ("nas/rootfs.tgz", "link.tgz"):
        with pytest.raises(OckleError, match="network file system, see install_network_files"):
            open_image(tmp_path, name, Mounts(tmp_path / "mountinfo"))
        open_image(tmp_path, name).close()
