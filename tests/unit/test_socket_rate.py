"""The rate limit of the socket: per address, over all its connections, also those that have ended."""

from __future__ import annotations

import time

import pytest

from socket_site import connect, listening


def test_an_address_that_asks_too_fast_has_to_wait_also_with_a_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.common.socket_server.RATE_PER_S", 20.0)
    monkeypatch.setattr("ockle.common.socket_server.BURST", 10.0)
    with listening() as (_services, listener):
        begun = time.monotonic()
        for _ in range(4):
            with connect(listener) as client:
                for number in range(5):
                    assert client.call("echo", {"n": number}) == {"n": number}
        assert time.monotonic() - begun >= (4 * 5 - 10) / 20.0
