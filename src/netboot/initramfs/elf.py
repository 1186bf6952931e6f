"""What a program needs to run: read from its ELF headers, without running it, so that it may be for another machine.

Source: System V ABI, chapters 4 and 5; ld.so(8) for the order of the folders.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_RPATH, DT_RUNPATH = 0, 1, 5, 10, 15, 29
MOST_ENTRIES = 4096

MACHINES = {3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC64", 40: "ARM", 62: "x86-64", 183: "ARM64", 243: "RISC-V"}


@dataclass(frozen=True, slots=True)
class Elf:
    """``machine``  kind of processor and bits: ``ARM64``, ``RISC-V, 64 bits``; two programs of one archive agree in it
    ``loader``   path of the dynamic loader, "" = none: the program is static, or a library
    ``needed``   names of its libraries
    ``folders``  where it wants them looked for first; ``$ORIGIN`` is the folder of the program
    """

    machine: str
    loader: str = ""
    needed: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def parse_elf(data: bytes) -> Elf:
    """Return what the headers say. Raises ValueError for what is no program or library."""
    try:
        return _parse(data)
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"a damaged ELF file: {error}") from error


def _parse(data: bytes) -> Elf:
    if data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise ValueError("not an ELF file")
    wide = data[4] == 2
    order = "<" if data[5] == 1 else ">"
    (machine,) = struct.unpack_from(f"{order}H", data, 18)
    at, size, count = _table(data, order, wide)
    loads: list[tuple[int, int, int]] = []
    dynamic: tuple[int, int] | None = None
    loader = ""
    for number in range(min(count, MOST_ENTRIES)):
        kind, offset, address, length = _segment(data, order, wide, at + number * size)
        if kind == PT_LOAD:
            loads.append((address, length, offset))
        elif kind == PT_DYNAMIC:
            dynamic = offset, length
        elif kind == PT_INTERP:
            loader = _text(data, offset, offset + length)
    name = f"{MACHINES.get(machine, f'machine {machine}')}, {64 if wide else 32} bits"
    if dynamic is None:
        return Elf(name, loader)
    needed, folders = _dynamic(data, order, wide, dynamic, loads)
    return Elf(name, loader, needed, folders)


def _table(data: bytes, order: str, wide: bool) -> tuple[int, int, int]:
    """Return offset, size of an entry and number of the program headers."""
    (at,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", data, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
    return at, size, count


def _segment(data: bytes, order: str, wide: bool, at: int) -> tuple[int, int, int, int]:
    """Return kind, offset, address and length in the file of a segment."""
    if wide:
        kind, _flags, offset, address, _physical, length = struct.unpack_from(f"{order}IIQQQQ", data, at)
    else:
        kind, offset, address, _physical, length = struct.unpack_from(f"{order}IIIII", data, at)
    return kind, offset, address, length


def _dynamic(
    data: bytes, order: str, wide: bool, where: tuple[int, int], loads: list[tuple[int, int, int]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    layout = f"{order}{'qQ' if wide else 'iI'}"
    step = struct.calcsize(layout)
    offset, length = where
    entries: list[tuple[int, int]] = []
    for at in range(offset, offset + min(length, MOST_ENTRIES * step), step):
        tag, value = struct.unpack_from(layout, data, at)
        if tag == DT_NULL:
            break
        entries.append((tag, value))
    last = dict(entries)
    texts = next((o + last[DT_STRTAB] - a for a, n, o in loads if a <= last.get(DT_STRTAB, -1) < a + n), None)
    if texts is None:
        return (), ()
    end = texts + last.get(DT_STRSZ, 0)
    needed = tuple(_text(data, texts + value, end) for tag, value in entries if tag == DT_NEEDED)
    own = last.get(DT_RUNPATH, last.get(DT_RPATH))
    folders = _text(data, texts + own, end).split(":") if own is not None else []
    return needed, tuple(one for one in folders if one)


def _text(data: bytes, start: int, end: int) -> str:
    found = data[start:end].split(b"\0", 1)[0]
    return found.decode("utf-8", "surrogateescape")
