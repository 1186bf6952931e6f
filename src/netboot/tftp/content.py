"""Contents to be sent: read in order, with a step back as far as what was not acknowledged; bounded memory."""

from __future__ import annotations

import os
from typing import Protocol

from .packet import Code, TftpError

_PIECE = 64 * 1024


class Content(Protocol):
    """What a transfer reads. ``size`` in bytes as it will be sent; None: nobody knows before the end."""

    @property
    def size(self) -> int | None: ...

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes from ``offset``; fewer only at the end. Raises TftpError when the content changed."""

    def close(self) -> None: ...


class Text:
    """A content that is in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, count: int) -> bytes:
        return self._data[offset : offset + count]

    def close(self) -> None:
        return


class File:
    """An open file, which has to stay what it was when it was opened: else its reader would get halves of two files.

    A file that another one takes the place of (``rename``) is not touched by that: the open one is sent to its end.
    """

    def __init__(self, fd: int) -> None:
        """Take over ``fd``, a regular file."""
        self._fd = fd
        self._was = _identity(fd)
        self.size = self._was[0]

    def read(self, offset: int, count: int) -> bytes:
        try:
            data = os.pread(self._fd, count, offset)
            now = _identity(self._fd)
        except OSError as error:
            raise TftpError(Code.UNDEFINED, f"reading failed: {error.strerror}") from error
        if now != self._was or len(data) != min(count, max(0, self.size - offset)):
            raise TftpError(Code.UNDEFINED, "the file changed while it was sent")
        return data

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


class Netascii:
    """A content as netascii: LF becomes CR LF, CR becomes CR NUL (RFC 1350 section 1, RFC 764).

    Its size is not known before its end, so ``tsize`` is not answered.
    """

    size = None

    def __init__(self, content: Content) -> None:
        self._content = content
        self._taken = 0  # bytes of the content that are encoded
        self._start = 0  # offset of what is kept
        self._kept = b""

    def read(self, offset: int, count: int) -> bytes:
        if offset > self._start:
            self._kept = self._kept[offset - self._start :]
            self._start = offset
        while len(self._kept) < count:
            piece = self._content.read(self._taken, _PIECE)
            self._taken += len(piece)
            self._kept += encode_netascii(piece)
            if len(piece) < _PIECE:
                break
        return self._kept[:count]

    def close(self) -> None:
        self._content.close()


def encode_netascii(data: bytes) -> bytes:
    """Return ``data`` in netascii. Byte by byte, so that pieces may be encoded one after the other."""
    return data.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_size, found.st_mtime_ns
