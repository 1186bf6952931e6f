"""What a program needs, as readelf says it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.initramfs.elf import parse_elf
from peers import peer

PYTHON = Path(sys.executable).resolve()


@pytest.mark.peer
@pytest.mark.parametrize("program", ["busybox", "mkfs.ext4", "sfdisk", "python"])
def test_readelf_says_the_same(program: str) -> None:
    path = PYTHON if program == "python" else Path(peer(program)).resolve()
    said = subprocess.run(
        [peer("readelf"), "-dlW", path], capture_output=True, text=True, check=True, timeout=20
    ).stdout
    elf = parse_elf(path.read_bytes())
    assert list(elf.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", said)
    assert [elf.loader][: bool(elf.loader)] == re.findall(r"program interpreter: (.*)\]", said)


def test_both_widths_and_byte_orders_are_read() -> None:
    """The smallest program of each kind: one segment with its loader's name."""
    for wide, order in ((True, "<"), (True, ">"), (False, "<"), (False, ">")):
        data = small_elf(wide, "little" if order == "<" else "big", b"/lib/ld.so\0")
        elf = parse_elf(data)
        assert elf.loader == "/lib/ld.so"
        assert elf.machine == f"ARM64, {64 if wide else 32} bits"


def small_elf(wide: bool, order: str, loader: bytes) -> bytes:
    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, "little" if order == "little" else "big")

    word = 8 if wide else 4
    head = 64 if wide else 52
    entry = 56 if wide else 32
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "little" else 2, 1]) + bytes(9)
    header = ident + number(2, 2) + number(183, 2) + number(1, 4) + number(0, word) + number(head, word)
    header += number(0, word) + number(0, 4) + number(head, 2) + number(entry, 2) + number(1, 2) + bytes(6)
    at = head + entry
    kind, flags = number(3, 4), number(4, 4)
    places = number(at, word) + number(0, word) * 2 + number(len(loader), word) * 2
    segment = kind + flags + places + number(1, word) if wide else kind + places + flags + number(1, word)
    return header + segment + loader


@given(st.data())
def test_a_damaged_program_is_an_error_and_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(small_elf(data.draw(st.booleans()), data.draw(st.sampled_from(["little", "big"])), b"/lib/ld\0"))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        parse_elf(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


def test_a_text_is_no_program() -> None:
    with pytest.raises(ValueError, match="not an ELF file"):
        parse_elf(b"#!/bin/sh\n")
