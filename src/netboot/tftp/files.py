"""Opens what a request names, below the root of boot files and nowhere else.

Every file is first opened as a mere place (``O_PATH``): that has no effect on a device, does not wait for the other end
of a FIFO, and names the file where it really is, whatever links led there. Only a regular file below the root is then
opened for reading, by that place, so nobody can put another one under its name in between.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from ..mounts import Mounts
from .content import Content, File, Netascii, Text
from .names import View, candidates, clean, fill_cmdline, is_cmdline
from .packet import Code, TftpError

_PLACE = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
MAX_CMDLINE = 64 * 1024
"""A larger ``cmdline.txt`` is none: it is sent as it is."""


class BootFiles:
    """The files below ``root``, read only.

    ``mounts``  None: files of other machines are sent as well
    """

    def __init__(self, root: Path, mounts: Mounts | None = None) -> None:
        self._root = root
        self._mounts = mounts
        self._place = -1
        self._seen = (0, 0)  # its device and inode
        self._inside = ""  # where it really is, with a slash at its end

    def open(self, name: str, mode: str, view: View, server: str) -> tuple[str, Content]:
        """Return the path below the root that ``name`` means to this client, and its content.

        ``server``  what MASTER in ``cmdline.txt`` becomes: the address that was asked
        Raises      TftpError with what the client is to be told
        """
        if mode not in ("octet", "netascii"):
            raise TftpError(Code.ILLEGAL, "only octet and netascii are served")
        asked = clean(name)
        self._find_root()
        refusal: OSError | None = None
        for path in candidates(asked, view):
            try:
                fd = self._open(path)
            except OSError as error:
                if error.errno not in _ABSENT:
                    refusal = error
                continue
            content: Content = File(fd)
            if is_cmdline(asked):
                content = _cmdline(content, server, view.kernel_args)
            return path, content if mode == "octet" else Netascii(content)
        raise _refusal(refusal) from refusal

    def close(self) -> None:
        if self._place >= 0:
            os.close(self._place)
        self._place, self._seen = -1, (0, 0)

    def _find_root(self) -> None:
        """Hold on to the root, and notice when it is another one by now. Raises TftpError when there is none."""
        try:
            self._check_mount(f"{self._root}/")
            found = os.stat(self._root)  # noqa: PTH116 (for each request)
            if (found.st_dev, found.st_ino) == self._seen:
                return
            self.close()
            self._place = os.open(self._root, _PLACE | os.O_DIRECTORY)
            self._inside = _where(self._place).rstrip("/") + "/"
            found = os.fstat(self._place)
            self._seen = found.st_dev, found.st_ino
        except OSError as error:
            raise TftpError(Code.UNDEFINED, f"the folder of boot files cannot be opened: {error.strerror}") from error

    def _open(self, path: str) -> int:
        """Return a descriptor of the regular file ``path``. Raises OSError; EACCES for what is not served."""
        self._check_mount(self._inside + path)
        place = os.open(path, _PLACE, dir_fd=self._place)
        try:
            if not stat.S_ISREG(os.fstat(place).st_mode):
                raise OSError(errno.EACCES, "not a file")
            if not _where(place).startswith(self._inside):
                raise OSError(errno.EACCES, "outside the root")
            return os.open(f"/proc/self/fd/{place}", _READ)
        finally:
            os.close(place)

    def _check_mount(self, path: str) -> None:
        if self._mounts is not None and self._mounts.is_remote(path):
            raise OSError(errno.EREMOTE, "on a network file system, see tftp_network_files")


def _where(place: int) -> str:
    return os.readlink(f"/proc/self/fd/{place}")  # noqa: PTH115 (pathlib takes three times as long)


def _refusal(error: OSError | None) -> TftpError:
    if error is None:
        return TftpError(Code.NOT_FOUND, "file not found")
    if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EREMOTE):
        return TftpError(Code.ACCESS, "access violation")
    return TftpError(Code.UNDEFINED, f"cannot open: {error.strerror}")


def _cmdline(content: Content, server: str, kernel_args: str) -> Content:
    if content.size is None or content.size > MAX_CMDLINE:
        return content
    try:
        return Text(fill_cmdline(content.read(0, MAX_CMDLINE), server, kernel_args))
    finally:
        content.close()
