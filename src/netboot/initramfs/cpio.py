"""cpio archives in the "newc" format, which the kernel unpacks as its initramfs.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
BLOCK = 512
MOST_BYTES = 2**32 - 1
MOST_NAME = 4095


@dataclass(frozen=True, slots=True)
class Entry:
    """``path``    relative, such as "bin/busybox"
    ``mode``    type and permissions, as ``stat`` has them
    ``data``    the content of a file, the target of a symbolic link
    ``device``  major and minor number of a device node
    """

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def folder(path: str, permissions: int = 0o755) -> Entry:
    return Entry(path, stat.S_IFDIR | permissions)


def file(path: str, data: bytes, permissions: int = 0o644) -> Entry:
    return Entry(path, stat.S_IFREG | permissions, data)


def link(path: str, target: str) -> Entry:
    return Entry(path, stat.S_IFLNK | 0o777, target.encode())


def character_device(path: str, major: int, minor: int, permissions: int = 0o600) -> Entry:
    return Entry(path, stat.S_IFCHR | permissions, device=(major, minor))


def archive(entries: Iterable[Entry]) -> bytes:
    """Return an archive with the entries and the folders that they are in, in the order of their paths.

    Everything belongs to root and has the time 0. Raises ValueError for a path that is unusable or stands twice, for a
    file in the place of a folder, and for one that is too large.
    """
    by_path: dict[str, Entry] = {}
    for entry in entries:
        _check(entry)
        if entry.path in by_path:
            raise ValueError(f"{entry.path!r} stands twice in the archive")
        by_path[entry.path] = entry
    for path in list(by_path):
        parent, _, _name = path.rpartition("/")
        while parent:
            if not stat.S_ISDIR(by_path.setdefault(parent, folder(parent)).mode):
                raise ValueError(f"{path!r} is below {parent!r}, which is no folder")
            parent = parent.rpartition("/")[0]
    # by parts, so that a folder comes before what is in it and everything in it before its neighbours
    ordered = sorted(by_path.values(), key=lambda entry: entry.path.split("/"))
    parts = [part for inode, entry in enumerate(ordered, 1) for part in _encoded(entry, inode)]
    parts += _encoded(Entry(TRAILER, 0), 0)
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % BLOCK)


def _check(entry: Entry) -> None:
    parts = entry.path.split("/")
    if not entry.path or "\0" in entry.path or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{entry.path!r} is no path inside of an archive")
    if entry.path == TRAILER or len(entry.path.encode("utf-8", "surrogateescape")) > MOST_NAME:
        raise ValueError(f"{entry.path[:60]!r} cannot be the name of an entry")
    if len(entry.data) > MOST_BYTES:
        raise ValueError(f"{entry.path!r} is too large for an archive")


def _encoded(entry: Entry, inode: int) -> list[bytes]:
    name = entry.path.encode("utf-8", "surrogateescape") + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.device, len(name), 0)
    head = MAGIC + b"".join(b"%08X" % field for field in fields) + name
    return [head, bytes(-len(head) % 4), entry.data, bytes(-len(entry.data) % 4)]
