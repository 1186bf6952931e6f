"""A few deaths of the real daemon; ``python -m campaigns.kills`` has a thousand. And the judges see what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from campaigns.judge import Deeds, Judge
from campaigns.kills.orders import SCENARIOS, Named, named
from campaigns.kills.share import Share, carry_out
from campaigns.kills.topologies import TOPOLOGIES

from ockle.common.failpoints import POINTS
from ockle.simulator.ledger import Entry

SPEC = TOPOLOGIES["chain"]  # a on pdu-a 1, b on pdu-a 2, c on pdu-b 1; each needs the one before it
UP: list[tuple[str, str, str, dict[str, Any]]] = [
    ("power", "a", "on", {}), ("boot", "a", "", {}), ("up", "a", "", {}),
    ("power", "b", "on", {}), ("boot", "b", "", {}), ("up", "b", "", {}),
]  # fmt: skip


@pytest.mark.timeout(180)  # imports and two starts of a daemon, on a machine that may have more to do
def test_a_daemon_that_dies_right_after_a_send_loses_no_command() -> None:
    outcome = carry_out(Share(0, "chain", (Named("control.sent", 1, "off"),), 0, 1))
    assert [str(finding) for finding in outcome.findings] == []
    assert (outcome.named, outcome.lives) == (1, 2)
    assert outcome.counts["shutdown"] >= 3


def test_every_failpoint_is_in_the_campaign_and_every_death_has_a_scenario() -> None:
    assert {kill.point for kill in named()} == set(POINTS)
    assert {kill.scenario for kill in named()} <= set(SCENARIOS)


def ledger(*happened: tuple[str, str, str, dict[str, Any]]) -> list[Entry]:
    return [
        Entry(
            float(place), kind, device, what, {"closed": True, "value": True, "applied": True, "state": "up"} | detail
        )
        for place, (kind, device, what, detail) in enumerate(happened)
    ]


@pytest.mark.parametrize(
    ("happened", "promise"),
    [
        ([("set", "pdu-a", "2", {})], "I1: b was switched on while a"),
        ([*UP, ("shutdown", "a", "", {})], "I2c: a was shut down while b"),
        ([*UP, ("set", "pdu-a", "2", {"value": False})], "I2: b was to be cut while it was up"),
        ([*UP, ("power", "b", "off", {})], "I2: b lost its power while it was up"),
        ([("violation", "b", "up", {})], "I2: b was cut while its disk was mounted"),
        ([("set", "pdu-a", "1", {}), ("set", "pdu-a", "1", {"value": False})], "I3: outlet pdu-a/1"),
    ],
)
def test_the_judge_sees_a_broken_promise(happened: list[tuple[str, str, str, dict[str, Any]]], promise: str) -> None:
    judge = Judge(SPEC)
    judge.take(ledger(*happened))
    assert [finding.what for finding in judge.findings if finding.what.startswith(promise)] != []


def test_the_judge_sees_what_is_forced() -> None:
    judge = Judge(SPEC, forced={"b": "off"})
    judge.take(ledger(*UP, ("set", "pdu-a", "2", {})))
    assert [finding.what for finding in judge.findings] == ["I6: b is forced off and was switched on"]


def test_the_judge_is_content_with_the_right_order() -> None:
    judge = Judge(SPEC)
    relay: tuple[str, str, str, dict[str, Any]] = ("relay", "pdu-a", "1", {})
    off = ("relay", "pdu-a", "1", {"closed": False})
    judge.take(
        ledger(
            ("set", "pdu-a", "1", {}),
            relay,
            *UP[:3],
            ("shutdown", "a", "", {}),
            ("halted", "a", "", {}),
            ("set", "pdu-a", "1", {"value": False}),
            off,
            ("power", "a", "off", {"state": "halted"}),
        )
    )
    assert judge.findings == []


def intent(number: int, at: float, done_at: float | None, **other: Any) -> dict[str, Any]:
    outcome = None if done_at is None else "verified"
    row = {"id": number, "server": "a", "object": "psu1", "verb": "on", "at": at, "done_at": done_at}
    return {**row, "outcome": outcome, **other}


@pytest.mark.parametrize(
    ("rows", "promise"),
    [
        ([], "I9: set of pdu-a 1 has no intent"),
        ([intent(1, 101.0, 102.0)], "I9: set of pdu-a 1 has no intent"),  # written down after it was sent
        ([intent(1, 99.0, 99.5)], "I9: set of pdu-a 1 has no intent"),
        ([intent(1, 99.0, 102.0, verb="off")], "I9: set of pdu-a 1 has no intent"),
        ([intent(1, 99.0, None)], "I9: on a/psu1 has no outcome"),
        ([intent(1, 99.0, 102.0), intent(2, 101.0, 103.0, verb="off")], "I3: two switchings of a at once"),
        ([intent(1, 99.0, 102.0)], ""),
    ],
)
def test_the_journal_is_compared_with_what_the_devices_saw(rows: list[dict[str, Any]], promise: str) -> None:
    found = Deeds(SPEC, wall=100.0).judge(ledger(("set", "pdu-a", "1", {})), rows)
    assert [finding.what[: len(promise)] for finding in found] == [promise] * bool(promise)
