"""The preview of every order: what would happen, in which order, how long it takes; and its start."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from .. import confirm
from ..gantt import draw, rows_of_plan
from ..gantt.axis import clock
from ..ockle_client.plans import MUST_BE_TYPED, Y_AGREES
from ..orders import ACTIONS, Looked, PlanChanged, Wish, from_id, look, start, taken_over
from ..proof import prove
from ..recap import steps
from ..texts import _


def includeme(config: Configurator) -> None:
    config.add_route("plan.start", "/plan/start")


@view_config(route_name="plan", renderer="plan.jinja2", request_method=("GET", "POST"))
def preview(request: Request) -> dict[str, Any]:
    """Show what an order would do. A POST is the same, for more servers than an address has room for."""
    wish = _wish(request)
    if not wish.servers:
        return {"looked": None, "wish": wish, "names": list(request.snapshot.servers)}
    return _shown(request, look(request.daemon.call, wish))


@view_config(route_name="plan.start", renderer="plan.jinja2", request_method="POST", permission="operate")
def begin(request: Request) -> Response | dict[str, Any]:
    """Start a plan that was looked at; show the new one if it is another by now."""
    try:
        looked = from_id(request.POST.get("plan", ""))
    except ValueError as error:
        raise HTTPBadRequest(str(error)) from None
    typed, note = request.POST.get("confirm", "").strip(), request.POST.get("note", "")[:500]
    now = look(request.daemon.call, looked.wish)
    if now.plan["rev"] == looked.plan["rev"] and not confirm.agrees(now.plan, typed):
        request.response.status_int = 422
        wrong = _("This is not what has to be typed: {}").format(now.plan["confirm"])
        return _shown(request, now, note=note, wrong=wrong)
    if now.plan["tier"] >= MUST_BE_TYPED:
        prove(request)
    try:
        run = start(request.daemon.call, looked, confirm=typed, note=note, grace=_grace(request))["run"]
    except PlanChanged as changed:
        request.response.status_int = 409
        return _shown(request, changed.plan, note=note, changes=changed.changes)
    return HTTPSeeOther(request.route_path("run", run=run))


def _grace(request: Request) -> float:
    seconds: float = request.registry.web_settings.grace
    return seconds


def _wish(request: Request) -> Wish:
    """Return what the address or the form asks for: ``action``, ``server`` and ``exclude``, the latter two repeated."""
    given = request.params
    action = given.get("action", "on")
    if action not in ACTIONS:
        raise HTTPBadRequest(_("An action is one of {}.").format(", ".join(ACTIONS)))
    servers = dict.fromkeys(name.strip() for name in given.getall("server") if name.strip())
    exclude = dict.fromkeys(name.strip() for name in given.getall("exclude") if name.strip())
    return Wish(action, tuple(servers), tuple(exclude))


def _shown(request: Request, looked: Looked, **more: Any) -> dict[str, Any]:
    plan = looked.plan
    rows = rows_of_plan(plan)
    summary = _("{}, about {}").format(steps(len(rows)), clock(plan["total_s"]))
    return {
        "looked": looked,
        "wish": looked.wish,
        "plan": plan,
        "rows": rows,
        "chart": draw(rows, f"{confirm.question(plan)} {summary}") if rows else "",
        "summary": summary,
        "question": confirm.question(plan),
        "button": confirm.button(plan),
        "way_out": confirm.way_out(plan),
        "typed": plan["confirm"] if plan["tier"] >= MUST_BE_TYPED else "",
        "careful": plan["tier"] >= Y_AGREES,
        "grace": _grace(request),
        "names": [name for name in request.snapshot.servers if name not in plan["targets"]],
        "taken_over": taken_over(request.snapshot.servers, plan),
        "note": "",
        "wrong": "",
        "changes": [],
        **more,
    }
