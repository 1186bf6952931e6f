"""``ockle demo`` as a stranger types it: a process, its output, its exit code, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TYPINGS = Path(__file__).resolve().parents[2] / "typings"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(TYPINGS), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ockle", "demo", "--speed", "0.2", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder for the demo's temporary ones; short, as it may hold a socket."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_all_comes_up_and_goes_down_without_a_cut_disk(folder: Path) -> None:
    with _start(folder, "--exit-when-down") as demo:
        output, _nothing = demo.communicate(timeout=150)
    lines = output.splitlines()
    assert demo.returncode == 0, output
    assert "SERVER" in output
    assert any(re.fullmatch(r"the lab's ledger: \d+ cuts, 0 of them with the disk mounted", line) for line in lines)
    assert re.fullmatch(r"13 servers on in [\d.]+ s; critical path .*core-switch > .*; ratio 1\.\d\d", lines[-1])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_takes_everything_down(folder: Path, number: signal.Signals) -> None:
    with _start(folder) as demo:
        assert demo.stdout
        seen = []
        for line in demo.stdout:
            seen.append(line)
            if line.startswith("Ctrl-C takes"):
                demo.send_signal(number)
        assert demo.wait(60) == 0, "".join(seen)
    assert "taking everything down" in "".join(seen)
    assert "Traceback" not in "".join(seen)
    assert list(folder.iterdir()) == []
