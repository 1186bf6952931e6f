"""A small HTTP/1.1 client: one request, bounded in time and size. What arrives is taken for hostile."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .errors import DeviceAnswerError, DeviceRefused, DeviceUnreachable
from .oserrors import reason

MAX_BODY: Final = 64 * 1024
MAX_HEAD: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where to fetch from. ``path`` begins with "/" and may have a query.

    ``verify``  check the certificate
    ``ca``      file of the authorities that are trusted instead of the system's, "" = the system's
    """

    host: str
    port: int
    path: str = "/"
    tls: bool = False
    verify: bool = True
    ca: str = ""

    @classmethod
    def of(cls, url: str, *, verify: bool = True, ca: str = "") -> Target:
        """Take an http or https URL apart; raises DeviceRefused when it is none, or holds a password."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise DeviceRefused(f"not a URL that can be fetched: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise DeviceRefused(f"{parts.scheme}://{parts.hostname}: not a URL that can be fetched")
        tls = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port or (443 if tls else 80), path, tls, verify, ca)

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, or sent. A header given here takes the place of the one that every request has."""

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


GET: Final = Request()


@dataclass(frozen=True, slots=True)
class Response:
    """``headers`` have names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


async def fetch(target: Target, timeout: float, *, request: Request = GET, max_body: int = MAX_BODY) -> Response:
    """Send ``request`` to ``target`` in at most ``timeout`` seconds, all stages together. No redirection is followed.

    Raises DeviceUnreachable (no connection, no answer in time), DeviceRefused (certificate; what HTTP cannot
    carry), DeviceAnswerError (not HTTP, more than ``max_body`` bytes, broken off).
    """
    try:
        async with asyncio.timeout(timeout):
            return await _fetch(target, request, max_body)
    except TimeoutError:
        raise DeviceUnreachable(f"{target.where}: no answer within {timeout:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise DeviceRefused(f"{target.where}: the certificate is not valid: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise DeviceAnswerError(f"{target.where}: TLS: {error.reason or error}") from error
    except OSError as error:
        raise DeviceUnreachable(f"{target.where}: {reason(error)}") from error


async def fetch_json(target: Target, timeout: float, *, request: Request = GET) -> dict[str, Any]:
    """Return the JSON object at ``target``; raises as ``fetch`` does, and DeviceAnswerError when it is none."""
    response = await fetch(target, timeout, request=request)
    if response.status != 200:
        raise DeviceAnswerError(f"{target.where}: status {response.status}, not 200")
    return json_object(response.text(), target.where)


def json_object(text: str, where: str) -> dict[str, Any]:
    """Return the JSON object that ``text`` holds; raises DeviceAnswerError when it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DeviceAnswerError(f"{where}: not JSON: {text[:60]!r}") from error
    if not isinstance(found, dict):
        raise DeviceAnswerError(f"{where}: not a JSON object: {text[:60]!r}")
    return found


def tls_context(*, verify: bool = True, ca: str = "") -> ssl.SSLContext:
    """Return what TLS is spoken with, see ``Target``. Raises DeviceRefused when ``ca`` holds no certificates."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:  # SSLError is one
        problem = "holds no certificate" if isinstance(error, ssl.SSLError) else reason(error)
        raise DeviceRefused(f"the file {ca} of certificate authorities: {problem}") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _fetch(target: Target, request: Request, max_body: int) -> Response:
    context = tls_context(verify=target.verify, ca=target.ca) if target.tls else None
    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        writer.write(encoded(connection, target, request))
        await writer.drain()
        return await receive(connection, reader, target, max_body)
    finally:
        writer.transport.abort()


def encoded(connection: h11.Connection, target: Target, request: Request = GET) -> bytes:
    """Return the bytes of a request. Raises DeviceRefused for one that HTTP cannot carry; no header stands in it."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    headers = {"Host": f"{host}:{target.port}", "User-Agent": "ockle", "Accept": "*/*", "Connection": "close"}
    if request.method not in ("GET", "HEAD"):
        headers["Content-Length"] = str(len(request.body))
    headers |= {name.title(): value for name, value in request.headers.items()}
    try:
        head = connection.send(h11.Request(method=request.method, target=target.path, headers=list(headers.items())))
        body = connection.send(h11.Data(data=request.body)) if request.body else b""
        return (head or b"") + (body or b"") + (connection.send(h11.EndOfMessage()) or b"")
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        # neither the path nor a header is shown: a token may stand in them
        raise DeviceRefused(f"{target.where}: the address or a header holds what HTTP cannot carry") from error


async def receive(connection: h11.Connection, reader: asyncio.StreamReader, target: Target, max_body: int) -> Response:
    """Return the answer to what was sent on ``connection``. Raises DeviceUnreachable, DeviceAnswerError."""
    try:
        return await _receive(connection, reader, target, max_body)
    except h11.RemoteProtocolError as error:
        raise DeviceAnswerError(f"{target.where}: not HTTP: {str(error)[:200]}") from error


async def _receive(connection: h11.Connection, reader: asyncio.StreamReader, target: Target, max_body: int) -> Response:
    head: h11.Response | None = None
    body = bytearray()
    answered = False
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(16 * 1024)
            if not data and not answered:
                raise DeviceUnreachable(f"{target.where}: closed without an answer")
            answered = True
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > max_body:
                raise DeviceAnswerError(f"{target.where}: the answer has more than {max_body // 1024} KiB")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
            return Response(head.status_code, headers, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise DeviceAnswerError(f"{target.where}: the answer broke off")
