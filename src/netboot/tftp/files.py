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

from .content import Content, File, Netascii, Text
from .names import View, candidates, clean, fill_cmdline, is_cmdline
from .packet import Code, TftpError

_PLACE = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
MAX_CMDLINE = 64 * 1024
"""A larger ``cmdline.txt`` is none: it is sent as it is."""


class BootFiles:
    """The files below ``root``, read only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, name: str, mode: str, view: View, server: str) -> tuple[str, Content]:
        """Return the path below the root that ``name`` means to this client, and its content.

        ``server``  what MASTER in ``cmdline.txt`` becomes: the address that was asked
        Raises      TftpError with what the client is to be told
        """
        if mode not in ("octet", "netascii"):
            raise TftpError(Code.ILLEGAL, "only octet and netascii are served")
        asked = clean(name)
        refusal: OSError | None = None
        try:
            root = os.open(self._root, _PLACE | os.O_DIRECTORY)
        except OSError as error:
            raise TftpError(Code.UNDEFINED, f"the root of boot files cannot be opened: {error.strerror}") from error
        try:
            inside = _where(root).rstrip("/") + "/"
            for path in candidates(asked, view):
                try:
                    fd = _open(root, inside, path)
                except OSError as error:
                    if error.errno not in _ABSENT:
                        refusal = error
                    continue
                content: Content = File(fd)
                if is_cmdline(asked):
                    content = _cmdline(content, server, view.kernel_args)
                return path, content if mode == "octet" else Netascii(content)
        finally:
            os.close(root)
        raise _refusal(refusal) from refusal


def _open(root: int, inside: str, path: str) -> int:
    """Return a descriptor of the regular file ``path`` below ``root``. Raises OSError; EACCES for what is not served.

    ``inside``  where the root really is, with a slash at its end
    """
    place = os.open(os.fsencode(path), _PLACE, dir_fd=root)
    try:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            raise OSError(errno.EACCES, "not a file")
        if not _where(place).startswith(inside):
            raise OSError(errno.EACCES, "outside the root")
        return os.open(f"/proc/self/fd/{place}", _READ)
    finally:
        os.close(place)


def _where(place: int) -> str:
    return os.readlink(f"/proc/self/fd/{place}")  # noqa: PTH115 (pathlib takes three times as long)


def _refusal(error: OSError | None) -> TftpError:
    if error is None:
        return TftpError(Code.NOT_FOUND, "file not found")
    if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP):
        return TftpError(Code.ACCESS, "access violation")
    return TftpError(Code.UNDEFINED, f"cannot open: {error.strerror}")


def _cmdline(content: Content, server: str, kernel_args: str) -> Content:
    if content.size is None or content.size > MAX_CMDLINE:
        return content
    try:
        return Text(fill_cmdline(content.read(0, MAX_CMDLINE), server, kernel_args))
    finally:
        content.close()
