"""What is sent to people survives JSON, and the channel that writes it to the log."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.channels.log import Log
from ockle.common.alert_message import MESSAGE_KINDS, AlertMessage
from ockle.common.problems import Severity

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.builds(
    AlertMessage,
    id=TEXTS,
    kind=st.sampled_from(MESSAGE_KINDS),
    severity=st.sampled_from(Severity),
    title=TEXTS,
    lines=st.lists(TEXTS, max_size=3).map(tuple),
    at=st.floats(0, 1e10),
    alert=st.integers(0, 2**31),
    servers=st.lists(TEXTS, max_size=3).map(tuple),
)


@given(message=MESSAGES)
def test_a_message_is_the_same_after_json(message: AlertMessage) -> None:
    assert AlertMessage.of_dict(json.loads(json.dumps(message.as_dict()))) == message


def test_severities_are_ranked() -> None:
    assert [one.rank for one in (Severity.INFO, Severity.WARNING, Severity.CRITICAL)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "severity", "level"),
    [
        ("problem", Severity.CRITICAL, "ERROR"),
        ("problem", Severity.WARNING, "WARNING"),
        ("recovery", Severity.CRITICAL, "INFO"),
        ("notice", Severity.INFO, "INFO"),
    ],
)
def test_the_log_gets_a_line(kind: str, severity: Severity, level: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        asyncio.run(Log("all", {}).send(AlertMessage("1", kind, severity, "web1: failed to start", ("also: web2",))))
    assert caplog.record_tuples == [
        ("ockle.channels.log", getattr(logging, level), f"alert {kind}: web1: failed to start; also: web2")
    ]
