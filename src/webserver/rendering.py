"""What templates can use: texts, looks of states, times, and what every page shows."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.csrf import get_csrf_token
from pyramid.events import BeforeRender

from .. import __version__
from .alerts.words import SEVERITIES, badge
from .gantt.axis import clock
from .recap import short
from .states import GROUPS, LOOKS, look
from .texts import N_, _, language, ngettext, script_texts

SECTIONS = (
    ("network", N_("Network")),
    ("servers", N_("Servers")),
    ("runs", N_("Runs")),
    ("alerts", N_("Alerts")),
    ("history", N_("History")),
    ("netboot", N_("Netboot")),
    ("settings", N_("Settings")),
)
"""Route of each entry of the top bar, and its text. An entry without a view yet is not shown."""


def duration(seconds: float | None) -> str:
    """Return a time of seconds as people say it: ``45 s``, ``3 min 20 s``, ``2 h 5 min``, ``12 days 4 h``."""
    if seconds is None:
        return "–"
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return _("{} s").format(whole)
    if whole < 3600:
        text = _("{} min {} s") if whole % 60 else _("{} min")
        return text.format(whole // 60, whole % 60)
    if whole < 86400:
        return _("{} h {} min").format(whole // 3600, whole % 3600 // 60)
    days, rest = divmod(whole, 86400)
    return " ".join((ngettext("{} day", "{} days", days), _("{} h").format(rest // 3600)))


def moment(when: float | None) -> Markup:
    """Return a ``<time>`` element for seconds since 1970: local time for the eye, ISO for machines."""
    if when is None:
        return Markup("–")
    try:
        utc = datetime.fromtimestamp(when, UTC)
    except (OverflowError, OSError, ValueError):
        return Markup("–")
    local = utc.astimezone()
    shown = f"{local:%H:%M:%S}" if local.date() == datetime.now().astimezone().date() else f"{local:%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", shown)


def ago(when: float | None) -> Markup:
    """Return a ``<time>`` element that says how long ago something was."""
    if when is None:
        return Markup("–")
    text = _("{} ago").format(duration(time.time() - when))
    return Markup('<time datetime="{}">{}</time>').format(
        f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%SZ}", text
    )


def watts(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} W" if value >= 10 else f"{value:.1f} W"


def common(event: BeforeRender) -> None:
    """Add what every page shows. What a view gives under the same name wins."""
    request = event["request"]
    if request is None or event.get("renderer_name", "").endswith((".xml", "json")):
        return
    snapshot = request.snapshot
    found: dict[str, Any] = {
        "snapshot": snapshot,
        "who": request.identity,
        "csrf_token": get_csrf_token(request),
        "section": request.matched_route.name if request.matched_route else "",
        "sections": [entry for entry in SECTIONS if entry[0] in request.registry.shown_sections],
        "version": __version__,
        "may": (lambda role: request.identity is not None and request.identity.may(role)),
    }
    for name, value in found.items():
        event.setdefault(name, value)


def includeme(config: Configurator) -> None:
    config.registry.shown_sections = {name for name, _text in SECTIONS}
    config.add_settings({"jinja2.trim_blocks": "true", "jinja2.lstrip_blocks": "true", "jinja2.undefined": "strict"})
    config.include("pyramid_jinja2")
    config.add_jinja2_search_path("ockle.webserver:templates")
    config.add_subscriber(common, BeforeRender)

    def finish() -> None:
        environment = config.get_jinja2_environment()
        environment.globals.update(
            _=_,
            ngettext=ngettext,
            language=language,
            script_texts=lambda: script_texts(
                *(seen.word for seen in (*LOOKS.values(), *SEVERITIES.values())), *GROUPS
            ),
            look=look,
            alert_badge=badge,
            looks=LOOKS,
            state_groups=GROUPS,
        )
        environment.filters.update(clock=clock, run_short=short, duration=duration, moment=moment, ago=ago, watts=watts)

    config.action(None, finish, order=999)
