"""The pages about config.ini: the overview, the daemon's own options, the plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...forms.fields import Texts, baseline
from ...forms.posted import read_form
from .common import KINDS, Data, Outcome, form_or_text, get_form, go, moved, page, sections_of
from .objects import save

FILE = "config.ini"
_PLUGIN_KINDS = ("plugins", "plugin")
Shown = Callable[[Mapping[str, Any]], bool]


@view_config(route_name="settings", renderer="settings/overview.jinja2", request_method="GET")
def overview(request: Request) -> Data:
    counts = {folder: len(request.daemon.call("configObjects", {"folder": folder})["objects"]) for folder in KINDS}
    history = request.daemon.call("configHistory", {"limit": 5})["revisions"]
    checked = request.daemon.call("configCheck")
    return page(request, counts=counts, revisions=history, faults=checked["faults"], warnings=checked["warnings"])


def _is_general(section: Mapping[str, Any]) -> bool:
    return section["kind"] not in _PLUGIN_KINDS


def _is_plugins(section: Mapping[str, Any]) -> bool:
    return section["kind"] in _PLUGIN_KINDS


@view_config(route_name="settings.general", renderer="settings/general.jinja2", request_method="GET")
def general(request: Request) -> Data | Response:
    return form_or_text(request, lambda: _show(request, _is_general), "settings.general_text")


@view_config(
    route_name="settings.general", renderer="settings/general.jinja2", request_method="POST", permission="admin"
)
def save_general(request: Request) -> Response | Data:
    return _save(request, "settings.general", _is_general)


@view_config(route_name="settings.plugins", renderer="settings/plugins.jinja2", request_method="GET")
def plugins(request: Request) -> Data:
    return _show(request, _is_plugins) | _plugin_states(request)


@view_config(
    route_name="settings.plugins", renderer="settings/plugins.jinja2", request_method="POST", permission="admin"
)
def save_plugins(request: Request) -> Response | Data:
    outcome = _save(request, "settings.plugins", _is_plugins)
    return outcome if isinstance(outcome, Response) else outcome | _plugin_states(request)


def _plugin_states(request: Request) -> Data:
    return {"plugin_states": request.daemon.call("getAvailablePluginsList", {"details": True})}


def _save(request: Request, route: str, shown: Shown) -> Response | Data:
    form = get_form(request, FILE)
    reading = read_form([section for section in form["sections"] if shown(section)], request.POST)
    shifted = moved(request, reading.texts)
    if shifted is not None:
        return _show(request, shown, shifted)
    outcome = save(request, FILE, reading)
    if outcome is None:
        return go(request, route, "saved" if any(reading.values.values()) else "same")
    request.response.status_int = 422
    return _show(request, shown, reading.texts, outcome, reading.conflicts)


def _show(
    request: Request,
    shown: Shown,
    posted: Texts | None = None,
    outcome: Outcome | None = None,
    conflicts: list[tuple[str, str, str]] | None = None,
) -> Data:
    form = get_form(request, FILE)
    show = [section for section in form["sections"] if shown(section)]
    sections, errors = sections_of(request, show, posted, outcome.faults if outcome else ())
    return page(
        request,
        form=form,
        form_sections=sections,
        errors=[*errors, *(outcome.errors if outcome else ())],
        conflicts=conflicts or [],
        base=baseline(show),
    )
