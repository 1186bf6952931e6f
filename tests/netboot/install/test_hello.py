"""The hello protocol as piman's clients speak it (their scripts, read in the public repositories), on a real server."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from netboot_hello import Hello, board, hello, journal, load, put_image, until
from netboot_site import PI, Serving, serving
from ockle.common.errors import OckleError
from ockle.config.types import Secret
from ockle.netboot.boards import Board, Boards
from ockle.netboot.install import transfers
from ockle.netboot.install.sender import all_taken
from ockle.netboot.stages import MarkState, Stage

IMAGE = bytes(range(256)) * 4096
PI4 = "DC:A6:32:01:02:04"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path, "install") as server:
        put_image(server, IMAGE)
        yield server


def want(served: Serving, image: str = "") -> None:
    with closing(served.boards()) as boards:
        boards.want_reinstall(PI, image, "test")


def stage(served: Serving, mac: str = PI) -> Stage:
    return board(served, mac).stage


def test_the_time_comes_first_in_utc(served: Serving) -> None:
    before = int(time.time())
    connection = Hello(served.at("install"))
    said = connection.hear()
    connection.close()
    sent = time.strptime(f"{said} UTC", "busybox date -s %Y%m%d%H%M.%S UTC")
    assert before <= time.mktime(sent) - time.timezone <= time.time() + 1


def test_a_bare_board_is_formatted_loads_and_boots(served: Serving) -> None:
    """The whole way of a client that says IS_FORMATTED once it has loaded, with the trace of its shell in between."""
    with hello(served) as pi:
        pi.say(
            "+ send Hello World", "+ echo Hello World", "Hello World", "MAKING NODES", "MADE NODES", "IS_UNINSTALLED"
        )
        assert pi.hear() == "format"
        pi.say("RECEIVED_FORMAT", "FORMATTING", "FINISHED FORMATTING")
        assert load(served) == IMAGE
        pi.say("MOUNTING", "FINISHED MOUNTING", "IS_FORMATTED")
        assert pi.hear() == ""
        until(lambda: stage(served) is Stage.INSTALLED)
    until(lambda: stage(served) is Stage.BOOTED)
    lines = journal(served)
    wanted = ["hello: has no system", "formatting: was told to format", "installing: rootfs.tgz, 1 MiB"]
    wanted += ["installed: is installed", "booted: boots what was installed"]
    assert [line for line in lines if line in wanted] == wanted
    assert "Hello World" in lines and "+ echo Hello World" in lines and "FINISHED MOUNTING" in lines
    found = board(served)
    assert found.image == "rootfs.tgz" and found.ip == "127.0.7.3" and found.installed_at and found.booted_stamp


@pytest.mark.parametrize("words", [("IS_FORMATTED",), ("IS_FORMATTED", "RECEIVED_BOOT")])
def test_a_quick_client_has_booted_before_the_end_of_its_transfer_is_seen(
    served: Serving, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Seen in a storm of boards: the end of the transfer took back that they had booted."""
    confirmed = threading.Event()

    async def late(sock: socket.socket) -> None:
        await all_taken(sock)
        await asyncio.to_thread(confirmed.wait, 10)

    monkeypatch.setattr(transfers, "all_taken", late)
    with hello(served) as pi:
        pi.say("IS_UNINSTALLED")
        assert pi.hear() == "format"
        assert load(served) == IMAGE
        pi.say(*words)
        assert pi.hear() == ""
    until(lambda: stage(served) is Stage.BOOTED)
    confirmed.set()
    until(lambda: any("has loaded" in line for line in journal(served)))
    assert stage(served) is Stage.BOOTED


def test_a_client_that_says_is_formatted_before_it_loads(served: Serving) -> None:
    with hello(served) as pi:
        pi.say("IS_UNINSTALLED")
        assert pi.hear() == "format"
        pi.say("IS_FORMATTED")
        assert pi.hear() == ""
        pi.say("+ nc 127.0.7.1 4444")  # its trace goes on: nothing may break it off
        assert load(served) == IMAGE
        until(lambda: stage(served) is Stage.INSTALLED)
        pi.say("FINISHED MOUNTING")
    until(lambda: stage(served) is Stage.BOOTED)


@pytest.mark.parametrize("word", ["RECEIVED_BOOT", "RECIEVED BOOT", "RECEIVED BOOT"])
def test_an_installed_board_is_told_to_boot(served: Serving, word: str) -> None:
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
        assert stage(served) is Stage.BOOTING
        pi.say("boot", word, "MOUNTING", "FINISHED_MOUNTING")
        until(lambda: stage(served) is Stage.BOOTED)


