"""``ockle demo`` as a stranger types it: a process, its output, its exit code, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.webserver.ockle_client.connection import Connection
from peers import free_port

TYPINGS = Path(__file__).resolve().parents[2] / "typings"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def _start(folder: Path, *options: str, port: int | None = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(TYPINGS), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ockle", "demo", "--speed", "0.2", "--port", str(port or free_port()), *options],
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


def test_it_outlives_a_restart_of_its_daemon(folder: Path) -> None:
    port = free_port()
    with _start(folder, port=port) as demo:
        assert demo.stdout
        seen = []
        for line in demo.stdout:
            seen.append(line)
            if line.startswith("Ctrl-C takes"):
                with Connection(port=port) as connection:
                    assert connection.call("testChannel", {"channel": "demo"})["ok"]
            elif "alert, info: Ockle: a test" in line:  # what the lab's receiver got comes out here
                with Connection(port=port) as connection:
                    connection.call("restartOckle")
            elif line.startswith("the daemon is back"):
                demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0, "".join(seen)
    assert "the daemon is back\n" in seen
    assert list(folder.iterdir()) == []


def test_nothing_is_ordered_from_a_daemon_that_has_the_port(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with _start(folder, "--exit-when-up", port=other.getsockname()[1]) as demo:
            output, _nothing = demo.communicate(timeout=60)
        other.settimeout(0.1)
        with pytest.raises(TimeoutError):
            other.accept()
    assert demo.returncode == 1
    assert re.fullmatch(r"ockle: port \d+ of 127\.0\.0\.1 is taken; .*\n", output)


def test_without_the_library_of_the_lab_it_says_what_to_install(folder: Path) -> None:
    (folder / "asyncssh.py").write_text("raise ModuleNotFoundError('No module named asyncssh', name='asyncssh')\n")
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from ockle.cli.main import main; sys.exit(main(['demo']))"
    environment = {**os.environ, "PYTHONPATH": str(TYPINGS)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ockle: the lab needs asyncssh: pip install 'ockle[demo]'\n"
