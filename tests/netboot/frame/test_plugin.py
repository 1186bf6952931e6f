"""The plugin NetBoot in a daemon: whoever serves, boards and troubles are told the same way."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from netboot_site import PI
from ockle.common.access import Caller
from ockle.common.boot_reports import REPORTS
from ockle.common.clock import SystemClock
from ockle.common.errors import DeviceRefused, DeviceUnreachable
from ockle.MainDaemon import MainDaemon
from ockle.netboot.boards import Boards
from ockle.netboot.folder import BootFolder
from ockle.netboot.stages import Stage
from ockle.plugins.NetBoot import NetBoot
from own_daemon import ask, running, until, written

CONFIG = """[plugins]
plugins = CoreCommunicationCommands, NetBoot
[plugins.NetBoot]
serve = {serve}
services = {services}
interface = {interface}
address = 127.0.7.1
"""


def site(tmp_path: Path, serve: str, services: str = '""', interface: str = "lo") -> Path:
    files = {
        "config.ini": CONFIG.format(serve=serve, services=services, interface=interface),
        "hosts.csv": f"{PI};127.0.7.3;pi3;0\n",
        "boot/rack.ini": "[boot]\nboards = pi3\nimage = one.tgz\n",
    }
    return written(tmp_path / "etc", files)


def plugin(daemon: MainDaemon) -> NetBoot:
    found = daemon.plugins["NetBoot"]
    assert isinstance(found, NetBoot)
    return found


@pytest.mark.parametrize("serve", ["thread", "process"])
def test_it_serves_and_ends_with_the_daemon(tmp_path: Path, serve: str) -> None:
    etc = site(tmp_path, serve)
    folder = BootFolder(tmp_path / "var")
    with running(etc) as daemon:
        until(lambda: folder.read_live()["serving"])
        assert folder.read_live()["by"] == serve
        assert (folder.read_live()["pid"] == os.getpid()) is (serve == "thread")
        assert daemon.plugin_states()["NetBoot"] == ""
    assert not folder.served


@pytest.mark.parametrize("serve", ["thread", "process", "no"])
def test_what_a_board_does_is_an_event_whoever_serves(tmp_path: Path, serve: str) -> None:
    etc = site(tmp_path, serve)
    with running(etc) as daemon:
        boards = Boards(plugin(daemon).folder.boards, SystemClock())
        boards.note(PI, Stage.LOADING)
        boards.log(PI, "asks for config.txt")
        boards.note(PI, Stage.BOOTED)
        texts = until(lambda: _texts(daemon) if len(_texts(daemon)) == 2 else [])
        assert texts == ["pi3: loads boot files", "pi3: has booted"]
        families = ask(daemon, "getMetrics", Caller(role="viewer"))["families"]
        counts = next(one["samples"] for one in families if one["name"] == "ockle_netboot_boards")
        assert [labels["stage"] for _, labels, count in counts if count] == ["booted"]
        report = REPORTS.ask("pi3")
        assert (report.mac, report.stage, report.ok, report.up) == (PI, "has booted", True, False)
        with pytest.raises(DeviceRefused, match=r"hosts\.csv knows no board pi9"):
            REPORTS.ask("pi9")
        boards.close()
    with pytest.raises(DeviceUnreachable, match="there is no boot server"):
        REPORTS.ask("pi3")


def _texts(daemon: MainDaemon) -> list[str]:
    return [event.text for event in daemon.events.since(0) if event.kind == "netboot"]


@pytest.mark.parametrize("serve", ["thread", "process"])
def test_a_boot_server_that_cannot_serve_is_told_once_and_tried_again(
    tmp_path: Path, serve: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["ockle.plugins.NetBoot"], "RETRY_S", 0.2)
    etc = site(tmp_path, serve, interface="eth99")
    with running(etc) as daemon:
        found = plugin(daemon)
        until(lambda: "there is no eth99 here" in found.failure)
        (etc / "config.ini").write_text(CONFIG.format(serve=serve, services='""', interface="lo"))
        daemon.reload()
        until(lambda: found.folder.served and not found.failure)
        told = [event for event in daemon.events.since(0) if event.kind == "plugin" and "eth99" in event.text]
        assert len(told) == 1
    assert "eth99" not in capfd.readouterr().err, "a child says it every time"


def test_a_child_that_dies_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["ockle.plugins.NetBoot"], "RETRY_S", 0.2)
    with running(site(tmp_path, "process")) as daemon:
        folder = plugin(daemon).folder
        first = until(lambda: int(folder.read_live().get("pid", 0)))
        os.kill(first, signal.SIGKILL)
        until(lambda: folder.served and folder.read_live().get("pid") not in (None, first))


@pytest.mark.parametrize("serve", ["thread", "process"])
def test_a_reload_changes_profiles_without_a_break_and_options_with_one(tmp_path: Path, serve: str) -> None:
    etc = site(tmp_path, serve)
    with running(etc) as daemon:
        found = plugin(daemon)
        until(lambda: found.folder.served and found.folder.read_live()["wire"])
        pid = found.folder.read_live()["pid"]
        (etc / "boot" / "rack.ini").write_text("[boot]\nboards = pi3\nimage = two.tgz\n")
        daemon.reload()
        assert found.folder.served
        text = (etc / "config.ini").read_text().replace("127.0.7.1", "127.0.7.2")
        (etc / "config.ini").write_text(text)
        daemon.reload()
        until(lambda: found.folder.served and found.folder.read_live()["wire"].get("address") == "127.0.7.2")
        assert (found.folder.read_live()["pid"] == pid) is (serve == "thread")
