"""Exports as a stream: a page of the daemon's at a time, so that a year of samples needs no memory here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from .daemon import open_connection

Page = tuple[list[list[Any]], Any]
"""Rows, and where the next page begins; None at the end."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the begin of a formula."""


def export(
    request: Request,
    command: str,
    data: Mapping[str, Any],
    columns: list[str],
    rows_of: Callable[[Mapping[str, Any]], list[list[Any]]],
    next_key: str,
) -> Response:
    """Return all pages of ``command`` as CSV or JSON, as the end of the address says.

    ``rows_of``   a reply -> its rows
    ``next_key``  the parameter that the reply's ``next`` is for
    Raises what the daemon says of the first page; what comes later breaks the answer off.
    """
    kind = request.matchdict["format"]
    if kind not in ("csv", "json"):
        raise HTTPNotFound()
    first = request.daemon.call(command, dict(data))
    pages = _pages(request, command, data, first, rows_of, next_key)
    body = _csv(columns, pages) if kind == "csv" else _json(columns, pages)
    name = f"ockle-{request.matched_route.name.rpartition('.')[2]}.{kind}"
    response = Response(content_type="text/csv" if kind == "csv" else "application/json", charset="utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.app_iter = body
    return response


def _pages(
    request: Request,
    command: str,
    data: Mapping[str, Any],
    page: Mapping[str, Any],
    rows_of: Callable[[Mapping[str, Any]], list[list[Any]]],
    next_key: str,
) -> Iterator[list[list[Any]]]:
    yield rows_of(page)
    if page["next"] is None:
        return
    who = request.identity  # the request's own connection is closed before the stream is read
    token, name, role = (who.token, who.name, who.role) if who else ("", "", "viewer")
    connection = open_connection(request.registry.web_settings, token, name, role=role)
    try:
        while page["next"] is not None:
            page = connection.call(command, {**data, next_key: page["next"]})
            yield rows_of(page)
    finally:
        connection.close()


def _csv(columns: list[str], pages: Iterator[list[list[Any]]]) -> Iterator[bytes]:
    yield _lines([columns])
    for rows in pages:
        if rows:
            yield _lines([[harmless(cell) for cell in row] for row in rows])


def _lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def harmless(cell: object) -> object:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _json(columns: list[str], pages: Iterator[list[list[Any]]]) -> Iterator[bytes]:
    start = b"["
    for rows in pages:
        for row in rows:
            yield start + json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False).encode(
                "utf-8", "replace"
            )
            start = b",\n"
    yield b"[]" if start == b"[" else b"]\n"
