"""What is done with an object as a whole: another name, a copy, away with it, a test of the connection."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...errors import Problem, answer
from ...ockle_client.connection import ClientError
from ..alerts import channel_test
from .common import Data, Outcome, edit, existing_form, go
from .objects import file_of, show_object, test_fields

TEST_S = 40.0
NOTHING_READ: Data = {"of": "", "data": {}, "about": []}


@view_config(route_name="settings.rename", request_method="POST", permission="admin")
def rename(request: Request) -> Response:
    return _named(request, "rename", "renamed")


@view_config(route_name="settings.copy", request_method="POST", permission="admin")
def copy(request: Request) -> Response:
    return _named(request, "copy", "copied")


def _named(request: Request, do: str, note: str) -> Response:
    name = str(request.POST.get("name", "")).strip()
    outcome = edit(request, do, file_of(request), name=name)
    if not outcome.taken:
        return refused(request, outcome)
    return go(request, "settings.object", note, folder=request.matchdict["folder"], name=name)


@view_config(route_name="settings.delete", request_method="POST", permission="admin")
def delete(request: Request) -> Response:
    outcome = edit(request, "delete", file_of(request))
    if not outcome.taken:
        return refused(request, outcome)
    return go(request, "settings.objects", "deleted", folder=request.matchdict["folder"])


def refused(request: Request, outcome: Outcome) -> Response:
    """Return the page that says why a change was not taken."""
    texts = [*(fault["text"] for fault in outcome.faults), *outcome.errors]
    return answer(request, Problem(422, "refused", "; ".join(texts)))


@view_config(route_name="settings.test", renderer="settings/object.jinja2", request_method="POST", permission="admin")
def test_connection(request: Request) -> Data:
    """Read once, or send a message by a channel; the answer or the reason stands on the object's page."""
    form = existing_form(request, file_of(request))
    if form["folder"] == "channels":
        return show_object(request, test={**channel_test(request, form["name"]), **NOTHING_READ})
    params = {
        field.name: request.POST[field.input]
        for field in test_fields(request, form)
        if isinstance(request.POST.get(field.input), str) and request.POST[field.input]
    }
    wish = {"kind": form["folder"], "name": form["name"]} | ({"params": params} if params else {})
    try:
        found = request.daemon.call("testConnection", wish, timeout=TEST_S)
    except ClientError as error:
        if error.code not in ("bad_request", "bad_config", "not_found", "device", "refused"):
            raise
        found = {"ok": False, "text": error.message, **NOTHING_READ}
    return show_object(request, test=found)
