"""What can be done with one server and its parts at its page, besides orders, which go through a plan.

What is switched past the order of the network wants the server's name typed, as on the command line (tier 3).
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..limits import FORCE_S, PART_S
from ..ockle_client.connection import ClientError
from ..proof import prove
from ..texts import _
from .server import page

Answer: TypeAlias = "Response | dict[str, Any]"
COMMANDS = {"outlet": "switchOutlet", "control": "switchControl"}
STATES = ("on", "off")


@view_config(route_name="server.switch", renderer="server.jinja2", request_method="POST", permission="operate")
def switch(request: Request) -> Answer:
    """Switch one outlet or control by hand."""
    given = request.POST
    command, state = COMMANDS.get(given.get("kind", "")), given.get("state", "")
    if command is None or state not in STATES:
        raise HTTPBadRequest(_("This switches an outlet or a control on or off."))
    data = {"obj": given.get("part", ""), "state": state}
    if given.get("force") == "yes":
        data["force"] = True
    return _confirmed(request, command, data, PART_S)


@view_config(route_name="server.force", renderer="server.jinja2", request_method="POST", permission="operate")
def force(request: Request) -> Answer:
    given = request.POST
    state = given.get("state", "")
    if state == "clear":  # nothing is switched against anybody by this
        return _done(request, "force", {"state": state}, FORCE_S)
    if state not in STATES:
        raise HTTPBadRequest(_("A server is forced on or off, or its force is cleared."))
    data: dict[str, Any] = {"state": state, "note": given.get("note", "")[:500], "confirm": given.get("confirm", "")}
    if given.get("minutes", "").strip():
        try:
            data["for_s"] = float(given["minutes"]) * 60
        except ValueError:
            return _again(request, 422, _("A number of minutes is needed, such as 30."))
    return _confirmed(request, "force", data, FORCE_S)


@view_config(route_name="server.hold", renderer="server.jinja2", request_method="POST", permission="operate")
def hold(request: Request) -> Answer:
    held = request.POST.get("held") == "yes"
    return _done(request, "hold", {"held": held, "note": request.POST.get("note", "")[:500]})


@view_config(route_name="server.reset", renderer="server.jinja2", request_method="POST", permission="operate")
def reset(request: Request) -> Answer:
    return _done(request, "reset", {})


@view_config(route_name="server.test", renderer="server.jinja2", request_method="POST")
def test(request: Request) -> Answer:
    """Run one test, or all, and show the results at the page."""
    part = request.POST.get("part", "")
    return _told(request, "runTest", {"obj": part} if part else {}, "results")


@view_config(route_name="server.check", renderer="server.jinja2", request_method="POST", permission="operate")
def check(request: Request) -> Answer:
    """Have an outlet take a command that changes nothing, and show what it says."""
    return _told(request, "checkOutlet", {"obj": request.POST.get("part", "")}, "answers")


def _confirmed(request: Request, command: str, data: dict[str, Any], timeout: float) -> Answer:
    name = request.matchdict["server"]
    if request.POST.get("confirm", "").strip() != name:
        return _again(request, 422, _("Nothing was switched: type the name of the server, {}.").format(name))
    prove(request)
    return _done(request, command, data, timeout)


def _done(request: Request, command: str, data: dict[str, Any], timeout: float = 30.0) -> Answer:
    """Carry it out and lead back to the page; a refusal is told there."""
    name = request.matchdict["server"]
    try:
        request.daemon.call(command, {"server": name, **data}, timeout)
    except ClientError as error:
        return _refused(request, error)
    return HTTPSeeOther(request.route_path("server", server=name))


def _told(request: Request, command: str, data: dict[str, Any], key: str) -> Answer:
    try:
        found = request.daemon.call(command, {"server": request.matchdict["server"], **data}, PART_S)
    except ClientError as error:
        return _refused(request, error)
    return page(request, **{key: found["results"]})


def _refused(request: Request, error: ClientError) -> Answer:
    if error.code not in ("refused", "device", "conflict"):
        raise error
    return _again(request, 502 if error.code == "device" else 409, error.message)


def _again(request: Request, status: int, problem: str) -> dict[str, Any]:
    request.response.status_int = status
    return page(request, problem=problem)
