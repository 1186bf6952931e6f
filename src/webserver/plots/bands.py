"""States over time as SVG: a row per server, with attempts, tests and orders above and below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from markupsafe import Markup, escape

from ..states import look
from ..texts import _
from .axes import CHAR, time_text
from .line_plot import BOTTOM, RIGHT, Frame, time_axis

ROW, BAND, TOP = 34, 22, 8
MARKS = 22
"""Height of the rows for tests and for orders of a single server."""
LONGEST_NAME = 20
Place = Callable[[float], float]
Moment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """One server: what the daemon's ``timeline`` gives. ``url``: of its page, "" for no link."""

    name: str
    bands: Sequence[Moment]
    attempts: Sequence[Moment] = ()
    tests: Sequence[Moment] = ()
    commands: Sequence[Moment] = field(default_factory=tuple)
    url: str = ""


def lane_of(timeline: Mapping[str, Any], url: str = "") -> Lane:
    """Return the lane of a reply to ``timeline``."""
    kinds = {name: timeline.get(name, ()) for name in ("bands", "attempts", "tests", "commands")}
    return Lane(str(timeline["server"]), **kinds, url=url)


def timeline_svg(
    lanes: Sequence[Lane],
    since: float,
    until: float,
    title: str,
    *,
    width: int = 880,
    zone: tzinfo | None = None,
    event_url: Callable[[int], str] | None = None,
) -> Markup:
    """Return the states of servers as an ``<svg>``; time of which nothing is known stays empty.

    A single lane has no name beside it, and has rows for its tests (dots) and orders (flags).
    ``event_url``  the page of an event, for the flags
    """
    single = len(lanes) == 1
    names = [] if single else [_short(lane.name) for lane in lanes]
    left = 12 if single else 16 + CHAR * max(map(len, names), default=0)
    bottom = TOP + (MARKS * 2 + ROW if single else ROW * len(lanes))
    frame = Frame(left, TOP, width - RIGHT, bottom)

    def x(time: float) -> float:
        share = (min(max(time, since), until) - since) / (until - since)
        return round(frame.left + (frame.right - frame.left) * share, 1)

    out = [
        f'<svg class="timeline" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + BOTTOM}" '
        f'width="{width}" height="{bottom + BOTTOM}" role="{"group" if event_url else "img"}" '
        f'aria-label="{escape(title)}">'
    ]
    out += time_axis(frame, since, until, x, zone)
    for number, lane in enumerate(lanes):
        top = TOP + (MARKS if single else ROW * number)
        if not single:
            out.append(_name(lane, names[number], frame.left - 8, top + ROW / 2 + 4))
        out += [_band(band, x, top + (ROW - BAND) / 2, until - since) for band in lane.bands]
        out += [_attempt(one, x, top + (ROW - BAND) / 2) for one in lane.attempts]
        if single:
            out += [_flag(one, x, TOP + MARKS, event_url) for one in lane.commands]
            out += [_test(one, x, top + ROW + MARKS / 2) for one in lane.tests]
    return Markup("".join([*out, "</svg>"]))  # noqa: S704 - every text in it is a number or was escaped


def band_text(band: Moment, span: float) -> str:
    """Return what a stretch is, from when to when, and why, in a line."""
    word = _(look(str(band["state"])).word) if band["state"] else _("The daemon did not run")
    times = f"{time_text(band['start'], span)} – {time_text(band['end'], span)}"
    who = _("run {} by {}").format(band["run"], band["who"]) if band.get("run") else ""
    return ", ".join(part for part in (f"{word}, {times}", str(band.get("why", "")), who) if part)


def _band(band: Moment, x: Place, top: float, span: float) -> str:
    if not band["state"]:
        return ""
    seen = look(str(band["state"]))
    begin, wide = x(band["start"]), max(x(band["end"]) - x(band["start"]), 1.0)
    word = f"{seen.glyph} {_(seen.word)}"
    text = word if CHAR * len(word) + 16 <= wide else seen.glyph if wide >= 18 else ""
    label = f'<text x="{begin + 6:.1f}" y="{top + BAND / 2 + 4:.1f}">{escape(text)}</text>' if text else ""
    return (
        f'<g class="band band-{seen.style}"><title>{escape(band_text(band, span))}</title>'
        f'<rect x="{begin}" y="{top:.1f}" width="{wide:.1f}" height="{BAND}"/>{label}</g>'
    )


def _attempt(one: Moment, x: Place, top: float) -> str:
    return (
        f'<path class="attempt" d="M{x(one["time"])} {top - 4:.1f}V{top + BAND + 4:.1f}">'
        f"<title>{escape(str(one['text']))}</title></path>"
    )


def _test(one: Moment, x: Place, middle: float) -> str:
    """A passed test is a ring, a failed one a filled square."""
    at, title = x(one["time"]), f"<title>{escape(str(one['text']))}</title>"
    if one.get("passed"):
        return f'<circle class="test passed" cx="{at}" cy="{middle:.1f}" r="4">{title}</circle>'
    return f'<rect class="test" x="{at - 4:.1f}" y="{middle - 4:.1f}" width="8" height="8">{title}</rect>'


def _flag(one: Moment, x: Place, foot: float, event_url: Callable[[int], str] | None) -> str:
    at, text = x(one["time"]), escape(str(one["text"]))
    shape = f'<path class="flag" d="M{at} {foot}V{foot - 16}l9 4l-9 4"><title>{text}</title></path>'
    if event_url is None:
        return shape
    return f'<a href="{escape(event_url(int(one["seq"])))}" aria-label="{text}">{shape}</a>'


def _name(lane: Lane, short: str, right: float, base: float) -> str:
    text = (
        f'<text class="axis name" text-anchor="end" x="{right:.1f}" y="{base:.1f}">{escape(short)}'
        f"<title>{escape(lane.name)}</title></text>"
    )
    return f'<a href="{escape(lane.url)}">{text}</a>' if lane.url else text


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
