"""The parts of the nodes pages as HTML, made from what the daemon says by the macros of parts/nodes.jinja2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pyramid.request import Request

from ..live.looks import Call
from ..live.page import LivePage, Painter
from ..live.parts import Parts
from ..ockle_client.connection import ClientError

TEMPLATE = "parts/nodes.jinja2"
ORDER = ("missing", "up", "waiting", "off")


@dataclass(frozen=True, slots=True)
class Look:
    """``nodes``, None: the daemon has no such plugin. ``old``: this is what it said last, it does not answer."""

    nodes: list[dict[str, Any]] | None
    warnings: list[str] = field(default_factory=list)
    old: bool = False


def ask(call: Call) -> Look:
    """Ask the daemon for all nodes. Raises what ``call`` raises, but for a daemon without the plugin."""
    try:
        found = call("getNodes")
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return Look(None)
    return Look(found["nodes"], found.get("warnings", []))


def overview_page() -> LivePage[Look]:
    """Return /nodes, as it is asked and drawn."""
    return LivePage(TEMPLATE, ask, _overview, lambda look: replace(look, old=True))


def _overview(paint: Painter, look: Look) -> Parts:
    if look.nodes is None:
        return Parts({})
    counts = Counter(one["state"] for one in look.nodes)
    beyond = sum(any(limit["state"] == "over" for limit in one["limits"]) for one in look.nodes)
    html = {"state": paint("summary", counts, beyond, look.warnings)}
    nodes = sorted(look.nodes, key=_rank)
    return Parts(html, {"nodes": paint.rows("nodes", "node_row", "name", nodes, html)})


def _rank(node: Mapping[str, Any]) -> tuple[bool, int, str]:
    """What is beyond a limit or missing comes first."""
    state = node["state"]
    beyond = any(limit["state"] == "over" for limit in node["limits"])
    return not (beyond or state == "missing"), ORDER.index(state) if state in ORDER else len(ORDER), node["name"]


def node_parts(request: Request, node: Mapping[str, Any]) -> Parts:
    """Return the parts of the page of one node."""
    paint = Painter(request, TEMPLATE)
    return Parts({name: paint(f"node_{name}", node) for name in ("state", "figures", "limits")})
