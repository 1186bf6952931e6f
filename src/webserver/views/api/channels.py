"""Channels: where alerts are told, what waits to be sent, and a test of each."""

from __future__ import annotations

from typing import Any

from .endpoint import Call, endpoint
from .schema import array, boolean, integer, nullable, number, record, text

TEST_S = 60.0
CHANNEL = record(
    "A way by which alerts are told. Change it through the configuration.",
    name=text(),
    type=text("Slack, Email, …"),
    comment=text(),
    enabled=boolean(),
    waiting=integer("messages that are not sent yet"),
    sent_at=nullable(number("when it last sent one, in seconds since 1970; null: not yet")),
    lost=integer("messages that were given up since it last sent one"),
    refused=boolean("somebody has to change something before it can send"),
    problem=text("why it cannot send, empty: all is well"),
    quiet_until=nullable(number("end of its quiet hours, in seconds since 1970; null: these are none")),
)


@endpoint(
    "GET",
    "/channels",
    "Return the channels by which alerts are told.",
    answer=record("", channels=array(CHANNEL)),
    problems=(501,),
)
def list_channels(call: Call) -> dict[str, Any]:
    return call.daemon("getChannels")


@endpoint(
    "POST",
    "/channels/{channel}/test",
    "Send a test message by a channel now, and return what its receiver said.",
    "operate",
    path={"channel": text("name of a channel", minLength=1, maxLength=300)},
    answer=record("", channel=text(), ok=boolean(), text=text("what its receiver said, or why it could not be sent")),
    problems=(404, 409, 501, 502),
)
def test_channel(call: Call) -> dict[str, Any]:
    return call.daemon("testChannel", call.path, TEST_S)
