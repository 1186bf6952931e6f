"""What the channel MQTT keeps on the broker: published when it changes, and removed when it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from .mqtt_discovery import KEPT, Home, components_of, devices, parting, server_id
from .mqtt_link import Link, Received
from .mqtt_payloads import Data, Look, alert_state, encoded, network_state, node_state, server_states

log = logging.getLogger(__name__)

MOST_MET = 20_000
"""So many messages of an earlier connection are heeded; more are no daemon's."""


class Mirror:
    """Brings the broker's retained messages to what they should be.

    In a new connection it first hears what is there of an earlier one (``meet``), which may be another daemon's with
    servers that are gone by now; so nothing has to be remembered here.
    """

    def __init__(self, link: Link, home: Home, *, discovery: bool) -> None:
        self._link = link
        self._home = home
        self._discovery = discovery
        self._measured: set[str] = set()  # servers that something measures, or once did
        self._published: dict[str, bytes] = {}  # what the broker has of this connection
        self._met: dict[str, bytes] = {}  # what it had before
        self._descriptions: dict[str, Data] = {}

    def begin(self) -> None:
        """A new connection: nothing is known to be there."""
        self._published.clear()
        self._met.clear()

    def meet(self, message: Received) -> None:
        """Take in what the broker had kept of a topic that is ours."""
        ours = message.retained and message.payload and self._home.topics.keeps(message.topic)
        if ours and message.topic not in self._published and len(self._met) < MOST_MET:
            self._met[message.topic] = message.payload

    def again(self) -> None:
        """Have everything published anew: somebody has come who may have missed it."""
        self._published = dict.fromkeys(self._published, b"")

    async def sync(self, look: Look) -> None:
        """Publish what has changed. Raises DeviceError."""
        states = self._states(look)
        self._descriptions = self._described(look)
        described = {topic: encoded(one) for topic, one in self._descriptions.items()}
        await self._bring(dict(list(described.items())[:1]))  # the network's, before those that name it
        await self._bring(described)
        await self._bring(states)
        wanted = {*states, *self._descriptions}
        await self._remove({*self._published, *self._met} - wanted)
        self._met.clear()

    def _states(self, look: Look) -> dict[str, bytes]:
        topics = self._home.topics
        found: dict[str, Data] = {topics.network: network_state(look)}
        found |= {topics.server(name): state for name, state in server_states(look).items()}
        found |= {topics.alert(alert["id"]): alert_state(alert) for alert in look.told()}
        found |= {topics.node(node["name"]): node_state(node) for node in look.nodes}
        return {topic: encoded(state) for topic, state in found.items()}

    def _described(self, look: Look) -> dict[str, Data]:
        if not self._discovery:
            return {}
        self._measured |= {name for name, part in look.parts.items() if part.power_w is not None}
        self._measured |= {
            name for name in look.servers if KEPT in components_of(self._met.get(self._topic_of(name), b""))
        }
        return devices(self._home, look, self._measured)

    def _topic_of(self, server: str) -> str:
        return self._home.topics.device(server_id(server))

    async def _bring(self, wanted: Mapping[str, bytes]) -> None:
        changed = [topic for topic, payload in wanted.items() if self._published.get(topic) != payload]
        await _all(self._put(topic, wanted[topic]) for topic in changed)

    async def _put(self, topic: str, payload: bytes) -> None:
        gone = self._gone(topic)
        if gone:
            await self._link.publish(topic, encoded(parting(self._descriptions[topic], gone)), qos=1, retain=True)
        await self._link.publish(topic, payload, qos=self._home.qos, retain=True)
        self._published[topic] = payload

    def _gone(self, topic: str) -> dict[str, str]:
        """Return the components that the description at ``topic`` had before and has no more."""
        description = self._descriptions.get(topic)
        if description is None:
            return {}
        earlier = components_of(self._published.get(topic) or self._met.get(topic, b""))
        return {key: platform for key, platform in earlier.items() if key not in description["components"]}

    async def _remove(self, topics: set[str]) -> None:
        if topics:
            log.info("MQTT: %d kept messages are removed, of what is no more", len(topics))
        await _all(self._clear(topic) for topic in topics)

    async def _clear(self, topic: str) -> None:
        await self._link.publish(topic, b"", qos=1, retain=True)
        self._published.pop(topic, None)


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of ``works`` at the same time; the first that raises ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        for task in tasks:
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
