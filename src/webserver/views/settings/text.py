"""A file as text: for comments, for people who know it, and for files so broken that there is no form."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...texts import _
from .common import Data, edit, go, page
from .objects import file_of

CHECK_S = 60.0


def _file(request: Request) -> str:
    return file_of(request) if "folder" in request.matchdict else "config.ini"


@view_config(route_name="settings.text", renderer="settings/text.jinja2", request_method="GET", permission="admin")
@view_config(
    route_name="settings.general_text", renderer="settings/text.jinja2", request_method="GET", permission="admin"
)
def text_form(request: Request) -> Data:
    return _show(request)


@view_config(route_name="settings.text", renderer="settings/text.jinja2", request_method="POST", permission="admin")
@view_config(
    route_name="settings.general_text", renderer="settings/text.jinja2", request_method="POST", permission="admin"
)
def save_text(request: Request) -> Response | Data:
    file, text = _file(request), str(request.POST.get("text", "")).replace("\r\n", "\n")
    now = request.daemon.call("draftText", {"file": file})
    if request.POST.get("stamp") != now["stamp"]:
        return _show(request, text, [_("The draft was changed in another window. Compare, and save again.")])
    if text == now["text"].replace("\r\n", "\n"):
        return _back(request, "same")
    outcome = edit(request, "text", file, text=text)
    if outcome.taken:
        return _back(request, "saved")
    return _show(request, text, [*(fault["text"] for fault in outcome.faults), *outcome.errors])


def _show(request: Request, text: str | None = None, problems: list[str] | None = None) -> Data:
    file = _file(request)
    now = request.daemon.call("draftText", {"file": file})
    if problems:
        request.response.status_int = 422
    elif problems is None:
        faults = request.daemon.call("draftCheck", timeout=CHECK_S)["faults"]
        problems = [fault["text"] for fault in faults if fault["file"] == file]
    return page(
        request,
        file=file,
        text=now["text"] if text is None else text,
        stamp=now["stamp"],
        problems=problems,
        back=_form_path(request),
    )


def _form_path(request: Request) -> str:
    parts = request.matchdict
    path: str = request.route_path("settings.object" if parts else "settings.general", **parts)
    return path


def _back(request: Request, note: str) -> Response:
    return go(request, "settings.object" if request.matchdict else "settings.general", note, **request.matchdict)