def test_a_shell_on_the_board_is_not_asked_for(served: Serving) -> None:
    with hello(served) as pi:
        pi.say("IS_REMSHELL", "IS_INSTALLED")
        assert pi.hear() == "boot"
    assert "asks for a remote shell, which is not offered" in journal(served)


def test_lines_of_piman_that_mean_nothing_reach_the_log_only(served: Serving) -> None:
    words = ["RECEIVED_DATE", "SET_DATE", "UNMOUNTING", "FINISHED_UNMOUNTING", "RECEIVED_REINSTALL", "is_installed"]
    with hello(served) as pi:
        pi.say(*words, " + IS_INSTALLED", "IS_INSTALLED and more")
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
    assert set(words) <= set(journal(served))


# -- installing anew


def test_a_board_that_is_marked_is_formatted_once(served: Serving) -> None:
    want(served)
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "format"
        assert board(served).reinstall is MarkState.STARTED
        assert load(served) == IMAGE
        pi.say("IS_FORMATTED")
        assert pi.hear() == ""
    until(lambda: board(served).reinstall is MarkState.NONE)
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"


def test_an_installation_cut_short_is_begun_again_by_a_board_without_a_system(served: Serving) -> None:
    want(served)
    for word in ("IS_INSTALLED", "IS_UNINSTALLED", "IS_UNINSTALLED"):
        with hello(served) as pi:
            pi.say(word)
            assert pi.hear() == "format"
    assert board(served).reinstall is MarkState.STARTED


def test_an_installation_never_confirmed_does_not_come_back_by_itself(served: Serving) -> None:
    want(served)
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "format"
    for _ in range(3):
        with hello(served) as pi:
            pi.say("IS_INSTALLED")
            assert pi.hear() == "boot"
    assert "never confirmed" in board(served).note
    want(served)
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "format"


def test_the_mark_of_one_board_is_no_other_boards(served: Serving) -> None:
    want(served)
    with hello(served, "127.0.7.4") as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
    assert board(served).reinstall is MarkState.WANTED


def test_the_image_of_the_mark_is_the_one_that_is_sent(served: Serving) -> None:
    put_image(served, b"another", "other.tgz")
    want(served, "other.tgz")
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "format"
        assert load(served) == b"another"
        pi.say("IS_FORMATTED")
        assert pi.hear() == ""
        until(lambda: board(served).image == "other.tgz")
    assert load(served) == IMAGE  # the next time that of the profile


def test_without_an_image_nothing_is_formatted(served: Serving) -> None:
    want(served, "absent.tgz")
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
    assert board(served).reinstall is MarkState.WANTED
    assert "absent.tgz is not in" in board(served).note
    with hello(served) as pi:
        pi.say("IS_UNINSTALLED")
        assert pi.hear() == ""
    assert stage(served) is Stage.FAILED and "absent.tgz" in board(served).note


def test_a_board_whose_image_was_cut_off_is_not_installed(served: Serving) -> None:
    want(served)
    path = put_image(served, bytes(32 << 20))
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "format"
        with socket.create_connection(served.at("install", 1), 10, source_address=("127.0.7.3", 0)) as loading:
            loading.recv(1000)
        until(lambda: stage(served) is Stage.FAILED)
        pi.say("IS_FORMATTED")
        assert pi.hear() == ""
    assert "cut off" in board(served).note
    assert board(served).reinstall is MarkState.STARTED
    assert path.exists()


# -- what our own clients say besides


def test_a_board_tells_what_it_is_and_that_it_is_up(served: Serving) -> None:
    with hello(served) as pi:
        pi.say("BOARD arch=aarch64 serial=10000000abcdef kind=Raspberry Pi 4 Model B Rev 1.4", "UP pi3.example")
        until(lambda: stage(served) is Stage.UP)
    found = board(served)
    assert (found.arch, found.serial) == ("aarch64", "10000000abcdef")
    assert (found.kind, found.hostname) == ("Raspberry Pi 4 Model B Rev 1.4", "pi3.example")


def test_a_board_tells_why_it_failed(served: Serving) -> None:
    with hello(served) as pi:
        pi.say("FAILED /dev/mmcblk0 is mounted")
        until(lambda: stage(served) is Stage.FAILED)
    assert board(served).note == "/dev/mmcblk0 is mounted"


def test_what_to_load_is_told_with_its_checksum(served: Serving) -> None:
    with hello(served) as pi:
        pi.say("IMAGE")
        answer = pi.hear()
        if answer == "wait":
            answer = pi.hear()
    word, name, size, digest, port = answer.split()
    assert (word, name, size, int(port)) == ("image", "rootfs.tgz", str(len(IMAGE)), served.at("install", 2)[1])
    assert digest == hashlib.sha256(IMAGE).hexdigest()


