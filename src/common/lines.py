"""Lines out of a stream of bytes, each at most so long. Imports nothing: the command line starts with it."""

from __future__ import annotations


class LineTooLong(ValueError):
    """More bytes than the limit without a newline: where the next line starts is not known any more."""


class LineBuffer:
    """Takes bytes as they arrive and gives lines as they are asked for.

    A line may have ``limit`` bytes without its newline. Who takes after each ``feed`` until there is None keeps no
    more than ``limit`` bytes and what was fed last.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = bytearray()
        self._scanned = 0  # bytes known to hold no newline

    def __len__(self) -> int:
        """Return how many bytes wait, of which none may be a whole line yet."""
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        self._bytes += data

    def take(self) -> bytes | None:
        """Return the next line without its newline, None when it is not complete. Raises LineTooLong."""
        end = self._bytes.find(b"\n", self._scanned, self.limit + 1)
        if end >= 0:
            line = bytes(self._bytes[:end])
            del self._bytes[: end + 1]
            self._scanned = 0
            return line
        if len(self._bytes) > self.limit:
            raise LineTooLong(f"a line of more than {self.limit} bytes")
        self._scanned = len(self._bytes)
        return None

    def clear(self) -> None:
        self._bytes.clear()
        self._scanned = 0
