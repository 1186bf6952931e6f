"""The house itself: the unit's exposure, the guard, the floors' config, free ports."""

from __future__ import annotations

import re
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest

import loopback
import ockle
from peers import free_port, missing, peer

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "packaging/systemd").glob("*.service"), key=lambda path: path.name)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.peer
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened(unit: Path) -> None:
    analyze = peer("systemd-analyze")
    result = subprocess.run(
        [analyze, "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    found = re.search(rf"Overall exposure level for {re.escape(unit.name)}: ([\d.]+)", result.stdout)
    assert found, result.stderr
    # the boot server needs two capabilities, the agent is root: nobody else may shut down everywhere
    assert float(found[1]) <= (2.0 if unit.stem in {"ockle-netboot", "ockle-agent"} else 1.5)


def test_the_version_is_told_once() -> None:
    assert PROJECT["project"]["version"] == ockle.__version__
    assert f"## {ockle.__version__}" in (ROOT / "CHANGES.md").read_text()


def test_constraints_are_plain_and_name_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    assert lines == sorted(lines, key=str.lower)
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    names = {re.split(r"[\[><=~! ]", name)[0].lower().replace("_", "-") for name in wanted} - {"ockle"}
    assert names <= pins


def test_links_between_documents_hold() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert not broken


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.20.5", True), ("::1", True), ("localhost", True), ("0.0.0.0", True), (None, True), (b"127.0.0.1", True),
        ("no-such-host.invalid", True), ("192.0.2.1", False), ("10.0.0.1", False), ("example.org", False),
        ("2001:db8::1", False), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_what_counts_as_local(host: object, local: bool) -> None:
    assert loopback.is_local(host) is local


def test_nothing_leaves_the_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        with pytest.raises(PermissionError, match="loopback only"):
            channel.sendto(b"x", ("192.0.2.1", 9))
        with pytest.raises(PermissionError, match="loopback only"):
            channel.connect(("192.0.2.1", 9))
    with pytest.raises(PermissionError, match="loopback only"):
        socket.getaddrinfo("example.org", 80)
    assert len(loopback.strayed) == 3
    loopback.strayed.clear()  # seen, and meant


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_free_port_can_be_bound(kind: str) -> None:
    port = free_port("tcp" if kind == "tcp" else "udp", "127.0.20.5")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.20.5", port))


def test_a_missing_peer_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCKLE_REQUIRE_PEERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        peer("no-such-program")
    monkeypatch.setenv("OCKLE_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match="too old"):
        missing("too old")
