"""Boards that boot from the network, powered by the daemon and served by its boot server, end to end on the lab."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from board_lab import MACS, SERVER_AT, boards, site
from e2e import Daemon, Result, ockle
from ockle.config.site import load_site
from ockle.networkTree.ServerNetworkFactory import ServerNetworkFactory
from ockle.simulator.board import BootServerAt
from ockle.simulator.example import SITE
from ockle.simulator.lab import Lab
from ockle.simulator.ledger import Entry
from ockle.simulator.netboot_example import add_boot_server, netboot_spec
from ockle.simulator.relocate import copy_site
from own_daemon import until
from peers import free_port

IMAGE = b"\x1f\x8b" + bytes(range(256)) * 4096
OPTIONS = """dhcp_port = {dhcp}
dhcp_check = 0
dhcp_probe = 0
tftp_port = {tftp}
install_port = {hello}
install_root_port = {root}
install_get_port = 0
{more}
[plugins.SocketListener]
port = 0
"""


@dataclass
class Rack:
    lab: Lab
    daemon: Daemon
    etc: Path

    def ockle(self, *words: str) -> Result:
        return ockle(*words, port=self.daemon.port)

    def ask(self, command: str, **data: Any) -> dict[str, Any]:
        with self.daemon.connect() as connection:
            return dict(connection.call(command, data))

    def entries(self, kind: str, device: str, what: str | None = None) -> list[Entry]:
        return [
            entry
            for entry in self.lab.ledger.entries()
            if entry.kind == kind and entry.device == device and what in (None, entry.what)
        ]

    def stage(self, board: str) -> str:
        return str(self.ask("netbootBoard", board=board)["board"]["stage"])


@contextmanager
def rack(etc: Path, servers: dict[str, str], *, more: str = "", **changes: Any) -> Iterator[Rack]:
    """Run a lab with a board for each of ``servers`` (name -> what it needs), and the daemon of them."""
    ports = {"dhcp": free_port("udp"), "tftp": free_port("udp"), "hello": free_port("tcp"), "root": free_port("tcp")}
    with boards(list(servers)) as lab:
        options = OPTIONS.format(more=more, **ports)
        plugins = ", SocketListener, AutoControl"
        services = "dhcp, tftp, install"
        site(etc, lab, servers, serve="thread", services=services, options=options, plugins=plugins, **changes)
        for folder, name, data in (
            ("boot", "bootcode.bin", b"first stage"),
            ("boot", "kernel8.img", bytes(100_000)),
            ("images", "rootfs.tgz", IMAGE),
        ):
            path = etc / "netboot" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        lab.boot_from(BootServerAt(SERVER_AT, **ports))
        daemon = Daemon(etc)
        try:
            daemon.ready()
            one = Rack(lab, daemon, etc)
            until(lambda: one.ask("netbootStatus")["running"])
            yield one
        finally:
            daemon.stop()


def test_a_server_is_up_when_its_board_says_so_and_what_needs_it_starts_then(tmp_path: Path) -> None:
    with rack(tmp_path / "etc", {"pi1": "", "pi2": "pi1"}) as one:
        assert one.ockle("on", "pi2", "--yes").code == 0
        [booted] = one.entries("mounted", "pi1")
        [powered] = one.entries("relay", "sw", "2")
        assert booted.t < powered.t
        assert one.stage("pi1") in ("booted", "up") and one.stage("pi2") in ("booted", "up")

        # installed anew, once
        assert one.ockle("netboot", "reinstall", "pi2", "--yes", "--confirm", "pi1").code != 0
        assert one.ockle("netboot", "reinstall", "pi2").code != 0  # nobody to ask: nothing is agreed to
        assert one.ask("netbootBoard", board="pi2")["board"]["reinstall"] == ""
        done = one.ockle("netboot", "reinstall", "pi2", "--yes", "--confirm", "pi2")
        assert done.code == 0, done.err
        assert "pi2 is marked to be installed anew" in done.err
        assert one.lab.board("pi2").image_crc == zlib.crc32(IMAGE)
        assert len(one.entries("installed", "pi2")) == 1
        assert one.ask("netbootBoard", board="pi2")["board"]["reinstall"] == ""
        assert not one.entries("installed", "pi1")

        # restarted, it is not installed again; what needs it is restarted with it
        assert one.ockle("netboot", "restart", "pi1", "--yes").code == 0
        assert len(one.entries("boot", "pi1")) == 2 and len(one.entries("boot", "pi2")) == 3
        assert len(one.entries("installed", "pi2")) == 1
        assert one.ask("status")["servers"]["pi2"]["state"] == "OK"

        # only marked, and taken back
        assert one.ockle("netboot", "reinstall", "pi1", "--no-power", "--yes", "--confirm", "pi1").code == 0
        assert one.ask("netbootBoard", board="pi1")["board"]["reinstall"] == "wanted"
        assert "pi1 is no longer marked" in one.ockle("netboot", "keep", "pi1").out
        assert len(one.entries("boot", "pi1")) == 2

        found = one.ockle("netboot", "find-port", "pi2")
        assert found.out.splitlines()[:2] == [f"pi2 ({MACS['pi2']}): sw gi1/0/2 (pi2)", "  PoE port 1.2, feeds pi2"]


def test_the_demonstration_with_a_boot_server_is_a_sound_site(tmp_path: Path) -> None:
    with Lab(netboot_spec(0.1)) as lab:
        copy_site(SITE, tmp_path, lab)
        add_boot_server(tmp_path, lab)
    found = load_site(tmp_path)
    assert found.faults == [] and "NetBoot" in found.plugins
    network = ServerNetworkFactory(found).buildNetwork(found)  # type: ignore[arg-type] # it is asked for nothing
    assert [len(network.getServernode(name).circuits) for name in ("pi1", "pi4", "web1")] == [1, 1, 0]


def test_boards_that_do_not_come_up_fail_their_start_and_are_tried_again(tmp_path: Path) -> None:
    hangs = {"pi1": "booted", "pi2": "hello", "pi3": "tftp", "pi4": "dhcp"}
    reasons = {
        "pi1": "pi1 was told to boot since",
        "pi2": "pi2 loads boot files since",
        "pi3": "pi3 loads boot files since",
        "pi4": "pi4 asks for an address since",
    }
    with rack(tmp_path / "etc", dict.fromkeys(hangs, ""), boot_timeout="3s") as one:
        for name, where in hangs.items():
            one.lab.turn(name, netboot_hangs=where)
        number = one.ask("run", action="on", servers=[*hangs])["run"]
        for name, reason in reasons.items():
            until(lambda name=name, reason=reason: reason in str(one.ask("why", server=name)["reasons"]))  # type: ignore[misc]
        for name in hangs:
            until(lambda name=name: one.ask("status")["servers"][name]["attempts"]["start"][0])  # type: ignore[misc]
        assert one.ask("getRun", run=number)["state"] == "running"
        for name in hangs:
            one.lab.turn(name, netboot_hangs="")
        until(lambda: one.ask("getRun", run=number)["state"] == "done")
        assert all(len(one.entries("boot", name)) >= 2 for name in hangs)  # their power was away in between


def test_boards_start_as_the_boot_server_has_places(tmp_path: Path) -> None:
    names = ["pi1", "pi2", "pi3"]
    with rack(tmp_path / "etc", dict.fromkeys(names, ""), more="boot_places = 1") as one:
        assert one.ockle("on", "all", "--yes", "--confirm", "3").code == 0
        spans = sorted((one.entries("boot", name)[0].t, one.entries("mounted", name)[0].t) for name in names)
        assert all(ended < begun for (_, ended), (begun, _) in pairwise(spans))


def test_an_empty_disk_is_installed_and_what_the_server_heard_outlives_it(tmp_path: Path) -> None:
    with rack(tmp_path / "etc", {"pi1": ""}) as one:
        one.lab.turn("pi1", disk_empty=True)
        assert one.ockle("on", "pi1", "--yes").code == 0
        assert one.lab.board("pi1").image_crc == zlib.crc32(IMAGE)
        one.daemon.stop(9)
        one.daemon.__init__(one.etc)  # type: ignore[misc] # another process in its place
        one.daemon.ready()
        until(lambda: one.ask("status")["servers"]["pi1"]["state"] == "OK")
        assert len(one.entries("boot", "pi1")) == 1
        # somebody takes its power away and gives it back: what was said before does not count any more
        one.lab.turn("pi1", netboot_hangs="hello")
        one.lab.press("sw", 1, False)
        until(lambda: one.ask("status")["servers"]["pi1"]["state"] == "OFF")
        one.lab.press("sw", 1, True)
        until(lambda: "pi1 loads boot files since" in str(one.ask("why", server="pi1")))
        assert one.ask("status")["servers"]["pi1"]["state"] != "OK"
