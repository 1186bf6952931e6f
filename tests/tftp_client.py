"""A TFTP client for tests, packet by packet: it does what the test says, right or wrong."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

DATA, ACK, ERROR, OACK = 3, 4, 5, 6
PATIENCE_S = 20.0
SILENCE_S = 0.15


def rrq(name: str | bytes, options: Mapping[str, object] | None = None, mode: str = "octet", op: int = 1) -> bytes:
    asked = name if isinstance(name, bytes) else name.encode()
    words = [asked, mode.encode(), *(str(word).encode() for pair in (options or {}).items() for word in pair)]
    return struct.pack("!H", op) + b"".join(word + b"\0" for word in words)


def op(data: bytes) -> int:
    return struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 0


def number(data: bytes) -> int:
    """Return the block number, or the error code."""
    found: int = struct.unpack("!H", data[2:4])[0]
    return found


class Client:
    """A socket; ``peer`` is where the last datagram came from."""

    def __init__(self, server: tuple[str, int], address: str = "127.0.0.1", port: int = 0) -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.settimeout(PATIENCE_S)
        self.peer: tuple[str, int] = server

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def ask(self, name: str | bytes, mode: str = "octet", **options: object) -> bytes:
        """Send a read request and return the answer."""
        self.raw(rrq(name, options, mode))
        return self.receive()

    def raw(self, data: bytes) -> None:
        """Send to the port that takes requests."""
        self.socket.sendto(data, self.server)

    def send(self, data: bytes) -> None:
        """Send to where the last datagram came from."""
        self.socket.sendto(data, self.peer)

    def ack(self, block: int) -> None:
        self.send(struct.pack("!HH", ACK, block & 0xFFFF))

    def error(self, code: int = 0, text: str = "Early terminate") -> None:
        self.send(struct.pack("!HH", ERROR, code) + text.encode() + b"\0")

    def receive(self) -> bytes:
        data, peer = self.socket.recvfrom(70_000)
        self.peer = peer[:2]
        return data

    def silence(self, seconds: float = SILENCE_S) -> bool:
        """Whether nothing comes for a while."""
        self.socket.settimeout(seconds)
        try:
            self.receive()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False


@contextmanager
def client(server: tuple[str, int], address: str = "127.0.0.1") -> Iterator[Client]:
    with Client(server, address) as one:
        yield one


def fetch(
    server: tuple[str, int], name: str | bytes, mode: str = "octet", address: str = "127.0.0.1", **options: object
) -> tuple[bytes, dict[str, str]]:
    """Return a whole file and the options granted, or raise what the ERROR packet says as FileNotFoundError/OSError."""
    with client(server, address) as one:
        answer = one.ask(name, mode, **options)
        granted: dict[str, str] = {}
        if op(answer) == OACK:
            words = answer[2:].decode().split("\0")[:-1]
            granted = dict(zip(words[::2], words[1::2], strict=True))
            one.ack(0)
            answer = one.receive()
        size, window = int(granted.get("blksize", 512)), int(granted.get("windowsize", 1))
        got, expected = bytearray(), 1
        while True:
            if op(answer) == ERROR:
                raise OSError(number(answer), answer[4:-1].decode())
            assert op(answer) == DATA, answer[:20]
            if number(answer) == expected & 0xFFFF:
                got += answer[4:]
                last = len(answer) - 4 < size
                if last or expected % window == 0:
                    one.ack(expected)
                if last:
                    return bytes(got), granted
                expected += 1
            answer = one.receive()
