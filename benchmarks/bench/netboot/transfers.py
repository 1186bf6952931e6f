"""TFTP: several servers at once on addresses of their own, asked by turns."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from ..processes import Process
from ..report import Report, Target
from . import usage
from .loads import MIB, BootFile, Loads

OURS, DNSMASQ, HPA, ATFTPD = "ockle", "dnsmasq", "tftpd-hpa", "atftpd"


@dataclass(frozen=True)
class Case:
    """``sizes``: bytes of the files that each client reads, 0 = it is missing; ``goals``: what share of whose speed."""

    name: str
    what: str
    clients: int
    sizes: Sequence[int]
    blksize: int
    window: int = 0
    goals: dict[str, float] = field(default_factory=dict)
    cpu_goal: float = 0.0
    pinned: bool = False


def pi_files(count: int = 30) -> list[int]:
    """What a board asks for: every fourth file is not there, as for a Raspberry Pi."""
    return [size for number in range(count) for size in ([64 * 1024, 0] if number % 4 == 3 else [64 * 1024])]


CASES = (
    Case("tftp", "1 client, blksize 512", 1, [8 * MIB], 0, pinned=True),
    Case("tftp", "1 client, blksize 1428", 1, [16 * MIB], 1428, goals={DNSMASQ: 0.85}, pinned=True),
    Case("tftp", "1 client, blksize 1428, windowsize 16", 1, [32 * MIB], 1428, 16,
         {DNSMASQ: 4.0, ATFTPD: 1.5}, 0.45, pinned=True),
    Case("tftp", "32 clients, blksize 1428", 32, [2 * MIB], 1428, goals={DNSMASQ: 0.7, HPA: 1.2, ATFTPD: 1.2}),
    Case("tftp", "32 clients, blksize 1428, windowsize 16", 32, [4 * MIB], 1428, 16, {DNSMASQ: 2.2, ATFTPD: 1.5}, 0.45),
    Case("tftp", "128 clients, blksize 1428", 128, [MIB // 2], 1428),
    Case("tftp", "128 clients, blksize 1428, windowsize 16", 128, [MIB], 1428, 16,
         {DNSMASQ: 2.2, ATFTPD: 1.5}, 0.45),
    Case("small", "32 clients, 30 files of 64 KiB, 7 more are missing", 32, pi_files(), 1428,
         goals={DNSMASQ: 0.7, HPA: 2.0}),
    Case("small", "128 clients, 30 files of 64 KiB, 7 more are missing", 128, pi_files(), 1428),
)  # fmt: skip
QUICK = tuple(
    replace(
        case,
        clients=min(case.clients, 4),
        sizes=[min(size, 100_000) for size in case.sizes[:8]],
        goals={},
        cpu_goal=0.0,
    )
    for case in (CASES[2], CASES[3], CASES[7])
)


@dataclass(frozen=True)
class Contender:
    name: str
    address: str
    process: Process


@dataclass(frozen=True)
class Took:
    mib_s: float
    cpu_s_per_gib: float


def boot_files(root: Path, sizes: Sequence[int]) -> list[BootFile]:
    """Make what is not there yet; the same size is another file each time it stands in ``sizes``."""
    files = []
    for number, size in enumerate(sizes):
        name = f"{size}-{number}.bin" if size else f"missing-{number}.bin"
        if size and not (root / name).exists():
            (root / name).write_bytes(random.Random(number).randbytes(size))
        files.append(BootFile(name, root / name if size else None))
    return files


def once(loads: Loads, case: Case, files: Sequence[BootFile], contender: Contender) -> Took:
    pid = contender.process.popen.pid
    if case.pinned:
        usage.pin(pid, {0})
    before = usage.cpu_s(pid)
    try:
        found = loads.tftp(files, case.clients, case.blksize, case.window, server=contender.address, pinned=case.pinned)
    finally:
        if case.pinned:
            usage.pin(pid, os.sched_getaffinity(0))
    cpu_s = usage.cpu_s(pid) - before
    return Took(found["bytes"] / MIB / found["seconds"], cpu_s / (found["bytes"] / MIB / 1024))


def compare(
    report: Report, loads: Loads, root: Path, contenders: Sequence[Contender], cases: Sequence[Case], rounds: int
) -> None:
    """Measure each case with all, by turns; what is compared is each round with itself."""
    for case in cases:
        files = boot_files(root, case.sizes)
        took: dict[str, list[Took]] = {contender.name: [] for contender in contenders}
        for _ in range(rounds):
            for contender in contenders:
                took[contender.name].append(once(loads, case, files, contender))
        report.aimed(case.name, f"{case.what}: {_figures(took)}", _targets(case, took))
    at = ", ".join(f"{one.name} {usage.memory_mb(one.process.popen.pid):.0f}" for one in contenders)
    ours = [
        Target("MiB", usage.memory_mb(one.process.popen.pid), 40, at_most=True)
        for one in contenders
        if one.name == OURS
    ]
    report.aimed("memory", f"after 128 clients, in MiB: {at}", ours)


def _figures(took: dict[str, list[Took]]) -> str:
    def of(name: str) -> str:
        speed, cpu = median(one.mib_s for one in took[name]), median(one.cpu_s_per_gib for one in took[name])
        # tftpd-hpa has a process for each transfer and leaves none of them to be counted
        return f"{name} {speed:.0f} MiB/s" + (f", {cpu:.2f} s/GiB" if name != HPA else "")

    return "; ".join(map(of, took))


def _targets(case: Case, took: dict[str, list[Took]]) -> list[Target]:
    if OURS not in took:
        return []

    def share(peer: str, what: str) -> float:
        pairs = zip(took[OURS], took[peer], strict=True)
        return float(median(getattr(ours, what) / getattr(its, what) for ours, its in pairs))

    found = [
        Target(f"{case.what}, of {peer}'s speed", share(peer, "mib_s"), limit)
        for peer, limit in case.goals.items()
        if peer in took
    ]
    if case.cpu_goal and DNSMASQ in took:
        cpu = share(DNSMASQ, "cpu_s_per_gib")
        found.append(Target(f"{case.what}, of dnsmasq's CPU time", cpu, case.cpu_goal, at_most=True))
    return found
