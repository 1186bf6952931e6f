"""piman's monitoring: its file, its lines and its words, and a site made of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from e2e import ockle
from ockle.common.errors import ConfigError
from ockle.config.monitors import monitor_of
from ockle.config.piman_monitoring import parse_monitoring
from ockle.config.site import load_site
from own_daemon import until
from peers import free_port

HOOK = "http://127.0.0.1:9/services/T0/B0/never-shown"
CONFIG = f"""[DEFAULT]
slack = {HOOK}
discord =
timeout = 300
pids_threshold = 100
mem_threshold = 70.0
disk_threshold = 50.0
cpu_threshold = 50.5
"""
YAML = """private_number: 9
server_address: 127.0.42.1
interface: lo
switches: [127.0.10.1]
"""
FINE = {"time": "now", "cpu_percent": 5, "memory_percent": 6, "disk_percent": 7, "num_pids": 8, "temp": 9}


class TestFile:
    def test_what_it_means(self) -> None:
        found = parse_monitoring(CONFIG)
        assert found.monitor()["limits"] == [
            "cpu_percent > 50.5", "memory_percent > 70", "disk_percent > 50", "num_pids > 100", "temp > 85",
        ]  # fmt: skip
        assert (found.round_s, found.webhooks, found.left_out) == (300, {"slack": HOOK}, ())

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("[DEFAULT]\ncpu_threshold = much\n", "cpu_threshold is not a number from 0"),
            ("[DEFAULT]\ntimeout = 0\n", "timeout is not a number from 1"),
            ("[DEFAULT]\ntimeout = nan\n", "timeout is not a number from 1"),
            ("[DEFAULT]\nslack = general\n", "slack is not the URL of a webhook"),
            ("timeout = 3\n", "monitoring.config: line 1: stands before the first [section]"),
            ("[DEFAULT]\n= //hooks.example.org/secret\n", "monitoring.config: line 2: neither a [section] nor"),
        ],
    )
    def test_what_is_wrong_is_said_in_a_line(self, text: str, says: str) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_monitoring(text)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)

    @given(st.text(max_size=200))
    def test_anything_is_read_or_refused(self, text: str) -> None:
        with suppress(ConfigError):
            parse_monitoring(text)


class Pis(ThreadingHTTPServer):
    """Answers for every Pi on one port: ``said`` is what; and for the webhook: ``posted`` is what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pi)
        self.said: dict[str, Any] = dict(FINE)
        self.posted: list[str] = []


class _Pi(BaseHTTPRequestHandler):
    server: Pis

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/event/" else 404, str(self.server.said).replace("'", '"'))

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(200, "ok")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def pis() -> Iterator[Pis]:
    with Pis() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


RUN = """
import sys
from ockle.cli.main import main
from ockle.config import piman_monitoring
piman_monitoring.URL = piman_monitoring.URL.replace("3000", sys.argv[1])
raise SystemExit(main(["piman", "monitoring"]))
"""


@contextmanager
def monitoring(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run it in ``folder``; the lines that it has said grow."""
    command = [sys.executable, "-c", RUN, str(port)]
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path)), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        lines.extend(iter(process.stdout.readline, ""))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join(20)
        assert process.stdout is not None
        process.stdout.close()


def test_it_says_what_piman_said_and_alerts_once(tmp_path: Path) -> None:
    unused = free_port()
    with pis() as server:
        port = server.server_port
        (tmp_path / "hosts.csv").write_text("B8:27:EB:00:00:01;127.0.0.1;pi1;0\nB8:27:EB:00:00:02;0.0.0.0;pi2;0\n")
        (tmp_path / "monitoring.config").write_text(
            f"[DEFAULT]\nslack = http://127.0.0.1:{port}/hook\ndiscord = http://127.0.0.1:{unused}/hook\ntimeout = 1\n"
        )
        with monitoring(tmp_path, port) as (process, lines):

            def said(text: str) -> bool:
                return any(text in line for line in lines)

            until(lambda: said(" # of PIDs: 8"))
            assert "---- From 127.0.0.1 ----" in lines[0]
            assert lines[1:4] == [" Time: now\n", " CPU load: 5\n", " RAM usage: 6\n"]
            server.said["cpu_percent"] = 99
            until(lambda: sum("CPU beyond threshold on pi@127.0.0.1" in line for line in lines) >= 2)
            until(lambda: said("Unable to send alert - discord: "))
            assert len(server.posted) == 1
            assert "CPU beyond threshold on pi@127.0.0.1" in server.posted[0]
            figures, server.said = server.said, {"num_pids": "many"}
            until(lambda: said("Exception when trying to reach pi@127.0.0.1"))
            server.said = figures
            until(lambda: said("No more: Exception when trying to reach pi@127.0.0.1"))
            assert not said("No more: CPU")  # nobody has said that
            server.said["cpu_percent"] = 1
            until(lambda: said("No more: CPU beyond threshold on pi@127.0.0.1"))
            until(lambda: len(server.posted) == 4)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert not said("/hook")


def test_without_its_files_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ockle("piman", "monitoring").err == "ockle: monitoring.config: No such file or directory\n"
    (tmp_path / "mine").write_text(CONFIG)
    assert ockle("piman", "monitoring", "mine").err.startswith(
        "ockle: hosts.csv is missing: write a line MAC;IP;name;0"
    )
    (tmp_path / "hosts.csv").write_text("b8:27:eb:01:02:03;;pi3;0\n")
    assert ockle("piman", "monitoring", "mine").err == "ockle: hosts.csv: no host in it has an address\n"


def test_a_site_made_of_pimans_files_asks_its_pis(tmp_path: Path) -> None:
    for name, text in {
        "piman.yaml": YAML,
        "hosts.csv": "B8:27:EB:00:00:01;127.0.9.1;pi1;0\n",
        "monitoring.config": CONFIG,
    }.items():
        (tmp_path / name).write_text(text)
    etc = tmp_path / "etc"
    files = [str(tmp_path / name) for name in ("piman.yaml", "hosts.csv")]
    result = ockle("--etc", str(etc), "piman", "config", "rack", *files)
    assert result.code == 0, result.err
    assert "never-shown" not in result.out + result.err
    site = load_site(etc)
    assert site.faults == []
    assert {"NetBoot", "Monitoring", "Alerts"} <= set(site.plugins)
    monitor = monitor_of(site.monitors["piman"])
    assert (monitor.boards, monitor.interval, monitor.missing_after) == (True, 300, 300)
    assert monitor.url_of("127.0.9.1") == "http://127.0.9.1:3000/event/"
    assert [limit.bound for limit in monitor.limits] == [50.5, 70, 50, 100, 85]
    assert site.channels["slack"].settings["url"].reveal() == HOOK
    assert "discord" not in site.channels
