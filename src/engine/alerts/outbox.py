"""The Outbox: takes messages, keeps them safe, and sees to it that each channel gets those that it is for."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...channels.make import channel_of
from ...common.alert_message import AlertMessage
from ...common.clock import Clock
from ...common.errors import CommandError
from ...common.logs import redact
from ...common.problems import Problem, Severity
from ...common.services import DaemonServices
from ...config.channels import PLUGIN
from ...config.model import ObjectConfig
from ...config.selectors import named
from ...store.outbox_store import OutboxStore
from .ledger import Ledger
from .link import Make
from .post import Post
from .routing import quiet_until
from .waiting import Entry


class Outbox:
    """``take``, ``put``, ``run`` and ``test`` are used on one event loop, ``states`` and ``problems`` anywhere.

    Each message is tried until it has arrived, has waited for too long or has made room for others: at least once, with
    the same ``id`` each time. ``tell`` is called with what people may want to know of that, a sentence each.
    """

    def __init__(self, path: Path, clock: Clock, tell: Callable[[str], None], make: Make = channel_of) -> None:
        self._clock = clock
        self._tell: Callable[[str], None] = lambda text: tell(redact(text))
        self._make = make
        self._ledger = Ledger(OutboxStore(path), self._tell)
        self._loaded = False
        self._site = ""
        self._posts: dict[str, Post] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def take(self, channels: Mapping[str, ObjectConfig], services: DaemonServices) -> None:
        """Use these channels from now on; one that is as it was goes on with what it does."""
        self._loop = asyncio.get_running_loop()
        self._site = services.plugin_settings(PLUGIN)["site_name"] or socket.gethostname()
        if not self._loaded:
            self._ledger.load()
            self._loaded = True
        kept = {name: post for name, post in self._posts.items() if name in channels and post.is_as(channels[name])}
        await asyncio.gather(*(post.close() for name, post in self._posts.items() if name not in kept))
        self._posts = posts = {
            name: kept.get(name) or Post(config, self._make, services, self._ledger, self._clock, self._tell)
            for name, config in channels.items()
        }
        for name in sorted(self._ledger.known()):
            if name not in posts or not posts[name].rules.enabled:
                self._forget(name)
        for post in posts.values():
            post.servers = named(services.site, post.rules.servers)
            if post.task is None and post.rules.enabled:
                post.task = asyncio.create_task(post.run(), name=f"channel {post.name}")

    def _forget(self, name: str) -> None:
        if waited := self._ledger.forget(name):
            why = "is disabled" if name in self._posts else "is no more"
            self._tell(f"channel {name} {why}: what waited for it ({waited}) is dropped")

    def put(self, message: AlertMessage) -> None:
        """Have a message sent to all channels that it is for; it is on disk when this returns."""
        posts = [post for post in self._posts.values() if post.wants(message)]
        stamp = self._clock.stamp()
        self._ledger.write(
            {post.name: (*post.entries, Entry(self._ledger.number(), message, stamp)) for post in posts},
        )
        for post in posts:
            post.wake()

    async def run(self) -> None:
        """Keep everything going until cancelled, then end the channels; what waits stays for the next time."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.gather(*(post.close() for post in self._posts.values()))
            self._posts = {}
            self._ledger.close()

    async def test(self, channel: str) -> str:
        """Send a message to a channel at once, past its rules and its queue; return what the receiver said.

        Raises OckleError.
        """
        post = self._posts.get(channel)
        if post is None:
            known = ", ".join(sorted(self._posts)) or "none"
            raise CommandError(f"there is no channel {channel!r}; there is: {known}", "not_found")
        text = f"If you can read this, alerts arrive by the channel {channel}."
        title, now = "Ockle: a test of the alerts", self._clock.wall()
        message = AlertMessage(uuid.uuid4().hex, "test", Severity.INFO, title, (text,), at=now, site=self._site)
        return await post.test(message)

    def test_from_outside(self, channel: str, timeout: float) -> str:
        """Do ``test`` from another thread."""
        if self._loop is None or not self._loop.is_running():
            raise CommandError("the alerts are not running yet; try again", "timeout")
        future = asyncio.run_coroutine_threadsafe(self.test(channel), self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise CommandError(f"channel {channel}: no result within {timeout:g} s", "timeout") from None

    def problems(self) -> list[Problem]:
        """Return the problems that channels have themselves."""
        return [problem for post in list(self._posts.values()) if (problem := post.problem()) is not None]

    def states(self) -> list[dict[str, Any]]:
        """Return the channels for a client, by name. Times are seconds since 1970."""
        return [self._state(post) for _, post in sorted(self._posts.copy().items())]

    def _state(self, post: Post) -> dict[str, Any]:
        row, settings = self._ledger.channel(post.name), post.config.settings
        return {
            "name": post.name,
            "type": post.config.type,
            "comment": settings["comment"],
            "enabled": post.rules.enabled,
            "waiting": len(post.entries),
            "sent_at": row.sent_at,
            "lost": row.lost,
            "problem": "" if post.trouble is None else post.trouble.text,
            "refused": post.trouble is not None and post.trouble.refused,
            "quiet_until": _finite(quiet_until(post.rules, Severity.INFO, self._clock.wall())),
        }


def _finite(moment: float | None) -> float | None:
    return None if moment is None or moment == float("inf") else moment
