"""Netboot: the boards, who asks and is not known, what is being loaded, leases; live. And how it is turned on."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..live.page import MOST_ROWS, changes, revision
from ..netboot import words
from ..netboot.looks import Look
from ..netboot.page import overview_page
from ..ockle_client.connection import ClientError
from ..texts import _
from .settings.common import edit, go

PLUGIN = "NetBoot"
ROUTES = {
    "live": "live",
    "enable": "enable",
    "forget": "forget",
    "adopt": "adopt",
    "ports": "ports",
    "ports_live": "ports/live",
    "ports_cancel": "ports/cancel",
    "board": "{board}",
    "board_live": "{board}/live",
    "board_do": "{board}/{action:keep|find-port}",
    "order": "{board}/{action:restart|reinstall}",
}
"""Name -> pattern below /netboot. What has a name of its own comes before the boards, see ``page.RESERVED``."""


def includeme(config: Configurator) -> None:
    config.registry.netboot_page = overview_page()
    for name, pattern in ROUTES.items():
        config.add_route(f"netboot.{name}", f"/netboot/{pattern}")

    def finish() -> None:
        environment = config.get_jinja2_environment()
        environment.globals.update(
            stage_look=words.look, board_summary=words.summary, service_names=words.SERVICES, most_rows=MOST_ROWS
        )
        environment.filters.update(byte_size=words.size, byte_rate=words.rate)

    config.action(None, finish, order=1000)


def look_of(request: Request) -> Look:
    """Return what the netboot pages show, at most a second old."""
    found: Look = request.registry.netboot_page.look(request)
    return found


@view_config(route_name="netboot", renderer="netboot.jinja2", request_method="GET")
def netboot(request: Request) -> dict[str, Any] | Response:
    look = look_of(request)
    if look.status is None:
        return render_to_response("netboot_off.jinja2", _off(request), request)
    parts = request.registry.netboot_page.parts(request, look)
    return {"look": look, "parts": parts, "rev": revision(request, parts)}


@view_config(route_name="netboot.live", renderer="json", request_method="GET")
def live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    page = request.registry.netboot_page
    return changes(request, page.parts(request, page.look(request)))


@view_config(route_name="netboot.forget", request_method="POST", permission="admin")
def forget(request: Request) -> Response:
    """Empty the list of unknown boards; who still asks comes again."""
    mac = request.POST.get("mac", "").strip()
    request.daemon.call("netbootForgetUnknown", {"mac": mac} if mac else {})
    request.registry.netboot_page.forget()
    return HTTPSeeOther(request.route_path("netboot") + "#unknown")


# -- without the plugin


def _off(request: Request, problem: str = "", **typed: str) -> dict[str, Any]:
    """Return why there is no boot server: the plugin is not loaded, or it has failed, or is in a draft."""
    states = request.daemon.call("getAvailablePluginsList", {"details": True})
    draft = request.daemon.call("draftGet")
    mine = states.get(PLUGIN, {})
    return {
        "offered": PLUGIN in states,
        "failure": mine.get("failure", ""),
        "drafted": "config.ini" in draft["files"] and PLUGIN in _chosen(request),
        "problem": problem,
        "typed": typed,
    }


def _chosen(request: Request) -> list[str]:
    """Return the plugins that are chosen with the caller's draft."""
    form = request.daemon.call("configForm", {"file": "config.ini"})
    section = next(one for one in form["sections"] if one["kind"] == "plugins")
    [option] = [one for one in section["options"] if one["name"] == "plugins"]
    value = option["value"] if option["set"] else option["default"]
    return [name for name in value if name] if isinstance(value, list) else str(value or "").replace(",", " ").split()


@view_config(route_name="netboot.enable", renderer="netboot_off.jinja2", request_method="POST", permission="admin")
def enable(request: Request) -> Response | dict[str, Any]:
    """Put the plugin into the draft, and lead to its options."""
    interface = request.POST.get("interface", "").strip()
    plugins = _chosen(request)
    values: dict[str, Any] = {"plugins": {"plugins": plugins if PLUGIN in plugins else [*plugins, PLUGIN]}}
    if interface:
        values[f"plugins.{PLUGIN}"] = {"interface": interface}
    try:
        outcome = edit(request, "change", "config.ini", values=values)
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return _off(request, _("The plugin EditingCommunicationCommands is not loaded: edit config.ini by hand."))
    if not outcome.taken:
        request.response.status_int = 422
        texts = "; ".join([*(fault["text"] for fault in outcome.faults), *outcome.errors])
        return _off(request, texts, interface=interface)
    return go(request, "settings.review", "saved")
