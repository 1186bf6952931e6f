"""A second copy of what must never be lost silently, beside the state database and independent of it.

Two files, written in turn: whatever happens to one, the other is whole. Each holds a number that rises with each write,
the length and a checksum, and what operators ordered, forced and held. The state database notes the number in the same
transaction, so at a start it shows whether the database lost commits that were acknowledged, or was changed since.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.atomic import sync_folder
from .tables import writable

SERVER_COLUMNS = (
    "desired",
    "forced",
    "forced_note",
    "forced_by",
    "held",
    "shutdown_sent",
    "poison_boot",
)
META_LEFT_OUT = frozenset({"schema", "log_schema", "critical", "starts", "audit_start", "audit_head"})
SEQUENCE = "critical"
"""Row of meta with the number of the newest copy."""

_MAGIC = b"OCKLE\0\0\1"
_HEAD = struct.Struct(">8sQII")  # magic, number, length, CRC-32 of number, length and content
_PAGE = 4096
_PLAIN_LIMIT = _PAGE - _HEAD.size
_LARGEST = 64 * 1024 * 1024


@dataclass
class Content:
    """``servers``: name -> columns that are not empty; ``meta``: rows of that table that are not empty."""

    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)

    def with_row(self, table: str, key: Any, values: Mapping[str, Any]) -> Content:
        """Return what the content is after a row was written; the same object when it concerns nothing in it."""
        if table == "servers" and not values.keys().isdisjoint(SERVER_COLUMNS):
            before = self.servers.get(key, {})
            after = {**before, **{name: writable(values[name]) for name in SERVER_COLUMNS if name in values}}
            after = {name: value for name, value in after.items() if value not in (None, "", False)}
            if after == before:
                return self
            servers = {**self.servers, key: after}
            if not after:
                del servers[key]
            return Content(servers, self.meta)
        if table == "meta" and key not in META_LEFT_OUT:
            value = writable(values["value"] or "")
            if self.meta.get(key, "") == value:
                return self
            return Content(self.servers, _filled({**self.meta, key: value}))
        return self

    @classmethod
    def of(cls, servers: list[dict[str, Any]], meta: list[dict[str, Any]]) -> Content:
        """Return the content of whole tables."""
        content = cls()
        for row in servers:
            content = content.with_row("servers", row["name"], row)
        for row in meta:
            content = content.with_row("meta", row["name"], row)
        return content


class Critical:
    """The two files beside the state database ``file``."""

    def __init__(self, file: Path) -> None:
        self._slots = (file.with_name(f"{file.stem}.critical-a"), file.with_name(f"{file.stem}.critical-b"))

    def write(self, number: int, content: Content) -> None:
        """Overwrite the older copy; durable on return. Raises OSError."""
        data = json.dumps({"servers": content.servers, "meta": content.meta}, separators=(",", ":")).encode()
        if len(data) > _PLAIN_LIMIT:
            data = zlib.compress(data)
        page = _HEAD.pack(_MAGIC, number, len(data), _checksum(number, data)) + data
        page += bytes(-len(page) % _PAGE)
        path = self._slots[number % 2]
        new = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.pwrite(handle, page, 0) != len(page):
                raise OSError(f"{path}: not written whole")
            os.ftruncate(handle, len(page))
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            sync_folder(path.parent)

    def read(self) -> tuple[int, Content] | None:
        """Return the newest copy that is whole, with its number."""
        found = [copy for copy in map(_read, self._slots) if copy is not None]
        return max(found, key=lambda copy: copy[0], default=None)

    def damaged(self) -> list[Path]:
        """Return the files that hold no whole copy; while one is being written the power may go, so one is normal."""
        return [path for path in self._slots if path.exists() and _read(path) is None]

    def forget(self) -> None:
        """Remove both: what comes next is not to be compared with them. Raises OSError."""
        for path in self._slots:
            path.unlink(missing_ok=True)


def _filled(meta: Mapping[str, str]) -> dict[str, str]:
    """Return what says something: an empty row and none mean the same, and have to compare as the same."""
    return {name: value for name, value in meta.items() if value}


def _checksum(number: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(struct.pack(">QI", number, len(data))))


def _read(path: Path) -> tuple[int, Content] | None:
    try:
        raw = path.read_bytes()[:_LARGEST]
        magic, number, length, checksum = _HEAD.unpack_from(raw)
        data = raw[_HEAD.size : _HEAD.size + length]
        if magic != _MAGIC or len(data) != length or _checksum(number, data) != checksum:
            return None
        values = json.loads(data if data.startswith(b"{") else zlib.decompress(data))
        return number, Content(values["servers"], _filled(values["meta"]))
    except (OSError, struct.error, zlib.error, ValueError, KeyError):
        return None
