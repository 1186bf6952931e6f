"""docs/start.md: every command is run against a lab and a daemon; what comes has the shape of what the page shows."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import doc_pages

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "start.md"
QUESTION = re.compile(r"(?:\[y/N\]|to go on:) (\S+)$")
"""What a question ends with on the page, and the answer after it."""
TIMEOUT_S = 90.0
SPEED = "0.2"


def _environment(**more: str) -> dict[str, str]:
    """Return an environment with no trace of the tester's own Ockle, terminal or language."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "typings"), "PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb", **more}


@contextmanager
def _demo() -> Iterator[tuple[list[str], str]]:
    """Run the demo; yield what it says once all is on, and where its daemon listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ockle", "demo", "--speed", SPEED, "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        watchdog = threading.Timer(TIMEOUT_S * 2, process.kill)
        watchdog.start()
        try:
            lines: list[str] = []
            assert process.stdout
            for line in process.stdout:
                lines.append(line.rstrip())
                if line.startswith("Ctrl-C"):
                    break
            assert lines, "the demo said nothing"
            yield lines, f"127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(TIMEOUT_S)
            watchdog.cancel()


def _say(words: Sequence[str], environment: dict[str, str]) -> list[str]:
    """Run a command without a terminal, as a script would."""
    command = [sys.executable, "-m", "ockle", *words]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    return done.stdout.splitlines()


def _say_on_a_terminal(words: Sequence[str], environment: dict[str, str], question: str, answer: str) -> list[str]:
    """Run a command on a terminal and answer its question."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ockle", *words]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said, answered, deadline = b"", False, time.monotonic() + TIMEOUT_S
        try:
            while select.select([ours], [], [], max(deadline - time.monotonic(), 0))[0]:
                try:
                    piece = os.read(ours, 4096)
                except OSError:  # Linux reports the end of a terminal as an error
                    break
                if not piece:
                    break
                said += piece
                if not answered and said.endswith(question.encode()):
                    os.write(ours, f"{answer}\n".encode())
                    answered = True
            assert process.wait(max(deadline - time.monotonic(), 0.1)) == 0
        finally:
            process.kill()
            os.close(ours)
    return said.decode().replace("\r", "").splitlines()


def test_the_page() -> None:
    first, *rest = doc_pages.sessions(PAGE.read_text("utf-8"))
    assert first.command == "ockle demo"
    with _demo() as (said, address):
        assert doc_pages.shape(said) == doc_pages.shape(first.shown)
        environment = _environment(OCKLE_HOST=address)
        for session in rest:
            name, *words = shlex.split(session.command)
            assert name == "ockle"
            asked = next((found for line in session.shown if (found := QUESTION.search(line))), None)
            if asked:
                question = asked.group().removesuffix(asked[1])
                got = _say_on_a_terminal(words, environment, question, asked[1])
            else:
                got = _say(words, environment)
            assert doc_pages.shape(got) == doc_pages.shape(session.shown), session.command
