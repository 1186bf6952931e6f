"""The draft as a whole: what it means, the diff, what others changed meanwhile; applied, or thrown away."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...ockle_client.connection import ClientError
from .common import Data, go, page

APPLY_S = 90.0


@view_config(route_name="settings.review", renderer="settings/review.jinja2", request_method="GET", permission="admin")
def review(request: Request) -> Data:
    return _show(request)


@view_config(route_name="settings.review", renderer="settings/review.jinja2", request_method="POST", permission="admin")
def apply(request: Request) -> Response | Data:
    message = str(request.POST.get("message", ""))
    wish = {"message": message, "stamp": str(request.POST.get("stamp", ""))}
    try:
        reply = request.daemon.call("draftApply", wish, timeout=APPLY_S)
    except ClientError as error:
        if error.code not in ("bad_config", "refused", "conflict"):
            raise
        request.response.status_int = 409
        return _show(request, error.message, message)
    return go(request, "settings", "applied" if reply["reload"] == "done" else "later")


def _show(request: Request, problem: str = "", message: str = "") -> Data:
    draft = request.daemon.call("draftGet")
    found: Data = {"diffs": {}, "meaning": [], "faults": [], "warnings": [], "stamp": ""}
    if draft["files"]:
        found = request.daemon.call("draftDiff", timeout=APPLY_S)
    return page(request, review=found, problem=problem, message=message)


@view_config(route_name="settings.discard", request_method="POST", permission="admin")
def discard(request: Request) -> Response:
    """Forget the draft, or one file of it."""
    file = request.POST.get("file")
    request.daemon.call("draftDiscard", {"files": [file]} if isinstance(file, str) and file else {})
    return go(request, "settings.review", "discarded")


@view_config(route_name="settings.merge", request_method="POST", permission="admin")
def merge(request: Request) -> Response:
    """Take in what others changed; the fields ``c,N`` hold the choices, in the order of the conflicts."""
    stale = request.daemon.call("draftGet")["stale"]
    conflicts = [(one["file"], conflict) for one in stale for conflict in one["conflicts"]]
    choices = [
        {"file": file, "section": conflict["section"], "key": conflict["key"], "side": side}
        for number, (file, conflict) in enumerate(conflicts)
        if (side := request.POST.get(f"c,{number},{file},{conflict['section']},{conflict['key']}"))
        in ("mine", "theirs")
    ]
    left = request.daemon.call("draftMerge", {"choices": choices})["stale"]
    return go(request, "settings.review", "" if left else "merged")
