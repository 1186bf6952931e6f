"""Sends a file through a socket by sendfile(2): the bytes never come into this process, whatever the file's size."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl

AT_ONCE = 4 << 20
"""Bytes of one call: as much as a socket takes at all. A quarter of it costs 16 readers twice the CPU time and more."""
SLOW_ONCE = 128 << 10
SLOW_S = 0.01
"""A call that took longer has waited for the disk: the next one asks for less, so that nobody waits long with it."""
SIOCOUTQ = 0x5411
LOOK_S = 0.02


class SendFailed(Exception):
    """The client is gone, or the file is shorter than it was."""


async def send_file(handle: int, sock: socket.socket, offset: int, end: int, moved: Callable[[int], None]) -> None:
    """Send the bytes from ``offset`` to ``end`` of the open file ``handle``.

    ``sock``   does not block; the loop sends a part whenever it has room, one socket after the other
    ``moved``  called with how many bytes the socket took
    Raises SendFailed; takes no time limit of its own: cancel it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    at, step = offset, AT_ONCE

    def room() -> None:
        nonlocal at, step
        if done.done():
            return
        began = time.perf_counter()
        try:
            sent = os.sendfile(sock.fileno(), handle, at, min(step, end - at))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            done.set_exception(SendFailed(error.strerror or str(error)))
            return
        step = AT_ONCE if time.perf_counter() - began < SLOW_S else SLOW_ONCE
        if not sent:
            done.set_exception(SendFailed("the file has become shorter"))
            return
        at += sent
        moved(sent)
        if at >= end:
            done.set_result(None)

    if at >= end:
        return
    os.posix_fadvise(handle, offset, 0, os.POSIX_FADV_SEQUENTIAL)
    loop.add_writer(sock, room)
    try:
        await done
    finally:
        loop.remove_writer(sock)


async def all_taken(sock: socket.socket) -> None:
    """End this side of the connection; return when the client's system has confirmed every byte. Raises SendFailed."""
    try:
        sock.shutdown(socket.SHUT_WR)
        while unsent(sock):
            await asyncio.sleep(LOOK_S)
            if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise SendFailed(os.strerror(error))
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise SendFailed(os.strerror(error))
    except OSError as error:
        raise SendFailed(error.strerror or str(error)) from error


def unsent(sock: socket.socket) -> int:
    """Return how many bytes the client's system has not confirmed yet."""
    (waiting,) = struct.unpack("i", ioctl(sock.fileno(), SIOCOUTQ, bytes(4)))
    return int(waiting)


async def until_closed(sock: socket.socket) -> None:
    """Read and forget until the client closes: closing over bytes of it would take from it what it has not read."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while await loop.sock_recv(sock, 4096):
            pass


def reset(sock: socket.socket) -> None:
    """Close so that the client sees an error, and never takes what it has for the whole."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
