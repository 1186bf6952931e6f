"""One target, fuzzed in a process of its own: libFuzzer ends the process when it finds something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .target import CORPUS, load

ROOT = Path(__file__).resolve().parents[2]
HANG_S, RSS_MB = 1, 256
GRACE_S = 300.0
"""How much longer than asked a process may take, for its start and for what it has to read."""
WATCHED = ["ockle", "h11", "configobj", "paramiko.hostkeys"]
"""Packages whose branches lead the fuzzer."""


@dataclass(frozen=True)
class Outcome:
    """What one target did. ``edges`` of the code that were reached; ``failed``: why and with what, "" = not."""

    name: str
    executions: int
    seconds: float
    edges: int
    inputs: int
    peak_mb: int
    failed: str

    def line(self) -> str:
        rate = self.executions / max(self.seconds, 1e-9)
        return (
            f"{self.name:<14} {self.executions:>11,} executions in {self.seconds:>5.0f} s ({rate:>7,.0f}/s), "
            f"{self.edges:>4} edges, {self.inputs:>4} inputs, {self.peak_mb:>3} MB; {self.failed or 'nothing found'}"
        )


def run_child(name: str, arguments: list[str]) -> NoReturn:
    """Fuzz one target in this process."""
    import atheris

    with atheris.instrument_imports(include=WATCHED):
        target = load(name)
    atheris.Setup([sys.argv[0], *arguments], target.run)
    atheris.Fuzz()
    raise SystemExit(0)


def fuzz(name: str, seconds: float, folder: Path) -> Outcome:
    """Fuzz one target for ``seconds``; what it finds out is kept in ``folder``."""
    target = load(name)
    found, given = folder / name, folder / f"{name}.seeds"
    for one in (found, given):
        one.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (given / f"seed{number}").write_bytes(seed)
    arguments = [
        f"-max_total_time={seconds:.0f}", f"-timeout={HANG_S}", f"-rss_limit_mb={RSS_MB}", f"-max_len={target.most}",
        "-print_final_stats=1", f"-artifact_prefix={folder}/{name}.", str(found), str(given),
    ]  # fmt: skip
    if (CORPUS / name).is_dir():
        arguments.append(str(CORPUS / name))
    began = time.monotonic()
    process = _run(["--child", name, *arguments], seconds + GRACE_S)
    took = time.monotonic() - began
    said = process.stdout + process.stderr
    (folder / f"{name}.log").write_text(said, "utf-8")
    return Outcome(
        name,
        _last(r"stat::number_of_executed_units:\s+(\d+)", said) or _last(r"#(\d+)", said),
        took,
        _last(r" cov: (\d+)", said),
        _last(r" corp: (\d+)", said),
        _last(r"stat::peak_rss_mb:\s+(\d+)", said) or _last(r"rss: (\d+)Mb", said),
        _failure(said, process.returncode, name) if process.returncode else "",
    )


def _run(arguments: list[str], limit_s: float) -> subprocess.CompletedProcess[str]:
    # by its path: the hook of an editable install hides the package from atheris
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "typings"), str(ROOT)])}
    return subprocess.run(
        [sys.executable, "-m", "campaigns.fuzz", *arguments],
        capture_output=True, text=True, errors="replace", check=False, timeout=limit_s, env=environment,
    )  # fmt: skip


def _last(pattern: str, said: str) -> int:
    numbers = re.findall(pattern, said)
    return int(numbers[-1]) if numbers else 0


def _failure(said: str, code: int, name: str) -> str:
    """Return why the process ended as it did, and the file with the input that made it.

    libFuzzer's clock is the one on the wall: an input that takes long is given to the target once more, and its CPU
    time counts. On a busy machine nothing was found then, and the target ended sooner than it was asked to.
    """
    lines = [line for line in said.splitlines() if re.match(r"[\w.]*(?:Error|Exception)\b|==\d+== ?ERROR", line)]
    kept = re.findall(r"Test unit written to (\S+)", said)
    why = " / ".join(dict.fromkeys(lines)) or f"exit code {code}"
    if "libFuzzer: timeout" in why and kept:
        again = _run(["--replay", kept[-1], name], GRACE_S)
        took = re.search(r"([\d.]+) s of CPU", again.stdout)
        if took and float(took[1]) < HANG_S:
            return ""
    return f"FAILED: {why}; input: {', '.join(kept) or 'none'}"
