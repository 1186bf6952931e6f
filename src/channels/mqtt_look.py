"""Asks the daemon, by its own commands, for what the channel MQTT publishes. Takes time: call it in a thread."""

from __future__ import annotations

import socket
from typing import Any

from ..common.access import Caller
from ..common.CommunicationMessage import UNKNOWN_COMMAND, Message
from ..common.errors import OckleError
from ..common.services import DaemonServices
from .mqtt_payloads import Data, Look, Part

VIEWER = Caller("mqtt", "viewer", "mqtt")
MOST_ALERTS = 1000
DOOR_S = 30.0


def look(services: DaemonServices) -> Look:
    """Return what is now. Raises OckleError when the daemon does not answer, at its end for one."""
    status = _ask(services, "status", {})
    if status is None:
        raise OckleError("the daemon does not know the command status")
    alerts = _ask(services, "getAlerts", {"state": "open", "limit": MOST_ALERTS})
    nodes = _ask(services, "getNodes", {})
    of_alerts = services.plugin_settings("Alerts")
    return Look(
        status,
        services.device_loop.call(_parts(services), DOOR_S),
        None if alerts is None else alerts["alerts"],
        [] if nodes is None else nodes["nodes"],
        of_alerts["site_name"] or socket.gethostname(),
        of_alerts["base_url"],
    )


def _ask(services: DaemonServices, command: str, data: Data) -> Data | None:
    """Return what ``command`` answers; None if no plugin that has it is loaded. Raises OckleError."""
    reply = services.communicationHandler.handleMessage(Message(command, data), VIEWER)
    if reply.error is not None:
        raise OckleError(f"{command}: {reply.error['message']}")
    return None if reply.command == UNKNOWN_COMMAND else reply.data


async def _parts(services: DaemonServices) -> dict[str, Part]:
    nodes: Any = services.engine.network
    return {node.name: Part(node.power_w(), str(node.facts.supply)) for node in nodes}
