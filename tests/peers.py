"""Programs written by others that tests speak to, and free ports for them.

A missing peer skips a test on a developer's machine; in CI (``OCKLE_REQUIRE_PEERS=1``) it fails, because there a skip
would be a hole that nobody sees.
"""

from __future__ import annotations

import os
import shutil
import socket
from typing import Literal, NoReturn

import pytest

_SBIN = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))


def peers_required() -> bool:
    """Whether a missing peer is a failure."""
    return os.environ.get("OCKLE_REQUIRE_PEERS", "") not in ("", "0")


def missing(reason: str) -> NoReturn:
    """Skip the running test for ``reason``, or fail it where peers are required."""
    if peers_required():
        pytest.fail(f"OCKLE_REQUIRE_PEERS is set: {reason}", pytrace=False)
    pytest.skip(reason)


def peer(program: str) -> str:
    """Return the full path of ``program``, also from the sbin folders that users don't have on PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", os.defpath) + os.pathsep + _SBIN)
    if path is None:
        missing(f"{program} is not installed")
    return path


def free_port(kind: Literal["tcp", "udp"] = "tcp", host: str = "127.0.0.1") -> int:
    """Return a port of ``host`` that nobody uses now.

    Only for programs that cannot bind port 0 themselves: until they bind it, somebody else may.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
