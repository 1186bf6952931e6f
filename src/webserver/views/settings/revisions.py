"""The history of the configuration: who changed what, the differences, and the way back."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from .common import Data, go, page

SHOWN = 100


@view_config(route_name="settings.history", renderer="settings/history.jinja2", request_method="GET")
def history(request: Request) -> Data:
    revisions = request.daemon.call("configHistory", {"limit": SHOWN})["revisions"]
    return page(request, revisions=revisions)


@view_config(
    route_name="settings.revision", renderer="settings/revision.jinja2", request_method="GET", permission="admin"
)
def revision(request: Request) -> Data:
    """Show one change, or with ``?to=`` all that happened between two revisions."""
    rev = int(request.matchdict["rev"])
    other = str(request.GET.get("to", ""))
    first, last = (rev, int(other)) if other.isascii() and other.isdigit() else (max(rev - 1, 0), rev)
    diffs = request.daemon.call("configRevisionDiff", {"rev": first, "to": last})["diffs"]
    revisions = request.daemon.call("configHistory", {"limit": SHOWN})["revisions"]
    about = next((one for one in revisions if one["rev"] == rev), None)
    return page(request, rev=rev, first=first, last=last, diffs=diffs, about=about, revisions=revisions)


@view_config(route_name="settings.revert", request_method="POST", permission="admin")
def revert(request: Request) -> Response:
    reply = request.daemon.call("configUndo", {"rev": int(request.matchdict["rev"])}, timeout=90.0)
    return go(request, "settings.history", "reverted" if reply.get("reload") == "done" else "later")
