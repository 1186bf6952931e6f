"""Clocks that step: a month ahead when NTP answers, a month back when somebody errs. Nothing depends on them."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from e2e import Site, chain, dependencies, judge_down, judge_up, site
from peers import missing

pytestmark = [pytest.mark.slow, pytest.mark.peer, pytest.mark.timeout(120)]

SPEC = chain("nas", "db")
MIN_OFF_S = 6.0
"""Longer than a restart of the daemon takes, as a rule."""


def library() -> Path:
    """Return libfaketime, in the form for programs with threads."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        missing("libfaketime is not installed (Debian: faketime)")
    return found[0]


def test_a_clock_that_steps_by_a_month_changes_nothing(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    environment = {
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    outlet = {"min_off_time": f"{MIN_OFF_S}s"}
    with site(SPEC, tmp_path, start=False, outlet=outlet) as made:
        made.start(environment=environment)
        for step, action, moment in (("+30d", "on", "power"), ("-30d", "off", "shutdown")):
            mark = len(made.ledger)
            run = made.order(action, "all")
            made.ledger.wait(moment, "nas" if action == "on" else "db", after=mark, timeout=30.0)
            clock.write_text(step)
            made.until("stepped", partial(_shows, made, step))
            assert made.ended(run)["state"] == "done"
        judge_up(made.ledger, SPEC, dependencies(SPEC))
        judge_down(made.ledger, SPEC, dependencies(SPEC), mark)
        off = made.ledger.entries("power", "nas")[-1]
        made.daemon.stop()
        clock.write_text("+30d")
        made.start(environment=environment)
        made.switch("on", "nas")  # also across a restart an outlet stays off for its time
        on = made.ledger.entries("power", "nas")[-1]
        assert (off.what, on.what) == ("off", "on")
        assert on.t - off.t >= MIN_OFF_S - 0.1


def _shows(made: Site, step: str) -> bool:
    """Tell whether the daemon's clock has made the step."""
    return abs(float(made.call("status")["time"]) - time.time() - float(step.rstrip("d")) * 86400) < 3600.0