def test_without_the_token_nothing_is_formatted(tmp_path: Path) -> None:
    with serving(tmp_path, "install", install_token=Secret("open-sesame")) as server:
        put_image(server, IMAGE)
        for words in (["IS_UNINSTALLED"], ["TOKEN wrong", "IS_UNINSTALLED"]):
            with hello(server) as pi:
                pi.say(*words)
                assert pi.hear() == ""
            assert "install_token" in board(server).note
        assert load(server) == b""
        with hello(server) as pi:
            pi.say("TOKEN open-sesame", "IS_UNINSTALLED")
            assert pi.hear() == "format"
        assert not [line for line in journal(server) if "sesame" in line]


# -- who may speak, and how much


def test_an_unknown_address_gets_nothing(served: Serving) -> None:
    for number in range(3):
        connection = Hello(served.at("install", number), "127.0.7.99")
        assert connection.hear() == ""
        connection.close()
    with closing(served.boards()) as boards:
        assert not boards.all()


def test_a_board_that_only_dhcp_knows_is_found_by_what_dhcp_told(served: Serving) -> None:
    mac = "02:00:00:00:00:09"
    with closing(served.boards()) as boards:
        boards.note(mac, Stage.ADDRESSED, ip="127.0.7.9")
    until(lambda: _greets(served, "127.0.7.9"))
    with hello(served, "127.0.7.9") as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
    assert board(served, mac).stage is Stage.BOOTING


def _greets(served: Serving, source: str) -> bool:
    with closing(Hello(served.at("install"), source)) as connection:
        return connection.hear() != ""


def test_an_endless_line_ends_the_connection(served: Serving) -> None:
    with hello(served) as pi:
        pi.socket.sendall(b"x" * 5000)
        assert pi.hear() == ""
    assert "says more than 2048 bytes in one line; the connection is ended" in journal(served)


def test_binary_garbage_is_logged_readably_and_does_no_harm(served: Serving) -> None:
    with hello(served) as pi:
        pi.socket.sendall(b"\xff\x00\x1b[31m\xfe\r\nIS_INSTALLED\r\n")
        assert pi.hear() == "boot"
    assert "???[31m?" in "".join(journal(served))


def test_a_board_that_asks_on_and_on_is_left(served: Serving) -> None:
    with hello(served) as pi:
        pi.say(*["IS_INSTALLED"] * 60)
        heard = 0
        while pi.hear() == "boot":
            heard += 1
        assert heard == 50


def test_a_silent_board_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.netboot.install.control.FIRST_LINE_S", 0.2)
    with serving(tmp_path, "install") as server, hello(server) as pi:
        assert pi.hear() == ""
        assert "has said nothing for 0.2 s" in "".join(journal(server))


def test_many_connections_of_one_board_leave_the_others_theirs(served: Serving) -> None:
    crowd = [Hello(served.at("install")) for _ in range(30)]
    try:
        greeted = [one for one in crowd if one.hear()]
        assert len(greeted) == 8
        with hello(served, "127.0.7.4") as pi:
            pi.say("IS_INSTALLED")
            assert pi.hear() == "boot"
    finally:
        for one in crowd:
            one.close()
    until(lambda: _greets(served, "127.0.7.3"))


def test_a_disk_that_cannot_remember_the_mark_lets_the_board_boot(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_boards: Boards, _mac: str) -> Board:
        raise OckleError("boards.db: the disk is full")

    want(served)
    monkeypatch.setattr(Boards, "take_reinstall", refuse)
    with hello(served) as pi:
        pi.say("IS_INSTALLED")
        assert pi.hear() == "boot"
    assert "the disk is full" in board(served).note
    with hello(served) as pi:
        pi.say("IS_UNINSTALLED")
        assert pi.hear() == ""
    assert stage(served) is Stage.FAILED


def test_a_port_that_is_taken_is_told_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.7.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(OckleError, match=rf"TCP port {port} of 127\.0\.7\.1: Addr.* another install_root_port"),
            serving(tmp_path, "install", install_root_port=port),
        ):
            raise AssertionError("it serves")


def test_more_boards_than_there_are_connections_are_turned_away_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = "".join(f"02:00:00:00:01:{number:02x};127.0.8.{number};b{number};0\n" for number in range(1, 12))
    with serving(tmp_path, "install", hosts=hosts, install_connections=8) as server:
        crowd = [Hello(server.at("install"), f"127.0.8.{number}") for number in range(1, 12)]
        try:
            assert sum(bool(one.hear()) for one in crowd) == 8
            crowd.pop(0).close()
            until(lambda: _greets(server, "127.0.8.11"))
        finally:
            for one in crowd:
                one.close()
    assert "was turned away" in caplog.text
