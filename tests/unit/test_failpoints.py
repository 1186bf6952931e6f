"""Failpoints: every name stands at one place in the source, and an armed one does what it says at its pass."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.common import failpoints
from ockle.common.errors import ConfigError
from ockle.common.failpoints import POINTS, arm, failpoint

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("")


def test_every_name_stands_at_one_place_in_the_source() -> None:
    text = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    assert sorted(re.findall(r'failpoint\("([^"]+)"\)', text)) == sorted(POINTS)


def test_a_point_that_is_not_armed_does_nothing() -> None:
    arm("run.noted=kill")
    failpoint("run.durable")


@pytest.mark.parametrize(("passes", "code"), [(1, 0), (2, -signal.SIGKILL)])
def test_an_armed_point_kills_at_its_pass(passes: int, code: int) -> None:
    body = f"""
from ockle.common.failpoints import arm_from_environment, failpoint
arm_from_environment()
for _ in range({passes}):
    failpoint("outlet.sent")
"""
    environment = {"OCKLE_FAILPOINTS": "outlet.sent=kill@2", "PYTHONPATH": ":".join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", body], check=False, env=environment, timeout=30).returncode == code


def test_a_point_stalls_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    arm("store.committing=sleep:2.5")
    assert "FAILPOINTS ARE ARMED" in caplog.text
    failpoint("store.committing")
    failpoint("store.committing")
    assert slept == [2.5]


@pytest.mark.parametrize(
    "text", ["outlet.snet=kill", "outlet.sent", "outlet.sent=die", "outlet.sent=kill@0", "outlet.sent=sleep:x"]
)
def test_what_means_nothing_is_refused_and_arms_nothing(text: str) -> None:
    with pytest.raises(ConfigError, match=failpoints.VARIABLE):
        arm(f"run.noted=kill,{text}")
    failpoint("run.noted")
