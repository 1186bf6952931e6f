"""The fault schedule in a few seconds; ``python -m campaigns.faults`` has fifteen minutes of it."""

from __future__ import annotations

import pytest
from campaigns.common import Report
from campaigns.faults.__main__ import run
from campaigns.faults.schedule import schedule
from campaigns.judge import Judge
from campaigns.networks import network

from ockle.simulator.ledger import Entry

SMALL = network(4, 2, 1, speed=1 / 240)


@pytest.mark.timeout(180)  # as the kills
def test_after_faults_of_all_kinds_everything_is_where_it_was_ordered() -> None:
    report = Report("faults")
    run(report, SMALL, 1.0, 1, least_cycles=0)
    assert [str(finding) for finding in report.findings] == []


def test_the_same_seed_has_the_same_faults_and_all_of_them() -> None:
    spec = network(50, 6, 3)
    events = schedule(spec, 900.0, 3)
    assert [(event.at, event.what) for event in events] == [
        (event.at, event.what) for event in schedule(spec, 900.0, 3)
    ]
    assert {event.what for event in events} >= {
        "order", "reboot", "lie", "shutdown_hangs", "locked", "boot_fails", "mains fail", "clock step",
    }  # fmt: skip
    count = {what: sum(event.what == what for event in events) for what in ("mains fail", "clock step", "mains")}
    assert count == {"mains fail": 3, "clock step": 6, "mains": 3}


def entries(*happened: tuple[float, str, str, str]) -> list[Entry]:
    detail = {"closed": True, "value": True, "applied": True, "state": "up"}
    return [Entry(t, kind, device, what, detail) for t, kind, device, what in happened]


@pytest.mark.parametrize(
    ("fault_at", "late_s", "broken"), [(None, 0.0, True), (3.0, 0.0, False), (0.5, 0.0, True), (None, 2.0, False)]
)
def test_only_what_nobody_could_know_is_excused(fault_at: float | None, late_s: float, broken: bool) -> None:
    """srv001 stops serving at 3 s; at 4 s a SET switches on what needs it."""
    user = next(machine for machine in SMALL.machines if machine.depends == ("srv001",))
    judge = Judge(SMALL, excuse_s=2.0, late_s=late_s, faulty={user.supplies[0][0]})
    judge.take(entries((1, "power", "srv001", "on"), (1, "boot", "srv001", ""), (2, "up", "srv001", "")))
    if fault_at is not None:
        judge.fault("srv001", fault_at)
    judge.take(entries((3, "boot", "srv001", ""), (4, "set", user.supplies[0][0], str(user.supplies[0][1]))))
    assert ([finding.what[:2] for finding in judge.findings] == ["I1"]) is broken
