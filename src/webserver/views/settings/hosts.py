"""The hosts of the boot server, hosts.csv, as a table: changed at once, without a draft; and exported as CSV."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...netboot.edits import NEW_ROWS, Row, apply, posted_rows, shown
from ...ockle_client.connection import ClientError
from ...ockle_client.long_texts import call_with_text
from ...texts import _
from .common import Data, go, page

TRIES = 3
"""The boot server writes times of last use into the same file."""


@view_config(route_name="settings.hosts", renderer="settings/hosts.jinja2", request_method="GET")
def hosts(request: Request) -> Data:
    try:
        found = request.daemon.call("netbootHosts")
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return page(request, rows=None, proposal="", unknown=[], errors=[])
    return _page(request, shown(found["lines"]), found["proposal"])


@view_config(route_name="settings.hosts", renderer="settings/hosts.jinja2", request_method="POST", permission="admin")
def save(request: Request) -> Response | Data:
    rows = posted_rows(request.POST)
    if "more" in request.POST:
        return _again(request, rows, more=NEW_ROWS)
    if not any(row.changed for row in rows):
        return go(request, "settings.hosts", "hosts-same")
    for left in reversed(range(TRIES)):
        found = request.daemon.call("netbootHosts")
        edited = apply(found["lines"], rows)
        if edited.conflicts:
            text = _("Somebody changed the same meanwhile. Look at the marked rows, and save again.")
            return _again(request, rows, {}, edited.conflicts, errors=[text])
        try:
            send_hosts(request, "netbootSetHosts", text=edited.text, rev=found["rev"])
        except ClientError as error:
            if error.code == "conflict" and left:
                continue
            if error.code not in ("bad_request", "conflict", "too_long", "refused"):
                raise
            at_rows = {edited.row_of.get(one["line"], ""): one["text"] for one in error.data.get("problems", ())}
            other = [] if at_rows.keys() - {""} else [error.message]
            if "" in at_rows:
                other.append(at_rows.pop(""))
            return _again(request, rows, at_rows, errors=other)
        request.registry.netboot_page.forget()
        return go(request, "settings.hosts", "hosts")
    raise AssertionError("the last try returns")


@view_config(route_name="settings.hosts_check", renderer="json", request_method="POST", permission="admin")
def check(request: Request) -> Data:
    """Return ``problems``: id of a row -> what is wrong with it; while somebody types."""
    rows = posted_rows(request.POST)
    edited = apply(request.daemon.call("netbootHosts")["lines"], rows)
    found = send_hosts(request, "netbootCheckHosts", text=edited.text)
    return {"problems": {edited.row_of.get(one["line"], ""): one["text"] for one in found["problems"]}}


@view_config(route_name="settings.hosts_csv", request_method="GET")
def export(request: Request) -> Response:
    text = request.daemon.call("netbootHosts")["text"]
    return Response(
        text.encode(),
        content_type="text/csv",
        charset="utf-8",
        content_disposition='attachment; filename="hosts.csv"',
    )


def send_hosts(request: Request, command: str, **data: Any) -> Data:
    """Send a command with the ``text`` of a hosts.csv, however long it is. Raises ClientError."""
    return call_with_text(request.daemon.call, command, data, "netbootHostsPart")


def _again(
    request: Request,
    rows: list[Row],
    problems: dict[str, str] | None = None,
    conflicts: dict[str, Any] | None = None,
    errors: list[str] | None = None,
    more: int = 0,
) -> Data:
    """Return the page with what stands in its fields, after something that was not stored."""
    for row in rows:
        row.problem = (problems or {}).get(row.id, "")
        if row.id in (conflicts or {}):
            row.conflict, row.theirs = True, (conflicts or {})[row.id]
            row.was = row.theirs  # saved again, it is meant
    taken = {row.id for row in rows}
    fresh = [f"n{number}" for number in range(len(rows) + more) if f"n{number}" not in taken][:more]
    if problems or errors:
        request.response.status_int = 422 if not conflicts else 409
    rows = [*rows, *(Row(one, None, ("", "", "")) for one in fresh)]
    return _page(request, rows, request.daemon.call("netbootHosts")["proposal"], errors)


def _page(request: Request, rows: list[Row], proposal: str, errors: list[str] | None = None) -> Data:
    unknown = request.daemon.call("netbootUnknown")["unknown"]
    return page(request, rows=rows, proposal=proposal, unknown=unknown, errors=errors or [])
