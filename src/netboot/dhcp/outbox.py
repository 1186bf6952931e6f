"""Replies on their way out: the leases of a batch are written in one go, then its replies leave."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from ..wire import Wire
from .chores import Chores
from .desk import Case, Desk
from .diary import Diary
from .lease_store import LeaseStore
from .leases import Lease
from .links import Sender
from .packet import NOBODY
from .routes import route

Source = tuple[str, int]


@dataclass(slots=True)
class Going:
    """A case whose reply is to leave by ``socket``. ``source``: where the message came from; ``boot_port``: to 4011."""

    case: Case
    source: Source
    socket: socket.socket
    boot_port: bool = False


class Outbox:
    """``busy`` while a batch is being written: then nothing more is to be taken in. ``ready`` is called after it.

    ``problem``  told why leases cannot be written, "" when they can again
    """

    def __init__(
        self,
        wire: Wire,
        desk: Desk,
        diary: Diary,
        store: LeaseStore,
        chores: Chores,
        sender: Sender,
        ready: Callable[[], None],
        problem: Callable[[str], None],
    ) -> None:
        self._loopback = wire.loopback
        self._desk, self._diary, self._store, self._chores, self._sender = desk, diary, store, chores, sender
        self._ready, self._problem = ready, problem
        self._going: list[Going] = []
        self._leases: list[Lease] = []
        self.busy = self._closed = False

    def put(self, going: Going) -> None:
        """Put a case into the next batch."""
        self._going.append(going)

    def put_lease(self, lease: Lease) -> None:
        """Have a lease written with the next batch that no reply waits for."""
        self._leases.append(lease)

    def commit(self) -> None:
        """Send what needs no writing now, and the rest when it is written."""
        if self.busy or not (self._going or self._leases):
            return
        batch, self._going = self._going, []
        leases, self._leases = self._leases, []
        leases += [going.case.lease for going in batch if going.case.lease is not None]
        notes = [note for going in batch if (note := self._diary.note(going.case)) is not None]
        if not leases and not notes:
            self._send(batch)
            return
        self.busy = True
        self._chores.submit(self._store.rows(leases), notes, lambda fault: self._written(batch, fault))

    def close(self) -> None:
        """Send nothing any more: the sockets are about to be closed."""
        self._closed = True

    def _written(self, batch: list[Going], fault: str) -> None:
        self.busy = False
        if self._closed:
            return
        self._problem(fault)
        if fault:
            batch = self._without_leases(batch)
        self._send(batch)
        self.commit()
        if not self.busy:
            self._ready()

    def _without_leases(self, batch: list[Going]) -> list[Going]:
        """Take back what could not be written. A host's own address stands in hosts.csv: it is served all the same."""
        served = []
        for going in reversed(batch):
            case = going.case
            if case.lease is None or (case.host is not None and case.host.ip is not None):
                served.append(going)
            else:
                self._desk.undo(case)
        return served[::-1]

    def _send(self, batch: list[Going]) -> None:
        for going in batch:
            case = going.case
            if not case.reply or case.answer.reply is None:
                continue
            if going.boot_port or (self._loopback and case.packet.giaddr == NOBODY):
                self._sender.send_back(case.reply, going.source, going.socket)
            else:
                self._sender.send(route(case.packet, case.answer.reply, case.answer.ip), case.reply)
