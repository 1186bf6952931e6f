"""What a board gets, and what people see of it."""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netboot_site import PI, context, serving
from ockle.config.model import PlainConfig
from ockle.netboot.boards import Boards
from ockle.netboot.profiles import Profiles
from ockle.netboot.stages import Stage
from ockle.netboot.tftp.events import Begun, Refused
from ockle.netboot.tftp.packet import Code
from ockle.netboot.tftp.progress import LINES_AT_ONCE, Progress
from tftp_client import ERROR, OACK, client, fetch, number, op

from .conftest import Site

PI_IP, OTHER_IP, STRANGER_IP = "127.0.7.3", "127.0.7.4", "127.0.7.99"
SERIAL = "0a1b2c3d"


def until(found: Callable[[], Any], seconds: float = 5.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.02)
    return value


@pytest.fixture
def racks(tmp_path: Path) -> Iterator[Site]:
    """A server whose pi3 has the profile ``k8s``."""
    with serving(tmp_path, "tftp", tftp_prefixes=["lab-"]) as server:
        found = Site(server, tmp_path / "etc" / "netboot" / "boot", server.at("tftp"))
        settings = {
            "boards": ["pi3"], "root": "k8s/", "boot_file": "", "kernel_args": "cgroup=memory", "image": "rootfs.tgz",
            "maps": ["/config.txt=config-k8s.txt"],
        }  # fmt: skip
        server.server.reconfigure(Profiles([PlainConfig("k8s", settings, "boot/k8s.ini")]))
        yield found


@pytest.fixture
def boards(racks: Site) -> Iterator[Boards]:
    found = racks.serving.boards()
    yield found
    found.close()


def lines(boards: Boards, mac: str = PI) -> list[str]:
    return [line.text for line in boards.lines(mac) if not line.stage]


def stage(boards: Boards, mac: str = PI) -> Stage:
    boards.poll()
    board = boards.get(mac)
    return board.stage if board else Stage.NEW


def test_a_boards_serial_is_a_folder_that_covers_the_root(racks: Site) -> None:
    racks.put("start4.elf", "of all")
    racks.put("overlays/uart.dtbo", "of all")
    racks.put(f"{SERIAL}/overlays/uart.dtbo", "its own")
    assert fetch(racks.where, f"{SERIAL}/start4.elf")[0] == b"of all"
    assert fetch(racks.where, f"{SERIAL}/overlays/uart.dtbo")[0] == b"its own"
    assert fetch(racks.where, "lab-start4.elf")[0] == b"of all"
    assert fetch(racks.where, "dc-a6-32-01-02-04/start4.elf")[0] == b"of all"
    with pytest.raises(OSError, match="not found"):
        fetch(racks.where, f"{SERIAL}/start.elf")


def test_a_board_sees_its_profile_and_its_own_folder_first(racks: Site) -> None:
    racks.put("kernel8.img", "of all")
    racks.put("k8s/kernel8.img", "of k8s")
    racks.put("dc-a6-32-01-02-04/kernel8.img", "of pi4")
    racks.put("config.txt", "of all")
    racks.put("config-k8s.txt", "mapped")
    assert fetch(racks.where, "kernel8.img", address=PI_IP)[0] == b"of k8s"
    assert fetch(racks.where, "kernel8.img", address=OTHER_IP)[0] == b"of pi4"
    assert fetch(racks.where, "kernel8.img", address=STRANGER_IP)[0] == b"of all"
    for name in ("config.txt", f"{SERIAL}/config.txt", "/config.txt"):
        assert fetch(racks.where, name, address=PI_IP)[0] == b"mapped"
        assert fetch(racks.where, name, address=OTHER_IP)[0] == b"of all"


def test_the_kernel_command_line_and_its_size(racks: Site) -> None:
    racks.put("cmdline.txt", "ip=dhcp master=MASTER\n")
    for address, expected in (
        (PI_IP, b"ip=dhcp master=127.0.7.1 cgroup=memory\n"),
        (OTHER_IP, b"ip=dhcp master=127.0.7.1\n"),
    ):
        got, granted = fetch(racks.where, f"{SERIAL}/cmdline.txt", address=address, tsize=0)
        assert got == expected and granted["tsize"] == str(len(expected))


def test_11_rfc2349_the_size_of_a_file_above_4_gib(racks: Site) -> None:
    with (racks.boot / "huge").open("wb") as file:
        file.truncate(2**32 + 7)
    with client(racks.where) as one:
        assert one.ask("huge", tsize=0, blksize=1024) == b"\0\6tsize\x00%d\0blksize\x001024\0" % (2**32 + 7)
        one.error()


