"""Programs with all that they need to run, taken from a root file system: this machine's, or an unpacked one."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ...common.errors import OckleError
from .elf import Elf, parse_elf

PROGRAM_FOLDERS = ("/sbin", "/usr/sbin", "/bin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")
LIBRARY_FOLDERS = ("/lib/*-linux-*", "/usr/lib/*-linux-*", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib32")
"""Where dynamic loaders look without a cache; a cache of this machine would not hold on the board."""
MOST_LINKS = 40
MOST_BYTES = 256_000_000


class Sysroot:
    """``root``  the folder that a program on the board will see as ``/``; links in it lead nowhere outside"""

    def __init__(self, root: Path) -> None:
        self.root = root

    def resolve(self, path: str, links: int = 0) -> Path | None:
        """Return the real file of a path of the board, following links as the board would; None: there is none."""
        if links > MOST_LINKS:
            return None
        done = PurePosixPath("/")
        parts = list(PurePosixPath(path).parts[1:])
        while parts:
            part = parts.pop(0)
            if part == "..":
                done = done.parent
                continue
            here = self._on_disk(done / part)
            try:
                if here.is_symlink():
                    target = PurePosixPath(here.readlink())
                    return self.resolve(str((done / target).joinpath(*parts)), links + 1)
                if not here.exists():
                    return None
            except OSError:
                return None
            done /= part
        return self._on_disk(done)

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises OckleError when there is none, or it is no regular one."""
        real = self.resolve(path)
        if real is None:
            raise OckleError(f"there is no {path} in {self.root}")
        return read_file(real)

    def find(self, program: str) -> str:
        """Return the path of a program that is named with or without its folder. Raises OckleError."""
        places = [program] if program.startswith("/") else [f"{folder}/{program}" for folder in PROGRAM_FOLDERS]
        for place in places:
            real = self.resolve(place)
            if real is not None and real.is_file():
                return place
        raise OckleError(f"there is no program {program} in {self.root}: install it there, or name another --sysroot")

    def libraries(self, name: str, folders: Iterable[str]) -> Iterator[str]:
        """Yield the paths at which a library of that name lies, the loader's favourites first."""
        if "/" in name:
            yield name
            return
        for folder in (*folders, *self._library_folders()):
            path = f"{folder}/{name}"
            if self.resolve(path) is not None:
                yield path

    def _library_folders(self) -> Iterator[str]:
        for pattern in LIBRARY_FOLDERS:
            if "*" not in pattern:
                yield pattern
                continue
            parent = self.resolve(str(PurePosixPath(pattern).parent))
            for found in sorted(parent.glob(PurePosixPath(pattern).name)) if parent else ():
                yield f"{PurePosixPath(pattern).parent}/{found.name}"

    def _on_disk(self, path: PurePosixPath) -> Path:
        return self.root.joinpath(*path.parts[1:])


def read_file(path: Path) -> bytes:
    """Return the content of a regular file of a reasonable size. Raises OckleError."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise OckleError(f"{path} is not a regular file")
        if info.st_size > MOST_BYTES:
            raise OckleError(f"{path} has {info.st_size} bytes, too many for an initramfs")
        return path.read_bytes()
    except OSError as error:
        raise OckleError(f"{path} cannot be read: {error.strerror}") from error


class Gatherer:
    """Collects programs and their libraries; all have to be for the same processor.

    ``files``    path in the archive, without the first slash -> content
    ``machine``  what they run on, "" = nothing was added yet
    """

    def __init__(self, sysroot: Sysroot) -> None:
        self.files: dict[str, bytes] = {}
        self.machine = ""
        self._sysroot = sysroot

    def add(self, path: str, data: bytes, source: str, origin: str = "") -> None:
        """Add a program as ``path`` of the archive, and all that it needs.

        ``source``  what to call it in errors;  ``origin``  the folder that it lies in now
        Raises OckleError when it is none, is for another processor, or lacks a library.
        """
        try:
            elf = parse_elf(data)
        except ValueError as error:
            raise OckleError(f"{source} is no program: {error}") from error
        if self.machine and elf.machine != self.machine:
            raise OckleError(f"{source} is for {elf.machine}, the rest for {self.machine}: take all from one --sysroot")
        self.machine = elf.machine
        self.files[path.lstrip("/")] = data
        if elf.loader:
            self._put(elf.loader)
        self._add_libraries(elf, source, origin)

    def add_program(self, program: str) -> str:
        """Add a program of the sysroot into /sbin; return its path there. Raises OckleError."""
        found = self._sysroot.find(program)
        place = f"/sbin/{PurePosixPath(found).name}"
        self.add(place, self._sysroot.read(found), found, str(PurePosixPath(found).parent))
        return place

    def _add_libraries(self, elf: Elf, source: str, origin: str) -> None:
        folders = [one.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for one in elf.folders]
        for name in elf.needed:
            self._add_library(name, folders, source)

    def _add_library(self, name: str, folders: list[str], source: str) -> None:
        for path in self._sysroot.libraries(name, folders):
            if path.lstrip("/") in self.files:
                return
            data = self._sysroot.read(path)
            try:
                elf = parse_elf(data)
            except ValueError:
                continue  # a linker script, say
            if elf.machine == self.machine:
                self.files[path.lstrip("/")] = data
                self._add_libraries(elf, path, str(PurePosixPath(path).parent))
                return
        raise OckleError(f"{source} needs the library {name}, which is not in {self._sysroot.root}")

    def _put(self, path: str) -> None:
        self.files.setdefault(path.lstrip("/"), self._sysroot.read(path))
