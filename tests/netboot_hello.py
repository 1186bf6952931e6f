"""Boards that speak the hello protocol with a boot server, a line at a time, from addresses of loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from netboot_site import PI, Serving
from ockle.netboot.boards import Board

TIMEOUT_S = 20.0
PI_ADDRESS = "127.0.7.3"


class Hello:
    """One control connection."""

    def __init__(self, at: tuple[str, int], source: str = PI_ADDRESS) -> None:
        self.socket = socket.create_connection(at, TIMEOUT_S, source_address=(source, 0))
        self._lines = self.socket.makefile("rb")

    def say(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\n" for line in lines).encode())

    def hear(self) -> str:
        """Return the next command, its lines joined by newlines; "" when the server has ended the connection."""
        lines: list[str] = []
        with suppress(ConnectionResetError):
            for raw in self._lines:
                line = raw.decode().rstrip("\n")
                if line == "EOM":
                    return "\n".join(lines)
                lines.append(line)
        assert not lines, f"a command without its end: {lines}"
        return ""

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


@contextmanager
def hello(serving: Serving, source: str = PI_ADDRESS) -> Iterator[Hello]:
    """Connect; the greeting with the time is taken already."""
    connection = Hello(serving.at("install"), source)
    try:
        greeting = connection.hear()
        assert greeting.startswith("busybox date -s "), greeting
        yield connection
    finally:
        connection.close()


def load(serving: Serving, source: str = PI_ADDRESS) -> bytes:
    """Load the root file system as piman's clients do; raises ConnectionError when the server breaks it off."""
    with socket.create_connection(serving.at("install", 1), TIMEOUT_S, source_address=(source, 0)) as connection:
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def until(condition: Callable[[], Any], what: str = "it") -> Any:
    """Return what ``condition`` gives once that is true."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.01)


def board(serving: Serving, mac: str = PI) -> Board:
    """Return what is known of a board, as another process sees it."""
    boards = serving.boards()
    try:
        return boards.get(mac) or Board(mac)
    finally:
        boards.close()


def journal(serving: Serving, mac: str = PI) -> list[str]:
    """Return the lines of a board's journal: the name of the stage, if it came to one, and the text."""
    boards = serving.boards()
    try:
        return [f"{line.stage}: {line.text}".lstrip(": ") for line in boards.lines(mac)]
    finally:
        boards.close()


def put_image(serving: Serving, data: bytes, name: str = "rootfs.tgz") -> Path:
    path = serving.etc / "netboot" / "images" / name
    path.write_bytes(data)
    return path