def test_25_a_file_that_shrinks_or_is_written_over_ends_with_an_error(
    racks: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for change in ("shrinks", "grows", "changes"):
        path = racks.boot / change
        racks.random(change, 400_000)
        with client(racks.where) as one:
            one.ask(change)
            if change == "shrinks":
                os.truncate(path, 1000)
            elif change == "grows":
                with path.open("ab") as file:
                    file.write(b"x")
            else:
                with path.open("r+b") as file:
                    file.write(b"y" * 400_000)
                os.utime(path, ns=(1, 1))
            block = 1
            while True:
                one.ack(block)
                answer = one.receive()
                if op(answer) == ERROR:
                    break
                block += 1
            assert number(answer) == 0 and block < 200 and b"changed" in answer
        until(partial(_told, caplog, f"TFTP: {change} to 127.0.0.1 ended"))


def _told(caplog: pytest.LogCaptureFixture, line: str) -> bool:
    return line in caplog.text


def test_25_a_file_that_is_replaced_or_removed_is_sent_to_its_end(racks: Site) -> None:
    data = racks.random("kernel8.img", 200_000)
    racks.put("new", "new")
    with client(racks.where) as one:
        got, block = one.ask("kernel8.img")[4:], 1
        (racks.boot / "new").rename(racks.boot / "kernel8.img")
        while len(got) == 512 * block:
            one.ack(block)
            got += one.receive()[4:]
            block += 1
        one.ack(block)
        assert got == data
    assert fetch(racks.where, "kernel8.img")[0] == b"new"


def test_a_board_loads_once_per_boot_and_its_console_tells_each_file(
    racks: Site, boards: Boards, caplog: pytest.LogCaptureFixture
) -> None:
    racks.random("kernel8.img", 3000)
    racks.put("config.txt")
    for name in ("kernel8.img", "recovery.elf", "kernel8.img"):
        with contextlib.suppress(OSError):
            fetch(racks.where, name, address=OTHER_IP)
    mac = "DC:A6:32:01:02:04"
    told = until(lambda: (found := lines(boards, mac)) and len(found) == 3 and found)
    assert told[0].startswith("kernel8.img: 2.9 KiB in ") and told[1] == "recovery.elf: file not found"
    assert stage(boards, mac) is Stage.LOADING
    assert [line.stage for line in boards.lines(mac) if line.stage] == ["loading"]
    assert "recovery.elf" not in caplog.text  # half of what a boot asks for is not there


@pytest.mark.parametrize(
    ("asked", "before", "after"),
    [
        ("config.txt", Stage.NEW, Stage.LOADING), ("x.dtb", Stage.ADDRESSED, Stage.LOADING),
        ("x.dtb", Stage.FAILED, Stage.LOADING), ("x.dtb", Stage.HELLO, Stage.HELLO), ("x.dtb", Stage.UP, Stage.UP),
        (f"{SERIAL}/config.txt", Stage.UP, Stage.LOADING), ("bootcode.bin", Stage.INSTALLING, Stage.LOADING),
        ("boot/grubx64.EFI", Stage.BOOTED, Stage.LOADING), ("config.txt.gz", Stage.UP, Stage.UP),
    ],
)  # fmt: skip
def test_a_system_that_is_up_boots_again_only_when_a_firmware_asks(
    tmp_path: Path, asked: str, before: Stage, after: Stage
) -> None:
    with context(tmp_path) as it:
        progress = Progress(it.boards, it.report, it.clock, lambda mac: True)
        if before is not Stage.NEW:
            it.boards.note(PI, before)
        progress.take(Begun(1, PI, PI_IP, asked, "served-instead", 5))
        found = it.boards.get(PI)
        assert found and found.stage is after and found.ip == PI_IP


def test_a_board_that_asks_for_much_gets_few_lines(tmp_path: Path) -> None:
    with context(tmp_path) as it:
        progress = Progress(it.boards, it.report, it.clock, lambda mac: True)
        for at in range(1000):
            progress.take(Refused(PI, PI_IP, f"{at}.dtbo", Code.NOT_FOUND, "file not found"))
        progress.flush()
        told = lines(it.boards)
        assert len(told) == LINES_AT_ONCE + 1 and told[0] == "0.dtbo: file not found" and told[-1] == "… and 980 more"


def test_the_lines_of_a_whole_rack_are_written_little_by_little(tmp_path: Path) -> None:
    with context(tmp_path) as it:
        progress = Progress(it.boards, it.report, it.clock, lambda mac: True)
        macs = [f"B8:27:EB:00:00:{at:02X}" for at in range(30)]
        for mac in macs:
            for name in ("recovery.elf", "dt-blob.bin"):
                progress.take(Refused(mac, PI_IP, name, Code.NOT_FOUND, "file not found"))
        progress.flush(0.0)
        assert [bool(lines(it.boards, mac)) for mac in macs] == [True] + [False] * 29
        progress.flush(60.0)
        assert all(len(lines(it.boards, mac)) == 2 for mac in macs)


def test_a_stranger_becomes_no_board(racks: Site, boards: Boards) -> None:
    racks.put("f", "x")
    fetch(racks.where, "f", address=STRANGER_IP)
    until(lambda: transfers(racks))
    boards.poll()
    assert not boards.all()


def transfers(site: Site) -> list[dict[str, Any]]:
    live = site.serving.folder.read_live() or {}
    found: list[dict[str, Any]] = live.get("services", {}).get("tftp", {}).get("transfers", [])
    return found


def test_transfers_are_shown_while_they_run_and_some_time_after(racks: Site) -> None:
    racks.random("kernel8.img", 5000)
    with client(racks.where, PI_IP) as one:
        one.ask("kernel8.img", windowsize=4)
        one.ack(0)
        for _ in range(4):
            one.receive()
        one.ack(4)
        row = until(lambda: (rows := transfers(racks)) and rows[0]["sent"] and rows[0])
        assert row["mac"] == PI and row["ip"] == PI_IP and row["file"] == "kernel8.img"
        assert (row["size"], row["sent"], row["state"], row["retries"]) == (5000, 2048, "loading", 0)
        assert abs(row["begun"] - time.time()) < 60
        one.error(3, "full")
    assert until(lambda: (rows := transfers(racks)) and rows[0]["state"] == "ended by the client" and rows)


def test_a_size_probe_makes_no_noise(racks: Site, boards: Boards, caplog: pytest.LogCaptureFixture) -> None:
    racks.random("start4.elf", 5000)
    caplog.set_level(logging.INFO)
    with client(racks.where, PI_IP) as one:
        assert op(one.ask("start4.elf", tsize=0, blksize=1024)) == OACK
        one.error(0)
        assert one.silence()
    fetch(racks.where, "start4.elf", address=PI_IP, blksize=1024)
    told = until(lambda: lines(boards))
    assert len(told) == 1 and len(transfers(racks)) <= 1
    assert "TFTP" not in caplog.text


def test_a_file_with_more_blocks_than_numbers_is_warned_of_or_refused(
    tmp_path: Path, racks: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with (racks.boot / "kernel8.img").open("wb") as file:
        file.truncate(65535 * 512)
    with client(racks.where) as one:
        one.ask("kernel8.img")
        one.error()
    assert "kernel8.img has 65536 blocks of 512 bytes" in caplog.text
    with serving(tmp_path / "2", "tftp", tftp_rollover="refuse") as server:
        with (tmp_path / "2" / "etc" / "netboot" / "boot" / "k").open("wb") as file:
            file.truncate(65535 * 512)
        with client(server.at("tftp")) as one:
            assert op(one.ask("k")) == ERROR
            assert op(one.ask("k", blksize=1024)) == OACK
            one.error()


def test_hosts_that_change_are_seen_without_a_restart(racks: Site) -> None:
    racks.put("f", "of all")
    racks.put("b8-27-eb-aa-aa-aa/f", "its own")
    assert fetch(racks.where, "f", address=STRANGER_IP)[0] == b"of all"
    hosts = racks.boot.parents[1] / "hosts.csv"
    hosts.write_text(hosts.read_text() + f"b8:27:eb:aa:aa:aa;{STRANGER_IP};new;0\n")
    until(lambda: fetch(racks.where, "f", address=STRANGER_IP)[0] == b"its own")


def test_the_server_tells_who_loads_that_it_stops(tmp_path: Path) -> None:
    with serving(tmp_path, "tftp") as server, client(server.at("tftp")) as one:
        (tmp_path / "etc" / "netboot" / "boot" / "f").write_bytes(b"x" * 5000)
        one.ask("f")
        server.server.stop()
        assert one.receive()[:4] == struct.pack("!HH", ERROR, 0)
