"""The lab's machines against OpenSSH's client, curl and plain sockets; every knob of a machine."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from ockle.simulator.lab import Lab
from ockle.simulator.machine import MachineState
from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec
from ockle.simulator.ssh_login import is_shutdown
from peers import peer

SPEC = LabSpec(
    devices=(PduSpec("pdu", 4, on_at_start=frozenset({1})),),
    machines=(MachineSpec("nas", (("pdu", 1),), watts=100), MachineSpec("spare", (("pdu", 2),), services=("tcp",))),
    speed=0.1,
)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab whose ``nas`` is up."""
    with Lab(SPEC) as running:
        running.ledger.wait("up", "nas")
        yield running


def ssh_command(lab: Lab, folder: Path, *command: str, user: str = "ockle") -> list[str]:
    """A run of OpenSSH's client, which checks the host key and has no other key than the lab's."""
    key, known = folder / "key", folder / "known_hosts"
    key.write_text(lab.client_key)
    key.chmod(0o600)
    known.write_text(lab.known_hosts())
    point = lab.endpoints["nas"]
    options = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", "IdentitiesOnly=yes"]
    arguments = [part for option in options for part in ("-o", option)]
    where = ("-p", str(point.ports["ssh"]), f"{user}@{point.host}")
    return [peer("ssh"), "-F", "none", "-i", str(key), *arguments, *where, *command]


def ssh(lab: Lab, folder: Path, *command: str, user: str = "ockle") -> tuple[int, str]:
    """Exit status and output."""
    line = ssh_command(lab, folder, *command, user=user)
    done = subprocess.run(line, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def assert_ssh_hangs(lab: Lab, folder: Path, *command: str, after_login: bool) -> None:
    """The client gets no further for half a second, counted from its login if it comes that far; then it is killed."""
    with subprocess.Popen(ssh_command(lab, folder, *command), stderr=subprocess.DEVNULL) as client:
        try:
            if after_login:
                lab.ledger.wait("login", "nas")
            with pytest.raises(subprocess.TimeoutExpired):
                client.wait(0.5)
        finally:
            client.kill()


def curl(lab: Lab, path: str, *options: str, patience_s: int = 10) -> tuple[int, str]:
    point = lab.endpoints["nas"]
    url = f"http://{point.host}:{point.ports['http']}{path}"
    command = [peer("curl"), "-sS", "--noproxy", "*", "--max-time", str(patience_s), *options, url]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def talk(lab: Lab, service: str, data: bytes = b"", machine: str = "nas") -> bytes:
    """What a service says to ``data`` until it closes, or the first bytes if ``data`` is empty."""
    point = lab.endpoints[machine]
    with socket.create_connection((point.host, point.ports[service]), 5) as peer:
        if not data:
            return peer.recv(100)
        peer.sendall(data)
        said = b""
        while chunk := peer.recv(4096):
            said += chunk
        return said


def refused(lab: Lab, service: str, machine: str = "nas") -> bool:
    point = lab.endpoints[machine]
    with socket.socket() as peer:
        peer.settimeout(5)
        return peer.connect_ex((point.host, point.ports[service])) != 0


@pytest.mark.peer
def test_a_login_with_the_key_shuts_the_machine_down(lab: Lab, tmp_path: Path) -> None:
    assert ssh(lab, tmp_path, "cat /proc/sys/kernel/random/boot_id") == (0, lab.boot_id("nas") + "\n")
    assert ssh(lab, tmp_path, "rm -rf /")[0] == 127
    assert ssh(lab, tmp_path, "uptime")[0] == 0
    assert ssh(lab, tmp_path, "true", user="root")[0] == 255
    assert lab.state("nas") is MachineState.UP
    code, _ = ssh(lab, tmp_path, "sudo -n shutdown -h now")
    assert code in (0, 255)  # real machines end the session with either
    lab.ledger.wait("halted", "nas")
    kinds = [entry.kind for entry in lab.ledger.entries(device="nas")]
    assert kinds[-4:] == ["shutdown", "services-down", "unmounted", "halted"]
    assert all(refused(lab, service) for service in ("ssh", "tcp", "http"))
    assert lab.outlet("pdu", 1).closed


@pytest.mark.peer
def test_the_machine_throws_sessions_out_when_it_stops(lab: Lab, tmp_path: Path) -> None:
    lab.turn("nas", ssh_stalls="command")

    async def main() -> int:
        return (await asyncio.gather(asyncio.to_thread(ssh, lab, tmp_path, "uptime"), asyncio.to_thread(stop)))[0][0]

    def stop() -> None:
        lab.ledger.wait("login", "nas")
        lab.shut_down("nas")

    assert asyncio.run(main()) == 255
    lab.ledger.wait("halted", "nas")


def test_the_ports_stay_and_nothing_listens_while_it_is_down(lab: Lab) -> None:
    ports = dict(lab.endpoints["nas"].ports)
    assert talk(lab, "tcp").startswith(b"nas")
    lab.shut_down("nas")
    lab.ledger.wait("halted", "nas")
    assert refused(lab, "tcp")
    lab.press("pdu", 1, False)
    lab.ledger.wait("power", "nas", "off")
    lab.press("pdu", 1, True)
    lab.ledger.wait("up", "nas", count=2)
    assert lab.endpoints["nas"].ports == ports
    assert talk(lab, "tcp").startswith(b"nas")
    assert refused(lab, "tcp", "spare")
    assert "ssh" not in lab.endpoints["spare"].ports


@pytest.mark.peer
def test_events_of_a_node(lab: Lab) -> None:
    code, text = curl(lab, "/events")
    assert code == 0
    assert set(json.loads(text)) == {"time", "cpu_percent", "memory_percent", "disk_percent", "num_pids", "temp"}
    assert curl(lab, "/") == (0, "nas is up\n")
    assert curl(lab, "/other", "-f")[0] == 22
    assert curl(lab, "/", "-X", "DELETE", "-f")[0] == 22


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"\r\n\r\n", b"HTTP/1.1 400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"HTTP/1.1 400"),
        (b"GET /\r\n\r\n", b"HTTP/1.1 400"),
        (b"\xff\x00\x80 / HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"),
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b""),
    ],
)
def test_a_hostile_request_harms_nobody(lab: Lab, data: bytes, answer: bytes) -> None:
    try:
        assert talk(lab, "http", data).startswith(answer)
    except ConnectionResetError:
        assert len(data) > 8192  # closed while the client was still sending
    assert talk(lab, "http", b"GET / HTTP/1.0\r\n\r\n").endswith(b"nas is up\n")


