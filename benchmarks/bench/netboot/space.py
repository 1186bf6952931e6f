"""Two network namespaces and a cable, of this process alone: servers there, clients here.

Nothing outside is reached, and all of it ends with this process. For root: servers want to become somebody else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = "10.77.0.1"
CLIENT = "10.77.0.2"
MORE_SERVERS = ("10.77.0.3", "10.77.0.4", "10.77.0.5", "10.77.0.6")
"""Further addresses on that side, so that several servers can have the same port."""
BOARDS = "10.77.16.0"
"""4096 addresses that are all of this side: a client can have one each."""
FIRST_BOARD = "10.77.16.1"
WIRE = "wire"
UNSHARE = ("unshare", "--net", "--mount")
_INSIDE = "OCKLE_BENCH_SPACE"


def cannot() -> str:
    """Return why there can be no namespaces here, or nothing."""
    if os.geteuid() != 0:
        return "only for root"
    for program in ("unshare", "nsenter", "ip"):
        if not shutil.which(program):
            return f"{program} is not installed"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def enter() -> None:
    """Start this script again in namespaces of its own; return when it is in them."""
    if os.environ.get(_INSIDE):
        return
    sys.stdout.flush()
    environment = {**os.environ, _INSIDE: "1"}
    os.execvpe("unshare", [*UNSHARE, sys.executable, *sys.argv], environment)  # noqa: S606


class Space:
    """``there``: what goes before the command line of a server."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.there = ("nsenter", f"--net=/proc/{pid}/ns/net", "--")


@contextmanager
def cabled() -> Iterator[Space]:
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        own = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + 10
        while Path(f"/proc/{holder.pid}/ns/net").readlink() == own:
            if time.monotonic() > deadline:
                raise RuntimeError("the second network namespace does not come")
            time.sleep(0.01)
        space = Space(holder.pid)
        _ip("link", "add", "name", WIRE, "type", "veth", "peer", "name", WIRE, "netns", str(holder.pid))
        for prefix, addresses in (((), (CLIENT,)), (space.there, (SERVER, *MORE_SERVERS))):
            for address in addresses:
                _ip("address", "add", f"{address}/16", "broadcast", "+", "dev", WIRE, prefix=prefix)
            _ip("link", "set", WIRE, "up", prefix=prefix)
            _ip("link", "set", "lo", "up", prefix=prefix)
        _ip("route", "add", "local", f"{BOARDS}/20", "dev", "lo")
        yield space
    finally:
        holder.kill()
        holder.wait()


def _ip(*words: str, prefix: tuple[str, ...] = ()) -> None:
    subprocess.run([*prefix, "ip", *words], check=True, timeout=20)
