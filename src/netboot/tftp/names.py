"""What the name in a request means, as paths below the root of boot files: pure.

A Raspberry Pi asks for ``PREFIX/start4.elf`` first, and drops the prefix for the rest of its boot when it gets neither
that nor ``PREFIX/start.elf``. PREFIX is its serial number, 8 hexadecimal digits without the leading ``10000000``, or by
TFTP_PREFIX in its EEPROM a fixed text (1) or its MAC with dashes (2). A prefix here is a folder that covers what is
below it: what is not in there is looked for below, so that the folder of one board holds only what is different.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .packet import Code, TftpError

_SERIAL = re.compile(r"[0-9a-f]{8}", re.IGNORECASE | re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(?:-[0-9a-f]{2}){5}", re.IGNORECASE | re.ASCII)
CMDLINE = "cmdline.txt"
_MASTER = re.compile(rb"\bMASTER\b")
MAX_NAME = 512
"""Bytes of a name that is looked for at all."""


@dataclass(frozen=True, slots=True)
class View:
    """How one client sees the boot files.

    ``mac``          with colons; "": nobody knows it. A folder named by it, with dashes, is the client's own
    ``root``         folder of its profile below the root, looked into first; "": none
    ``maps``         asked -> served, both as paths without a leading slash
    ``prefixes``     fixed texts that boards put in front of their names
    ``kernel_args``  what is appended to ``cmdline.txt``
    """

    mac: str = ""
    root: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    prefixes: Collection[str] = ()
    kernel_args: str = ""


def clean(name: str) -> str:
    """Return ``name`` without leading slash, empty parts and dots. Raises TftpError for one that nobody may ask for."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\\" in name:
        raise TftpError(Code.ACCESS, "access violation")
    if not parts:
        raise TftpError(Code.ACCESS, "a name is missing")
    if len(name) > MAX_NAME:
        raise TftpError(Code.NOT_FOUND, "file not found")
    return "/".join(parts)


def split_prefix(name: str, prefixes: Collection[str]) -> tuple[str, str]:
    """Return the prefix of a board and the rest of a clean ``name``; "" and the name when it has none."""
    for prefix in prefixes:
        rest = name[len(prefix) :].lstrip("/")  # the fixed text need not end in a slash
        if name.startswith(prefix) and rest.partition("/")[0] not in ("", ".", ".."):
            return prefix.strip("/"), rest
    first, slash, rest = name.partition("/")
    if slash and (_SERIAL.fullmatch(first) or _MAC.fullmatch(first)):
        return first, rest
    return "", name


def candidates(name: str, view: View) -> list[str]:
    """Return where to look for a clean ``name``, most particular first.

    With a map for the name (with its prefix or without) only for what that says.
    """
    prefix, rest = split_prefix(name, view.prefixes)
    mapped = view.maps.get(name) or view.maps.get(rest)
    if mapped:
        prefix, rest = split_prefix(mapped, view.prefixes)
    folders = [view.mac.lower().replace(":", "-"), ""]
    if prefix:
        folders[:0] = [prefix]
    found = [_join(root, folder, rest) for folder in folders[:-1] if folder for root in (view.root, "")]
    found += [_join(view.root, rest), rest]
    return list(dict.fromkeys(found))


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def is_cmdline(name: str) -> bool:
    """Whether ``name`` is a kernel command line, in which words are replaced; ``cmdline.txt-old`` is one, too."""
    return CMDLINE in name.rpartition("/")[2]


def fill_cmdline(text: bytes, server: str, kernel_args: str) -> bytes:
    """Return a kernel command line with the word MASTER replaced by ``server`` and ``kernel_args`` appended.

    The firmware takes the first line only, so they are appended to that.
    """
    text = _MASTER.sub(server.encode("ascii"), text)
    if not kernel_args:
        return text
    line, end, rest = text.partition(b"\n")
    return b" ".join(filter(None, (line.rstrip(), kernel_args.encode("utf-8", "surrogateescape")))) + end + rest
