"""What waits for all channels: in memory, and on disk as long as that can be written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from ...common.alert_message import AlertMessage
from ...common.errors import StoreError
from ...store.outbox_store import ChannelRow, OutboxStore, Row
from .waiting import Entries, Entry

log = logging.getLogger(__name__)


class Ledger:
    """``entries``: of each channel, in order. When ``write`` returns they are on disk, or it has been told."""

    def __init__(self, store: OutboxStore, tell: Callable[[str], None]) -> None:
        self._store = store
        self._tell = tell
        self._whole = True  # the disk has what the memory has
        self._seq = 0
        self.entries: dict[str, Entries] = {}
        self._channels: dict[str, ChannelRow] = {}

    def load(self) -> None:
        """Read what an earlier process has left."""
        try:
            rows, channels = self._store.load()
        except StoreError as error:
            self._failed(error)
            return
        for row in rows:
            self._seq = max(self._seq, row.seq)
            try:
                entry = Entry(row.seq, AlertMessage.of_dict(row.message), row.stamp, row.over)
            except (TypeError, ValueError, KeyError) as error:
                log.warning("a message for channel %s cannot be read: %r", row.channel, error)
                continue
            self.entries[row.channel] = (*self.entries.get(row.channel, ()), entry)
        self._channels = {one.channel: one for one in channels}

    def number(self) -> int:
        """Return a number above all that there are."""
        self._seq += 1
        return self._seq

    def channel(self, name: str) -> ChannelRow:
        return self._channels.get(name) or ChannelRow(name)

    def write(self, entries: Mapping[str, Entries], *channels: ChannelRow) -> None:
        """Let these channels have these entries from now on."""
        added, removed = list[Row](), list[int]()
        for name, now in entries.items():
            before = {entry.seq: entry for entry in self.entries.get(name, ())}
            added += [_row(name, entry) for entry in now if before.get(entry.seq) is not entry]
            removed += before.keys() - {entry.seq for entry in now}
            self.entries[name] = now
        self._channels |= {one.channel: one for one in channels}
        try:
            if self._whole:
                if added or removed or channels:
                    self._store.change(added, removed, channels)
                return
            everything = [_row(name, entry) for name, kept in self.entries.items() for entry in kept]
            self._store.change(everything, (), self._channels.values(), anew=True)
        except StoreError as error:
            self._failed(error)
        else:
            self._whole = True
            self._tell("alerts that wait are on disk again")

    def forget(self, name: str) -> int:
        """Remove a channel, and return how many messages waited for it."""
        waited = len(self.entries.get(name, ()))
        self.write({name: ()}, ChannelRow(name))
        del self.entries[name], self._channels[name]
        return waited

    def known(self) -> set[str]:
        return {*self.entries, *self._channels}

    def close(self) -> None:
        self._store.close()

    def _failed(self, error: StoreError) -> None:
        if self._whole:
            self._whole = False
            self._tell(f"{error}; alerts that wait are kept in memory and do not survive a restart")


def _row(channel: str, entry: Entry) -> Row:
    return Row(entry.seq, channel, entry.message.as_dict(), entry.stamp, entry.over)
