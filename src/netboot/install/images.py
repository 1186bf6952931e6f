"""The root file systems: found, opened and hashed away from the loop, for a disk may be slow or a mount dead."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from ...common.device_loop import run_blocking
from ...common.errors import DeviceUnreachable, OckleError
from ..mounts import Mounts

OPEN_S = 10.0
HASH_S = 3600.0
CHUNK = 1 << 20
MOST_DIGESTS = 64

Identity = tuple[int, int, int, int]
"""Device, inode, size and time of change: another one for another content."""


@dataclass
class Image:
    """A root file system, open. Closed by whoever got it."""

    name: str
    file: FileIO
    size: int
    identity: Identity

    def close(self) -> None:
        self.file.close()

    def problem(self) -> str:
        """Return what has become of the file since it was opened, "" = nothing; one that was replaced is whole."""
        try:
            now = identity_of(os.fstat(self.file.fileno()))
        except OSError as error:
            return f"{self.name} cannot be read: {error.strerror}"
        return "" if now == self.identity else f"{self.name} was changed while it was sent"


def identity_of(info: os.stat_result) -> Identity:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


class Images:
    """The files of one folder. ``folder`` is absolute; links in it must not lead out of it.

    ``mounts``  what lies on other machines, which is refused; None = nothing is
    """

    def __init__(self, folder: Path, mounts: Mounts | None = None) -> None:
        self._folder = folder
        self._mounts = mounts
        self._digests: OrderedDict[Identity, asyncio.Future[str]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Semaphore(1)
        self._stop = threading.Event()

    def close(self) -> None:
        self._stop.set()
        for task in self._tasks:
            task.cancel()

    async def open(self, name: str) -> Image:
        """Open a root file system by its name. Raises OckleError, in one line, when it cannot be given."""
        try:
            return await run_blocking(lambda: open_image(self._folder, name, self._mounts), OPEN_S, name)
        except DeviceUnreachable as error:
            raise OckleError(f"{name} cannot be opened: its disk does not answer") from error

    async def problem(self, name: str) -> str:
        """Return why a root file system cannot be given, "" = it can."""
        try:
            image = await self.open(name)
        except OckleError as error:
            return str(error)
        image.close()
        return ""

    def digest(self, image: Image) -> asyncio.Future[str]:
        """Return the SHA-256 of an image, in hexadecimal, once it is known; OckleError when it cannot be read."""
        found = self._digests.get(image.identity)
        if found is None or (found.done() and (found.cancelled() or found.exception() is not None)):
            found = self._digests[image.identity] = asyncio.get_running_loop().create_future()
            found.add_done_callback(_look_at_error)
            task = asyncio.create_task(self._hash(image.name, image.identity, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._digests.move_to_end(image.identity)
        while len(self._digests) > MOST_DIGESTS:
            self._digests.popitem(last=False)
        return found

    async def _hash(self, name: str, identity: Identity, result: asyncio.Future[str]) -> None:
        try:
            async with self._one_at_a_time:
                digest = await run_blocking(lambda: self._read_all(name, identity), HASH_S, name)
            result.set_result(digest)
        except OckleError as error:
            if not result.done():
                result.set_exception(error)
        finally:
            if not result.done():
                result.cancel()

    def _read_all(self, name: str, identity: Identity) -> str:
        image = open_image(self._folder, name, self._mounts)
        try:
            digest = hashlib.sha256()
            while chunk := image.file.read(CHUNK):
                digest.update(chunk)
                if self._stop.is_set():
                    raise OckleError("the server stops")
            if image.identity != identity or image.problem():
                raise OckleError(f"{name} was changed while it was read")
            return digest.hexdigest()
        except OSError as error:
            raise OckleError(f"{name} cannot be read: {error.strerror}") from error
        finally:
            image.close()


def _look_at_error(future: asyncio.Future[str]) -> None:
    """Keep the loop from complaining about an error that nobody waited for."""
    if not future.cancelled():
        future.exception()


def open_image(folder: Path, name: str, mounts: Mounts | None = None) -> Image:
    """Open a file below ``folder``. Raises OckleError; a FIFO or a device is refused and never waited for."""

    def refuse_remote(place: Path) -> None:
        if mounts is not None and mounts.is_remote(str(place)):
            raise OckleError(f"{name} is on a network file system, see install_network_files")

    path = PurePosixPath(name)
    if not name or "\0" in name or path.is_absolute() or ".." in path.parts:
        raise OckleError(f"{name!r} is no name of a root file system")
    try:
        refuse_remote(folder / path)
        real = (folder / path).resolve(strict=True)
        refuse_remote(real)
        if not real.is_relative_to(folder.resolve()):
            raise OckleError(f"{name} leads out of {folder}")
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        why = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise OckleError(f"{name} is not in {folder}: {why}") from error
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode) or not info.st_size:
        os.close(handle)
        raise OckleError(f"{name} is {'empty' if stat.S_ISREG(info.st_mode) else 'no regular file'}")
    return Image(name, FileIO(handle), info.st_size, identity_of(info))
