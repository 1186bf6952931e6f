"""Browsers that poll, as far as a server can tell: HTTP/1.1 connections that stay open and ask once a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles

READ_S = 30.0


@dataclass
class Polls:
    """``seconds``: of each answer; ``late``: polls that began after the moment when the one behind them was due."""

    seconds: list[float] = field(default_factory=list)
    late: int = 0
    bytes: int = 0

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1]


class Browser:
    """One connection, kept open."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._port = port
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str, body: bytes | None = None, headers: str = "") -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer. Raises RuntimeError when there is none."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        method = "GET" if body is None else "POST"
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\n{length}{self._headers}{headers}\r\n"
        self._writer.write(head.encode() + (body or b""))
        return await asyncio.wait_for(self._answer(), READ_S)

    async def _answer(self) -> tuple[int, dict[str, str], bytes]:
        assert self._reader is not None
        status = int((await self._reader.readline()).split()[1])
        headers: dict[str, str] = {}
        while (line := (await self._reader.readline()).decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "content-length" not in headers:
            raise RuntimeError(f"an answer {status} without its length ends the connection")
        return status, headers, await self._reader.readexactly(int(headers["content-length"]))

    async def poll(self, path: str, until: float, every_s: float, polls: Polls) -> None:
        """Ask for the newest states ``every_s`` seconds until the monotonic time ``until``."""
        rev = ""
        due = time.monotonic() + every_s * (id(self) // 64 % 97) / 97  # not all in one moment
        while due < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            began = time.perf_counter()
            status, _headers, body = await self.ask(f"{path}?since={rev}" if rev else path)
            polls.seconds.append(time.perf_counter() - began)
            polls.bytes += len(body)
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
            rev = json.loads(body)["rev"]
            due += every_s
            polls.late += time.monotonic() > due

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
