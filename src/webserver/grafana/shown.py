"""What is known, in the shapes that a data source takes. Times are milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Data = Mapping[str, Any]
Point = list[float | None]


def datapoints(segments: Iterable[Sequence[Sequence[float]]]) -> list[Point]:
    """Return [value, time] for each mean of a series; where nothing was measured stands null, and never a number.

    ``segments``  stretches without a gap, of [start, end, least, greatest, mean, count]
    """
    found: list[Point] = []
    for segment in segments:
        if found:
            found.append([None, (found[-1][1] or 0) + 1])
        found += [[mean, round(start * 1000)] for start, _end, _least, _greatest, mean, _count in segment]
    return found


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], ref: str = "") -> dict[str, Any]:
    """Return a table; ``columns``: name and type (time, string, number)."""
    named = [{"text": name, "type": kind} for name, kind in columns]
    found = {"type": "table", "columns": named, "rows": [list(row) for row in rows]}
    return {**found, "refId": ref} if ref else found


def point_table(named: Iterable[tuple[str, list[Point]]], ref: str) -> dict[str, Any]:
    """Return several series as one table, without what was not measured."""
    rows = [(at, name, value) for name, points in named for value, at in points if value is not None]
    return table((("Time", "time"), ("series", "string"), ("value", "number")), rows, ref)


# -- annotations


def of_run(run: Data, now: float) -> dict[str, Any]:
    """Return a run as a region: from its order to its end, or to now."""
    count = f"{run['done']} of {run['total']} done" + (f", {run['failed']} failed" if run["failed"] else "")
    return _region(
        run["created"],
        run["ended"] or now,
        f"run {run['id']}: {run['action']} {_few(run['targets'])}",
        f"{run['state']}, {count}; ordered by {run['who']}" + (f": {run['note']}" if run["note"] else ""),
        ["run", run["action"], run["state"]],
    )


def of_alert(alert: Data, now: float) -> dict[str, Any]:
    """Return an alert as a region: from its begin to its end, or to now."""
    end = alert.get("closed") or now
    tags = ["alert", alert["severity"], alert["kind"]]
    return _region(alert["opened"], end, alert["title"], alert["text"], tags)


def of_event(event: Data) -> dict[str, Any]:
    """Return an event as a moment."""
    tags = [event["kind"], *([event["server"]] if event["server"] else [])]
    who = event["data"].get("who", "")
    return {"time": _ms(event["time"]), "title": event["text"], "text": f"by {who}" if who else "", "tags": tags}


COLUMNS = (
    ("time", "time"), ("timeEnd", "time"), ("title", "string"), ("text", "string"), ("tags", "string"),
)  # fmt: skip


def annotation_table(found: Iterable[Data], ref: str) -> dict[str, Any]:
    """Return annotations as rows, as later versions of the data source take them."""
    rows = [(one["time"], one.get("timeEnd"), one["title"], one["text"], ",".join(one["tags"])) for one in found]
    return table(COLUMNS, rows, ref)


def _region(since: float, until: float, title: str, text: str, tags: list[str]) -> dict[str, Any]:
    begin = _ms(since)
    end = max(begin, _ms(until))
    return {"time": begin, "timeEnd": end, "isRegion": True, "title": title, "text": text, "tags": tags}


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
