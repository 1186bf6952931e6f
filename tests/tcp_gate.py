"""A door in front of a server of loopback: while it is shut, nobody gets in, and who was in is thrown out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class Gate:
    """``port`` leads to ``target``, a port of loopback, while ``is_open``."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server((HOST, 0))
        self._inside: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        self.is_open = True
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        self.is_open = False
        for one in self._inside:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self.is_open = True

    def end(self) -> None:
        self.shut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if not self.is_open:
                return
            with socket.create_connection((HOST, self._target)) as server:
                self._inside += [client, server]
                back = threading.Thread(target=_carry, args=(server, client), daemon=True)
                back.start()
                _carry(client, server)
                back.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate(target: int) -> Iterator[Gate]:
    found = Gate(target)
    try:
        yield found
    finally:
        found.end()
