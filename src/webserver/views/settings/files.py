"""INI files as they are: one uploaded into the draft, all of them downloaded without secrets; and the daemon itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...texts import _
from .common import KINDS, Data, edit, go, page

MAX_BYTES = 48 * 1024
"""A message to the daemon has 64 KiB at most; the file of a server has less than one."""


@view_config(route_name="settings.files", renderer="settings/files.jinja2", request_method="GET", permission="admin")
def files(request: Request) -> Data:
    return page(request, problems=[], folder="", kind_names={folder: _(kind.title) for folder, kind in KINDS.items()})


@view_config(
    route_name="settings.files",
    renderer="settings/files.jinja2",
    request_method="POST",
    permission="admin",
    uploads=True,
)
def upload(request: Request) -> Response | Data:
    """Take an INI file into the draft; a secret written as *** in it stays what it is."""
    folder = str(request.POST.get("folder", ""))
    request.add_finished_callback(_close_body)
    given = request.POST.get("file")
    problems: list[str] = []
    if not hasattr(given, "file"):
        problems = [_("Choose a file.")]
    else:
        with given.file as uploaded:
            data = uploaded.read(MAX_BYTES + 1)
        name = str(request.POST.get("name", "")).strip() or str(given.filename).rpartition("/")[2].removesuffix(".ini")
        file = f"{folder}/{name}.ini" if folder in KINDS else "config.ini"
        problems = _take(request, file, data)
        if not problems:
            return go(request, "settings.files", "imported")
    request.response.status_int = 422
    kind_names = {one: _(kind.title) for one, kind in KINDS.items()}
    return page(request, problems=problems, folder=folder, kind_names=kind_names)


def _close_body(request: Request) -> None:
    """Give back the temporary file in which WebOb keeps a large body."""
    request.body_file_raw.close()


def _take(request: Request, file: str, data: bytes) -> list[str]:
    if len(data) > MAX_BYTES:
        return [_("{}: larger than a configuration file ever is.").format(file)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [_("{}: not a text in UTF-8, so no INI file.").format(file)]
    outcome = edit(request, "text", file, text=text)
    return [*(fault["text"] for fault in outcome.faults), *outcome.errors]


@view_config(route_name="settings.export", request_method="GET", permission="admin")
def export(request: Request) -> Response:
    """Return the folder as a ZIP file: the files as they are on disk, secrets as ***."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _site_files(request):
            text = request.daemon.call("configGet", {"file": file})["value"]
            archive.writestr(zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0)), text)
    return Response(
        packed.getvalue(),
        content_type="application/zip",
        charset=None,
        content_disposition='attachment; filename="ockle-etc.zip"',
    )


def _site_files(request: Request) -> Iterator[str]:
    yield "config.ini"
    for folder in KINDS:
        found = request.daemon.call("configObjects", {"folder": folder, "stored": True})["objects"]
        yield from (one["file"] for one in found)


@view_config(route_name="settings.restart", request_method="POST", permission="admin")
def restart(request: Request) -> Response:
    request.daemon.call("restartOckle")
    return go(request, "network")


@view_config(route_name="settings.reload", request_method="POST", permission="admin")
def reload(request: Request) -> Response:
    request.daemon.call("reload")
    return go(request, "settings", "reloaded")
