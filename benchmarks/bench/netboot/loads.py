"""The load clients: compiled when they are needed, run, and judged for what they got."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .space import CLIENT, FIRST_BOARD, SERVER, WIRE

SOURCES = Path(__file__).parent
MIB = 1024 * 1024
LONGEST_S = 120.0


class WrongAnswerError(Exception):
    """A server gave wrong bytes, or none."""


@dataclass(frozen=True)
class BootFile:
    """``path``: none when the server must not have it."""

    name: str
    path: Path | None = None

    def __str__(self) -> str:
        return self.name if self.path is None else f"{self.name}={self.path}"


def judged(said: str, complaints: str = "") -> dict[str, Any]:
    """Return what a client prints at its end. Raises WrongAnswerError for wrong answers and for missing ones."""
    found: dict[str, Any] = json.loads(said)
    if bad := {key: found[key] for key in ("wrong", "failed", "doubled") if found.get(key)}:
        raise WrongAnswerError(f"{bad} {complaints.strip()[:200]}")
    return found


class Loads:
    """Raises RuntimeError, one line, when there is no compiler."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            raise RuntimeError("no C compiler (Debian: gcc)")
        self._folder = folder
        for name in ("tftp_load", "dhcp_load", "tcp_load"):
            command = [compiler, "-O2", "-o", str(folder / name), str(SOURCES / f"{name}.c")]
            subprocess.run(command, check=True, timeout=60)

    def command(self, name: str, *words: object, pinned: bool = False) -> list[str]:
        prefix = ["taskset", "--cpu-list", "0"] if pinned else []
        return [*prefix, str(self._folder / name), *map(str, words)]

    def run(self, name: str, *words: object, pinned: bool = False) -> dict[str, Any]:
        command = self.command(name, *words, pinned=pinned)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
        except subprocess.TimeoutExpired as error:
            raise WrongAnswerError(f"{name} is not done after {LONGEST_S:g} s") from error
        if done.returncode:
            raise WrongAnswerError(done.stderr.strip()[-300:])
        return judged(done.stdout, done.stderr)

    def tftp(
        self, files: Sequence[BootFile], clients: int, blksize: int, window: int, *,
        server: str = SERVER, pinned: bool = False, seconds: float = 0,
    ) -> dict[str, Any]:  # fmt: skip
        words = (server, 69, FIRST_BOARD, clients, blksize, window, seconds, *files)
        found = self.run("tftp_load", *words, pinned=pinned)
        if not seconds:
            here = sum(file.path is not None for file in files)
            expected = clients * here, clients * (len(files) - here)
            if (found["done"], found["refused"]) != expected:
                raise WrongAnswerError(f"{found['done']} files and {found['refused']} refusals instead of {expected}")
        return found

    def dhcp(self, way: str, first: int, count: int, in_flight: int, *, server: str = SERVER) -> dict[str, Any]:
        """``way``: relay or broadcast."""
        found = self.run("dhcp_load", way, server, CLIENT if way == "relay" else WIRE, first, count, in_flight)
        if found["done"] != count:
            raise WrongAnswerError(f"{found['done']} of {count} got an address")
        return found

    def tcp(self, port: int, clients: int, path: Path, words: str = "") -> dict[str, Any]:
        found = self.run("tcp_load", SERVER, port, FIRST_BOARD, clients, path, words)
        if found["done"] != clients:
            raise WrongAnswerError(f"{found['done']} of {clients} got the file")
        return found
