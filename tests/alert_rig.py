"""Alerts over the engine on machines in memory, on a virtual clock: looks as the plugin does, keeps what is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ockle.common.alert_message import AlertMessage
from ockle.engine.alerts.desk import AlertDesk
from ockle.engine.alerts.looking import Looker
from ockle.engine.alerts.rules import Rules
from ockle.engine.alerts.telling import Sender
from ockle.engine.engine import Engine
from ockle.store.alert_store import AlertStore

EVERY_S = 5.0
WEBS = [f"web{number}" for number in range(1, 31)]


class Watched:
    """An engine that is looked at."""

    def __init__(self, engine: Engine, path: Path, rules: Rules | None = None) -> None:
        self.engine = engine
        self.sent: list[AlertMessage] = []
        self.store = AlertStore(path / "alerts.db")
        self.desk = AlertDesk(
            self.store, engine.core.clock, engine.core.events, self.sent.append, rules or Rules(), Sender("rack")
        )
        self.desk.load()
        self.looker = Looker(engine)
        engine.core.events.subscribe(self.desk.notice)

    async def wait(self, seconds: float) -> list[AlertMessage]:
        """Look for so long; returns what was sent meanwhile."""
        before = len(self.sent)
        for _ in range(int(seconds / EVERY_S)):
            seen = self.looker.look()
            self.desk.look(seen.problems, seen.passes)
            await asyncio.sleep(EVERY_S)
        return self.sent[before:]

    def wrong(self) -> dict[str, str]:
        """Return the problems there are now: key -> text."""
        return {problem.key: problem.text for problem in self.looker.look().problems}


def told(messages: list[AlertMessage]) -> list[tuple[str, str]]:
    return [(message.kind, message.subject) for message in messages]


async def all_on(engine: Engine) -> None:
    """Have all servers up."""
    await (await engine.order("on", [node.name for node in engine.network], who="eva")).finished.wait()
