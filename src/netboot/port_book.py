"""Which port of which switch feeds which board, and which ports are owed their power. Durable."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..common.errors import OckleError
from ..config.atomic import write_atomic

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoePort:
    """A PoE port of a switch, by the name of its file and the numbers of RFC 3621."""

    pdu: str
    group: int
    port: int

    def __str__(self) -> str:
        return f"{self.pdu} {self.group}.{self.port}"


class PortBook:
    """May be used from any thread. ``path``: the file, which need not exist; one that makes no sense is begun anew.

    ``owed``  ports that are off for a moment only, and shall be on again, whatever ends what switched them
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._ports: dict[str, PoePort] = {}
        self._owed: dict[PoePort, None] = {}
        self._load()

    def of(self, mac: str) -> PoePort | None:
        """Return the port at which the board was found last."""
        return self._ports.get(mac)

    def put(self, mac: str, port: PoePort) -> None:
        """Remember where a board hangs; whoever was said to hang there before no longer does. Raises OckleError."""
        with self._lock:
            if self._ports.get(mac) != port:
                self._ports = {**{one: at for one, at in self._ports.items() if at != port}, mac: port}
                self._write()

    def forget(self, mac: str) -> None:
        """It is not known any more where the board hangs. Raises OckleError."""
        with self._lock:
            if self._ports.pop(mac, None) is not None:
                self._write()

    def owed(self) -> list[PoePort]:
        return list(self._owed)

    def owe(self, port: PoePort) -> None:
        """Note, durably, that ``port`` is about to be switched off and shall be on again. Raises OckleError."""
        with self._lock:
            self._owed[port] = None
            try:
                self._write()
            except OckleError:
                del self._owed[port]
                raise

    def settle(self, port: PoePort) -> None:
        """Note that ``port`` is on again. Raises OckleError."""
        with self._lock:
            if self._owed.pop(port, self) is not self:
                self._write()

    def _load(self) -> None:
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
            self._ports = {mac: PoePort(**port) for mac, port in kept["ports"].items()}
            self._owed = dict.fromkeys(PoePort(**port) for port in kept["owed"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.error("%s cannot be read (%s): which board hangs on which port has to be found anew", self._path, error)

    def _write(self) -> None:
        ports = {mac: asdict(port) for mac, port in sorted(self._ports.items())}
        write_atomic(self._path, json.dumps({"ports": ports, "owed": [asdict(port) for port in self._owed]}, indent=1))
