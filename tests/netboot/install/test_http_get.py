"""The requests for a root file system, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.install.http_get import HttpRefused, Wanted, header, parse_request, refusal

SUM = "ab" * 32


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


def test_what_is_wanted() -> None:
    assert parse_request(get("/")) == Wanted()
    assert parse_request(get(f"/{SUM}", "Range: bytes=17-")) == Wanted(SUM, 17)
    assert parse_request(get("/", "Authorization: bearer a b", method="HEAD")) == Wanted(head=True, token="a b")
    assert parse_request(get("/", "Range: bytes=1-5")) == Wanted()  # not offered, so the whole is sent
    assert parse_request(get("/", "Range: bytes=-5")) == Wanted()
    assert parse_request(get("/")[:-2]) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("/../etc/passwd"), 404),
        (get("/rootfs.tgz"), 404),
        (get(f"/{SUM.upper()}"), 404),
        (get("/", method="PUT"), 405),
        (b"IS_INSTALLED\n\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 9000, 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ],
)
def test_what_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(HttpRefused) as caught:
        parse_request(data)
    assert caught.value.status == status
    assert refusal(caught.value).startswith(f"HTTP/1.1 {status} ".encode())


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes="]),
)
def test_any_bytes_are_a_request_or_refused(data: bytes, before: bytes) -> None:
    try:
        wanted = parse_request(before + data + b"\r\n\r\n")
    except HttpRefused:
        return
    assert wanted is None or wanted.offset is None or wanted.offset >= 0


def test_the_header_says_what_follows() -> None:
    head, offset = header(Wanted(SUM, 10), 100, SUM)
    assert offset == 10
    assert b"206 Partial Content" in head and b"Content-Length: 90\r\n" in head
    assert b"Content-Range: bytes 10-99/100\r\n" in head
    head, offset = header(Wanted(), 100, SUM)
    assert offset == 0 and b"200 OK" in head and b"Content-Length: 100\r\n" in head and SUM.encode() in head
    for wanted, status in ((Wanted("00" * 32), 404), (Wanted(SUM, 100), 416)):
        with pytest.raises(HttpRefused) as caught:
            header(wanted, 100, SUM)
        assert caught.value.status == status


def test_a_token_is_compared_whole() -> None:
    assert Wanted(token="a").knows("a") and Wanted().knows("")
    assert not Wanted(token="a").knows("ab") and not Wanted().knows("a")
