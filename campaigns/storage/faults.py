"""Calls that fail: strace has the n-th fsync or write of the worker fail, or a limit cuts a write short."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .judge import broken, look
from .worker import BROKEN

ROUNDS = 25
TIMEOUT_S = 120.0
KINDS = {
    "fsync EIO": "fsync,fdatasync:error=EIO",
    "write EIO": "pwrite64:error=EIO",
    "write ENOSPC": "pwrite64:error=ENOSPC",
    "write of nothing": "pwrite64:retval=0",
    "short write": "",
}
SYNCS, WRITES, BYTES = 30, 160, (4096, 150_000)
"""How many of these calls a run without faults makes, about: the n-th is drawn from them."""


@dataclass(frozen=True)
class Run:
    """One life of the worker with a fault. ``end``: what it came to; ``findings``: broken promises."""

    kind: str
    command: str
    end: str
    findings: list[str]


def run(folder: Path, kind: str, draw: random.Random) -> Run:
    """Have a worker on an empty folder meet one fault, and look at what it leaves."""
    limit = draw.randrange(*BYTES) if kind == "short write" else 0
    worker = [sys.executable, "-m", "campaigns.storage.worker", str(folder), str(ROUNDS), str(limit)]
    calls, _, fault = KINDS[kind].partition(":")
    nth = draw.randrange(1, SYNCS if "sync" in calls else WRITES)
    forever = "+" if draw.random() < 0.5 else ""
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
    strace += ["-e", f"inject={calls}:{fault}:when={nth}{forever}"]
    command = worker if limit else [*strace, *worker]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    words = [line.split(" ", 2) for line in done.stdout.splitlines()]
    acked = max((int(word[1]) for word in words if word[0] == "acked"), default=0)
    tried = max((int(word[1]) for word in words if word[0] in ("acked", "refused")), default=0)
    sent = {int(word[1]) for word in words if word[0] == "send"}
    ended = {BROKEN: "ended", 2: "did not start", 0: "went on"}.get(done.returncode, f"exit {done.returncode}")
    findings = broken(look(folder), acked, sent, tried + 1)
    if ended.startswith("exit"):
        findings.append(f"exit code {done.returncode}: {done.stderr[-600:]}")
    if done.returncode and not any(word[0] in ("broken", "no") for word in words):
        findings.append(f"it ended without saying why: {done.stdout[-200:]}")
    return Run(kind, " ".join(command), ended, findings)
