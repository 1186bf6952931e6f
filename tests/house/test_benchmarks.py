"""The benchmarks run and print what ``docs/performance.md`` explains; how fast is not for a test to say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_quick_power_up_prints_every_figure() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/powerup.py"), "--quick"],
        capture_output=True, text=True, timeout=50, check=False, env=environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert list(dict.fromkeys(names)) == ["machine", "bare", "turns", "growth", "durable", "memory", "looks", "boots"]
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in names if name != "machine")
