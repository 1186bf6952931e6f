"""Asking a node over HTTP."""

from __future__ import annotations

from typing import Any

from ...common.errors import DeviceRefused
from ...common.http import Request, Target, fetch_json
from ...config.references import ReferenceProblem
from .nodes import Node


async def ask(node: Node) -> dict[str, Any]:
    """Return the JSON object of a node. One attempt, one connection; no redirection is followed. Raises DeviceError."""
    monitor = node.monitor
    try:
        token = monitor.token.reveal().strip()
    except ReferenceProblem as error:
        raise DeviceRefused(f"the token of monitor {monitor.name}: {error}") from error
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    target = Target.of(node.url, verify=monitor.verify)
    return await fetch_json(target, monitor.timeout, request=Request(headers=headers))