@pytest.mark.peer
def test_services_that_are_down_and_garbage(lab: Lab) -> None:
    lab.turn("nas", service_down=True)
    assert refused(lab, "tcp")
    assert refused(lab, "http")
    assert not refused(lab, "ssh")
    lab.turn("nas", service_down=False, http_garbage=True)
    assert not refused(lab, "tcp")
    assert curl(lab, "/")[0] == 1  # unsupported protocol


@pytest.mark.peer
def test_silent_and_slow(lab: Lab) -> None:
    lab.turn("nas", silent=True)
    assert curl(lab, "/", patience_s=1)[0] == 28
    lab.turn("nas", silent=False, slow_s=100)  # ten seconds at this speed
    assert curl(lab, "/", patience_s=1)[0] == 28
    lab.turn("nas", slow_s=0.1)
    assert curl(lab, "/")[0] == 0


@pytest.mark.peer
def test_a_refused_login(lab: Lab, tmp_path: Path) -> None:
    lab.turn("nas", refused_login=True)
    code, text = ssh(lab, tmp_path, "uptime")
    assert code == 255
    assert "Permission denied" in text
    assert not lab.ledger.wait("login", "nas").detail["accepted"]


def test_a_login_with_the_password(lab: Lab) -> None:
    point = lab.endpoints["nas"]
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(f"[{point.host}]:{point.ports['ssh']}", *host_key(point.host_key))
        login: dict[str, Any] = {"port": point.ports["ssh"], "username": "ockle", "timeout": 10}
        login |= {"look_for_keys": False, "allow_agent": False}
        with pytest.raises(paramiko.AuthenticationException):
            client.connect(point.host, password="guess", **login)
        client.connect(point.host, password=SPEC.password, **login)
        _, output, _ = client.exec_command("systemctl is-system-running", timeout=10)
        assert output.read() == b"running\n"
    seen = [(entry.detail["how"], entry.detail["accepted"]) for entry in lab.ledger.entries("login", "nas")]
    assert seen == [("password", False), ("password", True)]


