"""The benchmarks run and print what ``docs/performance.md`` explains; how fast is not for a test to say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from peers import missing, peer

ROOT = Path(__file__).parents[2]


NAMES = {
    "powerup": ["machine", "bare", "turns", "growth", "durable", "memory", "looks", "boots"],
    "snmp": ["machine", "pysnmp", "gufo", "resident"],
    "alerts": ["machine", "fine", "dark", "causes", "keep"],
    "samples": ["machine", "written", "peer", "kept", "cpu", "plot", "plots"],
}


@pytest.mark.parametrize("script", ["powerup", "samples", "alerts", pytest.param("snmp", marks=pytest.mark.peer)])
def test_a_quick_run_prints_every_figure(script: str) -> None:
    if script == "snmp":
        peer("snmpget")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    result = subprocess.run(
        [sys.executable, str(ROOT / f"benchmarks/{script}.py"), "--quick"],
        capture_output=True, text=True, timeout=50, check=False, env=environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert list(dict.fromkeys(names)) == NAMES[script]
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in names if name != "machine")


@pytest.mark.parametrize(
    ("script", "figures"),
    [
        ("engine", ["machine", "read", "test", "order", "why", "bytes"]),
        ("wear", ["machine", "idle", "cycle"]),
        ("web", ["machine", "layout", "bytes", "polls", "late", "page", "login", "cpu", "gap", "scrape"]),
    ],
)
def test_the_other_quick_benchmarks_print_every_figure(script: str, figures: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / f"benchmarks/{script}.py"), "--quick"],
        capture_output=True, text=True, timeout=50, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "typings")},
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert list(dict.fromkeys(line.split()[0] for line in result.stdout.splitlines())) == figures
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in figures if name != "machine")


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_quick_run_of_netboot_serves_every_byte_and_prints_every_figure() -> None:
    for program in ("gcc", "dnsmasq", "in.tftpd", "nginx", "unshare", "nsenter", "ip"):
        peer(program)
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/netboot.py"), "--quick"],
        capture_output=True, text=True, timeout=140, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "typings")},
    )  # fmt: skip
    if result.stdout.startswith("left out"):
        missing(result.stdout.strip())
    assert (result.returncode, result.stderr) == (0, "")
    figures = dict.fromkeys(line.split()[0] for line in result.stdout.splitlines())
    assert set(figures) == {
        "machine", "tftp", "small", "memory", "dhcp", "root", "storm", "unknown", "status", "targets",
    }  # fmt: skip
    assert "10 of 10 boards booted" in result.stdout
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in figures if name not in ("machine", "targets"))
