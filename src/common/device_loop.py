"""The one event loop on which every device is spoken to, and the door to it from other threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .errors import DeviceUnreachable, OckleError

log = logging.getLogger(__name__)
T = TypeVar("T")

DOOR_TIMEOUT_S = 900.0
"""How long a synchronous caller waits at most when it names no limit of its own."""


class DeviceLoop:
    """An asyncio event loop in a thread of its own.

    Threads hand work in with ``call``; on the loop itself a blocking call is a programming error and raises.
    """

    def __init__(self, name: str = "devices") -> None:
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._ready.set)
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    def call(self, work: Coroutine[Any, Any, T], timeout: float = DOOR_TIMEOUT_S) -> T:
        """Run ``work`` on the device loop and return its result; raises what it raises.

        Raises OckleError when called on the device loop or when ``timeout`` seconds pass (the work is cancelled).
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise OckleError("a blocking call on the device loop would stop every device: await its async twin")
        if self.loop.is_closed():
            work.close()
            raise OckleError("the device loop has stopped")
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            if future.done():  # the work itself raised a TimeoutError
                raise
            future.cancel()
            raise OckleError(f"no result within {timeout:g} s") from None

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Have ``function`` called on the loop soon; does nothing when the loop has stopped."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(function, *arguments)

    def stop(self, timeout: float = 5.0) -> None:
        """Cancel what still runs, stop the loop and wait for its thread."""
        if self.loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result(timeout)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout)


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=3) if others else None


_shared_lock = threading.Lock()


@functools.cache
def _make_shared() -> DeviceLoop:
    return DeviceLoop("devices-shared")


def shared_loop() -> DeviceLoop:
    """Return the loop for objects that are used without a daemon, made at the first call."""
    with _shared_lock:
        return _make_shared()


BLOCKING_MOST = 64
"""Plain functions of drivers that may be at work at the same time, hung ones included."""

SLOT_LOOK_S = 0.02
_blocking_slots = threading.BoundedSemaphore(BLOCKING_MOST)


async def run_blocking(
    function: Callable[[], T],
    timeout: float,
    what: str,
    before: Callable[[], None] | None = None,
    overdue: Callable[[], Callable[[], None]] | None = None,
) -> T:
    """Run a plain function in a thread and return its result within ``timeout`` seconds.

    Each call has a thread of its own (not a pool's): a driver that hangs in spite of its deadline can keep its
    thread, but never the place of another device. Raises DeviceUnreachable when the time is over, or when as long a
    wait has brought no thread.

    ``before``   called right before the thread starts; what it raises keeps it from starting
    ``overdue``  called when the time is over and the thread goes on; what it returns is called when that has ended
    """
    loop = asyncio.get_running_loop()
    late = _Late()
    result: asyncio.Future[T] = loop.create_future()

    def deliver(value: Any, error: BaseException | None) -> None:
        if result.done():  # nobody waits any more
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)

    def work() -> None:
        value, error = None, None
        try:
            value = context.run(function)
        except BaseException as caught:  # noqa: BLE001 - handed to the caller, whatever it is
            error = caught
        finally:
            _blocking_slots.release()
            late.ended()
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, value, error)

    context = contextvars.copy_context()
    await _take_slot(timeout, what)
    try:
        if before is not None:
            before()
        threading.Thread(target=work, name=f"driver {what}", daemon=True).start()
    except BaseException:
        _blocking_slots.release()
        raise
    try:
        return await asyncio.wait_for(result, timeout)
    except BaseException as problem:
        if overdue is not None:
            late.tell(overdue)
        if isinstance(problem, TimeoutError):
            raise DeviceUnreachable(f"{what}: no result within {timeout:g} s") from None
        raise


class _Late:
    """Hands over from who waits for a thread to the thread, once nobody waits any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._tell_end: Callable[[], None] | None = None

    def tell(self, overdue: Callable[[], Callable[[], None]]) -> None:
        """Have ``overdue`` called, unless the thread has ended; what it returns is called by the thread's end."""
        with self._lock:
            if not self._over:
                self._tell_end = overdue()

    def ended(self) -> None:
        with self._lock:
            self._over = True
            tell_end = self._tell_end
        if tell_end is not None:
            tell_end()


async def _take_slot(timeout: float, what: str) -> None:
    """Wait for a place among the threads; they are given back by threads of any loop, so it is looked for."""
    deadline = time.monotonic() + timeout
    while not _blocking_slots.acquire(blocking=False):
        if time.monotonic() >= deadline:
            raise DeviceUnreachable(f"{what}: too many device calls hang already")
        await asyncio.sleep(SLOT_LOOK_S)
