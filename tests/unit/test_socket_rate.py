"""What one address may have of the socket: requests over all its connections, also ended ones; and connections."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from ockle.config.references import Secret
from ockle.webserver.ockle_client.connection import ClientError
from socket_site import TOKENS, connect, listening


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


def test_another_machine_cannot_take_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.common.socket_server.SHARE_LEAST", 3)
    with (
        listening(max_connections=8, admin_token=Secret(TOKENS["admin"])) as (_services, listener),
        ExitStack() as stack,
    ):
        with monkeypatch.context() as patch:
            patch.setattr("ockle.common.socket_server._is_here", lambda _host: False)
            for _ in range(3):
                stack.enter_context(connect(listener, token=TOKENS["admin"])).call("echo")
            with pytest.raises(ClientError, match="too many clients"), connect(listener) as client:
                client.call("echo")
        for _ in range(5):  # those of this machine have the rest
            stack.enter_context(connect(listener)).call("echo")
        with pytest.raises(ClientError, match="too many clients"), connect(listener) as client:
            client.call("echo")
