"""The boot server around its services: who may serve, on which wire, and what others see of it."""

from __future__ import annotations

import logging
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from netboot_site import PI, options, serving
from ockle.common.clock import SystemClock
from ockle.common.errors import OckleError
from ockle.config.model import PlainConfig
from ockle.config.site import load_site
from ockle.config.templates import load_template
from ockle.netboot.boot_server import BootConfig, BootServer
from ockle.netboot.folder import BootFolder
from ockle.netboot.hosts import Host
from ockle.netboot.profiles import Profiles
from ockle.netboot.reporter import AT_ONCE, Reporter
from ockle.netboot.wire import find_wire


def test_others_see_that_it_serves_and_that_it_does_not(tmp_path: Path) -> None:
    folder = BootFolder(tmp_path / "state")
    assert folder.read_live() == {"problem": "", "wire": {}, "services": {}, "serving": False}
    with serving(tmp_path) as at_work:
        assert at_work.folder.served
    assert not folder.served
    assert folder.read_live()["problem"] == "the boot server was stopped"


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path), pytest.raises(OckleError, match="at work already"), serving(tmp_path):
        pass


def test_why_it_cannot_serve_is_there_to_read(tmp_path: Path) -> None:
    with pytest.raises(OckleError, match="there is no nonsense"), serving(tmp_path, interface="nonsense"):
        pass
    assert "there is no nonsense" in BootFolder(tmp_path / "state").read_live()["problem"]


def test_a_service_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(OckleError, match="services: there is no gopher"), serving(tmp_path, "gopher"):
        pass


def test_no_address_is_given_out_before_the_rest_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen with a PC: a port that was taken had it get an address every five seconds, and nothing to boot."""
    calls: list[str] = []

    class Fake:
        def __init__(self, name: str) -> None:
            self.name = name

        async def open(self) -> None:
            calls.append(f"open {self.name}")
            if self.name == "ntp":
                raise OckleError("port 123 is taken")

        async def close(self) -> None:
            calls.append(f"close {self.name}")

    monkeypatch.setattr("ockle.netboot.boot_server.make_service", lambda name, _context: Fake(name))
    with pytest.raises(OckleError, match="port 123"), serving(tmp_path, "dhcp", "tftp", "ntp"):
        pass
    assert calls == ["open tftp", "open ntp", "close ntp", "close tftp"]


def test_a_stop_before_the_start_is_one(tmp_path: Path) -> None:
    server = BootServer(BootConfig(tmp_path, tmp_path, options(services=[])))
    server.stop()
    server.run()


@pytest.mark.parametrize(
    ("interface", "address", "problem"),
    [
        ("", "", "interface is not set: write the one"),
        ("eth99", "", "there is no eth99 here; there are"),
        ("lo", "192.0.2.1", "lo does not have the address 192.0.2.1"),
        ("", "192.0.2.1", "no interface of this machine has the address 192.0.2.1"),
    ],
)
def test_a_wire_that_is_not_there(interface: str, address: str, problem: str) -> None:
    with pytest.raises(OckleError, match=problem):
        find_wire(interface, address)


def test_a_wire_by_its_interface_or_by_its_address() -> None:
    assert find_wire("lo", "").address == IPv4Address("127.0.0.1")
    wire = find_wire("", "127.0.7.9")
    assert (wire.interface, str(wire.address), str(wire.network), wire.loopback) == (
        "lo",
        "127.0.7.9",
        "127.0.0.0/8",
        True,
    )


def test_lines_about_strangers_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    report = Reporter(logging.getLogger("ockle.netboot"), SystemClock())
    with caplog.at_level(logging.INFO):
        for number in range(2000):
            report.warn(f"mac {number % 500}", f"packet {number} makes no sense")
    assert len(caplog.messages) <= AT_ONCE + 2
    assert report.suppressed >= 2000 - AT_ONCE - 2


def profile(name: str, **settings: object) -> PlainConfig:
    return PlainConfig(name, {**load_template("boot.ini").defaults("boot"), **settings}, f"boot/{name}.ini")


def test_a_board_gets_the_profile_that_names_it() -> None:
    profiles = Profiles(
        [
            profile("rack", boards=["pi[1-3]", "DC:A6:32:01:02:04"], image="rack.tgz", maps=["config.txt=rack.txt"]),
            profile("rest", boards=["*"], root="rest"),
        ]
    )
    assert profiles.of(Host(PI, None, "Pi2")).image == "rack.tgz"
    assert profiles.of(Host("DC:A6:32:01:02:04")).maps == {"config.txt": "rack.txt"}
    assert profiles.of(Host(PI, None, "pi4")).root == "rest"
    assert profiles.of(None).root == "rest"
    assert Profiles().of(None).image == "rootfs.tgz"


def test_profiles_that_contradict_are_named(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "config.ini").write_text("[plugins]\nplugins =\n")
    (tmp_path / "boot" / "a.ini").write_text("[boot]\nboards = pi[1-3]\n")
    (tmp_path / "boot" / "b.ini").write_text("[boot]\nboards = pi3, x[\nroot = ../a\nmaps = nonsense\n")
    faults = [str(fault) for fault in load_site(tmp_path).faults]
    assert len(faults) == 4
    assert "pi3 belongs to the profile a already" in faults[0]
    assert "leads out of its folder" in faults[2]
