"""SSHController against OpenSSH's sshd, and against peers that stall."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import peers_sshd
from ockle.common.errors import DeviceError, DeviceRefused, DeviceUnreachable
from ockle.controllers.ssh_controller import SSHController
from peers import free_port, peer

pytestmark = pytest.mark.peer


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[peers_sshd.Sshd]:
    with peers_sshd.running(tmp_path) as server:
        yield server


def control(server: peers_sshd.Sshd, host_key: str = "", **settings: object) -> SSHController:
    return SSHController("fs1", server.settings(**settings), {"host": server.host, "host_key": host_key})


def ask(driver: SSHController) -> None:
    driver.run_sync(driver.shut_down())


def state(driver: SSHController) -> bool:
    return bool(driver.run_sync(driver.get_state()))


def wait_for_state(driver: SSHController, wanted: bool, timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            if state(driver) is wanted:
                return
        except DeviceError:
            pass
        assert time.monotonic() < deadline, driver.last_error
        time.sleep(0.05)


@pytest.mark.parametrize("command", ["halt-soon", "halt-now"])
def test_a_machine_that_hangs_up_and_is_gone_is_down(sshd: peers_sshd.Sshd, command: str) -> None:
    driver = control(sshd, shutdown_command=command)
    assert state(driver) is True
    ask(driver)
    sshd.wait_ended()
    wait_for_state(driver, False)
    assert state(driver) is False  # and it stays so
    driver.close()


def test_a_machine_that_is_up_again_is_up_and_its_old_evidence_is_gone(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd)
    ask(driver)
    sshd.wait_ended()
    wait_for_state(driver, False)
    sshd.start()
    assert state(driver) is True
    sshd.stop()
    with pytest.raises(DeviceUnreachable):
        state(driver)
    driver.close()


def test_switched_power_takes_the_evidence_back(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd)
    ask(driver)
    sshd.wait_ended()
    wait_for_state(driver, False)
    driver.forget()
    with pytest.raises(DeviceUnreachable):
        state(driver)


def test_a_machine_that_vanishes_unasked_is_unknown(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd)
    assert state(driver) is True
    sshd.stop()
    with pytest.raises(DeviceUnreachable, match="refused"):
        state(driver)


def test_a_machine_that_only_ends_the_session_is_up(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd, shutdown_command="hang-up")
    ask(driver)
    assert state(driver) is True
    driver.close()


def test_a_machine_that_stays_has_not_gone_down(sshd: peers_sshd.Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.controllers.ssh_controller.STAYS_S", 0.0)
    driver = control(sshd, shutdown_command="hang-up")
    ask(driver)
    deadline = time.monotonic() + 10
    while driver._watched is not None:  # until the end of the session was noticed and then outlived
        assert state(driver) is True
        assert time.monotonic() < deadline
    sshd.stop()
    with pytest.raises(DeviceUnreachable):
        state(driver)


@pytest.mark.parametrize("status", [0, 1, 141, 255])
def test_the_exit_status_is_no_evidence(sshd: peers_sshd.Sshd, status: int) -> None:
    driver = control(sshd, shutdown_command=f"exit {status}")
    ask(driver)
    assert state(driver) is True
    driver.close()


@pytest.mark.parametrize(
    ("command", "text"), [("sudo -n shutdown", "a password is required"), ("poweroof", "command not found")]
)
def test_a_shutdown_that_is_not_allowed_is_refused(sshd: peers_sshd.Sshd, command: str, text: str) -> None:
    driver = control(sshd, shutdown_command=command)
    with pytest.raises(DeviceRefused, match=text):
        ask(driver)
    assert state(driver) is True


def test_a_command_that_hangs_ends_at_the_deadline(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd, shutdown_command="hang", timeout="1s")
    begun = time.monotonic()
    with pytest.raises(DeviceUnreachable):
        ask(driver)
    assert time.monotonic() - begun < 20  # the command takes a minute
    sshd.stop()
    wait_for_state(driver, False)  # it was sent, then the machine hung up and was gone: that is evidence
    driver.close()


def test_the_boot_id_is_read(sshd: peers_sshd.Sshd) -> None:
    driver = control(sshd, shutdown_command="exit 0")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    ask(driver)
    assert driver.boot_id == boot  # named in the session that shuts it down
    assert driver.run_sync(driver.get_boot_id()) == boot
    driver.close()


@pytest.mark.parametrize("command", ["", "echo two words", "exit 3", "sleep 60"])
def test_a_machine_that_does_not_name_its_boot_is_shut_down_all_the_same(sshd: peers_sshd.Sshd, command: str) -> None:
    driver = control(sshd, boot_id_command=command, shutdown_command="exit 0")
    ask(driver)
    assert driver.boot_id == ""
    driver.close()


def test_an_unknown_host_key_is_refused_before_anything_is_sent(sshd: peers_sshd.Sshd, tmp_path: Path) -> None:
    driver = control(sshd, known_hosts=str(tmp_path / "nobody"))
    with pytest.raises(DeviceRefused, match="unknown host key"):
        ask(driver)
    assert not (tmp_path / "commands").exists()
    assert not (tmp_path / "nobody").exists()


def test_a_new_host_key_is_stored_once_and_then_must_stay(sshd: peers_sshd.Sshd, tmp_path: Path) -> None:
    store = tmp_path / "folder" / "new"
    driver = control(sshd, known_hosts=str(store), host_key_policy="accept-new", shutdown_command="exit 0")
    ask(driver)
    ask(driver)
    assert store.read_text("utf-8") == sshd.known_hosts
    driver.close()
    change_host_key(sshd)
    with pytest.raises(DeviceRefused, match="has changed"):
        ask(driver)
    assert store.read_text("utf-8").count("\n") == 1


def change_host_key(sshd: peers_sshd.Sshd) -> None:
    sshd.stop()
    for name in ("host_key", "host_key.pub"):
        (sshd.folder / name).unlink()
    command = [peer("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(sshd.folder / "host_key")]
    subprocess.run(command, check=True)
    sshd.start()


def test_hashed_names_in_known_hosts_count(sshd: peers_sshd.Sshd, tmp_path: Path) -> None:
    hashed = tmp_path / "hashed"
    hashed.write_text(sshd.known_hosts, "utf-8")
    subprocess.run([peer("ssh-keygen"), "-q", "-H", "-f", str(hashed)], check=True, capture_output=True)
    line = hashed.read_text("utf-8")
    assert str(sshd.port) not in line
    hashed.write_text(f"@cert-authority * ssh-ed25519 nonsense\n# a comment\nbroken\nx ssh-dss AAAA\n{line}", "utf-8")
    driver = control(sshd, known_hosts=str(hashed), shutdown_command="exit 0")
    ask(driver)
    driver.close()


def test_a_revoked_key_is_refused(sshd: peers_sshd.Sshd, tmp_path: Path) -> None:
    kind, key = sshd.known_hosts.split()[1:3]
    store = tmp_path / "revoked"
    store.write_text(f"@revoked * {kind} {key}\n{sshd.known_hosts}", "utf-8")
    for policy in ("strict", "accept-new"):
        driver = control(sshd, known_hosts=str(store), host_key_policy=policy)
        with pytest.raises(DeviceRefused, match="host key"):
            ask(driver)


def test_a_pinned_key_needs_no_file(sshd: peers_sshd.Sshd, tmp_path: Path) -> None:
    pin = sshd.known_hosts.split(maxsplit=1)[1]
    driver = control(sshd, host_key=pin, known_hosts=str(tmp_path / "nobody"), shutdown_command="exit 0")
    ask(driver)
    driver.close()
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJb5Vb6Lv2gKj5m8cZ0f0Ywq0sS1b3m3yq0bq0bq0bq0"
    for wrong in (other, "not a key"):
        driver = control(sshd, host_key=wrong, shutdown_command="exit 0")
        with pytest.raises(DeviceRefused):
            ask(driver)


@pytest.mark.parametrize(
    "change",
    [{"user": "nobody-here"}, {"key_file": "/nonexistent"}, {"key_file": "", "password": "wrong"}, {"key_file": ""}],
)
def test_who_may_not_log_in_is_refused(sshd: peers_sshd.Sshd, change: dict[str, Any]) -> None:
    driver = control(sshd, **change)
    with pytest.raises(DeviceRefused):
        ask(driver)


class Staller:
    """Takes connections, says ``greeting``, and then nothing."""

    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting
        self._held: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connection)
            connection.sendall(self._greeting)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._held:
            connection.close()


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-stall\r\n", b"hello\r\n", b"x" * 20_000])
def test_a_server_that_stalls_costs_no_more_than_the_timeout(greeting: bytes, tmp_path: Path) -> None:
    staller = Staller(greeting)
    try:
        settings = {"user": "x", "timeout": "700ms", "known_hosts": str(tmp_path / "none"), "password": "x"}
        driver = SSHController("stall", settings, {"host": "127.0.0.1", "port": staller.port})
        begun = time.monotonic()
        with pytest.raises(DeviceError):
            ask(driver)
        if greeting.startswith(b"SSH-"):
            assert state(driver) is True
        else:
            with pytest.raises(DeviceError):
                state(driver)
        assert time.monotonic() - begun < 20  # it never ends by itself
    finally:
        staller.close()


def test_a_port_where_nobody_listens_is_unknown() -> None:
    driver = SSHController("gone", {"user": "x"}, {"host": "127.0.0.1", "port": free_port()})
    with pytest.raises(DeviceUnreachable, match="refused"):
        state(driver)
    with pytest.raises(DeviceUnreachable, match="refused"):
        ask(driver)
