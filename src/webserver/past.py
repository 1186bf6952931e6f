"""What a page shows of the past of servers: plots and timelines, made from the daemon's replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from pyramid.request import Request

from .ockle_client.connection import ClientError, ConnectionFailed
from .plots.axes import figure
from .plots.bands import Lane, lane_of, timeline_svg
from .plots.line_plot import plot_svg
from .plots.lines import STAND_OUT, Line, Point, fewer, line_of, order, thinner
from .texts import N_, _
from .window import Window, window_of

POINTS, SLIM_POINTS = 440, 140
"""Of a line: two pixels each."""
WIDE, SLIM = 880, 350
ROWS = 24
NAMES = {"num_pids": N_("Processes"), "temp": N_("Temperature")}
"""Of keys that do not say by themselves what they are."""
MOST_LANES = MOST_LINES = 60
LOST = "ockle.daemon_lost"
"""In the environment of a request: why the daemon did not answer it."""
PASSED = "passed"
"""Whether a test passed: the timeline shows it."""


@dataclass(frozen=True)
class Chart:
    """One plot and what belongs to it.

    ``lines``  those first that stand out; ``left_out``: how many more there are; ``data_url``: the same as JSON
    """

    title: str
    lines: Sequence[Line]
    window: Window
    data_url: str
    left_out: int = 0

    def svg(self, *, slim: bool = False) -> Markup:
        since, until = self.window.since, self.window.until
        if not slim:
            return plot_svg(self.lines, since, until, self.title, width=WIDE, height=220)
        lines = [fewer(line, SLIM_POINTS, since, until) for line in self.lines]
        return plot_svg(lines, since, until, self.title, width=SLIM, height=200)

    @property
    def standing_out(self) -> Sequence[Line]:
        return self.lines[:STAND_OUT]

    @property
    def names(self) -> str:
        """The names of the lines that stand out as JSON, for the crosshair."""
        return json.dumps([line.name for line in self.standing_out])

    def rows(self) -> list[tuple[float, list[Point | None]]]:
        """Return the values of the lines that stand out as a table, the newest first."""
        columns = [thinner(line, ROWS, self.window.since, self.window.until) for line in self.standing_out]
        return [(cells[0][0], [cell[1] for cell in cells]) for cells in zip(*columns, strict=True)][::-1]

    @staticmethod
    def figure(value: float, line: Line) -> str:
        return figure(value, line.unit)


@dataclass(frozen=True)
class Bands:
    """Timelines of one or more servers. ``link``: event number -> its page."""

    title: str
    lanes: Sequence[Lane]
    window: Window
    link: Callable[[int], str]

    def svg(self, *, slim: bool = False) -> Markup:
        width = SLIM if slim else WIDE
        return timeline_svg(
            self.lanes, self.window.since, self.window.until, self.title, width=width, event_url=self.link
        )


class Past:
    """What became of one server; each part is asked of the daemon when a page shows it.

    ``problem``  why a part cannot be shown, by part; a page without it is better than none
    """

    def __init__(self, request: Request, server: str) -> None:
        self._request = request
        self.server = server
        self.problem: dict[str, str] = {}

    @cached_property
    def window(self) -> Window:
        return window_of(self._request)

    @cached_property
    def timeline(self) -> Mapping[str, Any] | None:
        """The daemon's timeline, None when there is none to show."""
        data = {"server": self.server, "since": self.window.since, "until": self.window.until}
        return self._ask("timeline", "timeline", data)

    @property
    def bands(self) -> Bands | None:
        if self.timeline is None:
            return None
        title = _("States of {}").format(self.server)
        return Bands(title, [lane_of(self.timeline)], self.window, event_link(self._request))

    @property
    def moments(self) -> list[dict[str, Any]]:
        """Attempts, tests, orders and all else of the timeline in one list, newest first."""
        line = self.timeline or {}
        found = [one for kind in ("attempts", "tests", "commands", "others") for one in line.get(kind, ())]
        return sorted(found, key=lambda one: -float(one["seq"]))

    @cached_property
    def charts(self) -> list[Chart]:
        """One plot for each thing that was measured."""
        found, self.problem["plots"] = charts_of(self._request, {"server": self.server}, self.window)
        return found

    def _ask(self, part: str, command: str, data: dict[str, Any]) -> dict[str, Any] | None:
        reply, self.problem[part] = ask(self._request, command, data)
        return reply


def past_of(request: Request) -> Past:
    """Return ``request.past``: of the server in the address."""
    return Past(request, request.matchdict["server"])


def charts_of(request: Request, which: Mapping[str, Any], window: Window) -> tuple[list[Chart], str]:
    """Return one plot for each key of the samples that ``which`` names, and why there are none."""
    reply, problem = ask(request, "samples", samples_query(which, window))
    by_key: dict[str, list[Line]] = {}  # by what is measured
    for series in reply["series"] if reply else ():
        line = line_of(series, series["object"] or _("together"))
        if line is not None and not (series["kind"] == "test" and series["key"] == PASSED):
            by_key.setdefault(series["key"], []).append(line)
    charts = [
        Chart(key_title(key, lines[0].unit), order(lines), window, data_url(request, {**which, "key": key}, window))
        for key, lines in sorted(by_key.items())
    ]
    return charts, problem


def ask(request: Request, command: str, data: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Return the daemon's reply, or None and why there is none; a daemon that is not there is asked once per page."""
    lost: str = request.environ.get(LOST, "")
    if lost:
        return None, lost
    try:
        reply: dict[str, Any] = request.daemon.call(command, data)
    except ClientError as error:
        if error.code == "unknown_command":
            return None, _("The plugin Logger is not loaded, so nothing that was measured is kept.")
        return None, error.message
    except ConnectionFailed as error:
        request.environ[LOST] = str(error)
        return None, str(error)
    return reply, ""


def samples_query(which: Mapping[str, Any], window: Window) -> dict[str, Any]:
    return {**which, "since": window.since, "until": window.until, "points": POINTS}


def data_url(request: Request, which: Mapping[str, Any], window: Window) -> str:
    """Return where the numbers of a plot are: its own moments, so that both stay the same."""
    query = {**which, "since": f"{window.since:.3f}", "until": f"{window.until:.3f}", "points": POINTS}
    return f"{request.route_path('api.samples')}?{urlencode(query)}"


def event_link(request: Request) -> Callable[[int], str]:
    return lambda seq: str(request.route_path("history.event", seq=seq))


def key_title(key: str, unit: str) -> str:
    """Return what people call a key: ``power_w`` -> ``Power``; the unit stands at the axis."""
    if key in NAMES:
        return _(NAMES[key])
    name = key.rpartition("_")[0] if unit else key
    return (name or key).replace("_", " ").capitalize().replace("Cpu", "CPU")
