"""What the soak measures and how it judges; the measuring itself takes minutes, see ``python -m campaigns.soak``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from campaigns.common import Report
from campaigns.soak.__main__ import Soak, tell
from campaigns.soak.process import Usage, usage

GOOD = Usage(rss=100_000_000, files=30, threads=8, written=0, wal=1_000_000)


def test_a_process_is_measured(tmp_path: Path) -> None:
    wal = tmp_path / "wal"
    wal.write_bytes(b"x" * 10)
    before = usage(os.getpid(), wal)
    with (tmp_path / "more").open("wb"):
        after = usage(os.getpid(), tmp_path / "none")
    assert before.wal == 10
    assert after.wal == 0
    assert after.files == before.files + 1
    assert before.rss > 1_000_000
    assert before.threads >= 1


@pytest.mark.parametrize(
    ("last", "lag_s", "written", "broken"),
    [
        (GOOD, 0.01, 1000, []),
        (replace(GOOD, rss=103_000_000), 0.01, 1000, ["its growth"]),
        (replace(GOOD, files=31), 0.01, 1000, ["open files"]),
        (replace(GOOD, threads=9), 0.01, 1000, ["open threads"]),
        (replace(GOOD, wal=70_000_000), 0.01, 1000, ["write-ahead log"]),
        (GOOD, 0.2, 1000, ["device loop late"]),
        (GOOD, 0.01, 10_000_000, ["written for one", "written a day"]),
    ],
)
def test_what_grows_is_found(last: Usage, lag_s: float, written: int, broken: list[str]) -> None:
    soak = Soak(cast("Any", SimpleNamespace(judge=SimpleNamespace(cycles=10))))
    soak.samples = [GOOD] * 50 + [last] * 50
    soak.lags = [lag_s] * 200
    soak.busy, soak.idle = (10, written), (200.0, written)
    report = Report("soak")
    tell(report, soak, 200)
    assert [finding.what[: len(text)] for finding, text in zip(report.findings, broken, strict=True)] == broken
