"""What a data source asks, checked: it comes from anybody who has the token of a viewer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MOST_TARGETS, LONGEST_TARGET = 50, 500
LONGEST_S = 20 * 366 * 86400.0
POINTS, MOST_POINTS = 600, 5000
LARGEST = 1e15
FILTERS = ("server", "kind", "object", "key")
OPERATORS = ("=", "!=")
ANNOTATIONS = ("runs", "alerts", "emergencies", "notes")


class BadQuery(Exception):
    """It cannot be answered; the text is one line for the person at the dashboard."""


@dataclass(frozen=True, slots=True)
class Target:
    """``ref``: the letter of the query, "" for none; ``table``: rows are wanted instead of a series."""

    text: str
    ref: str
    table: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """``key`` is one of FILTERS."""

    key: str
    value: str
    equal: bool

    def lets(self, series: Mapping[str, Any]) -> bool:
        return (series[self.key] == self.value) is self.equal


@dataclass(frozen=True, slots=True)
class Query:
    """``since`` and ``until``: seconds since 1970; ``points``: how many of each series at most."""

    since: float
    until: float
    points: int
    targets: tuple[Target, ...]
    filters: tuple[Filter, ...]


def body_of(raw: bytes) -> dict[str, Any]:
    """Return the body of a request, {} for an empty one. Raises BadQuery."""
    try:
        found = json.loads(raw or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadQuery(f"the body is no JSON: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise BadQuery("the body is no JSON object")
    return found


def query_of(body: Mapping[str, Any]) -> Query:
    """Return what ``/query`` is asked. Raises BadQuery."""
    since, until = span_of(body)
    targets = _list(body, "targets", MOST_TARGETS)
    # the name changed with Grafana's own
    filters = _list(body, "adhocFilters", MOST_TARGETS) or _list(body, "filters", MOST_TARGETS)
    return Query(
        since,
        until,
        _points(body, until - since),
        tuple(_target(one) for one in targets if not one.get("hide")),
        tuple(_filter(one) for one in filters),
    )


def span_of(body: Mapping[str, Any]) -> tuple[float, float]:
    """Return the range of a request in seconds since 1970. Raises BadQuery."""
    span = body.get("range")
    if not isinstance(span, dict):
        raise BadQuery("range is missing: {from, to} as ISO 8601 times")
    since, until = (_moment(span.get(name), name) for name in ("from", "to"))
    if not (since >= 0 and 0 < until - since <= LONGEST_S):
        raise BadQuery("range: from has to be before to, by up to 20 years, and not before 1970")
    return since, until


def kinds_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which annotations are wanted, all unless some are named. Raises BadQuery."""
    annotation = body.get("annotation", {})
    text = annotation.get("query") if isinstance(annotation, dict) else None
    words = text_of({"query": text or ""}, "query").replace(",", " ").split()
    for word in words:
        if word not in ANNOTATIONS:
            raise BadQuery(f"query: {word[:50]!r} is none of {', '.join(ANNOTATIONS)}")
    return tuple(dict.fromkeys(words)) or ANNOTATIONS


def text_of(body: Mapping[str, Any], key: str) -> str:
    """Return a text, "" when it is left out. Raises BadQuery."""
    text = body.get(key) or ""
    if not isinstance(text, str) or len(text) > LONGEST_TARGET:
        raise BadQuery(f"{key}: a text of up to {LONGEST_TARGET} letters is needed")
    return text


def _points(body: Mapping[str, Any], seconds: float) -> int:
    most, interval = _positive(body, "maxDataPoints", POINTS), _positive(body, "intervalMs", 0)
    wanted = min(most, seconds * 1000 / interval) if interval else most
    return max(1, min(int(wanted), MOST_POINTS))


def _positive(body: Mapping[str, Any], key: str, default: float) -> float:
    value = body.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST:
        raise BadQuery(f"{key}: a number above 0 is needed")
    return value


def _list(body: Mapping[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadQuery(f"{key}: a list of objects is needed")
    if len(found) > most:
        raise BadQuery(f"{key}: {len(found)} are too many, {most} at a time")
    return found


def _target(one: Mapping[str, Any]) -> Target:
    # an empty query of a panel that is just being made has no target yet, or the plugin's placeholder
    return Target(text_of(one, "target"), text_of(one, "refId"), text_of(one, "type") == "table")


def _filter(one: Mapping[str, Any]) -> Filter:
    key, operator, value = (text_of(one, name) for name in ("key", "operator", "value"))
    if key not in FILTERS or operator not in OPERATORS:
        raise BadQuery(f"adhocFilters: one of {', '.join(FILTERS)} with one of {' '.join(OPERATORS)} is possible")
    return Filter(key, value, operator == "=")


def _moment(value: object, name: str) -> float:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) < 50 else None
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    raise BadQuery(f"range.{name}: an ISO 8601 time is needed, such as 2026-11-21T23:00:00.000Z")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
