"""A PostgreSQL server on loopback, for tests of the store: Debian's, in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers import free_port, missing

ACCOUNT = "nobody"
"""The server refuses to run as root."""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database; ``folder`` has to be one that other accounts may enter."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        missing("postgres is not installed (Debian: postgresql)")
    tools = found[-1].parent
    data, port = folder / "data", free_port()
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, ACCOUNT)
    account = {"user": ACCOUNT, "group": "nogroup"} if os.geteuid() == 0 else {}

    def run(program: str, *words: str) -> None:
        subprocess.run(  # type: ignore[call-overload]
            [tools / program, *words], check=True, timeout=60, cwd=folder, stdout=subprocess.DEVNULL, **account
        )

    run("initdb", "--pgdata", str(data), "--username=ockle", "--auth=trust", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories="
    log = str(data / "log")
    run("pg_ctl", "--pgdata", str(data), "--wait", "--timeout=30", "--options", options, "--log", log, "start")
    try:
        yield f"postgresql+psycopg://ockle@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "--pgdata", str(data), "--wait", "--mode=immediate", "stop")
