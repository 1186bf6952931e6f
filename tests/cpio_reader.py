"""Reads cpio archives as the kernel does. Shares no code with what writes them."""

from __future__ import annotations

import stat

from ockle.netboot.initramfs.cpio import Entry


def read_back(data: bytes) -> list[Entry]:
    """Read an archive as the kernel does: fields of eight digits, everything at multiples of four."""
    entries: list[Entry] = []
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
        inode, mode, owner, group, links, when, size, _, _, major, minor, length, check = fields
        name = data[at + 110 : at + 110 + length]
        assert name[-1] == 0 and owner == group == when == check == 0
        start = at + 110 + length
        start += -start % 4
        if name == b"TRAILER!!!\0":
            assert not any(data[start:]) and len(data) % 512 == 0
            return entries
        assert links == (2 if stat.S_ISDIR(mode) else 1) and inode == len(entries) + 1
        entries.append(Entry(name[:-1].decode(), mode, data[start : start + size], (major, minor)))
        at = start + size + -size % 4
