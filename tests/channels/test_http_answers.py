"""What is shown of a receiver's answer."""

from __future__ import annotations

from ockle.channels.http_post import SHOWN, _said
from ockle.common.http import Response
from ockle.common.logs import register_secret


def test_a_secret_that_is_sent_back_is_masked_also_where_the_answer_is_cut() -> None:
    secret = "token-that-a-receiver-echoes-7391"
    register_secret(secret)
    for before in range(SHOWN - len(secret) - 2, SHOWN):
        said = _said(Response(404, {}, f"{'x' * before} {secret} and more".encode()))
        assert "token" not in said
        assert len(said) <= SHOWN


def test_it_is_one_printable_line() -> None:
    assert _said(Response(200, {}, b"\x1b[31mred\r\n\xe2\x80\xaeevil")) == "?[31mred ?evil"
