"""Numeric addresses need no thread; names have a deadline."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ockle.common.datagram_address import find_address


def test_a_number_waits_for_no_look_up_and_a_name_not_for_ever() -> None:
    free = threading.Event()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        held = loop.run_in_executor(None, free.wait, 20)  # as by the look-up of a name that nobody answers for
        assert await find_address("127.0.0.1", 161, 0.2) == ("127.0.0.1", 161)
        assert (await find_address("::1", 161, 0.2))[:2] == ("::1", 161)
        with pytest.raises(TimeoutError):
            await find_address("localhost", 161, 0.2)
        free.set()
        await held
        assert (await find_address("localhost", 161, 5.0))[1] == 161

    asyncio.run(asyncio.wait_for(scenario(), 20))
