"""What follows from how a site is wired: who is reached through whom, and what must never go dark under Ockle."""

from __future__ import annotations

from collections.abc import Iterator

from ..config.site import PartConfig, ServerConfig, Site
from ..config.templates import GENERATOR_SECTION
from .cycles import Implied
from .ServerNetwork import ServerNetwork

KINDS = {"outlet": "outlets", "control": "controllers", "test": "testers"}
"""Kind of a server's part -> kind of what makes it."""


def reached_through(site: Site) -> Iterator[Implied]:
    """Yield the dependencies that follow from ``via``: whoever has a part at a device needs what leads there.

    A server's own controls and tests may go through itself: when it is down, there is nothing to ask. Its own outlets
    may not: they could be switched off through it, but not on again.
    """
    for server in site.servers.values():
        for part in server.parts():
            yield from _of_part(site, server, part)


def _of_part(site: Site, server: ServerConfig, part: PartConfig) -> Iterator[Implied]:
    kind = KINDS[part.kind]
    generator = site.generators(kind)[part.generator]
    for needed in generator.settings["via"]:
        if needed in site.servers and (needed != server.name or part.kind == "outlet"):
            text = f"{generator.name} is reached through {needed}"
            yield Implied(server.name, needed, text, generator.file, GENERATOR_SECTION[kind])


def keep_daemon_fed(network: ServerNetwork, name: str) -> None:
    """Mark what Ockle itself needs: the server ``name`` that it runs on, what that needs, what shares their outlets.

    No plan and no automation switches these off (I13).
    """
    reasons = {name: "Ockle runs on it"}
    for needed in network.all_dependencies(network.group(name)):
        reasons.setdefault(needed, f"{name}, which Ockle runs on, needs it")
    for mate in network.group(name):
        reasons.setdefault(mate, f"it gets its power with {name}, which Ockle runs on")
    for server, reason in reasons.items():
        network.getServernode(server).facts.policy.carries_daemon = reason
