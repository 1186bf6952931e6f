"""The list of servers: filtered, as a table or as a file, and what is to happen with several of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..limits import PART_S
from ..ockle_client.connection import ClientError, ConnectionFailed
from ..states import GROUPS, look
from ..texts import _

COLUMNS = ("server", "state", "why", "power_w", "since", "attempts", "held", "needs", "needed_by", "tags", "comment")


def includeme(config: Configurator) -> None:
    config.add_route("servers.file", "/servers.{kind:csv|json}")
    config.add_route("servers.test", "/servers/test")


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the list is shown. ``q``: part of a name, a comment, a tag or a reason; ``state``: a group of states."""

    q: str = ""
    state: str = ""
    tag: str = ""

    @staticmethod
    def words(name: str, server: Mapping[str, Any]) -> str:
        """Return what ``q`` is looked for in."""
        return " ".join((name, server["comment"], server["why"], *server["tags"])).casefold()

    def fits(self, name: str, server: Mapping[str, Any]) -> bool:
        return (
            self.q.casefold() in self.words(name, server)
            and (not self.state or look(server["state"]).group == self.state)
            and (not self.tag or self.tag in server["tags"])
        )

    def query(self) -> dict[str, str]:
        return {key: value for key, value in (("q", self.q), ("state", self.state), ("tag", self.tag)) if value}


def _filter(request: Request) -> Filter:
    return Filter(*(request.params.get(key, "").strip()[:300] for key in ("q", "state", "tag")))


def _found(request: Request, wanted: Filter) -> dict[str, Mapping[str, Any]]:
    return {name: server for name, server in request.snapshot.servers.items() if wanted.fits(name, server)}


@view_config(route_name="servers", renderer="servers.jinja2", request_method="GET")
def servers(request: Request) -> dict[str, Any]:
    wanted = _filter(request)
    every = request.snapshot.servers
    found = _found(request, wanted)
    return {
        "every": every,
        "servers": found,
        "board": _board(request, wanted.q) if wanted.q and not found else None,
        "filter": wanted,
        "groups": [group for group in GROUPS if any(look(one["state"]).group == group for one in every.values())],
        "tags": sorted({tag for server in every.values() for tag in server["tags"]}),
        "tested": tested,
    }


def _board(request: Request, word: str) -> Mapping[str, Any] | None:
    """Return the board with this name, MAC address or address; None without one, or where nobody can tell."""
    try:
        found: Mapping[str, Any] = request.daemon.call("netbootBoard", {"board": word})["board"]
    except (ClientError, ConnectionFailed):
        return None
    return found


@view_config(route_name="servers.test", renderer="tested.jinja2", request_method="POST")
def test(request: Request) -> Response | dict[str, Any]:
    """Run the tests of the chosen servers; that switches nothing, so there is no preview."""
    names = list(dict.fromkeys(request.POST.getall("server")))
    if not names:
        return HTTPSeeOther(request.route_path("servers"))
    return {"results": request.daemon.call("runTests", {"servers": names}, PART_S)["results"]}


@view_config(route_name="servers.file", request_method="GET")
def file(request: Request) -> Response:
    """Return the filtered list as CSV or JSON."""
    found = _found(request, _filter(request))
    response = request.response
    if request.matchdict["kind"] == "json":
        response.content_type, response.json = "application/json", {"servers": {**found}}
    else:
        response.content_type, response.charset = "text/csv", "utf-8"
        response.text = _csv(found)
    response.headers["Content-Disposition"] = f'attachment; filename="servers.{request.matchdict["kind"]}"'
    return response


def _csv(found: Mapping[str, Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for name, server in found.items():
        values = {
            **server,
            "server": name,
            "attempts": " ".join(f"{kind} {made}" for kind, (made, _most) in server["attempts"].items() if made),
            **{key: " ".join(server[key]) for key in ("needs", "needed_by", "tags")},
        }
        writer.writerow([_harmless(values[column]) for column in COLUMNS])
    return text.getvalue()


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def tested(server: Mapping[str, Any]) -> str:
    """Return how the last tests went, in a word."""
    if server["tested"] is None:
        return "–"
    failed = server["tested"]["failed"]
    return _("{} failed").format(", ".join(failed)) if failed else _("passed")
