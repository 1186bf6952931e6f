"""Kernel modules with those that they need, in the order in which they have to be loaded.

Source: modules.dep(5). The busybox of the board need not know any compression: modules are unpacked here.
"""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ...common.errors import OckleError
from .programs import read_file

_UNPACK = {".gz": gzip.decompress, ".xz": lzma.decompress}


def gather_modules(names: Iterable[str], folder: Path) -> dict[str, bytes]:
    """Return file name (``virtio_net.ko``) -> content, in the order of loading; what is built in needs no file.

    ``folder``  of one kernel, with its modules.dep
    Raises OckleError for a module that is not there, and for one packed so that it cannot be unpacked here.
    """
    if not (wanted := list(names)):
        return {}
    needs = {name: (path, list(others)) for name, path, others in _dependencies(folder)}
    built_in = {_name(line) for line in _lines(folder / "modules.builtin")}
    order: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in needs:
            if name in built_in:
                return
            raise OckleError(f"there is no kernel module {name} in {folder}")
        path, others = needs[name]
        for other in reversed(others):  # modules.dep has what must come first last
            order.setdefault(_name(other), other)
        order.setdefault(name, path)

    for name in wanted:
        add(name.replace("-", "_"))
    return {f"{name}.ko": _unpacked(folder / path) for name, path in order.items()}


def _dependencies(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    lines = _lines(folder / "modules.dep")
    if not lines:
        raise OckleError(f"{folder}/modules.dep cannot be read: name the folder of a kernel's modules (modules_folder)")
    for line in lines:
        path, colon, others = line.partition(":")
        if colon:
            yield _name(path), path, others.split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _name(path: str) -> str:
    """Return the name of a module by its file: "kernel/net/8021q/8021q.ko.xz" -> "8021q"."""
    return PurePosixPath(path.strip()).name.partition(".ko")[0].replace("-", "_")


def _unpacked(path: Path) -> bytes:
    data = read_file(path)
    if path.suffix == ".ko":
        return data
    unpack = _UNPACK.get(path.suffix)
    if unpack is None:
        raise OckleError(f"{path} is packed in a way that is not known here: unpack it and run depmod")
    try:
        return unpack(data)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise OckleError(f"{path} cannot be unpacked: {error}") from error
