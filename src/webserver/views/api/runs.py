"""Runs: what was started, how far it is, and its end."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, boolean, integer, record, text


@endpoint(
    "GET",
    "/runs",
    "Return the newest runs, newest first.",
    query={"limit": integer("how many; default: 20", minimum=1, maximum=500)},
    answer=record("", runs=array(shapes.SUMMARY)),
)
def list_runs(call: Call) -> dict[str, Any]:
    return call.daemon("runs", {"limit": call.query.get("limit", 20)})


@endpoint(
    "GET",
    "/runs/{run}",
    "Return a run with its steps.",
    path={"run": shapes.RUN_ID},
    query={"log": boolean("also what was sent to the devices for it, and what they answered")},
    answer=shapes.RUN,
    problems=(404,),
)
def get_run(call: Call) -> dict[str, Any]:
    return call.daemon("getRun", {"run": call.path["run"], "log": call.query.get("log", False)})


@endpoint(
    "POST",
    "/runs/{run}/cancel",
    "End a run early: what is being switched comes to its end, what has not begun is taken back.",
    permission="operate",
    path={"run": shapes.RUN_ID},
    answer=record("", run=integer(), state=text()),
    problems=(404, 409),
)
def cancel_run(call: Call) -> dict[str, Any]:
    return call.daemon("cancel", {"run": call.path["run"]})
