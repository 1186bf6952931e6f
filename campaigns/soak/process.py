"""What a process takes of the machine, from /proc (proc(5))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """``written``: bytes that it has had written to disks so far."""

    rss: int
    files: int
    threads: int
    written: int
    wal: int


def usage(pid: int, wal: Path) -> Usage:
    """Look at the process ``pid`` and at its write-ahead log, which need not exist."""
    proc = Path(f"/proc/{pid}")
    status = _table(proc / "status")
    return Usage(
        rss=int(status["VmRSS"].split()[0]) * 1024,
        files=len(list((proc / "fd").iterdir())),
        threads=int(status["Threads"]),
        written=int(_table(proc / "io")["write_bytes"]),
        wal=wal.stat().st_size if wal.exists() else 0,
    )


def _table(path: Path) -> dict[str, str]:
    return dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
