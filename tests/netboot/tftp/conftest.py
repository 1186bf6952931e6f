"""One boot server with TFTP for the tests of a file, and the files it serves."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from netboot_site import Serving, serving

SIZES = (0, 1, 511, 512, 513, 1024, 5 * 1428, 16 * 1428, 100_000)


@dataclass
class Site:
    """``boot`` is the root of the files, ``where`` the server."""

    serving: Serving
    boot: Path
    where: tuple[str, int]

    def put(self, name: str, data: bytes | str = b"") -> bytes:
        """Write a file below the root and return its bytes."""
        path = self.boot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = data.encode() if isinstance(data, str) else data
        path.write_bytes(raw)
        return raw

    def random(self, name: str, size: int) -> bytes:
        return self.put(name, random.Random(name).randbytes(size))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tmp = tmp_path_factory.mktemp("tftp")
    with serving(tmp, "tftp", tftp_client_transfers=200, tftp_client_rate=0) as server:
        found = Site(server, tmp / "etc" / "netboot" / "boot", server.at("tftp"))
        for size in SIZES:
            found.random(f"s{size}", size)
        found.put("secret-outside/../hello.txt", "hello\n")
        (tmp / "secret").write_text("secret")
        (found.boot.parent / "boot-sibling").mkdir()
        (found.boot.parent / "boot-sibling" / "x").write_text("secret")
        (found.boot / "leads-out").symlink_to("../../../secret")
        (found.boot / "leads-in").symlink_to("hello.txt")
        (found.boot / "leads-in-absolute").symlink_to(found.boot / "hello.txt")
        (found.boot / "all").symlink_to("/")
        os.mkfifo(found.boot / "fifo")
        yield found
