"""Hosts from a CSV file or from what is pasted: looked at first, with what would change, then stored."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...ockle_client.connection import ClientError
from ...texts import _
from .common import Data, go, page
from .files import _close_body
from .hosts import send_hosts

MAX_BYTES = 4 << 20


@view_config(
    route_name="settings.hosts_import",
    renderer="settings/hosts_import.jinja2",
    request_method="GET",
    permission="admin",
)
def form(request: Request) -> Data:
    return page(request, text="", merge=True, preview=None, errors=[])


@view_config(
    route_name="settings.hosts_import",
    renderer="settings/hosts_import.jinja2",
    request_method="POST",
    permission="admin",
    uploads=True,
)
def look_or_store(request: Request) -> Response | Data:
    """Show what the text would change; with ``store`` and the revision that was looked at, store it."""
    request.add_finished_callback(_close_body)
    merge = request.POST.get("merge", "") == "yes"
    text, problem = _given(request)
    if problem:
        return _again(request, text, merge, problem)
    try:
        if request.POST.get("store"):
            send_hosts(request, "netbootSetHosts", text=text, rev=request.POST.get("rev", ""))
            request.registry.netboot_page.forget()
            return go(request, "settings.hosts", "hosts")
        preview = send_hosts(request, "netbootCheckHosts", text=text, loose=True, merge=merge)
    except ClientError as error:
        if error.code not in ("bad_request", "conflict", "too_long", "refused"):
            raise
        return _again(request, text, merge, error.message)
    if preview["problems"]:
        request.response.status_int = 422
    hosts = {line["mac"]: line for line in preview["lines"] if line["kind"] == "host"}
    return page(request, text=text, merge=merge, preview=preview, hosts=hosts, errors=[])


def _again(request: Request, text: str, merge: bool, problem: str) -> Data:
    request.response.status_int = 422
    return page(request, text=text, merge=merge, preview=None, errors=[problem])


def _given(request: Request) -> tuple[str, str]:
    """Return the text of the file, or that of the field if there is no file; and what is wrong with it."""
    given: Any = request.POST.get("file")
    if not hasattr(given, "file"):
        text = str(request.POST.get("text", "")).replace("\r\n", "\n")
        return text, "" if text.strip() else _("Choose a file, or paste some lines.")
    with given.file as uploaded:
        data = uploaded.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return "", _("That is more than {} KiB: use the command “ockle netboot hosts import”.").format(
            MAX_BYTES // 1024
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n"), ""
    except UnicodeDecodeError:
        return "", _("That file is no text in UTF-8.")
