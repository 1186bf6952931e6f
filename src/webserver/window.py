"""The stretch of time that a page looks at, as its address says."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request

from .texts import _

RANGES = {"1h": 3600.0, "24h": 86400.0, "7d": 7 * 86400.0, "30d": 30 * 86400.0, "1y": 365 * 86400.0}
DEFAULT = "24h"


@dataclass(frozen=True, slots=True)
class Window:
    """``name``: of a range that ends now; "" for one that is written out."""

    since: float
    until: float
    name: str

    @property
    def query(self) -> dict[str, str]:
        """What in an address means the same."""
        if self.name:
            return {"range": self.name}
        return {"since": f"{self.since:.0f}", "until": f"{self.until:.0f}"}

    @property
    def fields(self) -> tuple[str, str]:
        """Both ends as the fields of a form show them, in local time."""
        since, until = (datetime.fromtimestamp(one).strftime("%Y-%m-%dT%H:%M") for one in (self.since, self.until))
        return since, until


def window_of(request: Request, default: str = DEFAULT) -> Window:
    """Return the time that ``range``, or ``since`` and ``until``, name; they are seconds since 1970 or local times.

    Raises HTTPBadRequest.
    """
    now = time.time()
    since, until = request.GET.get("since", "").strip(), request.GET.get("until", "").strip()
    name = request.GET.get("range", default)
    if not since and not until:
        if name not in RANGES:
            raise HTTPBadRequest(_("range is {!r}: use one of {}").format(name[:40], ", ".join(RANGES)))
        return Window(now - RANGES[name], now, name)
    end = _moment(until, "until") if until else now
    begin = _moment(since, "since") if since else end - RANGES[DEFAULT]
    if not begin < end:
        raise HTTPBadRequest(_("The time has to begin before it ends."))
    return Window(begin, end, "")


def _moment(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            seconds = math.nan
    if not 0 <= seconds < 1e11:  # (NaN is not)
        raise HTTPBadRequest(_("{} is {!r}: write a time such as 2026-11-21T18:30").format(name, text[:40]))
    return seconds
