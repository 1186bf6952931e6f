"""The parts of the alerts pages as HTML, made from what the daemon says by the macros of parts/alerts.jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyramid.request import Request

from ..live.page import LivePage, Painter
from ..live.parts import Parts
from .looks import Look, ask
from .words import SEVERITIES, state_look

TEMPLATE = "parts/alerts.jinja2"
GROUPS = ("open", "acknowledged", "silenced")
"""Of alerts that are not over, each a list of the page."""


def overview_page() -> LivePage[Look]:
    """Return /alerts, as it is asked and drawn."""
    return LivePage(TEMPLATE, ask, _overview, lambda look: replace(look, old=True))


def _overview(paint: Painter, look: Look) -> Parts:
    if look.counts is None:
        return Parts({})
    groups: dict[str, list[Mapping[str, Any]]] = {group: [] for group in GROUPS}
    for alert in sorted(look.alerts, key=_rank):
        groups[state_look(alert["state"]).group].append(alert)
    html = {"state": paint("summary", look.counts, {group: len(groups[group]) for group in GROUPS[1:]})}
    lists = {group: paint.rows(group, "alert_item", "id", found, html) for group, found in groups.items()}
    over = sorted(look.closed, key=lambda one: -float(one["closed"] or 0))
    lists["closed"] = paint.rows("closed", "closed_row", "id", over, html)
    lists["silences"] = paint.rows("silences", "silence_item", "id", look.silences, html)
    lists["channels"] = paint.rows("channels", "channel_item", "name", look.channels, html)
    return Parts(html, lists)


def _rank(alert: Mapping[str, Any]) -> tuple[int, float]:
    """The worst first, of these the newest."""
    severities = list(SEVERITIES)
    place = severities.index(alert["severity"]) if alert["severity"] in SEVERITIES else len(severities)
    return place, -float(alert["opened"])


def alert_parts(request: Request, alert: Mapping[str, Any]) -> Parts:
    """Return the parts of the page of one alert."""
    paint = Painter(request, TEMPLATE)
    html = {"state": paint("alert_state", alert), "facts": paint("alert_facts", alert)}
    affected, history = _numbered(alert["affected"]), _numbered(alert["history"])[::-1]
    lists = {
        "affected": paint.rows("affected", "affected_row", "number", affected, html),
        "history": paint.rows("history", "history_line", "number", history, html),
    }
    return Parts(html, lists)


def _numbered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "number": number} for number, one in enumerate(found)]
