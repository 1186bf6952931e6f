"""The audit log: who did what, from where, and what became of it; as a page and as CSV."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, datetime
from typing import Any

from pyramid.request import Request
from pyramid.response import FileIter, Response
from pyramid.view import view_config

from .common import page

PAGE = 100
FETCHED = 1000
SPOOL = 1 << 20
CHECK_S = 120.0
COLUMNS = (
    *("id", "time", "who", "role", "via", "address", "reported", "command", "object", "run", "result", "text"),
    *("details", "before"),
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@view_config(route_name="settings.audit", renderer="settings/audit.jinja2", request_method="GET", permission="admin")
def audit(request: Request) -> dict[str, Any]:
    wanted = _wanted(request)
    check = bool(request.GET.get("check"))
    more = {**wanted, "limit": PAGE + 1, **({"check": True} if check else {})}
    if (before := request.GET.get("before", "")).isdecimal():
        more["before_id"] = int(before[:18])
    reply = request.daemon.call("audit", more, CHECK_S)
    entries = reply["entries"]
    return page(
        request,
        entries=entries[:PAGE],
        older=entries[PAGE - 1]["id"] if len(entries) > PAGE else None,
        wanted=wanted,
        check=check,
        broken=reply.get("problem", ""),
    )


@view_config(route_name="settings.audit.csv", request_method="GET", permission="admin")
def audit_csv(request: Request) -> Response:
    """Return all entries that the filter leaves, newest first."""
    wanted = _wanted(request)
    before: dict[str, int] = {}
    # they may be many: nothing but one page of them is in memory
    file = tempfile.SpooledTemporaryFile(SPOOL, "w+b")  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    while entries := request.daemon.call("audit", {**wanted, **before, "limit": FETCHED})["entries"]:
        writer.writerows([_cell(name, entry[name]) for name in COLUMNS] for entry in entries)
        before = {"before_id": entries[-1]["id"]}
    text.detach()
    response = Response(content_type="text/csv", charset="utf-8")
    response.content_disposition = 'attachment; filename="ockle-audit.csv"'
    response.content_length = file.tell()
    file.seek(0)
    response.app_iter = FileIter(file)
    return response


def _wanted(request: Request) -> dict[str, str]:
    found = {name: request.GET.get(name, "").strip()[:200] for name in ("who", "server", "command")}
    return {name: text for name, text in found.items() if text}


def _cell(name: str, value: Any) -> str:
    if name == "time":
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text  # a spreadsheet would calculate it
