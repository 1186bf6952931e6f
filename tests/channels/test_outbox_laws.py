"""Whatever happens to receivers, the daemon and its configuration: in the end everybody knows how things are."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.channels.ChannelTemplate import TryLater
from ockle.common.errors import DeviceRefused, DeviceUnreachable
from ockle.engine.alerts.outbox import Outbox
from outbox_rig import Rig, message

FAULTS = {
    "fine": None,
    "down": DeviceUnreachable("there: Connection refused"),
    "refused": DeviceRefused("there: status 403"),
    "later": TryLater("there: status 429", 30.0),
}
ALERTS = range(1, 4)

actions = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(ALERTS)),
        st.tuples(st.just("say"), st.sampled_from(ALERTS)),
        st.tuples(st.just("end"), st.sampled_from(ALERTS)),
        st.tuples(st.just("sleep"), st.sampled_from([0.0, 0.05, 0.11, 1.0, 40.0, 7 * 3600.0])),
        st.tuples(st.just("fault"), st.sampled_from([*FAULTS, "hang"])),
        st.tuples(st.just("opening"), st.sampled_from([0.0, 0.3, 30.0])),
        st.tuples(st.just("reload"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("test"), st.just(0)),
    ),
    max_size=25,
)
channels = st.sampled_from(
    [{}, {"rate": "1"}, {"rate": "3"}, {"quiet": ["18:00-06:00"]}, {"quiet": ["12:00-13:00"], "rate": "2"}]
)


class Play:
    """Plays actions; ``put``: title of each message that was put -> alert and kind, in order."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.put: dict[str, tuple[int, str]] = {}
        self._open: set[int] = set()
        self._comment = 0

    async def act(self, outbox: Outbox, what: str, value: object) -> None:
        receiver = self.rig["ops"]
        if what in ("say", "end"):
            assert isinstance(value, int)
            if what == "say":
                self._put(outbox, value, "reminder" if value in self._open else "problem")
            elif value in self._open:
                self._put(outbox, value, "recovery")
        elif what == "sleep":
            assert isinstance(value, float)
            await asyncio.sleep(value)
        elif what == "fault":
            receiver.hang, receiver.fault = value == "hang", FAULTS.get(str(value))
        elif what == "opening":
            assert isinstance(value, float)
            receiver.opening_s = value
        elif what == "reload":
            self._comment += 1
            options = {**self.options, "comment": str(self._comment)}
            self.rig.channels["ops"] = self.rig.config("ops", options)
            await self.rig.take()
        elif what == "test":
            test = asyncio.create_task(outbox.test("ops"))
            await asyncio.wait([test], timeout=0.2)
            test.cancel()
            await asyncio.gather(test, return_exceptions=True)

    options: dict[str, str | list[str]]

    def _put(self, outbox: Outbox, alert: int, kind: str) -> None:
        (self._open.discard if kind == "recovery" else self._open.add)(alert)
        title = f"m{len(self.put)}."
        self.put[title] = (alert, kind)
        severity = "critical" if alert == 1 and len(self.put) % 2 else "warning"
        outbox.put(message(alert, kind, severity, title=title, at=float(len(self.put))))

    def heard(self) -> dict[int, list[tuple[str, bool]]]:
        """Return what the receiver was told of each alert, in order: the message, and whether it is over."""
        found: dict[int, list[tuple[str, bool]]] = {alert: [] for alert in ALERTS}
        for one in self.rig["ops"].got:
            for line in (one.title, *one.lines):
                if match := re.match(r"m\d+\.", line):
                    alert, kind = self.put[match[0]]
                    found[alert].append((match[0], kind == "recovery" or "it is over" in line))
        return found


@settings(max_examples=40)
@given(actions, channels)
def test_in_the_end_everybody_knows(some: list[tuple[str, object]], options: dict[str, str | list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), ops=options)
        play = Play(rig)
        play.options = options
        lives: list[list[tuple[str, object]]] = [[]]
        for what, value in some:
            if what == "restart":
                lives.append([])
            else:
                lives[-1].append((what, value))
        for life in lives:

            async def scenario(outbox: Outbox, life: list[tuple[str, object]] = life) -> None:
                for what, value in life:
                    await play.act(outbox, what, value)

            rig.play(scenario)

        async def at_last(outbox: Outbox) -> None:
            receiver = rig["ops"]
            receiver.hang, receiver.fault, receiver.opening_s = False, None, 0.0
            await asyncio.sleep(23 * 3600)
            [state] = outbox.states()
            assert (state["waiting"], state["lost"], state["problem"]) == (0, 0, "")

        rig.play(at_last)
        numbers = list(play.put)
        for alert, told in play.heard().items():
            meant = [(title, kind) for title, (about, kind) in play.put.items() if about == alert]
            if not meant:
                continue
            order = [numbers.index(title) for title, _ in told]
            assert order == sorted(order)
            assert told[-1][1] is (meant[-1][1] == "recovery")
            if meant[-1][1] != "recovery":
                assert told[-1][0] == meant[-1][0]
