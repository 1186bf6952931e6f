"""What ``ockle status`` costs before it does anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

TYPINGS = Path(__file__).resolve().parents[2] / "typings"
STATUS = "import sys; sys.argv[1:] = '--host unix:/nonexistent/socket status'.split(); "
STATUS += "from ockle.__main__ import main; sys.exit(main())"
HEAVY = {
    *("asyncio", "ssl", "networkx", "rich", "sqlalchemy", "paramiko", "pysnmp", "configobj", "concurrent.futures"),
    *(
        "dataclasses",
        "inspect",
        "shutil",
        "subprocess",
        "tempfile",
        "difflib",
        "logging",
        "typing",
        "urllib.request",
        "shtab",
    ),
}
ROUNDS = 15
LIMIT = 2.5


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of an installed Ockle: compiled modules are kept, and nothing is measured."""
    left_out = ("COV", "PYTHONDONTWRITEBYTECODE", "OCKLE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    cache = tmp_path_factory.mktemp("bytecode")
    return {**kept, "PYTHONPATH": str(TYPINGS), "PYTHONPYCACHEPREFIX": str(cache)}


def _run(code: str, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_status_imports_nothing_heavy(environment: dict[str, str]) -> None:
    code = STATUS.replace("sys.exit(", "code = (") + "; print(' '.join(sys.modules)); sys.exit(code)"
    done = _run(code, environment, "-S")  # without site: what is imported there is not ours
    assert done.returncode == 3, done.stderr
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.slow
def test_status_starts_within_two_and_a_half_times_of_nothing(environment: dict[str, str]) -> None:
    _run(STATUS, environment)  # compiles
    ratios = [_ratio(environment) for _try in range(3)]
    assert min(ratios) <= LIMIT, f"{ratios}: of several tries, as the machine has other work, the best counts"


def _ratio(environment: dict[str, str]) -> float:
    """Return the median time of status over that of nothing, taken in turns."""
    status, nothing = [], []
    for _round in range(ROUNDS):
        status.append(_seconds(STATUS, environment))
        nothing.append(_seconds("pass", environment))
    return median(status) / median(nothing)


def _seconds(code: str, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    _run(code, environment)
    return time.perf_counter() - start
