"""Plans: look at what an order would do, then start exactly that."""

from __future__ import annotations

from typing import Any

from pyramid.response import Response

from ...errors import Problem, answer
from ...orders import Looked, PlanChanged, Wish, from_id, look, start
from ...proof import prove
from ...texts import _
from . import shapes
from .endpoint import Call, endpoint
from .schema import array, body, integer, number, record, text

PLAN_ID = text("id of a plan", maxLength=100_000)


@endpoint(
    "POST",
    "/plans",
    "Return what an order would do. Nothing is switched.",
    body=body("", action=shapes.ACTION, servers=shapes.SELECTION, exclude_=shapes.EXCLUDE),
    answer=shapes.PLAN,
    problems=(404,),
)
def make_plan(call: Call) -> dict[str, Any]:
    asked = call.body
    return look(call.daemon, Wish(asked["action"], tuple(asked["servers"]), tuple(asked.get("exclude", ())))).as_dict()


@endpoint(
    "GET",
    "/plans/{plan}",
    "Return a plan as it is by now, and what has changed since.",
    path={"plan": PLAN_ID},
    answer=record("", **shapes.PLAN["properties"], changes=array(text(), "such as + db1 off")),
    problems=(404,),
)
def get_plan(call: Call) -> dict[str, Any] | Response:
    looked = _looked(call)
    if isinstance(looked, Response):
        return looked
    now = look(call.daemon, looked.wish)
    return {**now.as_dict(), "changes": looked.changes_to(now)}


@endpoint(
    "POST",
    "/plans/{plan}/run",
    "Start a plan, if it is still what was looked at; else 409 with the new one under plan.",
    permission="operate",
    path={"plan": PLAN_ID},
    body=body(
        "",
        confirm_=text("what the plan asks for at tier 3", maxLength=300),
        note_=shapes.NOTE,
        grace_s_=number("seconds in which it can be cancelled before anything is done", minimum=0, maximum=60),
        timeout_s_=number("seconds after which what has not begun is taken back", exclusiveMinimum=0, maximum=31622400),
    ),
    answer=record("", run=integer("its number"), plan=shapes.PLAN),
    status=202,
    problems=(404, 409),
)
def run_plan(call: Call) -> dict[str, Any] | Response:
    looked = _looked(call)
    if isinstance(looked, Response):
        return looked
    asked = call.body
    if asked.get("confirm"):  # without it the daemon starts nothing that has to be confirmed
        prove(call.request)
    try:
        found = start(
            call.daemon,
            looked,
            confirm=asked.get("confirm", ""),
            note=asked.get("note", ""),
            grace=asked.get("grace_s", 0.0),
            timeout=asked.get("timeout_s", 0.0),
        )
    except PlanChanged as changed:
        message = _("the plan changed since you looked: {}").format(", ".join(changed.changes))
        hint = _("Look at the new plan, and start that one by its id.")
        problem = Problem(409, "conflict", message, hint)
        return answer(call.request, problem, plan=changed.plan.as_dict(), changes=changed.changes)
    return {"run": found["run"], "plan": Looked(looked.wish, found["plan"]).as_dict()}


def _looked(call: Call) -> Looked | Response:
    try:
        return from_id(call.path["plan"])
    except ValueError as error:
        hint = _("Make one: POST /api/v1/plans")
        return answer(call.request, Problem(404, "not_found", str(error), hint, field="plan"))
