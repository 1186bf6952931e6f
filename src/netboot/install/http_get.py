"""What a client may ask of a root file system over HTTP: all of it, or what it lacks. Bytes in, bytes out; no socket.

``GET /SHA256`` gives the file with that checksum and nothing else, ``GET /`` whatever is installed now. A range that
begins somewhere and has no end (RFC 9110, section 14.1.2) is honoured: ``busybox wget -c`` and ``curl -C -`` go on so.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

import h11

MOST_HEAD = 8192
_PATH = re.compile(rb"/([0-9a-f]{64})?")
_RANGE = re.compile(rb"bytes=(\d{1,15})-")


class HttpRefused(Exception):
    """The request is answered with an error. ``status`` is that of HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Wanted:
    """``digest``  what the file must be, "" = any
    ``offset``  where to begin, None = nothing was said of it
    ``head``    only the header is wanted
    ``token``   what the client says as its bearer token
    """

    digest: str = ""
    offset: int | None = None
    head: bool = False
    token: str = ""

    def knows(self, token: str) -> bool:
        return not token or hmac.compare_digest(self.token.encode(), token.encode())


def parse_request(data: bytes) -> Wanted | None:
    """Return what is wanted, None when the request is not whole yet. Raises HttpRefused."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
    try:
        connection.receive_data(data)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise HttpRefused(400, "this is not HTTP") from error
    if event is h11.NEED_DATA:
        return None
    if not isinstance(event, h11.Request):
        raise HttpRefused(400, "this is not a request")
    if event.method not in (b"GET", b"HEAD"):
        raise HttpRefused(405, "only GET and HEAD")
    path = _PATH.fullmatch(event.target)
    if path is None:
        raise HttpRefused(404, "there is only / and /SHA256")
    headers = dict(event.headers)
    found = _RANGE.fullmatch(headers.get(b"range", b"").strip())
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return Wanted(
        (path[1] or b"").decode(),
        int(found[1]) if found else None,
        event.method == b"HEAD",
        token.strip().decode("latin-1") if scheme.lower() == b"bearer" else "",
    )


def header(wanted: Wanted, size: int, digest: str) -> tuple[bytes, int]:
    """Return the header of an answer, and the offset from which the file follows. Raises HttpRefused.

    ``size``, ``digest``  of the file
    """
    if wanted.digest and wanted.digest != digest:
        raise HttpRefused(404, "the root file system is another one now")
    fields = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("ETag", f'"{digest}"')]
    if wanted.offset is None:
        return _encode(200, [("Content-Length", str(size)), *fields]), 0
    if wanted.offset >= size:
        raise HttpRefused(416, f"it has {size} bytes")
    span = f"bytes {wanted.offset}-{size - 1}/{size}"
    length = str(size - wanted.offset)
    return _encode(206, [("Content-Length", length), ("Content-Range", span), *fields]), wanted.offset


def refusal(error: HttpRefused) -> bytes:
    """Return the whole answer to a request that is refused."""
    text = f"{error}\n".encode()
    more = {401: [("WWW-Authenticate", "Bearer")], 405: [("Allow", "GET, HEAD")]}.get(error.status, [])
    return _encode(error.status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), *more]) + text


_REASONS = {
    200: "OK",
    206: "Partial Content",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    416: "Range Not Satisfiable",
    503: "Service Unavailable",
}


def _encode(status: int, fields: list[tuple[str, str]]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        *(f"{name}: {value}" for name, value in fields),
        "Connection: close",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