def host_key(line: str) -> tuple[str, paramiko.PKey]:
    kind, data = line.split()
    return kind, paramiko.Ed25519Key(data=base64.b64decode(data))


@pytest.mark.peer
@pytest.mark.parametrize("stage", ["banner", "auth", "command"])
def test_ssh_stalls(lab: Lab, tmp_path: Path, stage: str) -> None:
    lab.turn("nas", ssh_stalls=stage)
    assert_ssh_hangs(lab, tmp_path, "uptime", after_login=stage == "command")
    assert bool(lab.ledger.entries("login", "nas")) == (stage == "command")
    lab.turn("nas", ssh_stalls="")
    assert ssh(lab, tmp_path, "uptime")[0] == 0


@pytest.mark.peer
def test_a_client_that_leaves_a_slow_command_harms_nobody(lab: Lab, tmp_path: Path) -> None:
    lab.turn("nas", slow_s=12)  # 1.2 seconds at this speed
    assert_ssh_hangs(lab, tmp_path, "sudo -n shutdown -h now", after_login=True)
    lab.ledger.wait("halted", "nas")  # the command had begun, and goes on without a listener


@pytest.mark.parametrize(("stage", "serves"), [("services", True), ("disk", False)])
def test_a_shutdown_that_hangs(lab: Lab, stage: str, serves: bool) -> None:
    lab.turn("nas", shutdown_hangs=stage)
    lab.shut_down("nas")
    if not serves:
        lab.ledger.wait("services-down", "nas")
    assert refused(lab, "tcp") is not serves
    assert lab.state("nas") is MachineState.STOPPING
    assert lab.outlet("pdu", 1).power_w > 50
    lab.press("pdu", 1, False)
    lab.ledger.wait("violation", "nas", "stopping")


def test_boots_that_fail_or_never_begin(lab: Lab) -> None:
    lab.turn("spare", boot_fails=2)
    for count in (1, 2):
        lab.press("pdu", 2, True)
        lab.ledger.wait("boot-failed", "spare", count=count)
        lab.press("pdu", 2, False)
        lab.ledger.wait("power", "spare", "off", count=count)
    lab.turn("spare", boot_never=True)
    lab.press("pdu", 2, True)
    lab.ledger.wait("boot-failed", "spare", count=3)
    assert lab.state("spare") is MachineState.HALTED
    assert not lab.ledger.cuts_while_mounted()


def test_the_lab_on_the_callers_loop() -> None:
    async def main() -> str:
        async with Lab(SPEC) as lab:
            await asyncio.to_thread(lab.ledger.wait, "up", "nas")
            point = lab.endpoints["nas"]
            reader, writer = await asyncio.open_connection(point.host, point.ports["tcp"])
            said = await asyncio.wait_for(reader.readline(), 5)
            writer.close()
            await writer.wait_closed()
            assert lab.states() == {"nas": MachineState.UP, "spare": MachineState.OFF}
            return said.decode()

    assert asyncio.run(main()).startswith("nas")


@pytest.mark.parametrize(
    ("command", "ends"),
    [
        ("shutdown -h now", True),
        ("shutdown -P +0", True),
        ("shutdown now", True),
        ("poweroff", True),
        ("systemctl poweroff", True),
        ("init 0", True),
        ("shutdown", False),
        ("shutdown -h +5", False),
        ("shutdown -r now", False),
        ("shutdown -c", False),
        ("systemctl reboot", False),
        ("init 6", False),
    ],
)
def test_what_is_a_shutdown(command: str, ends: bool) -> None:
    name, *arguments = command.split()
    assert is_shutdown(name, arguments) is ends
