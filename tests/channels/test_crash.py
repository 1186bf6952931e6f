"""SIGKILL in the middle, a port that is closed and then open: nothing is lost, and all of it comes in order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ockle.simulator.receiver import Receiver
from own_daemon import until
from peers import free_port

TESTS = Path(__file__).resolve().parents[1]


@contextmanager
def outbox(file: Path, url: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Run the process; at the end it is killed, if it is not already."""
    path = os.pathsep.join((str(TESTS.parent / "typings"), str(TESTS)))
    command = [sys.executable, str(TESTS / "outbox_process.py"), str(file), url, str(count)]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_killed_daemon_loses_nothing(tmp_path: Path) -> None:
    file, port = tmp_path / "alerts.db", free_port()
    url, said = f"http://127.0.0.1:{port}/alerts", list[int]()
    with outbox(file, url, 400) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(int(line))
            if len(said) == 40:
                process.kill()  # while it puts more
    with Receiver(port) as receiver:
        with outbox(file, url, 0):
            until(lambda: len(receiver.got) >= said[-1])
            numbers = [one["alert"] for one in receiver.got]
        assert numbers == list(range(1, len(numbers) + 1))  # each once, in order
    assert numbers[-1] >= said[-1]


def test_killed_after_the_receiver_had_it_and_before_it_was_noted(tmp_path: Path) -> None:
    file = tmp_path / "alerts.db"
    with Receiver() as receiver:
        receiver.silent = True  # it takes the request, and its answer never comes
        with outbox(file, receiver.url, 1):
            until(lambda: receiver.got)
        receiver.silent = False
        with outbox(file, receiver.url, 0):
            until(lambda: len(receiver.got) > 1)
        assert [one["id"] for one in receiver.got] == ["1-problem", "1-problem"]
