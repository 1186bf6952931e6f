"""Commands that give out what the Logger keeps: series, samples, exportSamples."""

from __future__ import annotations

from typing import Any

from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..store.samples.buckets import GAP_AFTER, Bucket, regroup, segments
from ..store.samples.levels import LEVELS
from ..store.samples.sample_store import Known, SampleStore
from .group import CommandGroup, Data
from .selection import SELECTOR_HELP, servers_of, text_of
from .times import SINCE, UNTIL, count_of, span_of

DAY_S = 86400.0
POINTS, MOST_POINTS = 600, 5000
MOST_TOGETHER = 200
"""So many series make a plot at most."""
PAGE = 5000
"""Rows after which an export begins another page; the last stretch is given whole."""
FIRST_STRETCH_S = 43_200.0
"""Of one series; of many accordingly less, so that a page stays one."""
COLUMNS = ["start", "end", "server", "kind", "object", "key", "least", "greatest", "mean", "count"]

_UNITS = {
    "w": "W", "wh": "Wh", "kwh": "kWh", "va": "VA", "var": "var", "a": "A", "v": "V", "hz": "Hz", "c": "°C",
    "s": "s", "ms": "ms", "percent": "%", "pct": "%", "rpm": "rpm", "dbm": "dBm", "bytes": "B",
}  # fmt: skip

_WHICH = {
    "server?": 'name; left out or "": the network as a whole',
    "servers?": SELECTOR_HELP + "; instead of server",
    "kind?": "outlet, control, test, server, network, ups or node",
    "object?": "name of the outlet, control or test",
    "key?": "what is measured, such as power_w",
    "since?": f"{SINCE}; default: a day back",
    "until?": UNTIL,
}


def unit_of(key: str) -> str:
    """Return the unit that the end of a key names, "" for one without; piman's ``temp`` is in degrees Celsius."""
    if key == "temp":
        return _UNITS["c"]
    _name, mark, end = key.rpartition("_")
    return _UNITS.get(end.lower(), "") if mark else ""


class SampleCommands(CommandGroup):
    """A viewer may use them. They read in the thread of the command; the device loop is not asked."""

    def __init__(self, daemon: DaemonServices, store: SampleStore) -> None:
        super().__init__(daemon)
        self._store = store
        self.add("series", self.series, params={"server?": "name; left out: all, and the network as a whole"})
        self.add("samples", self.samples, params={**_WHICH, "points?": f"how many at most; default {POINTS}"})
        self.add("exportSamples", self.export, params={**_WHICH, "step?": "0, 60, 900 or 3600 seconds; default 0"})

    def series(self, data: Data) -> Data:
        """Return what is measured: a list of server, kind, object, key, unit, and the usual seconds between samples."""
        known = self._store.known()
        if data.get("server") is not None:
            server = text_of(data, "server")
            known = [one for one in known if one.series.server == server]
        return {"series": [_named(one) for one in known]}

    def samples(self, data: Data) -> Data:
        """Return samples for a plot: for each series its stretches without a gap.

        These are lists of [start, end, least, greatest, mean, number of samples]. ``left_out``: how many series there
        were too many.
        What falls into the same of ``points`` equal parts is one of them. Where no sample came for two and a half times
        the usual distance, and for longer than such a part, there is a gap, and never a made-up value.
        """
        since, until = self._span(data)
        points = count_of(data, "points", POINTS, MOST_POINTS)
        everything = self._chosen(data)
        chosen = everything[:MOST_TOGETHER]

        def shrink(buckets: list[Bucket]) -> list[Bucket]:
            return regroup(buckets, since, until, points)

        width = (until - since) / points
        found = self._store.read(_numbers(chosen), since, until, width, shrink)
        return {
            "since": since,
            "until": until,
            "left_out": len(everything) - len(chosen),
            "series": [
                {
                    **_named(one),
                    "segments": [
                        list(map(list, part)) for part in segments(found[one.number], max(one.every, width / GAP_AFTER))
                    ],
                }
                for one in chosen
                if one.number in found
            ],
        }

    def export(self, data: Data) -> Data:
        """Return samples as rows, oldest first, a page at a time: columns, rows, and the ``since`` of the next page.

        ``next`` is null at the end.
        ``step`` is the finest that is wanted; where only coarser ones are left, these are given.
        """
        since, until = self._span(data)
        step = data.get("step", 0)
        if step not in [level.step for level in LEVELS]:
            raise CommandError(f"step is {step!r}: use 0, 60, 900 or 3600")
        chosen = self._chosen(data)
        oldest = self._store.oldest() if chosen else None
        at = until if oldest is None else max(since, oldest)
        rows: list[list[Any]] = []
        stretch = max(1.0, FIRST_STRETCH_S / max(len(chosen), 1))
        while at < until and len(rows) < PAGE:
            end = min(at + stretch, until)
            found = self._store.read(_numbers(chosen), at, end, step)
            some = [[*b[:2], *one.series, *b[2:]] for one in chosen for b in found.get(one.number, ())]
            rows += sorted(some, key=lambda row: float(row[0]))
            at, stretch = end, stretch * (2 if len(some) < PAGE / 4 else 1)
        return {"columns": COLUMNS, "rows": rows, "next": at if at < until else None}

    def _span(self, data: Data) -> tuple[float, float]:
        return span_of(data, self.engine.core.clock.wall(), DAY_S)

    def _chosen(self, data: Data) -> list[Known]:
        if data.get("servers") is not None:
            names = set(servers_of(self.network, data))
        else:
            names = {text_of(data, "server", "")}
        wanted = {name: text_of(data, name) for name in ("kind", "object", "key") if data.get(name) is not None}
        chosen = [
            one
            for one in self._store.known()
            if one.series.server in names and all(getattr(one.series, name) == value for name, value in wanted.items())
        ]
        missing = next((name for name in names if name and name not in self.network), None)
        if not chosen and missing is not None:
            raise CommandError(f"there is no server {missing}, and no samples of one", "not_found")
        return chosen


def _named(known: Known) -> dict[str, Any]:
    return {**known.series._asdict(), "unit": unit_of(known.series.key), "every_s": known.every}


def _numbers(chosen: list[Known]) -> list[int]:
    return [one.number for one in chosen]
